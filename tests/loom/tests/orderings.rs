//! The orderings of the state word and of the lock suffice, and a weaker one would be found.
//!
//! Knows nothing of the protocol. `CSPROC_LONG=1` allows more preemptions.

use csproc_loom::fault::{Fault, Part, Site, sites};
use csproc_loom::search::check_words as check;
use csproc_loom::words::scenario::{self, Scenario};
use std::collections::BTreeSet;
use std::time::Instant;

fn is_long() -> bool {
    std::env::var_os("CSPROC_LONG").is_some()
}

fn preemptions() -> Option<usize> {
    Some(if is_long() { 3 } else { 2 })
}

fn holds(scenario: &Scenario) {
    let start = Instant::now();
    let report = check(scenario, preemptions(), None);
    println!("{}: {} executions, {:?}", scenario.name, report.executions, start.elapsed());
    assert_eq!(report.wrong, None, "{} (execution {})", scenario.name, report.executions);
    assert!(report.executions > 1, "there is something to choose");
}

fn is_found(fault: Fault, scenario: &Scenario, symptom: &str) {
    let report = check(scenario, preemptions(), Some(fault));
    let wrong = report.wrong.unwrap_or_else(|| panic!("{fault:?} is not found in {}", scenario.name));
    assert!(wrong.contains(symptom), "{fault:?} in {}: {wrong}", scenario.name);
}

#[test]
fn all_scenarios_hold() {
    for scenario in scenario::ALL {
        holds(scenario);
    }
}

#[test]
fn a_missing_wake_up_is_found() {
    for (fault, scenario) in [
        (Fault::Skipped("a commit wakes nobody"), scenario::TWO_PARTNERS),
        (Fault::Skipped("a release wakes nobody"), scenario::EXTENDED_FINISHED),
        (Fault::Seeded("an unlock wakes nobody"), scenario::LOCK_OF_TWO),
    ] {
        is_found(fault, &scenario, "deadlock");
    }
}

#[test]
fn the_reaper_makes_up_for_a_wake_up_that_the_dead_owed() {
    let report =
        check(&scenario::LOCK_RUNG_BY_THE_REAPER, preemptions(), Some(Fault::Seeded("an unlock wakes nobody")));
    assert_eq!(report.wrong, None);
}

/// What no scenario of the two words alone needs, by file, line of the source, and part.
const SPARE: &[(&str, &str, Part)] = &[
    // Asks only who holds the lock.
    ("lock.rs", "let holder = LockHolder(self.0.load(Ordering::Acquire) & !SLEEPERS);", Part::Acquire),
    // What a dead holder has done is ordered by the kernel, which says that it is dead.
    ("lock.rs", "let now = self.0.load(Ordering::Acquire);", Part::Acquire),
    ("lock.rs", "let mut now = self.0.load(Ordering::Acquire);", Part::Acquire),
    // What it said before is for a reaper, which hears it by the kernel's word.
    ("lock.rs", TAKE_IDLE, Part::Release),
    ("lock.rs", TAKE_OVER, Part::Acquire),
    ("lock.rs", TAKE_OVER, Part::Failure),
    // What the owner has done before is published by the commit that follows `hold` and by the `wait` that follows
    // `idle`. But a reaper looks at a block's tag once the word is IDLE: in the whole engine (`tests/engine.rs`) the
    // ordering of `idle` is needed.
    (
        "word.rs",
        "self.0.store(Snapshot::new(State::Idle, 0, now.generation(), NONE).0, Ordering::Release);",
        Part::Release,
    ),
    (
        "word.rs",
        "self.0.store(Snapshot::new(State::Extended, LENT, now.generation() + 1, block).0, Ordering::Release);",
        Part::Release,
    ),
    // The reading that it starts from has acquired already, and who fails looks at nothing.
    ("word.rs", RELEASE, Part::Acquire),
    ("word.rs", RELEASE, Part::Failure),
    // Each one stands in for the other: `either_acquisition_of_a_change_is_needed`.
    ("word.rs", CHANGE, Part::Acquire),
    ("word.rs", CHANGE, Part::Failure),
];

const TAKE_IDLE: &str = "if self.0.compare_exchange(now, word, Ordering::AcqRel, Ordering::Relaxed).is_ok() {";
const TAKE_OVER: &str = "match self.0.compare_exchange(now, me.0 | SLEEPERS, Ordering::Acquire, Ordering::Acquire) {";
const RELEASE: &str = "&& self.0.compare_exchange(held.0, new.0, Ordering::AcqRel, Ordering::Acquire).is_ok()";
const CHANGE: &str = "match self.0.compare_exchange_weak(now.0, new.0, Ordering::AcqRel, Ordering::Acquire) {";

fn source(site: Site) -> (&'static str, &'static str) {
    let (name, text) = match site.file {
        "src/engine/live/word.rs" => ("word.rs", include_str!("../../../src/engine/live/word.rs")),
        "src/engine/live/lock.rs" => ("lock.rs", include_str!("../../../src/engine/live/lock.rs")),
        file => panic!("an operation on one of the two words in {file}"),
    };
    (name, text.lines().nth(site.line as usize - 1).expect("the line is there").trim())
}

fn all_sites() -> BTreeSet<Site> {
    sites(|| {
        for scenario in scenario::ALL {
            check(scenario, Some(1), None);
        }
    })
}

/// The first scenario in which the fault is found, and how.
fn finds(fault: Fault) -> Option<(&'static str, String)> {
    scenario::ALL.iter().find_map(|scenario| {
        let wrong = check(scenario, preemptions(), Some(fault)).wrong?;
        assert!(!wrong.contains("maximum number of branches"), "{fault:?}, {}: {wrong}", scenario.name);
        Some((scenario.name, wrong))
    })
}

#[test]
fn every_ordering_that_is_not_spare_is_needed() {
    let mut spare: BTreeSet<_> = SPARE.iter().copied().collect();
    for site in all_sites() {
        let (file, line) = source(site);
        let is_spare = spare.remove(&(file, line, site.part));
        // That nothing is found takes all executions of all scenarios.
        if is_spare && !is_long() {
            continue;
        }
        let found = finds(Fault::Weakened(site));
        println!("{file}:{} {:?}: {found:?}", site.line, site.part);
        assert_eq!(found.is_none(), is_spare, "{line} ({:?}): {found:?}", site.part);
    }
    assert!(spare.is_empty(), "not in the sources, or in no scenario: {spare:?}");
}

#[test]
fn either_acquisition_of_a_change_is_needed() {
    let change = all_sites().into_iter().find(|site| source(*site).1 == CHANGE).expect("words change");
    let report = check(
        &scenario::DEATH_AGAINST_COMMIT,
        preemptions(),
        Some(Fault::Weakened(Site { part: Part::Both, ..change })),
    );
    let wrong = report.wrong.expect("the payload is stale");
    assert!(wrong.contains("what was given to the dead"), "{wrong}");
}
