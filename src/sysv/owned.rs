//! A queue that is removed with its owner.
//!
//! Knows nothing of messages.

use super::queue::MessageQueue;
use std::mem::ManuallyDrop;
use std::ops::Deref;

/// A queue that is removed when this is dropped; see [`MessageQueue::remove_on_drop`].
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
#[must_use = "the queue is removed at once if this is not kept"]
pub struct Owned {
    queue: MessageQueue,
    /// A copy that a bare fork has made owns nothing.
    process: u32,
}

impl Owned {
    /// Gives the queue back, which is no longer removed.
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
    pub fn keep(self) -> MessageQueue {
        ManuallyDrop::new(self).queue.clone()
    }
}

impl MessageQueue {
    /// Removes the queue when what this gives is dropped, also when its owner panics.
    ///
    /// A process that is killed, or that ends by [`exit`](std::process::exit) or a panic that aborts, drops nothing and
    /// leaves the queue behind; `ipcrm -Q KEY` removes it. To remove it on Ctrl-C, handle the signal.
    ///
    /// # Examples
    /// See [`Owned`].
    pub fn remove_on_drop(self) -> Owned {
        Owned { queue: self, process: std::process::id() }
    }
}

impl Deref for Owned {
    type Target = MessageQueue;

    fn deref(&self) -> &MessageQueue {
        &self.queue
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            // Somebody may have removed it before.
            let _ = self.queue.remove();
        }
    }
}
