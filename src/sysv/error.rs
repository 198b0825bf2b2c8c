//! What can go wrong with a queue of the kernel.
//!
//! Knows nothing of how a queue is used.

use super::key::Key;
use rustix::io::Errno;
use std::io;

/// Why an operation on a [`MessageQueue`](super::MessageQueue) did not take place.
///
/// # Examples
/// ```
/// use csproc::sysv::{Key, MessageQueue, SysvError};
///
/// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
/// assert_eq!(queue.send("none", 0), Err(SysvError::Kind { kind: 0 }));
/// assert_eq!(queue.try_receive(0), Err(SysvError::WouldBlock));
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SysvError {
    /// There is no queue with this key.
    #[error(
        "no message queue has the key {key} ({key:#010x}): start the program that makes it; `ipcs -q` lists those \
         there are"
    )]
    NotFound {
        /// The key.
        key: Key,
    },
    /// There is a queue with this key already.
    #[error("a message queue has the key {key} already: open it, or remove it with `ipcrm -Q {key:#010x}`")]
    AlreadyExists {
        /// The key.
        key: Key,
    },
    /// The owner and the mode of the queue do not let this process do that.
    #[error(
        "this process may not {action} the message queue with the key {key} ({key:#010x}): `ipcs -q` shows its \
         owner and its mode"
    )]
    Permission {
        /// The key.
        key: Key,
        /// What was tried: `open`, `send to`, `receive from`, `look at`, `change` or `remove`.
        action: &'static str,
    },
    /// Somebody has removed the queue, before the operation or while it waited.
    #[error("the message queue has been removed; `ipcs -q` lists those there are")]
    Removed,
    /// The queue is full, or has no such message, and the operation does not wait.
    #[error("the message queue is full, or has no such message, and the operation does not wait")]
    WouldBlock,
    /// The time is up.
    #[error("the time is up: the message queue was full, or had no such message")]
    TimedOut,
    /// No such message will ever have room.
    #[error(
        "a message of {bytes} bytes is longer than the {limit} that are possible: send it in pieces, or raise \
         `/proc/sys/kernel/msgmax` and the capacity of the queue"
    )]
    TooLong {
        /// The length of the message.
        bytes: usize,
        /// The smaller of what a message may have and what the queue may have.
        limit: usize,
    },
    /// A message cannot have such a kind.
    #[error("{kind} is no kind of a message: kinds begin with 1")]
    Kind {
        /// What was given.
        kind: i64,
    },
    /// A limit of the system is met.
    #[error("the system allows no more: {what}")]
    Limit {
        /// Of what, where the limit stands, and what helps.
        what: &'static str,
    },
    /// The system refuses for another reason.
    #[error("{call}: {}", io::Error::from_raw_os_error(*errno))]
    System {
        /// The call.
        call: String,
        /// The number of the error.
        errno: i32,
    },
}

impl SysvError {
    /// Whether the queue has been removed.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?;
    /// queue.remove()?;
    /// assert!(queue.receive(0).unwrap_err().is_removed());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn is_removed(&self) -> bool {
        *self == SysvError::Removed
    }

    /// Whether the operation would have had to wait, and does not.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::sysv::SysvError::WouldBlock.is_would_block());
    /// ```
    pub fn is_would_block(&self) -> bool {
        *self == SysvError::WouldBlock
    }

    /// Whether the time was up.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::sysv::SysvError::TimedOut.is_timed_out());
    /// ```
    pub fn is_timed_out(&self) -> bool {
        *self == SysvError::TimedOut
    }

    /// What the system means when it refuses to do this with a queue that was there.
    pub(super) fn of(errno: Errno, key: Key, action: &'static str) -> SysvError {
        match errno {
            Errno::ACCESS | Errno::PERM => SysvError::Permission { key, action },
            // Told of its removal in the middle of the call, or by a number that no queue has any more.
            Errno::IDRM | Errno::INVAL => SysvError::Removed,
            errno => SysvError::System {
                call: format!("the system does not {action} the message queue with the key {key} ({key:#010x})"),
                errno: errno.raw_os_error(),
            },
        }
    }
}
