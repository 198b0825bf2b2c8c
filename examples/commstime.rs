//! The classic measurement of what a communication costs: four processes in a ring with a tap.
//!
//! # Shows
//! A cyclic network that makes the natural numbers, how it is wound up from one place by retirement, and results that
//! are any serializable type (here a `Duration`).
//!
//! ```text
//!   prefix ──a──▶ delta ──d──▶ consumer
//!     ▲             │
//!     c             b
//!     └─ successor ◀┘
//! ```
//! Each turn of the ring is four communications, one on every channel. Delta writes to its two channels one after the
//! other.
//!
//! # Run
//! ```text
//! cargo run --release --example commstime -- [LOOPS]
//! ```
//! Compare figures of the same machine only, and of release builds only.
//!
//! # Prints
//! ```text
//! 2000 loops, 8000 communications: 5021 ns per communication
//! ```
//! The consumer checks that it gets the numbers 0, 1, 2, … without a gap.

use clap::Parser;
use csproc::prelude::*;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

const COMMUNICATIONS_PER_LOOP: usize = 4;

/// Writes `first`, then all that it reads.
#[process]
fn prefix(first: usize, input: Reader<usize>, out: Writer<usize>) -> csproc::Result<()> {
    out.write(first)?;
    loop {
        out.write(input.read()?)?;
    }
}

/// Writes all that it reads twice.
#[process]
fn delta(input: Reader<usize>, ring: Writer<usize>, tap: Writer<usize>) -> csproc::Result<()> {
    loop {
        let number = input.read()?;
        ring.write(number)?;
        tap.write(number)?;
    }
}

#[process]
fn successor(input: Reader<usize>, out: Writer<usize>) -> csproc::Result<()> {
    loop {
        out.write(input.read()? + 1)?;
    }
}

/// Reads the numbers of `warm_up` and then of `loops` turns, and returns how long the latter took.
///
/// Its return ends the network: the tap retires, so delta cannot write, returns, and takes the ring along.
#[process]
fn consumer(tap: Reader<usize>, warm_up: usize, loops: usize) -> csproc::Result<Duration> {
    for number in 0..warm_up {
        assert_eq!(tap.read()?, number);
    }
    let start = Instant::now();
    for number in warm_up..warm_up + loops {
        assert_eq!(tap.read()?, number);
    }
    Ok(start.elapsed())
}

/// Measures what a communication costs, in a ring of four processes.
#[derive(Parser)]
struct Arguments {
    /// How many turns are measured, after a tenth as many to warm up: 1 to 100000000
    #[arg(default_value_t = 2000, allow_negative_numbers = true, value_parser = within(1..=100_000_000))]
    loops: usize,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { loops } = Arguments::parse();

    let (a, b, c, d) = (Channel::new(), Channel::new(), Channel::new(), Channel::new());
    // All but the consumer return because their channels retire: an end, not an error.
    let (.., elapsed) = Parallel!(
        prefix(0, c.reader(), a.writer()),
        delta(a.reader(), b.writer(), d.writer()),
        successor(b.reader(), c.writer()),
        consumer(d.reader(), loops / 10, loops),
    )
    .values_or_end()?;
    let elapsed = elapsed.ok_or_else(|| csproc::Error::msg("the ring has ended before the consumer"))?;

    let communications = loops * COMMUNICATIONS_PER_LOOP;
    let each = elapsed.as_nanos() / communications as u128;
    println!("{loops} loops, {communications} communications: {each} ns per communication");
    Ok(())
}
