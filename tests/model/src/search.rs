//! Which schedules of a scenario are tried, and who is killed when.
//!
//! Knows nothing of what a scenario does.

use crate::execution::{self, Death, Victim};
use crate::machine;
use crate::scenario::Scenario;
use crate::seeded;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One execution takes a few hundred steps; one that takes so many goes round in circles.
const MOST_STEPS: usize = 100_000;
const SEED: u64 = 20_261_121;

/// Which schedules are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// All in which threads that could go on are interrupted at most so often (Musuvathi and Qadeer, PLDI 2007).
    Bounded {
        /// How often a thread that could go on is interrupted.
        preemptions: u32,
    },
    /// So many, at each step with equal chances.
    Random {
        /// How many executions.
        times: usize,
    },
    /// So many with priorities that change at `depth` - 1 random moments (Burckhardt and others, ASPLOS 2010).
    Pct {
        /// The number of ordering constraints that a fault may need and is likely to be found.
        depth: usize,
        /// How many executions.
        times: usize,
    },
    /// As `Random`, and sleepers are also woken when nobody woke them, as signal handlers do.
    Drowsy {
        /// How many executions.
        times: usize,
    },
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// Nobody.
    Nobody,
    /// This one, before each of its steps in turn: each of them is a search of its own.
    Everywhere {
        /// Who is killed.
        victim: Victim,
        /// Looks only at one step in so many.
        stride: u64,
    },
    /// This one, before this one of its steps.
    At(Death),
    /// Two, each before each of its steps: each pair of steps is a search of its own.
    Both {
        /// Who is killed.
        victims: [Victim; 2],
        /// Looks only at one step in so many, of either.
        strides: [u64; 2],
    },
}

/// What was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Executions.
    pub executions: usize,
    /// Steps, or pairs of steps, of the victims at which they were killed.
    pub deaths: u64,
}

/// An execution that went wrong.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which one, and how it went wrong.
    pub what: String,
    /// Executions before it.
    pub executions: usize,
}

/// Tries the schedules of a scenario. The first execution that goes wrong ends the search.
///
/// # Errors
/// What was found.
pub fn search(
    scenario: &'static Scenario,
    how: Search,
    kill: Kill,
    fault: Option<&'static str>,
) -> Result<Report, Found> {
    seeded::put(fault);
    let mut report = Report::default();
    let result = match kill {
        Kill::Nobody => batch(scenario, how, &[], &mut report).map(drop),
        Kill::Everywhere { victim, stride } => each_step(stride, |step| {
            let came = batch(scenario, how, &[Death { victim, step }], &mut report)?[0];
            report.deaths += u64::from(came);
            Ok(came)
        }),
        Kill::At(death) => batch(scenario, how, &[death], &mut report).map(|came| {
            report.deaths = u64::from(came[0]);
        }),
        Kill::Both { victims: [one, other], strides } => each_step(strides[0], |first| {
            let mut came = false;
            each_step(strides[1], |second| {
                let deaths = [Death { victim: one, step: first }, Death { victim: other, step: second }];
                let executed = batch(scenario, how, &deaths, &mut report)?;
                came |= executed[0];
                report.deaths += u64::from(executed == [true, true]);
                Ok(executed[1])
            })?;
            Ok(came)
        }),
    };
    seeded::put(None);
    match result {
        Ok(()) => Ok(report),
        Err(what) => Err(Found {
            what: format!("{}, {how:?}, {kill:?} (death number {}): {what}", scenario.name, report.deaths),
            executions: report.executions,
        }),
    }
}

/// Tries one step after the other, until the victim never lives to make it.
fn each_step(stride: u64, mut attempt: impl FnMut(u64) -> Result<bool, String>) -> Result<(), String> {
    let mut step = 0;
    while attempt(step)? {
        step += stride;
    }
    Ok(())
}

/// One search with these deaths; which of them ever came to pass.
fn batch(scenario: &'static Scenario, how: Search, deaths: &[Death], report: &mut Report) -> Result<Vec<bool>, String> {
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let executed: Arc<[AtomicBool]> = deaths.iter().map(|_| AtomicBool::new(false)).collect();
    let work = {
        let (count, executed, deaths) = (Arc::clone(&count), Arc::clone(&executed), deaths.to_vec());
        move || {
            count.fetch_add(1, Ordering::Relaxed);
            execution::perform(scenario, &deaths);
            for (ever, now) in executed.iter().zip(execution::executed(scenario, &deaths)) {
                ever.fetch_or(now, Ordering::Relaxed);
            }
        }
    };
    let run = || match how {
        Search::Bounded { preemptions } => {
            Runner::new(Awake(Bounded::new(preemptions)), config).run(work);
        }
        Search::Random { times } => {
            Runner::new(Awake(RandomScheduler::new_from_seed(SEED, times)), config).run(work);
        }
        Search::Pct { depth, times } => {
            Runner::new(Awake(PctScheduler::new_from_seed(SEED, depth, times)), config).run(work);
        }
        Search::Drowsy { times } => {
            Runner::new(RandomScheduler::new_from_seed(SEED, times), config).run(work);
        }
    };
    let result = catch_unwind(AssertUnwindSafe(run));
    report.executions += count.load(Ordering::Relaxed);
    match result {
        Ok(()) => Ok(executed.iter().map(|ever| ever.load(Ordering::Relaxed)).collect()),
        Err(cause) => {
            let text = cause.downcast_ref::<String>().cloned();
            let text = text.or_else(|| cause.downcast_ref::<&str>().map(|text| String::from(*text)));
            let place = |death: &Death| format!("{:?} killed before step {}: ", death.victim, death.step);
            Err(deaths.iter().map(place).collect::<String>() + &text.unwrap_or_default())
        }
    }
}

/// Never runs a sleeper that nobody has woken.
struct Awake<S>(S);

impl<S: Scheduler> Scheduler for Awake<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.0.new_execution()
    }

    fn next_task(&mut self, tasks: &[&Task], current: Option<TaskId>, yielding: bool) -> Option<TaskId> {
        let awake: Vec<&Task> = tasks.iter().copied().filter(|task| !task.blocked()).collect();
        self.0.next_task(&awake, current, yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// A place where several threads could go on.
struct Choice {
    among: Vec<TaskId>,
    taken: usize,
}

/// Depth first through all schedules with so many preemptions at most.
///
/// Going on with the same thread is free. Choosing another one costs a preemption, unless the thread is asleep, over,
/// or gives way. Who gives way is not run again before everybody else was who could run then: so nobody goes round in
/// circles, alone or with others, while the one they wait for never runs.
struct Bounded {
    most: u32,
    spent: u32,
    /// The choices of this execution, and how many of them were made so far.
    choices: Vec<Choice>,
    made: usize,
    begun: bool,
    /// Who gave way, and who is to run before.
    owed: Vec<(TaskId, Vec<TaskId>)>,
}

impl Bounded {
    fn new(most: u32) -> Bounded {
        Bounded { most, spent: 0, choices: Vec::new(), made: 0, begun: false, owed: Vec::new() }
    }
}

impl Scheduler for Bounded {
    fn new_execution(&mut self) -> Option<Schedule> {
        if std::mem::replace(&mut self.begun, true) {
            while self.choices.last().is_some_and(|last| last.taken + 1 == last.among.len()) {
                self.choices.pop();
            }
            self.choices.last_mut()?.taken += 1;
        }
        (self.made, self.spent) = (0, 0);
        self.owed.clear();
        Some(Schedule::new(SEED))
    }

    fn next_task(&mut self, tasks: &[&Task], current: Option<TaskId>, yielding: bool) -> Option<TaskId> {
        let able: Vec<TaskId> = tasks.iter().map(|task| task.id()).collect();
        if let Some(current) = current.filter(|current| yielding && able.contains(current)) {
            self.owed.push((current, able.iter().copied().filter(|task| *task != current).collect()));
        }
        self.owed.retain(|(_, before)| before.iter().any(|task| able.contains(task)));
        let waits = |task: &TaskId| self.owed.iter().any(|(waiting, _)| waiting == task);
        let goes_on = current.filter(|current| able.contains(current) && !waits(current));
        let others = able.iter().copied().filter(|task| Some(*task) != current && !waits(task));
        let mut among: Vec<TaskId> = match goes_on {
            Some(current) if self.spent < self.most => std::iter::once(current).chain(others).collect(),
            Some(current) => vec![current],
            None => others.collect(),
        };
        if among.is_empty() {
            among = able;
        }
        let chosen = match among[..] {
            [only] => only,
            _ => {
                if self.made == self.choices.len() {
                    self.choices.push(Choice { among: among.clone(), taken: 0 });
                }
                let choice = &self.choices[self.made];
                assert_eq!(choice.among, among, "an execution went another way than the one before it");
                self.made += 1;
                choice.among[choice.taken]
            }
        };
        if goes_on.is_some_and(|current| current != chosen) {
            self.spent += 1;
        }
        for (_, before) in &mut self.owed {
            before.retain(|task| *task != chosen);
        }
        Some(chosen)
    }

    fn next_u64(&mut self) -> u64 {
        SEED
    }
}
