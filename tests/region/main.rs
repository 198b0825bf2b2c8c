//! Regions keep their laws: one has the bytes and changes them, or several read them; they are sent without a copy; and
//! whoever dies with one takes it along and nothing else.
//!
//! Knows nothing of channels but what a message needs.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, unused_macros, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod death;
mod full;
mod laws;
mod others;

#[test]
fn play_scenario() {
    harness::scenario::play(&[full::SCENARIOS]);
}
