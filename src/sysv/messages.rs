//! A queue as a guard: the messages of one kind, as the other side of a bridge.
//!
//! Knows nothing of who else receives. The kernel can neither wait for a queue beside other things, nor say whether
//! there is a message of some kind without taking it. So the alternation tries to take one when its guard is chosen,
//! and not before; the thread of the bridge looks ever less often whether there is any message at all. If there are
//! only messages of other kinds, the alternation tries in vain, as often as that thread looks.

use super::lookout::Luck;
use super::patience::Patience;
use super::queue::MessageQueue;
use crate::bridge::{Bridge, Lookout, Sealed, Source};
use crate::channel::ChannelError;
use std::fmt;
use std::time::Instant;

/// The messages of one kind in a queue of the kernel, as the other side of a [`Bridge`].
///
/// # Examples
/// See [`MessageQueue::bridge`].
pub struct Messages {
    queue: MessageQueue,
    kind: i64,
    luck: Luck,
}

impl MessageQueue {
    /// A guard that takes a message as [`receive`](MessageQueue::receive) does with this kind.
    ///
    /// Nothing is taken unless this guard fires. It learns of a message up to 5 milliseconds after it came, because the
    /// kernel has nothing to wait on. When the queue is removed, the guard is [`Retired`](ChannelError::Retired); when
    /// the process may not receive, it is [`Invalid`](ChannelError::Invalid).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::sysv::{Key, MessageQueue};
    ///
    /// let queue = MessageQueue::create(Key::PRIVATE)?.remove_on_drop();
    /// let (w, r) = csproc::channel::<String>();
    /// let requests = queue.bridge(-2);
    /// queue.send("hello", 2)?;
    /// let said = AltSelect! {
    ///     m = requests.read() => m,
    ///     _v = r.read() => unreachable!(),
    /// }?;
    /// assert_eq!(said, (b"hello".to_vec(), 2));
    ///
    /// queue.remove()?;
    /// assert!(requests.read().unwrap_err().is_retired());
    /// # drop(w);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn bridge(&self, kind: i64) -> Bridge<Messages> {
        Bridge::to(Messages { queue: self.clone(), kind, luck: Luck::default() })
    }

    /// Whether trying to take a message is worth it. Who cannot be told is told no lie by trying.
    fn is_worth_a_try(&self) -> bool {
        self.status().map_or(true, |status| status.messages > 0)
    }
}

impl Sealed for Messages {}

impl Source for Messages {
    type Value = (Vec<u8>, i64);
    type Inner = MessageQueue;

    fn is_ready(&self) -> bool {
        self.queue.is_worth_a_try()
    }

    fn take(&self) -> Result<Option<(Vec<u8>, i64)>, ChannelError> {
        self.luck.chance(self.queue.take(self.kind, Patience::None))
    }

    fn read(&self, until: Option<Instant>) -> Result<(Vec<u8>, i64), ChannelError> {
        self.luck.fate(self.queue.take(self.kind, until.map_or(Patience::Endless, Patience::Until)))
    }

    fn lookout(&self) -> Result<Lookout, ChannelError> {
        let queue = self.queue.clone();
        Ok(self.luck.lookout(move || queue.is_worth_a_try()))
    }

    fn into_inner(self) -> MessageQueue {
        self.queue
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("queue", &self.queue).field("kind", &self.kind).finish()
    }
}
