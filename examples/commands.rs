//! `sort | uniq -c` as a network: two commands of the system between two processes of this program.
//!
//! # Shows
//! `execute(command, stdin, stdout, stderr)` is a process like any other: what the command reads and writes goes
//! through channels, each waits for whoever is slower, and its result is how the command ended. The end of the
//! source goes through both commands as it would through processes. Where an end is `None`, a command reads nothing,
//! and writes where the program does.
//!
//! # Run
//! ```text
//! cargo run --example commands -- [WORDS]
//! ```
//!
//! # Prints
//! ```text
//! apple 250
//! cherry 500
//! date 250
//! sort exited with code 0, uniq exited with code 0
//! ```
//! It is checked that all words are counted.

use clap::Parser;
use csproc::prelude::*;
use csproc::toolkit::{Command, execute};
use std::ops::RangeInclusive;

const NAMES: [&str; 4] = ["cherry", "date", "cherry", "apple"];

/// Says words, one a line.
#[process]
fn speaker(out: Writer<Vec<u8>>, words: u64) -> csproc::Result<()> {
    for name in NAMES.iter().cycle().take(words as usize) {
        out.write(format!("{name}\n").into_bytes())?;
    }
    Ok(())
}

/// Takes lines of a number and a word, in whatever pieces they come.
#[process]
fn counts(input: Reader<Vec<u8>>) -> csproc::Result<Vec<(u64, String)>> {
    let text = String::from_utf8(input.read_all()?.concat())?;
    let pairs = text.lines().filter_map(|line| line.trim().split_once(' '));
    pairs.map(|(count, name)| Ok((count.parse()?, name.to_string()))).collect()
}

/// Counts words by commands of the system.
#[derive(Parser)]
struct Arguments {
    /// How many words are said: 0 to 10000000
    #[arg(default_value_t = 1000, allow_negative_numbers = true, value_parser = within(0..=10_000_000))]
    words: u64,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { words } = Arguments::parse();

    let [said, sorted, counted] = [(); 3].map(|()| Channel::new());
    let ((), sort, uniq, counts) = Parallel!(
        speaker(said.writer(), words),
        execute(Command::new("sort"), Some(said.reader()), Some(sorted.writer()), None),
        execute(Command::new("uniq").arg("-c"), Some(sorted.reader()), Some(counted.writer()), None),
        counts(counted.reader()),
    )
    .values()?;
    for (count, name) in &counts {
        println!("{name} {count}");
    }
    println!("sort {sort}, uniq {uniq}");
    assert!(sort.success() && uniq.success());
    assert_eq!(counts.iter().map(|(count, _)| count).sum::<u64>(), words);
    Ok(())
}
