//! Two are killed, each before each of its steps: the others end, with the value once or with the reason why not, and
//! nothing is left behind.
//!
//! Knows nothing of the protocol. The second one may die before the first one is buried, while it is, or afterwards; it
//! may be the process server itself, and then the program buries everybody. `CSPROC_LONG=1` tries fifty times as
//! many.

mod long;

use csproc_model::execution::Victim;
use csproc_model::search::{Kill, Search, search};
use csproc_model::{apart, scenarios};
use long::is_long;

fn killed(victims: impl Fn(usize) -> Vec<[Victim; 2]>, strides: [u64; 2]) {
    let Some(_turn) = apart() else { return };
    let (times, strides) = if is_long() { (5, [2, 1]) } else { (1, strides) };
    for scenario in scenarios() {
        for victims in victims(scenario.parties) {
            let kill = Kill::Both { victims, strides };
            match search(scenario, Search::Pct { depth: 3, times }, kill, None) {
                Ok(report) => {
                    println!(
                        "{}: {victims:?} killed before {} pairs of steps, {} executions",
                        scenario.name, report.deaths, report.executions
                    );
                    assert!(report.deaths > 5, "the victims have hardly begun");
                }
                Err(found) => panic!("{} (after {} executions)", found.what, found.executions),
            }
        }
    }
}

#[test]
fn two_parties() {
    let pairs = |parties| {
        let all = (0..parties).flat_map(move |first| (0..parties).map(move |second| [first, second]));
        all.filter(|[first, second]| first != second).map(|pair| pair.map(Victim::Party)).collect()
    };
    killed(pairs, [5, 7]);
}

#[test]
fn a_party_and_the_server_that_buries_it() {
    killed(|parties| (0..parties).map(|party| [Victim::Party(party), Victim::Server]).collect(), [11, 3]);
}
