//! `simulate` and `replay`: a network under the decisions of a schedule, or of a token.
//!
//! Knows nothing of how a run goes on.

use super::decision::{decisions, describe};
use super::outcome::{MOST_EVENTS, Outcome};
use super::plan::Plan;
use super::reason::{WATCHED, reason, watch};
use super::run::Run;
use super::token;
use super::tree::Schedule;
use crate::engine::sim::{Ended, Purpose, Record, Scheduler};
use crate::process::{Runnable, Simulated};
use std::cell::Cell;
use std::panic::Location;

/// Each run of this number is made twice.
const TWICE: u32 = 16;

/// Runs a network on the calling thread, under the decisions of a schedule.
///
/// The closure builds the network, or one process, and all channels that it uses. It is called once, or twice where the
/// run is made again to see whether it is the same, and a few times more where it is not. It must not wait for
/// anything: the network runs afterwards.
///
/// # Blocking
/// Until nothing can happen any more, or too much has happened. Nobody waits for the time: it is virtual.
///
/// # Panics
/// The closure panics, or calls `simulate` itself while it is simulated; or no memory is left.
///
/// # Examples
/// See [`testing`](super).
#[track_caller]
pub fn simulate<N: Runnable>(schedule: &Schedule, mut build: impl FnMut() -> N) -> Run<N::Output> {
    let place = Location::caller();
    let run = once(&schedule.plan, Purpose::First, place, &mut build);
    let nearest = schedule.note(&run.record);
    let run = run.with_nearest(nearest);
    if is_due() { again(run, place, &mut build) } else { run }
}

/// Runs a network once more by the token that a run has printed.
///
/// Where a decision of the token is not possible, because the program has changed, it is left out, and the run
/// [says so](Run::parts_from_schedule). `"csp1:00"` is the token of no decision at all: then whatever is possible goes
/// on, in order.
///
/// # Blocking
/// As [`simulate`].
///
/// # Panics
/// The text is no token; and as [`simulate`].
///
/// # Examples
/// See [`Run::token`].
#[track_caller]
pub fn replay<N: Runnable>(token: &str, mut build: impl FnMut() -> N) -> Run<N::Output> {
    once(&Plan::Wanted(token::wanted(token)), Purpose::First, Location::caller(), &mut build)
}

fn is_due() -> bool {
    thread_local! {
        static RUNS: Cell<u32> = const { Cell::new(0) };
    }
    RUNS.set(RUNS.get().wrapping_add(1));
    RUNS.get().is_multiple_of(TWICE)
}

pub(super) fn once<N: Runnable>(
    plan: &Plan,
    purpose: Purpose,
    place: &'static Location<'static>,
    build: &mut impl FnMut() -> N,
) -> Run<N::Output> {
    once_for(plan, purpose, place, build).0
}

/// The same, and how it has ended.
pub(super) fn once_for<N: Runnable>(
    plan: &Plan,
    purpose: Purpose,
    place: &'static Location<'static>,
    build: &mut impl FnMut() -> N,
) -> (Run<N::Output>, Ended) {
    let mut decider = plan.decider();
    let (mut run, ended) = decided_by(&mut decider, MOST_EVENTS, purpose, place, build);
    run.parted = decider.parted().map(|(number, choice)| {
        format!("decision {} of the schedule, {}, was not possible", number + 1, describe(&run.record, choice))
    });
    (run, ended)
}

/// Runs a network once, with at most so many events, and says how it has ended.
pub(super) fn decided_by<N: Runnable>(
    decider: &mut dyn Scheduler,
    events: usize,
    purpose: Purpose,
    place: &'static Location<'static>,
    build: &mut impl FnMut() -> N,
) -> (Run<N::Output>, Ended) {
    let made = crate::process::simulate(decider, events, purpose, place, || build().into_work());
    let Simulated { ended, result, body, standing, record } = match made {
        Ok(made) => made,
        Err(error) => panic!("the run cannot begin: {error}"),
    };
    let (result, failures) = match result {
        Some(Ok(result)) => (Some(result), Vec::new()),
        Some(Err(error)) => (None, error.failures().to_vec()),
        None => (None, Vec::new()),
    };
    if let Some(what) = record.outside.clone() {
        return (Run::new(Outcome::Outside(what), None, standing, record, None), ended);
    }
    let outcome = match (ended, &standing) {
        _ if let Some(Some(failure)) = &body => Outcome::Failed(vec![failure.clone()]),
        (Ended::Stuck, Some(report)) => Outcome::Deadlock(report.clone()),
        (Ended::TooLong, _) => Outcome::Livelock,
        (Ended::LeftBehind, _) => Outcome::Leaked,
        _ if failures.is_empty() => Outcome::Completed,
        _ => Outcome::Failed(failures),
    };
    let run = Run::new(outcome, result, standing, record, None);
    (if body.is_some() { run.of_a_test() } else { run }, ended)
}

/// The same run once more: it must be the same.
fn again<N: Runnable>(
    run: Run<N::Output>,
    place: &'static Location<'static>,
    build: &mut impl FnMut() -> N,
) -> Run<N::Output> {
    let other = once(&Plan::Wanted(decisions(&run.record)), Purpose::Again, place, build);
    match difference(&run.record, &other.record) {
        None => run,
        Some(difference) => {
            let plan = Plan::Wanted(decisions(&run.record));
            let watched = (0..WATCHED).map(|_| watch(|| drop(once(&plan, Purpose::Again, place, build))));
            let reason = reason(&watched.collect::<Vec<_>>(), &run.record, &other.record);
            run.told(Outcome::Nondeterministic(format!("{difference}; {reason}")))
        }
    }
}

/// Where two runs begin to differ.
fn difference(first: &Record, second: &Record) -> Option<String> {
    let (mine, other) = (&first.happenings, &second.happenings);
    let pairs = mine.iter().zip(other);
    let place = pairs.clone().position(|(mine, other)| {
        mine.choice != other.choice || first.bytes[mine.message.clone()] != second.bytes[other.message.clone()]
    });
    match place {
        Some(place) if mine[place].choice == other[place].choice => {
            let what = describe(first, mine[place].choice);
            Some(format!("event {}, {what}, brought another message", place + 1))
        }
        Some(place) => {
            let (what, instead) = (describe(first, mine[place].choice), describe(second, other[place].choice));
            Some(format!("event {} was {what}, and then {instead}", place + 1))
        }
        None if mine.len() != other.len() => {
            Some(format!("one run had {} events, and the other {}", mine.len(), other.len()))
        }
        None => None,
    }
}
