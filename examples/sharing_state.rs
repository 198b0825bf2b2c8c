//! Several processes count in one shared number, each a number of times; and how they lose counts without its lock.
//!
//! # Shows
//! `with_lock(|v| *v += 1)` loses nothing. `--unlocked` counts by `v.set(v.get() + 1)`, which is two operations, as
//! `v.value += 1` is in Python: what another process does in between is overwritten.
//!
//! # Run
//! ```text
//! cargo run --example sharing_state -- [PROCESSES] [TIMES] [--unlocked]
//! ```
//!
//! # Prints
//! ```text
//! Parent Process ID: 490
//! Process-1 data <Synchronized wrapper for c_int(50)>
//! ...
//! Process-9 data <Synchronized wrapper for c_int(450)>
//! Final Data in parent process: <Synchronized wrapper for c_int(450)>
//! ```
//! The lines of the processes come in any order, and each shows the number at that time. With `--unlocked` the last
//! number is smaller, and a line more says by how much.

use clap::Parser;
use csproc::prelude::*;
use std::ops::RangeInclusive;

/// The number as Python prints a shared one.
fn wrapper(value: i32) -> String {
    format!("<Synchronized wrapper for c_int({value})>")
}

#[process]
fn generate_update_number(value: Value<i32>, times: i32, start: Barrier, unlocked: bool) -> csproc::Result<()> {
    start.sync()?;
    for _ in 0..times {
        if unlocked {
            let seen = value.get();
            // Another process may run here, as it may anywhere.
            std::thread::yield_now();
            value.set(seen + 1)?;
        } else {
            value.with_lock(|value| *value += 1)?;
        }
    }
    println!("{} data {}", csproc::current().name(), wrapper(value.get()));
    Ok(())
}

/// Counts in one shared number, in several processes.
#[derive(Parser)]
struct Arguments {
    /// How many processes count: 1 to 100
    #[arg(default_value_t = 9, allow_negative_numbers = true, value_parser = within(1..=100))]
    processes: i32,
    /// How often each of them counts: 1 to 1000000
    #[arg(default_value_t = 50, allow_negative_numbers = true, value_parser = within(1..=1_000_000))]
    times: i32,
    /// Reads and writes without holding the lock in between, which loses counts
    #[arg(long)]
    unlocked: bool,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<i32>) -> impl Fn(&str) -> Result<i32, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { processes, times, unlocked } = Arguments::parse();
    println!("Parent Process ID: {}", std::process::id());

    let value = Value::new(0);
    let start = Barrier::new(processes as usize);
    let counter = |number: i32| {
        let process = generate_update_number(value.clone(), times, start.clone(), unlocked);
        process.named(format!("Process-{number}"))
    };
    Parallel!(for number in 1..=processes => counter(number)).values()?;

    let (all, counted) = (processes * times, value.get());
    println!("Final Data in parent process: {}", wrapper(counted));
    if unlocked {
        println!("{} of {all} counts were lost", all - counted);
        assert!((1..=all).contains(&counted));
    } else {
        assert_eq!(counted, all);
    }
    Ok(())
}
