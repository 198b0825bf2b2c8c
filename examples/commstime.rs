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
//! cargo run --release --example commstime -- [LOOPS] [--placement process|thread]
//! ```
//! LOOPS is how many turns are measured, 2000 unless said otherwise; a tenth as many run before, to warm up. Compare
//! figures of the same machine only, and of release builds only.
//!
//! # Prints
//! ```text
//! 2000 loops, 8000 communications between processes: 5021 ns per communication
//! ```
//! The consumer checks that it gets the numbers 0, 1, 2, … without a gap.

mod arguments;

use arguments::{Arguments, Size};
use csproc::prelude::*;
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

fn main() -> csproc::Result<()> {
    let loops = Size { of: "loops", default: 2000, limits: 1..=1_000_000_000 };
    let Arguments { placement, sizes: [loops], flags: [] } = Arguments::read(include_str!("commstime.rs"), [loops], []);

    let (a, b, c, d) = (Channel::new(), Channel::new(), Channel::new(), Channel::new());
    let (prefixed, copied, counted, elapsed) = Parallel!(
        prefix(0, c.reader(), a.writer()).on(placement),
        delta(a.reader(), b.writer(), d.writer()).on(placement),
        successor(b.reader(), c.writer()).on(placement),
        consumer(d.reader(), loops / 10, loops).on(placement),
    )?;
    for ended in [prefixed, copied, counted] {
        let error = ended.unwrap_err();
        assert_eq!(error.channel_error(), Some(&ChannelError::Retired), "{error:?}");
    }

    let communications = loops * COMMUNICATIONS_PER_LOOP;
    let each = elapsed?.as_nanos() / communications as u128;
    let parties = match placement {
        Placement::Process => "processes",
        _ => "threads",
    };
    println!("{loops} loops, {communications} communications between {parties}: {each} ns per communication");
    Ok(())
}
