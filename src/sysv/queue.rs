//! A queue of the kernel: messages go in and come out.
//!
//! Knows nothing of how a queue is made, and nothing of alternation.

use super::error::{Noun, SysvError};
use super::key::Key;
use super::limit::limit;
use super::object::{Object, Sealed};
use super::patience::{Missed, Patience};
use crate::channel::settle;
use crate::sys::sysv::{self, Letter};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A message queue of the kernel: bytes go in, each run of them with a *kind*, and come out by kind, the oldest first.
///
/// This is the queue's number, which is not the queue: a clone is the same queue, and dropping it does nothing. It is a
/// message itself, so it can be an argument of a process or go through a channel.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::sysv::{Key, MessageQueue};
///
/// #[process]
/// fn double(queue: MessageQueue) -> csproc::Result<()> {
///     let (bytes, _) = queue.receive(1)?;
///     queue.send([bytes.clone(), bytes].concat(), 2)?;
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
///     queue.send("ab", 1)?;
///     Parallel!(double((*queue).clone())).values()?;
///     assert_eq!(queue.receive(2)?, (b"abab".to_vec(), 2));
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MessageQueue {
    key: Key,
    id: i32,
}

/// Which messages are taken.
#[derive(Clone, Copy)]
enum Choice {
    Kind(i64),
    Except(i64),
}

impl MessageQueue {
    pub(super) fn known(key: Key, id: i32) -> MessageQueue {
        MessageQueue { key, id }
    }

    /// The key that it was made or opened with.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// assert_eq!(queue.key(), Key::PRIVATE);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn key(&self) -> Key {
        self.key
    }

    /// The number that the kernel has given it; `ipcs -q` lists it, and `ipcrm -q` takes it.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// assert_eq!((*queue).clone().id(), queue.id());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Puts a message into the queue; it may be empty. `kind` is at least 1.
    ///
    /// # Blocking
    /// Waits while the queue is full.
    ///
    /// # Errors
    /// [`TooLong`](SysvError::TooLong) for a message that will never have room, [`Kind`](SysvError::Kind) for a kind
    /// below 1, [`Permission`](SysvError::Permission), and [`Removed`](SysvError::Removed), also when the queue is
    /// removed meanwhile.
    ///
    /// # Examples
    /// See [`sysv`](super).
    pub fn send(&self, bytes: impl AsRef<[u8]>, kind: i64) -> Result<(), SysvError> {
        self.put(bytes.as_ref(), kind, Patience::Endless)
    }

    /// Puts a message into the queue if there is room.
    ///
    /// # Errors
    /// As for [`send`](MessageQueue::send), and [`WouldBlock`](SysvError::WouldBlock) when the queue is full.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// while queue.try_send([0; 1000], 1).is_ok() {}
    /// assert!(queue.try_send([0; 1000], 1).unwrap_err().is_would_block());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn try_send(&self, bytes: impl AsRef<[u8]>, kind: i64) -> Result<(), SysvError> {
        self.put(bytes.as_ref(), kind, Patience::None)
    }

    /// Puts a message into the queue, if there is room within `timeout`.
    ///
    /// # Blocking
    /// Waits while the queue is full, at most for `timeout`; it looks every 5 milliseconds at least.
    ///
    /// # Errors
    /// As for [`send`](MessageQueue::send), and [`TimedOut`](SysvError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    /// use std::time::Duration;
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// while queue.try_send([0; 1000], 1).is_ok() {}
    /// assert!(queue.send_timeout([0; 1000], 1, Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn send_timeout(&self, bytes: impl AsRef<[u8]>, kind: i64, timeout: Duration) -> Result<(), SysvError> {
        self.put(bytes.as_ref(), kind, Patience::of(timeout))
    }

    /// Takes a message out of the queue, and says of which kind it is.
    ///
    /// With 0 it is the first message, with a kind the first of that kind, and with a negative number the first of the
    /// lowest kind up to that number without its sign.
    ///
    /// # Blocking
    /// Waits until there is one.
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission), and [`Removed`](SysvError::Removed), also when the queue is removed
    /// meanwhile.
    ///
    /// # Examples
    /// See [`sysv`](super).
    pub fn receive(&self, kind: i64) -> Result<(Vec<u8>, i64), SysvError> {
        self.get(Choice::Kind(kind), Patience::Endless)
    }

    /// Takes a message out of the queue if there is one of that kind.
    ///
    /// # Errors
    /// As for [`receive`](MessageQueue::receive), and [`WouldBlock`](SysvError::WouldBlock) when there is none.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// queue.send("", 2)?;
    /// assert!(queue.try_receive(1).unwrap_err().is_would_block());
    /// assert_eq!(queue.try_receive(2)?, (Vec::new(), 2));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn try_receive(&self, kind: i64) -> Result<(Vec<u8>, i64), SysvError> {
        self.get(Choice::Kind(kind), Patience::None)
    }

    /// Takes a message out of the queue, if one of that kind comes within `timeout`.
    ///
    /// # Blocking
    /// Waits until there is one, at most for `timeout`; it looks every 5 milliseconds at least.
    ///
    /// # Errors
    /// As for [`receive`](MessageQueue::receive), and [`TimedOut`](SysvError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    /// use std::time::Duration;
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// assert!(queue.receive_timeout(0, Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn receive_timeout(&self, kind: i64, timeout: Duration) -> Result<(Vec<u8>, i64), SysvError> {
        self.get(Choice::Kind(kind), Patience::of(timeout))
    }

    /// Takes the first message that is of another kind.
    ///
    /// # Blocking
    /// Waits until there is one.
    ///
    /// # Errors
    /// As for [`receive`](MessageQueue::receive), and [`Kind`](SysvError::Kind) for a kind below 1.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// queue.send("one", 1)?;
    /// queue.send("two", 2)?;
    /// assert_eq!(queue.receive_except(1)?, (b"two".to_vec(), 2));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn receive_except(&self, kind: i64) -> Result<(Vec<u8>, i64), SysvError> {
        if kind < 1 {
            return Err(SysvError::Kind { kind });
        }
        self.get(Choice::Except(kind), Patience::Endless)
    }

    /// Removes the queue from the system, with what is in it, for everybody.
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission) for who does not own the queue, and [`Removed`](SysvError::Removed) when
    /// somebody has been faster.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?;
    /// queue.remove()?;
    /// assert!(queue.remove().unwrap_err().is_removed());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn remove(&self) -> Result<(), SysvError> {
        sysv::remove(self.id).map_err(|errno| SysvError::of(errno, self.key, Noun::QUEUE, "remove"))
    }

    fn put(&self, bytes: &[u8], kind: i64, patience: Patience) -> Result<(), SysvError> {
        settle();
        if kind < 1 {
            return Err(SysvError::Kind { kind });
        }
        let letter = Letter::new(bytes, kind);
        let attempt = |waits| sysv::send(self.id, &letter, waits);
        let sent = Patience::None.keep(attempt).or_else(|missed| match missed {
            // Full; but would it ever be any better?
            Missed::Over(_) => match self.status() {
                Ok(status) if bytes.len() > status.capacity => {
                    Err(Missed::Over(SysvError::TooLong { bytes: bytes.len(), limit: status.capacity }))
                }
                _ => patience.keep(attempt),
            },
            failed => Err(failed),
        });
        sent.map_err(|missed| match missed {
            Missed::Over(error) => error,
            // The same number for a message that is too long and for a queue that is gone.
            Missed::Failed(Errno::INVAL) => match limit("msgmax") {
                Some(limit) if bytes.len() > limit => SysvError::TooLong { bytes: bytes.len(), limit },
                _ => SysvError::Removed,
            },
            Missed::Failed(errno) => SysvError::of(errno, self.key, Noun::QUEUE, "send to"),
        })
    }

    pub(super) fn take(&self, kind: i64, patience: Patience) -> Result<(Vec<u8>, i64), SysvError> {
        self.get(Choice::Kind(kind), patience)
    }

    fn get(&self, choice: Choice, patience: Patience) -> Result<(Vec<u8>, i64), SysvError> {
        /// What the longest message had that this process has met; at first what most systems allow.
        static ROOM: AtomicUsize = AtomicUsize::new(8192);

        settle();
        let (kind, except) = match choice {
            Choice::Kind(kind) => (kind, false),
            Choice::Except(kind) => (kind, true),
        };
        loop {
            let room = ROOM.load(Ordering::Relaxed);
            match patience.keep(|waits| sysv::receive(self.id, room, kind, except, waits)) {
                Ok(letter) => return Ok((letter.bytes(), letter.kind())),
                // It is still there.
                Err(Missed::Failed(Errno::TOOBIG)) => {
                    ROOM.fetch_max(room * 2, Ordering::Relaxed);
                }
                Err(Missed::Failed(errno)) => return Err(SysvError::of(errno, self.key, Noun::QUEUE, "receive from")),
                Err(Missed::Over(error)) => return Err(error),
            }
        }
    }
}

impl Sealed for MessageQueue {}

impl Object for MessageQueue {
    fn remove(&self) -> Result<(), SysvError> {
        MessageQueue::remove(self)
    }
}
