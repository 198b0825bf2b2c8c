//! A process writes the Fibonacci numbers into an array in shared memory, another one into a manager's list, and the
//! program prints both.
//!
//! # Shows
//! `Array` as the place of a result: what the process sets is there when it has ended. Each number is made of the two
//! before it, which are read where they were written. A list of a `Manager` grows, and each number is one call of a
//! function that runs where the list is.
//!
//! # Run
//! ```text
//! cargo run --example fibonacci -- [COUNT]
//! ```
//!
//! # Prints
//! ```text
//! 0 1 1 2 3 5 8 13 21 34
//! 0 1 1 2 3 5 8 13 21 34
//! ```

use clap::Parser;
use csproc::prelude::*;
use csproc::shared::List;
use std::ops::RangeInclusive;

#[process]
fn fibonacci(sequence: Array<u64>) -> csproc::Result<()> {
    for i in 0..sequence.len() {
        let next = if i < 2 { i as u64 } else { sequence.get(i - 2) + sequence.get(i - 1) };
        sequence.set(i, next)?;
    }
    Ok(())
}

#[process]
fn fibonacci_list(sequence: List<u64>, count: usize) -> csproc::Result<()> {
    for _ in 0..count {
        sequence.with((), |numbers, ()| {
            let next = match numbers[..] {
                [.., a, b] => a + b,
                _ => numbers.len() as u64,
            };
            numbers.push(next);
        })?;
    }
    Ok(())
}

/// Computes Fibonacci numbers in processes, and prints them.
#[derive(Parser)]
struct Arguments {
    /// How many numbers are computed: 1 to 94
    #[arg(default_value_t = 10, allow_negative_numbers = true, value_parser = within(1..=94))]
    count: usize,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

fn main() -> csproc::Result<()> {
    let Arguments { count } = Arguments::parse();
    let sequence = Array::zeroed(count);
    let manager = Manager::new()?;
    let list = manager.list([])?;
    Parallel!(fibonacci(sequence.clone()), fibonacci_list(list.clone(), count)).values()?;

    for numbers in [sequence.to_vec(), list.to_vec()?] {
        println!("{}", numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" "));
        assert!(numbers.len() == count && numbers.windows(3).all(|three| three[0] + three[1] == three[2]));
    }
    Ok(())
}
