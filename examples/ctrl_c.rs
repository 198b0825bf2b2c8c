//! Ctrl-C stops all workers, and what they have done until then is kept.
//!
//! # Shows
//! A signal as a guard, beside the end of the workers. A stop channel: nothing is ever written to it, and every worker
//! has a reading end of it as a guard. When the program drops the one writing end, the channel retires, and all workers
//! learn of it at once. In Go one would close a channel.
//!
//! Processes do not die of Ctrl-C at the terminal: the program decides. If it does not listen it dies, and its
//! processes with it; this one goes on until they have finished.
//!
//! # Run
//! ```text
//! cargo run --example ctrl_c -- [WORKERS] [SECONDS]
//! ```
//!
//! # Prints
//! ```text
//! 3 workers at work: Ctrl-C stops them
//! stopped by SIGINT: 3 of 3 workers have handed in what they did
//! ```
//! or `stopped by time`, with what came first. It is checked that every worker hands its result in.

use clap::Parser;
use csproc::prelude::*;
use csproc::toolkit::{Signal, signal};
use std::ops::RangeInclusive;
use std::thread;
use std::time::{Duration, Instant};

/// Works in small steps until the stop channel ends or the time is up; returns its sum.
#[process]
fn worker(stop: Reader<()>, limit: Duration) -> csproc::Result<u64> {
    let deadline = Instant::now() + limit;
    let mut sum = 0;
    for step in 0.. {
        let stopped = PriSelect! {
            // Nothing is written to it: its end is an error, which says that it has retired.
            stop.read() => true,
            at(deadline) => true,
            skip => false,
        };
        match stopped {
            Ok(false) => sum += work(step),
            Ok(true) | Err(ChannelError::Retired) => return Ok(sum),
            Err(error) => return Err(error.into()),
        }
    }
    unreachable!("the steps have no end")
}

fn work(step: u64) -> u64 {
    thread::sleep(Duration::from_millis(1));
    step
}

/// Works until it is told to stop.
#[derive(Parser)]
struct Arguments {
    /// How many workers there are: 1 to 1000
    #[arg(default_value_t = 3, allow_negative_numbers = true, value_parser = within(1..=1000))]
    workers: u64,
    /// After how many seconds they stop without Ctrl-C: 0 to 86400
    #[arg(default_value_t = 2, allow_negative_numbers = true, value_parser = within(0..=86_400))]
    seconds: u64,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { workers, seconds } = Arguments::parse();

    let signals = signal([Signal::Interrupt, Signal::Terminate])?;
    let stop = Channel::new();
    let stopper = stop.writer();
    let limit = Duration::from_secs(seconds);
    let network = network!(for _ in 0..workers => worker(stop.reader(), limit)).spawn()?;
    println!("{workers} workers at work: Ctrl-C stops them");

    let by = AltSelect! {
        which = signals.read() => which.to_string(),
        network.exit_guard() => "time".to_string(),
    }?;
    drop(stopper);
    let done = network.join().values()?;
    assert_eq!(done.len() as u64, workers);
    println!("stopped by {by}: {} of {workers} workers have handed in what they did", done.len());
    Ok(())
}
