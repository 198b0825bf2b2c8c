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
//! TICKS is how many values are let through, 20 unless said otherwise; MILLISECONDS is the time between two of them, 5
//! unless said otherwise.
//!
//! # Prints
//! ```text
//! 20 ticks of 5 ms: the latest of 24153 values at each of them
//! ```
//! It is checked that no tick comes too early, that values never go back, and that the last one is the latest that the
//! regulator had.

use csproc::prelude::*;
use std::time::{Duration, Instant};

/// Counts as fast as it can until nobody reads.
#[process]
fn source(out: Writer<u64>) -> csproc::Result<()> {
    (1..).try_for_each(|value| Ok(out.write(value)?))
}

/// Passes the latest value on every `interval`, once more if there is no later one; returns how many values it read.
#[process]
fn regulator(input: Reader<u64>, out: Writer<u64>, ticks: usize, interval: Duration) -> csproc::Result<u64> {
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

fn main() -> csproc::Result<()> {
    let mut words = std::env::args().skip(1);
    let ticks = words.next().map_or(Ok(20), |word| word.parse())?;
    let milliseconds = words.next().map_or(Ok(5), |word| word.parse())?;

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
    assert_eq!(passed.len(), ticks);
    assert!(passed.is_sorted(), "{passed:?}");
    // The source counts, and so the regulator's last value says how many there were.
    assert_eq!(passed.last(), (ticks > 0).then_some(&read));
    println!("{ticks} ticks of {milliseconds} ms: the latest of {read} values at each of them");
    Ok(())
}
