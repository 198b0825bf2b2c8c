//! `Pool`: the handle of a pool, by which work is given.
//!
//! Knows nothing of the workers; the keeper looks after them.

use super::desk::Desk;
use super::failure::{TaskError, TaskFailure};
use super::job::Job;
use super::keeper::Order;
use super::results::Results;
use super::task::{Task, result};
use super::work::Deed;
use crate::channel::{Buffer, Channel, Message, MessageError, Writer, label};
use crate::process::{Child, Failure, NetworkError};
use std::fmt;
use std::marker::PhantomData;

/// Workers that call functions: give them a function and arguments, and have the results.
///
/// The workers are processes. A task is a function and its argument, so it is a plain `fn` or a closure that captures
/// nothing: what else it needs comes with the argument, as a tuple, or is the state of the worker
/// ([`Builder::state`](crate::pool::Builder::state)). The function must be one of the program itself, and not of a
/// library that it has loaded.
///
/// **A worker that dies takes its tasks along and nothing else.** Whoever waits for one is told
/// [`Lost`](TaskFailure::Lost); another worker takes its place, and everybody else goes on. When more than five have
/// died one after the other, with no task finished in between, no more are started; if none is left, whatever was
/// given, and is given later, fails with what the last one died of. A task that panics costs no worker. Tasks that may
/// be repeated can be tried again by other workers ([`Builder::retries`](crate::pool::Builder::retries)).
///
/// **A pool that is dropped** finishes what runs, in the background; what has not begun is
/// [`Cancelled`](TaskFailure::Cancelled). The process that made the pool waits for its workers when it ends, as for all
/// its children; [`join`](Pool::join) waits for them, and for everything that was given. With the process that made it,
/// a pool ends in the same way; if that is killed, its workers end.
///
/// A pool is used by any number of threads at once. Tasks may make pools of their own, and use channels; they are no
/// processes themselves, so the ends of channels that a task was given are closed when it drops them.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// fn main() -> csproc::Result<()> {
///     let pool = Pool::new(4)?;
///     assert_eq!(pool.map(|x: u64| x * x, 0..5)?, [0, 1, 4, 9, 16]);
///     assert_eq!(pool.map(|(base, n): (u64, u32)| base.pow(n), (0..4).map(|n| (2, n)))?, [1, 2, 4, 8]);
///     pool.join()?;
///     Ok(())
/// }
/// ```
/// A closure that captures does not compile; its argument carries what it needs:
/// ```compile_fail,E0308
/// # use csproc::prelude::*;
/// let (pool, base) = (Pool::new(1)?, 2_u64);
/// let powers = pool.map(|n: u32| base.pow(n), 0..4)?;
/// # Ok::<(), csproc::Error>(())
/// ```
pub struct Pool<S = ()> {
    // Before the desk: the keeper knows that the pool is gone before a worker does.
    orders: Writer<Order>,
    desk: Desk,
    keeper: Child<Option<Failure>>,
    state: PhantomData<fn(&mut S)>,
}

impl<S: 'static> Pool<S> {
    pub(super) fn over(orders: Writer<Order>, desk: Desk, keeper: Child<Option<Failure>>) -> Pool<S> {
        Pool { orders, desk, keeper, state: PhantomData }
    }

    /// Calls `function` with each item, and gives the results in the order of the items.
    ///
    /// # Blocking
    /// Waits for all results, or for the first that fails.
    ///
    /// # Errors
    /// The first failure, in the order of the items; what has not begun is cancelled then. Where each task is to have
    /// its own, use [`imap`](Pool::imap).
    ///
    /// # Examples
    /// See [`Pool`].
    #[track_caller]
    pub fn map<A: Message, R: Message>(
        &self,
        function: fn(A) -> R,
        items: impl IntoIterator<Item = A>,
    ) -> Result<Vec<R>, TaskError> {
        self.job(function, items).collect()
    }

    /// As [`map`](Pool::map), with the state of the worker.
    ///
    /// # Blocking
    /// As for [`map`](Pool::map).
    ///
    /// # Errors
    /// As for [`map`](Pool::map).
    ///
    /// # Examples
    /// See [`Builder::state`](crate::pool::Builder::state).
    #[track_caller]
    pub fn map_with<A: Message, R: Message>(
        &self,
        function: fn(&mut S, A) -> R,
        items: impl IntoIterator<Item = A>,
    ) -> Result<Vec<R>, TaskError> {
        self.job_with(function, items).collect()
    }

    /// The results of `function` for each item, in the order of the items, as they are asked for. See [`Results`] for
    /// how far ahead items are read.
    ///
    /// # Errors
    /// Each result is one by itself: the others go on.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let pool = Pool::new(2)?;
    /// let halves: Vec<bool> = pool.imap(|x: u32| 12 / x, [0, 1, 2]).map(|half| half.is_ok()).collect();
    /// assert_eq!(halves, [false, true, true]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn imap<A: Message, R: Message, I: IntoIterator<Item = A>>(
        &self,
        function: fn(A) -> R,
        items: I,
    ) -> Results<'_, A, R, I::IntoIter> {
        self.job(function, items).ordered()
    }

    /// As [`imap`](Pool::imap), in the order in which they come. [`Results::with_index`] tells which is which.
    ///
    /// # Errors
    /// As for [`imap`](Pool::imap).
    ///
    /// # Examples
    /// See [`Results::with_index`].
    #[track_caller]
    pub fn imap_unordered<A: Message, R: Message, I: IntoIterator<Item = A>>(
        &self,
        function: fn(A) -> R,
        items: I,
    ) -> Results<'_, A, R, I::IntoIter> {
        self.job(function, items).unordered()
    }

    /// A function and its items, to say how they are done.
    ///
    /// # Examples
    /// See [`Job`].
    #[track_caller]
    pub fn job<A: Message, R: Message, I: IntoIterator<Item = A>>(
        &self,
        function: fn(A) -> R,
        items: I,
    ) -> Job<'_, A, R, I::IntoIter> {
        Job::new(&self.desk, Deed::call::<S, A, R>(function), items.into_iter())
    }

    /// As [`job`](Pool::job), with the state of the worker.
    ///
    /// # Examples
    /// See [`Builder::state`](crate::pool::Builder::state).
    #[track_caller]
    pub fn job_with<A: Message, R: Message, I: IntoIterator<Item = A>>(
        &self,
        function: fn(&mut S, A) -> R,
        items: I,
    ) -> Job<'_, A, R, I::IntoIter> {
        Job::new(&self.desk, Deed::call_with(function), items.into_iter())
    }

    /// Calls `function` once, in a worker.
    ///
    /// # Blocking
    /// Waits for the result.
    ///
    /// # Errors
    /// It panicked, its worker died, or the argument or the result is no message.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let pool = Pool::new(1)?;
    /// assert_ne!(pool.apply(|()| std::process::id(), ())?, std::process::id());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn apply<A: Message, R: Message>(&self, function: fn(A) -> R, argument: A) -> Result<R, TaskError> {
        let failed = TaskError::alone;
        let deed = Deed::call::<S, A, R>(function).map_err(|error| failed(TaskFailure::Invalid(error)))?;
        let answer = self.desk.give(&deed, vec![argument], None).map_err(|(failure, _)| failed(failure))?;
        result(answer.read().map_err(TaskFailure::of_channel))
    }

    /// Has `function` called once, in a worker, and comes back at once. It is done whether or not somebody waits for
    /// it.
    ///
    /// # Blocking
    /// Never waits: any number of tasks may wait for a worker.
    ///
    /// # Errors
    /// The argument is no message, or there is no room for it.
    ///
    /// # Examples
    /// See [`Task`].
    #[track_caller]
    pub fn submit<A: Message, R: Message>(&self, function: fn(A) -> R, argument: A) -> Result<Task<R>, TaskError> {
        self.give(Deed::call::<S, A, R>(function), argument)
    }

    /// As [`submit`](Pool::submit), with the state of the worker.
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// As for [`submit`](Pool::submit).
    ///
    /// # Examples
    /// See [`Builder::state`](crate::pool::Builder::state).
    #[track_caller]
    pub fn submit_with<A: Message, R: Message>(
        &self,
        function: fn(&mut S, A) -> R,
        argument: A,
    ) -> Result<Task<R>, TaskError> {
        self.give(Deed::call_with(function), argument)
    }

    #[track_caller]
    fn give<A: Message, R: Message>(
        &self,
        deed: Result<Deed, MessageError>,
        argument: A,
    ) -> Result<Task<R>, TaskError> {
        let failed = TaskError::alone;
        let deed = deed.map_err(|error| failed(TaskFailure::Invalid(error)))?;
        let channel = Channel::buffered(Buffer::Fifo(1));
        let (permission, begin) = (channel.writer(), channel.reader());
        permission.write(()).map_err(|error| failed(TaskFailure::of_channel(error.into())))?;
        let given = self.desk.give(&deed, vec![argument], Some(channel.reader()));
        given.map(|answer| Task::new(answer, begin)).map_err(|(failure, _)| failed(failure))
    }

    /// Waits until everything that was given is done, and all workers have ended.
    ///
    /// # Blocking
    /// Until then.
    ///
    /// # Errors
    /// Too many workers have died one after the other, so that something was not done. Each task tells by itself what
    /// became of it; that other workers have died is no error.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let (results, pool) = (Queue::new(), Pool::new(2)?);
    /// for number in 0..10 {
    ///     // Nobody waits for them.
    ///     drop(pool.submit(|(to, number): (Queue<u32>, u32)| to.put(number).is_ok(), (results.clone(), number))?);
    /// }
    /// pool.join()?;
    /// results.close();
    /// assert_eq!(results.iter().sum::<u32>(), 45);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn join(self) -> Result<(), NetworkError> {
        self.end(Order::Finish)
    }

    /// Kills the workers. Whoever waits for a task that runs is told [`Lost`](TaskFailure::Lost); for one that has not
    /// begun, [`Cancelled`](TaskFailure::Cancelled). Threads cannot be killed: those finish what they do.
    ///
    /// # Blocking
    /// Waits until all workers have ended.
    ///
    /// # Examples
    /// ```
    /// use csproc::pool::{Pool, TaskFailure};
    /// use csproc::Cause;
    ///
    /// let pool = Pool::new(1)?;
    /// let (w, r) = csproc::channel::<()>();
    /// fn begin(to: csproc::Writer<()>) {
    ///     to.write(()).unwrap();
    ///     loop {
    ///         std::thread::park();
    ///     }
    /// }
    /// let task = pool.submit(begin, w)?;
    /// r.read()?;
    /// pool.terminate();
    /// let failure = task.wait().unwrap_err().failure;
    /// assert!(matches!(failure, TaskFailure::Lost { cause: Cause::Killed { signal: 9 }, attempts: 1, .. }));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn terminate(self) {
        // What there is to complain of is told by each task.
        let _ = self.end(Order::Kill);
    }

    #[track_caller]
    fn end(self, order: Order) -> Result<(), NetworkError> {
        let Pool { orders, desk, keeper, .. } = self;
        // A keeper that is gone says why itself.
        let _ = orders.write(order);
        desk.work.retire();
        match keeper.join()? {
            None => Ok(()),
            Some(failure) => Err(NetworkError::one(failure)),
        }
    }

    /// How many workers it has.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(csproc::pool::Pool::threads(3)?.workers(), 3);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn workers(&self) -> usize {
        self.desk.workers
    }
}

impl<S> fmt::Debug for Pool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &label(self.desk.work.end().channel()))
            .field("workers", &self.desk.workers)
            .finish_non_exhaustive()
    }
}
