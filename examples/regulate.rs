//! A regulator lets the latest value pass at fixed ticks, however fast values come.
//!
//! # Shows
//! A timer as a guard, `at(instant)`: the regulator reads whatever comes, and at each tick passes on the last of it.
//! `PriSelect!` with the timer first: values that come without a pause cannot keep a tick from being noticed. JCSP
//! knows this process as `Regulate`.
//!
//! # Run
//! ```text
//! cargo run --example regulate -- [TICKS] [MILLISECONDS] [--placement process|thread]
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

mod arguments;

use arguments::{Arguments, Size};
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
    let start = Instant::now();
    let (mut read, mut latest) = (1, input.read()?);
    let mut tick = start + interval;
    for number in 1..=ticks as u32 {
        loop {
            PriSelect! {
                at(tick) => break,
                value = input.read() => {
                    latest = value;
                    read += 1;
                }
            }?;
        }
        assert!(start.elapsed() >= interval * number, "tick {number} is early");
        out.write(latest)?;
        // Counted from the last tick and not from now: being late once does not make all others late.
        tick += interval;
    }
    Ok(read)
}

/// Returns all that comes.
#[process]
fn sink(input: Reader<u64>) -> Vec<u64> {
    input.into_iter().collect()
}

fn main() -> csproc::Result<()> {
    let ticks = Size { of: "ticks", default: 20, limits: 1..=1_000_000 };
    let milliseconds = Size { of: "milliseconds", default: 5, limits: 0..=60_000 };
    let Arguments { placement, sizes: [ticks, milliseconds], flags: [] } =
        Arguments::read(include_str!("regulate.rs"), [ticks, milliseconds], []);

    let (fast, slow) = (Channel::new(), Channel::new());
    let interval = Duration::from_millis(milliseconds as u64);
    let (counted, read, passed) = Parallel!(
        source(fast.writer()).on(placement),
        regulator(fast.reader(), slow.writer(), ticks, interval).on(placement),
        sink(slow.reader()).on(placement),
    )?;
    let error = counted.unwrap_err();
    assert_eq!(error.channel_error(), Some(&ChannelError::Retired), "{error:?}");
    let read = read?;

    assert_eq!(passed.len(), ticks);
    assert!(passed.is_sorted(), "{passed:?}");
    // The source counts, and so the regulator's last value says how many there were.
    assert_eq!(passed.last(), Some(&read));
    println!("{ticks} ticks of {milliseconds} ms: the latest of {read} values at each of them");
    Ok(())
}
