//! `NetworkError`: which processes of a network did not end normally, and the results of the others.
//!
//! Knows nothing of how it was found out.

use super::deadlock::DeadlockReport;
use super::start_error::StartError;
use crate::channel::{Message, Parcel};
use crate::forkserver::Cause;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How one process failed.
///
/// # Examples
/// ```
/// use csproc::{Cause, Failure};
///
/// let failure = Failure::Crashed { process: "worker".into(), cause: Cause::Killed { signal: 9 } };
/// assert_eq!(failure.to_string(), "process `worker` was killed by signal 9 (SIGKILL)");
/// assert_eq!(failure.process(), "worker");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// It started, but did not return.
    Crashed {
        /// The name of the process; in a `for` part or a `Vec` with its place, as `worker[2]`.
        process: String,
        /// What it died of.
        cause: Cause,
    },
    /// It could not be started.
    Start {
        /// The name of the process.
        process: String,
        /// Why not.
        source: StartError,
    },
    /// Processes of the network waited for each other.
    Deadlock(DeadlockReport),
}

impl Failure {
    /// The name of the process; of a deadlock, that of its first.
    ///
    /// # Examples
    /// See [`Failure`].
    pub fn process(&self) -> &str {
        match self {
            Failure::Crashed { process, .. } | Failure::Start { process, .. } => process,
            Failure::Deadlock(report) => report.processes().first().map_or("", |process| process.name.as_str()),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Crashed { process, cause } => write!(f, "process `{process}` {cause}"),
            Failure::Start { process, source } => write!(f, "process `{process}` could not be started: {source}"),
            Failure::Deadlock(report) => report.fmt(f),
        }
    }
}

/// What one process came to.
#[derive(Debug)]
pub(super) enum Outcome {
    Returned {
        process: String,
        result: Parcel,
    },
    Failed(Failure),
    /// It was in a deadlock before it ended so.
    Deadlocked(Box<Outcome>, DeadlockReport),
    /// Another process was refused before anything had begun.
    NotBegun {
        process: String,
    },
}

/// A network in which at least one process did not end normally.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn good() -> u32 {
///     7
/// }
///
/// #[process]
/// fn bad() {
///     std::process::exit(3)
/// }
///
/// fn main() {
///     let error = Parallel!(good(), bad()).unwrap_err();
///     assert_eq!(error.failures().len(), 1);
///     assert!(error.to_string().contains("process `bad` exited with code 3"));
///     assert_eq!(error.results().get::<u32>(0), Some(7));
/// }
/// ```
#[derive(Serialize)]
pub struct NetworkError {
    failures: Vec<Failure>,
    processes: usize,
    #[serde(skip)]
    results: Results,
}

impl NetworkError {
    /// Sorts outcomes into results, or into an error that keeps them.
    pub(super) fn sort(outcomes: Vec<Outcome>) -> Result<Vec<Parcel>, NetworkError> {
        let results = NetworkError::results_of(outcomes)?;
        Ok(results.entries.into_iter().filter_map(|(_, result)| result).collect())
    }

    /// As [`sort`](NetworkError::sort), with the results by place and name.
    pub(super) fn results_of(outcomes: Vec<Outcome>) -> Result<Results, NetworkError> {
        let processes = outcomes.len();
        let mut failures = Vec::new();
        let mut entries = Vec::new();
        for outcome in outcomes {
            let outcome = match outcome {
                Outcome::Deadlocked(outcome, report) => {
                    // One report is told by each process in it.
                    let failure = Failure::Deadlock(report);
                    if !failures.contains(&failure) {
                        failures.push(failure);
                    }
                    *outcome
                }
                outcome => outcome,
            };
            match outcome {
                Outcome::Deadlocked(..) => (),
                Outcome::Returned { process, result } => entries.push((process, Some(result))),
                Outcome::NotBegun { process } => entries.push((process, None)),
                Outcome::Failed(failure) => {
                    entries.push((String::from(failure.process()), None));
                    failures.push(failure);
                }
            }
        }
        let results = Results { entries };
        if failures.is_empty() { Ok(results) } else { Err(NetworkError { failures, processes, results }) }
    }

    pub(super) fn one(failure: Failure) -> NetworkError {
        NetworkError { failures: vec![failure], processes: 1, results: Results { entries: Vec::new() } }
    }

    /// The processes that did not end normally, in the order of the network.
    ///
    /// # Examples
    /// See [`NetworkError`].
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// The first deadlock, if there was one.
    ///
    /// # Examples
    /// See [`DeadlockReport`].
    pub fn deadlock(&self) -> Option<&DeadlockReport> {
        self.failures.iter().find_map(|failure| match failure {
            Failure::Deadlock(report) => Some(report),
            Failure::Crashed { .. } | Failure::Start { .. } => None,
        })
    }

    /// The results of the processes that did end normally.
    ///
    /// # Examples
    /// See [`NetworkError`].
    pub fn results(&self) -> &Results {
        &self.results
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let ([failure], 1) = (self.failures.as_slice(), self.processes) {
            return failure.fmt(f);
        }
        if let [Failure::Deadlock(report)] = self.failures.as_slice() {
            return report.fmt(f);
        }
        let plural = if self.processes == 1 { "process" } else { "processes" };
        write!(f, "{} of {} {plural} did not end normally:", self.failures.len(), self.processes)?;
        for failure in &self.failures {
            write!(f, "\n  {failure}")?;
        }
        Ok(())
    }
}

/// For people, as it is what a program prints whose `main` returns an error.
impl fmt::Debug for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for NetworkError {}

/// What the processes of a failed network returned, by their place in it.
///
/// # Examples
/// See [`NetworkError`].
#[derive(Debug)]
pub struct Results {
    entries: Vec<(String, Option<Parcel>)>,
}

impl Results {
    /// The number of processes of the network. Processes of nested parts and of `for` parts count one by one.
    ///
    /// # Examples
    /// See [`NetworkError`].
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the network had no processes.
    ///
    /// # Examples
    /// See [`NetworkError`].
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The result of the process at `place`, if it returned and its result is a `T`. A result that holds ends of channels can be
    /// had once.
    ///
    /// # Examples
    /// See [`NetworkError`].
    pub fn get<T: Message>(&self, place: usize) -> Option<T> {
        self.entries.get(place)?.1.as_ref()?.peek()
    }

    /// The result of the first process of this name that returned, if it is a `T`. The name may have a place, as `worker[2]`.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn good() -> u32 {
    ///     7
    /// }
    ///
    /// #[process]
    /// fn bad() {
    ///     std::process::exit(3)
    /// }
    ///
    /// fn main() {
    ///     let error = Parallel!(bad(), good()).unwrap_err();
    ///     assert_eq!(error.results().of::<u32>("good"), Some(7));
    /// }
    /// ```
    pub fn of<T: Message>(&self, process: &str) -> Option<T> {
        let is_called = |name: &str| name.strip_prefix(process).is_some_and(is_place);
        self.entries.iter().filter(|(name, _)| is_called(name)).find_map(|(_, result)| result.as_ref()?.peek())
    }
}

/// Whether this is a place in `for` parts and vectors, as `[2][0]`, or none.
fn is_place(text: &str) -> bool {
    let index =
        |part: &str| part.strip_prefix('[').is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()));
    text.is_empty() || text.strip_suffix(']').is_some_and(|text| text.split(']').all(index))
}
