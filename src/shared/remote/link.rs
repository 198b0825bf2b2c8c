//! `Link`: the client's side, which asks the server of a place and reads its answers.
//!
//! Knows nothing of what is asked. It keeps connections that are idle, and makes one more when all are in use. It leads
//! to one instance of the server: another one at the same place is not taken for it.
//!
//! A link can be for one purpose: then its connections are its own, and are closed with its last clone in the process,
//! by which the server knows that nobody there has that purpose any more.

use super::error::ServeError;
use super::frame::{LIMIT, read, write};
use super::hello::{Instance, PATIENCE, introduce, random};
use super::place::{reach, whole};
use super::{DONE, ENDS, HELD, TAKEN};
use parking_lot::{Mutex, MutexGuard};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::panic::RefUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How many idle connections are kept.
const KEPT: usize = 8;

/// Why there is no answer.
#[derive(Debug)]
pub(in crate::shared) enum Broken {
    /// The server has ended, or another one is in its place. What was asked for was not done.
    Ended,
    /// The connection broke after the request had gone, or there was none to be had.
    Failed(String),
    /// The time is over, and there is no answer. It is not to be had any more: the connection was closed.
    Late(String),
}

/// What was answered.
#[derive(Debug)]
pub(in crate::shared) struct Answer {
    /// With the byte that says what they are.
    bytes: Vec<u8>,
}

impl Answer {
    pub(in crate::shared) fn bytes(&self) -> &[u8] {
        self.bytes.get(1..).unwrap_or_default()
    }

    /// Whether it is something that the server had in hand, and this program has now.
    pub(in crate::shared) fn was_held(&self) -> bool {
        self.bytes.first() == Some(&HELD)
    }
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
    /// What it is for; 0 is anything.
    purpose: u64,
}

struct Idle {
    /// Whose they are: after a bare fork, none of ours.
    process: u32,
    streams: Vec<UnixStream>,
    /// How the server knows which connections are those of this link in this process.
    number: Option<u128>,
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
        let deadline = Instant::now() + PATIENCE;
        let stream = reach(&path, deadline)?;
        let instance = introduce(&stream, &path, key, deadline)?;
        let link = Link::to(To { path, key: key.to_vec(), instance, purpose: 0 });
        link.keep(stream);
        Ok(link)
    }

    /// A link to the same server for one purpose, which is not 0.
    pub(in crate::shared) fn apart(&self, purpose: u64) -> Link {
        Link::to(To { purpose, ..self.0.to.clone() })
    }

    fn to(to: To) -> Link {
        let mut links = LINKS.lock();
        links.retain(|link| link.strong_count() > 0);
        if let Some(same) = links.iter().filter_map(Weak::upgrade).find(|ends| ends.to == to) {
            return Link(same);
        }
        let idle = Mutex::new(Idle { process: 0, streams: Vec::new(), number: None });
        let ends = Arc::new(Ends { to, idle });
        links.push(Arc::downgrade(&ends));
        Link(ends)
    }

    /// Where it leads to.
    pub(in crate::shared) fn path(&self) -> &Path {
        &self.0.to.path
    }

    /// A number that no other link has, nor this one in another process.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(in crate::shared) fn number(&self) -> Result<u128, Broken> {
        let mut idle = self.own();
        match idle.number {
            Some(number) => Ok(number),
            None => {
                let number = u128::from_le_bytes(random().map_err(|error| self.failed(error))?);
                idle.number = Some(number);
                Ok(number)
            }
        }
    }

    /// Asks with these parts, and waits for the answer, until then at most.
    ///
    /// # Errors
    /// See [`Broken`].
    pub(in crate::shared) fn ask(&self, request: [&[u8]; 2], until: Option<Instant>) -> Result<Answer, Broken> {
        // One that was idle may have ended since it was looked at; a new one tells whether the server has.
        while let Some(stream) = self.idle() {
            match self.exchange(stream, request, until) {
                Err(Broken::Ended) => (),
                other => return other,
            }
        }
        let stream = self.connect()?;
        self.exchange(stream, request, until)
    }

    fn exchange(&self, stream: UnixStream, request: [&[u8]; 2], until: Option<Instant>) -> Result<Answer, Broken> {
        let length = request[0].len() + request[1].len();
        if length > LIMIT {
            return Err(self.failed(format_args!("a request of {length} bytes is too long")));
        }
        let sent = write(&stream, request);
        if let Some(until) = until
            && sent.is_ok()
            && is_silent(&stream, until.saturating_duration_since(Instant::now())).unwrap_or(false)
        {
            return Err(Broken::Late(self.told("it has not answered in time")));
        }
        // Also if it could not be sent: the server may have said that it ends.
        match (sent, read(&stream)) {
            (Ok(()), Ok(Some(bytes))) if bytes.first() == Some(&DONE) => {
                self.keep(stream);
                Ok(Answer { bytes })
            }
            (Ok(()), Ok(Some(bytes))) if bytes.first() == Some(&HELD) => {
                // Not had until the system has taken the word: the server has it still, and nothing was done.
                write(&stream, [&[TAKEN], &[]]).map_err(|_| Broken::Ended)?;
                self.keep(stream);
                Ok(Answer { bytes })
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
        Broken::Failed(self.told(reason))
    }

    fn told(&self, reason: impl fmt::Display) -> String {
        format!("the manager at {}: {reason}", self.path().display())
    }

    fn connect(&self) -> Result<UnixStream, Broken> {
        let To { path, key, instance, .. } = &self.0.to;
        let deadline = Instant::now() + PATIENCE;
        let connected = reach(path, deadline).and_then(|stream| Ok((introduce(&stream, path, key, deadline)?, stream)));
        match connected {
            Ok((found, stream)) if found == *instance => Ok(stream),
            Ok(_) | Err(ServeError::NotFound { .. } | ServeError::Key { .. } | ServeError::Version { .. }) => {
                Err(Broken::Ended)
            }
            Err(error) => Err(Broken::Failed(error.to_string())),
        }
    }

    /// What this process has: after a bare fork, nothing of its parent's.
    fn own(&self) -> MutexGuard<'_, Idle> {
        let mut idle = self.0.idle.lock();
        let own = std::process::id();
        if idle.process != own {
            *idle = Idle { process: own, streams: Vec::new(), number: None };
        }
        idle
    }

    /// A connection that was idle and, as far as can be seen, has not ended.
    fn idle(&self) -> Option<UnixStream> {
        let mut idle = self.own();
        while let Some(stream) = idle.streams.pop() {
            // Nothing is to be read there but that it has ended.
            if is_silent(&stream, Duration::ZERO).unwrap_or(false) {
                return Some(stream);
            }
        }
        None
    }

    fn keep(&self, stream: UnixStream) {
        let mut idle = self.own();
        if idle.streams.len() < KEPT {
            idle.streams.push(stream);
        }
    }
}

/// Whether the other side has gone: in the middle of an answer, or before it has read what it was asked.
fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
}

/// Whether nothing is to be read there, not even an end, for so long.
fn is_silent(stream: &UnixStream, patience: Duration) -> io::Result<bool> {
    let until = Instant::now() + patience;
    loop {
        let left = Timespec::try_from(until.saturating_duration_since(Instant::now())).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(stream, PollFlags::IN)], Some(&left)) {
            Ok(0) => return Ok(true),
            Ok(_) => return Ok(false),
            Err(Errno::INTR) => (),
            Err(error) => return Err(error.into()),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Shutdown;
    use std::thread::spawn;

    fn link() -> Link {
        Link::to(To { path: PathBuf::from("/nowhere"), key: Vec::new(), instance: [0; 16], purpose: 0 })
    }

    #[test]
    fn what_was_held_is_had_once_the_system_has_taken_the_word() {
        for is_shut in [false, true] {
            let (a, b) = UnixStream::pair().unwrap();
            let server = spawn(move || {
                assert_eq!(read(&b).unwrap().unwrap(), b"get it");
                if is_shut {
                    // It ends; what is said from here on is not read.
                    b.shutdown(Shutdown::Read).unwrap();
                }
                write(&b, [&[HELD], b"an item"]).unwrap();
                read(&b).unwrap()
            });
            let answer = link().exchange(a, [b"get", b" it"], None);
            match is_shut {
                false => assert!(matches!(answer, Ok(answer) if answer.was_held() && answer.bytes() == b"an item")),
                true => assert!(matches!(answer, Err(Broken::Ended))),
            }
            assert_eq!(server.join().unwrap(), (!is_shut).then(|| vec![TAKEN]));
        }
    }

    #[test]
    fn whoever_is_late_is_not_waited_for_and_hears_that_nobody_listens() {
        let (a, b) = UnixStream::pair().unwrap();
        let began = Instant::now();
        let patience = Duration::from_millis(50);
        let late = link().exchange(a, [b"get", b""], Some(began + patience)).unwrap_err();
        assert!(matches!(late, Broken::Late(reason) if reason.contains("/nowhere")) && began.elapsed() >= patience);
        assert_eq!(read(&b).unwrap().unwrap(), b"get");
        assert_eq!(read(&b).unwrap(), None);
    }

    #[test]
    fn a_link_for_a_purpose_is_one_in_a_process_and_no_other_one() {
        let (one, same) = (link().apart(1), link().apart(1));
        let other = link().apart(2);
        assert_eq!(one.number().unwrap(), same.number().unwrap());
        assert_ne!(one.number().unwrap(), other.number().unwrap());
    }
}
