//! What is left out by the reduction is equivalent to something that is not: random small networks, each explored in
//! every order of its events, and once for each class of equivalent ones.
//!
//! Knows nothing of which events depend on each other: two runs are the same if each process and each channel has seen
//! the same.

use super::networks::{Plan, Script, Step, network, plans};
use csproc::prelude::*;
use csproc::testing::{EventKind, Explore, Explored, Outcome, Run, explore};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

/// What everybody has seen of a run: the events of each process and of each channel, in order, and what became of it.
fn seen_by_all(run: &Run<Vec<Vec<String>>>) -> String {
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in run.trace() {
        let what = format!("{:?} {:?} {:?} {}", event.kind(), event.process(), event.partner(), event.channel());
        let names = [Some(event.process()), event.partner()].into_iter().flatten().map(String::from);
        // What lies in a buffer is read before poison is told of or after it was brought.
        let channel = (event.kind() != EventKind::Poisoned).then(|| format!("channel {}", event.channel()));
        for name in names.chain(channel) {
            by_name.entry(name).or_default().push(what.clone());
        }
    }
    let outcome = match run.outcome() {
        Outcome::Deadlock(_) => String::from("deadlock"),
        Outcome::Leaked => String::from("leaked"),
        other => format!("{other:?}"),
    };
    format!("{outcome} {:?} {by_name:?}", run.result())
}

fn all_of(explore: &Explore, plan: &Plan) -> (BTreeSet<String>, Explored) {
    let seen = Mutex::new(BTreeSet::new());
    let see = |run: &Run<Vec<Vec<String>>>| {
        seen.lock().expect("nobody panics").insert(seen_by_all(run));
        true
    };
    let explored =
        explore.check_only(|| network(plan, Placement::Process), see).unwrap_or_else(|bad| panic!("{plan:#?}\n{bad}"));
    (seen.into_inner().expect("nobody panics"), explored)
}

/// Random networks that have at most so many runs in a search that leaves less out.
fn compare(networks: usize, reference: u8, most: u64, change: impl Fn(Explore) -> Explore) {
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let networks = if std::env::var_os("CSPROC_LONG").is_some() { networks * 20 } else { networks };
    let (mut compared, mut orders, mut classes, mut blocked, mut tried) = (0, 0, 0, 0, 0);
    while compared < networks {
        tried += 1;
        let plan = plans().new_tree(&mut runner).expect("a network").current();
        let (all, plain) = all_of(&change(explore().reduced(reference)).max_executions(most), &plan);
        if !plain.complete {
            continue;
        }
        compared += 1;
        let (reduced, explored) = all_of(&change(explore()), &plan);
        let (asleep, sleep) = all_of(&change(explore().reduced(1)), &plan);
        assert_eq!(asleep, all, "sleep: {plan:#?}\n{sleep}\n{plain}");
        assert_eq!(reduced, all, "{plan:#?}\n{explored}\n{plain}");
        assert_eq!(explored.executions, sleep.executions, "{plan:#?}\n{explored}\n{sleep}");
        orders += plain.executions;
        classes += explored.executions;
        blocked += explored.blocked;
    }
    println!("{networks} of {tried} networks: {orders} orders, {classes} classes, {blocked} given up");
}

#[test]
fn what_happens_in_some_order_happens_in_one_that_is_visited() {
    compare(60, 0, 100, |explore| explore);
}

// With faults there are too many orders; so the reference leaves out what sleeps.

#[test]
fn what_happens_with_a_crash_in_some_order_happens_in_one_that_is_visited() {
    compare(5, 1, 150, |explore| explore.max_crashes(1));
}

#[test]
fn what_happens_with_poison_in_some_order_happens_in_one_that_is_visited() {
    compare(10, 1, 150, |explore| explore.max_poisons(1));
}

fn plan(buffers: &[u8], scripts: &[&[Step]]) -> Plan {
    let script = |steps: &&[Step]| Script { steps: steps.to_vec(), on_crash: OnCrash::Poison };
    Plan { buffers: buffers.to_vec(), scripts: scripts.iter().map(script).collect(), supervised: None }
}

/// How many classes there are, among all that do not sleep, and by the races: both see the same.
fn classes(plan: &Plan, change: impl Fn(Explore) -> Explore) -> u64 {
    let [(asleep, sleep), (reduced, sources)] =
        [explore().reduced(1), explore()].map(|explore| all_of(&change(explore), plan));
    assert_eq!(reduced, asleep, "{sources}\n{sleep}");
    assert_eq!(sources.executions, sleep.executions, "{sources}\n{sleep}");
    sources.executions
}

/// Whoever meets poison has met it after the poison, and that after what else was not in the way: of what comes before
/// a race, all comes before it the other way round, too.
#[test]
fn poison_comes_before_who_meets_it_also_the_other_way_round() {
    let with = Step::With { lock: true, step: Box::new(Step::Write(0)) };
    let mut plan = plan(&[2], &[&[Step::Write(0)], &[with]]);
    plan.scripts[1].on_crash = OnCrash::Restart { max: 1, within: Duration::from_secs(3600) };
    assert_eq!(classes(&plan, |explore| explore.max_poisons(1)), 28);
}

/// Found by a thousand random networks: one that only looks at a semaphore does not make it possible to pass it, and is
/// in the way of who passes.
#[test]
fn a_look_at_a_gate_and_passing_it_come_in_both_orders() {
    let with = |step| Step::With { lock: false, step: Box::new(step) };
    let plan = plan(&[2, 1], &[&[with(Step::Get)], &[with(Step::Write(1)), Step::Write(0), Step::Write(0)]]);
    assert_eq!(classes(&plan, |explore| explore), 4);
}

/// One that reads from a channel and writes to it has two things that it may do there.
#[test]
fn what_an_alternation_reads_and_what_it_writes_at_one_channel_are_two_things() {
    let counts = [0, 1, 2].map(|policy| {
        let either = Step::Choose { policy, reads: vec![0], writes: vec![0], skips: false };
        let whole = plan(&[3], &[&[Step::Write(0)], std::slice::from_ref(&either)]);
        let poisoned = plan(&[3], &[&[Step::Write(0), Step::Poison(0)], &[either]]);
        [whole, poisoned].map(|plan| classes(&plan, |explore| explore))
    });
    // Who prefers to read does not write what it could read.
    assert_eq!(counts, [[7, 16], [6, 11], [6, 11]]);
}

#[test]
fn a_message_that_lies_in_a_poisoned_channel_is_taken_by_either() {
    let either = Step::Choose { policy: 0, reads: vec![0], writes: vec![], skips: false };
    let writer = [Step::Write(0), Step::Write(0), Step::Read(0)];
    let plan = plan(&[2], &[&writer, &[either, Step::Read(0)]]);
    assert_eq!(classes(&plan, |explore| explore.max_poisons(1)), 21);
}

#[test]
fn poison_comes_before_the_last_writer_leaves_or_not_at_all() {
    let polls = Step::Choose { policy: 0, reads: vec![0], writes: vec![], skips: true };
    let plan = plan(&[1], &[&[Step::Join, polls], &[Step::Write(0), Step::Write(0)]]);
    assert_eq!(classes(&plan, |explore| explore.max_poisons(1)), 21);
}
