//! Two ways to end a network: retirement waits for everybody, poison for nobody.
//!
//! # Shows
//! Several sources share one channel to a sink. With retirement each source gives its own end up when it is done, and
//! the channel ends with the last of them: every value arrives. With poison the source that is done first ends the
//! channel for all: what the others still wanted to write is not delivered, and they know it, since a write succeeds
//! only when a reader takes the value.
//!
//! # Run
//! ```text
//! cargo run --example termination -- [SOURCES] [VALUES] [--poison]
//! ```
//! SOURCES is the number of sources, 5 unless said otherwise; VALUES is how many values each has, 10 unless said
//! otherwise. `--poison` ends by poison instead of retirement.
//!
//! # Prints
//! ```text
//! retire: 50 of 50 values delivered
//! ```
//! or, with `--poison`, a number that differs from run to run, at least the values of one source:
//! ```text
//! poison: 14 of 50 values delivered
//! ```
//! Both bounds are checked, and that the sources know exactly what was delivered.

use csproc::prelude::*;

/// Writes its values and ends the channel in the given way; returns how many values were delivered.
#[process]
fn source(out: Writer<usize>, values: usize, with_poison: bool) -> usize {
    for value in 0..values {
        if out.write(value).is_err() {
            return value;
        }
    }
    if with_poison {
        poison!(out);
    } else {
        // The return would do the same.
        retire!(out);
    }
    values
}

/// Reads until the channel ends, in whichever way: `into_iter()` does not tell how. Returns how many values it got.
#[process]
fn sink(input: Reader<usize>) -> usize {
    input.into_iter().count()
}

fn main() -> csproc::Result<()> {
    let mut words = std::env::args().skip(1);
    let sources = words.next().map_or(Ok(5), |word| word.parse())?;
    let values = words.next().map_or(Ok(10), |word| word.parse())?;
    let with_poison = match words.next().as_deref() {
        None => false,
        Some("--poison") => true,
        Some(other) => return Err(csproc::Error::msg(format!("`{other}` is not `--poison`"))),
    };

    let channel = Channel::new();
    let (sent, received) = Parallel!(
        for _ in 0..sources => source(channel.writer(), values, with_poison),
        sink(channel.reader()),
    )?;

    assert_eq!(sent.iter().sum::<usize>(), received, "the sources know what was delivered");
    let all = sources * values;
    if with_poison {
        assert!(
            (values..=all).contains(&received),
            "one source has delivered all its values, nobody more than its own"
        );
    } else {
        assert_eq!(received, all, "retirement loses nothing");
    }
    let way = if with_poison { "poison" } else { "retire" };
    println!("{way}: {received} of {all} values delivered");
    Ok(())
}
