//! A token goes round a ring of processes.
//!
//! # Shows
//! A ring of any size, what a hop costs when only one process has something to do at a time, and how a ring ends: the
//! process that counts the rounds returns, and retirement follows the token once around.
//!
//! # Run
//! ```text
//! cargo run --release --example token_ring -- [PROCESSES] [ROUNDS]
//! ```
//! A ring of one process would wait for itself. One more round at the start is not measured.
//!
//! # Prints
//! ```text
//! 8 processes, 200 rounds: 1600 hops verified, 6120 ns per hop
//! ```
//! The token counts its hops, each process counts how often it had the token, and both are checked.

use clap::Parser;
use csproc::prelude::*;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Starts the token, sends it round once to warm up and then `rounds` times; returns its count of hops and how long it
/// took.
#[process]
fn starter(input: Reader<usize>, out: Writer<usize>, rounds: usize) -> csproc::Result<(usize, Duration)> {
    out.write(1)?;
    let first = input.read()?;
    let start = Instant::now();
    let mut token = first;
    for _ in 0..rounds {
        out.write(token + 1)?;
        token = input.read()?;
    }
    Ok((token - first, start.elapsed()))
}

/// Passes the token on; returns how often.
#[process]
fn element(input: Reader<usize>, out: Writer<usize>) -> csproc::Result<usize> {
    let mut passed = 0;
    for token in input.results() {
        out.write(token? + 1)?;
        passed += 1;
    }
    Ok(passed)
}

/// Sends a token round a ring of processes.
#[derive(Parser)]
struct Arguments {
    /// How many processes make the ring: 2 to 1000
    #[arg(default_value_t = 8, allow_negative_numbers = true, value_parser = within(2..=1000))]
    processes: usize,
    /// How often the token travels round: 1 to 1000000
    #[arg(default_value_t = 200, allow_negative_numbers = true, value_parser = within(1..=1_000_000))]
    rounds: usize,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { processes, rounds } = Arguments::parse();

    let links: Vec<Channel<usize>> = (0..processes).map(|_| Channel::new()).collect();
    let ((hops, elapsed), passed) = Parallel!(
        starter(links[0].reader(), links[1].writer(), rounds),
        for place in 1..processes => element(links[place].reader(), links[(place + 1) % processes].writer()),
    )
    .values()?;
    assert_eq!(hops, processes * rounds);
    for passed in passed {
        assert_eq!(passed, 1 + rounds, "every element has the token once a round");
    }
    let each = elapsed.as_nanos() / hops as u128;
    println!("{processes} processes, {rounds} rounds: {hops} hops verified, {each} ns per hop");
    Ok(())
}
