//! How a command ended.
//!
//! Knows nothing of what it did.

use crate::cause::signal_name;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// How a command of the system ended: what [`execute`](super::execute()) gives.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::toolkit::{Command, Exit, execute};
///
/// let shell = |script: &str| execute(Command::new("sh").args(["-c", script]), None, None, None);
/// let (good, bad, killed) = Parallel!(shell("true"), shell("exit 3"), shell("kill -TERM $$")).values()?;
/// assert!(good.success());
/// assert_eq!(bad, Exit::Exited { code: 3 });
/// assert_eq!(killed.signal(), Some(15));
/// assert_eq!(format!("{bad}, {killed}"), "exited with code 3, was killed by signal 15 (SIGTERM)");
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Exit {
    /// It ended by itself.
    Exited {
        /// What it said of its success: 0 for yes.
        code: i32,
    },
    /// A signal ended it.
    Killed {
        /// The number of the signal.
        signal: i32,
    },
}

impl Exit {
    pub(super) fn of(status: ExitStatus) -> Exit {
        match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Exited { code },
            // A child that was only stopped is not asked about.
            (None, signal) => Exit::Killed { signal: signal.unwrap_or(libc::SIGKILL) },
        }
    }

    /// Whether it ended by itself, with the code 0.
    ///
    /// # Examples
    /// See [`Exit`].
    pub fn success(self) -> bool {
        self == Exit::Exited { code: 0 }
    }

    /// Its code, if it ended by itself.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(csproc::toolkit::Exit::Exited { code: 3 }.code(), Some(3));
    /// ```
    pub fn code(self) -> Option<i32> {
        if let Exit::Exited { code } = self { Some(code) } else { None }
    }

    /// The signal that ended it, if one did.
    ///
    /// # Examples
    /// See [`Exit`].
    pub fn signal(self) -> Option<i32> {
        if let Exit::Killed { signal } = self { Some(signal) } else { None }
    }
}

/// As in a sentence about the command.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Exit::Exited { code } => write!(f, "exited with code {code}"),
            Exit::Killed { signal } => match signal_name(signal) {
                Some(name) => write!(f, "was killed by signal {signal} ({name})"),
                None => write!(f, "was killed by signal {signal}"),
            },
        }
    }
}
