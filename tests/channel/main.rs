//! Rendezvous channels keep their laws, between processes and between threads alike.
//!
//! Knows nothing of how processes are started and buried; that is tested beside this, in `tests/process`.

#[macro_use]
#[path = "../process/watchdog.rs"]
#[expect(dead_code, reason = "shared with the tests of processes, which use more of it")]
mod watchdog;
mod iteration;
mod mobile;
mod poison;
mod pycsp;
mod refusal;
mod rendezvous;
mod request;
mod retire;
#[path = "../process/scenario.rs"]
#[expect(dead_code, reason = "as above")]
mod scenario;
mod size;
mod sleeper;
mod time;

#[test]
fn play_scenario() {
    scenario::play(&[size::SCENARIOS]);
}
