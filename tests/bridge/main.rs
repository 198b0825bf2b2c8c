//! Bridges keep the laws of alternation with channels that are not ours, and leave nothing behind.
//!
//! Knows nothing of how channels of this crate work; that is tested beside this, in `tests/channel`.

#[macro_use]
#[path = "../process/watchdog.rs"]
#[expect(dead_code, reason = "shared with the tests of processes, which use more of it")]
mod watchdog;
mod choice;
mod descriptor;
mod faults;
mod leaving;
#[path = "../process/looks.rs"]
mod looks;
#[path = "../process/scenario.rs"]
#[expect(dead_code, reason = "as above")]
mod scenario;
mod values;

#[test]
fn play_scenario() {
    scenario::play(&[faults::SCENARIOS, leaving::SCENARIOS]);
}
