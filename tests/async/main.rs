//! Futures keep the laws of the operations that block, under any executor, between threads and between processes; and a
//! future that is dropped has done nothing.
//!
//! Knows nothing of how a future is told that its partner has come.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod cancel;
mod executor;
mod laws;
mod lending;
mod processes;
mod storm;

#[test]
fn play_scenario() {
    harness::scenario::play(&[laws::SCENARIOS]);
}
