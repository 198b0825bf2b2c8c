//! What the kernel has until somebody removes it.
//!
//! Knows nothing of what it is good for.

use super::error::SysvError;
use std::fmt;

/// What the kernel has until somebody removes it: a [`MessageQueue`](super::MessageQueue), a
/// [`Semaphore`](super::Semaphore), a [`SharedMemory`](super::SharedMemory).
///
/// # Examples
/// ```
/// use csproc::sysv::{Key, MessageQueue, Object, Semaphore};
///
/// fn remove_all<T: Object>(objects: &[T]) -> usize {
///     objects.iter().filter(|object| object.remove().is_ok()).count()
/// }
/// let queues = [MessageQueue::create(Key::PRIVATE)?, MessageQueue::create(Key::PRIVATE)?];
/// assert_eq!(remove_all(&queues), 2);
/// assert_eq!(remove_all(&[Semaphore::create(Key::PRIVATE, 1)?]), 1);
/// # Ok::<(), csproc::Error>(())
/// ```
pub trait Object: Clone + fmt::Debug + Sealed {
    /// Removes it from the system, for everybody.
    ///
    /// # Errors
    /// As those of its own `remove`.
    fn remove(&self) -> Result<(), SysvError>;
}

/// Keeps the trait to this crate, so that it can grow.
pub trait Sealed {}
