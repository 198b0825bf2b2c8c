//! The numbers that no prime but 2, 3 and 5 divides, in order: a ring of components, which draws itself.
//!
//! # Shows
//! `csproc::plug`: small processes that are plugged together, each with a closure or a value at most. A number that
//! comes out goes round: its multiples are merged with those that wait, and come out when it is their turn. They may
//! wait for long, so the channels to `merge` have room; without it, the ring would wait for itself. The network is a
//! value before it runs: `--draw` prints it in the DOT language, for Graphviz.
//!
//! # Run
//! ```text
//! cargo run --example components -- [COUNT] [--draw]
//! ```
//! With `--draw | dot -Tsvg > components.svg` at its end, a browser shows the picture.
//!
//! # Prints
//! ```text
//! 1 2 3 4 5 6 8 9 10 12 15 16 18 20 24 25 27 30 32 36
//! ```
//! It is checked that they increase, and that no other prime divides them.

use clap::Parser;
use csproc::{plug, prelude::*};
use std::ops::RangeInclusive;

/// Prints numbers that no prime but 2, 3 and 5 divides.
#[derive(Parser)]
struct Arguments {
    /// How many numbers come out: 1 to 1000
    #[arg(default_value_t = 20, allow_negative_numbers = true, value_parser = within(1..=1000))]
    count: usize,
    /// Prints the network instead, in the DOT language
    #[arg(long)]
    draw: bool,
}

/// Takes numbers of this range.
fn within(range: RangeInclusive<usize>) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |word| {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("give a number from {} to {}", range.start(), range.end()))
    }
}

/// A channel with a name, which the drawing shows.
fn channel(name: &str, buffer: Option<Buffer>) -> csproc::Result<Channel<u64>> {
    let builder = Channel::builder().name(name);
    Ok(buffer.map_or(builder.clone(), |buffer| builder.buffer(buffer)).build()?)
}

fn main() -> csproc::Result<()> {
    let Arguments { count, draw } = Arguments::parse();

    let [merged, ring, out] = [channel("merged", None)?, channel("ring", None)?, channel("out", None)?];
    let [a, b, c] = [channel("a", None)?, channel("b", None)?, channel("c", None)?];
    let room = Some(Buffer::Unbounded);
    let [twos, threes, fives] = [channel("twos", room)?, channel("threes", room)?, channel("fives", room)?];
    let network = network!(
        plug::prefix(1, merged.reader(), ring.writer()),
        plug::delta(ring.reader(), vec![a.writer(), b.writer(), c.writer(), out.writer()]),
        plug::map(|x| 2 * x, a.reader(), twos.writer()).named("times 2"),
        plug::map(|x| 3 * x, b.reader(), threes.writer()).named("times 3"),
        plug::map(|x| 5 * x, c.reader(), fives.writer()).named("times 5"),
        plug::merge(vec![twos.reader(), threes.reader(), fives.reader()], merged.writer()),
    );
    if draw {
        print!("{}", network.to_dot());
        return Ok(());
    }

    let numbers = out.reader();
    let network = network.spawn()?;
    let first: Vec<u64> = numbers.iter().take(count).collect();
    // Nobody reads any more: the ring ends by itself.
    drop(numbers);
    network.join().values_or_end()?;

    println!("{}", first.iter().map(u64::to_string).collect::<Vec<_>>().join(" "));
    let without = |number, prime| std::iter::successors(Some(number), |n| (n % prime == 0).then(|| n / prime)).last();
    let rest = |number: u64| [2, 3, 5].into_iter().try_fold(number, without);
    assert!(first.len() == count && first.is_sorted_by(|a, b| a < b));
    assert!(first.iter().all(|number| rest(*number) == Some(1)));
    Ok(())
}
