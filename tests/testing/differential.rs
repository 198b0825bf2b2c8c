//! What a network does for real is what some schedule of the simulated one does: random small networks run as both.
//!
//! Knows nothing of how either engine works. Each process goes through a script and tells what came of each step; what
//! a network has come to is what all of them tell who have not crashed, or that it stood still. Real networks run many
//! at once, because those that stand still have to wait until that is found.

use crate::networks::{Plan, Script, Step, all_of, network, plans, supervisor};
use csproc::prelude::*;
use csproc::testing::{Outcome, schedule, simulate};
use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

const STANDS_STILL: &str = "stands still";

/// Runs a network, and says what came of it.
#[process]
fn conducts(plan: Plan, placement: Placement) -> String {
    let logs = |log: &dyn Fn(usize) -> Option<Vec<String>>| {
        format!("{:?}", (0..plan.scripts.len()).map(log).collect::<Vec<_>>())
    };
    let failed = match plan.supervised {
        None => network(&plan, placement).run().map(|came| logs(&|place| Some(came[place].clone()))),
        Some(restarts) => {
            let came = supervisor(&plan, restarts, placement).run();
            came.map(|came| logs(&|place| came.get::<Vec<String>>(place)))
        }
    };
    failed.unwrap_or_else(|error| match error.deadlock() {
        Some(_) => String::from(STANDS_STILL),
        None => logs(&|place| error.results().get::<Vec<String>>(place)),
    })
}

/// What came of each of them for real, in so many runs.
fn for_real(plans: &[Plan], placement: Placement, runs: usize) -> Vec<BTreeSet<String>> {
    let all = plans.iter().flat_map(|plan| std::iter::repeat_n(plan, runs));
    let all: Vec<_> = all.map(|plan| conducts(plan.clone(), placement).on(placement)).collect();
    let came = network!(all).run().unwrap_or_else(|error| panic!("{error}"));
    came.chunks(runs).map(|came| came.iter().cloned().collect()).collect()
}

/// What comes of it under one schedule.
fn simulated(plan: &Plan, placement: Placement, schedule: &csproc::testing::Schedule) -> String {
    let run = simulate(schedule, || conducts(plan.clone(), placement));
    match (run.outcome(), run.result()) {
        (Outcome::Completed, Some(came)) => came.clone(),
        (Outcome::Deadlock(_), _) => String::from(STANDS_STILL),
        _ => panic!("{run}"),
    }
}

/// Whether others may stand still before somebody crashes: then they are found for real, and the crash comes too late.
fn may_stand_before_a_crash(plan: &Plan, placement: Placement, schedule: &csproc::testing::Schedule) -> bool {
    let mut before = plan.clone();
    for mut step in before.scripts.iter_mut().flat_map(|script| &mut script.steps) {
        while let Step::With { step: inner, .. } = step {
            step = inner;
        }
        if matches!(step, Step::Crash { .. }) {
            *step = Step::Stay;
        }
    }
    let run = simulate(schedule, || conducts(before.clone(), placement));
    let stays = |place: usize| all_of(&before.scripts[place].steps).into_iter().any(|step| matches!(step, Step::Stay));
    let others = (0..before.scripts.len()).filter(|place| !stays(*place));
    let mut names = others.map(|place| format!("goes_through[{place}]"));
    names.any(|name| run.standing().is_some_and(|report| report.processes().iter().any(|process| process.name == name)))
}

/// So many schedules are tried for an outcome: one that none of them comes to is none that the reference allows.
const TRIED: usize = 20_000;

/// Whether some schedule comes to each of these; if not, what they came to.
fn allows(plan: &Plan, placement: Placement, mut wanted: BTreeSet<String>, tried: usize) -> Result<(), String> {
    let mut runner = TestRunner::default();
    let mut seen = BTreeSet::new();
    for _ in 0..tried {
        if wanted.is_empty() {
            return Ok(());
        }
        let schedule = schedule().new_tree(&mut runner).expect("a schedule").current();
        let came = simulated(plan, placement, &schedule);
        wanted.remove(&came);
        seen.insert(came);
        if wanted.contains(STANDS_STILL) && may_stand_before_a_crash(plan, placement, &schedule) {
            wanted.remove(STANDS_STILL);
        }
    }
    if wanted.is_empty() { Ok(()) } else { Err(format!("for real: {wanted:#?}\nsimulated: {seen:#?}")) }
}

/// So many networks run for real at once.
const TOGETHER: usize = 16;

fn compare(networks: usize, placement: Placement, runs: usize) {
    let networks = if std::env::var_os("CSPROC_LONG").is_some() { networks * 100 } else { networks };
    let (strategy, mut runner) = (plans(), TestRunner::default());
    for _ in 0..networks.div_ceil(TOGETHER) {
        let mut trees: Vec<_> = (0..TOGETHER).map(|_| strategy.new_tree(&mut runner).expect("a plan")).collect();
        let plans: Vec<Plan> = trees.iter().map(|tree| tree.current().made_for(placement)).collect();
        for (place, wanted) in for_real(&plans, placement, runs).into_iter().enumerate() {
            if let Err(difference) = allows(&plans[place], placement, wanted, TRIED) {
                eprintln!("{:?}\n{difference}\nnow the smallest such network is looked for", plans[place]);
                panic!("{}", smallest(&mut trees[place], difference, placement, 4 * runs));
            }
        }
    }
}

/// The smallest network that was found with such a difference, and the difference.
fn smallest(
    tree: &mut impl ValueTree<Value = Plan>,
    mut difference: String,
    placement: Placement,
    runs: usize,
) -> String {
    let (mut failing, mut goes_on) = (tree.current().made_for(placement), tree.simplify());
    for _ in 0..100 {
        if !goes_on {
            break;
        }
        let plan = tree.current().made_for(placement);
        let wanted = for_real(std::slice::from_ref(&plan), placement, runs).remove(0);
        goes_on = match allows(&plan, placement, wanted, TRIED) {
            Ok(()) => tree.complicate(),
            Err(other) => {
                (failing, difference) = (plan, other);
                tree.simplify()
            }
        };
    }
    format!("{failing:#?}\n{difference}")
}

#[test]
fn what_threads_do_some_schedule_does() {
    compare(70, Placement::Thread, 8);
}

#[test]
fn what_processes_of_the_operating_system_do_some_schedule_does() {
    compare(30, Placement::Process, 3);
}

/// What a network comes to with other buffers, or another step, is not allowed.
#[test]
fn what_no_schedule_does_is_noticed() {
    let plan = |buffers: &[u8], scripts: &[&[Step]]| {
        let script = |steps: &&[Step]| Script { steps: steps.to_vec(), on_crash: OnCrash::Poison };
        Plan { buffers: buffers.to_vec(), scripts: scripts.iter().map(script).collect(), supervised: None }
    };
    use Step::{Crash, Poison, Read, ReadExtended, Retire, Write};
    for (this, other) in [
        // A writer waits, and does not.
        (plan(&[0], &[&[Write(0)], &[Read(0), Write(0)]]), plan(&[2], &[&[Write(0)], &[Read(0), Write(0)]])),
        // Poison is poison, retirement retirement, and a crash a loss.
        (plan(&[0], &[&[Poison(0)], &[Read(0)]]), plan(&[0], &[&[Write(0), Poison(0)], &[Read(0)]])),
        (
            plan(&[0], &[&[Write(0), Retire(0)], &[Read(0), Read(0)]]),
            plan(&[0], &[&[Write(0), Poison(0)], &[Read(0), Read(0)]]),
        ),
        (plan(&[0], &[&[Crash { again: true }, Write(0)], &[Read(0)]]), plan(&[0], &[&[Poison(0)], &[Read(0)]])),
        (plan(&[0], &[&[Write(0)], &[ReadExtended(0)]]), plan(&[0], &[&[Write(0)], &[Read(0)]])),
    ] {
        let came = for_real(&[this.clone(), other], Placement::Thread, 1);
        assert_eq!(allows(&this, Placement::Thread, came[0].clone(), 500), Ok(()));
        assert!(allows(&this, Placement::Thread, came[1].clone(), 500).is_err(), "{this:?} allows {:?}", came[1]);
    }
}
