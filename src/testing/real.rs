//! `real` and `replay_real`: the decisions of a simulated run, taken again by real processes.
//!
//! Knows nothing of how processes are driven.

use super::outcome::Outcome;
use super::plan::Plan;
use super::run::Run;
use super::token;
use super::tree::Schedule;
use crate::engine::drive::Parting;
use crate::engine::is_decided;
use crate::engine::sim::{Ended, Purpose, Record};
use crate::process::{Driven, Runnable, drive};
use crate::{DeadlockReport, Failure};
use std::panic::Location;
use std::sync::Arc;

/// Runs a network as real processes, driven by the decisions of a schedule: those that a simulated run makes by it.
///
/// The network is simulated first, and then run as `run` would run it: its processes are processes of the operating
/// system, or threads where it says so, and communicate over shared memory. But each of them stops before an offer is
/// made, and when it has come to something, and goes on when it is its turn; so the order of everything is that of the
/// simulated run. A process that the schedule kills is killed by SIGKILL, at the same event. What has become of each
/// offer (the guard that has fired, the message, poison and loss) is compared with the simulated run, and at the end
/// what has become of the network: the first difference is [`Outcome::Parted`]. So each property that holds for
/// [`simulate`](super::simulate) can be tested on the processes themselves, schedule by schedule.
///
/// The time is virtual here, too. Who is killed is buried at once: all its channels end before anything else happens.
/// On a channel that is lossy, messages are lost; one that doubles messages, or has one overtake another one, is there
/// in the simulation only, and so is the death of a process on a thread: then the run is [`Outcome::Parted`] as well.
///
/// The closure is called twice.
///
/// # Blocking
/// Until the network has ended, or has parted from the decisions. A process that neither offers anything nor ends for a
/// minute has parted from them.
///
/// # Panics
/// As [`simulate`](super::simulate); or there is no memory or no thread to drive the network with; or it is called in a
/// run itself.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::testing::{real, replay, schedule_of};
///
/// #[process]
/// fn source(out: Writer<u8>, value: u8) -> csproc::Result<Vec<u8>> {
///     out.write(value)?;
///     Ok(Vec::new())
/// }
///
/// #[process]
/// fn sink(input: Reader<u8>) -> csproc::Result<Vec<u8>> {
///     Ok(vec![input.read()?, input.read()?])
/// }
///
/// fn race() -> Network<Vec<csproc::Result<Vec<u8>>>> {
///     let c = Channel::builder().name("c").build().expect("a channel");
///     network!(vec![source(c.writer(), 1), source(c.writer(), 2), sink(c.reader())])
/// }
///
/// fn main() {
///     let simulated = replay("csp1:00", race);
///     let run = real(&schedule_of(simulated.token()), race);
///     assert!(run.completed(), "{run}");
///     assert_eq!(run.messages::<u8>("c"), simulated.messages::<u8>("c"));
/// }
/// ```
#[track_caller]
pub fn real<N: Runnable>(schedule: &Schedule, mut build: impl FnMut() -> N) -> Run<N::Output> {
    let run = driven(&schedule.plan, Location::caller(), &mut build);
    let nearest = schedule.note(&run.record);
    run.with_nearest(nearest)
}

/// As [`real`], by the token that a run has printed.
///
/// Where a decision of the token is not possible, the run [says so](Run::parts_from_schedule). The token of a simulated
/// run in which somebody was killed may be taken in another order: who is killed is buried at once here.
///
/// # Blocking
/// As [`real`].
///
/// # Panics
/// The text is no token; and as [`real`].
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::testing::replay_real;
///
/// #[process]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// fn main() {
///     let run = replay_real("csp1:00", || square(3));
///     assert_eq!(run.result(), Some(&9), "{run}");
/// }
/// ```
#[track_caller]
pub fn replay_real<N: Runnable>(token: &str, mut build: impl FnMut() -> N) -> Run<N::Output> {
    driven(&Plan::Wanted(token::wanted(token)), Location::caller(), &mut build)
}

/// The schedule of a token that a run has printed.
///
/// # Panics
/// The text is no token.
///
/// # Examples
/// See [`real`].
#[track_caller]
pub fn schedule_of(token: &str) -> Schedule {
    Schedule::new(Plan::Wanted(token::wanted(token)))
}

fn driven<N: Runnable>(
    plan: &Plan,
    place: &'static Location<'static>,
    build: &mut impl FnMut() -> N,
) -> Run<N::Output> {
    assert!(!is_decided(), "the run cannot begin: a run of real processes inside another run");
    let (simulated, ended) = super::simulate::once_for(plan, Purpose::Script, place, build);
    if matches!(simulated.outcome, Outcome::Outside(_) | Outcome::Nondeterministic(_)) {
        return simulated;
    }
    let Run { outcome, standing, record, parted, .. } = simulated;
    let made = drive(&record, ended, place, || build().into_work());
    let Driven { result, parting } = match made {
        Ok(made) => made,
        Err(error) => panic!("the network cannot be driven: {error}"),
    };
    let (result, failures, found) = match result {
        Some(Ok(result)) => (Some(result), Vec::new(), None),
        Some(Err(error)) => (None, error.failures().to_vec(), error.deadlock().cloned()),
        None => (None, Vec::new(), None),
    };
    let came = Came { failures: &failures, found };
    let (outcome, after) = match parting {
        Some(Parting { after, what, is_refused }) => {
            let reason = if is_refused { "this cannot be done by real processes" } else { "real processes differ" };
            (Outcome::Parted(format!("{reason}: {what}")), after)
        }
        None => (came.outcome(ended, outcome), record.happenings.len()),
    };
    let standing = if let Outcome::Deadlock(report) = &outcome { Some(report.clone()) } else { standing };
    let mut run = Run::new(outcome, result, standing, up_to(record, after), None);
    run.parted = parted;
    run
}

/// What a network has come to that was driven to its end.
struct Came<'a> {
    failures: &'a [Failure],
    found: Option<DeadlockReport>,
}

impl Came<'_> {
    /// The same as the simulated one has come to, or else it has parted from that.
    fn outcome(self, ended: Ended, simulated: Outcome) -> Outcome {
        match (ended, simulated) {
            (Ended::Stuck, Outcome::Deadlock(report)) => Outcome::Deadlock(self.found.unwrap_or(report)),
            (Ended::Completed, Outcome::Failed(wanted)) => match failures_differ(&wanted, self.failures) {
                None => Outcome::Failed(self.failures.to_vec()),
                Some(difference) => Outcome::Parted(difference),
            },
            (Ended::Completed, Outcome::Completed) if !self.failures.is_empty() => {
                Outcome::Parted(format!("real processes failed, and simulated ones did not: {}", told(self.failures)))
            }
            (_, simulated) => simulated,
        }
    }
}

/// Whether other processes have failed, in words.
fn failures_differ(simulated: &[Failure], real: &[Failure]) -> Option<String> {
    let names =
        |failures: &[Failure]| failures.iter().map(|failure| String::from(failure.process())).collect::<Vec<_>>();
    (names(simulated) != names(real))
        .then(|| format!("real processes failed otherwise: {}; simulated: {}", told(real), told(simulated)))
}

fn told(failures: &[Failure]) -> String {
    match failures {
        [] => String::from("none"),
        some => some.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// What has happened until the run parted.
fn up_to(record: Arc<Record>, after: usize) -> Record {
    let mut record = Arc::try_unwrap(record).unwrap_or_else(|_| unreachable!("whoever drove has ended"));
    record.happenings.truncate(after);
    record.links.retain(|link| link.after <= after);
    record.script = None;
    record
}
