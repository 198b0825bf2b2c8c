//! `Channel<T>`: makes a channel, and its ends on request.
//!
//! Knows nothing of communication; that is what the ends are for.

use super::end::{ChannelId, End, NOWHERE, label};
use super::error::MessageError;
use super::process_scope::holder;
use super::reader::Reader;
use super::writer::Writer;
use crate::engine::live::{Direction, NAME_LIMIT, tables, with_local};
use std::fmt;
use std::marker::PhantomData;

/// A rendezvous channel for any number of writers and readers, in any processes.
///
/// A write and a read meet; neither side goes on before the other is there. Waiting writers and waiting readers are served in
/// order of arrival. The `Channel` itself is neither side: it hands out ends, and keeps the channel in existence.
///
/// # Poison and retire
/// [`poison`](Writer::poison) ends all communication at once. When the last end of one side is gone, the channel retires, and the
/// other side sees [`Retired`](crate::ChannelError::Retired). A side that never had an end does not count, so ends may be
/// requested in any order. A side that has retired stays retired.
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
///     let (sent, total) = Parallel!(source(c.writer(), 10), sum(c.reader()))?;
///     sent?;
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
    /// When the arena has no room for one more channel, the operations on its ends say so; [`builder`](Channel::builder) tells
    /// at once.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<String>::new();
    /// assert!(c.reader().try_read().unwrap_err().is_would_block());
    /// ```
    #[must_use]
    pub fn new() -> Channel<T> {
        Channel::builder().build().unwrap_or_else(|_| Channel::over(End::request(NOWHERE, Direction::Handle)))
    }

    /// A channel with a name and, later, other properties.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<u8>::builder().name("jobs").build()?;
    /// assert_eq!(c.name(), "jobs");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn builder() -> Builder<T> {
        Builder { name: String::new(), values: PhantomData }
    }

    fn over(handle: End) -> Channel<T> {
        Channel { handle, values: PhantomData }
    }

    /// One more writing end.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<u8>::new();
    /// let (a, b) = (c.writer(), c.writer());
    /// assert_eq!(a.channel_id(), b.channel_id());
    /// ```
    #[must_use]
    pub fn writer(&self) -> Writer<T> {
        Writer::new(End::request(self.handle.channel, Direction::Writer))
    }

    /// One more reading end.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<u8>::new();
    /// let (a, b) = (c.reader(), c.reader());
    /// assert_eq!(a.channel_id(), b.channel_id());
    /// ```
    #[must_use]
    pub fn reader(&self) -> Reader<T> {
        Reader::new(End::request(self.handle.channel, Direction::Reader))
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
        Channel::over(End::request(self.handle.channel, Direction::Handle))
    }
}

impl<T> fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Channel").field(&self.name()).finish()
    }
}

/// Makes a [`Channel`]; see [`Channel::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder makes a channel only when `build` is called"]
pub struct Builder<T> {
    name: String,
    values: PhantomData<fn(T) -> T>,
}

impl<T> Builder<T> {
    /// A name for reports; names need not be unique. At most 63 bytes.
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

    /// Makes the channel.
    ///
    /// # Errors
    /// [`MessageError::Memory`] when the name is too long or the arena has no room for one more channel.
    ///
    /// # Examples
    /// ```
    /// let long = "x".repeat(64);
    /// let error = csproc::Channel::<u8>::builder().name(long).build().unwrap_err();
    /// assert!(error.to_string().contains("63 bytes"));
    /// ```
    pub fn build(self) -> Result<Channel<T>, MessageError> {
        if self.name.len() > NAME_LIMIT {
            let reason = format!(
                "the channel name `{}` has {} bytes, at most {NAME_LIMIT} bytes fit",
                self.name,
                self.name.len()
            );
            return Err(MessageError::Memory { reason });
        }
        let (channel, end) = with_local(|local| local.create_channel(&self.name, holder()?))??;
        debug_assert!(tables().end(end).is_some());
        Ok(Channel::over(End::new(channel, end)))
    }
}
