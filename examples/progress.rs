//! A farm of workers with a progress bar.
//!
//! # Shows
//! `tick` as a guard beside a channel: the bar is drawn anew a few times a second however fast the jobs are done, and
//! keeps moving however slow they are. One process alone writes to the terminal, so that nothing is mixed up.
//!
//! ```text
//!   giver ──jobs──▶ worker × n ──done──▶ bar
//! ```
//!
//! # Run
//! ```text
//! cargo run --example progress -- [JOBS] [WORKERS]
//! ```
//!
//! # Prints
//! A bar that grows, if it is printed on a terminal, and at last
//! ```text
//! 200 of 200 jobs done by 4 workers
//! ```
//! It is checked that each job is done once.

use clap::Parser;
use csproc::prelude::*;
use std::io::{IsTerminal, Write, stdout};
use std::ops::RangeInclusive;
use std::thread::sleep;
use std::time::Duration;

const WIDTH: usize = 40;

#[process]
fn giver(jobs: Writer<u64>, count: u64) -> csproc::Result<()> {
    for job in 0..count {
        jobs.write(job)?;
    }
    Ok(())
}

/// Some jobs take longer than others.
#[process]
fn worker(jobs: Reader<u64>, done: Writer<u64>) -> csproc::Result<()> {
    for job in jobs.results() {
        let job = job?;
        sleep(Duration::from_millis(job * 7 % 10));
        done.write(job)?;
    }
    Ok(())
}

/// Shows how many are done, ten times a second; returns the jobs when the last worker has ended.
#[process]
fn bar(done: Reader<u64>, count: u64) -> csproc::Result<Vec<u64>> {
    let mut jobs = Vec::new();
    let ticker = tick(Duration::from_millis(100));
    loop {
        let heard = FairSelect! {
            job = done.read() => jobs.push(job),
            _now = ticker => draw(jobs.len() as u64, count)?,
        };
        match heard {
            Ok(()) => (),
            Err(error) if error.is_retired() => break,
            Err(error) => return Err(error.into()),
        }
    }
    draw(jobs.len() as u64, count)?;
    Ok(jobs)
}

fn draw(done: u64, count: u64) -> std::io::Result<()> {
    let mut out = stdout();
    if !out.is_terminal() {
        return Ok(());
    }
    let full = WIDTH * done as usize / (count as usize).max(1);
    let end = if done == count { "\n" } else { "" };
    write!(out, "\r[{:WIDTH$}] {done}/{count}{end}", "#".repeat(full))?;
    out.flush()
}

/// Shows how far a farm has come.
#[derive(Parser)]
struct Arguments {
    /// How many jobs there are: 0 to 1000000
    #[arg(default_value_t = 200, allow_negative_numbers = true, value_parser = within(0..=1_000_000))]
    jobs: u64,
    /// How many workers there are: 1 to 1000
    #[arg(default_value_t = 4, allow_negative_numbers = true, value_parser = within(1..=1000))]
    workers: u64,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { jobs: count, workers } = Arguments::parse();

    let (jobs, done) = (Channel::new(), Channel::new());
    let (_, _, mut found) = Parallel!(
        giver(jobs.writer(), count),
        for _ in 0..workers => worker(jobs.reader(), done.writer()),
        bar(done.reader(), count),
    )
    .values()?;

    found.sort_unstable();
    assert!(found.iter().copied().eq(0..count), "each job is done once: {found:?}");
    println!("{} of {count} jobs done by {workers} workers", found.len());
    Ok(())
}
