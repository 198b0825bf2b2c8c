//! Who waits for locks for ever is found, and told where; and the locks can be used afterwards.
//!
//! Knows nothing of how that is found; `tests/process/deadlock.rs` tests it for channels.

use crate::harness::place::Place;
use csproc::prelude::*;
use csproc::shared::LockError;
use csproc::{BlockedProcess, DeadlockReport};

fn blocked<'a>(report: &'a DeadlockReport, name: &str) -> &'a BlockedProcess {
    report.processes().iter().find(|process| process.name == name).unwrap_or_else(|| panic!("{report}"))
}

/// Whom it waits for, and at what.
fn waits<'a>(report: &'a DeadlockReport, name: &str) -> (&'a str, &'a str, Vec<&'a str>) {
    let wait = &blocked(report, name).waits_for[0];
    let partners = wait.partners.iter().map(|partner| report.processes()[*partner].name.as_str());
    (&wait.action, &wait.channel, partners.collect())
}

fn deadlock<R>(network: Network<R>) -> DeadlockReport {
    let Err(error) = network.run() else { panic!("no deadlock was found") };
    error.deadlock().cloned().unwrap_or_else(|| panic!("{error}"))
}

/// The line of the call that is marked like this.
fn is_at(process: &BlockedProcess, mark: &str) -> bool {
    let line = include_str!("deadlock.rs").lines().position(|line| line.ends_with(&format!("// blocks: {mark}")));
    process.location.starts_with(&format!("tests/locks/deadlock.rs:{}:", line.unwrap() + 1))
}

#[process]
fn twice(lock: Lock) -> csproc::Result<()> {
    let _held = lock.acquire()?;
    drop(lock.acquire()?); // blocks: twice
    Ok(())
}

#[process]
fn both(first: Lock, second: Lock, meet: Barrier) -> csproc::Result<()> {
    let _held = first.acquire()?;
    meet.sync()?;
    drop(second.acquire()?); // blocks: second
    Ok(())
}

#[process]
fn ask(lock: Lock, question: Writer<()>, meet: Barrier) -> csproc::Result<()> {
    let _held = lock.acquire()?;
    meet.sync()?;
    question.write(())?; // blocks: question
    Ok(())
}

#[process]
fn answer(lock: Lock, questions: Reader<()>, meet: Barrier) -> csproc::Result<()> {
    meet.sync()?;
    drop(lock.acquire()?); // blocks: answer
    Ok(questions.read()?)
}

#[process]
fn wait_for_event(event: Event) -> csproc::Result<()> {
    Ok(event.wait()?)
}

#[process]
fn take(seats: Semaphore) -> csproc::Result<()> {
    drop(seats.acquire()?);
    Ok(())
}

#[process]
fn wait_for_turn(lock: Lock, turn: Condition) -> csproc::Result<()> {
    drop(turn.wait(lock.acquire()?)?);
    Ok(())
}

alone! {
    fn who_waits_for_its_own_lock_is_a_deadlock_of_one() {
        let lock = Lock::new().named("own");
        let report = deadlock(network!(twice(lock.clone())));
        assert_eq!(waits(&report, "twice"), ("pass", "own", vec!["twice"]));
        assert!(is_at(blocked(&report, "twice"), "twice"), "{report}");
        assert!(report.to_string().contains("waits to pass `own`, for which `twice` would have to act"), "{report}");
        assert!(lock.acquire().is_ok(), "the lock is as it was");
    }

    fn locks_that_two_take_in_opposite_order() {
        let (a, b, meet) = (Lock::new().named("a"), Lock::new().named("b"), Barrier::new(2));
        let report = deadlock(network!(
            both(a.clone(), b.clone(), meet.clone()).named("one"),
            both(b.clone(), a.clone(), meet.clone()).named("other"),
        ));
        assert_eq!(waits(&report, "one"), ("pass", "b", vec!["other"]));
        assert_eq!(waits(&report, "other"), ("pass", "a", vec!["one"]));
        assert_eq!(report.cycle().len(), 2);
        assert!(["one", "other"].iter().all(|name| is_at(blocked(&report, name), "second")), "{report}");
        assert!(a.acquire().is_ok() && b.acquire().is_ok());
    }

    fn a_lock_and_a_channel() {
        let (lock, c, meet) = (Lock::new().named("l"), Channel::builder().name("c").build().unwrap(), Barrier::new(2));
        let report = deadlock(network!(
            ask(lock.clone(), c.writer(), meet.clone()),
            answer(lock.clone(), c.reader(), meet.clone()),
        ));
        assert_eq!(waits(&report, "ask"), ("write", "c", vec!["answer"]));
        assert_eq!(waits(&report, "answer"), ("pass", "l", vec!["ask"]));
        assert!(is_at(blocked(&report, "ask"), "question") && is_at(blocked(&report, "answer"), "answer"), "{report}");
    }

    fn an_event_that_nobody_is_left_to_set() {
        let event = Event::new().named("e");
        let report = deadlock(network!(for _ in 0..2 => wait_for_event(event.clone())));
        assert_eq!(waits(&report, "wait_for_event[0]").0, "pass", "{report}");
        event.set();
        assert!(event.wait().is_ok());
    }

    fn permits_that_nobody_is_left_to_give() {
        let none = Semaphore::new(0);
        let report = deadlock(network!(take(none.clone())));
        assert_eq!(waits(&report, "take"), ("pass", format!("{none:?}").split('"').nth(1).unwrap(), vec![]));
        let none = Semaphore::counting(0);
        deadlock(network!(take(none.clone())));
        none.post(1).unwrap();
        assert!(none.acquire().is_ok());
    }

    fn a_turn_that_nobody_is_left_to_give() {
        let lock = Lock::new();
        let turn = Condition::new(&lock).named("turn");
        let report = deadlock(network!(wait_for_turn(lock.clone(), turn.clone())));
        assert_eq!(waits(&report, "wait_for_turn").1, "turn");
        assert!(lock.acquire().is_ok());
    }

    fn the_caller_is_told_by_the_wait_itself() {
        let lock = Lock::new();
        let _held = lock.acquire().unwrap();
        let LockError::Failed(error) = lock.acquire().unwrap_err() else { panic!("the lock was taken twice") };
        assert!(error.is_poisoned());
        assert_eq!(error.deadlock().unwrap().processes().len(), 1);
    }
}

#[process]
fn post_later(event: Event, lock: Lock, ready: Writer<Place>) -> csproc::Result<()> {
    let held = lock.acquire()?;
    Place::announce(&ready);
    crate::harness::looks::Looks::from_now().wait_for_a_proof();
    event.set();
    drop(held);
    Ok(())
}

alone! {
    fn whoever_may_yet_give_back_or_set_is_waited_for() {
        let (event, lock, ready) = (Event::new(), Lock::new(), Channel::new());
        let child = Spawn!(post_later(event.clone(), lock.clone(), ready.writer())).unwrap();
        ready.reader().read().unwrap();
        drop(lock.acquire().unwrap());
        event.wait().unwrap();
        child.join().unwrap().unwrap();
    }
}
