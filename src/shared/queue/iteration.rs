//! Getting again and again: iterators over what comes out of a queue.
//!
//! Knows nothing of where the queue is. An iterator remembers where the program asked for it, as those over channels
//! do.

use super::Queue;
use crate::channel::{ChannelError, Message};
use std::iter::FusedIterator;
use std::panic::Location;

/// The next item of an iteration that does not tell how it ended.
#[inline]
fn next<T: Message>(queue: &Queue<T>, place: &'static Location<'static>) -> Option<T> {
    match queue.get_at(place) {
        Ok(item) => Some(item),
        Err(ChannelError::Invalid(error)) => panic!(
            "the iteration over {queue:?} that began at {place} cannot go on: {error}; iterate over `results()` to \
             handle it"
        ),
        Err(_) => None,
    }
}

/// The items of a queue; see [`Queue::iter`].
#[derive(Debug)]
#[must_use = "an iterator gets only when it is asked for the next item"]
pub struct Iter<'a, T> {
    queue: &'a Queue<T>,
    place: &'static Location<'static>,
}

impl<T: Message> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        next(self.queue, self.place)
    }
}

/// The items of a queue, with a handle of it; see [`Queue::iter`] for how it ends.
#[derive(Debug)]
#[must_use = "an iterator gets only when it is asked for the next item"]
pub struct IntoIter<T> {
    queue: Queue<T>,
    place: &'static Location<'static>,
}

impl<T: Message> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        next(&self.queue, self.place)
    }
}

/// The items of a queue, and why there are no more of them; see [`Queue::results`].
#[derive(Debug)]
#[must_use = "an iterator gets only when it is asked for the next item"]
pub struct GetResults<'a, T> {
    queue: &'a Queue<T>,
    place: &'static Location<'static>,
    over: bool,
}

impl<T: Message> Iterator for GetResults<'_, T> {
    type Item = Result<T, ChannelError>;

    fn next(&mut self) -> Option<Result<T, ChannelError>> {
        if self.over {
            return None;
        }
        let result = self.queue.get_at(self.place);
        self.over = result.is_err();
        match result {
            Err(error) if error.is_retired() => None,
            result => Some(result),
        }
    }
}

impl<T: Message> FusedIterator for GetResults<'_, T> {}

impl<T: Message> Queue<T> {
    /// The items that come, until the queue ends; it does not tell how. See [`results`](Queue::results) where it
    /// matters whether the queue was closed or poisoned.
    ///
    /// # Blocking
    /// Each step waits as [`get`](Queue::get) does: as long as the queue is not closed, the iteration does not end.
    ///
    /// # Panics
    /// As [`Reader::iter`](crate::Reader::iter): an item that is no `T` is no end of the queue.
    ///
    /// # Examples
    /// See [`Queue`].
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { queue: self, place: Location::caller() }
    }

    /// The items that come, until the queue is closed; any other end is the last item.
    ///
    /// # Blocking
    /// Each step waits as [`get`](Queue::get) does.
    ///
    /// # Errors
    /// The last item may be [`Poisoned`](ChannelError::Poisoned), [`Deadlock`](ChannelError::Deadlock) or
    /// [`Invalid`](ChannelError::Invalid), and [`Io`](ChannelError::Io) of a queue in another program.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let queue = Queue::new();
    /// (1..=3).try_for_each(|item| queue.put(item))?;
    /// queue.close();
    /// assert_eq!(queue.results().sum::<Result<u32, _>>()?, 6);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn results(&self) -> GetResults<'_, T> {
        GetResults { queue: self, place: Location::caller(), over: false }
    }
}

/// As [`Queue::iter`].
impl<T: Message> IntoIterator for Queue<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { queue: self, place: Location::caller() }
    }
}

/// As [`Queue::iter`].
impl<'a, T: Message> IntoIterator for &'a Queue<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[track_caller]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
