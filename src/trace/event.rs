//! One event of a trace, as people and programs read it.
//!
//! Knows nothing of where it was recorded.

use crate::engine::ProcessId;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What has happened in an [`Event`].
///
/// # Examples
/// ```
/// use csproc::trace::{self, What};
///
/// trace::start();
/// trace::mark("here");
/// let last = trace::last(1);
/// assert_eq!(last.events()[0].what(), What::Marked);
/// assert_eq!(last.events()[0].text(), "here");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum What {
    /// The process began.
    Began,
    /// Its function returned.
    Ended,
    /// It was killed, or panicked.
    Crashed,
    /// It started the process that [`partner`](Event::partner) names.
    Spawned,
    /// It saw the end of the process that [`partner`](Event::partner) names.
    Joined,
    /// It wrote a message, or could not: see [`outcome`](Event::outcome).
    Wrote,
    /// It read a message, or could not.
    Read,
    /// It met all others at a barrier.
    Synchronized,
    /// It passed a lock, a semaphore, an event or a condition.
    Passed,
    /// It gave back what it had taken of a lock or a semaphore.
    GaveBack,
    /// It let the writer of an extended read go on.
    Released,
    /// It saw the last task of a queue done.
    Finished,
    /// A timer or `skip` of an alternation.
    Timer,
    /// It has waited ever since, to do what [`text`](Event::text) says.
    Waits,
    /// It poisoned the channel, or died with it.
    Poisoned,
    /// It closed the last end of one side of the channel.
    Retired,
    /// It was found in a deadlock.
    Deadlocked,
    /// [`mark`](super::mark).
    Marked,
    /// A [`span`](super::span) began.
    SpanBegan,
    /// A [`span`](super::span) ended.
    SpanEnded,
}

/// What an operation came to.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::trace::{self, Outcome};
///
/// trace::start();
/// let c = Channel::<u8>::new();
/// let r = c.reader();
/// assert!(r.try_read().is_err());
/// let last = trace::last(1);
/// assert_eq!(last.events()[0].outcome(), Outcome::WouldBlock);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Outcome {
    /// It is done.
    Done,
    /// The channel was poisoned.
    Poisoned,
    /// The channel had retired.
    Retired,
    /// A process of the channel had died.
    Lost,
    /// Nobody came in time.
    TimedOut,
    /// Nobody was there.
    WouldBlock,
    /// The reader did not finish its extended rendezvous.
    Abandoned,
}

/// One event of a [`Trace`](super::Trace).
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::trace::{self, What};
///
/// #[process]
/// fn source(out: Writer<u64>) -> csproc::Result<()> {
///     Ok(out.write(7)?)
/// }
///
/// fn main() -> csproc::Result<()> {
///     trace::start();
///     let c = Channel::builder().name("numbers").build()?;
///     let numbers = c.reader();
///     let child = Spawn!(source(c.writer()))?;
///     assert_eq!(numbers.read()?, 7);
///     child.join()??;
///
///     let trace = trace::last(50);
///     let read = trace.of("main").find(|event| event.what() == What::Read).unwrap();
///     assert_eq!((read.channel(), read.partner(), read.bytes()), (Some("numbers"), Some("source"), 8));
///     assert!(read.place().is_some());
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub(super) number: u64,
    /// Its place in the trace.
    pub(super) at: usize,
    /// Which context, for events of one process at the same time.
    pub(super) context: u32,
    pub(super) time: Duration,
    pub(super) process: String,
    pub(super) process_id: ProcessId,
    pub(super) what: What,
    pub(super) outcome: Outcome,
    pub(super) channel: Option<String>,
    pub(super) partner: Option<String>,
    pub(super) place: Option<String>,
    /// Where the partner was.
    pub(super) partner_place: Option<String>,
    pub(super) bytes: u32,
    pub(super) waited: Option<Duration>,
    /// Of an alternation, how many guards there were.
    pub(super) guards: usize,
    pub(super) text: String,
}

impl Event {
    /// Its logical time: of two events of which one came before the other, in one process or through channels, it has
    /// the smaller number. The two sides of a communication have the same one, unless the message lay in a buffer.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How long after the trace was started.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn time(&self) -> Duration {
        self.time
    }

    /// The name of the process.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn process(&self) -> &str {
        &self.process
    }

    /// The process.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn process_id(&self) -> ProcessId {
        self.process_id
    }

    /// What has happened.
    ///
    /// # Examples
    /// See [`What`].
    pub fn what(&self) -> What {
        self.what
    }

    /// What it came to.
    ///
    /// # Examples
    /// See [`Outcome`].
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The name of the channel; a number if it has none.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn channel(&self) -> Option<&str> {
        self.channel.as_deref()
    }

    /// The process on the other side, if it is known.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn partner(&self) -> Option<&str> {
        self.partner.as_deref()
    }

    /// File, line and column of the call.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// File, line and column of the call on the other side, if it is known.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn partner_place(&self) -> Option<&str> {
        self.partner_place.as_deref()
    }

    /// How many bytes the message has.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn bytes(&self) -> u32 {
        self.bytes
    }

    /// How long the process had waited, if it had to.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn waited(&self) -> Option<Duration> {
        self.waited
    }

    /// The text of a mark or of a span; of one that waits, what it waits to do.
    ///
    /// # Examples
    /// See [`What`].
    pub fn text(&self) -> &str {
        &self.text
    }
}
