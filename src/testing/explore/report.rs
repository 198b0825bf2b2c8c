//! What an exploration has come to: `Explored`, `Bound` and `Counterexample`.
//!
//! Knows nothing of how it was searched.

use super::super::event::Event;
use super::super::outcome::Outcome;
use super::super::run::Run;
use std::fmt;
use std::time::Duration;

/// What kept an exploration from visiting every schedule.
///
/// # Examples
/// See [`Explore::max_events`](super::Explore::max_events).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// A run was cut off after so many events.
    Events(usize),
    /// There were so many runs.
    Executions(u64),
    /// The time was over.
    Time(Duration),
    /// Schedules with more preemptions than these were left out.
    Preemptions(usize),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Events(most) => write!(f, "{most} events in a run"),
            Bound::Executions(most) => write!(f, "{most} runs"),
            Bound::Time(most) => write!(f, "{most:?}"),
            Bound::Preemptions(most) => write!(f, "{most} preemptions in a run"),
        }
    }
}

/// Every schedule that was tried has the property.
///
/// It says so of *every schedule* only if `complete` is true.
///
/// # Examples
/// See [`explore`](super::explore).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explored {
    /// How many runs came to their end: one for each class of schedules that differ only in the order of independent
    /// events.
    pub executions: u64,
    /// How many runs were given up, because all they could have gone on with had been tried.
    pub blocked: u64,
    /// Whether every schedule was visited, or an equivalent one.
    pub complete: bool,
    /// What has kept it from being complete.
    pub bounds: Vec<Bound>,
    /// How long it took.
    pub time: Duration,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explored { executions, blocked, complete, bounds, time } = self;
        let what = if *complete { "every schedule" } else { "not every schedule" };
        write!(f, "{what}: {executions} executions")?;
        if *blocked > 0 {
            write!(f, " and {blocked} given up")?;
        }
        write!(f, " in {time:.1?}")?;
        for (number, bound) in bounds.iter().enumerate() {
            write!(f, "{}{bound}", if number == 0 { ", bounded by " } else { " and " })?;
        }
        Ok(())
    }
}

/// A schedule that does not have the property: the smallest that was found.
///
/// It prints as the run does: what it has come to, the events that lead there with their places in the program, and the
/// token for [`replay`](crate::testing::replay).
///
/// # Examples
/// See [`explore`](super::explore).
#[derive(Clone, PartialEq)]
pub struct Counterexample(Box<Found>);

#[derive(Clone, PartialEq)]
struct Found {
    outcome: Outcome,
    trace: Vec<Event>,
    token: String,
    text: String,
    after: u64,
}

impl Counterexample {
    /// A run, and how many there were before.
    pub(super) fn new<R>(run: &Run<R>, after: u64) -> Counterexample {
        Counterexample(Box::new(Found {
            outcome: run.outcome().clone(),
            trace: run.trace().to_vec(),
            token: String::from(run.token()),
            text: run.to_string(),
            after,
        }))
    }

    /// How the run has ended.
    ///
    /// # Examples
    /// See [`explore`](super::explore).
    pub fn outcome(&self) -> &Outcome {
        &self.0.outcome
    }

    /// The communications, timers and faults that lead there, in order.
    ///
    /// # Examples
    /// See [`explore`](super::explore).
    pub fn trace(&self) -> &[Event] {
        &self.0.trace
    }

    /// Its decisions as a text, for [`replay`](crate::testing::replay).
    ///
    /// # Examples
    /// See [`explore`](super::explore).
    pub fn token(&self) -> &str {
        &self.0.token
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { text, after, .. } = &*self.0;
        write!(f, "{text}\nfound after {after} executions, and shrunk")
    }
}

/// As it prints: `unwrap` shows it.
impl fmt::Debug for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Counterexample {}
