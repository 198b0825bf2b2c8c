//! Shared objects that were made outside of a simulation, and are used in one: refused by an error where there is one,
//! and by the run where there is none; and they are not harmed.
//!
//! Knows nothing of those that were made in it.

use super::cast::{named, read_once, write_once};
use csproc::prelude::*;
use csproc::shared::Atomic;
use csproc::testing::{Outcome, explore, replay, schedule, simulate};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, OnceLock};

#[process]
fn nothing() {}

/// What is told of a run whose closure does this with something from outside.
fn told<R>(what: impl Fn() -> R) -> String {
    let run = replay("csp1:00", || {
        drop(what());
        nothing()
    });
    assert!(!run.completed() && !run.is_deadlock_free() && run.result().is_none(), "{run}");
    let Outcome::Outside(reason) = run.outcome() else { panic!("{run}") };
    assert!(run.to_string().contains(reason) && run.to_json().starts_with(r#"{"outcome":"outside""#), "{run}");
    reason.clone()
}

#[test]
fn who_only_looks_or_changes_something_at_once_spoils_the_run() {
    let value = Value::new(7).named("seven");
    let (atomic, array) = (Atomic::new(7).unwrap(), [7, 8].into_iter().collect::<Array<u32>>());
    let (queue, permits, event) = (Queue::new(), Semaphore::counting(2), Event::new());
    let (lock, barrier, (end, _other)) = (Lock::new(), csproc::Barrier::new(2), pipe::<u8, u8>());
    let condition = csproc::shared::Condition::new(&lock);
    queue.put(1).unwrap();
    event.set();
    for (what, told) in [
        ("a value is read", told(|| value.get())),
        ("an atomic is read", told(|| atomic.load())),
        ("an atomic is set", told(|| atomic.store(8))),
        ("an atomic is changed", told(|| atomic.fetch_add(8))),
        ("an item of an array is read", told(|| array.get(1))),
        ("an array is read", told(|| array.to_vec())),
        ("the length of a queue", told(|| queue.len())),
        ("the room of a queue", told(|| queue.capacity())),
        ("a queue is closed", told(|| queue.close())),
        ("a queue is poisoned", told(|| queue.poison())),
        ("an item of a queue is done", told(|| queue.task_done())),
        ("permits are counted", told(|| permits.available())),
        ("permits are added", told(|| permits.post(1))),
        ("an event is looked at", told(|| event.is_set())),
        ("an event is set", told(|| event.set())),
        ("an event is cleared", told(|| event.clear())),
        ("somebody is notified", told(|| condition.notify_one())),
        ("a pipe is looked at", told(|| end.poll(std::time::Duration::ZERO))),
        ("the parties of a barrier are counted", told(|| barrier.parties())),
    ] {
        assert!(told.starts_with("the closure that builds the network uses a shared object"), "{what}: {told}");
        assert!(told.ends_with("was made outside of this simulation: make it in the closure"), "{what}: {told}");
    }
    assert!(told(|| value.get()).contains("object `seven` that"));
    // Nothing has become of them.
    assert_eq!((value.get(), atomic.load(), array.to_vec()), (7, 7, vec![7, 8]));
    assert_eq!((queue.get(), queue.task_done().is_ok(), permits.available()), (Ok(1), true, 2));
    assert_eq!((event.is_set(), barrier.parties()), (true, 2));
}

/// It is refused by an error of its own; the run counts for nothing if it looked before, as those do who know more.
fn refused<E: std::fmt::Display>(what: impl Fn() -> Result<(), E>) {
    let run = replay("csp1:00", || {
        let error = what().expect_err("it cannot be had").to_string();
        assert!(error.contains("cannot be simulated"), "{error}");
        nothing()
    });
    assert!(run.completed() || matches!(run.outcome(), Outcome::Outside(_)), "{run}");
}

#[test]
fn who_can_be_told_is_told() {
    let (value, array) = (Value::new(7), [7, 8].into_iter().collect::<Array<u32>>());
    let (queue, permits, event) = (Queue::new(), Semaphore::new(2), Event::new());
    let (lock, either, (end, _other)) = (Lock::new(), RwLock::new(), pipe::<u8, u8>());
    let manager = Manager::new().unwrap();
    let list = manager.list([1]).unwrap();
    queue.put(1).unwrap();
    refused(|| value.set(8));
    refused(|| value.with_lock(|number| *number += 1));
    refused(|| array.set(0, 8));
    refused(|| queue.try_put(2));
    refused(|| queue.try_get().map(drop));
    refused(|| permits.try_acquire().map(drop));
    refused(|| event.wait());
    refused(|| lock.try_acquire().map(drop));
    refused(|| either.try_read().map(drop));
    refused(|| end.send(1));
    refused(|| end.recv().map(drop));
    refused(|| list.push(2));
    refused(|| list.clone().len().map(drop));
    refused(|| manager.list([1]).map(drop));
    assert_eq!((value.get(), array.to_vec(), queue.get(), list.to_vec()), (7, vec![7, 8], Ok(1), Ok(vec![1])));
}

#[process]
fn reads(number: Value<u32>) -> u32 {
    number.get()
}

#[test]
fn none_is_an_argument() {
    let number = Value::new(7);
    let run = replay("csp1:00", || reads(number.clone()));
    assert!(run.to_string().contains("cannot be handed over"), "{run}");
    assert!(run.to_string().contains("made outside of the simulation"), "{run}");
}

fn everywhere() -> &'static Atomic<u32> {
    static EVERYWHERE: OnceLock<Atomic<u32>> = OnceLock::new();
    EVERYWHERE.get_or_init(|| Atomic::new(0).expect("there is room for it"))
}

#[process]
fn counts_everywhere(out: Writer<u32>) -> csproc::Result<()> {
    Ok(out.write(everywhere().fetch_add(1))?)
}

#[test]
fn a_process_that_uses_a_static_one_is_named_in_each_run() {
    everywhere().store(5);
    let network = || {
        let c = named("numbers");
        network!(counts_everywhere(c.writer()), read_once(c.reader()))
    };
    let mut runner = TestRunner::deterministic();
    for _ in 0..40 {
        let schedule = schedule().new_tree(&mut runner).unwrap().current();
        let run = simulate(&schedule, network);
        let Outcome::Outside(reason) = run.outcome() else { panic!("{run}") };
        assert!(reason.starts_with("process `counts_everywhere` uses"), "{reason}");
    }
    let found = explore().check(network).unwrap_err();
    assert!(matches!(found.outcome(), Outcome::Outside(_)), "{found}");
    assert_eq!(everywhere().load(), 5);
}

#[test]
fn what_another_run_has_made_is_from_outside() {
    let kept = AssertUnwindSafe(Mutex::new(None));
    let network = || {
        let c = named("numbers");
        let mut kept = kept.lock().expect("nobody panics with it");
        let number = kept.get_or_insert_with(|| Value::new(7)).get();
        network!(write_once(c.writer(), number), read_once(c.reader()))
    };
    assert!(replay("csp1:00", network).completed());
    let run = replay("csp1:00", network);
    assert!(matches!(run.outcome(), Outcome::Outside(_)), "{run}");
}
