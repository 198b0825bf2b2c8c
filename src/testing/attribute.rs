//! `Trial`: a test with `#[csproc::test]`, whose body is the main process of a simulated world, run under one schedule
//! after the other.
//!
//! Knows nothing of the attribute's syntax, nor of how a schedule is drawn, shrunk or kept.

use super::explore::explore;
use super::memory::{Case, Failure, NoInputs};
use super::plan::Plan;
use super::run::Run;
use super::schedule::{Schedules, schedule};
use super::simulate::{once, simulate};
use super::token;
use crate::engine::sim::{Choice, Purpose};
use crate::process::Body;
use proptest::test_runner::{Config, FailurePersistence, TestCaseError, TestError, TestRunner};
use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::panic::Location;

/// A search for a smaller schedule tries so many, if the environment does not say otherwise.
const SHRINKS: u32 = 100_000;

/// What the body of a test returns.
#[diagnostic::on_unimplemented(
    message = "the body of a test returns nothing or a `Result`, and this one returns `{Self}`",
    label = "expected nothing, or `Result<(), E>` with an `E: Debug`"
)]
pub trait TestResult {
    #[doc(hidden)]
    fn told(self) -> Result<(), String>;
}

impl TestResult for () {
    fn told(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Debug> TestResult for Result<(), E> {
    fn told(self) -> Result<(), String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

type Came = Result<(), String>;

/// A test with `#[csproc::test]`.
#[derive(Debug)]
#[must_use = "nothing is tried before `run`"]
pub struct Trial {
    name: &'static str,
    source: &'static str,
    body: fn() -> Came,
    count: Option<u32>,
    is_exhaustive: bool,
    is_forgotten: bool,
    replayed: Option<&'static str>,
    schedules: Schedules,
}

impl Trial {
    /// A test of this name in this source file.
    pub fn new(name: &'static str, source: &'static str, body: fn() -> Came) -> Trial {
        let schedules = schedule();
        Trial { name, source, body, count: None, is_exhaustive: false, is_forgotten: false, replayed: None, schedules }
    }

    /// Under so many schedules.
    pub fn schedules(self, count: u32) -> Trial {
        Trial { count: Some(count), ..self }
    }

    /// Under all there are.
    pub fn exhaustive(self) -> Trial {
        Trial { is_exhaustive: true, ..self }
    }

    /// Under the one that a run has printed.
    pub fn replay(self, token: &'static str) -> Trial {
        Trial { replayed: Some(token), ..self }
    }

    /// Whatever fails is not kept.
    pub fn forgets(self) -> Trial {
        Trial { is_forgotten: true, ..self }
    }

    /// With the faults that these schedules have.
    pub fn with(self, schedules: Schedules) -> Trial {
        Trial { schedules, ..self }
    }

    /// Runs the test.
    ///
    /// # Panics
    /// It fails under a schedule: with the smallest one, as a report.
    #[track_caller]
    pub fn run(self) {
        let place = Location::caller();
        let failed = match self.replayed {
            Some(token) => self.replays(token, place),
            None if self.is_exhaustive => self.explores(place),
            None => self.draws(self.config(self.count), place),
        };
        if let Some(report) = failed {
            panic!("`{}` {report}", self.name);
        }
    }

    /// As proptest's environment variables have it; where it keeps nothing, nothing is kept.
    fn config(&self, cases: Option<u32>) -> Config {
        let config = Config::default();
        let no_inputs = |_| -> Box<dyn FailurePersistence> { Box::new(NoInputs) };
        Config {
            cases: cases.unwrap_or(config.cases),
            max_shrink_iters: if config.max_shrink_iters == u32::MAX { SHRINKS } else { config.max_shrink_iters },
            source_file: Some(self.source),
            test_name: Some(self.name),
            failure_persistence: config.failure_persistence.filter(|_| !self.is_forgotten).map(no_inputs),
            ..config
        }
    }

    fn replays(&self, token: &str, place: &'static Location<'static>) -> Option<String> {
        let Some(wanted) = token::read(token) else {
            panic!("`{token}` is no token: copy all of what a run has printed, from `csp1:` on");
        };
        let run = self.again(wanted, place);
        (!passes(&run)).then(|| fails(&run, &run))
    }

    /// Tries so many schedules as dice fall, those that have failed before first.
    fn draws(&self, config: Config, place: &'static Location<'static>) -> Option<String> {
        let (tried, has_failed) = (Cell::new(0_u32), Cell::new(false));
        let result = TestRunner::new(config).run(&self.schedules, |schedule| {
            let run = simulate(&schedule, || Body::new(self.body, false));
            if !has_failed.get() {
                tried.set(tried.get() + 1);
            }
            if passes(&run) {
                return Ok(());
            }
            has_failed.set(true);
            Err(TestCaseError::fail(fails(&run, &run)))
        });
        match result {
            Ok(()) => None,
            Err(TestError::Fail(report, smallest)) => {
                if let Some(decisions) = smallest.decided() {
                    self.again(decisions, place);
                }
                Some(format!("{report}\nfound after {} schedules, and shrunk", tried.get()))
            }
            Err(abort) => Some(abort.to_string()),
        }
    }

    /// Tries those that have failed before, and then all there are.
    fn explores(&self, place: &'static Location<'static>) -> Option<String> {
        let config = self.config(None);
        let kept = self.schedules.memory.of(&config);
        let known = kept.as_ref().map_or(0, |kept| kept.count());
        if known > 0
            && let Some(failed) = self.draws(Config { cases: known as u32, ..config }, place)
        {
            return Some(failed);
        }
        let mut exploration = explore().faults(self.schedules.faults.clone());
        if let Some(most) = self.count {
            exploration = exploration.max_executions(u64::from(most));
        }
        match exploration.check_only(|| Body::new(self.body, false), passes) {
            Ok(explored) if explored.complete => None,
            Ok(explored) => {
                Some(format!("was tried under {explored}; give it more `schedules`, or make its network smaller"))
            }
            Err(failed) => {
                let run = self.again(token::read(failed.token()).unwrap_or_default(), place);
                Case::new(0, kept).fails(&Failure { smallest: &run.record, found: None });
                Some(fails(&run, &failed))
            }
        }
    }

    /// By these decisions, and so that everybody hears what panics.
    fn again(&self, wanted: Vec<Choice>, place: &'static Location<'static>) -> Run<Came> {
        once(&Plan::Wanted(wanted), Purpose::First, place, &mut || Body::new(self.body, true))
    }
}

fn passes(run: &Run<Came>) -> bool {
    run.completed() && matches!(run.result(), Some(Ok(())))
}

/// A run that does not pass, with what is to be told of it.
fn fails(run: &Run<Came>, report: impl Display) -> String {
    match run.result() {
        Some(Err(error)) => format!("returns an error under a schedule: {error}\n{report}"),
        _ => format!("fails under a schedule: {report}"),
    }
}
