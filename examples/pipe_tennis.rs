//! A child counts, sends what it has counted, and is gone before its parent looks.
//!
//! # Shows
//! A message outlives its sender: it is in shared memory when `send` comes back, and needs neither the process that has
//! sent it nor one that receives it. So the child can be joined first and heard afterwards. In Python that works while
//! the message has room in the pipe of the system, 64 KiB; a larger one keeps the child in `send`, and its parent in
//! `join`, for ever.
//!
//! # Run
//! ```text
//! cargo run --example pipe_tennis -- [COUNT]
//! ```
//!
//! # Prints
//! ```text
//! Parent process id: 2340
//! Process ID: 2341, Process Name: 1
//! Result: 1000000
//! --- 0.0064 seconds ---
//! Main-processing total count: 1000000
//! Main-processing done.
//! ```
//! It is checked that what was counted is what arrives.

use clap::Parser;
use csproc::prelude::*;
use std::ops::RangeInclusive;
use std::time::Instant;

#[process]
fn worker(base: u64, conn: PipeEnd<u64, ()>) -> csproc::Result<()> {
    let mut sub_total = 0;
    for _ in 0..base {
        sub_total += 1;
    }
    conn.send(sub_total)?;
    conn.close();
    println!("Process ID: {}, Process Name: {}", std::process::id(), csproc::current().name());
    println!("Result: {sub_total}");
    Ok(())
}

/// Counts in a child.
#[derive(Parser)]
struct Arguments {
    /// How far the child counts: 0 to 1000000000
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
    let Arguments { count } = Arguments::parse();

    println!("Parent process id: {}", std::process::id());
    let start = Instant::now();
    let (parent_conn, child_conn) = pipe();
    let t = Spawn!(worker(count, child_conn).named("1"))?;
    t.join()??;
    println!("--- {:.4} seconds ---", start.elapsed().as_secs_f64());

    let total: u64 = parent_conn.recv()?;
    println!("Main-processing total count: {total}");
    println!("Main-processing done.");
    assert_eq!(total, count);
    Ok(())
}
