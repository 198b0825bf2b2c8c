//! Each party of each scenario is killed before each of its steps: the others end, with the value once or with the
//! reason why not, and the reaper leaves nothing behind.
//!
//! Knows nothing of the protocol. `CSPROC_LONG=1` tries a hundred times as many schedules for each death, and all
//! schedules with few preemptions for every step; they are tried for one step in four otherwise.

mod long;

use csproc_model::execution::Victim;
use csproc_model::search::{Kill, Search, search};
use csproc_model::{apart, scenarios};
use long::is_long;

fn killed_everywhere(how: Search, most_parties: usize, stride: u64) {
    let Some(_turn) = apart() else { return };
    for scenario in scenarios().filter(|scenario| scenario.parties <= most_parties) {
        for party in 0..scenario.parties {
            match search(scenario, how, Kill::Everywhere { victim: Victim::Party(party), stride }, None) {
                Ok(report) => {
                    println!(
                        "{}, {how:?}: party {party} killed before {} steps, {} executions",
                        scenario.name, report.deaths, report.executions
                    );
                    assert!(report.deaths * stride > 5, "the victim has hardly begun");
                }
                Err(found) => panic!("{} (after {} executions)", found.what, found.executions),
            }
        }
    }
}

#[test]
fn in_random_schedules() {
    killed_everywhere(Search::Random { times: if is_long() { 500 } else { 2 } }, usize::MAX, 1);
}

#[test]
fn with_random_priorities() {
    killed_everywhere(Search::Pct { depth: 3, times: if is_long() { 500 } else { 3 } }, usize::MAX, 1);
}

#[test]
fn in_all_schedules_with_few_preemptions() {
    let (preemptions, stride) = if is_long() { (1, 1) } else { (0, 4) };
    killed_everywhere(Search::Bounded { preemptions }, 2, stride);
}
