//! `Channel<T>`: makes a channel, and its ends on request.
//!
//! Knows nothing of communication; that is what the ends are for.

use super::carrier::Carrier;
use super::end::{ChannelId, End, label};
use super::error::MessageError;
use super::reader::Reader;
use super::writer::Writer;
use crate::engine::Store;
use crate::engine::{ChannelKind, Direction, NAME_LIMIT, actor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// A rendezvous channel for any number of writers and readers, in any processes.
///
/// A write and a read meet; neither side goes on before the other is there. Waiting writers and waiting readers are
/// served in order of arrival. The `Channel` itself is neither side: it hands out ends, and keeps the channel in
/// existence. Who holds an end, and why a program does not end: the [guide](crate::guide::channel).
///
/// # Poison and retire
/// [`poison`](Writer::poison) ends all communication at once. When the last end of one side is gone, the channel
/// retires, and the other side sees [`Retired`](crate::ChannelError::Retired). A side that never had an end does not
/// count, so ends may be requested in any order. A side that has retired stays retired.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn source(out: Writer<u64>, n: u64) -> csproc::Result<()> {
///     for i in 0..n {
///         out.write(i)?;
///     }
///     Ok(())
/// }
///
/// #[process]
/// fn sum(input: Reader<u64>) -> u64 {
///     input.into_iter().sum()
/// }
///
/// fn main() -> csproc::Result<()> {
///     let c = Channel::<u64>::new();
///     let ((), total) = Parallel!(source(c.writer(), 10), sum(c.reader())).values()?;
///     assert_eq!(total, 45);
///     Ok(())
/// }
/// ```
pub struct Channel<T> {
    handle: End,
    values: PhantomData<fn(T) -> T>,
}

impl<T> Channel<T> {
    /// A rendezvous channel without a name.
    ///
    /// When the arena has no room for one more channel, the operations on its ends say so;
    /// [`builder`](Channel::builder) tells at once.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<String>::new();
    /// assert!(c.reader().try_read().unwrap_err().is_would_block());
    /// ```
    #[must_use]
    pub fn new() -> Channel<T> {
        Channel::builder().build().unwrap_or_else(|error| Channel::over(End::unmade(error)))
    }

    /// A channel that keeps messages when no reader waits.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::buffered(Buffer::Fifo(2));
    /// let (w, r) = (c.writer(), c.reader());
    /// w.write(1)?;
    /// w.write(2)?;
    /// assert!(w.try_write(3).unwrap_err().is_would_block());
    /// assert_eq!(c.len(), 2);
    /// assert_eq!((r.read()?, r.read()?), (1, 2));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn buffered(buffer: Buffer) -> Channel<T> {
        let built = Channel::builder().buffer(buffer).build();
        built.unwrap_or_else(|error| Channel::over(End::unmade(error)))
    }

    /// A channel with a name and other properties.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<u8>::builder().name("jobs").build()?;
    /// assert_eq!(c.name(), "jobs");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn builder() -> Builder<T> {
        Builder { name: String::new(), buffer: Buffer::Fifo(0), carrier: Carrier::Memory, values: PhantomData }
    }

    fn over(handle: End) -> Channel<T> {
        Channel { handle, values: PhantomData }
    }

    /// What is to be said of the channel before anybody has an end of it is said here.
    pub(crate) fn handle(&self) -> &End {
        &self.handle
    }

    /// One more writing end.
    ///
    /// # Poison and retire
    /// An end counts until it is dropped, and the channel retires with the last one of a side, for good. So keep the
    /// end while you write: `c.writer().write(1)?` drops its end at the semicolon, and the next write finds the channel
    /// retired.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<u8>::new();
    /// let (a, b) = (c.writer(), c.writer());
    /// assert_eq!(a.channel_id(), b.channel_id());
    /// ```
    #[must_use]
    pub fn writer(&self) -> Writer<T> {
        Writer::new(self.handle.another(Direction::Writer))
    }

    /// One more reading end.
    ///
    /// # Poison and retire
    /// As for [`writer`](Channel::writer): the channel retires when the last reading end is dropped.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<u8>::new();
    /// let (a, b) = (c.reader(), c.reader());
    /// assert_eq!(a.channel_id(), b.channel_id());
    /// ```
    #[must_use]
    pub fn reader(&self) -> Reader<T> {
        Reader::new(self.handle.another(Direction::Reader))
    }

    /// The name it was given, or else a number that is unique among the channels of the program.
    ///
    /// # Examples
    /// ```
    /// let (c, d) = (csproc::Channel::<u8>::new(), csproc::Channel::<u8>::new());
    /// assert_ne!(c.name(), d.name());
    /// ```
    #[must_use]
    pub fn name(&self) -> String {
        label(self.handle.channel)
    }

    /// The number of messages in its buffer. Others may change it at once.
    ///
    /// # Examples
    /// See [`buffered`](Channel::buffered).
    #[must_use]
    pub fn len(&self) -> usize {
        self.handle.len()
    }

    /// Whether its buffer is empty; that of a rendezvous channel always is.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::Channel::<u8>::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Poisons the channel: every operation on either side fails with [`Poisoned`](crate::ChannelError::Poisoned),
    /// those that wait now and all later ones. Messages in its buffer are dropped.
    ///
    /// A `Channel` is neither side, so a clone of it can be kept, in a handler of Ctrl-C for instance, without keeping
    /// the channel from retiring.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::<u8>::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let handle = c.clone();
    /// let reader = std::thread::spawn(move || r.read());
    /// handle.poison();
    /// assert!(reader.join().unwrap().unwrap_err().is_poisoned());
    /// assert!(w.write(1).unwrap_err().is_poisoned());
    /// ```
    pub fn poison(&self) {
        // As a reader does: a writer's poison would wait until the buffer is read to its end.
        self.handle.poison(Direction::Reader);
    }

    /// Identifies the channel.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<u8>::new();
    /// assert_eq!(c.id(), c.writer().channel_id());
    /// ```
    #[must_use]
    pub fn id(&self) -> ChannelId {
        ChannelId(self.handle.channel)
    }
}

impl<T> Default for Channel<T> {
    fn default() -> Channel<T> {
        Channel::new()
    }
}

impl<T> Clone for Channel<T> {
    /// The same channel once more; not a new one.
    fn clone(&self) -> Channel<T> {
        Channel::over(self.handle.another(Direction::Handle))
    }
}

impl<T> fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Channel").field(&self.name()).finish()
    }
}

/// What a channel keeps when no reader waits.
///
/// A message in a buffer is delivered even if its writer is gone; it is lost when a reader poisons the channel, or when
/// the last reader is gone. A writer that writes into a buffer does not know whether the message will be read.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// fn kept(buffer: Buffer) -> Vec<u32> {
///     let c = Channel::buffered(buffer);
///     let w = c.writer();
///     (1..=4).for_each(|i| w.try_write(i).unwrap_or(()));
///     drop(w);
///     c.reader().into_iter().collect()
/// }
/// assert_eq!(kept(Buffer::Fifo(2)), [1, 2]); // two writes would have had to wait
/// assert_eq!(kept(Buffer::OverwriteOldest(2)), [3, 4]);
/// assert_eq!(kept(Buffer::OverwriteNewest(2)), [1, 4]);
/// assert_eq!(kept(Buffer::DropNewest(2)), [1, 2]);
/// assert_eq!(kept(Buffer::Unbounded), [1, 2, 3, 4]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Buffer {
    /// Up to so many messages; when it is full, writers wait. `Fifo(0)` keeps nothing: a rendezvous.
    Fifo(usize),
    /// Up to so many messages; when it is full, the oldest one is dropped. Writers never wait.
    OverwriteOldest(usize),
    /// Up to so many messages; when it is full, the newest one is dropped. Writers never wait.
    OverwriteNewest(usize),
    /// Up to so many messages; when it is full, what is written is dropped. Writers never wait.
    DropNewest(usize),
    /// As many messages as the arena holds; when that is full, a write fails with
    /// [`Invalid`](crate::ChannelError::Invalid). Writers never wait.
    Unbounded,
}

impl Buffer {
    fn store(self) -> Store {
        let limit = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        match self {
            Buffer::Fifo(count) => Store::Fifo(limit(count)),
            Buffer::OverwriteOldest(count) => Store::OverwriteOldest(limit(count)),
            Buffer::OverwriteNewest(count) => Store::OverwriteNewest(limit(count)),
            Buffer::DropNewest(count) => Store::DropNewest(limit(count)),
            Buffer::Unbounded => Store::Fifo(u32::MAX),
        }
    }
}

/// Makes a [`Channel`]; see [`Channel::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder makes a channel only when `build` is called"]
pub struct Builder<T> {
    name: String,
    buffer: Buffer,
    carrier: Carrier,
    values: PhantomData<fn(T) -> T>,
}

impl<T> Builder<T> {
    /// A name for reports; names need not be unique. At most 55 bytes.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<u8>::builder().name("results").build()?;
    /// assert_eq!(format!("{:?}", c.reader()), r#"Reader("results")"#);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Builder<T> {
        self.name = name.into();
        self
    }

    /// What the channel keeps when no reader waits; without this, nothing: it is a rendezvous channel.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::builder().name("log").buffer(Buffer::OverwriteOldest(2)).build()?;
    /// let w = c.writer();
    /// for line in ["one", "two", "three"] {
    ///     w.write(line.to_string())?;
    /// }
    /// drop(w);
    /// assert_eq!(c.reader().into_iter().collect::<Vec<_>>(), ["two", "three"]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn buffer(mut self, buffer: Buffer) -> Builder<T> {
        self.buffer = buffer;
        self
    }

    /// How values come from the writer's process to the reader's; without this, [`Carrier::Memory`].
    ///
    /// # Examples
    /// See [`Carrier`].
    pub fn carrier(mut self, carrier: Carrier) -> Builder<T> {
        self.carrier = carrier;
        self
    }

    /// Makes the channel.
    ///
    /// # Errors
    /// [`MessageError::Name`] when the name is too long, [`MessageError::Memory`] when the arena has no room for one
    /// more channel, [`MessageError::Carrier`] when the channel is to have both a buffer and [`Carrier::Ipc`].
    ///
    /// # Examples
    /// ```
    /// let long = "x".repeat(56);
    /// let error = csproc::Channel::<u8>::builder().name(long).build().unwrap_err();
    /// assert!(error.to_string().contains("55 bytes"));
    /// ```
    pub fn build(self) -> Result<Channel<T>, MessageError> {
        if self.name.len() > NAME_LIMIT {
            return Err(MessageError::Name { name: self.name, limit: NAME_LIMIT });
        }
        let kind = match (self.carrier, self.buffer.store()) {
            (Carrier::Memory, store) => ChannelKind::Channel(store),
            (Carrier::Ipc, Store::Fifo(0)) => ChannelKind::Carried,
            (Carrier::Ipc, _) => return Err(self.cannot_keep_handles()),
        };
        let (channel, end) = actor(|actor| actor.create_channel(&self.name, kind))?;
        debug_assert!(end.place().is_some());
        Ok(Channel::over(End::new(channel, end)))
    }

    #[cold]
    fn cannot_keep_handles(&self) -> MessageError {
        let reason = format!(
            "a channel with Carrier::Ipc cannot have the buffer {:?}, because a value that holds ipc-channel ends \
             stays with its writer until a reader takes it: leave the buffer out, or put a process between that keeps \
             the values",
            self.buffer
        );
        MessageError::Carrier { reason }
    }
}
