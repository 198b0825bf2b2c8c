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
//! STAGES is the number of processes between source and sink, 4 unless said otherwise; VALUES is how many numbers the
//! source writes, 1000 unless said otherwise.
//!
//! # Prints
//! ```text
//! 1000 values through 4 stages, in order: sum 509500
//! ```
//! The sum is checked against a formula.

use csproc::prelude::*;

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

fn main() -> csproc::Result<()> {
    let mut words = std::env::args().skip(1);
    let stages = words.next().map_or(Ok(4), |word| word.parse())?;
    let values = words.next().map_or(Ok(1000), |word| word.parse())?;

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
