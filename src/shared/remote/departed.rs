//! `Clients`: the processes that have come, and what is to be done when one of them has died.
//!
//! Knows nothing of what they ask. The end of a process ends its connections, unless somebody has a copy of them: one
//! that a bare `fork` has made, or that was handed a descriptor. So the process itself is watched, by the number that
//! the kernel remembers of who has connected, and its connections are shut when it is gone. Where the kernel does not
//! show the process here, or gives no descriptor for it (before Linux 5.3), and where there are too many, the end of
//! the connection is all that tells.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::BTreeMap;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Weak};

/// How many processes are watched at most: each takes a descriptor, of which there are 1024 by default.
const MOST: usize = 128;

/// The process at the other end of a connection, as the kernel remembers it; none that it does not show here.
pub(super) fn process_of(stream: &UnixStream) -> Option<Pid> {
    let peer = socket_peercred(stream).ok()?;
    Pid::from_raw(peer.pid.as_raw_nonzero().get())
}

/// The processes that have come.
#[derive(Default)]
pub(super) struct Clients(BTreeMap<i32, Client>);

struct Client {
    /// Readable when it is gone.
    end: OwnedFd,
    /// By which it has come.
    streams: Vec<Weak<UnixStream>>,
}

impl Clients {
    /// From now on the connection ends with the process at its other end.
    pub(super) fn add(&mut self, stream: &Arc<UnixStream>) {
        let Some(process) = process_of(stream) else { return };
        // Of one that has died another one may have the number.
        self.look(None, Some(&NO_TIME));
        let number = process.as_raw_nonzero().get();
        if let Some(client) = self.0.get_mut(&number) {
            client.streams.push(Arc::downgrade(stream));
            return;
        }
        if self.0.len() >= MOST {
            return;
        }
        match pidfd_open(process, PidfdFlags::empty()) {
            Ok(end) => {
                self.0.insert(number, Client { end, streams: vec![Arc::downgrade(stream)] });
            }
            Err(Errno::SRCH) => shut(stream),
            Err(_) => (),
        }
    }

    /// Waits until somebody is at the door. Meanwhile the connections of those who die end.
    pub(super) fn wait_at(&mut self, door: BorrowedFd<'_>) {
        while !self.look(Some(door), None) {}
    }

    /// Waits, so long at most, until somebody has died or is at the door. Whether it is the latter, or nobody could
    /// look: then whoever opens the door finds out.
    fn look(&mut self, door: Option<BorrowedFd<'_>>, patience: Option<&Timespec>) -> bool {
        self.0.retain(|_, client| {
            client.streams.retain(|stream| stream.strong_count() > 0);
            !client.streams.is_empty()
        });
        let ends = self.0.values().map(|client| client.end.as_fd());
        let mut all: Vec<PollFd<'_>> =
            ends.chain(door).map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN)).collect();
        match poll(&mut all, patience) {
            Ok(_) => (),
            Err(Errno::INTR) => return false,
            Err(_) => return true,
        }
        let mut has_come = all.iter().map(|end| !end.revents().is_empty()).collect::<Vec<bool>>().into_iter();
        self.0.retain(|_, client| {
            let has_died = has_come.next().unwrap_or(false);
            if has_died {
                client.streams.iter().filter_map(Weak::upgrade).for_each(|stream| shut(&stream));
            }
            !has_died
        });
        has_come.next().unwrap_or(false)
    }
}

const NO_TIME: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// What was said before is still read, and then the connection has ended.
fn shut(stream: &UnixStream) {
    let _ = stream.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_process_is_watched_once_and_as_long_as_it_has_a_connection() {
        let mut clients = Clients::default();
        let [(one, _one), (other, _other)] = [(); 2].map(|()| UnixStream::pair().unwrap());
        let (one, other) = (Arc::new(one), Arc::new(other));
        clients.add(&one);
        clients.add(&other);
        for (stream, left) in [(one, 1), (other, 0)] {
            assert_eq!(clients.0.len(), 1);
            drop(stream);
            assert!(!clients.look(None, Some(&NO_TIME)));
            assert_eq!(clients.0.len(), left);
        }
    }

    #[test]
    fn who_is_at_the_door_is_heard_while_others_live() {
        let mut clients = Clients::default();
        let (inside, _other) = UnixStream::pair().unwrap();
        let inside = Arc::new(inside);
        clients.add(&inside);
        let path = std::env::temp_dir().join(format!("csproc-door-{}", std::process::id()));
        let door = UnixListener::bind(&path).unwrap();
        let comes = std::thread::spawn({
            let path = path.clone();
            move || UnixStream::connect(path).unwrap()
        });
        clients.wait_at(door.as_fd());
        door.accept().unwrap();
        comes.join().unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(clients.0.len(), 1);
    }

    #[test]
    fn of_a_connection_that_was_shut_what_was_said_before_is_read() {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        other.write_all(b"said").unwrap();
        shut(&one);
        let mut said = Vec::new();
        one.read_to_end(&mut said).unwrap();
        assert_eq!(said, b"said");
        assert!(other.write_all(b"more").is_err());
    }
}
