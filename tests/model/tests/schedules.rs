//! Nobody dies: in every schedule that is tried each scenario ends, as its judge says, and leaves nothing behind.
//!
//! Knows nothing of the protocol. `CSPROC_LONG=1` tries a hundred times as many.

mod long;

use csproc_model::scenario::Scenario;
use csproc_model::search::{Kill, Search, search};
use csproc_model::{apart, scenarios};
use long::is_long;

fn holds(scenario: &'static Scenario, how: Search) {
    match search(scenario, how, Kill::Nobody, None) {
        Ok(report) => println!("{}, {how:?}: {} executions", scenario.name, report.executions),
        Err(found) => panic!("{} (after {} executions)", found.what, found.executions),
    }
}

/// All schedules with so few preemptions: faults that need more are rare (CHESS found most of its faults with two).
#[test]
fn all_schedules_with_few_preemptions() {
    let Some(_turn) = apart() else { return };
    for scenario in scenarios() {
        let preemptions = match scenario.parties {
            2 if is_long() => 3,
            2 => 1,
            3 if is_long() => 2,
            3 => 0,
            _ if is_long() => 1,
            _ => 0,
        };
        holds(scenario, Search::Bounded { preemptions });
    }
}

#[test]
fn random_schedules() {
    let Some(_turn) = apart() else { return };
    let times = if is_long() { 100_000 } else { 500 };
    for scenario in scenarios() {
        holds(scenario, Search::Random { times });
    }
}

#[test]
fn random_priorities() {
    let Some(_turn) = apart() else { return };
    let times = if is_long() { 100_000 } else { 500 };
    for scenario in scenarios() {
        holds(scenario, Search::Pct { depth: 3, times });
    }
}

/// A signal handler ends the sleep on a futex as a wake-up does.
#[test]
fn sleepers_that_wake_by_themselves() {
    let Some(_turn) = apart() else { return };
    let times = if is_long() { 50_000 } else { 250 };
    for scenario in scenarios() {
        holds(scenario, Search::Drowsy { times });
    }
}
