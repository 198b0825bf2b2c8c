//! A queue, a semaphore or a segment that is removed with its owner.
//!
//! Knows nothing of what it is.

use super::object::Object;
use super::queue::MessageQueue;
use std::mem::ManuallyDrop;
use std::ops::Deref;

/// A [`MessageQueue`], [`Semaphore`](super::Semaphore) or [`SharedMemory`](super::SharedMemory) that is removed when
/// this is dropped, also when its owner panics.
///
/// A process that is killed, or that ends by [`exit`](std::process::exit) or a panic that aborts, drops nothing and
/// leaves it behind; `ipcrm` with `-Q`, `-S` or `-M` and the key removes it. To remove it on Ctrl-C, handle the signal.
///
/// # Examples
/// ```
/// use csproc::sysv::{Key, MessageQueue};
///
/// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
/// let other = (*queue).clone();
/// let died = std::thread::spawn(move || {
///     let _owner = queue;
///     panic!("the owner panics");
/// });
/// assert!(died.join().is_err());
/// assert!(other.send("late", 1).unwrap_err().is_removed());
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "it is removed at once if this is not kept"]
pub struct Owned<T: Object = MessageQueue> {
    object: T,
    /// A copy that a bare fork has made owns nothing.
    process: u32,
}

impl<T: Object> Owned<T> {
    pub(super) fn of(object: T) -> Owned<T> {
        Owned { object, process: std::process::id() }
    }

    /// Gives it back; it is no longer removed.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop().keep();
    /// queue.send("still there", 1)?;
    /// queue.remove()?;
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn keep(self) -> T {
        ManuallyDrop::new(self).object.clone()
    }
}

impl MessageQueue {
    /// Removes the queue when what this gives is dropped, also when its owner panics.
    ///
    /// # Examples
    /// See [`Owned`].
    pub fn remove_on_drop(self) -> Owned {
        Owned::of(self)
    }
}

impl<T: Object> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.object
    }
}

impl<T: Object> Drop for Owned<T> {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            // Somebody may have removed it before.
            let _ = self.object.remove();
        }
    }
}
