//! `Task`: one call that was given to a pool, and its result when it comes.
//!
//! Knows nothing of pools: it reads the answer, wherever it is.

use super::arm::AnswerArm;
use super::failure::{TaskError, TaskFailure};
use super::work::Answer;
use crate::alternation::{Arm, Guard, Offered, Outcome, Stowed, Take, Verdict};
use crate::channel::{ChannelError, Message, Reader};
use crate::engine;
use crate::sys::clock::Deadline;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A call that was given to a pool: what [`Pool::submit`](super::Pool::submit) gives.
///
/// It goes on when this is dropped, and its result is lost then. It is a [`Message`](crate::Message): whoever has it
/// waits for the result. In an alternation it is a guard that fires when the task has ended, however: `r = task => …`.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use std::time::Duration;
///
/// let pool = Pool::new(2)?;
/// let tasks: Vec<_> = (1..=3).map(|x| pool.submit(|x: u64| x * x, x)).collect::<Result<_, _>>()?;
/// let first = AltSelect! {
///     result = tasks[0] => result?,
///     after(Duration::from_secs(60)) => 0,
/// }?;
/// assert_eq!(first, 1);
/// assert_eq!(tasks.into_iter().skip(1).map(|task| task.wait()).sum::<Result<u64, _>>()?, 13);
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Task<R> {
    answer: Reader<Answer<R>>,
    /// Whoever takes the message out of here decides whether it begins.
    begin: Reader<()>,
    /// The result was handed out.
    taken: AtomicBool,
}

impl<R: Message> Task<R> {
    pub(super) fn new(answer: Reader<Answer<R>>, begin: Reader<()>) -> Task<R> {
        Task { answer, begin, taken: AtomicBool::new(false) }
    }

    /// Waits for the result.
    ///
    /// # Blocking
    /// Until the task has ended.
    ///
    /// # Errors
    /// It panicked, its worker died, it was cancelled, its result is no message; or it was handed out before.
    ///
    /// # Examples
    /// See [`Task`].
    #[track_caller]
    pub fn wait(self) -> Result<R, TaskError> {
        if self.is_taken() {
            return Err(TaskError::alone(TaskFailure::Taken));
        }
        result(self.answer.read_at(Location::caller()).map_err(TaskFailure::of_channel))
    }

    /// The result, if the task has ended. It is handed out once; after that this gives `None`.
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Errors
    /// As for [`wait`](Task::wait).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let pool = Pool::new(1)?;
    /// let task = pool.submit(|x: u64| x * x, 5)?;
    /// let square = loop {
    ///     match task.try_get() {
    ///         Some(square) => break square?,
    ///         None => std::thread::yield_now(),
    ///     }
    /// };
    /// assert_eq!(square, 25);
    /// assert!(task.try_get().is_none());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn try_get(&self) -> Option<Result<R, TaskError>> {
        self.get(|answer| answer.try_read())
    }

    /// The result, if the task ends within `timeout`. It is handed out once; after that this gives `None`.
    ///
    /// # Blocking
    /// Until the task has ended, or the time is up.
    ///
    /// # Errors
    /// As for [`wait`](Task::wait).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let pool = Pool::new(1)?;
    /// let (w, r) = csproc::channel::<u64>();
    /// let task = pool.submit(|input: Reader<u64>| input.read().unwrap(), r)?;
    /// assert!(task.wait_timeout(Duration::from_millis(1)).is_none());
    /// w.write(7)?;
    /// assert_eq!(task.wait_timeout(Duration::from_secs(60)), Some(Ok(7)));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Option<Result<R, TaskError>> {
        self.get(|answer| answer.read_timeout(timeout))
    }

    #[track_caller]
    fn get(
        &self,
        read: impl FnOnce(&Reader<Answer<R>>) -> Result<Answer<R>, ChannelError>,
    ) -> Option<Result<R, TaskError>> {
        if self.is_taken() {
            return None;
        }
        match read(&self.answer) {
            Err(ChannelError::WouldBlock | ChannelError::TimedOut) => None,
            came => {
                self.taken.store(true, Ordering::Release);
                Some(result(came.map_err(TaskFailure::of_channel)))
            }
        }
    }

    /// Cancels it, if it has not begun. Whether it was cancelled by this: then it never begins, and whoever waits is
    /// told [`Cancelled`](TaskFailure::Cancelled).
    ///
    /// # Blocking
    /// Never waits.
    ///
    /// # Examples
    /// ```
    /// use csproc::pool::{Pool, TaskFailure};
    ///
    /// let pool = Pool::new(1)?;
    /// let (w, r) = csproc::channel::<u64>();
    /// let busy = pool.submit(|input: csproc::Reader<u64>| input.read().unwrap(), r)?;
    /// let never = pool.submit(|x: u64| x, 1)?;
    /// assert!(never.cancel());
    /// assert_eq!(never.wait().unwrap_err().failure, TaskFailure::Cancelled);
    /// w.write(7)?;
    /// assert!(!busy.cancel(), "it has begun");
    /// assert_eq!(busy.wait()?, 7);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn cancel(&self) -> bool {
        let cancelled = self.begin.try_read().is_ok();
        if cancelled {
            // Nobody will ever write there.
            self.answer.retire();
        }
        cancelled
    }
}

impl<R> Task<R> {
    fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Acquire)
    }

    /// Why nothing comes any more, if it is known here.
    fn over(&self) -> Option<TaskFailure> {
        if self.is_taken() {
            return Some(TaskFailure::Taken);
        }
        self.answer.end().check().err().map(TaskFailure::of_channel)
    }
}

/// What an answer to one task says.
pub(super) fn result<R>(came: Result<Answer<R>, TaskFailure>) -> Result<R, TaskError> {
    match came {
        Ok(Answer::Done(done)) => done.into_iter().next().unwrap_or(Err(TaskFailure::Cancelled)),
        Ok(Answer::Refused(failure)) | Err(failure) => Err(failure),
    }
    .map_err(TaskError::alone)
}

impl<R: Message> Guard for Task<R> {
    type Output = Result<R, TaskError>;
    type Arm<'a>
        = TaskArm<'a, R>
    where
        R: 'a;

    fn arm(&self) -> TaskArm<'_, R> {
        TaskArm { task: self, answer: AnswerArm::new(&self.answer) }
    }
}

/// Waits for the end of a task.
pub struct TaskArm<'a, R: Message> {
    task: &'a Task<R>,
    answer: AnswerArm<'a, Answer<R>>,
}

impl<R: Message> Arm for TaskArm<'_, R> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        match self.task.over() {
            Some(_) => Ok(Offered(Some(engine::Guard::Timer { deadline: Deadline::at(engine::now()) }))),
            None => self.answer.offer(),
        }
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        if matches!(outcome.came, Ok(None)) {
            // The time, which was offered because nothing comes any more.
            self.answer.end(self.task.over().unwrap_or(TaskFailure::Cancelled));
            return Ok(Verdict::Done);
        }
        self.task.taken.store(true, Ordering::Release);
        self.answer.fire(outcome)
    }

    fn stow(&mut self) -> Stowed {
        self.answer.stow()
    }
}

impl<R: Message> Take for TaskArm<'_, R> {
    type Output = Result<R, TaskError>;

    fn unpack(stowed: Stowed) -> Result<Result<R, TaskError>, ChannelError> {
        Ok(result(AnswerArm::<Answer<R>>::unpack(stowed)?))
    }
}

impl<R: Message> fmt::Debug for TaskArm<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskArm")
    }
}

impl<R> fmt::Debug for Task<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("is_taken", &self.is_taken()).finish_non_exhaustive()
    }
}
