//! Each party of each scenario is killed before each of its steps: the others end, with the value once or with the
//! reason why not, and the reaper leaves nothing behind.
//!
//! Knows nothing of the protocol. `CSPROC_LONG=1` tries a hundred times as many schedules for each death.

mod long;

use csproc_model::execution::Victim;
use csproc_model::search::{Kill, Search, search};
use csproc_model::{one_at_a_time, scenarios};
use long::is_long;

fn killed_everywhere(how: Search, most_parties: usize) {
    let _turn = one_at_a_time();
    for scenario in scenarios().filter(|scenario| scenario.parties <= most_parties) {
        for party in 0..scenario.parties {
            match search(scenario, how, Kill::Everywhere { victim: Victim::Party(party), stride: 1 }, None) {
                Ok(report) => {
                    println!(
                        "{}, {how:?}: party {party} killed before {} steps, {} executions",
                        scenario.name, report.deaths, report.executions
                    );
                    assert!(report.deaths > 5, "the victim has hardly begun");
                }
                Err(found) => panic!("{} (after {} executions)", found.what, found.executions),
            }
        }
    }
}

#[test]
fn in_random_schedules() {
    killed_everywhere(Search::Random { times: if is_long() { 500 } else { 2 } }, usize::MAX);
}

#[test]
fn with_random_priorities() {
    killed_everywhere(Search::Pct { depth: 3, times: if is_long() { 500 } else { 3 } }, usize::MAX);
}

#[test]
fn in_all_schedules_with_few_preemptions() {
    killed_everywhere(Search::Bounded { preemptions: u32::from(is_long()) }, 2);
}
