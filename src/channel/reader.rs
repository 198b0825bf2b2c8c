//! The reading end of a channel.
//!
//! Knows nothing of who writes.

use super::codec::{Message, decode_delivered};
use super::end::{ChannelEnd, ChannelId, End, Patience, label};
use super::error::ChannelError;
use super::extended::{Extended, Hold};
use super::travel::{arrive, depart};
use crate::engine::{Direction, Packet};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::{Duration, Instant};

/// The reading end of a [`Channel`](crate::Channel).
///
/// A clone is one more end; each message goes to one reader. Dropping the last reader retires the channel: writers see
/// [`Retired`](ChannelError::Retired). A reader can be sent through channels and given to processes as an argument.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let c = Channel::new();
/// let (w, r) = (c.writer(), c.reader());
/// let reader = std::thread::spawn(move || r.into_iter().sum::<u64>());
/// for i in 1..=10 {
///     w.write(i).unwrap();
/// }
/// drop(w);
/// assert_eq!(reader.join().unwrap(), 55);
/// ```
pub struct Reader<T> {
    end: End,
    values: PhantomData<fn() -> T>,
}

impl<T> Reader<T> {
    pub(crate) fn new(end: End) -> Reader<T> {
        Reader { end, values: PhantomData }
    }

    pub(crate) fn into_end(self) -> End {
        self.end
    }

    pub(crate) fn end(&self) -> &End {
        &self.end
    }

    /// Poisons the channel: every operation on either side fails with [`Poisoned`](ChannelError::Poisoned), those that
    /// wait now and all later ones.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::<u8>::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// r.poison();
    /// assert!(w.write(1).unwrap_err().is_poisoned());
    /// ```
    pub fn poison(&self) {
        self.end.poison(Direction::Reader);
    }

    /// Gives this end up, as dropping it does; it cannot be used afterwards. Doing it twice is doing it once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::<u8>::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// r.retire();
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
    /// assert!(csproc::Channel::<u8>::new().reader().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The channel this is an end of.
    ///
    /// # Examples
    /// ```
    /// let c = csproc::Channel::<u8>::new();
    /// assert_eq!(c.reader().channel_id(), c.writer().channel_id());
    /// ```
    pub fn channel_id(&self) -> ChannelId {
        ChannelId(self.end.channel)
    }
}

impl<T> Reader<T> {
    /// Takes a value from a writer.
    ///
    /// # Blocking
    /// Waits until a writer offers a value.
    ///
    /// # Errors
    /// The channel is [`Poisoned`](ChannelError::Poisoned), [`Retired`](ChannelError::Retired) or
    /// [`Lost`](ChannelError::Lost), or the message is no `T` ([`Invalid`](ChannelError::Invalid)).
    ///
    /// # Poison and retire
    /// Both end a waiting read at once.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let writer = std::thread::spawn(move || w.write(42_u8));
    /// assert_eq!(r.read(), Ok(42));
    /// assert!(writer.join().unwrap().is_ok());
    /// ```
    #[track_caller]
    #[inline]
    pub fn read(&self) -> Result<T, ChannelError>
    where
        T: Message,
    {
        self.read_within(Patience::ForEver, Location::caller())
    }

    /// Takes a value from a writer that is already waiting.
    ///
    /// # Blocking
    /// Never waits for a writer.
    ///
    /// # Errors
    /// As for [`read`](Reader::read), and [`WouldBlock`](ChannelError::WouldBlock) when no writer waits.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::<u8>::new();
    /// let (_w, r) = (c.writer(), c.reader());
    /// assert!(r.try_read().unwrap_err().is_would_block());
    /// ```
    #[track_caller]
    pub fn try_read(&self) -> Result<T, ChannelError>
    where
        T: Message,
    {
        self.read_within(Patience::Not, Location::caller())
    }

    /// Takes a value from a writer, if one comes within `timeout`.
    ///
    /// # Blocking
    /// Waits until a writer offers a value, at most for `timeout`.
    ///
    /// # Errors
    /// As for [`read`](Reader::read), and [`TimedOut`](ChannelError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let c = Channel::<u8>::new();
    /// let (_w, r) = (c.writer(), c.reader());
    /// assert!(r.read_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// ```
    #[track_caller]
    pub fn read_timeout(&self, timeout: Duration) -> Result<T, ChannelError>
    where
        T: Message,
    {
        self.read_within(Patience::of(timeout), Location::caller())
    }

    /// Takes a value from a writer, if one comes before `deadline`.
    ///
    /// # Blocking
    /// Waits until a writer offers a value, at most until `deadline`.
    ///
    /// # Errors
    /// As for [`read`](Reader::read), and [`TimedOut`](ChannelError::TimedOut), never before the deadline.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::<u8>::new();
    /// let (_w, r) = (c.writer(), c.reader());
    /// assert!(r.read_deadline(std::time::Instant::now()).unwrap_err().is_timed_out());
    /// ```
    #[track_caller]
    pub fn read_deadline(&self, deadline: Instant) -> Result<T, ChannelError>
    where
        T: Message,
    {
        self.read_within(Patience::Until(deadline), Location::caller())
    }

    /// Waits for a value and hands it to `work`; the writer goes on only when `work` is done.
    ///
    /// # Blocking
    /// Waits until a writer offers a value, and for `work`.
    ///
    /// # Errors
    /// As for [`read`](Reader::read); `work` has not been called then.
    ///
    /// # Panics
    /// When `work` does; its writer then fails with [`Lost`](ChannelError::Lost). To let a writer know of a failure
    /// without a panic, use [`extended`](Reader::extended).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// static DONE: AtomicBool = AtomicBool::new(false);
    /// let c = Channel::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let writer = std::thread::spawn(move || {
    ///     w.write(20).unwrap();
    ///     assert!(DONE.load(Ordering::SeqCst));
    /// });
    /// let doubled = r.read_extended(|v| {
    ///     DONE.store(true, Ordering::SeqCst);
    ///     v * 2
    /// })?;
    /// assert_eq!(doubled, 40);
    /// writer.join().unwrap();
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn read_extended<R>(&self, work: impl FnOnce(T) -> R) -> Result<R, ChannelError>
    where
        T: Message,
    {
        let (value, hold) = self.extended()?.split();
        let result = work(value);
        hold.finish();
        Ok(result)
    }

    /// Waits for a value; its writer goes on only when the value is [finished](Extended::finish) or dropped.
    ///
    /// # Blocking
    /// Waits until a writer offers a value.
    ///
    /// # Errors
    /// As for [`read`](Reader::read).
    ///
    /// # Examples
    /// See [`Extended`].
    #[track_caller]
    pub fn extended(&self) -> Result<Extended<T>, ChannelError>
    where
        T: Message,
    {
        let mut hold = Hold::take(&self.end, Patience::ForEver, Location::caller())?;
        let value = hold.open()?;
        Ok(Extended::new(value, hold))
    }
}

impl<T> Reader<T> {
    /// The next message as it is, whatever its type.
    pub(crate) fn read_packet(
        &self,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<Packet, ChannelError> {
        self.end.take(false, patience, location).map(|(packet, _)| packet)
    }

    /// Whether a message could be read, now or after a while.
    pub(crate) fn is_open(&self) -> bool {
        self.end.check_open().is_ok()
    }
}

impl<T: Message> Reader<T> {
    /// A read that the program has asked for at this place.
    #[inline]
    pub(crate) fn read_at(&self, place: &'static Location<'static>) -> Result<T, ChannelError> {
        self.read_within(Patience::ForEver, place)
    }

    #[inline]
    fn read_within(&self, patience: Patience, location: &'static Location<'static>) -> Result<T, ChannelError> {
        if self.end.is_carried() {
            return self.read_carried(patience, location);
        }
        Ok(decode_delivered(&self.end.receive(patience, location)?)?)
    }

    /// A read from a channel whose values travel as messages of ipc-channel: the writer is held until the value is
    /// here.
    #[inline(never)]
    fn read_carried(&self, patience: Patience, location: &'static Location<'static>) -> Result<T, ChannelError> {
        let mut hold = Hold::take(&self.end, patience, location)?.let_go();
        Ok(hold.open()?)
    }
}

impl<T> ChannelEnd for Reader<T> {
    fn poison(&self) {
        self.end.poison(Direction::Reader);
    }

    fn retire(&self) {
        self.end.retire();
    }

    fn channel_id(&self) -> ChannelId {
        ChannelId(self.end.channel)
    }
}

impl<T> Clone for Reader<T> {
    /// One more reading end of the channel.
    fn clone(&self) -> Reader<T> {
        Reader::new(self.end.one_more(Direction::Reader))
    }
}

impl<T> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reader").field(&label(self.end.channel)).finish()
    }
}

impl<T> Serialize for Reader<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        depart(&self.end, Direction::Reader, serializer)
    }
}

impl<'de, T> Deserialize<'de> for Reader<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reader<T>, D::Error> {
        let (channel, end) = arrive(Direction::Reader, deserializer)?;
        Ok(Reader::new(End::new(channel, end)))
    }
}
