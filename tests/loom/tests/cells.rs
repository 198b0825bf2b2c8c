//! A cell changes as a whole, whoever reads meanwhile and whoever is killed in it; and a weaker ordering would be
//! found.
//!
//! Knows nothing of the protocol. `CSPROC_LONG=1` allows more preemptions.

use csproc_loom::cells::scenario::{self, Scenario};
use csproc_loom::fault::{Fault, Part, Site, sites};
use csproc_loom::search::check_cells as check;
use std::collections::BTreeSet;
use std::time::Instant;

fn preemptions() -> Option<usize> {
    Some(if std::env::var_os("CSPROC_LONG").is_some() { 3 } else { 2 })
}

fn holds(scenario: &Scenario, what: &str) {
    let start = Instant::now();
    let report = check(scenario, preemptions(), None);
    println!("{}{what}: {} executions, {:?}", scenario.name, report.executions, start.elapsed());
    assert_eq!(report.wrong, None, "{}{what} (execution {})", scenario.name, report.executions);
    assert!(report.executions > 1, "there is something to choose");
}

#[test]
fn all_scenarios_hold() {
    for scenario in scenario::ALL {
        holds(scenario, "");
    }
}

/// More than any of the changes makes.
const STORES: usize = 9;

#[test]
fn whoever_is_killed_before_any_store_has_changed_all_or_nothing() {
    for scenario in scenario::OF_THE_DEAD {
        for stores in 0..STORES {
            holds(&scenario.killed_after(stores), &format!(" after {stores} stores"));
        }
    }
}

/// What no scenario needs, by line of the source, and part.
const SPARE: &[(&str, Part)] = &[];

fn source(site: Site) -> &'static str {
    assert_eq!(site.file, "src/memory/cell.rs");
    let text = include_str!("../../../src/memory/cell.rs");
    text.lines().nth(site.line as usize - 1).expect("the line is there").trim()
}

#[test]
fn every_ordering_that_is_not_spare_is_needed() {
    let sites: BTreeSet<Site> = sites(|| {
        for scenario in scenario::ALL.iter().chain(scenario::OF_THE_DEAD) {
            check(scenario, Some(1), None);
        }
    });
    let mut spare: BTreeSet<_> = SPARE.iter().copied().collect();
    let mut wrong = Vec::new();
    for site in sites {
        let line = source(site);
        let is_spare = spare.remove(&(line, site.part));
        let found = scenario::ALL.iter().chain(scenario::OF_THE_DEAD).find_map(|scenario| {
            let report = check(scenario, preemptions(), Some(Fault::Weakened(site)));
            report.wrong.map(|wrong| (scenario.name, wrong))
        });
        println!("cell.rs:{} {:?}: {found:?}", site.line, site.part);
        if found.is_none() != is_spare {
            wrong.push(format!("cell.rs:{}: {line} ({:?}): {found:?}", site.line, site.part));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(spare.is_empty(), "not in the source, or in no scenario: {spare:?}");
}
