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
//! WORKERS is the number of workers, 3 unless said otherwise; JOBS is the number of jobs, 10 unless said otherwise.
//!
//! # Prints
//! ```text
//! INFO  main: 10 jobs for 3 workers
//! INFO  worker[0]: hired
//! WARN  worker[2]: job 3 is odd
//! ```
//! and so on; the lines of several workers come in any order.

use csproc::prelude::*;
use log::{LevelFilter, Log, Metadata, Record, SetLoggerError, info, warn};

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

fn main() -> csproc::Result<()> {
    // For `main` itself, and for processes that run on its threads.
    logging()?;
    let mut words = std::env::args().skip(1);
    let workers = words.next().map_or(Ok(3), |word| word.parse::<usize>())?;
    let count = words.next().map_or(Ok(10), |word| word.parse::<u32>())?;

    info!("{count} jobs for {workers} workers");
    let c = Channel::new();
    let (_, done) = Parallel!(jobs(c.writer(), count), for _ in 0..workers => worker(c.reader())).values()?;
    assert_eq!(done.iter().sum::<u32>(), count, "each job is done once: {done:?}");
    info!("all jobs are done");
    Ok(())
}
