//! A lock: one holder at a time, first come first served, wherever it travels and whatever stands beside it.
//!
//! Knows nothing of death; that is in `death.rs`.

use crate::cell::Cell;
use crate::harness::cast::source;
use crate::harness::place::Place;
use csproc::prelude::*;
use csproc::shared::LockError;
use std::time::{Duration, Instant};

#[process]
fn count(lock: Lock, cell: Cell, times: u64) -> csproc::Result<()> {
    for _ in 0..times {
        let _held = lock.acquire()?;
        cell.increment();
    }
    Ok(())
}

over_both! {
    fn nobody_is_inside_with_another(placement) {
        let (lock, cell) = (Lock::new(), Cell::new(0));
        Parallel!(for _ in 0..4 => count(lock.clone(), cell.clone(), 500).on(placement)).values().unwrap();
        assert_eq!(cell.take(), 2000);
    }

    fn whoever_waits_longest_is_next(placement) {
        let (lock, ready, log) = (Lock::new(), Channel::new(), Channel::buffered(Buffer::Unbounded));
        let (r, order) = (ready.reader(), log.reader());
        let held = lock.acquire().unwrap();
        let mut waiting = Vec::new();
        for number in 0..4 {
            waiting.push(Spawn!(queue_up(lock.clone(), ready.writer(), log.writer(), number).on(placement)).unwrap());
            r.read().unwrap().until_asleep();
        }
        drop(held);
        drop(log);
        waiting.into_iter().for_each(|child| child.join().unwrap().unwrap());
        assert_eq!(order.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    fn who_comes_again_and_again_keeps_nobody_out(placement) {
        let (lock, over) = (Lock::new(), Event::new());
        let greedy = Spawn!(come_again(lock.clone(), over.clone()).on(placement)).unwrap();
        for _ in 0..1000 {
            drop(lock.acquire().unwrap());
        }
        over.set();
        greedy.join().unwrap().unwrap();
    }

    fn a_lock_that_travels_is_the_same_lock(placement) {
        let (lock, c) = (Lock::new().named("mobile"), Channel::new());
        let (w, back) = (c.writer(), Channel::new());
        let child = Spawn!(is_free(c.reader(), back.writer()).on(placement)).unwrap();
        let held = lock.acquire().unwrap();
        w.write(lock.clone()).unwrap();
        let r = back.reader();
        assert!(!r.read().unwrap());
        drop(held);
        w.write(lock.clone()).unwrap();
        assert!(r.read().unwrap());
        drop(w);
        child.join().unwrap();
    }
}

#[process]
fn come_again(lock: Lock, over: Event) -> csproc::Result<()> {
    while !over.is_set() {
        drop(lock.acquire()?);
    }
    Ok(())
}

#[process]
fn queue_up(lock: Lock, ready: Writer<Place>, log: Writer<u32>, number: u32) -> csproc::Result<()> {
    Place::announce(&ready);
    let _held = lock.acquire()?;
    log.write(number)?;
    Ok(())
}

#[process]
fn is_free(locks: Reader<Lock>, answers: Writer<bool>) {
    for lock in locks {
        assert_eq!(format!("{lock:?}"), "Lock(\"mobile\")");
        if answers.write(lock.try_acquire().is_ok()).is_err() {
            return;
        }
    }
}

fn is_held<G>(taken: Result<G, LockError<G>>, by: &ChannelError) -> bool {
    matches!(taken, Err(LockError::Failed(error)) if error == *by)
}

once! {
    fn a_lock_that_is_held_is_nobody_elses() {
        let lock = Lock::new();
        let held = lock.acquire().unwrap();
        assert!(is_held(lock.try_acquire(), &ChannelError::WouldBlock));
        let start = Instant::now();
        assert!(is_held(lock.acquire_timeout(Duration::from_millis(20)), &ChannelError::TimedOut));
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert!(is_held(lock.acquire_deadline(Instant::now()), &ChannelError::TimedOut));
        let other = lock.clone();
        assert!(std::thread::spawn(move || other.try_acquire().is_err()).join().unwrap());
        drop(held);
        assert!(lock.try_acquire().is_ok());
    }

    fn a_lock_that_loses_in_an_alternation_is_not_taken() {
        let (lock, c) = (Lock::new(), Channel::<u64>::new());
        let r = c.reader();
        let child = Spawn!(source(c.writer(), 0..20)).unwrap();
        for value in 0..20 {
            let held = lock.acquire().unwrap();
            let read = PriSelect! {
                _held = lock => None,
                v = r.read() => Some(v),
            };
            assert_eq!(read, Ok(Some(value)));
            drop(held);
            let both = PriSelect! {
                held = lock => held.is_ok(),
                skip => false,
            };
            assert_eq!(both, Ok(true));
        }
        child.join().unwrap().unwrap();
    }

    fn a_lock_in_an_alternation_wakes_with_the_lock() {
        let (lock, silent) = (Lock::new(), Channel::<u64>::new());
        let (_w, r) = (silent.writer(), silent.reader());
        let (place, places) = (Channel::new(), Channel::new());
        let held = lock.acquire().unwrap();
        let (same, announced, answers) = (lock.clone(), place.writer(), places.writer());
        let thread = std::thread::spawn(move || {
            Place::announce(&announced);
            let got = AltSelect! {
                held = same => held.unwrap(),
                _v = r.read() => unreachable!(),
            }
            .unwrap();
            answers.write(()).unwrap();
            drop(got);
        });
        place.reader().read().unwrap().until_asleep();
        drop(held);
        places.reader().read().unwrap();
        thread.join().unwrap();
        assert!(lock.acquire().is_ok());
    }

    fn an_alternation_that_is_dropped_with_the_lock_gives_it_back() {
        let lock = Lock::new();
        let mut alternation = Alternation::new();
        let token = alternation.guard(&lock);
        let fired = alternation.pri_select().unwrap();
        assert!(lock.try_acquire().is_err());
        let _ = token;
        drop(fired);
        assert!(lock.try_acquire().is_ok());
    }

    fn work_under_a_lock_gives_it_back() {
        let lock = Lock::new();
        assert!(lock.with(|| lock.try_acquire().is_err()).unwrap());
        assert!(lock.try_acquire().is_ok());
    }

    fn a_name_that_is_too_long_is_refused_by_name() {
        let name = "a".repeat(56);
        let error = Lock::new().named(&name).acquire().unwrap_err();
        assert!(error.to_string().contains(&name) && error.to_string().contains("55"), "{error}");
        assert!(Lock::new().named(&name[1..]).acquire().is_ok());
    }
}

alone! {
    fn a_guard_outlives_its_lock() {
        let lock = Lock::new();
        let held = lock.acquire().unwrap();
        let other = lock.clone();
        drop(lock);
        let before = csproc::audit().channels();
        drop(other);
        assert_eq!(csproc::audit().channels(), before, "the guard keeps it");
        drop(held);
    }

    fn what_locks_take_comes_back() {
        let before = csproc::audit();
        let lock = Lock::new();
        for _ in 0..1000 {
            drop(lock.acquire().unwrap());
            let held = lock.acquire().unwrap();
            assert!(lock.try_acquire().is_err());
            assert!(lock.acquire_deadline(Instant::now()).is_err());
            drop(held);
        }
        drop(lock);
        let after = csproc::audit();
        assert_eq!((after.channels(), after.ends()), (before.channels(), before.ends()));
    }
}
