//! Two ways to end a network: retirement waits for everybody, poison for nobody.
//!
//! # Shows
//! Several sources share one channel to a sink. With retirement each source gives its own end up when it is done, and
//! the channel ends with the last of them: every value arrives. With poison the source that is done first ends the
//! channel for all: what the others still wanted to write is not delivered, and they know it, since a write succeeds
//! only when a reader takes the value.
//!
//! # Run
//! ```text
//! cargo run --example termination -- [SOURCES] [VALUES] [--poison]
//! ```
//!
//! # Prints
//! ```text
//! retire: 50 of 50 values delivered
//! ```
//! or, with `--poison`, a number that differs from run to run, at least the values of one source:
//! ```text
//! poison: 14 of 50 values delivered
//! ```
//! Both bounds are checked, and that the sources know exactly what was delivered.

use clap::Parser;
use csproc::prelude::*;
use std::ops::RangeInclusive;

/// Writes its values and ends the channel in the given way; returns how many values were delivered.
#[process]
fn source(out: Writer<usize>, values: usize, with_poison: bool) -> usize {
    for value in 0..values {
        if out.write(value).is_err() {
            return value;
        }
    }
    if with_poison {
        poison!(out);
    } else {
        // The return would do the same.
        retire!(out);
    }
    values
}

/// Reads until the channel ends, in whichever way: `into_iter()` does not tell how. Returns how many values it got.
#[process]
fn sink(input: Reader<usize>) -> usize {
    input.into_iter().count()
}

/// Ends a network by retirement or by poison.
#[derive(Parser)]
struct Arguments {
    /// How many sources there are: 1 to 1000
    #[arg(default_value_t = 5, allow_negative_numbers = true, value_parser = within(1..=1000))]
    sources: usize,
    /// How many values each of them has: 0 to 1000000
    #[arg(default_value_t = 10, allow_negative_numbers = true, value_parser = within(0..=1_000_000))]
    values: usize,
    /// The source that is done first ends the channel for all
    #[arg(long)]
    poison: bool,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { sources, values, poison: with_poison } = Arguments::parse();

    let channel = Channel::new();
    let (sent, received) = Parallel!(
        for _ in 0..sources => source(channel.writer(), values, with_poison),
        sink(channel.reader()),
    )?;

    assert_eq!(sent.iter().sum::<usize>(), received, "the sources know what was delivered");
    let all = sources * values;
    if with_poison {
        assert!(
            (values..=all).contains(&received),
            "one source has delivered all its values, nobody more than its own"
        );
    } else {
        assert_eq!(received, all, "retirement loses nothing");
    }
    let way = if with_poison { "poison" } else { "retire" };
    println!("{way}: {received} of {all} values delivered");
    Ok(())
}
