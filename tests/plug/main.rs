//! Components keep their laws, alone and plugged together, over processes and threads.
//!
//! Knows nothing of how they are written: what a component does is compared with what its definition says.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod choices;
mod ends;
mod laws;
mod networks;
mod numbers;
mod random;
mod stage;
mod timing;

use harness::scenario::Scenario;

const SCENARIOS: &[Scenario] = &[("a printer", laws::a_printer)];

#[test]
fn play_scenario() {
    harness::scenario::play(&[SCENARIOS]);
}
