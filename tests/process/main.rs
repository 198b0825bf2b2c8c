//! Processes keep their laws: they start wherever they are asked for, end in one of few ways, tell their peers, and
//! leave nothing.
//!
//! Knows nothing of how channels work inside; what channels promise is tested beside this, in `tests/channel`.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod boxed;
mod busy;
mod children;
mod composition;
mod contract;
mod copy;
mod deadlock;
mod exit_guard;
mod full;
mod identity;
mod innocent;
mod last_words;
mod million;
mod outcome;
mod pycsp;
mod quiet;
mod report;
mod root;
mod server;
mod setup;
mod supervision;
mod surroundings;
mod terminal;
mod unfinished;
mod validation;
mod values;
mod watch;

use harness::scenario;

#[test]
fn play_scenario() {
    scenario::play_undisturbed(deadlock::SCENARIOS);
    scenario::play(&[
        root::SCENARIOS,
        terminal::SCENARIOS,
        watch::SCENARIOS,
        last_words::SCENARIOS,
        server::SCENARIOS,
        setup::SCENARIOS,
        surroundings::SCENARIOS,
        validation::SCENARIOS,
        children::SCENARIOS,
        copy::SCENARIOS,
        full::SCENARIOS,
        supervision::SCENARIOS,
    ]);
}
