//! What a process inherits from the one that spawned it: credentials, working directory and environment, as they are at
//! the spawn.
//!
//! Knows nothing of forking. The server was forked before `main`, so what it has is what the program started with; only
//! what differs from that is sent along.
#![expect(unsafe_code, reason = "changes the environment while there is one thread; listed in the architecture page")]

use crate::cause::Face;
use crate::sys::credentials::Credentials;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::OnceLock;

/// What a member needs to start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// First, because peers read it alone.
    pub(super) face: Face,
    directory: Option<Directory>,
    environment: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    credentials: Option<Credentials>,
}

/// The working directory of a spawning process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Directory {
    number: (u64, u64),
    /// `None` when it was removed, or lies outside the root directory.
    path: Option<Vec<u8>>,
    /// The process whose directory it is.
    of: u32,
}

#[derive(Debug)]
struct Start {
    directory: Option<(u64, u64)>,
    environment: Vec<(OsString, OsString)>,
    credentials: Option<Credentials>,
}

static START: OnceLock<Start> = OnceLock::new();

/// Remembers the state that the server will have.
pub(super) fn remember() {
    START.get_or_init(|| Start {
        directory: number_of_directory().ok(),
        environment: std::env::vars_os().collect(),
        credentials: Credentials::of_this_thread().ok(),
    });
}

/// What the working directory is, whatever its name, and whether it has one: its device and its number there.
fn number_of_directory() -> std::io::Result<(u64, u64)> {
    let status = rustix::fs::stat(c".")?;
    Ok((status.st_dev, status.st_ino))
}

impl Directory {
    fn of_this_process(number: (u64, u64)) -> Directory {
        let path = std::env::current_dir().ok().map(|path| path.into_os_string().into_vec());
        Directory { number, path, of: std::process::id() }
    }

    /// Enters it by its path, and by way of its process where the path leads elsewhere or nowhere. No descriptor has to
    /// be sent, and the spawning process may have moved on to another directory since.
    ///
    /// # Errors
    /// Neither way leads there: why the path does not.
    fn enter(&self) -> std::io::Result<()> {
        let by = |path: &std::ffi::OsStr| {
            std::env::set_current_dir(path)?;
            let is_there = number_of_directory()? == self.number;
            is_there.then_some(()).ok_or_else(|| rustix::io::Errno::NOENT.into())
        };
        let by_path = match &self.path {
            Some(path) => by(std::ffi::OsStr::from_bytes(path)),
            None => Err(rustix::io::Errno::NOENT.into()),
        };
        by_path.or_else(|error| by(format!("/proc/{}/cwd", self.of).as_ref()).map_err(|_| error))
    }
}

impl Launch {
    /// As a member keeps it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        postcard::to_extend(self, Vec::with_capacity(64)).unwrap_or_default()
    }

    /// Does something with a launch into a thread of this process, which shares everything, as a member keeps it.
    pub(crate) fn here<R>(name: &str, stack: usize, work: impl FnOnce(&[u8]) -> R) -> R {
        // As a `Launch` with nothing but a face; there are many of them.
        let nothing: [Option<()>; 3] = [None; 3];
        let mut room = [0; 64];
        match postcard::to_slice(&(name, stack, nothing), &mut room) {
            Ok(bytes) => work(bytes),
            Err(_) => work(&postcard::to_extend(&(name, stack, nothing), Vec::new()).unwrap_or_default()),
        }
    }

    /// A launch into a new process, with the credentials, the directory and the environment of this moment.
    ///
    /// # Errors
    /// The system does not say what the working directory or the credentials are.
    pub(crate) fn now(name: String, stack: usize) -> std::io::Result<Launch> {
        let start = START.get();
        let directory = number_of_directory()?;
        let same = start.and_then(|start| start.directory) == Some(directory);
        let directory = (!same).then(|| Directory::of_this_process(directory));
        let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        // One that differs in nothing but its order is sent, too: that costs time only.
        let same = start.is_some_and(|start| start.environment == environment);
        let environment =
            (!same).then(|| environment.into_iter().map(|(name, value)| (name.into_vec(), value.into_vec())).collect());
        let credentials = Credentials::of_this_thread()?;
        let same = start.and_then(|start| start.credentials.as_ref()) == Some(&credentials);
        Ok(Launch { face: Face { name, stack }, directory, environment, credentials: (!same).then_some(credentials) })
    }

    /// Takes on the credentials of the spawning thread. Only while this process has one thread. Says whether they were
    /// others: then this process has lost the signal that it gets when its parent dies.
    pub(super) fn take_on_credentials(&self) -> std::io::Result<bool> {
        match &self.credentials {
            Some(credentials) => credentials.take_on().map(|()| true).map_err(Into::into),
            None => Ok(false),
        }
    }

    /// Makes this process as the spawning one was. Only while it has one thread.
    pub(super) fn apply(&self) -> std::io::Result<()> {
        if let Some(environment) = &self.environment {
            let wanted: HashMap<&[u8], &[u8]> =
                environment.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
            for (name, _) in std::env::vars_os() {
                if !wanted.contains_key(name.as_bytes()) {
                    // SAFETY: this process has just been forked and has one thread.
                    unsafe { std::env::remove_var(&name) };
                }
            }
            for (name, value) in wanted {
                let (name, value) = (std::ffi::OsStr::from_bytes(name), std::ffi::OsStr::from_bytes(value));
                if std::env::var_os(name).as_deref() != Some(value) {
                    // SAFETY: as above.
                    unsafe { std::env::set_var(name, value) };
                }
            }
        }
        match &self.directory {
            Some(directory) => directory.enter(),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launch_into_this_process_is_read_as_one_with_nothing_but_a_face() {
        for name in [String::from("eats[12]"), "eats".repeat(100)] {
            let bytes = Launch::here(&name, 8 << 20, <[u8]>::to_vec);
            let launch: Launch = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(launch.to_bytes(), bytes);
            assert_eq!(launch, Launch { face: Face { name, stack: 8 << 20 }, ..Launch::default() });
        }
    }
}
