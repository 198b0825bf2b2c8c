//! Why a process could not be started.
//!
//! Knows nothing of how processes are started.

use crate::cause::NotStarted;
use crate::channel::MessageError;
use serde::{Deserialize, Serialize};

/// Why a process could not be started. Its text names the remedy.
///
/// # Examples
/// ```
/// use csproc::StartError;
///
/// let error = StartError::System { code: 11, reason: "Resource temporarily unavailable".into() };
/// assert!(error.to_string().contains("ulimit -u"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Processes of the operating system cannot be started here; threads can.
    #[error("{reason}")]
    Unavailable {
        /// Why not, and what to do.
        reason: String,
    },
    /// An argument cannot be serialized, or there is no memory for the arguments.
    #[error("its arguments cannot be handed over: {0}")]
    Arguments(#[source] MessageError),
    /// Its function is not one of the program itself, where other processes find it: it lies in a shared library, or
    /// was made while the program ran.
    ///
    /// A function reaches another process as its place in the program's file, which is the same in all processes of the
    /// program. A library lies where there was room, and one that is loaded later is not there in other processes. So a
    /// function of the program has to be the process, and it calls that of the library; one that the program has loaded
    /// itself, the process loads, too. On a thread any function can be a process, because it stays where it is.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::ffi::c_int;
    ///
    /// unsafe extern "C" {
    ///     /// Lies in the C library.
    ///     safe fn abs(number: c_int) -> c_int;
    /// }
    ///
    /// #[process]
    /// fn distance(number: c_int) -> c_int {
    ///     abs(number)
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     assert_eq!(Parallel!(distance(-7), distance(7))?, (7, 7));
    ///     Ok(())
    /// }
    /// ```
    #[error("{reason}")]
    Function {
        /// Where the function lies, and the remedy.
        reason: String,
    },
    /// The system refused a new process or thread.
    #[error("{}", system(*code, reason))]
    System {
        /// The error number.
        code: i32,
        /// The system's words.
        reason: String,
    },
    /// The system has no room for the stack that was asked for by [`Process::stack`](crate::Process::stack).
    #[error(
        "the system refused a stack of {bytes} bytes: {reason}; ask for less by `.stack(bytes)`, or raise `ulimit -v`"
    )]
    Stack {
        /// How many bytes were asked for.
        bytes: usize,
        /// The system's words.
        reason: String,
    },
    /// The spawning thread has other users, groups or capabilities than the program had when it started, and a new
    /// process may not take them on.
    #[error(
        "it may not have the credentials that the spawning thread has now: {reason}; start it before the credentials \
         change, or start the program with credentials that may be changed into them, or use Placement::Thread"
    )]
    Credentials {
        /// The error number.
        code: i32,
        /// The system's words.
        reason: String,
    },
    /// The process server has died.
    #[error("the process server is gone ({reason}); all processes of this program ended with it")]
    ServerGone {
        /// How that showed.
        reason: String,
    },
    /// The thread that starts it panicked, in the `Serialize` or `Deserialize` of an argument.
    #[error("the thread that starts it panicked: {reason}")]
    Starter {
        /// What the panic said.
        reason: String,
    },
}

fn system(code: i32, reason: &str) -> String {
    let remedy = match code {
        libc::EAGAIN => {
            "; the limit of processes is reached: raise `ulimit -u` or the `pids.max` of the control group, or start \
             fewer"
        }
        libc::ENOMEM => "; there is no memory for another process",
        libc::EMFILE | libc::ENFILE => "; the limit of open files is reached: raise `ulimit -n`, or close some",
        libc::ENOENT | libc::EACCES | libc::ENOTDIR => {
            "; the working directory of the spawning process cannot be entered"
        }
        _ => "",
    };
    format!("the system refused it: {reason}{remedy}")
}

impl From<NotStarted> for StartError {
    fn from(reason: NotStarted) -> StartError {
        match reason {
            NotStarted::System(error) => error.into(),
            NotStarted::Credentials(error) => {
                StartError::Credentials { code: error.raw_os_error().unwrap_or(0), reason: error.to_string() }
            }
        }
    }
}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> StartError {
        StartError::System { code: error.raw_os_error().unwrap_or(0), reason: error.to_string() }
    }
}
