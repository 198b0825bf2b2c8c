//! A queue as a guard: the messages of one kind, as the other side of a bridge.
//!
//! Knows nothing of who else receives. The kernel can neither wait for a queue beside other things, nor say whether
//! there is a message of some kind without taking it. So the alternation tries to take one when its guard is chosen,
//! and not before; the thread of the bridge looks ever less often whether there is any message at all. If there are
//! only messages of other kinds, the alternation tries in vain, as often as that thread looks.

use super::error::SysvError;
use super::patience::{Patience, Pause};
use super::queue::MessageQueue;
use crate::bridge::{Bridge, Lookout, Sealed, Source};
use crate::channel::{ChannelError, MessageError};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::park_timeout;
use std::time::Instant;

/// The messages of one kind in a queue of the kernel, as the other side of a [`Bridge`].
///
/// # Examples
/// See [`MessageQueue::bridge`].
pub struct Messages {
    queue: MessageQueue,
    kind: i64,
    /// A message has come: the next one may come soon.
    came: Arc<AtomicBool>,
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
        Bridge::to(Messages { queue: self.clone(), kind, came: Arc::default() })
    }

    /// Whether trying to take a message is worth it. Who cannot be told is told no lie by trying.
    fn is_worth_a_try(&self) -> bool {
        self.status().map_or(true, |status| status.messages > 0)
    }
}

impl Messages {
    fn within(&self, patience: Patience) -> Result<(Vec<u8>, i64), ChannelError> {
        let taken = self.queue.take(self.kind, patience);
        if taken.is_ok() {
            self.came.store(true, Ordering::Relaxed);
        }
        taken.map_err(|error| match error {
            SysvError::Removed => ChannelError::Retired,
            SysvError::WouldBlock => ChannelError::WouldBlock,
            SysvError::TimedOut => ChannelError::TimedOut,
            error => ChannelError::Invalid(MessageError::System { reason: error.to_string() }),
        })
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
        match self.within(Patience::None) {
            Ok(message) => Ok(Some(message)),
            Err(ChannelError::WouldBlock) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(&self, until: Option<Instant>) -> Result<(Vec<u8>, i64), ChannelError> {
        self.within(until.map_or(Patience::Endless, Patience::Until))
    }

    fn lookout(&self) -> Result<Lookout, ChannelError> {
        let (queue, came) = (self.queue.clone(), self.came.clone());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let mut pause = Pause::default();
        let wait = move || {
            if came.swap(false, Ordering::Relaxed) {
                pause = Pause::default();
            }
            while !stopped.load(Ordering::Acquire) {
                // Also before the first look: who asks has just looked.
                park_timeout(pause.next());
                if queue.is_worth_a_try() {
                    return;
                }
            }
        };
        // The thread is unparked after this.
        Ok(Lookout { wait: Box::new(wait), interrupt: Box::new(move || stop.store(true, Ordering::Release)) })
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
