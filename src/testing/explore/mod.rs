//! `explore()`: a network under every schedule.
//!
//! Knows nothing of how a run goes on. What is visited, and why that is enough, says [`races`]; what depends on what
//! says `touch` in the simulated engine.

mod drive;
mod estimate;
mod path;
mod progress;
mod races;
mod report;
mod search;

pub use estimate::Estimate;
pub use report::{Bound, Counterexample, Explored};

use super::decision::decisions;
use super::outcome::Outcome;
use super::plan::{Faults, Plan};
use super::run::Run;
use super::shrink::Shrinking;
use super::simulate::once;
use crate::engine::sim::Purpose;
use crate::process::Runnable;
use crate::{Cause, Failure};
use drive::{Drive, Failed, Limits};
use search::{Reduction, Rules};
use std::num::NonZero;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// A run with more events than these is a livelock, if nothing else is said.
const MOST_EVENTS: usize = 5_000;

/// An exploration; see [`explore`].
///
/// # Examples
/// See [`explore`].
#[derive(Clone, Debug)]
#[must_use = "nothing is explored before `check`"]
pub struct Explore {
    faults: Faults,
    ordered: Arc<Vec<String>>,
    reduction: Reduction,
    events: Option<usize>,
    executions: Option<u64>,
    time: Option<Duration>,
    preemptions: Option<usize>,
    workers: Option<NonZero<usize>>,
}

/// Every schedule of a network: who meets whom, which guard fires, who is killed when.
///
/// Schedules that differ only in the order of events that have nothing to do with each other are one: a process and a
/// channel see the same in all of them. One of each such class is run, and no more: a pipeline has one, whatever its
/// length (partial-order reduction, with the source sets of Abdulla, Aronsson, Jonsson and Sagonas, POPL 2014).
///
/// So what a run has come to, what a process returns and the messages of each channel may be asserted. What depends on
/// the order of events that are independent, as the order in [`Run::trace`] of what two processes do that never meet,
/// is one of several: [`ordered`](Explore::ordered) tells them apart, for the channels of some names.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::testing::{Outcome, explore, replay};
///
/// #[process]
/// fn eats(first: Lock, second: Lock) -> csproc::Result<()> {
///     let _first = first.acquire()?;
///     let _second = second.acquire()?;
///     Ok(())
/// }
///
/// fn dining(n: usize, one_is_left_handed: bool) -> Network<Vec<csproc::Result<()>>> {
///     let forks: Vec<Lock> = (0..n).map(|_| Lock::new()).collect();
///     network!(for i in 0..n => match i {
///         0 if one_is_left_handed => eats(forks[1].clone(), forks[0].clone()),
///         i => eats(forks[i].clone(), forks[(i + 1) % n].clone()),
///     })
/// }
///
/// // Who of two neighbours comes first: 2⁴ ways, of which two would go round in a circle.
/// let explored = explore().check(|| dining(4, true)).unwrap();
/// assert!(explored.complete, "{explored}");
/// assert_eq!(explored.executions, 14);
///
/// // All of them have their left fork.
/// let found = explore().check(|| dining(4, false)).unwrap_err();
/// assert!(matches!(found.outcome(), Outcome::Deadlock(_)), "{found}");
/// assert_eq!(found.trace().len(), 4);
/// assert!(!replay(found.token(), || dining(4, false)).is_deadlock_free());
/// ```
pub fn explore() -> Explore {
    Explore {
        faults: Faults::default(),
        ordered: Arc::default(),
        reduction: Reduction::Sources,
        events: None,
        executions: None,
        time: None,
        preemptions: None,
        workers: None,
    }
}

impl Explore {
    /// With all these faults.
    pub(super) fn faults(self, faults: Faults) -> Explore {
        Explore { faults, ..self }
    }

    /// In each run, up to so many processes are killed, each at any moment at which it waits: with one, each run with
    /// each process killed at each of these. The main process, which runs the network, is never killed.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::explore;
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
    /// // Nobody waits for ever for somebody who is dead.
    /// let explored = explore().max_crashes(1).check(|| {
    ///     let c = Channel::new();
    ///     network!(source(c.writer()), sink(c.reader()))
    /// });
    /// // Nobody is killed; or either of them, before they meet.
    /// assert_eq!(explored.unwrap().executions, 3);
    /// ```
    pub fn max_crashes(mut self, most: usize) -> Explore {
        self.faults.crashes = most;
        self
    }

    /// In each run, up to so many processes panic, each where it waits.
    ///
    /// # Examples
    /// As for [`max_crashes`](Explore::max_crashes).
    pub fn max_panics(mut self, most: usize) -> Explore {
        self.faults.panics = most;
        self
    }

    /// In each run, up to so many channels and barriers are poisoned, at any moment.
    ///
    /// # Examples
    /// As for [`max_crashes`](Explore::max_crashes).
    pub fn max_poisons(mut self, most: usize) -> Explore {
        self.faults.poisons = most;
        self
    }

    /// In each run, up to so many messages of the channels of this name are lost, doubled, or overtaken by others:
    /// their writers do not notice. To be said once for each name; the largest number counts for all of them.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::explore;
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
    /// let network = || {
    ///     let c = Channel::builder().name("data").build().expect("a channel");
    ///     network!(source(c.writer()), sink(c.reader()))
    /// };
    /// let found = explore().lossy("data", 1).check_with(network, |run| {
    ///     run.result().is_none_or(|(_, got)| got.len() == 3)
    /// });
    /// assert!(found.is_err());
    /// ```
    pub fn lossy(mut self, channel: &str, most: usize) -> Explore {
        Arc::make_mut(&mut self.faults.lossy).push(String::from(channel));
        self.faults.losses = self.faults.losses.max(most);
        self
    }

    /// Messages of the lossy channels of this name do not overtake each other.
    ///
    /// # Examples
    /// ```
    /// use csproc::testing::explore;
    ///
    /// let exploration = explore().lossy("data", 1).in_order("data");
    /// # let _ = exploration;
    /// ```
    pub fn in_order(mut self, channel: &str) -> Explore {
        Arc::make_mut(&mut self.faults.in_order).push(String::from(channel));
        self
    }

    /// Crashes and panics meet only processes of these names; `worker` stands for `worker[0]`, `worker[1]` and so on as
    /// well.
    ///
    /// # Examples
    /// ```
    /// use csproc::testing::explore;
    ///
    /// let exploration = explore().max_crashes(1).processes(&["worker"]);
    /// # let _ = exploration;
    /// ```
    pub fn processes(mut self, names: &[&str]) -> Explore {
        self.faults.processes = Arc::new(names.iter().map(ToString::to_string).collect());
        self
    }

    /// What happens on the channels of this name is seen in every order, also beside each other channel that this is
    /// said of: for properties of the order in [`Run::trace`] of events that are independent otherwise.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::explore;
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
    /// let two = || {
    ///     let [a, b] = ["a", "b"].map(|name| Channel::builder().name(name).build().expect("a channel"));
    ///     network!(source(a.writer()), sink(a.reader()), source(b.writer()), sink(b.reader()))
    /// };
    /// assert_eq!(explore().check(two).unwrap().executions, 1);
    /// let explored = explore().ordered("a").ordered("b").check_with(two, |run| run.trace()[0].channel() == "a");
    /// assert_eq!(explored.unwrap_err().trace()[0].channel(), "b");
    /// ```
    pub fn ordered(mut self, channel: &str) -> Explore {
        Arc::make_mut(&mut self.ordered).push(String::from(channel));
        self
    }

    /// A run is cut off after so many events, and the exploration is not complete if one was. Without this, a run of
    /// 5000 events is a livelock.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::{Bound, explore};
    ///
    /// #[process]
    /// fn ping(out: Writer<()>, input: Reader<()>) -> csproc::Result<()> {
    ///     loop {
    ///         out.write(())?;
    ///         input.read()?;
    ///     }
    /// }
    ///
    /// #[process]
    /// fn pong(input: Reader<()>, out: Writer<()>) -> csproc::Result<()> {
    ///     loop {
    ///         input.read()?;
    ///         out.write(())?;
    ///     }
    /// }
    ///
    /// let explored = explore().max_events(100).check(|| {
    ///     let (c, d) = (Channel::new(), Channel::new());
    ///     network!(ping(c.writer(), d.reader()), pong(c.reader(), d.writer()))
    /// });
    /// let explored = explored.unwrap();
    /// assert!(!explored.complete);
    /// assert_eq!(explored.bounds, [Bound::Events(100)]);
    /// assert!(explored.to_string().starts_with("not every schedule"));
    /// ```
    pub fn max_events(mut self, most: usize) -> Explore {
        self.events = Some(most);
        self
    }

    /// Nothing more is tried after so many runs.
    ///
    /// # Examples
    /// As for [`max_events`](Explore::max_events).
    pub fn max_executions(mut self, most: u64) -> Explore {
        self.executions = Some(most);
        self
    }

    /// Nothing more is tried after this time.
    ///
    /// # Examples
    /// As for [`max_events`](Explore::max_events).
    pub fn max_time(mut self, most: Duration) -> Explore {
        self.time = Some(most);
        self
    }

    /// Only schedules in which at most so many times another process goes on although one that was active could have:
    /// most mistakes show with two. Here each order of events counts, so nothing that is equivalent is left out.
    ///
    /// # Examples
    /// As for [`max_events`](Explore::max_events).
    pub fn max_preemptions(mut self, most: usize) -> Explore {
        self.preemptions = Some(most);
        self
    }

    /// So many threads, instead of one for each processor.
    ///
    /// # Panics
    /// There are none.
    ///
    /// # Examples
    /// ```
    /// use csproc::testing::explore;
    ///
    /// let exploration = explore().workers(1);
    /// # let _ = exploration;
    /// ```
    #[track_caller]
    pub fn workers(mut self, count: usize) -> Explore {
        let Some(count) = NonZero::new(count) else { panic!("nothing is explored without a worker") };
        self.workers = Some(count);
        self
    }

    /// How much is left out of what is equivalent: nothing, what sleeps, or also what no race asks for. For the tests
    /// that compare them.
    #[doc(hidden)]
    pub fn reduced(mut self, how: u8) -> Explore {
        self.reduction = match how {
            0 => Reduction::Nothing,
            1 => Reduction::Sleep,
            _ => Reduction::Sources,
        };
        self
    }

    /// Asks that every schedule completes: without a deadlock, a livelock, a process that is left behind, or a crash.
    /// A process that the schedule has killed, or has made to panic, is no crash of the network's; what others make of
    /// it is.
    ///
    /// The closure builds the network, or one process, and all channels that it uses, as for
    /// [`simulate`](super::simulate). It is called for each run, by several threads.
    ///
    /// # Blocking
    /// Until all is explored, or a bound is met. Nobody waits for the time: it is virtual.
    ///
    /// # Errors
    /// A schedule that does not complete, as small as could be found; or a network that does not do the same twice.
    ///
    /// # Panics
    /// The closure panics; or no memory is left.
    ///
    /// # Examples
    /// See [`explore`].
    #[track_caller]
    pub fn check<N: Runnable>(&self, build: impl Fn() -> N + Sync) -> Result<Explored, Counterexample> {
        self.search(Location::caller(), build, completes)
    }

    /// Asks that every schedule completes, as [`check`](Explore::check) does, and has a property.
    ///
    /// # Blocking
    /// As [`check`](Explore::check).
    ///
    /// # Errors
    /// A schedule that does not complete, or does not have the property.
    ///
    /// # Panics
    /// As [`check`](Explore::check); or the property panics.
    ///
    /// # Examples
    /// See [`lossy`](Explore::lossy).
    #[track_caller]
    pub fn check_with<N: Runnable>(
        &self,
        build: impl Fn() -> N + Sync,
        property: impl Fn(&Run<N::Output>) -> bool + Sync,
    ) -> Result<Explored, Counterexample> {
        self.search(Location::caller(), build, |run| completes(run) && property(run))
    }

    /// Asks that every schedule has a property, and nothing else: whether it may deadlock says the property.
    ///
    /// # Blocking
    /// As [`check`](Explore::check).
    ///
    /// # Errors
    /// A schedule that does not have the property.
    ///
    /// # Panics
    /// As [`check_with`](Explore::check_with).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::explore;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// #[process]
    /// fn transfer(from: Lock, to: Lock) -> csproc::Result<()> {
    ///     let _from = from.acquire()?;
    ///     let _to = to.acquire()?;
    ///     Ok(())
    /// }
    ///
    /// let deadlocks = AtomicU32::new(0);
    /// let two = || {
    ///     let (a, b) = (Lock::new(), Lock::new());
    ///     network!(transfer(a.clone(), b.clone()), transfer(b, a))
    /// };
    /// let explored = explore().check_only(two, |run| {
    ///     deadlocks.fetch_add(u32::from(!run.is_deadlock_free()), Ordering::Relaxed);
    ///     true
    /// });
    /// assert_eq!((explored.unwrap().executions, deadlocks.into_inner()), (3, 1));
    /// ```
    #[track_caller]
    pub fn check_only<N: Runnable>(
        &self,
        build: impl Fn() -> N + Sync,
        property: impl Fn(&Run<N::Output>) -> bool + Sync,
    ) -> Result<Explored, Counterexample> {
        self.search(Location::caller(), build, property)
    }

    fn rules(&self) -> Rules {
        Rules {
            // Of equivalent schedules, not each has so few preemptions (Coons, Musuvathi, McKinley, OOPSLA 2013).
            reduction: if self.preemptions.is_some() { Reduction::Nothing } else { self.reduction },
            faults: self.faults.clone(),
            ordered: self.ordered.clone(),
            preemptions: self.preemptions,
            is_timed: false,
        }
    }

    fn search<N: Runnable>(
        &self,
        place: &'static Location<'static>,
        build: impl Fn() -> N + Sync,
        holds: impl Fn(&Run<N::Output>) -> bool + Sync,
    ) -> Result<Explored, Counterexample> {
        let limits = Limits {
            events: self.events.unwrap_or(MOST_EVENTS),
            cuts: self.events.is_some(),
            executions: self.executions,
            time: self.time,
            workers: self.workers,
        };
        let (explored, failed) = Drive::new(self.rules(), limits, place, &build, &holds).run();
        match failed {
            None => Ok(explored),
            Some(failed) => Err(counterexample(failed, place, &build, &holds)),
        }
    }
}

/// The smallest run without the property that shrinking leads to.
fn counterexample<N: Runnable>(
    failed: Failed,
    place: &'static Location<'static>,
    build: &impl Fn() -> N,
    holds: &impl Fn(&Run<N::Output>) -> bool,
) -> Counterexample {
    let again = |wanted: Vec<_>| once(&Plan::Wanted(wanted), Purpose::First, place, &mut || build());
    let mut smallest = again(failed.decisions.clone());
    if let Some(why) = failed.why {
        return Counterexample::new(&smallest.told(why), failed.after);
    }
    if holds(&smallest) {
        let why = "a run that did not have the property had it when it was made again; look for statics and \
                   thread-locals that keep something, random numbers, the order in a `HashMap`";
        return Counterexample::new(&smallest.told(Outcome::Nondeterministic(String::from(why))), failed.after);
    }
    let is_endless = |run: &Run<_>| *run.outcome() == Outcome::Livelock;
    let mut shrinking = Shrinking::of(failed.decisions, is_endless(&smallest));
    while let Some(wanted) = shrinking.next().or_else(|| shrinking.last()) {
        let run = again(wanted);
        if !holds(&run) {
            shrinking.fails(decisions(&run.record), is_endless(&run));
            smallest = run;
        }
    }
    Counterexample::new(&smallest, failed.after)
}

/// Whether a run has come to a good end. Who was killed by the schedule has failed, and that is not its fault.
fn completes<R>(run: &Run<R>) -> bool {
    let has_faults = run.record.happenings.iter().any(|happening| happening.choice.kind.is_fault());
    let is_of_a_fault = |failure: &Failure| match failure {
        Failure::Crashed { cause: Cause::Killed { .. }, .. } | Failure::Unknown { .. } => true,
        Failure::Crashed { cause: Cause::Panicked { message, .. }, .. } => message.starts_with(super::PANIC),
        _ => false,
    };
    match run.outcome() {
        Outcome::Completed => true,
        Outcome::Failed(failures) => has_faults && failures.iter().all(is_of_a_fault),
        _ => false,
    }
}
