//! Goes through all that is to be tried, on one thread and then on all processors.
//!
//! Knows nothing of what is to be tried next, or why.

use super::super::decision::{decisions, describe};
use super::super::outcome::Outcome;
use super::super::run::Run;
use super::super::simulate::decided_by;
use super::path::Path;
use super::progress::Progress;
use super::report::{Bound, Explored};
use super::search::{Came, Job, Rules, Walker};
use crate::engine::sim::{Ended, Purpose};
use crate::process::Runnable;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::num::NonZero;
use std::panic::Location;
use std::time::{Duration, Instant};

/// Other threads are started when it takes longer than this.
const ALONE: Duration = Duration::from_millis(50);

/// When to stop.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) events: usize,
    /// A run with more events was cut off, and is not said to go on for ever.
    pub(super) cuts: bool,
    pub(super) executions: Option<u64>,
    pub(super) time: Option<Duration>,
    /// As many as there are processors, if nothing is said.
    pub(super) workers: Option<NonZero<usize>>,
}

/// What all threads share.
#[derive(Debug)]
struct Work {
    rules: Rules,
    /// How often the search has begun again.
    beginning: u32,
    jobs: Vec<Job>,
    busy: usize,
    explored: Explored,
    /// The first run without the property, as a list of decisions.
    is_over: bool,
}

/// A search, which several threads may go on with.
pub(super) struct Drive<'a, N: Runnable, B, P> {
    work: Mutex<Work>,
    changed: Condvar,
    limits: Limits,
    started: Instant,
    progress: Progress,
    place: &'static Location<'static>,
    build: &'a B,
    holds: &'a P,
    failed: Mutex<Option<Failed>>,
    network: std::marker::PhantomData<fn() -> N>,
}

/// What was found: the decisions of a run that does not have the property, or where a run has gone astray.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) decisions: Vec<crate::engine::sim::Choice>,
    pub(super) why: Option<Outcome>,
    pub(super) after: u64,
}

impl<'a, N: Runnable, B: Fn() -> N + Sync, P: Fn(&Run<N::Output>) -> bool + Sync> Drive<'a, N, B, P> {
    pub(super) fn new(
        rules: Rules,
        limits: Limits,
        place: &'static Location<'static>,
        build: &'a B,
        holds: &'a P,
    ) -> Drive<'a, N, B, P> {
        let explored =
            Explored { executions: 0, blocked: 0, complete: false, bounds: Vec::new(), time: Duration::ZERO };
        let jobs = vec![Job::root()];
        let work = Work { rules, beginning: 0, jobs, busy: 0, explored, is_over: false };
        Drive {
            work: Mutex::new(work),
            changed: Condvar::new(),
            limits,
            started: Instant::now(),
            progress: Progress::on_terminal(),
            place,
            build,
            holds,
            failed: Mutex::new(None),
            network: std::marker::PhantomData,
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock()
    }

    /// Until nothing is left to be tried, or something was found.
    pub(super) fn run(self) -> (Explored, Option<Failed>) {
        let mut path = Path::default();
        self.go_on(&mut path, Some(ALONE));
        if !self.is_done() {
            let workers = self.limits.workers.or_else(|| std::thread::available_parallelism().ok());
            std::thread::scope(|scope| {
                (1..workers.map_or(1, NonZero::get))
                    .for_each(|_| _ = scope.spawn(|| self.go_on(&mut Path::default(), None)));
                self.go_on(&mut path, None);
            });
        }
        let mut explored = self.work().explored.clone();
        let failed = self.failed.into_inner();
        explored.complete = explored.bounds.is_empty() && failed.is_none();
        explored.time = self.started.elapsed();
        (explored, failed)
    }

    fn is_done(&self) -> bool {
        let work = self.work();
        work.is_over || work.jobs.is_empty() && work.busy == 0
    }

    /// As one of the threads, for so long or to the end.
    fn go_on(&self, path: &mut Path, most: Option<Duration>) {
        while most.is_none_or(|most| self.started.elapsed() < most)
            && let Some((job, rules, beginning)) = self.next()
        {
            // Also if the closure panics: the others do not wait for what it would have found.
            let _leaves = Leaves(self);
            self.one(path, job, &rules, beginning);
            self.progress.say(self.started.elapsed(), || self.so_far());
        }
    }

    /// One line.
    fn so_far(&self) -> String {
        let Work { explored: Explored { executions, blocked, .. }, jobs, .. } = &*self.work();
        let (left, time) = (jobs.len(), self.started.elapsed());
        format!("csproc: {executions} schedules, {blocked} given up, {left} places to go on from, {time:.0?}")
    }

    fn next(&self) -> Option<(Job, Rules, u32)> {
        let mut work = self.work();
        while !work.is_over {
            let Work { explored, .. } = &mut *work;
            let runs = explored.executions + explored.blocked;
            let bound = match (self.limits.executions, self.limits.time) {
                (Some(most), _) if runs >= most => Some(Bound::Executions(most)),
                (_, Some(most)) if self.started.elapsed() >= most => Some(Bound::Time(most)),
                _ => None,
            };
            if work.jobs.is_empty() && work.busy == 0 {
                break;
            }
            if let Some(bound) = bound {
                work.explored.bounds.push(bound);
                work.is_over = true;
                break;
            }
            if let Some(job) = work.jobs.pop() {
                work.busy += 1;
                return Some((job, work.rules.clone(), work.beginning));
            }
            self.changed.wait(&mut work);
        }
        self.changed.notify_all();
        None
    }

    /// One run.
    fn one(&self, path: &mut Path, job: Job, rules: &Rules, beginning: u32) {
        let mut walker = Walker::new(rules, path, job);
        let (run, ended) =
            decided_by(&mut walker, self.limits.events, Purpose::First, self.place, &mut || (self.build)());
        walker.end();
        walker.find_races();
        let (came, mut jobs, is_bounded) = (walker.came.clone(), std::mem::take(&mut walker.jobs), walker.is_bounded);
        drop(walker);
        let is_cut = came == Came::ToItsEnd && ended == Ended::TooLong && self.limits.cuts;
        let is_whole = came == Came::ToItsEnd && !is_cut;
        let why = match came {
            Came::Astray(choice) => Some(Outcome::Nondeterministic(format!(
                "{} was possible in one run, and not when it was made again; look for statics and thread-locals that \
                 keep something, random numbers, the order in a `HashMap`, clocks other than `csproc::time`",
                describe(&run.record, choice)
            ))),
            _ => None,
        };
        let is_good = why.is_none() && (!is_whole || (self.holds)(&run));
        let mut work = self.work();
        if work.beginning != beginning || work.is_over {
            return;
        }
        if came == Came::Timed {
            work.rules.is_timed = true;
            work.beginning += 1;
            work.jobs = vec![Job::root()];
            (work.explored.executions, work.explored.blocked) = (0, 0);
            return;
        }
        work.explored.executions += u64::from(is_whole);
        work.explored.blocked += u64::from(came == Came::Blocked);
        let bounds = [
            is_cut.then_some(Bound::Events(self.limits.events)),
            rules.preemptions.filter(|_| is_bounded).map(Bound::Preemptions),
        ];
        for bound in bounds.into_iter().flatten() {
            if !work.explored.bounds.contains(&bound) {
                work.explored.bounds.push(bound);
            }
        }
        if is_good {
            work.jobs.append(&mut jobs);
        } else {
            work.is_over = true;
            let decisions = decisions(&run.record);
            let failed = Failed { decisions, why, after: work.explored.executions };
            *self.failed.lock() = Some(failed);
        }
    }
}

/// One thread less is busy.
struct Leaves<'a, 'b, N: Runnable, B, P>(&'a Drive<'b, N, B, P>);

impl<N: Runnable, B, P> Drop for Leaves<'_, '_, N, B, P> {
    fn drop(&mut self) {
        let mut work = self.0.work.lock();
        work.busy -= 1;
        work.is_over |= std::thread::panicking();
        self.0.changed.notify_all();
    }
}
