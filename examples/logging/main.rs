//! A logger that every process has, and that says which of them speaks.
//!
//! # Shows
//! `#[csproc::setup]`: what `main` sets up does not reach processes, so the logger is installed in each of them, before
//! its function. `main` calls the same function for itself.
//!
//! # Run
//! ```text
//! cargo run --example logging -- [WORKERS] [JOBS]
//! ```
//!
//! # Prints
//! ```text
//! INFO  main: 10 jobs for 3 workers
//! INFO  worker[0]: hired
//! WARN  worker[2]: job 3 is odd
//! ```
//! and so on; the lines of several workers come in any order.

use clap::Parser;
use csproc::prelude::*;
use log::{LevelFilter, Log, Metadata, Record, SetLoggerError, info, warn};
use std::ops::RangeInclusive;

/// Writes whole lines on standard output, with the name of the process.
struct Lines;

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        println!("{:5} {}: {}", record.level(), csproc::current().name(), record.args());
    }

    fn flush(&self) {}
}

#[csproc::setup]
fn logging() -> Result<(), SetLoggerError> {
    log::set_logger(&Lines)?;
    log::set_max_level(LevelFilter::Info);
    Ok(())
}

#[process]
fn jobs(out: Writer<u32>, count: u32) -> csproc::Result<()> {
    (1..=count).try_for_each(|job| out.write(job))?;
    Ok(())
}

#[process]
fn worker(jobs: Reader<u32>) -> csproc::Result<u32> {
    info!("hired");
    let mut done = 0;
    for job in jobs.results() {
        let job = job?;
        if job % 2 == 1 {
            warn!("job {job} is odd");
        }
        done += 1;
    }
    Ok(done)
}

/// Logs from every process.
#[derive(Parser)]
struct Arguments {
    /// How many workers there are: 1 to 1000
    #[arg(default_value_t = 3, allow_negative_numbers = true, value_parser = within(1..=1000))]
    workers: u32,
    /// How many jobs there are: 0 to 1000000
    #[arg(default_value_t = 10, allow_negative_numbers = true, value_parser = within(0..=1_000_000))]
    jobs: u32,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<u32>) -> impl Fn(&str) -> Result<u32, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    // For `main` itself, and for processes that run on its threads.
    logging()?;
    let Arguments { workers, jobs: count } = Arguments::parse();

    info!("{count} jobs for {workers} workers");
    let c = Channel::new();
    let (_, done) = Parallel!(jobs(c.writer(), count), for _ in 0..workers => worker(c.reader())).values()?;
    assert_eq!(done.iter().sum::<u32>(), count, "each job is done once: {done:?}");
    info!("all jobs are done");
    Ok(())
}
