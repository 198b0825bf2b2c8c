//! The state word and the lock of the live engine, run by loom, which knows weak memory: the sources themselves, not a copy.
//!
//! Knows nothing of queues, tables or channels: around the two words there are only relaxed payloads, which one may read stale unless a
//! word orders them. What the whole engine does is the business of `tests/model`.
//!
//! - [`scenario`]: who does what to which word, and what may come of it
//! - [`check`]: all executions of a scenario
//! - [`fault`]: orderings that are weaker than the sources say, and steps that are left out
// The sources of csproc bring unit tests of their own, which are not for this place; `--all-targets` would build them here.
#![cfg(not(test))]
#![expect(dead_code, unused_imports, reason = "the engine offers more than its models use")]

mod engine;
pub mod fault;
mod memory;
mod sys;

pub use engine::live::scenario;
use fault::Fault;
use scenario::Scenario;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a scenario came to.
#[derive(Debug)]
pub struct Report {
    /// How many executions loom has tried.
    pub executions: usize,
    /// Why the last one was wrong.
    pub wrong: Option<String>,
}

/// Tries all executions of the scenario with at most so many preemptions, until one is wrong.
pub fn check(scenario: &Scenario, preemptions: Option<usize>, fault: Option<Fault>) -> Report {
    let executions = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&executions);
    let run = scenario.run;
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 10_000;
    let _in_place = fault::put(fault);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            count.fetch_add(1, Ordering::Relaxed);
            run();
        });
    }));
    let wrong = outcome.err().map(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        text.unwrap_or("it panics").to_owned()
    });
    Report { executions: executions.load(Ordering::Relaxed), wrong }
}
