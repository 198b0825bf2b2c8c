//! `schedule()`: a strategy of schedules, and what a schedule is.
//!
//! Knows nothing of how a smaller one is found.

use super::plan::Plan;
use super::shrink::Shrinking;
use super::token;
use crate::engine::sim::Choice;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The decisions of a run: what [`schedule`] generates, and [`simulate`](super::simulate) takes.
///
/// It prints as a token, once it was used: as the decisions that were made by it.
///
/// # Examples
/// See [`testing`](super).
#[derive(Clone)]
pub struct Schedule {
    pub(super) plan: Plan,
    /// What was decided by it last.
    made: Arc<Mutex<Option<Vec<Choice>>>>,
}

impl Schedule {
    pub(super) fn new(plan: Plan) -> Schedule {
        Schedule { plan, made: Arc::default() }
    }

    /// These decisions were made by it.
    pub(super) fn note(&self, made: Vec<Choice>) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
    }

    /// The decisions that were made by it last.
    pub(super) fn made(&self) -> Option<Vec<Choice>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.made(), &self.plan) {
            (Some(made), _) => f.write_str(&token::write(&made)),
            (None, Plan::Wanted(wanted)) => f.write_str(&token::write(wanted)),
            (None, Plan::Dice { start, .. }) => write!(f, "dice {start:x}"),
        }
    }
}

/// A strategy of schedules; see [`schedule`].
///
/// # Examples
/// See [`testing`](super).
#[derive(Clone, Debug, Default)]
#[must_use = "a strategy does nothing until proptest takes values of it"]
pub struct Schedules {
    crashes: usize,
}

/// Schedules of all kinds: some choose uniformly, some by priorities that change, some let one process starve, some
/// prefer the first possibility, or the last.
///
/// A schedule that fails is shrunk event by event: to the fewest faults, then to the fewest events, then to the fewest
/// switches between processes.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::testing::{schedule, simulate};
/// use proptest::prelude::*;
///
/// #[process]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// proptest!(ProptestConfig::with_cases(5), |(x in 0..100u64, s in schedule())| {
///     let run = simulate(&s, || square(x));
///     prop_assert_eq!(run.result(), Some(&(x * x)), "{}", run);
/// });
/// ```
pub fn schedule() -> Schedules {
    Schedules::default()
}

impl Schedules {
    /// In each run, up to so many processes are killed, each while it waits. The main process, which runs the network,
    /// is never killed.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::{Outcome, schedule, simulate};
    /// use proptest::prelude::*;
    ///
    /// #[process]
    /// fn source(out: Writer<u8>) -> csproc::Result<()> {
    ///     Ok(out.write(7)?)
    /// }
    ///
    /// #[process]
    /// fn sink(input: Reader<u8>) -> Result<u8, ChannelError> {
    ///     input.read()
    /// }
    ///
    /// proptest!(ProptestConfig::with_cases(50), |(s in schedule().crashes(1))| {
    ///     let run = simulate(&s, || {
    ///         let c = Channel::new();
    ///         network!(source(c.writer()), sink(c.reader()))
    ///     });
    ///     // Nobody waits for ever for somebody who is dead.
    ///     prop_assert!(matches!(run.outcome(), Outcome::Completed | Outcome::Failed(_)), "{}", run);
    /// });
    /// ```
    pub fn crashes(mut self, most: usize) -> Schedules {
        self.crashes = most;
        self
    }
}

impl Strategy for Schedules {
    type Tree = ScheduleTree;
    type Value = Schedule;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Schedules> {
        let start = proptest::num::u64::ANY.new_tree(runner)?.current();
        let crashes = (0..=self.crashes).new_tree(runner)?.current();
        Ok(ScheduleTree { current: Schedule::new(Plan::Dice { start, crashes }), shrinking: None })
    }
}

/// A schedule on its way to a smaller one.
///
/// # Examples
/// See [`testing`](super): proptest makes it.
#[derive(Debug)]
pub struct ScheduleTree {
    current: Schedule,
    shrinking: Option<Shrinking>,
}

impl ScheduleTree {
    fn propose(&mut self) -> bool {
        match self.shrinking.as_mut().and_then(Shrinking::next) {
            Some(wanted) => {
                self.current = Schedule::new(Plan::Wanted(wanted));
                true
            }
            None => false,
        }
    }
}

impl ValueTree for ScheduleTree {
    type Value = Schedule;

    fn current(&self) -> Schedule {
        self.current.clone()
    }

    /// The current one fails: a smaller one.
    fn simplify(&mut self) -> bool {
        // Not used, or used before for another input that has been shrunk since.
        let Some(made) = self.current.made() else { return false };
        match &mut self.shrinking {
            Some(shrinking) => shrinking.fails(made),
            None => self.shrinking = Some(Shrinking::of(made)),
        }
        self.propose()
    }

    /// The current one passes: back to the smallest that fails, or to another one that is smaller.
    fn complicate(&mut self) -> bool {
        if self.propose() {
            return true;
        }
        match self.shrinking.as_mut().and_then(Shrinking::last) {
            Some(smallest) => {
                self.current = Schedule::new(Plan::Wanted(smallest));
                true
            }
            None => false,
        }
    }
}
