//! A regulator lets the latest value pass at fixed ticks, however fast values come.
//!
//! # Shows
//! A ticker as a guard, `tick(interval)`: the regulator reads whatever comes, and at each tick passes on the last of
//! it. `PriSelect!` with the ticker first: values that come without a pause cannot keep a tick from being noticed. JCSP
//! knows this process as `Regulate`.
//!
//! # Run
//! ```text
//! cargo run --example regulate -- [TICKS] [MILLISECONDS]
//! ```
//!
//! # Prints
//! ```text
//! 20 ticks of 5 ms: the latest of 24153 values at each of them
//! ```
//! It is checked that no tick comes too early, that values never go back, and that the last one is the latest that the
//! regulator had.

use clap::Parser;
use csproc::prelude::*;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Counts as fast as it can until nobody reads.
#[process]
fn source(out: Writer<u64>) -> csproc::Result<()> {
    (1..).try_for_each(|value| Ok(out.write(value)?))
}

/// Passes the latest value on every `interval`, once more if there is no later one; returns how many values it read.
#[process]
fn regulator(input: Reader<u64>, out: Writer<u64>, ticks: u64, interval: Duration) -> csproc::Result<u64> {
    let (mut read, mut latest) = (1, input.read()?);
    let start = Instant::now();
    // Made once, before the loop: being late once does not make all other ticks late.
    let ticker = tick(interval);
    for number in 1..=ticks as u32 {
        let due = loop {
            PriSelect! {
                due = ticker => break due,
                value = input.read() => {
                    latest = value;
                    read += 1;
                }
            }?;
        };
        assert!(due >= start + interval * number, "tick {number} is early");
        out.write(latest)?;
    }
    Ok(read)
}

/// Returns all that comes.
#[process]
fn sink(input: Reader<u64>) -> csproc::Result<Vec<u64>> {
    Ok(input.read_all()?)
}

/// Lets the latest value through at fixed times.
#[derive(Parser)]
struct Arguments {
    /// How many values are let through: 0 to 1000000
    #[arg(default_value_t = 20, allow_negative_numbers = true, value_parser = within(0..=1_000_000))]
    ticks: u64,
    /// How long it takes from one of them to the next: 1 to 60000
    #[arg(default_value_t = 5, allow_negative_numbers = true, value_parser = within(1..=60_000))]
    milliseconds: u64,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { ticks, milliseconds } = Arguments::parse();

    let (fast, slow) = (Channel::new(), Channel::new());
    let interval = Duration::from_millis(milliseconds);
    // The source returns because its channel retires: an end, not an error.
    let (_, read, passed) = Parallel!(
        source(fast.writer()),
        regulator(fast.reader(), slow.writer(), ticks, interval),
        sink(slow.reader()),
    )
    .values_or_end()?;

    let read = read.ok_or_else(|| csproc::Error::msg("the source has ended before the regulator"))?;
    let passed = passed.unwrap_or_default();
    assert_eq!(passed.len() as u64, ticks);
    assert!(passed.is_sorted(), "{passed:?}");
    // The source counts, and so the regulator's last value says how many there were.
    assert_eq!(passed.last(), (ticks > 0).then_some(&read));
    println!("{ticks} ticks of {milliseconds} ms: the latest of {read} values at each of them");
    Ok(())
}
