//! A condition: a wait gives the lock up and has it again, and no notification is missed in between.
//!
//! Knows nothing of what is waited for.

use crate::cell::Cell;
use crate::harness::place::Place;
use csproc::prelude::*;
use csproc::shared::LockError;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[process]
fn put(lock: Lock, changed: Condition, store: (Writer<u64>, Reader<u64>), values: u64) -> csproc::Result<()> {
    for value in 0..values {
        let held = changed.wait_while(lock.acquire()?, || store.1.len() == 2)?;
        store.0.write(value)?;
        drop(held);
        changed.notify_all();
    }
    Ok(())
}

#[process]
fn take(lock: Lock, changed: Condition, store: Reader<u64>, values: u64) -> csproc::Result<u64> {
    let mut sum = 0;
    for _ in 0..values {
        let held = changed.wait_while(lock.acquire()?, || store.is_empty())?;
        sum += store.read()?;
        drop(held);
        changed.notify_all();
    }
    Ok(sum)
}

#[process]
fn wait_once(lock: Lock, turn: Condition, cell: Cell, ready: Writer<Place>) -> csproc::Result<()> {
    let held = lock.acquire()?;
    Place::announce(&ready);
    let _held = turn.wait(held)?;
    cell.increment();
    Ok(())
}

over_both! {
    fn a_store_of_two_between_producers_and_consumers(placement) {
        let lock = Lock::new();
        let (changed, store) = (Condition::new(&lock), Channel::buffered(Buffer::Unbounded));
        let (w, r) = (store.writer(), store.reader());
        let (.., sums) = Parallel!(
            for _ in 0..2 => put(lock.clone(), changed.clone(), (w.clone(), r.clone()), 60).on(placement),
            for _ in 0..3 => take(lock.clone(), changed.clone(), r.clone(), 40).on(placement),
        )
        .values()
        .unwrap();
        assert_eq!(sums.iter().sum::<u64>(), 2 * (0..60).sum::<u64>());
    }

    fn one_is_notified_or_all(placement) {
        let (lock, cell, ready) = (Lock::new(), Cell::new(0), Channel::new());
        let (turn, r) = (Condition::new(&lock), ready.reader());
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let child = wait_once(lock.clone(), turn.clone(), cell.clone(), ready.writer());
            waiting.push(Spawn!(child.on(placement)).unwrap());
            let place = r.read().unwrap();
            // Asleep without the lock: waiting for its turn.
            drop(lock.acquire().unwrap());
            place.until_asleep();
        }
        turn.notify_one();
        waiting.remove(0).join().unwrap().unwrap();
        let held = lock.acquire().unwrap();
        assert_eq!(cell.repair(), 1, "one was notified, the first");
        turn.notify_all();
        drop(held);
        waiting.into_iter().for_each(|child| child.join().unwrap().unwrap());
        assert_eq!(cell.take(), 3);
    }
}

#[process]
fn hand_on(lock: Lock, turn: Condition, cell: Cell, me: u64, times: u64) -> csproc::Result<()> {
    for _ in 0..times {
        let held = turn.wait_while(lock.acquire()?, || cell.repair() != me)?;
        cell.take();
        cell.put(1 - me);
        turn.notify_one();
        drop(held);
    }
    Ok(())
}

over_both! {
    /// One notification missed would leave both waiting.
    fn no_notification_is_missed(placement) {
        let (lock, cell) = (Lock::new(), Cell::new(0));
        let turn = Condition::new(&lock);
        let sides = (0..2).map(|me| hand_on(lock.clone(), turn.clone(), cell.clone(), me, 5000).on(placement));
        Parallel!(sides.collect::<Vec<_>>()).values().unwrap();
    }
}

once! {
    fn a_guard_of_another_lock_is_refused() {
        let (lock, other) = (Lock::new().named("one"), Lock::new().named("other"));
        let condition = Condition::new(&lock);
        let held = other.acquire().unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| condition.wait(held))).unwrap_err();
        let text = panicked.downcast_ref::<String>().unwrap();
        assert!(text.contains("LockGuard(\"other\") is no guard of Lock(\"one\")"), "{text}");
    }

    fn a_lock_that_is_abandoned_meanwhile_is_told_to_who_has_waited() {
        let lock = Lock::new();
        let condition = Condition::new(&lock);
        let (same, changed) = (lock.clone(), condition.clone());
        let held = lock.acquire().unwrap();
        let thread = std::thread::spawn(move || {
            let _held = same.acquire().unwrap();
            changed.notify_all();
            std::panic::resume_unwind(Box::new("quietly"));
        });
        assert!(matches!(condition.wait(held), Err(LockError::Abandoned(_))));
        thread.join().unwrap_err();
    }
}
