//! What the kernel tells of a queue, and what can be changed about it.
//!
//! Knows nothing of messages but how many there are.

use super::error::{Noun, SysvError};
use super::facts::{mode, number, process, time};
use super::limit::limit;
use super::queue::MessageQueue;
use crate::sys::sysv;
use std::time::SystemTime;

/// What the kernel tells of a queue; all of one moment.
///
/// # Examples
/// ```
/// use csproc::sysv::{Key, MessageQueue};
///
/// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
/// queue.send("hello", 1)?;
/// let status = queue.status()?;
/// assert_eq!((status.messages, status.bytes, status.mode), (1, 5, 0o600));
/// assert_eq!((status.last_sender, status.last_receiver), (Some(std::process::id()), None));
/// assert!(status.last_sent.is_some());
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// How many messages are in the queue.
    pub messages: usize,
    /// How many bytes they have together.
    pub bytes: usize,
    /// How many bytes they may have; also the greatest number of messages.
    pub capacity: usize,
    /// The process that sent last.
    pub last_sender: Option<u32>,
    /// The process that received last.
    pub last_receiver: Option<u32>,
    /// When somebody sent last; in whole seconds.
    pub last_sent: Option<SystemTime>,
    /// When somebody received last; in whole seconds.
    pub last_received: Option<SystemTime>,
    /// The user who owns the queue.
    pub owner: u32,
    /// The group that owns the queue.
    pub group: u32,
    /// Who may receive and send; see [`Options::mode`](super::Options::mode).
    pub mode: u32,
}

impl MessageQueue {
    /// What the kernel tells of the queue. It may be different a moment later.
    ///
    /// # Errors
    /// [`Removed`](SysvError::Removed), and [`Permission`](SysvError::Permission) when the process may not receive.
    ///
    /// # Examples
    /// See [`Status`].
    pub fn status(&self) -> Result<Status, SysvError> {
        let state = sysv::state(self.id()).map_err(|errno| SysvError::of(errno, self.key(), Noun::QUEUE, "look at"))?;
        Ok(Status {
            messages: number(state.msg_qnum),
            bytes: number(state.__msg_cbytes),
            capacity: number(state.msg_qbytes),
            last_sender: process(state.msg_lspid),
            last_receiver: process(state.msg_lrpid),
            last_sent: time(state.msg_stime),
            last_received: time(state.msg_rtime),
            owner: state.msg_perm.uid,
            group: state.msg_perm.gid,
            mode: mode(state.msg_perm.mode),
        })
    }

    /// Changes how many bytes the messages in the queue may have together; 16384 at first on most systems.
    ///
    /// What is in the queue stays there. Who waits for room is woken when there is some.
    ///
    /// # Errors
    /// [`Limit`](SysvError::Limit) above `/proc/sys/kernel/msgmnb` for a process that may not exceed it,
    /// [`Permission`](SysvError::Permission) for who does not own the queue, and [`Removed`](SysvError::Removed).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue, SysvError};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// queue.set_capacity(4)?;
    /// queue.send("1234", 1)?;
    /// assert!(queue.try_send("5", 1).unwrap_err().is_would_block());
    /// assert_eq!(queue.send("12345", 1), Err(SysvError::TooLong { bytes: 5, limit: 4 }));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn set_capacity(&self, bytes: usize) -> Result<(), SysvError> {
        self.change(|state| state.msg_qbytes = bytes as libc::msglen_t).map_err(|error| match error {
            SysvError::Permission { .. } if limit("msgmnb").is_some_and(|limit| bytes > limit) => {
                SysvError::Limit { what: "the capacity of a message queue, which `/proc/sys/kernel/msgmnb` bounds" }
            }
            error => error,
        })
    }

    /// Changes who may receive and send; see [`Options::mode`](super::Options::mode).
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission) for who does not own the queue, and [`Removed`](SysvError::Removed). Bits
    /// other than the nine are left out.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// queue.set_mode(0o640)?;
    /// assert_eq!(queue.status()?.mode, 0o640);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn set_mode(&self, mode: u32) -> Result<(), SysvError> {
        self.change(|state| state.msg_perm.mode = (mode & 0o777) as _)
    }

    fn change(&self, change: impl FnOnce(&mut libc::msqid_ds)) -> Result<(), SysvError> {
        let changed = sysv::state(self.id()).and_then(|mut state| {
            change(&mut state);
            sysv::change(self.id(), &mut state)
        });
        changed.map_err(|errno| SysvError::of(errno, self.key(), Noun::QUEUE, "change"))
    }
}
