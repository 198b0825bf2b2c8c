//! The sieve of Eratosthenes as a line of processes, one for each prime, that grows as it goes.
//!
//! # Shows
//! `Spawn!` from inside a process: each filter starts its successor when it has found its prime. A writing end moves
//! down the line as an argument. The last filter has nothing left to find and returns at once, and that stops the
//! whole line: each filter finds the channel to its successor retired and returns in turn, up to the source, which
//! would otherwise count for ever.
//!
//! # Run
//! ```text
//! cargo run --example sieve -- [PRIMES]
//! ```
//!
//! # Prints
//! The primes on one line, for `-- 10`:
//! ```text
//! 2 3 5 7 11 13 17 19 23 29
//! ```
//! They are checked by trial division.

use clap::Parser;
use csproc::prelude::*;
use std::ops::RangeInclusive;

/// Counts from two until nobody listens.
#[process]
fn source(out: Writer<u64>) -> csproc::Result<()> {
    (2..).try_for_each(|number| Ok(out.write(number)?))
}

/// The first number that reaches it is a prime, one of the `left` that are to be found. Passes on what that prime does
/// not divide, to a filter that it spawns.
#[process]
fn filter(input: Reader<u64>, primes: Writer<u64>, left: usize) -> csproc::Result<()> {
    if left == 0 {
        return Ok(());
    }
    let prime = input.read()?;
    primes.write(prime)?;
    let link = Channel::new();
    let out = link.writer();
    // The child need not be kept: it is joined when this process ends. Should it crash, `out` tells.
    Spawn!(filter(link.reader(), primes, left - 1))?;
    for number in input.results() {
        let number = number?;
        if !number.is_multiple_of(prime) {
            out.write(number)?;
        }
    }
    Ok(())
}

#[process]
fn collect(primes: Reader<u64>) -> csproc::Result<Vec<u64>> {
    Ok(primes.read_all()?)
}

/// Finds the first primes, with a process for each.
#[derive(Parser)]
struct Arguments {
    /// How many primes are found: 1 to 500
    #[arg(default_value_t = 30, allow_negative_numbers = true, value_parser = within(1..=500))]
    primes: usize,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { primes: count } = Arguments::parse();

    let (numbers, primes) = (Channel::new(), Channel::new());
    // The source and the first filter return because the channel before them retires: an end, not an error.
    let (_, _, found) = Parallel!(
        source(numbers.writer()),
        filter(numbers.reader(), primes.writer(), count),
        collect(primes.reader()),
    )
    .values_or_end()?;

    let found = found.unwrap_or_default();
    let is_prime = |number: &u64| (2..*number).all(|divisor| !number.is_multiple_of(divisor));
    let expected: Vec<u64> = (2..).filter(is_prime).take(count).collect();
    assert_eq!(found, expected);
    println!("{}", found.iter().map(u64::to_string).collect::<Vec<_>>().join(" "));
    Ok(())
}
