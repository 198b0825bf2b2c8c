//! All executions of a scenario with few preemptions, until one is wrong.
//!
//! Knows nothing of what a scenario does.

use crate::cells;
use crate::execution::{self, Death};
use crate::fault::{self, Fault};
use crate::scenario::Scenario;
use crate::sys::{futex, known};
use crate::words;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// How many executions loom has tried.
    pub executions: usize,
    /// Why the last one was wrong.
    pub wrong: Option<String>,
    /// Whether all victims were killed in one of them.
    pub deaths: bool,
}

/// What an execution ends the search with that has learned of words it did not know.
struct Learned;

/// Tries all executions of a scenario of the two words with at most so many preemptions.
pub fn check_words(scenario: &words::scenario::Scenario, preemptions: Option<usize>, fault: Option<Fault>) -> Report {
    let run = scenario.run;
    alone(preemptions, fault, run)
}

/// Tries all executions of a scenario of a cell with at most so many preemptions.
pub fn check_cells(scenario: &cells::scenario::Scenario, preemptions: Option<usize>, fault: Option<Fault>) -> Report {
    let scenario = *scenario;
    alone(preemptions, fault, move || scenario.run())
}

fn alone(preemptions: Option<usize>, fault: Option<Fault>, run: impl Fn() + Send + Sync + 'static) -> Report {
    let _in_place = fault::put(fault);
    search(preemptions, move || {
        futex::begin();
        run();
        false
    })
    .unwrap_or_else(|_| unreachable!("there are no words of the arena in it"))
}

/// Tries all executions of a scenario of the whole engine.
pub fn check(scenario: &'static Scenario, preemptions: usize, deaths: &[Death], fault: Option<Fault>) -> Report {
    let _in_place = fault::put(fault);
    loop {
        known::has_learned();
        let deaths = deaths.to_vec();
        let report = search(Some(preemptions), move || {
            execution::perform(scenario, &deaths);
            if known::is_learning() {
                resume_unwind(Box::new(Learned));
            }
            !deaths.is_empty() && execution::executed(scenario, &deaths).into_iter().all(|executed| executed)
        });
        if let Ok(report) = report
            && !known::has_learned()
        {
            return report;
        }
    }
}

fn search(preemptions: Option<usize>, run: impl Fn() -> bool + Send + Sync + 'static) -> Result<Report, Learned> {
    let executions = Arc::new(AtomicUsize::new(0));
    let deaths = Arc::new(AtomicBool::new(false));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 10_000;
    let (count, death) = (Arc::clone(&executions), Arc::clone(&deaths));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            count.fetch_add(1, Ordering::Relaxed);
            if run() {
                death.store(true, Ordering::Relaxed);
            }
        });
    }));
    let wrong = match outcome {
        Ok(()) => None,
        Err(cause) if cause.is::<Learned>() => return Err(Learned),
        Err(cause) => Some(text(&*cause)),
    };
    Ok(Report { executions: executions.load(Ordering::Relaxed), wrong, deaths: deaths.load(Ordering::Relaxed) })
}

fn text(cause: &(dyn Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str).or(cause.downcast_ref::<&str>().copied());
    text.unwrap_or("it panics").to_owned()
}
