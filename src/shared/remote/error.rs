//! `ServeError`: why a manager cannot be served at a path, or reached there.
//!
//! Knows nothing of sockets.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// Why a [`Manager`](crate::shared::Manager) cannot be [served](crate::shared::Manager::serve) at a path, or
/// [reached](crate::shared::Manager::connect) there.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::ServeError;
///
/// let path = std::env::temp_dir().join("csproc-nobody/here");
/// let error = Manager::connect(&path, b"key").unwrap_err();
/// assert!(matches!(&error, ServeError::NotFound { path: named } if *named == path));
/// assert!(error.to_string().contains("start the program that serves it"), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ServeError {
    /// Nobody serves a manager at the path.
    NotFound {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The path is in use: a manager is served there, or a file lies there that is no socket.
    InUse {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The directory of the socket belongs to another user, or others may enter it.
    Open {
        /// The directory.
        path: PathBuf,
    },
    /// The path has more bytes than the address of a socket.
    Long {
        /// The path of the socket.
        path: PathBuf,
        /// How many bytes fit.
        limit: usize,
    },
    /// The program at the other end runs as another user.
    User {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The server has another key.
    Key {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The key has too many bytes.
    LongKey {
        /// The path of the socket.
        path: PathBuf,
        /// How many bytes a key has at most.
        limit: usize,
    },
    /// The server has as many connections as it may have.
    Busy {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The program at the other end has another version of this library, or is none that serves a manager.
    Version {
        /// The path of the socket.
        path: PathBuf,
        /// What it says that it is.
        found: String,
    },
    /// The system has refused something.
    System {
        /// The path of the socket, of its directory or of its lock.
        path: PathBuf,
        /// What, and why.
        reason: String,
    },
}

/// A simulated network has no other programs.
pub(in crate::shared) fn refuse_in_simulation(path: &Path) -> Result<(), ServeError> {
    let refused = crate::engine::refuse_in_simulation("a manager of another program, or for one");
    refused.map_err(|error| ServeError::System { path: path.to_path_buf(), reason: error.to_string() })
}

impl ServeError {
    pub(super) fn system(path: &Path, what: &str, error: impl fmt::Display) -> ServeError {
        ServeError::System { path: path.to_path_buf(), reason: format!("{what}: {error}") }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServeError::NotFound { path } => {
                write!(f, "nobody serves a manager at {}: start the program that serves it first", path.display())
            }
            ServeError::InUse { path } => write!(
                f,
                "{} is in use: end the program that serves a manager there, or choose another path",
                path.display()
            ),
            ServeError::Open { path } => write!(
                f,
                "the directory {} is open to other users: choose one of your own, with `chmod 700`, or one that does \
                 not exist yet",
                path.display()
            ),
            ServeError::Long { path, limit } => write!(
                f,
                "{} has {} bytes, and the path of a socket has at most {limit}: choose a shorter one",
                path.display(),
                path.as_os_str().len()
            ),
            ServeError::User { path } => write!(
                f,
                "the program at the other end of {} runs as another user: start both programs as the same one",
                path.display()
            ),
            ServeError::Key { path } => {
                write!(f, "the manager at {} has another key: give both programs the same one", path.display())
            }
            ServeError::LongKey { path, limit } => {
                write!(f, "the key for the manager at {} is too long: a key has at most {limit} bytes", path.display())
            }
            ServeError::Busy { path } => write!(
                f,
                "the manager at {} has as many connections as it may have: try again when other clients have ended",
                path.display()
            ),
            ServeError::Version { path, found } => write!(
                f,
                "what answers at {} is `{found}` and not the same version of csproc: build both programs with one",
                path.display()
            ),
            ServeError::System { path, reason } => write!(f, "{}: {reason}", path.display()),
        }
    }
}

impl std::error::Error for ServeError {}
