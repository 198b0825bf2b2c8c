//! `Outcome`: how a simulated run has ended.
//!
//! Knows nothing of what has happened before.

use crate::{DeadlockReport, Failure};

/// A run with more events than this is a livelock.
pub(super) const MOST_EVENTS: usize = 20_000;

/// How a simulated run has ended.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::testing::{Outcome, replay};
///
/// #[process]
/// fn hopeless(input: Reader<u8>, _own: Writer<u8>) -> csproc::Result<u8> {
///     Ok(input.read()?)
/// }
///
/// let run = replay("csp1:00", || {
///     let c = Channel::new();
///     hopeless(c.reader(), c.writer())
/// });
/// let Outcome::Deadlock(report) = run.outcome() else { panic!("{run}") };
/// assert!(report.processes().iter().any(|process| process.name == "hopeless"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// All processes have come to their end, and none of them crashed.
    Completed,
    /// Processes wait for each other, or for ends that nobody has, and nobody can go on.
    Deadlock(DeadlockReport),
    /// The network has not ended within so many events as are allowed.
    Livelock,
    /// All processes have come to their end, and these have crashed or could not be started.
    Failed(Vec<Failure>),
    /// The network has ended, and a process that nobody has joined waits for ever.
    Leaked,
    /// Two runs by the same decisions were different: where, and what to look for.
    Nondeterministic(String),
    /// The network has looked at a shared object that was made outside of the simulation, or changed it, by a method
    /// that has no error: who, and which one. What it saw means nothing, so the run has no result.
    Outside(String),
    /// Of [`real`](super::real) only: real processes did something else than the simulated ones, or cannot do it; what,
    /// and after how many events the trace says.
    Parted(String),
}
