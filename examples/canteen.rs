//! A chef cooks, philosophers eat, and between them is a canteen that has only so much room.
//!
//! # Shows
//! Preconditions: the canteen takes chickens from the chef only `if` there is room for a batch of them, and offers one
//! at its hatch only `if` there is one; so it is a buffer, and its only state is what it holds. Input and output are
//! guards of the same selection. `FairSelect!`: neither the hungry nor the chef can keep the other one waiting. After
//! the scene in which a philosopher is told that there are no chickens; here he waits in line, and a colleague who
//! never thinks cannot push in.
//!
//! ```text
//!   chef ── supply ──▶ canteen ── hatch ──▶ philosopher × n
//! ```
//!
//! # Run
//! ```text
//! cargo run --example canteen -- [PHILOSOPHERS] [BATCHES]
//! ```
//!
//! # Prints
//! ```text
//! 25 batches: 100 chickens cooked, 100 eaten by 5 philosophers, none left
//! ```
//! It is checked that every chicken is eaten, by one philosopher each, in the order of cooking, and that the canteen
//! never holds more than it has room for.

use clap::Parser;
use csproc::prelude::*;
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::thread::sleep;
use std::time::Duration;

const BATCH: usize = 4;
const ROOM: usize = 10;

/// Cooks and delivers numbered chickens, then goes home.
#[process]
fn chef(supply: Writer<[usize; BATCH]>, batches: usize) -> csproc::Result<()> {
    for batch in 0..batches {
        sleep(Duration::from_micros(200));
        supply.write(std::array::from_fn(|place| batch * BATCH + place))?;
    }
    Ok(())
}

/// Takes batches in and gives chickens out. When the chef has gone home, gives out what is left.
#[process]
fn canteen(supply: Reader<[usize; BATCH]>, hatch: Writer<usize>) -> csproc::Result<()> {
    let mut stock = VecDeque::new();
    loop {
        let served = FairSelect! {
            batch = supply.read() if stock.len() + BATCH <= ROOM => stock.extend(batch),
            // The precondition comes first: without a chicken none is looked for.
            hatch.write(stock[0]) if !stock.is_empty() => drop(stock.pop_front()),
        };
        match served {
            Ok(()) => assert!(stock.len() <= ROOM),
            Err(error) if error.is_retired() => break,
            Err(error) => return Err(error.into()),
        }
    }
    for chicken in stock {
        hatch.write(chicken)?;
    }
    Ok(())
}

/// Eats, and thinks unless it is greedy, until the canteen closes; returns the chickens.
#[process]
fn philosopher(hatch: Reader<usize>, greedy: bool) -> csproc::Result<Vec<usize>> {
    let mut eaten = Vec::new();
    for chicken in hatch.results() {
        eaten.push(chicken?);
        if !greedy {
            sleep(Duration::from_millis(1));
        }
    }
    Ok(eaten)
}

/// Feeds philosophers from a canteen with little room.
#[derive(Parser)]
struct Arguments {
    /// How many philosophers there are: 1 to 1000
    #[arg(default_value_t = 5, allow_negative_numbers = true, value_parser = within(1..=1000))]
    philosophers: usize,
    /// How often the chef cooks four chickens: 0 to 100000
    #[arg(default_value_t = 25, allow_negative_numbers = true, value_parser = within(0..=100_000))]
    batches: usize,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { philosophers, batches } = Arguments::parse();

    let (supply, hatch) = (Channel::new(), Channel::new());
    let (.., eaten) = Parallel!(
        chef(supply.writer(), batches),
        canteen(supply.reader(), hatch.writer()),
        for place in 0..philosophers => philosopher(hatch.reader(), place == 0),
    )
    .values()?;

    assert!(eaten.iter().all(|chickens| chickens.is_sorted()), "the canteen serves in order");
    let mut chickens: Vec<usize> = eaten.concat();
    chickens.sort_unstable();
    let all = batches * BATCH;
    assert!(chickens.iter().copied().eq(0..all), "each chicken once: {chickens:?}");
    println!(
        "{batches} batches: {all} chickens cooked, {} eaten by {philosophers} philosophers, none left",
        chickens.len()
    );
    Ok(())
}
