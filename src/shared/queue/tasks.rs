//! The tasks of a queue: whoever got an item says when it is done with it, and who joins waits until all are done.
//!
//! Knows nothing of how items come and go. The count is the engine's, for the item and its task change hands in one
//! step; here are the words for it.

use super::Queue;
use crate::channel::{ChannelError, Message, Patience};
use std::panic::Location;
use std::time::Duration;

impl<T: Message> Queue<T> {
    /// One item that this process got is done with. To be said once for each, with any handle of the process, by any of
    /// its threads; [`join`](Queue::join) waits for it. An item that came as [`Invalid`](ChannelError::Invalid) was
    /// got, too.
    ///
    /// When a handle goes, what was got with it is open for another handle of the process; with the last one, what is
    /// open is left behind, and whoever joins is told.
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// [`NoOpenTask`]: the process has said so for each item that it got.
    ///
    /// # Poison and retire
    /// It may be said of a queue that is closed or poisoned, but not with a handle that was given up.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let queue = Queue::new();
    /// queue.put(1)?;
    /// assert!(queue.task_done().is_err(), "nothing was got");
    /// queue.get()?;
    /// queue.task_done()?;
    /// assert!(queue.task_done().is_err(), "one item, and twice done");
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn task_done(&self) -> Result<(), NoOpenTask> {
        let done = match &self.elsewhere {
            Some(elsewhere) => elsewhere.task_done(),
            None => self.reader.end().task_done(),
        };
        if done { Ok(()) } else { Err(NoOpenTask { queue: self.label() }) }
    }

    /// Waits until every item that was put was got, and is [done](Queue::task_done). It can be said again, also of a
    /// queue that is closed.
    ///
    /// An item that a producer still waits to put, because the queue is full, is not in the queue and does not count.
    ///
    /// # Blocking
    /// Until no item is in the queue and none is open. When nobody is left who could get it or say so, that is a
    /// deadlock, and is reported as one, with the processes that have items open.
    ///
    /// # Errors
    /// All others are done, but a process has ended that had got an item and had not said that it was done with it: it
    /// was [`Lost`](ChannelError::Lost) with a process that has crashed, or the process has
    /// [`Abandoned`](ChannelError::Abandoned) it; of several, the one that ended last is named. (A process that
    /// [retires](crate::OnCrash::Retire) when it crashes leaves its items as if it had returned.) All that wait are
    /// told, or the next one that joins; then the count begins anew.
    ///
    /// [`Poisoned`](ChannelError::Poisoned), also for a [`Deadlock`](ChannelError::Deadlock), when the queue is.
    ///
    /// # Poison and retire
    /// Poison ends a waiting join at once, [`close`](Queue::close) does not.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn worker(jobs: Queue<u64>, sum: Value<u64>) -> csproc::Result<()> {
    ///     for job in &jobs {
    ///         sum.with_lock(|sum| *sum += job)?;
    ///         jobs.task_done()?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let (jobs, sum) = (Queue::new(), Value::new(0_u64));
    ///     let workers: Vec<_> = (0..3).map(|_| Spawn!(worker(jobs.clone(), sum.clone()))).collect::<Result<_, _>>()?;
    ///     for round in 1..=2 {
    ///         (1..=100).try_for_each(|job| jobs.put(job))?;
    ///         jobs.join()?;
    ///         assert_eq!(sum.get(), round * 5050, "the workers are still there, and all is added");
    ///     }
    ///     jobs.close();
    ///     workers.into_iter().try_for_each(|worker| worker.join().values())?;
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn join(&self) -> Result<(), ChannelError> {
        self.join_within(Patience::ForEver, Location::caller())
    }

    /// As [`join`](Queue::join), at most for `timeout`.
    ///
    /// # Blocking
    /// As for [`join`](Queue::join), at most for `timeout`. With a timeout of zero it looks, and does not wait.
    ///
    /// # Errors
    /// As for [`join`](Queue::join), and [`TimedOut`](ChannelError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let queue = Queue::new();
    /// queue.put(1)?;
    /// assert!(queue.join_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn join_timeout(&self, timeout: Duration) -> Result<(), ChannelError> {
        self.join_within(Patience::of(timeout), Location::caller())
    }

    fn join_within(&self, patience: Patience, place: &'static Location<'static>) -> Result<(), ChannelError> {
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.join(patience),
            None => self.reader.end().join(patience, place),
        }
    }
}

/// A process has said of more items that they are done than it has got.
///
/// # Examples
/// ```
/// let queue = csproc::shared::Queue::<u8>::new().named("jobs");
/// let error = queue.task_done().unwrap_err();
/// assert!(error.to_string().contains("`jobs`"), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no task of queue `{queue}` is open in this process: say `task_done` once for each item that it has got")]
pub struct NoOpenTask {
    queue: String,
}
