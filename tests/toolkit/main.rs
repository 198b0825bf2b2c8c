//! The toolkit keeps its word: commands, files, lines, time and signals as parts of a network.
//!
//! Knows nothing of channels; they are tested beside this, in `tests/channel`.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod commands;
mod ends;
mod refusals;
mod signals;
mod streams;

#[test]
fn play_scenario() {
    harness::scenario::play(&[ends::SCENARIOS, signals::SCENARIOS]);
}
