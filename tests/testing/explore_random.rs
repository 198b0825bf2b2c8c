//! What is left out by the reduction is equivalent to something that is not: random small networks, each explored in
//! every order of its events, and once for each class of equivalent ones.
//!
//! Knows nothing of which events depend on each other: two runs are the same if each process and each channel has seen
//! the same.

use super::networks::{Plan, Script, Step, network, plans};
use csproc::prelude::*;
use csproc::testing::{Explore, Explored, Outcome, Run, explore};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// What everybody has seen of a run: the events of each process and of each channel, in order, and what became of it.
fn seen_by_all(run: &Run<Vec<Vec<String>>>) -> String {
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in run.trace() {
        let what = format!("{:?} {:?} {:?} {}", event.kind(), event.process(), event.partner(), event.channel());
        let names = [Some(event.process()), event.partner()].into_iter().flatten().map(String::from);
        for name in names.chain([format!("channel {}", event.channel())]) {
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

#[test]
fn what_happens_with_a_crash_in_some_order_happens_in_one_that_is_visited() {
    // With crashes there are too many orders; so the reference leaves out what sleeps.
    compare(5, 1, 150, |explore| explore.max_crashes(1));
}

/// Found by a thousand random networks: one that only looks at a semaphore does not make it possible to pass it, and is
/// in the way of who passes.
#[test]
fn a_look_at_a_gate_and_passing_it_come_in_both_orders() {
    let with = |step| Step::With { lock: false, step: Box::new(step) };
    let script = |steps| Script { steps, on_crash: OnCrash::Poison };
    let scripts =
        vec![script(vec![with(Step::Get)]), script(vec![with(Step::Write(1)), Step::Write(0), Step::Write(0)])];
    let plan = Plan { buffers: vec![2, 1], scripts, supervised: None };
    let executions = |explore: Explore| all_of(&explore, &plan).1.executions;
    assert_eq!([executions(explore().reduced(1)), executions(explore())], [4, 4]);
}
