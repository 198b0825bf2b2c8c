//! `Builder`: what may be said of a pool before it is made.
//!
//! Knows nothing of what its workers do.

use super::desk::Desk;
use super::handle::Pool;
use super::keeper::Keeping;
use super::state::Recipe;
use super::worker::Post;
use crate::channel::{Buffer, Channel, Message, MessageError};
use crate::engine::Direction;
use crate::process::{Failure, NetworkError, Placement, StartError, part};
use std::borrow::Cow;
use std::fmt;

/// Makes a pool: what [`Pool::builder`] gives.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let pool = Pool::builder().workers(2).named("squares").max_tasks_per_worker(10).build()?;
/// assert_eq!(pool.apply(|()| csproc::current().name()[..7].to_string(), ())?, "squares");
/// # Ok::<(), csproc::Error>(())
/// ```
#[must_use = "a builder makes a pool only when `build` is called"]
pub struct Builder<S> {
    says: Says,
    /// Starts the keeper.
    open: Box<dyn FnOnce(Says) -> Result<Pool<S>, NetworkError>>,
}

/// What was said.
#[derive(Debug)]
struct Says {
    name: Cow<'static, str>,
    workers: usize,
    placement: Placement,
    limit: Option<usize>,
    retries: u32,
}

impl Builder<()> {
    pub(super) fn new() -> Builder<()> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let says =
            Says { name: Cow::Borrowed("pool"), workers, placement: Placement::Process, limit: None, retries: 0 };
        Builder { says, open: Box::new(|says| open::<(), ()>(says, (), |()| ())) }
    }
}

impl<S: 'static> Builder<S> {
    /// How many workers it has, at least one; unless it is said, as many as there are processors.
    ///
    /// # Examples
    /// See [`Builder`].
    pub fn workers(mut self, workers: usize) -> Builder<S> {
        self.says.workers = workers.max(1);
        self
    }

    /// Gives it a name; its workers are called `name[0]`, `name[1]` and so on, in the order in which they are started.
    /// At most 55 bytes.
    ///
    /// # Examples
    /// See [`Builder`].
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Builder<S> {
        self.says.name = name.into();
        self
    }

    /// Where its workers run: in processes of their own, unless it is said.
    ///
    /// # Examples
    /// See [`Pool::threads`].
    pub fn on(mut self, placement: Placement) -> Builder<S> {
        self.says.placement = placement;
        self
    }

    /// After so many tasks a worker ends, and another one takes its place; at least one. A chunk of a job is never
    /// divided: the one with which a worker has done so many tasks, or more, is its last.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::collections::BTreeSet;
    ///
    /// let pool = Pool::builder().workers(1).max_tasks_per_worker(2).build()?;
    /// let ids = pool.map(|_| std::process::id(), 0..6)?;
    /// assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 3);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn max_tasks_per_worker(mut self, tasks: usize) -> Builder<S> {
        self.says.limit = Some(tasks.max(1));
        self
    }

    /// Has work whose worker has died done by another worker, up to so many times; unless it is said, never.
    ///
    /// **A task may then begin several times, and even be finished more than once**: its worker may have died after it
    /// had done all, and before that was known. So this is for tasks that may be repeated. Where nothing is tried
    /// again, a task begins once at most. A chunk is tried again as a whole. If all tries fail, the tasks are
    /// [`Lost`](super::TaskFailure::Lost), with the number of tries and the last worker. A panic is a result like any
    /// other, and is not tried again; neither is anything once the pool is dropped or terminated.
    ///
    /// The process that has the pool keeps the arguments of a task until it is done, so it takes them out of their
    /// message, too; and a channel whose ends are among them does not retire before. A channel whose end was in the
    /// hands of a dead worker is lost with it, as everywhere, and the next try finds it so; the objects of
    /// [`shared`](crate::shared), queues among them, are not.
    ///
    /// A task has begun, and can no longer be [cancelled](super::Task::cancel), when its first worker was given it. Of
    /// workers that die one after the other, five are borne for each try, before the pool gives up.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::pool::TaskFailure;
    ///
    /// /// Takes its worker along, as long as the queue says so.
    /// fn fragile((deaths, number): (Queue<()>, u32)) -> u32 {
    ///     if deaths.try_get().is_ok() {
    ///         std::process::abort();
    ///     }
    ///     number + 1
    /// }
    ///
    /// let pool = Pool::builder().workers(2).retries(2).build()?;
    /// let deaths = Queue::new();
    /// (0..2).try_for_each(|_| deaths.put(()))?;
    /// assert_eq!(pool.apply(fragile, (deaths.clone(), 7))?, 8);
    /// (0..3).try_for_each(|_| deaths.put(()))?;
    /// let failure = pool.apply(fragile, (deaths, 7)).unwrap_err().failure;
    /// assert!(matches!(failure, TaskFailure::Lost { attempts: 3, .. }));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn retries(mut self, times: u32) -> Builder<S> {
        self.says.retries = times;
        self
    }

    /// Has each worker make a state of `with` when it begins, by `make`: a connection, a model, a cache. Tasks that are
    /// given by [`map_with`](Pool::map_with), [`job_with`](Pool::job_with) and [`submit_with`](Pool::submit_with) have
    /// it in hand. After a task has panicked the state is made anew, for nobody knows what was left of it.
    ///
    /// A worker whose `make` panics has crashed.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let pool = Pool::builder().workers(1).state(100, |first: u64| vec![first]).build()?;
    /// let push = |seen: &mut Vec<u64>, next| {
    ///     seen.push(next);
    ///     seen.iter().sum::<u64>()
    /// };
    /// assert_eq!(pool.map_with(push, 1..=3)?, [101, 103, 106]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn state<I: Message + 'static, T: 'static>(self, with: I, make: fn(I) -> T) -> Builder<T> {
        Builder { says: self.says, open: Box::new(move |says| open(says, with, make)) }
    }

    /// Makes the pool.
    ///
    /// # Blocking
    /// Waits until the system has started the workers.
    ///
    /// # Errors
    /// They could not be started; the name is too long; what the state is made of is no message.
    ///
    /// # Examples
    /// See [`Builder`].
    pub fn build(self) -> Result<Pool<S>, NetworkError> {
        (self.open)(self.says)
    }
}

impl Pool<()> {
    /// A pool of so many processes; at least one.
    ///
    /// # Blocking
    /// Waits until the system has started the workers.
    ///
    /// # Errors
    /// They could not be started.
    ///
    /// # Examples
    /// See [`Pool`].
    pub fn new(workers: usize) -> Result<Pool, NetworkError> {
        Pool::builder().workers(workers).build()
    }

    /// A pool of so many threads of this process; at least one. A thread cannot be killed, nor end alone.
    ///
    /// # Blocking
    /// As for [`new`](Pool::new).
    ///
    /// # Errors
    /// As for [`new`](Pool::new).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let pool = Pool::threads(2)?;
    /// assert_eq!(pool.apply(|()| std::process::id(), ())?, std::process::id());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn threads(workers: usize) -> Result<Pool, NetworkError> {
        Pool::builder().workers(workers).on(Placement::Thread).build()
    }

    /// A pool with more to say about it.
    ///
    /// # Examples
    /// See [`Builder`].
    pub fn builder() -> Builder<()> {
        Builder::new()
    }
}

fn open<I: Message + 'static, S: 'static>(says: Says, with: I, make: fn(I) -> S) -> Result<Pool<S>, NetworkError> {
    let Says { name, workers, placement, limit, retries } = says;
    let name = name.into_owned();
    let refused = |error| NetworkError::one(Failure::not_started(&name, StartError::Arguments(error)));
    let work = Channel::builder().name(&*name).buffer(Buffer::Unbounded).build().map_err(refused)?;
    let finished = Channel::builder().buffer(Buffer::DropNewest(1)).build().map_err(refused)?;
    let orders = Channel::builder().buffer(Buffer::Fifo(1)).build().map_err(refused)?;
    let ready = Channel::builder().buffer(Buffer::Fifo(1)).build().map_err(refused)?;
    let recipe = Recipe::new(with, make).map_err(refused)?;
    let post = Post { work: work.reader(), finished: finished.writer(), free: None, limit, recipe };
    // Who waits for work or for a word of the pool is at rest when everybody else is.
    post.work.end().is_served();
    // A worker that dies takes along what it has in hand, but not what all of them have.
    post.work.end().bear_crashes_of(Direction::Reader);
    post.finished.end().bear_crashes_of(Direction::Writer);
    let desk = Desk { work: work.writer(), workers, limit, retries };
    let told = orders.reader();
    told.end().is_served();
    let keeping = Keeping {
        orders: told,
        ready: ready.writer(),
        finished: finished.reader(),
        name: name.clone(),
        placement,
        workers,
        retries: (retries > 0).then(|| (retries, work.reader())),
        post,
    };
    let pool = Pool::over(orders.writer(), desk, part(keeping.keeper::<S>()).spawn()?);
    match ready.reader().read() {
        Ok(None) => Ok(pool),
        Ok(Some(failure)) => Err(NetworkError::one(failure)),
        // The keeper has crashed, and says so.
        Err(error) => pool.join().and_then(|()| Err(refused(MessageError::System { reason: error.to_string() }))),
    }
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.says.fmt(f)
    }
}
