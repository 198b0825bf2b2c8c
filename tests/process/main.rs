//! Processes keep their laws: they start wherever they are asked for, end in one of few ways, tell their peers, and leave nothing.
//!
//! Knows nothing of how channels work inside; what channels promise is tested beside this, in `tests/channel`.

#[macro_use]
mod watchdog;
mod composition;
mod identity;
mod outcome;
mod pycsp;
mod quiet;
mod root;
mod scenario;
mod server;
mod supervision;
mod validation;

#[test]
fn play_scenario() {
    scenario::play(&[root::SCENARIOS, server::SCENARIOS, validation::SCENARIOS]);
}
