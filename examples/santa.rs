//! Santa Claus sleeps until all nine reindeer are back, or three of ten elves need his advice.
//!
//! # Shows
//! `PriSelect!`: when both a team of reindeer and a group of elves wait at the door, the reindeer go first. Ends of
//! channels in messages: whoever comes to the door brings the end by which it is sent away again. And how a network
//! ends that has no natural end: after the last year Santa returns, and retirement sends everybody home, also those who
//! were waiting.
//!
//! ```text
//!   reindeer ×9 ──▶ gather(9) ──┐
//!                               ├─▶ santa
//!   elf ×10 ──────▶ gather(3) ──┘
//! ```
//!
//! # Run
//! ```text
//! cargo run --example santa -- [YEARS]
//! ```
//!
//! # Prints
//! ```text
//! 10 years: 10 deliveries with 9 reindeer each, 31 consultations of 3 elves each
//! ```
//! The number of consultations differs from run to run. It is checked that no group has a member twice, that every
//! reindeer was on every tour, and that all elves together count as many consultations as Santa does.

use clap::Parser;
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::thread::sleep;
use std::time::Duration;

const REINDEER: usize = 9;
const ELVES: usize = 10;
const ELVES_PER_GROUP: usize = 3;

/// Somebody at the door.
#[derive(Serialize, Deserialize)]
struct Visitor {
    number: usize,
    /// Sends the visitor away again.
    farewell: Writer<()>,
}

/// Comes to the door and waits until Santa is done with it.
fn visit(number: usize, door: &Writer<Visitor>) -> Result<(), ChannelError> {
    let channel = Channel::new();
    door.write(Visitor { number, farewell: channel.writer() })?;
    // The only writing end is on its way to Santa: should it be lost on the way, this read ends.
    channel.reader().read()
}

/// Has a holiday each year before it comes back.
#[process]
fn reindeer(number: usize, stable: Writer<Visitor>, years: usize) -> csproc::Result<()> {
    for year in 0..years {
        sleep(Duration::from_micros(2000 + (year * 7 + number * 5) as u64 % 10 * 100));
        visit(number, &stable)?;
    }
    Ok(())
}

/// Makes toys until it needs advice; returns how often it got some until Santa was gone.
#[process]
fn elf(number: usize, study: Writer<Visitor>) -> csproc::Result<usize> {
    for consultations in 0.. {
        sleep(Duration::from_micros((consultations * 3 + number * 7) as u64 % 10 * 100));
        match visit(number, &study) {
            Ok(()) => {}
            Err(error) if error.is_retired() => return Ok(consultations),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(0)
}

/// Lets visitors wait until there are `size` of them, and then brings them to Santa.
#[process]
fn gather(size: usize, arrivals: Reader<Visitor>, santa: Writer<Vec<Visitor>>) -> csproc::Result<()> {
    let mut group = Vec::new();
    for visitor in arrivals.results() {
        group.push(visitor?);
        if group.len() == size {
            santa.write(std::mem::take(&mut group))?;
        }
    }
    Ok(())
}

/// Sends a group away, each of its members once.
fn dismiss(group: Vec<Visitor>, size: usize) -> Result<(), ChannelError> {
    let numbers: BTreeSet<usize> = group.iter().map(|visitor| visitor.number).collect();
    assert_eq!((group.len(), numbers.len()), (size, size), "{numbers:?}");
    for visitor in group {
        visitor.farewell.write(())?;
    }
    Ok(())
}

/// Sleeps, delivers and advises; returns how many consultations there were.
#[process]
fn santa(team: Reader<Vec<Visitor>>, elves: Reader<Vec<Visitor>>, years: usize) -> csproc::Result<usize> {
    let (mut deliveries, mut consultations) = (0, 0);
    while deliveries < years {
        PriSelect! {
            team = team.read() => {
                dismiss(team, REINDEER)?;
                deliveries += 1;
            }
            group = elves.read() => {
                dismiss(group, ELVES_PER_GROUP)?;
                consultations += 1;
            }
        }?;
    }
    Ok(consultations)
}

/// Plays Santa Claus, his reindeer and his elves.
#[derive(Parser)]
struct Arguments {
    /// How often Santa delivers presents: 0 to 1000000
    #[arg(default_value_t = 10, allow_negative_numbers = true, value_parser = within(0..=1_000_000))]
    years: usize,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { years } = Arguments::parse();

    let (stable, study, team, group) = (Channel::new(), Channel::new(), Channel::new(), Channel::new());
    // `None` is the result of whoever was sent home by the end of a channel, as those are who gather elves.
    let (toured, advised, _, _, consultations) = Parallel!(
        for number in 0..REINDEER => reindeer(number, stable.writer(), years),
        for number in 0..ELVES => elf(number, study.writer()),
        gather(REINDEER, stable.reader(), team.writer()).named("stable"),
        gather(ELVES_PER_GROUP, study.reader(), group.writer()).named("study"),
        santa(team.reader(), group.reader(), years),
    )
    .values_or_end()?;
    assert_eq!(toured, [Some(()); REINDEER], "each reindeer comes home after all its tours");
    let advised: usize = advised.into_iter().flatten().sum();
    let consultations = consultations.unwrap_or(0);
    assert_eq!(advised, consultations * ELVES_PER_GROUP);
    println!(
        "{years} years: {years} deliveries with {REINDEER} reindeer each, {consultations} consultations of \
         {ELVES_PER_GROUP} elves each"
    );
    Ok(())
}
