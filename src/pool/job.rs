//! `Job`: a function and its items, before it is said how they are done.
//!
//! Knows nothing of how they are given to workers.

use super::desk::Desk;
use super::failure::TaskError;
use super::results::{Plan, Results};
use super::work::Deed;
use crate::channel::{Message, MessageError};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

/// A function and the items that it is to be called with: what [`Pool::job`](super::Pool::job) gives.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let pool = Pool::new(2)?;
/// let mut seen = Vec::new();
/// let job = pool.job(|x: u64| x * x, 0..100).chunk(10).progress(|done, total| seen.push((done, total)));
/// let squares = job.collect()?;
/// assert_eq!(squares[99], 9801);
/// assert_eq!((seen.len(), seen[0], seen[9]), (10, (10, Some(100)), (100, Some(100))));
/// # Ok::<(), csproc::Error>(())
/// ```
#[must_use = "a job does nothing until its results are asked for"]
pub struct Job<'p, A, R, I> {
    plan: Plan<'p>,
    items: I,
    location: &'static Location<'static>,
    values: PhantomData<fn(A) -> R>,
}

impl<'p, A: Message, R: Message, I: Iterator<Item = A>> Job<'p, A, R, I> {
    #[track_caller]
    pub(super) fn new(desk: &'p Desk, deed: Result<Deed, MessageError>, items: I) -> Job<'p, A, R, I> {
        let total = match items.size_hint() {
            (least, Some(most)) if least == most => Some(most),
            _ => None,
        };
        let share = total.map_or(1, |total| total / (8 * desk.workers)).max(1);
        let chunk = match desk.limit {
            // So that whole chunks make up what a worker does.
            Some(limit) => (1..=share.min(limit)).rev().find(|chunk| limit % chunk == 0).unwrap_or(1),
            None => share,
        };
        let plan = Plan { desk, deed, chunk, ahead: 2 * desk.workers, ordered: true, progress: None, total };
        Job { plan, items, location: Location::caller(), values: PhantomData }
    }

    /// How many items go to a worker at once, at least one. The results of a chunk come together, and if a worker dies
    /// with it, all of its tasks are lost: one alone tells which task it was.
    ///
    /// Unless it is said, an eighth of what each worker would do if all did the same, and 1 if it is not known how many
    /// items there are. If the tasks of a worker are limited, so many less that they are whole chunks.
    ///
    /// # Examples
    /// See [`Job`].
    pub fn chunk(mut self, items: usize) -> Job<'p, A, R, I> {
        self.plan.chunk = items.max(1);
        self
    }

    /// How many chunks are given to the workers ahead of what was read of the results, at least one; two for each
    /// worker, unless it is said.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::cell::Cell;
    ///
    /// let pool = Pool::new(2)?;
    /// let read = Cell::new(0);
    /// let items = (0..).inspect(|_| read.set(read.get() + 1));
    /// let mut results = pool.job(|x: i32| x + 1, items).ahead(3).ordered();
    /// assert_eq!(read.get(), 0);
    /// assert_eq!(results.next(), Some(Ok(1)));
    /// assert_eq!(read.get(), 3);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn ahead(mut self, chunks: usize) -> Job<'p, A, R, I> {
        self.plan.ahead = chunks.max(1);
        self
    }

    /// Calls `progress` in this thread whenever an answer has come: with the number of tasks that are done, and how
    /// many there are, if that is known.
    ///
    /// # Examples
    /// See [`Job`].
    pub fn progress(mut self, progress: impl FnMut(usize, Option<usize>) + 'p) -> Job<'p, A, R, I> {
        self.plan.progress = Some(Box::new(progress));
        self
    }

    /// The results in the order of the items.
    ///
    /// # Examples
    /// See [`Job::ahead`].
    pub fn ordered(self) -> Results<'p, A, R, I> {
        self.results(true)
    }

    /// The results as they come.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let pool = Pool::new(2)?;
    /// let sum: u64 = pool.job(|x: u64| x * x, 1..=3).unordered().sum::<Result<u64, _>>()?;
    /// assert_eq!(sum, 14);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn unordered(self) -> Results<'p, A, R, I> {
        self.results(false)
    }

    /// All results in the order of the items.
    ///
    /// # Blocking
    /// Waits for all of them, or for the first that fails.
    ///
    /// # Errors
    /// The first failure, in the order of the items. What has not begun is cancelled then.
    ///
    /// # Examples
    /// See [`Job`].
    pub fn collect(self) -> Result<Vec<R>, TaskError> {
        self.ordered().into_vec()
    }

    fn results(mut self, ordered: bool) -> Results<'p, A, R, I> {
        self.plan.ordered = ordered;
        Results::new(self.plan, self.items, self.location)
    }
}

impl<A, R, I> fmt::Debug for Job<'_, A, R, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { chunk, ahead, total, .. } = &self.plan;
        f.debug_struct("Job").field("chunk", chunk).field("ahead", ahead).field("total", total).finish_non_exhaustive()
    }
}
