//! Histories: what processes have asked a shared object, and what it has answered.
//!
//! Knows nothing of which answers are right; that is in [`linear`](super::linear).

use super::run::Run;
use crate::channel::{Buffer, ChannelError, Message, MessageError};
use crate::shared::{Atomic, Queue};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;

/// What the queue of a recorder is called, in which its entries lie.
const NAME: &str = "history";

/// A call begins, or has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Entry<O, A> {
    Began { call: u64, process: String, operation: O },
    Ended { call: u64, answer: A },
}

/// Writes down what processes ask a shared object, and what it answers.
///
/// It is given to each of them, as any other shared object is; a clone is the same recorder. The order in which calls
/// begin and end is that in which they are written down, so a call that has ended before another one began is before it
/// in the [`History`], wherever the two processes run. Who is killed in the middle of a call leaves one that has not
/// ended.
///
/// In a simulated network each entry is an event of its own.
///
/// # Examples
/// See [`Sequential`](super::Sequential).
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Recorder<O, A> {
    entries: Queue<Entry<O, A>>,
    calls: Atomic<u64>,
}

impl<O: Message, A: Message + Clone> Recorder<O, A> {
    /// A recorder of nothing so far.
    ///
    /// # Errors
    /// There is no room for it.
    ///
    /// # Examples
    /// See [`Sequential`](super::Sequential).
    pub fn new() -> Result<Recorder<O, A>, MessageError> {
        let entries = Queue::try_new(Buffer::Unbounded)?.named(NAME);
        Ok(Recorder { entries, calls: Atomic::new(0)? })
    }

    /// Does `work`, which asks the object for `operation`, and gives its answer.
    ///
    /// # Blocking
    /// As long as `work` does.
    ///
    /// # Errors
    /// What is asked or answered cannot be sent, or there is no room for it.
    ///
    /// # Examples
    /// See [`Sequential`](super::Sequential).
    #[track_caller]
    pub fn call(&self, operation: O, work: impl FnOnce() -> A) -> Result<A, ChannelError> {
        let call = self.calls.fetch_add(1);
        let process = crate::current().name().to_string();
        self.entries.put(Entry::Began { call, process, operation }).map_err(|error| error.fate)?;
        let answer = work();
        self.entries.put(Entry::Ended { call, answer: answer.clone() }).map_err(|error| error.fate)?;
        Ok(answer)
    }

    /// What was recorded since this was asked before. To be asked when nobody calls any more: what goes on now is in
    /// two halves.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Errors
    /// What was asked or answered cannot be read.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::Recorder;
    ///
    /// #[process]
    /// fn counts(total: Value<u32>, recorder: Recorder<(), u32>) -> csproc::Result<()> {
    ///     recorder.call((), || total.with_lock(|total| std::mem::replace(total, *total + 1)).unwrap_or(0))?;
    ///     Ok(())
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let (total, recorder) = (Value::new(0), Recorder::new()?);
    ///     Parallel!(for _ in 0..3 => counts(total.clone(), recorder.clone())).values()?;
    ///     assert_eq!(recorder.history()?.calls().len(), 3);
    ///     Ok(())
    /// }
    /// ```
    pub fn history(&self) -> Result<History<O, A>, ChannelError> {
        let mut entries = Vec::new();
        loop {
            match self.entries.try_get() {
                Ok(entry) => entries.push(entry),
                Err(error) if error.is_would_block() || error.is_retired() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(History::from_entries(entries))
    }
}

impl<O, A> Clone for Recorder<O, A> {
    /// The same recorder.
    fn clone(&self) -> Recorder<O, A> {
        Recorder { entries: self.entries.clone(), calls: self.calls.clone() }
    }
}

impl<O, A> fmt::Debug for Recorder<O, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("calls", &self.calls.load()).finish_non_exhaustive()
    }
}

/// What a process has asked a shared object.
///
/// # Examples
/// See [`Sequential`](super::Sequential).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call<O, A> {
    pub(super) process: String,
    pub(super) operation: O,
    pub(super) answer: Option<A>,
    /// Places among all beginnings and ends.
    pub(super) began: usize,
    pub(super) ended: Option<usize>,
}

impl<O, A> Call<O, A> {
    /// The name of the process.
    ///
    /// # Examples
    /// See [`History::calls`].
    pub fn process(&self) -> &str {
        &self.process
    }

    /// What it has asked.
    ///
    /// # Examples
    /// See [`History::calls`].
    pub fn operation(&self) -> &O {
        &self.operation
    }

    /// What it has heard, if the call has ended.
    ///
    /// # Examples
    /// See [`History::calls`].
    pub fn answer(&self) -> Option<&A> {
        self.answer.as_ref()
    }
}

/// As `process: operation -> answer`.
impl<O: fmt::Debug, A: fmt::Debug> fmt::Display for Call<O, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.process, self.operation)?;
        match &self.answer {
            Some(answer) => write!(f, " -> {answer:?}"),
            None => f.write_str(" -> ?"),
        }
    }
}

/// What processes have asked a shared object, and what it has answered: which calls there were, and which of them had
/// ended before others began (Herlihy and Wing, "Linearizability", TOPLAS 1990).
///
/// # Examples
/// See [`Sequential`](super::Sequential).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History<O, A> {
    pub(super) calls: Vec<Call<O, A>>,
}

impl<O: Message, A: Message> History<O, A> {
    /// What a [`Recorder`] has written down in a simulated run: of all recorders, if there were several.
    ///
    /// # Panics
    /// There was none, or one of other operations and answers.
    ///
    /// # Examples
    /// See [`Sequential`](super::Sequential).
    #[track_caller]
    pub fn of<R>(run: &Run<R>) -> History<O, A> {
        History::from_entries(run.messages(NAME))
    }
}

impl<O, A> History<O, A> {
    fn from_entries(entries: Vec<Entry<O, A>>) -> History<O, A> {
        let mut calls: Vec<Call<O, A>> = Vec::new();
        let mut places = HashMap::new();
        for (place, entry) in entries.into_iter().enumerate() {
            match entry {
                Entry::Began { call, process, operation } => {
                    places.insert(call, calls.len());
                    calls.push(Call { process, operation, answer: None, began: place, ended: None });
                }
                Entry::Ended { call, answer } => {
                    if let Some(call) = places.get(&call).and_then(|place| calls.get_mut(*place)) {
                        (call.answer, call.ended) = (Some(answer), Some(place));
                    }
                }
            }
        }
        History { calls }
    }

    /// The calls, in the order in which they began.
    ///
    /// # Examples
    /// ```
    /// use csproc::testing::Recorder;
    ///
    /// let recorder = Recorder::new()?;
    /// recorder.call(String::from("six times seven"), || 42)?;
    /// let history = recorder.history()?;
    /// let [call] = history.calls() else { panic!("one call") };
    /// assert_eq!((call.operation().as_str(), call.answer()), ("six times seven", Some(&42)));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn calls(&self) -> &[Call<O, A>] {
        &self.calls
    }
}
