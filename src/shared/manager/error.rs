//! `CallError`: why a call of a managed object has no result.
//!
//! Knows nothing of how calls travel.

use crate::cause::Cause;
use crate::channel::{ChannelError, DeadlockReport, MessageError};
use crate::process::{Failure, NetworkError, StartError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a call of a managed object has no result.
///
/// A process that returns it through `?` ends as one that returns any error: what happened to an object does not poison
/// the channels that the process was given. An error of a deadlock does, as everywhere.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::CallError;
///
/// let manager = Manager::new()?;
/// let list = manager.list([1, 2])?;
/// assert_eq!(list.set(2, 3), Err(CallError::OutOfRange { index: 2, len: 2 }));
/// manager.shutdown()?;
/// assert_eq!(list.len(), Err(CallError::Shutdown));
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CallError {
    /// The manager has been shut down or dropped, or the process that had it has ended. What was asked for was not
    /// done.
    Shutdown,
    /// The process of the object, or that of its manager, has crashed, in this call or before. What was asked for may
    /// or may not have been done; the object is gone.
    Lost {
        /// The name of the process.
        process: String,
        /// What it died of.
        cause: Cause,
    },
    /// A list has no such place.
    OutOfRange {
        /// The place; the first one is 0.
        index: usize,
        /// How many items the list has.
        len: usize,
    },
    /// A namespace has nothing of this name, or a manager of another program has shared nothing as it.
    Missing {
        /// The name.
        name: String,
    },
    /// What a namespace has under this name, or a manager of another program has shared, is of another type.
    WrongType {
        /// The name.
        name: String,
        /// The type of what is there.
        stored: String,
        /// The type that was asked for.
        asked: String,
    },
    /// What was asked for is a function of this program, and the object is in another one, which does not have it.
    Elsewhere,
    /// The connection to another program broke before the answer had come, or none could be made. What was asked for
    /// may or may not have been done.
    Io {
        /// Which connection, and what happened to it.
        reason: String,
    },
    /// The arguments, the function or the result cannot travel, or there is no room for them or for one more object.
    Invalid(MessageError),
    /// The call was part of a deadlock, or the object has not answered.
    Failed(ChannelError),
}

impl CallError {
    /// The deadlock that the call was part of, if it was in one.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::shared::CallError::Shutdown.deadlock().is_none());
    /// ```
    #[must_use]
    pub fn deadlock(&self) -> Option<&DeadlockReport> {
        match self {
            CallError::Failed(error) => error.deadlock(),
            _ => None,
        }
    }

    /// Why an object could not be begun.
    pub(super) fn of_start(error: &NetworkError) -> CallError {
        let refused = error.failures().iter().find_map(|failure| match failure {
            Failure::Start { source: StartError::Arguments(error), .. } => Some(error.clone()),
            Failure::Start { source, .. } => Some(MessageError::System { reason: source.to_string() }),
            _ => None,
        });
        CallError::Invalid(refused.unwrap_or_else(|| MessageError::System { reason: error.to_string() }))
    }
}

impl From<ChannelError> for CallError {
    fn from(error: ChannelError) -> CallError {
        match error {
            ChannelError::Retired => CallError::Shutdown,
            ChannelError::Lost { process, cause } => CallError::Lost { process, cause },
            ChannelError::Invalid(error) => CallError::Invalid(error),
            ChannelError::Io { reason } => CallError::Io { reason },
            error => CallError::Failed(error),
        }
    }
}

impl From<MessageError> for CallError {
    fn from(error: MessageError) -> CallError {
        CallError::Invalid(error)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallError::Shutdown => f.write_str(
                "the manager has ended, and its objects with it: keep the `Manager` for as long as they are used",
            ),
            CallError::Lost { process, cause } => {
                write!(f, "the object was lost with process `{process}`, which {cause}")
            }
            CallError::OutOfRange { index, len } => {
                write!(f, "there is no place {index} in a list of {len} items, whose first place is 0")
            }
            CallError::Missing { name } => write!(
                f,
                "there is nothing called `{name}`: give a namespace a value with `set`, or share an object with `share`"
            ),
            CallError::WrongType { name, stored, asked } => {
                write!(f, "`{name}` is of type `{stored}`, and `{asked}` was asked for")
            }
            CallError::Elsewhere => f.write_str(
                "the object is in another program, which does not have the function: call a method that the object \
                 has, or give its type one with `#[managed]`",
            ),
            CallError::Io { reason } => f.write_str(reason),
            CallError::Invalid(error) => error.fmt(f),
            CallError::Failed(error) => write!(f, "the call was not answered: {error}"),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CallError::Failed(error) => Some(error),
            _ => None,
        }
    }
}
