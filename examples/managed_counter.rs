//! Several processes count in one object of a type of the program's own, which a manager has.
//!
//! # Shows
//! `#[managed]`: the methods of a type stay as they are, and a proxy has those that are `pub`. Each call is one step,
//! whatever the method does; the object is made where it stays, and goes with the last proxy. (Python: a class that is
//! registered with a `BaseManager`.)
//!
//! # Run
//! ```text
//! cargo run --example managed_counter -- [PROCESSES] [TIMES]
//! ```
//!
//! # Prints
//! ```text
//! 4 processes, 100 times: 400 counted, 100 by each
//! ```

use clap::Parser;
use csproc::prelude::*;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

struct Counter {
    total: u64,
    by: BTreeMap<String, u64>,
}

#[managed]
#[expect(unreachable_pub, reason = "what other processes may call is `pub`")]
impl Counter {
    pub fn new(start: u64) -> Counter {
        Counter { total: start, by: BTreeMap::new() }
    }

    /// Two changes in one step: nobody sees one without the other.
    pub fn count(&mut self, who: String) -> u64 {
        self.total += 1;
        *self.by.entry(who).or_default() += 1;
        self.total
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    pub fn fewest(&self) -> Option<u64> {
        self.by.values().min().copied()
    }
}

#[process]
fn worker(counter: CounterProxy, times: u64) -> csproc::Result<()> {
    for _ in 0..times {
        counter.count(csproc::current().name().to_string())?;
    }
    Ok(())
}

/// Counts with several processes in one managed object.
#[derive(Parser)]
struct Arguments {
    /// How many processes count: 1 to 64
    #[arg(default_value_t = 4, allow_negative_numbers = true, value_parser = within(1..=64))]
    processes: u64,
    /// How often each does: 1 to 100000
    #[arg(default_value_t = 100, allow_negative_numbers = true, value_parser = within(1..=100_000))]
    times: u64,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { processes, times } = Arguments::parse();
    let manager = Manager::new()?;
    let counter = CounterProxy::new(&manager, 0)?;
    Parallel!(for _ in 0..processes => worker(counter.clone(), times)).values()?;

    let (total, fewest) = (counter.total()?, counter.fewest()?);
    assert_eq!((total, fewest), (processes * times, Some(times)));
    println!("{processes} processes, {times} times: {total} counted, {times} by each");
    Ok(())
}
