//! A pool of workers checks numbers for primes, while a bar shows how far they are.
//!
//! # Shows
//! `Pool::job` with chunks and a hook for the progress, which is called in the thread that waits: so a bar, here one of
//! `indicatif`, needs no thread and no lock. Items are given to the workers as results come back, never far ahead.
//!
//! # Run
//! ```text
//! cargo run --example pool -- [WORKERS] [LIMIT]
//! ```
//!
//! # Prints
//! ```text
//! 4 workers: 9592 primes below 100000
//! ```
//! The bar is drawn on standard error, and only if that is a terminal. It is checked that no number was left out.

use clap::Parser;
use csproc::prelude::*;
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::io::IsTerminal;
use std::ops::RangeInclusive;

fn is_prime(number: u64) -> bool {
    number > 1 && (2..).take_while(|divisor| divisor * divisor <= number).all(|divisor| !number.is_multiple_of(divisor))
}

/// Counts primes with a pool.
#[derive(Parser)]
struct Arguments {
    /// How many workers there are: 1 to 1000
    #[arg(default_value_t = 4, allow_negative_numbers = true, value_parser = within(1..=1000))]
    workers: u64,
    /// The numbers below this are asked for: 1 to 10000000
    #[arg(default_value_t = 100_000, allow_negative_numbers = true, value_parser = within(1..=10_000_000))]
    limit: u64,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { workers, limit } = Arguments::parse();

    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(limit), target);
    let pool = Pool::new(workers as usize)?;
    let primes = pool.job(is_prime, 1..limit).progress(|done, _| bar.set_position(done as u64)).collect()?;
    bar.finish_and_clear();
    println!("{workers} workers: {} primes below {limit}", primes.iter().filter(|is_prime| **is_prime).count());
    assert_eq!(primes.len() as u64, limit - 1);
    pool.join()?;
    Ok(())
}
