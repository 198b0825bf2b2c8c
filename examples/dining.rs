//! Five philosophers share five forks; a guard at the door keeps them from starving.
//!
//! # Shows
//! Output guards: a fork offers itself to both neighbours at once, and whoever picks it up first has it. A selection
//! with guards of both directions and a precondition: the guard at the door gives seats out while fewer than four are
//! taken, and takes them back at any time. `FairSelect!` in both, so that nobody is served twice while somebody else
//! waits. And, with `--deadlock`, what happens without the guard: all pick up their left forks, and wait for ever for
//! the right ones.
//!
//! ```text
//!                seat ┌────────────┐          fork
//!            ┌────────│  security  │            │ up: take it, down: give it back
//!            ▼        └────────────┘            ▼
//!       philosopher ─────── leave ──▶      philosopher
//! ```
//!
//! # Run
//! ```text
//! cargo run --example dining -- [MEALS] [--deadlock]
//! ```
//! With `--deadlock` the first meal is arranged such that the deadlock comes at once and not once in a while.
//!
//! # Prints
//! ```text
//! 5 philosophers, meals: 20 20 20 20 20
//! ```
//! or, with `--deadlock`, the error with which the network ends. It is checked that each philosopher eats as often as
//! planned, that no fork is in two hands, and that never more than four sit at the table.

use clap::Parser;
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

const PHILOSOPHERS: usize = 5;
/// With one seat fewer than there are philosophers, somebody always has a free fork on both sides.
const SEATS: usize = PHILOSOPHERS - 1;

/// A philosopher's way to one fork.
#[derive(Serialize, Deserialize)]
struct Hand {
    up: Reader<()>,
    down: Writer<()>,
}

/// A fork's way to one philosopher.
#[derive(Serialize, Deserialize)]
struct Neighbour {
    up: Writer<()>,
    down: Reader<()>,
}

/// Between one philosopher and one fork.
struct Link {
    up: Channel<()>,
    down: Channel<()>,
}

impl Link {
    /// The names are for whoever reads a report.
    fn new(philosopher: usize, fork: usize) -> csproc::Result<Link> {
        let channel = |what| Channel::builder().name(format!("philosopher {philosopher} {what} fork {fork}")).build();
        Ok(Link { up: channel("takes")?, down: channel("returns")? })
    }

    fn hand(&self) -> Hand {
        Hand { up: self.up.reader(), down: self.down.writer() }
    }

    fn neighbour(&self) -> Neighbour {
        Neighbour { up: self.up.writer(), down: self.down.reader() }
    }
}

/// How a philosopher comes to the table.
#[derive(Serialize, Deserialize)]
enum Manners {
    /// Asks for a seat before each meal, and leaves it after.
    Seated { seat: Reader<()>, leave: Writer<()> },
    /// Sits down and takes the left fork; at the first meal all wait until each of them has one.
    Naive { all_have_one: Barrier },
}

/// Returns how many meals it had.
#[process]
fn philosopher(meals: usize, left: Hand, right: Hand, manners: Manners) -> csproc::Result<usize> {
    let mut eaten = 0;
    while eaten < meals {
        if let Manners::Seated { seat, .. } = &manners {
            seat.read()?;
        }
        left.up.read()?;
        if let Manners::Naive { all_have_one } = &manners
            && eaten == 0
        {
            all_have_one.sync()?;
        }
        right.up.read()?;
        eaten += 1;
        left.down.write(())?;
        right.down.write(())?;
        if let Manners::Seated { leave, .. } = &manners {
            leave.write(())?;
        }
    }
    Ok(eaten)
}

/// Lies between two philosophers, each of whom will eat so many meals.
///
/// Without the count a philosopher who has gone home would be a guard that fails, while the other one is still hungry.
#[process]
fn fork(meals: usize, left: Neighbour, right: Neighbour) -> csproc::Result<()> {
    let (mut left_meals, mut right_meals) = (meals, meals);
    while left_meals + right_meals > 0 {
        FairSelect! {
            left.up.write(()) if left_meals > 0 => {
                left.down.read()?;
                left_meals -= 1;
            }
            right.up.write(()) if right_meals > 0 => {
                right.down.read()?;
                right_meals -= 1;
            }
        }?;
    }
    Ok(())
}

/// Lets so many philosophers sit at a time, until all have gone home; returns how many sat at most.
#[process]
fn security(seats: usize, seat: Writer<()>, leave: Reader<()>) -> csproc::Result<usize> {
    let (mut seated, mut most) = (0, 0);
    loop {
        let changed = FairSelect! {
            seat.write(()) if seated < seats => seated += 1,
            leave.read() => seated -= 1,
        };
        match changed {
            Ok(()) => most = most.max(seated),
            Err(error) if error.is_retired() => break,
            Err(error) => return Err(error.into()),
        }
    }
    assert_eq!(seated, 0, "whoever goes home has left the table");
    Ok(most)
}

/// Lets five philosophers share five forks.
#[derive(Parser)]
struct Arguments {
    /// How often each philosopher eats: 1 to 1000000
    #[arg(default_value_t = 20, allow_negative_numbers = true, value_parser = within(1..=1_000_000))]
    meals: usize,
    /// Nobody guards the door
    #[arg(long)]
    deadlock: bool,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { meals, deadlock } = Arguments::parse();

    let next = |place| (place + 1) % PHILOSOPHERS;
    let lefts = (0..PHILOSOPHERS).map(|place| Link::new(place, place)).collect::<csproc::Result<Vec<_>>>()?;
    let rights = (0..PHILOSOPHERS).map(|place| Link::new(place, next(place))).collect::<csproc::Result<Vec<_>>>()?;
    let philosophers = |manners: &dyn Fn() -> Manners| -> Vec<Process<csproc::Result<usize>>> {
        let seat = |place: usize| philosopher(meals, lefts[place].hand(), rights[place].hand(), manners());
        (0..PHILOSOPHERS).map(|place| seat(place).named(format!("philosopher {place}"))).collect()
    };
    let lay = |place: usize| fork(meals, rights[place].neighbour(), lefts[next(place)].neighbour());
    let forks: Vec<_> = (0..PHILOSOPHERS).map(|place| lay(place).named(format!("fork {}", next(place)))).collect();

    if deadlock {
        let barrier = Barrier::new(PHILOSOPHERS);
        let network = network!(philosophers(&|| Manners::Naive { all_have_one: barrier.clone() }), forks);
        return match network.run() {
            Ok(_) => Err(csproc::Error::msg("all have eaten, although each waits for the right fork")),
            Err(error) => {
                println!("{error}");
                Ok(())
            }
        };
    }

    let seat = Channel::builder().name("seat").build()?;
    let leave = Channel::builder().name("leave").build()?;
    let (eaten, _, most) = Parallel!(
        philosophers(&|| Manners::Seated { seat: seat.reader(), leave: leave.writer() }),
        forks,
        security(SEATS, seat.writer(), leave.reader()),
    )
    .values()?;
    assert!(most <= SEATS, "{most} sat at the table");
    assert_eq!(eaten, [meals; PHILOSOPHERS]);
    let eaten: Vec<String> = eaten.iter().map(usize::to_string).collect();
    println!("{PHILOSOPHERS} philosophers, meals: {}", eaten.join(" "));
    Ok(())
}
