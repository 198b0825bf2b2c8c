//! `Run`: what a simulated run has come to, and everything that has happened in it.
//!
//! Knows nothing of how it came about.

use super::causality::Causality;
use super::decision::{channel_name, decisions, labels};
use super::event::{Event, EventKind};
use super::outcome::Outcome;
use super::token;
use crate::DeadlockReport;
use crate::channel::{Message, decode_copy};
use crate::engine::sim::{Happening, Kind, Record};
use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

/// A simulated run: what it has come to, and everything that has happened in it.
///
/// It prints as what a person needs to understand a failure: what it has come to, the trace with the places in the
/// program, who waits for whom, and the token for [`replay`](super::replay).
///
/// # Examples
/// See [`testing`](super).
pub struct Run<R> {
    pub(super) outcome: Outcome,
    pub(super) result: Option<R>,
    pub(super) standing: Option<DeadlockReport>,
    /// Shared with the schedule, which learns by it what was decided.
    pub(super) record: Arc<Record>,
    /// Where what was wanted was not possible.
    pub(super) parted: Option<String>,
    /// The nearest run that passes, and where it differs, if a search has come to its end with this one.
    pub(super) nearest: Option<String>,
    /// It is one of a test with `#[csproc::test]`.
    pub(super) is_of_a_test: bool,
    trace: OnceCell<Vec<Event>>,
    causality: OnceCell<Causality>,
    token: OnceCell<String>,
}

impl<R> Run<R> {
    pub(super) fn new(
        outcome: Outcome,
        result: Option<R>,
        standing: Option<DeadlockReport>,
        record: Record,
        parted: Option<String>,
    ) -> Run<R> {
        Run {
            outcome,
            result,
            standing,
            record: Arc::new(record),
            parted,
            nearest: None,
            is_of_a_test: false,
            trace: OnceCell::new(),
            causality: OnceCell::new(),
            token: OnceCell::new(),
        }
    }

    /// The same run, with the nearest one that passes.
    pub(super) fn with_nearest(self, nearest: Option<String>) -> Run<R> {
        Run { nearest, ..self }
    }

    /// The same run, which was one of a test with `#[csproc::test]`.
    pub(super) fn of_a_test(self) -> Run<R> {
        Run { is_of_a_test: true, ..self }
    }

    /// The same run, of which something else is to be told.
    pub(super) fn told(self, outcome: Outcome) -> Run<R> {
        Run { outcome, ..self }
    }

    /// How it has ended.
    ///
    /// # Examples
    /// See [`Outcome`].
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether all processes have come to their end, and none of them crashed.
    ///
    /// # Examples
    /// See [`testing`](super).
    pub fn completed(&self) -> bool {
        self.outcome == Outcome::Completed
    }

    /// Whether it has ended otherwise than in a deadlock. A process that was left behind by a network that has ended is
    /// none: see [`Outcome::Leaked`]. Of a run that is [`Outside`](Outcome::Outside), or has [parted](Outcome::Parted)
    /// from what was decided, nobody knows: `false`.
    ///
    /// # Examples
    /// See [`testing`](super).
    pub fn is_deadlock_free(&self) -> bool {
        !matches!(self.outcome, Outcome::Deadlock(_) | Outcome::Outside(_) | Outcome::Parted(_))
    }

    /// What the network returned, if nothing failed.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::replay;
    ///
    /// #[process]
    /// fn square(x: u64) -> u64 {
    ///     x * x
    /// }
    ///
    /// assert_eq!(replay("csp1:00", || square(3)).result(), Some(&9));
    /// ```
    pub fn result(&self) -> Option<&R> {
        self.result.as_ref()
    }

    /// Who stands still, when it has ended in a deadlock or somebody was left behind.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::{Outcome, replay};
    ///
    /// #[process]
    /// fn forgotten(input: Reader<u8>, _own: Writer<u8>) -> csproc::Result<u8> {
    ///     Ok(input.read()?)
    /// }
    ///
    /// #[process]
    /// fn forgetful() -> csproc::Result<()> {
    ///     let c = Channel::new();
    ///     Spawn!(forgotten(c.reader(), c.writer()))?;
    ///     Ok(())
    /// }
    ///
    /// let run = replay("csp1:00", forgetful);
    /// assert!(run.standing().unwrap().processes().iter().any(|process| process.name == "forgotten"));
    /// ```
    pub fn standing(&self) -> Option<&DeadlockReport> {
        self.standing.as_ref()
    }

    /// The messages that were written to the channels of this name, in order: those that a reader has taken, or that
    /// went into a buffer.
    ///
    /// # Panics
    /// There was no channel of this name; or a message is no `T`, or holds ends of channels, which are gone with the
    /// run.
    ///
    /// # Examples
    /// See [`testing`](super).
    #[track_caller]
    pub fn messages<T: Message>(&self, channel: &str) -> Vec<T> {
        let names = &self.record.channels;
        assert!(
            names.iter().any(|name| name == channel),
            "no channel of the run was called `{channel}`; those that have a name are {:?}",
            names.iter().filter(|name| !name.is_empty()).collect::<Vec<_>>()
        );
        let is_of_it = |happening: &&Happening| {
            (happening.choice.kind.is_of_a_line() || matches!(happening.choice.kind, Kind::Communication | Kind::Put))
                && names.get(happening.choice.channel as usize).is_some_and(|name| name == channel)
        };
        let written = self.record.happenings.iter().filter(is_of_it);
        let decoded = written.map(|happening| decode_copy(&self.record.bytes[happening.message.clone()]));
        match decoded.collect() {
            Ok(messages) => messages,
            Err(error) => panic!("a message of channel `{channel}`: {error}"),
        }
    }

    /// The communications, timers and faults, in order.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn trace(&self) -> &[Event] {
        self.trace.get_or_init(|| {
            let (names, labels) = (&self.record.processes, labels(&self.record));
            self.record.happenings.iter().filter_map(|happening| self.event(names, &labels, happening)).collect()
        })
    }

    /// Whether the first of two events of the [`trace`](Run::trace), by their numbers from 0 on, has come before the
    /// second one in every order in which the processes could notice: because one process took part in both, because
    /// both were on one channel, barrier or lock, because what one of them closed, released or started led to the
    /// other, or by a chain of such events. If neither has come before the other, they were concurrent, and the order
    /// in which the trace has them means nothing.
    ///
    /// It is `false` of an event and itself, and of numbers that no event has.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::replay;
    ///
    /// #[process]
    /// fn source(out: Writer<u8>) -> csproc::Result<()> {
    ///     Ok(out.write(7)?)
    /// }
    ///
    /// #[process]
    /// fn relay(input: Reader<u8>, out: Writer<u8>) -> csproc::Result<()> {
    ///     Ok(out.write(input.read()?)?)
    /// }
    ///
    /// #[process]
    /// fn sink(input: Reader<u8>) -> csproc::Result<u8> {
    ///     Ok(input.read()?)
    /// }
    ///
    /// let run = replay("csp1:00", || {
    ///     let channel = |name| Channel::builder().name(name).build().expect("a channel");
    ///     let (a, b, c) = (channel("a"), channel("b"), channel("c"));
    ///     network!(
    ///         source(a.writer()),
    ///         relay(a.reader(), b.writer()),
    ///         sink(b.reader()),
    ///         source(c.writer()),
    ///         sink(c.reader())
    ///     )
    /// });
    /// let on = |name| run.trace().iter().position(|event| event.channel() == name).expect("an event");
    /// assert!(run.happened_before(on("a"), on("b")) && !run.happened_before(on("b"), on("a")));
    /// assert!(!run.happened_before(on("a"), on("c")) && !run.happened_before(on("c"), on("a")));
    /// ```
    pub fn happened_before(&self, first: usize, second: usize) -> bool {
        self.causality.get_or_init(|| Causality::of(&self.record)).is_before(first, second)
    }

    fn event(&self, names: &[Arc<str>], labels: &[Arc<str>], happening: &Happening) -> Option<Event> {
        let kind = match happening.choice.kind {
            Kind::Communication => EventKind::Communicated,
            Kind::Put => EventKind::Put,
            Kind::Take => EventKind::Taken,
            Kind::Sync => EventKind::Synchronized,
            Kind::Pass => EventKind::Passed,
            Kind::Timer => EventKind::TimedOut,
            Kind::Crash => EventKind::Crashed,
            Kind::Panic => EventKind::Panicked,
            Kind::Poison => EventKind::Poisoned,
            Kind::Delay => EventKind::Delayed,
            Kind::Lose => EventKind::Lost,
            Kind::Double => EventKind::Doubled,
            Kind::Hold => EventKind::KeptBack,
            Kind::Told | Kind::Skip | Kind::Look | Kind::Effect | Kind::Time | Kind::Arrive => return None,
        };
        let [who, with] = [happening.choice.who, happening.choice.with].map(|number| number as usize);
        Some(Event {
            kind,
            process: labels.get(who).cloned().unwrap_or_else(|| Arc::from("")),
            partner: labels.get(with).cloned(),
            names: [names.get(who).cloned(), names.get(with).cloned()],
            channel: Arc::from(channel_name(&self.record, happening.choice.channel)),
            places: happening.places,
            at: happening.at,
        })
    }

    /// The decisions of the run as a text, for [`replay`](super::replay).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::replay;
    ///
    /// #[process]
    /// fn nothing() {}
    ///
    /// let run = replay("csp1:00", nothing);
    /// assert_eq!(replay(run.token(), nothing).token(), run.token());
    /// ```
    pub fn token(&self) -> &str {
        self.token.get_or_init(|| token::write(&decisions(&self.record)))
    }

    /// Where the run that was asked for could not be had, if so: the program has changed, or the network is another
    /// one.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::replay;
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
    /// #[process]
    /// fn nothing() {}
    ///
    /// let run = replay("csp1:00", || {
    ///     let c = Channel::new();
    ///     network!(source(c.writer()), sink(c.reader()))
    /// });
    /// assert!(run.parts_from_schedule().is_none());
    /// assert!(replay(run.token(), nothing).parts_from_schedule().is_some());
    /// ```
    pub fn parts_from_schedule(&self) -> Option<&str> {
        self.parted.as_deref()
    }
}

impl<R> fmt::Debug for Run<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("outcome", &self.outcome).field("token", &self.token()).finish_non_exhaustive()
    }
}
