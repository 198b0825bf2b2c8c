//! A token goes round a ring of processes.
//!
//! # Shows
//! A ring of any size, what a hop costs when only one process has something to do at a time, and how a ring ends: the
//! process that counts the rounds returns, and retirement follows the token once around.
//!
//! # Run
//! ```text
//! cargo run --release --example token_ring -- [PROCESSES] [ROUNDS]
//! ```
//! PROCESSES is the size of the ring, 8 unless said otherwise; ROUNDS is how often the token goes round, 200 unless
//! said otherwise. One more round at the start is not measured.
//!
//! # Prints
//! ```text
//! 8 processes, 200 rounds: 1600 hops verified, 6120 ns per hop
//! ```
//! The token counts its hops, each process counts how often it had the token, and both are checked.

use csproc::prelude::*;
use std::time::{Duration, Instant};

/// Starts the token, sends it round once to warm up and then `rounds` times; returns its count of hops and how long it
/// took.
#[process]
fn starter(input: Reader<usize>, out: Writer<usize>, rounds: usize) -> csproc::Result<(usize, Duration)> {
    out.write(1)?;
    let first = input.read()?;
    let start = Instant::now();
    let mut token = first;
    for _ in 0..rounds {
        out.write(token + 1)?;
        token = input.read()?;
    }
    Ok((token - first, start.elapsed()))
}

/// Passes the token on; returns how often.
#[process]
fn element(input: Reader<usize>, out: Writer<usize>) -> csproc::Result<usize> {
    let mut passed = 0;
    for token in input.results() {
        out.write(token? + 1)?;
        passed += 1;
    }
    Ok(passed)
}

fn main() -> csproc::Result<()> {
    let mut words = std::env::args().skip(1);
    let processes = words.next().map_or(Ok(8), |word| word.parse())?;
    let rounds = words.next().map_or(Ok(200), |word| word.parse())?;
    if processes < 2 || rounds < 1 {
        return Err(csproc::Error::msg("a ring of one waits for itself: two processes and one round at least"));
    }

    let links: Vec<Channel<usize>> = (0..processes).map(|_| Channel::new()).collect();
    let ((hops, elapsed), passed) = Parallel!(
        starter(links[0].reader(), links[1].writer(), rounds),
        for place in 1..processes => element(links[place].reader(), links[(place + 1) % processes].writer()),
    )
    .values()?;
    assert_eq!(hops, processes * rounds);
    for passed in passed {
        assert_eq!(passed, 1 + rounds, "every element has the token once a round");
    }
    let each = elapsed.as_nanos() / hops as u128;
    println!("{processes} processes, {rounds} rounds: {hops} hops verified, {each} ns per hop");
    Ok(())
}
