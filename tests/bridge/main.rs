//! Bridges keep the laws of alternation with channels that are not ours, and leave nothing behind.
//!
//! Knows nothing of how channels of this crate work; that is tested beside this, in `tests/channel`.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod choice;
mod descriptor;
mod faults;
mod leaving;
mod values;

#[test]
fn play_scenario() {
    harness::scenario::play(&[faults::SCENARIOS, leaving::SCENARIOS]);
}
