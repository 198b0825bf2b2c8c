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
//! JOBS is the number of jobs, 200 unless said otherwise; WORKERS is the number of workers, 4 unless said otherwise.
//!
//! # Prints
//! A bar that grows, if it is printed on a terminal, and at last
//! ```text
//! 200 of 200 jobs done by 4 workers
//! ```
//! It is checked that each job is done once.

use csproc::prelude::*;
use std::io::{IsTerminal, Write, stdout};
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

fn main() -> csproc::Result<()> {
    let mut words = std::env::args().skip(1);
    let count = words.next().map_or(Ok(200), |word| word.parse())?;
    let workers = words.next().map_or(Ok(4), |word| word.parse::<usize>())?;

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
