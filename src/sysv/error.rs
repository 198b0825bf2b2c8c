//! What can go wrong with an object of the kernel: a queue, a semaphore, a segment of memory.
//!
//! Knows nothing of how one is used.

use super::key::Key;
use rustix::io::Errno;
use std::io;

/// Why an operation on a [`MessageQueue`](super::MessageQueue), a [`Semaphore`](super::Semaphore) or a
/// [`SharedMemory`](super::SharedMemory) did not take place.
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
    /// There is none with this key.
    #[error(
        "there is none with the key {key} ({key:#010x}): start the program that makes it; `ipcs` lists the queues, \
         semaphores and segments there are"
    )]
    NotFound {
        /// The key.
        key: Key,
    },
    /// There is one with this key already.
    #[error(
        "there is one with the key {key} already: open it, or remove it, a queue with `ipcrm -Q {key:#010x}`, a \
         semaphore with `-S`, a segment with `-M`"
    )]
    AlreadyExists {
        /// The key.
        key: Key,
    },
    /// Its owner and its mode do not let this process do that.
    #[error(
        "this process may not {action} the {object} with the key {key} ({key:#010x}): `{}` shows its owner and its \
         mode",
        Noun::list_of(object)
    )]
    Permission {
        /// The key.
        key: Key,
        /// What it is: `message queue`, `semaphore` or `segment`.
        object: &'static str,
        /// What was tried: `open`, `send to`, `receive from`, `acquire`, `post to`, `attach`, `look at`, `change` or
        /// `remove`, for example.
        action: &'static str,
    },
    /// Somebody has removed it, before the operation or while it waited.
    #[error("it has been removed; `ipcs` lists the queues, semaphores and segments there are")]
    Removed,
    /// The queue is full or has no such message, the semaphore has too few permits, and the operation does not wait.
    #[error(
        "the operation does not wait, and the message queue is full or has no such message, or the semaphore has too \
         few permits"
    )]
    WouldBlock,
    /// The time is up.
    #[error("the time is up: the message queue was full or had no such message, or the semaphore had too few permits")]
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
    /// Whoever has made the semaphore has not given it its first permits, and is stopped or dead.
    #[error(
        "the semaphore with the key {key} was made and has never had a value: its maker is stopped or dead; remove it \
         with `ipcrm -S {key:#010x}`"
    )]
    Unfinished {
        /// The key.
        key: Key,
    },
    /// The segment is smaller than what was asked for.
    #[error(
        "the segment with the key {key} ({key:#010x}) has fewer than {bytes} bytes: `ipcs -m` shows its size, which \
         never changes"
    )]
    TooSmall {
        /// The key.
        key: Key,
        /// What was asked for.
        bytes: usize,
    },
    /// What was to be read or written does not lie in the segment.
    #[error("{bytes} bytes from {offset} on do not lie in a segment of {size} bytes")]
    OutOfRange {
        /// Where they begin.
        offset: usize,
        /// How many they are.
        bytes: usize,
        /// The bytes of the segment.
        size: usize,
    },
    /// A number does not stand at a multiple of its size, so no instruction changes it as a whole.
    #[error("a number of {bytes} bytes stands at a multiple of {bytes}, not at {offset}")]
    Unaligned {
        /// Where it was looked for.
        offset: usize,
        /// Its size.
        bytes: usize,
    },
    /// The segment was attached for reading.
    #[error("the segment with the key {key} ({key:#010x}) is attached for reading: `attach` it to write, too")]
    ReadOnly {
        /// The key.
        key: Key,
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

/// What something of the kernel is called, and how the system lists it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noun {
    pub(super) name: &'static str,
    list: &'static str,
}

impl Noun {
    pub(super) const QUEUE: Noun = Noun { name: "message queue", list: "ipcs -q" };
    pub(super) const SEMAPHORE: Noun = Noun { name: "semaphore", list: "ipcs -s" };
    pub(super) const SEGMENT: Noun = Noun { name: "segment", list: "ipcs -m" };

    fn list_of(name: &str) -> &'static str {
        let nouns = [Noun::QUEUE, Noun::SEMAPHORE, Noun::SEGMENT];
        nouns.into_iter().find(|noun| noun.name == name).map_or("ipcs", |noun| noun.list)
    }
}

impl SysvError {
    /// Whether it has been removed.
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

    /// What the system means when it refuses to do this with something that was there.
    pub(super) fn of(errno: Errno, key: Key, noun: Noun, action: &'static str) -> SysvError {
        match errno {
            Errno::ACCESS | Errno::PERM => SysvError::Permission { key, object: noun.name, action },
            // Told of its removal in the middle of the call, or by a number that no queue has any more.
            Errno::IDRM | Errno::INVAL => SysvError::Removed,
            errno => SysvError::System {
                call: format!("the system does not {action} the {} with the key {key} ({key:#010x})", noun.name),
                errno: errno.raw_os_error(),
            },
        }
    }
}
