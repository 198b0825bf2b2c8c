//! A trace tells what happened: to whom, where, in which order, and also of those who are dead.
//!
//! Knows nothing of how it is recorded. What is recorded is so for the whole program, so these tests run one by one.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, unused_macros, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod causality;
mod drawing;
mod events;
mod killed;
mod storm;

use csproc::trace;

/// A new trace.
fn begin() {
    trace::stop();
    trace::start();
}

#[test]
fn play_scenario() {
    harness::scenario::play(&[events::SCENARIOS]);
}
