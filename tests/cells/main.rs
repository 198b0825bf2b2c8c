//! Values and arrays that processes share keep their laws: nobody sees half of a change, no change is lost, and whoever
//! dies in the middle of one has not begun it.
//!
//! Knows nothing of how bytes are copied; that is tested in `tests/loom`, where they lie in memory that may be stale.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod atomic;
mod deadlock;
mod death;
mod full;
mod halves;
mod laws;
mod model;

#[test]
fn play_scenario() {
    harness::scenario::play(&[full::SCENARIOS]);
}
