//! A deadlock that only some schedules show, and the search that finds it.
//!
//! # Shows
//! Two branches of a bank send each other transfers. A branch that has a transfer in hand waits for the other one to
//! take it, and listens to nobody meanwhile: if both have one in hand, both wait for ever. Who is faster decides that.
//! `simulate` runs the same functions under one schedule after the other until one shows it, and proptest shrinks that
//! schedule to the two events that are needed. Branches that listen while they wait to write, which is one guard more
//! in their alternation, pass under all schedules that are tried, and then run as processes of the operating system.
//!
//! # Run
//! ```text
//! cargo run --features testing --example find_deadlock -- [TRANSFERS] [SCHEDULES]
//! ```
//! The search begins at the same place each time; a test of `proptest!` begins somewhere else each time.
//!
//! # Prints
//! ```text
//! Branches that do not listen while they have a transfer in hand:
//! deadlock after 2 events
//!     1. customer[1] → branch[1] on `orders 1`   examples/find_deadlock.rs:73, examples/find_deadlock.rs:52
//!     2. customer[0] → branch[0] on `orders 0`   examples/find_deadlock.rs:73, examples/find_deadlock.rs:52
//! ```
//! Then come a drawing of the two events, who waits for whom, the event at which the nearest run that passes goes
//! another way, and the token for `replay`; and at the end:
//! ```text
//! Branches that listen: no deadlock under 1000 schedules
//! As processes: balances 100 and 100, transfers each way: 3
//! ```

use clap::Parser;
use csproc::prelude::*;
use csproc::testing::{schedule, simulate};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRng, TestRunner};
use std::ops::RangeInclusive;

/// What each branch begins with.
const START: i64 = 100;

/// Takes the orders of its customer and sends each transfer to the other branch, whose transfers it takes; returns its
/// balance.
#[process]
fn branch(
    transfers: usize,
    orders: Reader<i64>,
    other: (Writer<i64>, Reader<i64>),
    listens: bool,
) -> csproc::Result<i64> {
    let (to_other, from_other) = other;
    let (mut balance, mut to_order, mut to_come, mut in_hand) = (START, transfers, transfers, None);
    while to_order > 0 || to_come > 0 || in_hand.is_some() {
        AltSelect! {
            amount = orders.read() if to_order > 0 && in_hand.is_none() => {
                balance -= amount;
                to_order -= 1;
                in_hand = Some(amount);
            }
            to_other.write(in_hand.unwrap_or_default()) if in_hand.is_some() => in_hand = None,
            // What mends it is `listens`.
            amount = from_other.read() if to_come > 0 && (listens || in_hand.is_none()) => {
                balance += amount;
                to_come -= 1;
            }
        }?;
    }
    Ok(balance)
}

/// Orders transfers of 1, 2, 3 and so on.
#[process]
fn customer(transfers: usize, orders: Writer<i64>) -> csproc::Result<()> {
    for amount in 1..=transfers {
        orders.write(amount as i64)?;
    }
    Ok(())
}

type Bank = Network<(Vec<csproc::Result<()>>, Vec<csproc::Result<i64>>)>;

/// The names are for whoever reads a report.
fn bank(transfers: usize, listens: bool) -> Bank {
    let channel = |name: String| Channel::builder().name(name).build().expect("a channel");
    let orders: Vec<Channel<i64>> = (0..2).map(|place| channel(format!("orders {place}"))).collect();
    let sent: Vec<Channel<i64>> = (0..2).map(|place| channel(format!("transfers of {place}"))).collect();
    let other = |place: usize| (sent[place].writer(), sent[1 - place].reader());
    network!(
        for place in 0..2 => customer(transfers, orders[place].writer()),
        for place in 0..2 => branch(transfers, orders[place].reader(), other(place), listens)
    )
}

/// The report of the smallest run that ends in a deadlock, if there is one under so many schedules.
fn find_deadlock(transfers: usize, listens: bool, schedules: u32) -> Option<String> {
    let config = Config { cases: schedules, failure_persistence: None, ..Config::default() };
    let dice = TestRng::deterministic_rng(config.rng_algorithm);
    let result = TestRunner::new_with_rng(config, dice).run(&schedule(), |schedule| {
        let run = simulate(&schedule, || bank(transfers, listens));
        prop_assert!(run.is_deadlock_free(), "{run}");
        Ok(())
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(report, _)) => Some(report.to_string()),
        Err(TestError::Abort(reason)) => panic!("the search was given up: {reason}"),
    }
}

/// Searches for a deadlock between two branches of a bank.
#[derive(Parser)]
struct Arguments {
    /// How many transfers each branch sends: 1 to 100
    #[arg(default_value_t = 3, allow_negative_numbers = true, value_parser = within(1..=100))]
    transfers: usize,
    /// How many schedules are tried: 100 to 1000000
    #[arg(default_value_t = 1000, allow_negative_numbers = true, value_parser = within(100..=1_000_000))]
    schedules: usize,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { transfers, schedules } = Arguments::parse();

    println!("Branches that do not listen while they have a transfer in hand:");
    let found = find_deadlock(transfers, false, schedules as u32);
    println!("{}", found.expect("a few schedules are enough"));

    let found = find_deadlock(transfers, true, schedules as u32);
    assert_eq!(found, None, "whoever waits to write listens");
    println!("\nBranches that listen: no deadlock under {schedules} schedules");

    let (_, balances) = bank(transfers, true).run().values()?;
    assert_eq!(balances, [START; 2], "both send the same");
    println!("As processes: balances {} and {}, transfers each way: {transfers}", balances[0], balances[1]);
    Ok(())
}
