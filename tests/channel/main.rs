//! Rendezvous channels keep their laws, between processes and between threads alike.
//!
//! Knows nothing of how processes are started and buried; that is tested beside this, in `tests/process`.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod dropped;
mod iteration;
mod lending;
mod mobile;
mod poison;
mod pycsp;
mod refusal;
mod rendezvous;
mod request;
mod retire;
mod size;
mod time;

#[test]
fn play_scenario() {
    harness::scenario::play(&[lending::SCENARIOS, size::SCENARIOS]);
}
