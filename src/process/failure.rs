//! `NetworkError`: which processes of a network did not end normally, and the results of the others.
//!
//! Knows nothing of how it was found out.

use super::start_error::StartError;
use crate::cause::Cause;
use crate::channel::{DeadlockReport, Message, MessageError, Parcel};
use crate::trace::{Event, LastEvents};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// How one process failed.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::{Cause, Failure};
///
/// #[process]
/// fn worker(n: u32) {
///     if n == 2 {
///         std::process::abort();
///     }
/// }
///
/// fn main() {
///     let error = Parallel!(for n in 0..4 => worker(n)).unwrap_err();
///     match &error.failures()[0] {
///         Failure::Crashed { process, cause: Cause::Killed { signal: 6 }, .. } => assert_eq!(process, "worker[2]"),
///         other => panic!("{other}"),
///     }
///     assert_eq!(error.failures()[0].process(), "worker[2]");
///     assert_eq!(error.failures()[0].to_string(), "process `worker[2]` was killed by signal 6 (SIGABRT)");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Failure {
    /// It started, but did not return.
    #[non_exhaustive]
    Crashed {
        /// The name of the process; in a `for` part or a `Vec` with its place, as `worker[2]`.
        process: String,
        /// What it died of.
        cause: Cause,
        /// How often it had been started again before, by [`OnCrash::Restart`](crate::OnCrash::Restart).
        restarts: u32,
        /// What it did last, if a [trace](crate::trace) was recorded.
        last_events: LastEvents,
    },
    /// It could not be started.
    #[non_exhaustive]
    Start {
        /// The name of the process.
        process: String,
        /// Why not.
        source: StartError,
    },
    /// It returned a value that its type's `Deserialize` refuses.
    #[non_exhaustive]
    Unreadable {
        /// The name of the process.
        process: String,
        /// Why not.
        source: MessageError,
    },
    /// It ended after the process that had started it crashed, on a thread: what it came to was not kept.
    #[non_exhaustive]
    Unknown {
        /// The name of the process.
        process: String,
    },
    /// Its result was handed out before, by [`Child::try_join`](crate::Child::try_join).
    #[non_exhaustive]
    Joined {
        /// The name of the process.
        process: String,
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
            Failure::Crashed { process, .. }
            | Failure::Start { process, .. }
            | Failure::Unreadable { process, .. }
            | Failure::Unknown { process }
            | Failure::Joined { process } => process,
            Failure::Deadlock(report) => report.processes().first().map_or("", |process| process.name.as_str()),
        }
    }

    /// What the process did last, if a [trace](crate::trace) was recorded, and it has crashed or was in a deadlock; of
    /// a deadlock, what its first process did.
    ///
    /// # Examples
    /// See [`NetworkError::last_events`].
    pub fn last_events(&self) -> &[Event] {
        match self {
            Failure::Crashed { last_events, .. } => last_events.events(),
            Failure::Deadlock(report) => report.processes().first().map_or(&[], |process| process.last_events.events()),
            _ => &[],
        }
    }
}

impl Failure {
    /// A process of this name could not be started.
    pub(crate) fn not_started(process: &str, source: StartError) -> Failure {
        Failure::Start { process: String::from(process), source }
    }

    pub(super) fn set_restarts(&mut self, count: u32) {
        if let Failure::Crashed { restarts, .. } = self {
            *restarts = count;
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Crashed { process, cause, restarts: 0, last_events } => {
                write!(f, "process `{process}` {cause}{last_events}")
            }
            Failure::Crashed { process, cause, restarts, last_events } => {
                let times = times(*restarts);
                write!(f, "process `{process}` {cause}; it had been started again {times}{last_events}")
            }
            Failure::Start { process, source } => write!(f, "process `{process}` could not be started: {source}"),
            Failure::Unreadable { process, source } => {
                write!(f, "what process `{process}` returned cannot be read: {source}")
            }
            Failure::Unknown { process } => {
                write!(
                    f,
                    "what became of process `{process}` is not known: the process that had started it crashed first"
                )
            }
            Failure::Joined { process } => {
                write!(f, "the result of process `{process}` was already handed out by `try_join`")
            }
            Failure::Deadlock(report) => report.fmt(f),
        }
    }
}

fn times(count: u32) -> String {
    if count == 1 { String::from("once") } else { format!("{count} times") }
}

/// What one process came to.
#[derive(Debug)]
pub(super) enum Outcome {
    Returned {
        process: Arc<str>,
        result: Parcel,
    },
    Failed(Failure),
    /// It was in a deadlock before it ended so.
    Deadlocked(Box<Outcome>, DeadlockReport),
    /// Another process was refused before anything had begun.
    NotBegun {
        process: Arc<str>,
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
///     assert_eq!(format!("{:?}", error.results()), "[good: u32, bad: nothing]");
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
    /// Sorts outcomes into results by place and name, or into an error that keeps them.
    pub(super) fn results_of(outcomes: Vec<Outcome>) -> Result<Results, NetworkError> {
        let processes = outcomes.len();
        let mut failures = Vec::new();
        let mut entries = Vec::with_capacity(processes);
        for outcome in outcomes {
            let outcome = match outcome {
                Outcome::Deadlocked(outcome, report) => {
                    report.is_given();
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
                    entries.push((Arc::from(failure.process()), None));
                    failures.push(failure);
                }
            }
        }
        let results = Results { entries };
        if failures.is_empty() { Ok(results) } else { Err(NetworkError { failures, processes, results }) }
    }

    pub(crate) fn one(failure: Failure) -> NetworkError {
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
            _ => None,
        })
    }

    /// What a process of this name did last, if a [trace](crate::trace) was recorded, and it has crashed or was in a
    /// deadlock. The error prints it, too.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::trace::{self, What};
    ///
    /// #[process]
    /// fn worker(input: Reader<u64>) {
    ///     while let Ok(value) = input.read() {
    ///         if value == 2 {
    ///             std::process::abort();
    ///         }
    ///     }
    /// }
    ///
    /// #[process]
    /// fn source(out: Writer<u64>) -> csproc::Result<()> {
    ///     (0..5).try_for_each(|value| Ok(out.write(value)?))
    /// }
    ///
    /// fn main() {
    ///     trace::start();
    ///     let jobs = Channel::builder().name("jobs").build().unwrap();
    ///     let error = Parallel!(source(jobs.writer()), worker(jobs.reader())).unwrap_err();
    ///     let last = error.last_events("worker");
    ///     let read = last.last().unwrap();
    ///     assert_eq!((read.what(), read.channel(), read.partner()), (What::Read, Some("jobs"), Some("source")));
    ///     assert_eq!(last.iter().filter(|event| event.what() == What::Read).count(), 3);
    ///     assert!(error.to_string().contains("read `jobs` from `source`"), "{error}");
    /// }
    /// ```
    pub fn last_events(&self, process: &str) -> &[Event] {
        let blocked = self.deadlock().into_iter().flat_map(DeadlockReport::processes);
        let blocked = blocked.filter(|blocked| blocked.name == process).map(|blocked| blocked.last_events.events());
        let crashed = self.failures.iter().filter(|failure| failure.process() == process).map(Failure::last_events);
        crashed.chain(blocked).find(|events| !events.is_empty()).unwrap_or_default()
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
            let text = failure.to_string();
            let text = if matches!(failure, Failure::Crashed { .. }) { text.replace('\n', "\n  ") } else { text };
            write!(f, "\n  {text}")?;
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
pub struct Results {
    entries: Vec<(Arc<str>, Option<Parcel>)>,
}

impl Results {
    /// All results put together; they are given out in order.
    pub(super) fn into_value<R>(
        self,
        assemble: impl FnOnce(&mut dyn Iterator<Item = Parcel>) -> Result<R, MessageError>,
    ) -> Result<R, NetworkError> {
        let processes = self.entries.len();
        let mut entries = self.entries.into_iter();
        let mut read = Vec::with_capacity(processes);
        let value = assemble(&mut entries.by_ref().filter_map(|(name, result)| {
            read.push((name, None));
            result
        }));
        value.map_err(|source| {
            let process = read.last().map_or_else(String::new, |(name, _)| name.to_string());
            read.extend(entries);
            let failures = vec![Failure::Unreadable { process, source }];
            NetworkError { failures, processes, results: Results { entries: read } }
        })
    }

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

    /// The result of the process at `place`, if it returned and its result is a `T`. A result that holds ends of
    /// channels can be had once.
    ///
    /// # Examples
    /// See [`NetworkError`].
    pub fn get<T: Message>(&self, place: usize) -> Option<T> {
        self.entries.get(place)?.1.as_ref()?.peek()
    }

    /// The result of the first process of this name that returned, if it is a `T`. The name may have a place, as
    /// `worker[2]`.
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

/// Which processes there are, and whether each has left a result.
impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = |(name, result): &(Arc<str>, Option<Parcel>)| match result {
            Some(result) => format!("{name}: {}", without_paths(result.type_name())),
            None => format!("{name}: nothing"),
        };
        f.debug_list().entries(self.entries.iter().map(entry).map(Plain)).finish()
    }
}

/// `alloc::vec::Vec<csproc::Error>` as people write it: `Vec<Error>`.
fn without_paths(type_name: &str) -> String {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut text = String::new();
    for part in type_name.split("::") {
        // What stood before `::` was a module.
        text.truncate(text.trim_end_matches(is_name).len());
        text.push_str(part);
    }
    text
}

/// A text that is shown without quotes.
struct Plain(String);

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether this is a place in `for` parts and vectors, as `[2][0]`, or none.
fn is_place(text: &str) -> bool {
    let index =
        |part: &str| part.strip_prefix('[').is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()));
    text.is_empty() || text.strip_suffix(']').is_some_and(|text| text.split(']').all(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_shown_without_their_paths() {
        let text = without_paths(std::any::type_name::<(Result<Vec<String>, std::fmt::Error>, [u8; 2])>());
        assert_eq!(text, "(Result<Vec<String>, Error>, [u8; 2])");
    }

    #[test]
    fn a_process_is_found_by_its_name_with_or_without_its_place() {
        assert!(is_place("") && is_place("[2]") && is_place("[2][10]"));
        assert!(!is_place("s") && !is_place("[2") && !is_place("2]") && !is_place("[x]"));
    }
}
