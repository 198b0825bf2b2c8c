//! Histories: an object that is one is linearizable, wherever its callers run, and one that is none is found.
//!
//! Knows nothing of how an order is searched.

use csproc::prelude::*;
use csproc::testing::{History, Recorder, Run, Sequential, schedule, simulate};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Asked {
    Put(u32),
    Get,
}

/// A queue of two places; who puts into a full one waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Bounded(VecDeque<u32>);

impl Sequential for Bounded {
    type Operation = Asked;
    type Answer = Option<u32>;

    fn apply(&mut self, asked: &Asked) -> Option<Option<u32>> {
        match asked {
            Asked::Put(_) if self.0.len() == 2 => None,
            Asked::Put(value) => {
                self.0.push_back(*value);
                Some(None)
            }
            Asked::Get => self.0.pop_front().map(Some),
        }
    }
}

type Calls = Recorder<Asked, Option<u32>>;

#[process]
fn puts(queue: Queue<u32>, calls: Calls, values: Vec<u32>) -> csproc::Result<()> {
    for value in values {
        calls.call(Asked::Put(value), || queue.put(value).map(|()| None).unwrap_or(None))?;
    }
    Ok(())
}

#[process]
fn gets(queue: Queue<u32>, calls: Calls, count: u32) -> csproc::Result<()> {
    for _ in 0..count {
        calls.call(Asked::Get, || queue.get().ok())?;
    }
    Ok(())
}

type Users = (csproc::Result<()>, csproc::Result<()>, csproc::Result<()>, csproc::Result<()>);

fn uses_of_a_queue(calls: &Calls, placement: Placement) -> Network<Users> {
    let queue = Queue::bounded(2);
    network!(
        puts(queue.clone(), calls.clone(), vec![1, 2]).on(placement),
        puts(queue.clone(), calls.clone(), vec![3]).on(placement),
        gets(queue.clone(), calls.clone(), 2).on(placement),
        gets(queue, calls.clone(), 1).on(placement)
    )
}

fn config() -> Config {
    Config { cases: 300, failure_persistence: None, max_shrink_iters: 100_000, ..Config::default() }
}

/// The history of a run has an order.
fn is_linear<R>(run: &Run<R>) -> Result<(), TestCaseError> {
    match History::<Asked, Option<u32>>::of(run).linearize(Bounded::default()) {
        Ok(_) => Ok(()),
        Err(violation) => Err(TestCaseError::fail(format!("{violation}\n{run}"))),
    }
}

#[test]
fn a_queue_is_linearizable_in_every_schedule() {
    let result = TestRunner::new(config()).run(&schedule(), |s| {
        let run = simulate(&s, || uses_of_a_queue(&Recorder::new().unwrap(), Placement::Process));
        proptest::prop_assert!(run.completed(), "{run}");
        is_linear(&run)
    });
    assert!(result.is_ok(), "{}", result.unwrap_err());
}

over_both! {
    fn a_queue_is_linearizable(placement) {
        for _ in 0..20 {
            let calls = Recorder::new().unwrap();
            let (a, b, c, d) = uses_of_a_queue(&calls, placement).run().unwrap();
            a.and(b).and(c).and(d).unwrap();
            let history = calls.history().unwrap();
            assert_eq!(history.calls().len(), 6);
            let order = history.linearize(Bounded::default());
            assert!(order.is_ok(), "{}", order.unwrap_err());
        }
    }
}

/// Puts where it has seen that there is room, although somebody may have come in between.
#[process]
fn puts_carelessly(places: Array<u32>, count: Value<u32>, calls: Calls, value: u32) -> csproc::Result<()> {
    calls.call(Asked::Put(value), || {
        let place = count.get();
        let _ = places.set(place as usize, value);
        let _ = count.set(place + 1);
        None
    })?;
    for _ in 0..2 {
        calls.call(Asked::Get, || {
            let place = count.get().checked_sub(1)?;
            let _ = count.set(place);
            Some(places.get(0))
        })?;
    }
    Ok(())
}

#[test]
fn an_object_that_forgets_is_found_with_the_shortest_history() {
    let failed = TestRunner::new(config()).run(&schedule(), |s| {
        let run = simulate(&s, || {
            let (places, count, calls) = (Array::zeroed(4), Value::new(0), Recorder::new().unwrap());
            network!(
                puts_carelessly(places.clone(), count.clone(), calls.clone(), 1),
                puts_carelessly(places, count, calls, 2)
            )
        });
        is_linear(&run)
    });
    let text = failed.expect_err("it forgets").to_string();
    assert!(text.contains("no order of these calls") && text.contains("it would"), "{text}");
}
