//! What a process did last can be read when it is dead: of three workers, one is killed in the middle of its work.
//!
//! # Shows
//! `csproc::trace`: from `trace::start()` on, each process writes its last events down, and what the one that was
//! killed did last, with whom, and in which line, stands in the error. The processes are as always; `trace::span` gives
//! a name to a part of their work. `trace::last` gives the events of all of them.
//!
//! ```text
//!                ┌─ worker 0 ─┐
//!     manager ───┼─ worker 1 ─┼──▶ manager
//!      jobs      └─ worker 2 ─┘    results
//! ```
//!
//! # Run
//! ```text
//! cargo run --example flight_recorder -- [WORKERS] [FATAL]
//! ```
//! The worker that gets the job FATAL is killed by a signal. On threads (`CSPROC_PLACEMENT=thread`) that would be the
//! whole program.
//!
//! # Prints
//! ```text
//! 1 of 4 processes did not end normally:
//!   process `worker[1]` was killed by signal 6 (SIGABRT)
//!     its last events:
//!       …
//!       #47        0.005564 s  read `jobs` from `manager`  8 B  after 124.6 µs    examples/flight_recorder.rs:73:5
//!       #48        0.005568 s  begins to "square"                                 examples/flight_recorder.rs:74:21
//!     last seen by others: #47 by `manager` at examples/flight_recorder.rs:62:9
//! 20 messages were recorded, and 0 events lost
//! ```

use clap::Parser;
use csproc::prelude::*;
use csproc::trace;
use std::ops::RangeInclusive;

/// Of three workers, one is killed in the middle of its work; the error tells what it did last.
#[derive(Parser)]
struct Arguments {
    /// How many workers there are: 1 to 100
    #[arg(default_value_t = 3, allow_negative_numbers = true, value_parser = within(1..=100))]
    workers: u64,
    /// The job at which a worker is killed: 0 to 99
    #[arg(default_value_t = 7, allow_negative_numbers = true, value_parser = within(0..=99))]
    fatal: u64,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

/// Gives out jobs and takes in results, whichever can be done.
#[process]
fn manager(jobs: Writer<u64>, results: Reader<u64>, count: u64) -> csproc::Result<u64> {
    let (mut sent, mut sum) = (0, 0);
    for _ in 0..2 * count {
        AltSelect! {
            jobs.write(sent) if sent < count => sent += 1,
            result = results.read() => sum += result,
        }?;
    }
    Ok(sum)
}

/// Squares numbers; one of them is its end.
#[process]
fn worker(jobs: Reader<u64>, results: Writer<u64>, fatal: u64) -> csproc::Result<()> {
    for job in jobs {
        let _span = trace::span("square");
        if job == fatal {
            std::process::abort();
        }
        results.write(job * job)?;
    }
    Ok(())
}

fn main() -> csproc::Result<()> {
    let Arguments { workers, fatal } = Arguments::parse();
    trace::start();
    let jobs = Channel::builder().name("jobs").build()?;
    let results = Channel::builder().name("results").build()?;
    let network = network!(
        manager(jobs.writer(), results.reader(), 100),
        for _ in 0..workers => worker(jobs.reader(), results.writer(), fatal)
    );
    // No handle of ours keeps the channels: whoever waits for the worker that was killed is told so.
    drop((jobs, results));
    if let Err(error) = network.run() {
        println!("{error}");
        let trace = trace::last(10_000);
        let messages = trace.pairs().count();
        println!("{messages} messages were recorded, and {} events lost", trace.lost());
    }
    Ok(())
}
