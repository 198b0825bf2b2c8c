//! Why a command did not run to its end.
//!
//! Knows nothing of how it is run. How a command that ran has ended is no error: [`Exit`](super::Exit) says it.

use crate::channel::ChannelError;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;

/// Why a [`Command`](super::Command) was not run to its end.
///
/// # Examples
/// ```
/// use csproc::toolkit::{Command, CommandError};
///
/// let error = Command::new("no-such-command").run(None, None, None).unwrap_err();
/// assert_eq!(error, CommandError::NotFound { command: "no-such-command".to_string() });
/// assert!(error.to_string().contains("`no-such-command`"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no such program.
    #[error(
        "the command `{command}` is not there, or the interpreter that its first line names: install it, or give the \
         path of its file; `PATH` says where a command without a path is looked for"
    )]
    NotFound {
        /// The program.
        command: String,
    },
    /// There is such a file, which this process may not execute.
    #[error("the command `{command}` cannot be executed: {reason}; `chmod +x` makes a file a command")]
    NotExecutable {
        /// The program.
        command: String,
        /// What the system says.
        reason: String,
    },
    /// The directory in which the command was to run is not there, or is not for this process.
    #[error("the command `{command}` cannot run in the directory {directory:?}: {reason}")]
    Directory {
        /// The program.
        command: String,
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The system refuses something that the command needs: a process, a descriptor, room for its arguments.
    #[error("the system cannot run the command `{command}`: {reason}")]
    System {
        /// The program.
        command: String,
        /// What the system says.
        reason: String,
    },
    /// A channel of the command has ended, and not because its other side retired: the command was killed.
    #[error("the command `{command}` was killed, because of one of its channels: {source}")]
    Channel {
        /// The program.
        command: String,
        /// What became of the channel.
        source: ChannelError,
    },
}

/// What happened to a command whose name is not known here.
pub(super) enum Failed {
    Channel(ChannelError),
    System(io::Error),
}

impl Failed {
    pub(super) fn of(self, command: String) -> CommandError {
        match self {
            Failed::Channel(source) => CommandError::Channel { command, source },
            Failed::System(error) => CommandError::System { command, reason: error.to_string() },
        }
    }
}

impl From<ChannelError> for Failed {
    fn from(error: ChannelError) -> Failed {
        Failed::Channel(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::System(error)
    }
}

impl From<rustix::io::Errno> for Failed {
    fn from(error: rustix::io::Errno) -> Failed {
        Failed::System(error.into())
    }
}
