//! Values flow from a source through several stages into a sink.
//!
//! # Shows
//! Channels between processes, a `for` part of `Parallel!` (one process per turn of the loop), and how a network ends
//! by itself: the source returns, its end retires, the next process has read its last value and returns, and so on down
//! the line. `results()` ends with that; had a process crashed instead, its last item would be the error.
//!
//! # Run
//! ```text
//! cargo run --example pipeline -- [STAGES] [VALUES]
//! ```
//!
//! # Prints
//! ```text
//! 1000 values through 4 stages, in order: sum 509500
//! ```
//! The sum is checked against a formula.

use clap::Parser;
use csproc::prelude::*;
use std::ops::RangeInclusive;

#[process]
fn source(out: Writer<usize>, values: usize) -> csproc::Result<()> {
    for value in 0..values {
        out.write(value)?;
    }
    Ok(())
}

/// Adds `step` to all that passes.
#[process]
fn stage(input: Reader<usize>, out: Writer<usize>, step: usize) -> csproc::Result<()> {
    for value in input.results() {
        out.write(value? + step)?;
    }
    Ok(())
}

/// Returns how many values came and their sum.
#[process]
fn sink(input: Reader<usize>) -> csproc::Result<(usize, usize)> {
    let (mut count, mut sum, mut last) = (0, 0, None);
    for value in input.results() {
        let value = value?;
        // With one writer and one reader at each channel, no value overtakes another.
        assert!(last < Some(value), "{value} came after {last:?}");
        last = Some(value);
        count += 1;
        sum += value;
    }
    Ok((count, sum))
}

/// Sends values through a pipeline of processes.
#[derive(Parser)]
struct Arguments {
    /// How many processes stand between source and sink: 0 to 1000
    #[arg(default_value_t = 4, allow_negative_numbers = true, value_parser = within(0..=1000))]
    stages: usize,
    /// How many numbers the source writes: 0 to 100000000
    #[arg(default_value_t = 1000, allow_negative_numbers = true, value_parser = within(0..=100_000_000))]
    values: usize,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { stages, values } = Arguments::parse();

    let links: Vec<Channel<usize>> = (0..=stages).map(|_| Channel::new()).collect();
    let (.., (count, sum)) = Parallel!(
        source(links[0].writer(), values),
        for place in 0..stages => stage(links[place].reader(), links[place + 1].writer(), place + 1),
        sink(links[stages].reader()),
    )
    .values()?;

    // Each of the values 0, 1, 2, … grows by 1 + 2 + … + stages.
    assert_eq!(count, values);
    assert_eq!(sum, values * values.saturating_sub(1) / 2 + values * stages * (stages + 1) / 2);
    println!("{count} values through {stages} stages, in order: sum {sum}");
    Ok(())
}
