//! The classic stress of an alternation: many writers at each of several channels, and one process that reads from all.
//!
//! # Shows
//! An `Alternation` whose guards are known only at run time, used again and again, and `fair_select`: however hard the
//! writers press, each channel has its turn. Writers of one channel are served in order of arrival, so each writer has
//! its turn, too.
//!
//! # Run
//! ```text
//! cargo run --release --example stressed_alt -- [SELECTIONS] [CHANNELS] [WRITERS]
//! ```
//! Selections count only from the moment at which every writer has been heard. Compare figures only of the same
//! machine, and only of release builds.
//!
//! # Prints
//! ```text
//! 8 channels of 8 writers, 6400 selections: 2315 ns per selection
//! hits per writer: 99 % to 101 % of the mean
//! ```
//! It is checked that each value comes from the channel it was written to, that each writer's values come in order, and
//! that every writer is heard.

use clap::Parser;
use csproc::prelude::*;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// Writes its number, and how often it has written before, until nobody reads.
#[process]
fn writer(number: usize, out: Writer<(usize, usize)>) -> csproc::Result<()> {
    (0..).try_for_each(|count| Ok(out.write((number, count))?))
}

/// Returns how long the selections took, and how often each writer was heard in them.
///
/// Its return ends the network: the channels retire.
#[process]
fn reader(
    inputs: Vec<Reader<(usize, usize)>>,
    writers: usize,
    selections: usize,
) -> csproc::Result<(Duration, Vec<usize>)> {
    let mut alternation = Alternation::new();
    let tokens: Vec<_> = inputs.iter().map(|input| alternation.read(input)).collect();
    let mut heard = vec![0; inputs.len() * writers];
    let mut hear = |heard: &mut [usize]| -> csproc::Result<()> {
        let fired = alternation.fair_select()?;
        let channel = fired.index();
        let (number, count) = fired.take(tokens[channel]);
        assert_eq!(number / writers, channel, "writer {number} writes to another channel");
        assert_eq!(count, heard[number], "values of writer {number} are lost, doubled or out of order");
        heard[number] += 1;
        Ok(())
    };
    // Processes do not start all at once.
    while heard.contains(&0) {
        hear(&mut heard)?;
    }
    let before = heard.clone();
    let start = Instant::now();
    for _ in 0..selections {
        hear(&mut heard)?;
    }
    let elapsed = start.elapsed();
    Ok((elapsed, heard.iter().zip(before).map(|(after, before)| after - before).collect()))
}

/// Measures what a selection costs among many channels and writers.
#[derive(Parser)]
struct Arguments {
    /// How many selections are measured: 1 to 100000000
    #[arg(default_value_t = 6400, allow_negative_numbers = true, value_parser = within(1..=100_000_000))]
    selections: usize,
    /// How many channels there are: 1 to 100
    #[arg(default_value_t = 8, allow_negative_numbers = true, value_parser = within(1..=100))]
    channels: usize,
    /// How many writers each channel has: 1 to 100
    #[arg(default_value_t = 8, allow_negative_numbers = true, value_parser = within(1..=100))]
    writers: usize,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { selections, channels, writers } = Arguments::parse();

    let links: Vec<Channel<(usize, usize)>> = (0..channels).map(|_| Channel::new()).collect();
    // The writers return because their channels retire: an end, not an error.
    let (_, read) = Parallel!(
        for number in 0..channels * writers => writer(number, links[number / writers].writer()),
        reader(links.iter().map(Channel::reader).collect(), writers, selections),
    )
    .values_or_end()?;
    let (elapsed, hits) = read.ok_or_else(|| csproc::Error::msg("there is nothing to read from"))?;
    assert_eq!(hits.iter().sum::<usize>(), selections);

    let each = elapsed.as_nanos() / selections as u128;
    println!("{channels} channels of {writers} writers, {selections} selections: {each} ns per selection");
    let mean = selections as f64 / hits.len() as f64;
    let percent = |hits: Option<&usize>| hits.map_or(0.0, |hits| *hits as f64 / mean * 100.0);
    let (least, most) = (percent(hits.iter().min()), percent(hits.iter().max()));
    println!("hits per writer: {least:.0} % to {most:.0} % of the mean");
    Ok(())
}
