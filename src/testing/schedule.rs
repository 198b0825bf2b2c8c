//! `schedule()`: a strategy of schedules.
//!
//! Knows nothing of how a smaller one is found.

use super::memory::{Case, Memory};
use super::plan::{Faults, Plan};
use super::tree::{Schedule, ScheduleTree};
use proptest::strategy::{NewTree, Strategy, ValueTree as _};
use proptest::test_runner::{Reason, TestRunner};
use std::sync::Arc;

/// A strategy of schedules; see [`schedule`].
///
/// # Examples
/// See [`testing`](super).
#[derive(Clone, Debug, Default)]
#[must_use = "a strategy does nothing until proptest takes values of it"]
pub struct Schedules {
    pub(super) faults: Faults,
    /// The failures that are kept.
    pub(super) memory: Memory,
}

/// Schedules of all kinds: some choose uniformly, some by priorities that change, some let one process starve, some
/// prefer the first possibility, or the last.
///
/// A schedule that fails is shrunk event by event: to the fewest faults, then to the fewest events, then to the fewest
/// switches between processes. In a test of `proptest!` it is kept, and tried first the next time: see
/// [testing](super#failures-are-kept).
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
        self.faults.crashes = most;
        self
    }

    /// In each run, up to so many processes panic, each while it waits.
    ///
    /// # Examples
    /// As for [`crashes`](Schedules::crashes).
    pub fn panics(mut self, most: usize) -> Schedules {
        self.faults.panics = most;
        self
    }

    /// In each run, up to so many channels and barriers are poisoned.
    ///
    /// # Examples
    /// As for [`crashes`](Schedules::crashes).
    pub fn poisons(mut self, most: usize) -> Schedules {
        self.faults.poisons = most;
        self
    }

    /// In each run, up to so many times a process comes late to a communication: not before the next timer has fired,
    /// if somebody waits for one. So whoever has a timeout may find that it was too short.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::{schedule, simulate};
    /// use proptest::test_runner::{Config, TestRunner};
    /// use std::time::Duration;
    ///
    /// #[process]
    /// fn source(out: Writer<u8>) -> csproc::Result<()> {
    ///     Ok(out.write(7)?)
    /// }
    ///
    /// #[process]
    /// fn impatient(input: Reader<u8>) -> Result<u8, ChannelError> {
    ///     input.read_timeout(Duration::from_secs(3600))
    /// }
    ///
    /// let failed = TestRunner::new(Config::with_cases(2000)).run(&schedule().delays(1), |s| {
    ///     let run = simulate(&s, || {
    ///         let c = Channel::new();
    ///         network!(source(c.writer()), impatient(c.reader()))
    ///     });
    ///     proptest::prop_assert!(run.result().is_some_and(|(_, read)| read.is_ok()), "{run}");
    ///     Ok(())
    /// });
    /// assert!(failed.unwrap_err().to_string().contains("source comes late"));
    /// ```
    pub fn delays(mut self, most: usize) -> Schedules {
        self.faults.delays = most;
        self
    }

    /// In each run, up to so many messages of the channels of this name are lost, doubled, or kept back while others
    /// overtake them: their writers do not notice. To be said once for each name; the largest number counts for all of
    /// them. A message with ends of channels in it is not doubled.
    ///
    /// One that is kept back arrives after any number of later ones, before the channel ends, and at the latest when
    /// nobody could go on without it. So a channel that is lossy is no rendezvous: it is a line between two machines.
    /// Where no message overtakes another one, say [`in_order`](Schedules::in_order).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::{schedule, simulate};
    /// use proptest::test_runner::{Config, TestRunner};
    ///
    /// #[process]
    /// fn source(out: Writer<u8>) -> csproc::Result<()> {
    ///     Ok((0..3).try_for_each(|value| out.write(value))?)
    /// }
    ///
    /// #[process]
    /// fn sink(input: Reader<u8>) -> Vec<u8> {
    ///     input.into_iter().collect()
    /// }
    ///
    /// let failed = TestRunner::new(Config::with_cases(2000)).run(&schedule().lossy("data", 1), |s| {
    ///     let run = simulate(&s, || {
    ///         let c = Channel::builder().name("data").build().expect("a channel");
    ///         network!(source(c.writer()), sink(c.reader()))
    ///     });
    ///     proptest::prop_assert_eq!(run.result().map(|(_, got)| got.len()), Some(3), "{}", run);
    ///     Ok(())
    /// });
    /// assert!(failed.is_err());
    /// ```
    pub fn lossy(mut self, channel: &str, most: usize) -> Schedules {
        Arc::make_mut(&mut self.faults.lossy).push(String::from(channel));
        self.faults.losses = self.faults.losses.max(most);
        self
    }

    /// On channels of this name that are [lossy](Schedules::lossy), messages are lost and doubled, but none overtakes
    /// another one, as on a single wire.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::{schedule, simulate};
    /// use proptest::prelude::*;
    ///
    /// #[process]
    /// fn source(out: Writer<u8>) -> csproc::Result<()> {
    ///     Ok((0..3).try_for_each(|value| out.write(value))?)
    /// }
    ///
    /// #[process]
    /// fn sink(input: Reader<u8>) -> Vec<u8> {
    ///     input.into_iter().collect()
    /// }
    ///
    /// let on_a_wire = schedule().lossy("data", 2).in_order("data");
    /// proptest!(ProptestConfig::with_cases(50), |(s in on_a_wire)| {
    ///     let run = simulate(&s, || {
    ///         let c = Channel::builder().name("data").build().expect("a channel");
    ///         network!(source(c.writer()), sink(c.reader()))
    ///     });
    ///     prop_assert!(run.result().is_some_and(|(_, got)| got.is_sorted()), "{}", run);
    /// });
    /// ```
    pub fn in_order(mut self, channel: &str) -> Schedules {
        Arc::make_mut(&mut self.faults.in_order).push(String::from(channel));
        self
    }

    /// Crashes, panics and delays meet only processes of these names; `worker` stands for `worker[0]`, `worker[1]` and
    /// so on as well.
    ///
    /// # Examples
    /// ```
    /// use csproc::testing::schedule;
    ///
    /// let schedules = schedule().crashes(1).processes(&["worker"]);
    /// # let _ = schedules;
    /// ```
    pub fn processes(mut self, names: &[&str]) -> Schedules {
        self.faults.processes = Arc::new(names.iter().map(ToString::to_string).collect());
        self
    }
}

impl Strategy for Schedules {
    type Tree = ScheduleTree;
    type Value = Schedule;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Schedules> {
        let start = proptest::num::u64::ANY.new_tree(runner)?.current();
        let mut some = |most: usize| Ok::<_, Reason>((0..=most).new_tree(runner)?.current());
        let faults = Faults {
            crashes: some(self.faults.crashes)?,
            panics: some(self.faults.panics)?,
            poisons: some(self.faults.poisons)?,
            delays: some(self.faults.delays)?,
            losses: some(self.faults.losses)?,
            ..self.faults.clone()
        };
        let case = Case::new(start, self.memory.of(runner.config()));
        let plan = case.kept().map_or(Plan::Dice { start, faults }, Plan::Wanted);
        Ok(ScheduleTree::new(Schedule::new(plan), case))
    }
}
