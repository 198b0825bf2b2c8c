//! `Options`: what something of the kernel is made with.
//!
//! Knows nothing of how it is made.

use super::error::{Noun, SysvError};
use super::key::Key;
use super::queue::MessageQueue;
use crate::sys::sysv::Opening;
use rustix::io::{Errno, Result as Told};
use std::marker::PhantomData;

/// What a queue, a semaphore or a segment is made with; see [`MessageQueue::options`],
/// [`Semaphore::options`](super::Semaphore::options) and [`SharedMemory::options`](super::SharedMemory::options).
///
/// # Examples
/// ```
/// use csproc::sysv::{Key, MessageQueue, SharedMemory};
///
/// let queue = MessageQueue::options().mode(0o660).create(Key::PRIVATE)?.remove_on_drop();
/// let segment = SharedMemory::options().mode(0o640).create(Key::PRIVATE, 100)?.remove_on_drop();
/// assert_eq!((queue.status()?.mode, segment.status()?.mode), (0o660, 0o640));
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Options<T = MessageQueue> {
    mode: u32,
    made: PhantomData<fn() -> T>,
}

impl<T> Options<T> {
    pub(super) fn new() -> Options<T> {
        Options { mode: 0o600, made: PhantomData }
    }

    /// Who may receive, look and read (`0o400`, `0o040`, `0o004`), and who may send, change and write (`0o200`, …):
    /// the owner, the group, everybody else.
    ///
    /// `0o600` unless said otherwise. The umask does not matter. What is there already keeps its mode; then this is
    /// what the opening process must be allowed to do.
    ///
    /// # Examples
    /// See [`Options`].
    pub fn mode(mut self, mode: u32) -> Options<T> {
        self.mode = mode;
        self
    }

    /// The mode, if it has no other bits than the nine, which the kernel would take for something else.
    pub(super) fn checked(&self, call: &str) -> Result<u16, SysvError> {
        let mode = u16::try_from(self.mode).ok().filter(|mode| mode & !0o777 == 0);
        mode.ok_or_else(|| SysvError::System {
            call: format!("{call} with the mode {:#o}", self.mode),
            errno: Errno::INVAL.raw_os_error(),
        })
    }
}

/// What the kernel says when it is asked for the number that a key has.
pub(super) fn found(found: Told<i32>, key: Key, noun: Noun, limit: &'static str) -> Result<i32, SysvError> {
    found.map_err(|errno| match errno {
        Errno::NOENT => SysvError::NotFound { key },
        Errno::EXIST => SysvError::AlreadyExists { key },
        Errno::NOSPC => SysvError::Limit { what: limit },
        errno => SysvError::of(errno, key, noun, "open"),
    })
}

/// Opens what must be there: with no key the kernel would make one.
pub(super) fn existing(key: Key, open: impl FnOnce(Opening) -> Result<i32, SysvError>) -> Result<i32, SysvError> {
    if key == Key::PRIVATE { Err(SysvError::NotFound { key }) } else { open(Opening::Open) }
}
