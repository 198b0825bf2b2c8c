//! `Results`: what a job gives, one result after the other, while it is given to the workers as it is read.
//!
//! Knows nothing of who works. So much is given ahead that nobody has to wait for work, and no more.

use super::arm::Awaited;
use super::desk::{Came, Desk, Open, Settled, Settling};
use super::failure::{TaskError, TaskFailure};
use super::work::{Answer, Deed};
use crate::alternation::Alternation;
use crate::channel::{Message, MessageError};
use std::collections::VecDeque;
use std::fmt;
use std::iter::{Fuse, FusedIterator};
use std::marker::PhantomData;
use std::panic::Location;

/// How a job is done.
pub(super) struct Plan<'p> {
    pub(super) desk: &'p Desk,
    pub(super) deed: Result<Deed, MessageError>,
    /// How many items go to a worker at once.
    pub(super) chunk: usize,
    /// How many chunks are given ahead of what was read.
    pub(super) ahead: usize,
    pub(super) ordered: bool,
    pub(super) progress: Option<Progress<'p>>,
    pub(super) total: Option<usize>,
}

/// Told whenever an answer has come: how many tasks are done, of how many.
pub(super) type Progress<'p> = Box<dyn FnMut(usize, Option<usize>) + 'p>;

/// The results of a job, as they are asked for: what [`Pool::imap`](super::Pool::imap) and
/// [`Job::ordered`](super::Job::ordered) give.
///
/// Nothing is done before the first is asked for. From then on items are read so far ahead that no worker has to wait,
/// and no further. Dropping it cancels what has not begun. A task that fails is an item, and the others go on.
///
/// # Blocking
/// Each step waits for the next result.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let pool = Pool::new(2)?;
/// let mut roots = pool.imap(|x: f64| x.sqrt(), (1_u32..).map(|x| f64::from(x * x))); // without an end
/// assert_eq!(roots.next(), Some(Ok(1.0)));
/// assert_eq!(roots.next(), Some(Ok(2.0)));
/// # Ok::<(), csproc::Error>(())
/// ```
#[must_use = "a job does nothing until its results are asked for"]
pub struct Results<'p, A, R, I> {
    plan: Plan<'p>,
    items: Fuse<I>,
    /// How many items were read.
    read: usize,
    done: usize,
    open: VecDeque<Open<R>>,
    settled: Option<Settling<R>>,
    location: &'static Location<'static>,
    arguments: PhantomData<fn(A)>,
}

impl<'p, A: Message, R: Message, I: Iterator<Item = A>> Results<'p, A, R, I> {
    pub(super) fn new(plan: Plan<'p>, items: I, location: &'static Location<'static>) -> Results<'p, A, R, I> {
        Results {
            plan,
            items: items.fuse(),
            read: 0,
            done: 0,
            open: VecDeque::new(),
            settled: None,
            location,
            arguments: PhantomData,
        }
    }

    /// The results together with the places of their items among all.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let pool = Pool::new(2)?;
    /// let mut squares = [0; 20];
    /// for (index, square) in pool.imap_unordered(|x: usize| x * x, 0..20).with_index() {
    ///     squares[index] = square?;
    /// }
    /// assert_eq!(squares[19], 361);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn with_index(self) -> WithIndex<'p, A, R, I> {
        WithIndex(self)
    }

    fn next_settled(&mut self) -> Option<Settled<R>> {
        loop {
            if let Some(settled) = self.settled.as_mut().and_then(Iterator::next) {
                return Some(settled);
            }
            self.settled = Some(self.next_chunk()?);
        }
    }

    /// Waits for the next answer.
    fn next_chunk(&mut self) -> Option<Settling<R>> {
        self.give_ahead();
        let (place, came) = self.next_answer()?;
        let settled = self.open.remove(place)?.settle(came);
        self.done += settled.len();
        if let Some(progress) = &mut self.plan.progress {
            progress(self.done, self.plan.total);
        }
        Some(settled)
    }

    /// All results, or the first failure; whole chunks at once.
    pub(super) fn into_vec(mut self) -> Result<Vec<R>, TaskError> {
        let mut all = Vec::new();
        while let Some(settled) = self.next_chunk() {
            settled.append_to(&mut all)?;
        }
        Ok(all)
    }

    /// Reads items, and gives them to the workers, until they have enough.
    fn give_ahead(&mut self) {
        while self.open.len() < self.plan.ahead {
            let arguments: Vec<A> = self.items.by_ref().take(self.plan.chunk).collect();
            if arguments.is_empty() {
                return;
            }
            let (first, count) = (self.read, arguments.len());
            self.read += count;
            self.open.push_back(match &self.plan.deed {
                Ok(deed) => self.plan.desk.give_chunk(deed, first, arguments),
                Err(error) => Open::refused(first, count, &TaskFailure::Invalid(error.clone())),
            });
        }
    }

    /// The chunk that is next, by its place among those that are open, and its answer. Waits for it.
    fn next_answer(&self) -> Option<(usize, Came<R>)> {
        let first = self.open.front()?;
        if self.plan.ordered || self.open.len() == 1 {
            return Some((0, first.wait(self.location)));
        }
        if let Some(place) = self.open.iter().position(Open::is_answered) {
            return Some((place, self.open[place].wait(self.location)));
        }
        let answers: Vec<Awaited<'_, Answer<R>>> =
            self.open.iter().filter_map(|open| open.answer.as_ref()).map(Awaited).collect();
        let mut alternation = Alternation::new();
        let tokens: Vec<_> = answers.iter().map(|answer| alternation.guard(answer)).collect();
        Some(match alternation.select() {
            Ok(fired) => {
                let place = fired.index();
                (place, Some(fired.take(tokens[place])))
            }
            // Without memory to wait for all of them: the oldest.
            Err(_) => (0, first.wait(self.location)),
        })
    }
}

impl<A: Message, R: Message, I: Iterator<Item = A>> Iterator for Results<'_, A, R, I> {
    type Item = Result<R, TaskError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_settled().map(|(_, result)| result)
    }
}

impl<A: Message, R: Message, I: Iterator<Item = A>> FusedIterator for Results<'_, A, R, I> {}

impl<A, R, I> fmt::Debug for Results<'_, A, R, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results").field("given", &self.read).field("done", &self.done).finish_non_exhaustive()
    }
}

/// The results of a job with the places of their items: what [`Results::with_index`] gives.
///
/// # Examples
/// See [`Results::with_index`].
#[derive(Debug)]
#[must_use = "a job does nothing until its results are asked for"]
pub struct WithIndex<'p, A, R, I>(Results<'p, A, R, I>);

impl<A: Message, R: Message, I: Iterator<Item = A>> Iterator for WithIndex<'_, A, R, I> {
    type Item = (usize, Result<R, TaskError>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_settled()
    }
}

impl<A: Message, R: Message, I: Iterator<Item = A>> FusedIterator for WithIndex<'_, A, R, I> {}
