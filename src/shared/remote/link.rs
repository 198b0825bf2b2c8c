//! `Link`: the client's side, which asks the server of a place and reads its answers.
//!
//! Knows nothing of what is asked. It keeps connections that are idle, and makes one more when all are in use. It leads
//! to one instance of the server: another one at the same place is not taken for it.

use super::error::ServeError;
use super::frame::{LIMIT, read, write};
use super::hello::{Instance, introduce};
use super::place::{reach, whole};
use super::{DONE, ENDS};
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::panic::RefUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

/// How many idle connections are kept.
const KEPT: usize = 8;

/// Why there is no answer.
#[derive(Debug)]
pub(in crate::shared) enum Broken {
    /// The server has ended, or another one is in its place. What was asked for was not done.
    Ended,
    /// The connection broke after the request had gone, or there was none to be had.
    Failed(String),
}

/// Leads to the server of a place. A clone, or one that was sent to another process, leads to the same one.
///
/// With it the key travels.
#[derive(Clone)]
pub(in crate::shared) struct Link(Arc<Ends>);

/// A panic leaves nothing half done: a connection that is in use is not among those that are idle. So a proxy is plain
/// for those who ask, as `values()` does, whether it holds an error.
impl RefUnwindSafe for Ends {}

struct Ends {
    to: To,
    idle: Mutex<Idle>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct To {
    path: PathBuf,
    key: Vec<u8>,
    instance: Instance,
}

struct Idle {
    /// Whose they are: after a bare fork, none of ours.
    process: u32,
    streams: Vec<UnixStream>,
}

/// The links of this process. All that lead to the same server share their connections.
static LINKS: Mutex<Vec<Weak<Ends>>> = Mutex::new(Vec::new());

impl Link {
    /// Connects to whoever serves at a path.
    ///
    /// # Errors
    /// Nobody does, or whoever does is of another user, version or key, or has too many clients.
    pub(in crate::shared) fn new(path: &Path, key: &[u8]) -> Result<Link, ServeError> {
        let path = whole(path)?;
        let stream = reach(&path)?;
        let instance = introduce(&stream, &path, key)?;
        let link = Link::to(To { path, key: key.to_vec(), instance });
        link.keep(stream);
        Ok(link)
    }

    fn to(to: To) -> Link {
        let mut links = LINKS.lock();
        links.retain(|link| link.strong_count() > 0);
        if let Some(same) = links.iter().filter_map(Weak::upgrade).find(|ends| ends.to == to) {
            return Link(same);
        }
        let ends = Arc::new(Ends { to, idle: Mutex::new(Idle { process: 0, streams: Vec::new() }) });
        links.push(Arc::downgrade(&ends));
        Link(ends)
    }

    /// Where it leads to.
    pub(in crate::shared) fn path(&self) -> &Path {
        &self.0.to.path
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// See [`Broken`].
    pub(in crate::shared) fn ask(&self, request: &[u8]) -> Result<Vec<u8>, Broken> {
        // One that was idle may have ended since it was looked at; a new one tells whether the server has.
        while let Some(stream) = self.idle() {
            match self.exchange(stream, request) {
                Err(Broken::Ended) => (),
                other => return other,
            }
        }
        let stream = self.connect()?;
        self.exchange(stream, request)
    }

    fn exchange(&self, stream: UnixStream, request: &[u8]) -> Result<Vec<u8>, Broken> {
        if request.len() > LIMIT {
            return Err(self.failed(format_args!("a request of {} bytes is too long", request.len())));
        }
        let sent = write(&stream, [request, &[]]);
        // Also if it could not be sent: the server may have said that it ends.
        match (sent, read(&stream)) {
            (Ok(()), Ok(Some(mut answer))) if answer.first() == Some(&DONE) => {
                self.keep(stream);
                answer.remove(0);
                Ok(answer)
            }
            (_, Ok(Some(word))) if word[..] == [ENDS] => Err(Broken::Ended),
            // Half of a request is none.
            (Err(_), _) => Err(Broken::Ended),
            (Ok(()), Ok(Some(_))) => Err(self.failed("what it answered cannot be understood")),
            (Ok(()), Err(error)) if !is_end(&error) => Err(self.failed(error)),
            (Ok(()), _) => Err(self.failed("it has ended, or closed the connection, before it answered")),
        }
    }

    fn failed(&self, reason: impl fmt::Display) -> Broken {
        Broken::Failed(format!("the manager at {}: {reason}", self.path().display()))
    }

    fn connect(&self) -> Result<UnixStream, Broken> {
        let To { path, key, instance } = &self.0.to;
        let connected = reach(path).and_then(|stream| Ok((introduce(&stream, path, key)?, stream)));
        match connected {
            Ok((found, stream)) if found == *instance => Ok(stream),
            Ok(_) | Err(ServeError::NotFound { .. } | ServeError::Key { .. } | ServeError::Version { .. }) => {
                Err(Broken::Ended)
            }
            Err(error) => Err(Broken::Failed(error.to_string())),
        }
    }

    /// A connection that was idle and, as far as can be seen, has not ended.
    fn idle(&self) -> Option<UnixStream> {
        let mut idle = self.0.idle.lock();
        if idle.process != std::process::id() {
            idle.streams.clear();
        }
        while let Some(stream) = idle.streams.pop() {
            // Nothing is to be read there but that it has ended.
            if is_silent(&stream).unwrap_or(false) {
                return Some(stream);
            }
        }
        None
    }

    fn keep(&self, stream: UnixStream) {
        let mut idle = self.0.idle.lock();
        let own = std::process::id();
        if idle.process != own {
            idle.streams.clear();
            idle.process = own;
        }
        if idle.streams.len() < KEPT {
            idle.streams.push(stream);
        }
    }
}

/// Whether the other side has gone: in the middle of an answer, or before it has read what it was asked.
fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
}

fn is_silent(stream: &UnixStream) -> io::Result<bool> {
    let mut looked_at = [PollFd::new(stream, PollFlags::IN)];
    Ok(poll(&mut looked_at, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? == 0)
}

impl Serialize for Link {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Link, D::Error> {
        To::deserialize(deserializer).map(Link::to)
    }
}

/// Without the key.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.0.to.path).finish()
    }
}
