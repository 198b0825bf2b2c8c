//! Workers put their results into a queue, and are joined before anybody gets them.
//!
//! # Shows
//! How a queue ends: `close` says that nobody puts any more, so whoever gets is told when there is nothing left. Python
//! puts an item `'exit'` behind all others instead, which takes a type that items and `'exit'` have in common. And
//! workers may be joined first: a put is done when it comes back, and no thread of theirs has anything left to carry.
//! When a worker crashes, the others go on, and its error is that of `Parallel!`.
//!
//! # Run
//! ```text
//! cargo run --example queue_workers -- [WORKERS] [COUNT]
//! ```
//!
//! # Prints
//! ```text
//! Process ID: 391, Process Name: 3
//! Result: 1000000
//! Process ID: 388, Process Name: 0
//! Result: 1000000
//! …
//! --- 0.0131 seconds ---
//!
//! Main-processing total count: 5000000
//! Main-processing done.
//! ```
//! The workers come in any order. It is checked that the results of all are in the total.

use clap::Parser;
use csproc::prelude::*;
use std::ops::RangeInclusive;
use std::time::Instant;

#[process]
fn worker(base: u64, results: Queue<u64>) -> csproc::Result<()> {
    let mut sub_total = 0;
    for _ in 0..base {
        sub_total += 1;
    }
    results.put(sub_total)?;
    let (id, this) = (std::process::id(), csproc::current());
    let report = format!("Process ID: {id}, Process Name: {}\nResult: {sub_total}\n", this.name());
    // One text with both lines, so that those of another worker do not come between them.
    print!("{report}");
    Ok(())
}

/// Lets workers count.
#[derive(Parser)]
struct Arguments {
    /// How many workers there are: 1 to 1000
    #[arg(default_value_t = 5, allow_negative_numbers = true, value_parser = within(1..=1000))]
    workers: u64,
    /// How far each of them counts: 0 to 1000000000
    #[arg(default_value_t = 1_000_000, allow_negative_numbers = true, value_parser = within(0..=1_000_000_000))]
    count: u64,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { workers, count } = Arguments::parse();

    let start = Instant::now();
    let results = Queue::new();
    Parallel!(for i in 0..workers => worker(count, results.clone()).named(i.to_string())).values()?;
    println!("--- {:.4} seconds ---\n", start.elapsed().as_secs_f64());

    // All workers have ended, and nothing was got yet.
    results.close();
    let total: u64 = results.results().sum::<Result<u64, _>>()?;
    println!("Main-processing total count: {total}");
    println!("Main-processing done.");
    assert_eq!(total, workers * count);
    Ok(())
}
