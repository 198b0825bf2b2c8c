//! Reading again and again: iterators over what comes out of a channel.
//!
//! Knows nothing of how one value is read. An iterator remembers where the program asked for it: its own `next` is
//! mostly called by the standard library, whose lines tell nobody anything.

use super::error::ChannelError;
use super::reader::Reader;
use super::{Message, label};
use std::iter::FusedIterator;
use std::panic::Location;

impl<T> Reader<T> {
    /// The values that come, until the channel ends; it does not tell how.
    ///
    /// A channel that is retired, poisoned or lost ends the iteration, and all three look the same: a sum over the
    /// values is too small when a writer has crashed, and nothing shows it. Where that matters, use
    /// [`results`](Reader::results).
    ///
    /// # Blocking
    /// Each step waits as [`read`](Reader::read) does.
    ///
    /// # Panics
    /// A step panics when the read fails with [`Invalid`](ChannelError::Invalid): a message that is no `T`, say, is no
    /// end of the channel, and must not be taken for one. The text names the channel, the type, the reason, and where
    /// the iteration began.
    ///
    /// # Poison and retire
    /// Both end the iteration, and so does the loss of the channel.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let writer = std::thread::spawn(move || (0..3).try_for_each(|i| w.write(i)).is_ok());
    /// assert_eq!(r.iter().map(|v: u32| v * 10).collect::<Vec<_>>(), [0, 10, 20]);
    /// assert!(writer.join().unwrap());
    /// ```
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T>
    where
        T: Message,
    {
        Iter { reader: self, place: Location::caller() }
    }

    /// The values that come, until the channel retires; any other end is the last item.
    ///
    /// Retirement is how a stream of values ends when all is well: the last writer is gone, and the iteration is over.
    /// When the channel is poisoned or lost, or a message is no `T`, the last item is that error. So `?` and
    /// `sum::<Result<…>>()` know a stream that was cut off from one that is complete. After a message that is no `T`
    /// the channel still lives: another call of `results` goes on behind it.
    ///
    /// # Blocking
    /// Each step waits as [`read`](Reader::read) does.
    ///
    /// # Errors
    /// The last item may be [`Poisoned`](ChannelError::Poisoned), [`Deadlock`](ChannelError::Deadlock),
    /// [`Lost`](ChannelError::Lost) or [`Invalid`](ChannelError::Invalid). It is never
    /// [`Retired`](ChannelError::Retired).
    ///
    /// # Poison and retire
    /// Retirement ends the iteration, poison is its last item.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn sum(input: Reader<u64>) -> csproc::Result<u64> {
    ///     Ok(input.results().sum::<Result<u64, _>>()?)
    /// }
    ///
    /// #[process]
    /// fn source(out: Writer<u64>, n: u64) -> csproc::Result<()> {
    ///     for i in 0..n {
    ///         if i == 100 {
    ///             out.poison();
    ///         }
    ///         out.write(i)?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let c = Channel::new();
    ///     let (_, total) = Parallel!(source(c.writer(), 10), sum(c.reader()))?;
    ///     assert_eq!(total?, 45);
    ///
    ///     let c = Channel::new();
    ///     let (_, total) = Parallel!(source(c.writer(), 200), sum(c.reader()))?;
    ///     assert!(total.unwrap_err().channel_error().unwrap().is_poisoned());
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn results(&self) -> ReadResults<'_, T>
    where
        T: Message,
    {
        ReadResults { reader: self, place: Location::caller(), over: false }
    }

    /// All values until the channel retires.
    ///
    /// # Blocking
    /// Waits until the last writer is gone.
    ///
    /// # Errors
    /// As the last item of [`results`](Reader::results). What was read until then is dropped; who wants to keep it
    /// iterates.
    ///
    /// # Poison and retire
    /// Retirement is success, poison an error.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let c = Channel::buffered(Buffer::Unbounded);
    /// let (w, r) = (c.writer(), c.reader());
    /// (0..3).try_for_each(|i| w.write(i))?;
    /// drop(w);
    /// assert_eq!(r.read_all()?, [0, 1, 2]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn read_all(&self) -> Result<Vec<T>, ChannelError>
    where
        T: Message,
    {
        self.results().collect()
    }
}

/// The next value of an iteration that does not tell how it ended.
#[inline]
fn next<T: Message>(reader: &Reader<T>, place: &'static Location<'static>) -> Option<T> {
    match reader.read_at(place) {
        Ok(value) => Some(value),
        Err(error) if error.is_poisoned() || error.is_retired() || error.is_lost() => None,
        Err(error) => broken_off(reader, place, &error),
    }
}

/// The stream has not ended, but cannot be read.
#[cold]
fn broken_off<T>(reader: &Reader<T>, place: &Location<'_>, error: &ChannelError) -> ! {
    let channel = label(reader.end().channel());
    panic!(
        "the iteration over channel `{channel}` that began at {place} cannot go on: {error}; iterate over `results()` \
         to handle it"
    )
}

/// The values of a channel, by reference to its reader; see [`Reader::iter`].
#[derive(Debug)]
#[must_use = "an iterator reads only when it is asked for the next value"]
pub struct Iter<'a, T> {
    reader: &'a Reader<T>,
    place: &'static Location<'static>,
}

impl<T: Message> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        next(self.reader, self.place)
    }
}

/// The values of a channel, with its reader; see [`Reader::iter`] for how it ends. The reader retires when the iterator
/// is dropped.
#[derive(Debug)]
#[must_use = "an iterator reads only when it is asked for the next value"]
pub struct IntoIter<T> {
    reader: Reader<T>,
    place: &'static Location<'static>,
}

impl<T: Message> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        next(&self.reader, self.place)
    }
}

/// The values of a channel, and why there are no more of them; see [`Reader::results`].
#[derive(Debug)]
#[must_use = "an iterator reads only when it is asked for the next value"]
pub struct ReadResults<'a, T> {
    reader: &'a Reader<T>,
    place: &'static Location<'static>,
    over: bool,
}

impl<T: Message> Iterator for ReadResults<'_, T> {
    type Item = Result<T, ChannelError>;

    fn next(&mut self) -> Option<Result<T, ChannelError>> {
        if self.over {
            return None;
        }
        let result = self.reader.read_at(self.place);
        self.over = result.is_err();
        match result {
            Err(error) if error.is_retired() => None,
            result => Some(result),
        }
    }
}

impl<T: Message> FusedIterator for ReadResults<'_, T> {}

/// The values that come, until the channel ends; see [`Reader::iter`] for what it hides and when it panics.
impl<T: Message> IntoIterator for Reader<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { reader: self, place: Location::caller() }
    }
}

/// As [`Reader::iter`].
impl<'a, T: Message> IntoIterator for &'a Reader<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[track_caller]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
