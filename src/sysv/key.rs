//! The number by which programs find the same queue.
//!
//! Knows nothing of queues.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The number by which programs find the same queue; any `i32` is one.
///
/// # Examples
/// ```
/// use csproc::sysv::Key;
///
/// let key = Key::from(128);
/// assert_eq!(key.to_string(), "128");
/// assert_eq!(format!("{key:#010x}"), "0x00000080"); // as `ipcs` writes it
/// assert_eq!(i32::from(key), 128);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key(i32);

impl Key {
    /// No key: a queue that is made with it is a new one, and can be found by those alone who are given it.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let one = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// let other = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// assert_ne!(*one, *other);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub const PRIVATE: Key = Key(libc::IPC_PRIVATE);
}

impl From<i32> for Key {
    fn from(number: i32) -> Key {
        Key(number)
    }
}

impl From<Key> for i32 {
    fn from(key: Key) -> i32 {
        key.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::LowerHex for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}
