//! Why a task has no result.
//!
//! Knows nothing of how tasks travel: what became of one shows at the channel of its answer.

use crate::cause::Cause;
use crate::channel::{ChannelError, DeadlockReport, MessageError};
use crate::process::Failure;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A task that has no result: which one, and why.
///
/// # Examples
/// ```
/// use csproc::pool::{Pool, TaskFailure};
///
/// let pool = Pool::new(2)?;
/// let error = pool.map(|x: u32| 12 / (x - 2), 1..=3).unwrap_err();
/// assert_eq!(error.index, Some(0)); // 1 - 2 overflows
/// assert!(matches!(&error.failure, TaskFailure::Panicked { location, .. } if location.contains(".rs:")));
/// assert!(error.to_string().starts_with("task 0 panicked at "));
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// Its place among the items that were given together; `None` for a task that was given by itself.
    pub index: Option<usize>,
    /// Why it has no result.
    pub failure: TaskFailure,
}

/// Why a task has no result.
///
/// # Examples
/// See [`TaskError`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TaskFailure {
    /// Its function panicked. The worker lives on.
    Panicked {
        /// What the panic said.
        message: String,
        /// Where it happened, as `file:line:column`.
        location: String,
    },
    /// Its worker died; or too many workers have died one after the other before it began.
    Lost {
        /// The name of the worker.
        process: String,
        /// What it died of.
        cause: Cause,
        /// How often the task had been begun, or was about to be; 0 if it never was.
        attempts: u32,
    },
    /// It never began: somebody cancelled it, the pool is gone, or a worker was killed at the very moment of taking it.
    Cancelled,
    /// Its result was handed out before.
    Taken,
    /// It was part of a deadlock: its worker waited, in the end, for whoever waited for the result.
    Deadlock(Box<DeadlockReport>),
    /// Its argument or its result is no message, or there was no room for it.
    Invalid(MessageError),
}

impl TaskError {
    /// Of a task that was given by itself.
    pub(super) fn alone(failure: TaskFailure) -> TaskError {
        TaskError { index: None, failure }
    }
}

impl TaskFailure {
    /// What the end of the channel of an answer means. Whoever dies with a task takes the channel along; whoever lets
    /// go of it has not begun it.
    pub(super) fn of_channel(error: ChannelError) -> TaskFailure {
        match error {
            ChannelError::Lost { process, cause } => TaskFailure::Lost { process, cause, attempts: 1 },
            ChannelError::Deadlock(report) => {
                report.is_given();
                TaskFailure::Deadlock(report)
            }
            ChannelError::Invalid(error) => TaskFailure::Invalid(error),
            _ => TaskFailure::Cancelled,
        }
    }

    /// What the end of a worker means for a task that so many have had.
    pub(super) fn of_worker(failure: &Failure, attempts: u32) -> TaskFailure {
        match failure {
            Failure::Crashed { process, cause, .. } => {
                TaskFailure::Lost { process: process.clone(), cause: cause.clone(), attempts }
            }
            other => TaskFailure::Invalid(MessageError::System { reason: other.to_string() }),
        }
    }
}

impl fmt::Display for TaskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskFailure::Panicked { message, location } => write!(f, "panicked at {location}: {message}"),
            TaskFailure::Lost { process, cause, attempts: 0 } => {
                write!(f, "was never begun, as too many workers died, the last of them `{process}`, which {cause}")
            }
            TaskFailure::Lost { process, cause, attempts: 1 } => {
                write!(f, "was lost with its worker `{process}`, which {cause}")
            }
            TaskFailure::Lost { process, cause, attempts } => {
                write!(f, "was lost with {attempts} workers, the last of them `{process}`, which {cause}")
            }
            TaskFailure::Cancelled => f.write_str("was cancelled before it began"),
            TaskFailure::Taken => f.write_str("has given its result before"),
            TaskFailure::Deadlock(_) => f.write_str("was part of a deadlock"),
            TaskFailure::Invalid(error) => write!(f, "has an argument or a result that cannot be handed over: {error}"),
        }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "task {index} {}", self.failure),
            None => write!(f, "the task {}", self.failure),
        }
    }
}

impl std::error::Error for TaskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.failure {
            TaskFailure::Deadlock(report) => Some(report.as_ref()),
            TaskFailure::Invalid(error) => Some(error),
            _ => None,
        }
    }
}
