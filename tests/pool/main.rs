//! Pools keep their laws: each task has one result or one reason, in order or with its place, whoever panics, exits, is
//! killed or ends, over processes and over threads.
//!
//! Knows nothing of the channels that pools are made of. Workers that are killed at random stand in `tests/kill`.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod ends;
mod laws;
mod retries;
mod tasks;
mod workers;

use csproc::pool::Builder;
use csproc::prelude::*;

/// A pool that is not made yet.
fn pool(workers: usize, placement: Placement) -> Builder<()> {
    Pool::builder().workers(workers).on(placement)
}

#[test]
fn play_scenario() {
    harness::scenario::play(&[laws::SCENARIOS, ends::SCENARIOS]);
}

/// Counts up to `number`, one step after the other, so that it takes a while.
fn slowly(number: u64) -> u64 {
    (0..number).fold(0, |sum, step| std::hint::black_box(sum + step % 2))
}
