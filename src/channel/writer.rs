//! The writing end of a channel.
//!
//! Knows nothing of who reads.

use super::carrier::Staged;
use super::codec::{Message, encode, encode_short};
use super::end::{ChannelEnd, ChannelId, End, Patience, label};
use super::error::{ChannelError, WriteError};
use super::travel::{arrive, depart};
use crate::engine::{Direction, Packet, Unsent};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::{Duration, Instant};

/// The writing end of a [`Channel`](crate::Channel).
///
/// A clone is one more end. Dropping the last writer retires the channel: readers see
/// [`Retired`](crate::ChannelError::Retired). A writer can be sent through channels and given to processes as an
/// argument; it arrives as one more end, and the original goes when it is dropped.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let c = Channel::new();
/// let (w, r) = (c.writer(), c.reader());
/// let writer = std::thread::spawn(move || (1..=3).try_for_each(|i| w.write(i)));
/// assert_eq!(r.iter().collect::<Vec<u32>>(), [1, 2, 3]);
/// assert!(writer.join().unwrap().is_ok());
/// ```
pub struct Writer<T> {
    end: End,
    values: PhantomData<fn(T)>,
}

impl<T> Writer<T> {
    pub(crate) fn new(end: End) -> Writer<T> {
        Writer { end, values: PhantomData }
    }

    pub(crate) fn into_end(self) -> End {
        self.end
    }

    pub(crate) fn end(&self) -> &End {
        &self.end
    }

    /// Poisons the channel: every operation on either side fails with [`Poisoned`](crate::ChannelError::Poisoned),
    /// those that wait now and all later ones. A communication that has taken place is not affected.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::<u8>::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// w.poison();
    /// assert!(r.read().unwrap_err().is_poisoned());
    /// ```
    pub fn poison(&self) {
        self.end.poison(Direction::Writer);
    }

    /// Gives this end up, as dropping it does; it cannot be used afterwards. Doing it twice is doing it once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::<u8>::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// w.retire();
    /// assert!(r.read().unwrap_err().is_retired());
    /// assert!(w.write(1).unwrap_err().is_retired());
    /// ```
    pub fn retire(&self) {
        self.end.retire();
    }

    /// The number of messages in the channel's buffer. Others may change it at once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::buffered(Buffer::Unbounded);
    /// let (w, r) = (c.writer(), c.reader());
    /// w.write(1)?;
    /// assert_eq!((w.len(), r.len()), (1, 1));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.end.len()
    }

    /// Whether the channel's buffer is empty; that of a rendezvous channel always is.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::Channel::<u8>::new().writer().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The channel this is an end of.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<u8>::new();
    /// assert_eq!(c.writer().channel_id(), c.writer().channel_id());
    /// ```
    pub fn channel_id(&self) -> ChannelId {
        ChannelId(self.end.channel)
    }
}

impl<T> Writer<T> {
    /// Hands `value` to a reader, and returns once a reader is committed to take it.
    ///
    /// # Blocking
    /// Waits until a reader takes the value.
    ///
    /// # Errors
    /// The value comes back with the reason: the channel is [`Poisoned`](crate::ChannelError::Poisoned),
    /// [`Retired`](crate::ChannelError::Retired) or [`Lost`](crate::ChannelError::Lost), or the value is
    /// [`Invalid`](crate::ChannelError::Invalid). Nobody has seen it.
    ///
    /// # Poison and retire
    /// Both end a waiting write at once. A write that a reader has taken succeeds, whatever happens to the channel
    /// then.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let reader = std::thread::spawn(move || r.read());
    /// w.write("hello".to_string())?;
    /// assert_eq!(reader.join().unwrap()?, "hello");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    #[inline]
    pub fn write(&self, value: T) -> Result<(), WriteError<T>>
    where
        T: Message,
    {
        self.write_within(value, Patience::ForEver, Location::caller())
    }

    /// Hands `value` to a reader that is already waiting.
    ///
    /// # Blocking
    /// Never waits for a reader.
    ///
    /// # Errors
    /// As for [`write`](Writer::write), and [`WouldBlock`](crate::ChannelError::WouldBlock) when no reader waits.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::new();
    /// let (w, _r) = (c.writer(), c.reader());
    /// let error = w.try_write(7).unwrap_err();
    /// assert!(error.fate.is_would_block());
    /// assert_eq!(error.value, 7);
    /// ```
    #[track_caller]
    pub fn try_write(&self, value: T) -> Result<(), WriteError<T>>
    where
        T: Message,
    {
        self.write_within(value, Patience::Not, Location::caller())
    }

    /// Hands `value` to a reader, if one comes within `timeout`.
    ///
    /// # Blocking
    /// Waits until a reader takes the value, at most for `timeout`.
    ///
    /// # Errors
    /// As for [`write`](Writer::write), and [`TimedOut`](crate::ChannelError::TimedOut).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let c = Channel::new();
    /// let (w, _r) = (c.writer(), c.reader());
    /// assert!(w.write_timeout(7, Duration::from_millis(1)).unwrap_err().fate.is_timed_out());
    /// ```
    #[track_caller]
    pub fn write_timeout(&self, value: T, timeout: Duration) -> Result<(), WriteError<T>>
    where
        T: Message,
    {
        self.write_within(value, Patience::of(timeout), Location::caller())
    }

    /// Hands `value` to a reader, if one comes before `deadline`.
    ///
    /// # Blocking
    /// Waits until a reader takes the value, at most until `deadline`.
    ///
    /// # Errors
    /// As for [`write`](Writer::write), and [`TimedOut`](crate::ChannelError::TimedOut).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::new();
    /// let (w, _r) = (c.writer(), c.reader());
    /// assert!(w.write_deadline(7, std::time::Instant::now()).unwrap_err().fate.is_timed_out());
    /// ```
    #[track_caller]
    pub fn write_deadline(&self, value: T, deadline: Instant) -> Result<(), WriteError<T>>
    where
        T: Message,
    {
        self.write_within(value, Patience::Until(deadline), Location::caller())
    }
}

impl<T> Writer<T> {
    /// Writes a message as it is, whatever its type. If nobody takes it, it is dropped.
    pub(crate) fn write_packet(
        &self,
        message: Packet,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<(), ChannelError> {
        self.end.check_open()?;
        self.end.give(&mut Some(message), patience, location)
    }

    /// Whether a message could be written, now or after a while.
    pub(crate) fn is_open(&self) -> bool {
        self.end.check_open().is_ok()
    }
}

impl<T: Message> Writer<T> {
    #[inline]
    fn write_within(
        &self,
        value: T,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<(), WriteError<T>> {
        if self.end.is_carried() {
            return self.write_carried(value, patience, location);
        }
        if self.end.takes_short() && self.end.expects_short() {
            if let Some(short) = encode_short(&value) {
                let given = self.end.give_short(&short, patience, location);
                return given.map_err(|fate| WriteError { value, fate });
            }
            self.end.note_short(false);
        }
        // The value is dropped only when it is given: ends inside it were requested again for the message.
        self.give(&value, patience, location).map_err(|fate| WriteError { value, fate })
    }

    /// Writes a message in a packet.
    #[inline]
    fn give(&self, value: &T, patience: Patience, location: &'static Location<'static>) -> Result<(), ChannelError> {
        // Of a channel that has ended, a short message is told under its lock: to look before would take a cache line
        // from its partners for nothing.
        if self.end.expects_short() { self.end.check() } else { self.end.check_open() }?;
        let mut unsent = Unsent::of(encode(value)?);
        self.end.note_short(unsent.packet().as_ref().is_some_and(Packet::is_short));
        self.end.give(unsent.packet(), patience, location)
    }

    /// A write to a channel whose values travel as messages of ipc-channel.
    #[inline(never)]
    fn write_carried(
        &self,
        value: T,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<(), WriteError<T>> {
        if let Err(fate) = self.end.check_open() {
            return Err(WriteError { value, fate });
        }
        let mut staged = match Staged::pack(&value) {
            Ok(staged) => staged,
            Err(error) => return Err(WriteError { value, fate: error.into() }),
        };
        let given = self.end.give(staged.packet(), patience, location);
        given.map_err(|fate| WriteError { value: staged.restore(value), fate })
    }
}

impl<T> ChannelEnd for Writer<T> {
    fn poison(&self) {
        self.end.poison(Direction::Writer);
    }

    fn retire(&self) {
        self.end.retire();
    }

    fn channel_id(&self) -> ChannelId {
        ChannelId(self.end.channel)
    }
}

impl<T> Clone for Writer<T> {
    /// One more writing end of the channel.
    fn clone(&self) -> Writer<T> {
        Writer::new(self.end.one_more(Direction::Writer))
    }
}

impl<T> fmt::Debug for Writer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Writer").field(&label(self.end.channel)).finish()
    }
}

impl<T> Serialize for Writer<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        depart(&self.end, Direction::Writer, serializer)
    }
}

impl<'de, T> Deserialize<'de> for Writer<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Writer<T>, D::Error> {
        let (channel, end) = arrive(Direction::Writer, deserializer)?;
        Ok(Writer::new(End::new(channel, end)))
    }
}
