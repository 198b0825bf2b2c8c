//! The whole engine in weak memory: every scenario ends as its judge says, whoever is killed; faults that are put into
//! it are found.
//!
//! Knows nothing of the protocol. `CSPROC_LONG=1` allows more preemptions and kills before every step.

use csproc_loom::apart;
use csproc_loom::barriers;
use csproc_loom::calls;
use csproc_loom::execution::{Death, Victim};
use csproc_loom::fault::{Fault, Part, Site, sites};
use csproc_loom::gates;
use csproc_loom::network;
use csproc_loom::recorded;
use csproc_loom::references;
use csproc_loom::scenario::{self, Scenario};
use csproc_loom::search::check;
use csproc_loom::shorts;
use std::collections::BTreeSet;
use std::time::Instant;

fn is_long() -> bool {
    std::env::var_os("CSPROC_LONG").is_some()
}

#[test]
fn all_scenarios_hold() {
    let Some(_turn) = apart() else { return };
    for scenario in network::ALL {
        let preemptions = match scenario.parties {
            // Each word of a record may be read as it was before.
            2 if scenario.name == recorded::READ_ONCE.name => 1,
            2 => 2,
            _ if scenario.name == scenario::CIRCLE.name => 0,
            _ => 1,
        };
        let start = Instant::now();
        let preemptions = preemptions + usize::from(is_long());
        let report = check(scenario, preemptions, &[], None);
        let executions = report.executions;
        println!("{}, {preemptions} preemptions: {executions} executions, {:?}", scenario.name, start.elapsed());
        assert_eq!(report.wrong, None, "{} (execution {executions})", scenario.name);
        assert!(executions > 5, "there is something to choose");
    }
}

/// One party is killed before each of its steps in turn, or before one in so many. What goes wrong ends it.
fn kill(
    scenario: &'static Scenario,
    party: usize,
    preemptions: usize,
    stride: usize,
    fault: Option<Fault>,
) -> Option<String> {
    let start = Instant::now();
    let (mut deaths, mut executions) = (0, 0);
    for step in (0..).step_by(stride) {
        let report = check(scenario, preemptions, &[Death { victim: Victim::Party(party), step }], fault);
        executions += report.executions;
        if let Some(wrong) = report.wrong {
            return Some(format!("{}: party {party} killed before step {step}: {wrong}", scenario.name));
        }
        if !report.deaths {
            break;
        }
        deaths += 1;
    }
    println!(
        "{}, {preemptions} preemptions: party {party} killed before {deaths} steps, {executions} executions, {:?}",
        scenario.name,
        start.elapsed()
    );
    assert!(deaths > 3, "the victim has hardly begun");
    None
}

/// Which deaths are tried: a scenario, with how many preemptions, and before one in how many steps.
const DEATHS: &[(&Scenario, usize, usize)] = &[
    (&scenario::ONCE, 0, 1),
    (&scenario::ONCE, 1, 12),
    (&shorts::SAID_ONCE, 0, 1),
    (&shorts::SAID_EXTENDED, 0, 6),
    (&network::RETIRED, 0, 2),
    (&network::UNREAD, 0, 2),
    (&network::STORED, 0, 6),
    (&network::LATE, 0, 8),
    (&scenario::BORROWED, 0, 6),
    (&scenario::EXTENDED, 0, 6),
    (&scenario::ABANDON, 0, 4),
    (&calls::CALLS, 0, 12),
    (&gates::TWO, 0, 12),
    (&scenario::CLOSED_TWICE, 0, 6),
    (&scenario::TWO_REAPERS, 0, 6),
    (&network::TASK_STORED, 0, 12),
    (&network::TASK_HANDED, 0, 12),
    (&references::TOLD_AGAIN, 0, 1),
];

const MORE_DEATHS: &[(&Scenario, usize, usize)] = &[
    (&scenario::ONCE, 1, 1),
    (&shorts::SAID_ONCE, 1, 1),
    (&shorts::SAID_EXTENDED, 0, 1),
    (&shorts::SAID_TO_A_CHOICE, 0, 4),
    (&network::RETIRED, 1, 1),
    (&network::UNREAD, 1, 1),
    (&scenario::ABANDON, 1, 1),
    (&network::STORED, 0, 1),
    (&network::LATE, 0, 1),
    (&scenario::BORROWED, 0, 1),
    (&scenario::EXTENDED, 0, 1),
    (&calls::CALLS, 0, 1),
    (&network::BLOCKS, 0, 1),
    (&gates::TWO, 0, 1),
    (&gates::KEPT, 0, 1),
    (&barriers::TWO_BARRIERS, 0, 1),
    (&scenario::PAIR, 0, 1),
    (&scenario::OPPOSITE, 0, 4),
    (&scenario::CLOSED_TWICE, 1, 1),
    (&scenario::TWO_REAPERS, 0, 1),
    (&references::TOLD_AGAIN, 1, 1),
];

#[test]
fn whoever_is_killed_leaves_the_others_able_to_go_on() {
    let Some(_turn) = apart() else { return };
    let more = if is_long() { MORE_DEATHS } else { &[] };
    for (scenario, preemptions, stride) in DEATHS.iter().chain(more) {
        for party in 0..scenario.parties {
            assert_eq!(kill(scenario, party, *preemptions, *stride, None), None);
        }
    }
}

fn is_found(wrong: Option<String>, fault: Fault, symptom: &str) {
    let wrong = wrong.unwrap_or_else(|| panic!("{fault:?} is not found"));
    println!("{fault:?}: {wrong}");
    assert!(wrong.contains(symptom), "{fault:?}: found, but it looks otherwise: {wrong}");
}

fn is_found_alive(name: &'static str, scenario: &'static Scenario, preemptions: usize, symptom: &str) {
    let Some(_turn) = apart() else { return };
    let fault = Fault::Seeded(name);
    is_found(check(scenario, preemptions, &[], Some(fault)).wrong, fault, symptom);
}

fn is_found_killing(name: &'static str, scenario: &'static Scenario, party: usize, symptom: &str) {
    let Some(_turn) = apart() else { return };
    let fault = Fault::Seeded(name);
    is_found(kill(scenario, party, 0, 1, Some(fault)), fault, symptom);
}

/// Published after the scan: a partner that comes in between takes the offer for a stale one.
#[test]
fn an_offer_is_queued_before_it_waits() {
    is_found_alive("an offer is queued before it waits", &scenario::ONCE, 1, "deadlock");
}

/// A wrong rollback.
#[test]
fn the_mark_stays_after_a_failed_commit() {
    is_found_alive("the mark stays after a failed commit", &network::REJECTED, 1, "deadlock");
}

/// Help without checking the direction.
#[test]
fn a_reader_meets_a_reader() {
    is_found_alive("a reader meets a reader", &network::REJECTED, 1, "Wrote(2)");
}

#[test]
fn an_end_is_known_by_its_slot_alone() {
    is_found_alive("an end is known by its slot alone", &scenario::CLOSED_TWICE, 1, "");
}

#[test]
fn a_process_is_disowned_by_its_slot_alone() {
    is_found_alive("a process is disowned by its slot alone", &scenario::DISOWNED_TWICE, 2, "the record");
}

#[test]
fn a_deadlock_is_noted_by_the_slot_alone() {
    is_found_alive("a deadlock is noted by the slot alone", &scenario::NOTED_TOO_LATE, 2, "");
}

#[test]
fn a_deadline_beats_a_commit() {
    is_found_alive("a deadline beats a commit", &scenario::DEADLINE, 1, "which is gone");
}

#[test]
fn an_unlock_wakes_nobody() {
    is_found_alive("an unlock wakes nobody", &scenario::ONCE, 1, "deadlock");
}

#[test]
fn a_release_wakes_nobody() {
    is_found_alive("a release wakes nobody", &scenario::ABANDON, 1, "deadlock");
}

#[test]
fn the_reaper_rings_nobody() {
    is_found_killing("the reaper rings nobody", &scenario::ONCE, 1, "deadlock");
}

#[test]
fn the_reaper_breaks_no_locks() {
    is_found_killing("the reaper breaks no locks", &scenario::BORROWED, 0, "deadlock");
}

#[test]
fn the_reaper_settles_no_exchanges() {
    is_found_killing("the reaper settles no exchanges", &scenario::ONCE, 1, "which is gone");
}

#[test]
fn the_reaper_does_not_let_partners_finish() {
    let Some(_turn) = apart() else { return };
    let fault = Fault::Seeded("the reaper does not let partners finish");
    is_found(check(&scenario::BORROWED, 1, &[WHILE_IT_WAITS], Some(fault)).wrong, fault, "a block is free twice");
}

/// In [`scenario::BORROWED`] the writer is killed while its offer waits, and its reader commits it.
const WHILE_IT_WAITS: Death = Death { victim: Victim::Party(0), step: 49 };

/// A part of an ordering, by file, line of the source, and part.
fn site(file: &str, line: &str, part: Part, all: &BTreeSet<Site>) -> Site {
    let text = |site: &Site| {
        let source = SOURCES.iter().find(|(name, _)| site.file.ends_with(name))?.1;
        source.lines().nth(site.line as usize - 1)
    };
    let found = |site: &&Site| {
        site.part == part && site.file.ends_with(file) && text(site).is_some_and(|text| text.trim() == line)
    };
    *all.iter().find(found).unwrap_or_else(|| panic!("{file}: {line} ({part:?}) is in no scenario"))
}

const SOURCES: &[(&str, &str)] = &[
    ("live/word.rs", include_str!("../../../src/engine/live/word.rs")),
    ("live/lock.rs", include_str!("../../../src/engine/live/lock.rs")),
    ("live/context.rs", include_str!("../../../src/engine/live/context.rs")),
    ("live/tasks.rs", include_str!("../../../src/engine/live/tasks.rs")),
    ("live/reaper.rs", include_str!("../../../src/engine/live/reaper.rs")),
    ("live/ring.rs", include_str!("../../../src/engine/live/ring.rs")),
    ("live/references.rs", include_str!("../../../src/engine/live/references.rs")),
    ("memory/block.rs", include_str!("../../../src/memory/block.rs")),
    ("memory/pool.rs", include_str!("../../../src/memory/pool.rs")),
];

/// Orderings without which something goes wrong that all threads cannot see alike: file, line, part; where it is found
/// while all live, and how.
const NEEDED: &[(&str, &str, Part, &Scenario, &str)] = &[
    // The message.
    ("live/word.rs", "Snapshot(self.0.load(Ordering::Acquire))", Part::Acquire, &scenario::ONCE, RACE),
    (
        "live/word.rs",
        "match self.0.compare_exchange_weak(now.0, new.0, Ordering::AcqRel, Ordering::Acquire) {",
        Part::Release,
        &scenario::ONCE,
        RACE,
    ),
    // The same beside an offer.
    ("live/word.rs", "Snapshot(self.0.load(Ordering::Acquire))", Part::Acquire, &shorts::SAID_ONCE, "Read(0)"),
    (
        "live/word.rs",
        "match self.0.compare_exchange_weak(now.0, new.0, Ordering::AcqRel, Ordering::Acquire) {",
        Part::Release,
        &shorts::SAID_ONCE,
        "Read(0)",
    ),
    // The queues.
    (
        "live/lock.rs",
        "self.0.compare_exchange(0, me.0, Ordering::Acquire, Ordering::Relaxed).is_ok()",
        Part::Acquire,
        &scenario::ONCE,
        "deadlock",
    ),
    (
        "live/lock.rs",
        "if self.0.swap(0, Ordering::Release) & SLEEPERS != 0 {",
        Part::Release,
        &scenario::ONCE,
        "deadlock",
    ),
    // What is behind a lock that was handed on.
    (
        "live/word.rs",
        "Snapshot(self.0.load(Ordering::Acquire))",
        Part::Acquire,
        &gates::TWO,
        "Concurrent write accesses",
    ),
];

const RACE: &str = "Concurrent read and write accesses";

#[test]
fn a_weaker_ordering_is_found() {
    let Some(_turn) = apart() else { return };
    let all = sites(|| {
        for (_, _, _, scenario, _) in NEEDED {
            check(scenario, 2, &[], None);
        }
    });
    for (file, line, part, scenario, symptom) in NEEDED {
        let fault = Fault::Weakened(site(file, line, *part, &all));
        is_found(check(scenario, 2, &[], Some(fault)).wrong, fault, symptom);
    }
}

/// Those of the stack of free blocks: what somebody else has left in a block, and the one below it.
const NEEDED_BY_BLOCKS: &[(&str, &str, Part)] = &[
    (
        "memory/block.rs",
        "match stack.compare_exchange_weak(head, next, Ordering::Release, Ordering::Acquire) {",
        Part::Release,
    ),
    (
        "memory/block.rs",
        "match stack.compare_exchange_weak(head, new, Ordering::Acquire, Ordering::Acquire) {",
        Part::Failure,
    ),
];

#[test]
fn a_weaker_ordering_of_free_blocks_is_found() {
    let Some(_turn) = apart() else { return };
    let all = sites(|| _ = check(&scenario::CIRCLE, 0, &[], None));
    for (file, line, part) in NEEDED_BY_BLOCKS {
        let fault = Fault::Weakened(site(file, line, *part, &all));
        is_found(check(&scenario::CIRCLE, 0, &[], Some(fault)).wrong, fault, "blocks belong to nobody");
    }
}

/// Those by which whoever reads a ring finds no record that is half another one.
const NEEDED_BY_RINGS: &[(&str, Part)] = &[
    ("fence(Ordering::Release);", Part::Release),
    ("fence(Ordering::Acquire);", Part::Acquire),
    ("self.ring.head.store(head + 1, Ordering::Release);", Part::Release),
    ("let head = self.head.load(Ordering::Acquire);", Part::Acquire),
];

#[test]
fn a_weaker_ordering_of_a_ring_is_found() {
    let Some(_turn) = apart() else { return };
    let all = sites(|| _ = check(&recorded::READ_ONCE, 1, &[], None));
    for (line, part) in NEEDED_BY_RINGS {
        let fault = Fault::Weakened(site("live/ring.rs", line, *part, &all));
        is_found(check(&recorded::READ_ONCE, 1, &[], Some(fault)).wrong, fault, "left == right");
    }
}

/// Orderings that only a reaper needs when it waits for the living who were committing one of the dead: whoever says
/// that it has finished has tagged the block before.
const NEEDED_TO_WAIT: &[(&str, &str, Part)] = &[
    ("live/context.rs", "self.partner.store(None, Ordering::Release);", Part::Release),
    ("live/reaper.rs", "let partner = context.partner.load(Ordering::Acquire);", Part::Acquire),
];

/// Orderings that only a reaper needs when it frees blocks: a receiver that lives has tagged the block before its word
/// names it no more.
const NEEDED_TO_FREE: &[(&str, &str, Part)] = &[
    (
        "live/word.rs",
        "self.0.store(Snapshot::new(State::Idle, 0, now.generation(), NONE).0, Ordering::Release);",
        Part::Release,
    ),
    ("live/word.rs", "Snapshot(self.0.load(Ordering::Acquire))", Part::Acquire),
];

#[test]
fn a_weaker_ordering_is_found_by_a_burial() {
    let Some(_turn) = apart() else { return };
    let all = sites(|| {
        kill(&scenario::BORROWED, 0, 0, 8, None);
        kill(&scenario::ONCE, 1, 0, 8, None);
    });
    for (file, line, part) in NEEDED_TO_WAIT {
        let fault = Fault::Weakened(site(file, line, *part, &all));
        is_found(check(&scenario::BORROWED, 1, &[WHILE_IT_WAITS], Some(fault)).wrong, fault, "a block is free twice");
    }
    for (file, line, part) in NEEDED_TO_FREE {
        let fault = Fault::Weakened(site(file, line, *part, &all));
        is_found(kill(&scenario::ONCE, 1, 0, 1, Some(fault)), fault, "a block is free twice");
    }
}

/// Of the orderings by which who joins meets who is done, those that nothing here needs: what stands under the lock is
/// ordered by the lock, and the rest is for a reaper, or for those who look without the lock.
const SPARE_OF_TASKS: &[(&str, &str, Part)] = &[
    (
        "live/tasks.rs",
        "self.open.store(self.open.load(Ordering::Relaxed).wrapping_add_signed(change), Ordering::Release);",
        Part::Release,
    ),
    ("live/tasks.rs", "self.context.task_at.store(None, Ordering::Release);", Part::Release),
    (
        "live/tasks.rs",
        "let ended = channel.flags.load(Ordering::Acquire) & (POISONED | NO_READERS) != 0;",
        Part::Acquire,
    ),
];

/// And those of the lock and of the word without which who joins waits for ever, or does not see what was done.
const NEEDED_BY_TASKS: &[(&str, &str, Part, &str)] = &[
    (
        "live/lock.rs",
        "self.0.compare_exchange(0, me.0, Ordering::Acquire, Ordering::Relaxed).is_ok()",
        Part::Acquire,
        "deadlock",
    ),
    (
        "live/lock.rs",
        "if self.0.compare_exchange(now, word, Ordering::AcqRel, Ordering::Relaxed).is_ok() {",
        Part::Acquire,
        "deadlock",
    ),
    ("live/lock.rs", "if self.0.swap(0, Ordering::Release) & SLEEPERS != 0 {", Part::Release, "deadlock"),
    ("live/word.rs", "Snapshot(self.0.load(Ordering::Acquire))", Part::Acquire, RACE),
    (
        "live/word.rs",
        "match self.0.compare_exchange_weak(now.0, new.0, Ordering::AcqRel, Ordering::Acquire) {",
        Part::Release,
        RACE,
    ),
];

#[test]
fn whoever_joins_needs_the_orderings_of_the_lock_and_of_the_word_and_no_other() {
    let Some(_turn) = apart() else { return };
    let scenarios = [&network::TASK_STORED, &network::TASK_HANDED, &network::TASK_AND_ANOTHER];
    let preemptions = |scenario: &Scenario| if scenario.parties == 2 { 2 } else { 1 };
    let all = sites(|| {
        for scenario in scenarios {
            check(scenario, preemptions(scenario), &[], None);
        }
    });
    for (file, line, part, symptom) in NEEDED_BY_TASKS {
        let fault = Fault::Weakened(site(file, line, *part, &all));
        for scenario in scenarios {
            is_found(check(scenario, preemptions(scenario), &[], Some(fault)).wrong, fault, symptom);
        }
    }
    let spare: BTreeSet<Site> = SPARE_OF_TASKS.iter().map(|(file, line, part)| site(file, line, *part, &all)).collect();
    let of_tasks: BTreeSet<Site> = all.into_iter().filter(|site| site.file.ends_with("live/tasks.rs")).collect();
    assert_eq!(spare, of_tasks, "another ordering has come in: does anything need it?");
    for spare in spare {
        for scenario in scenarios {
            let report = check(scenario, preemptions(scenario), &[], Some(Fault::Weakened(spare)));
            assert_eq!(report.wrong, None, "{spare:?} is needed after all: {}", scenario.name);
        }
    }
}

/// In [`references::TOLD_AGAIN`] one is killed before it does anything: its burial compares all references with all
/// names, and the other one changes both meanwhile.
const AT_ONCE: Death = Death { victim: Victim::Party(1), step: 0 };

#[test]
fn nobody_says_that_it_counts() {
    let Some(_turn) = apart() else { return };
    let fault = Fault::Seeded("nobody says that it counts");
    is_found(check(&references::TOLD_AGAIN, 1, &[AT_ONCE], Some(fault)).wrong, fault, "and 2 name it");
}

/// The orderings without which that burial takes a name for none.
const NEEDED_TO_COUNT: &[(&str, &str, Part)] = &[
    (
        "live/references.rs",
        "counting.store(counting.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);",
        Part::Release,
    ),
    (
        "live/references.rs",
        "self.contexts.used().map(|(_, context)| context.counting.load(Ordering::Acquire)).collect()",
        Part::Acquire,
    ),
    ("live/references.rs", "fence(Ordering::Acquire);", Part::Acquire),
];

#[test]
fn a_weaker_ordering_is_found_by_whoever_compares_references_with_names() {
    let Some(_turn) = apart() else { return };
    let all = sites(|| _ = check(&references::TOLD_AGAIN, 0, &[AT_ONCE], None));
    for (file, line, part) in NEEDED_TO_COUNT {
        let fault = Fault::Weakened(site(file, line, *part, &all));
        is_found(check(&references::TOLD_AGAIN, 1, &[AT_ONCE], Some(fault)).wrong, fault, "and 2 name it");
    }
    // A name that goes with its slot.
    let all = sites(|| _ = check(&network::TAKEN_ANEW, 0, &[], None));
    let fault = Fault::Weakened(site("memory/pool.rs", "fence(Ordering::Release);", Part::Release, &all));
    is_found(check(&network::TAKEN_ANEW, 2, &[], Some(fault)).wrong, fault, "and 1 name it");
    // A slot that is passed over.
    let freed = "if word.compare_exchange(generation, free, Ordering::AcqRel, Ordering::Relaxed).is_err() {";
    let fault = Fault::Weakened(site("memory/pool.rs", freed, Part::Release, &all));
    is_found(check(&network::TAKEN_ANEW, 2, &[], Some(fault)).wrong, fault, "and 1 name it");
}
