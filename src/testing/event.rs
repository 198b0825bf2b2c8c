//! `Event`: one thing that has happened in a simulated run.
//!
//! Knows nothing of the run that it is of.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// What kind of event it is.
///
/// # Examples
/// See [`Event`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A writer and a reader have met.
    Communicated,
    /// A message was put into a buffer.
    Put,
    /// A message was taken out of a buffer.
    Taken,
    /// All parties of a barrier have met.
    Synchronized,
    /// Somebody has passed a lock, a semaphore, an event or a condition.
    Passed,
    /// A timer has fired.
    TimedOut,
    /// A process was killed.
    Crashed,
    /// A process was made to panic.
    Panicked,
    /// A channel or a barrier was poisoned by nobody.
    Poisoned,
    /// A process came late.
    Delayed,
    /// A message was written and lost.
    Lost,
    /// A message was read, and comes once more.
    Doubled,
    /// A message was written, and is kept back while others overtake it.
    KeptBack,
}

impl EventKind {
    /// Whether it was done to a process, and not by one.
    ///
    /// # Examples
    /// ```
    /// use csproc::testing::EventKind;
    ///
    /// assert!(EventKind::Crashed.is_fault());
    /// assert!(!EventKind::Communicated.is_fault());
    /// ```
    pub fn is_fault(self) -> bool {
        matches!(
            self,
            EventKind::Crashed
                | EventKind::Panicked
                | EventKind::Poisoned
                | EventKind::Delayed
                | EventKind::Lost
                | EventKind::Doubled
                | EventKind::KeptBack
        )
    }
}

/// A communication, a timer or a fault of a simulated run.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::testing::{EventKind, replay};
///
/// #[process]
/// fn source(out: Writer<u8>) -> csproc::Result<()> {
///     Ok(out.write(7)?)
/// }
///
/// #[process]
/// fn sink(input: Reader<u8>) -> csproc::Result<u8> {
///     Ok(input.read()?)
/// }
///
/// let run = replay("csp1:00", || {
///     let c = Channel::builder().name("numbers").build().expect("a channel");
///     network!(source(c.writer()), sink(c.reader()))
/// });
/// let [event] = run.trace() else { panic!("{run}") };
/// assert_eq!((event.kind(), event.channel()), (EventKind::Communicated, "numbers"));
/// assert_eq!((event.process(), event.partner()), ("source", Some("sink")));
/// assert!(event.to_string().starts_with("source → sink on `numbers`"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub(super) kind: EventKind,
    /// What they are called in a run: of several with the same name, each has a number.
    pub(super) process: Arc<str>,
    pub(super) partner: Option<Arc<str>>,
    /// Their names.
    pub(super) names: [Option<Arc<str>>; 2],
    pub(super) channel: Arc<str>,
    pub(super) places: [Option<&'static Location<'static>>; 2],
    pub(super) at: Duration,
}

impl Event {
    /// What kind of event it is.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The name of the process that did it, or to which it was done; of a communication, of the one that wrote.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn process(&self) -> &str {
        self.names[0].as_deref().unwrap_or_default()
    }

    /// Of a communication, the name of the process that read.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn partner(&self) -> Option<&str> {
        self.names[1].as_deref()
    }

    /// The name of the channel, barrier or lock, or its number if it has no name; empty if there is none.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// The virtual time since the run began.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::replay;
    /// use std::time::Duration;
    ///
    /// #[process]
    /// fn patient() {
    ///     csproc::time::sleep(Duration::from_secs(3600));
    /// }
    ///
    /// let run = replay("csp1:00", patient);
    /// assert_eq!(run.trace()[0].at(), Duration::from_secs(3600));
    /// ```
    pub fn at(&self) -> Duration {
        self.at
    }

    /// Where in the program it was, of [`process`](Event::process) and of [`partner`](Event::partner).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::replay;
    ///
    /// #[process]
    /// fn patient() {
    ///     csproc::time::sleep(std::time::Duration::from_secs(1));
    /// }
    ///
    /// let run = replay("csp1:00", patient);
    /// assert!(run.trace()[0].places()[0].is_some());
    /// ```
    pub fn places(&self) -> [Option<&'static Location<'static>>; 2] {
        self.places
    }
}

/// One line: who, on what, and where in the program. Of several processes with the same name, each has a number:
/// `worker#2`.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { process, channel, .. } = self;
        match self.kind {
            EventKind::Communicated => {
                write!(f, "{process} → {} on `{channel}`", self.partner.as_deref().unwrap_or_default())?;
            }
            EventKind::Put => write!(f, "{process} puts into `{channel}`")?,
            EventKind::Taken => write!(f, "{process} takes from `{channel}`")?,
            EventKind::Synchronized => write!(f, "{process} and others meet at `{channel}`")?,
            EventKind::Passed => write!(f, "{process} passes `{channel}`")?,
            EventKind::TimedOut => write!(f, "{process} has waited until {:?}", self.at)?,
            EventKind::Crashed => write!(f, "{process} is killed")?,
            EventKind::Panicked => write!(f, "{process} panics")?,
            EventKind::Poisoned => write!(f, "`{channel}` is poisoned")?,
            EventKind::Delayed => write!(f, "{process} comes late")?,
            EventKind::Lost => write!(f, "a message of {process} on `{channel}` is lost")?,
            EventKind::KeptBack => write!(f, "a message of {process} on `{channel}` is kept back")?,
            EventKind::Doubled => {
                let partner = self.partner.as_deref().unwrap_or_default();
                write!(f, "{process} → {partner} on `{channel}`, and the message comes twice")?;
            }
        }
        for (place, before) in self.places.iter().flatten().zip(["   ", ", "]) {
            write!(f, "{before}{}:{}", place.file(), place.line())?;
        }
        Ok(())
    }
}
