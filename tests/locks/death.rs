//! Whoever dies gives back what he had; the next one is told who had a lock and what became of him.
//!
//! Knows nothing of where exactly somebody dies; each instruction is tried in `tests/kill`.

use crate::cell::Cell;
use crate::harness::killing::kill_a_thousand;
use crate::harness::looks::Looks;
use crate::harness::pause::stop;
use crate::harness::place::Place;
use csproc::prelude::*;
use csproc::shared::LockError;
use std::time::Duration;

#[process]
fn hold(lock: Lock, ready: Writer<u32>) -> csproc::Result<()> {
    let _held = lock.acquire()?;
    ready.write(std::process::id())?;
    loop {
        std::thread::park();
    }
}

#[process]
fn panic_with(lock: Lock) -> csproc::Result<()> {
    let _held = lock.acquire()?;
    panic!("in the middle");
}

#[process]
fn exit_with(lock: Lock) -> csproc::Result<()> {
    let _held = lock.acquire()?;
    std::process::exit(3);
}

#[process]
fn forget(lock: Lock) -> csproc::Result<()> {
    std::mem::forget(lock.acquire()?);
    Ok(())
}

#[process]
fn wait_for(lock: Lock, ready: Writer<Place>) -> csproc::Result<()> {
    Place::announce(&ready);
    drop(lock.acquire()?);
    Ok(())
}

#[process]
fn wait_for_turn(lock: Lock, turn: Condition, ready: Writer<Place>) -> csproc::Result<()> {
    let held = lock.acquire()?;
    Place::announce(&ready);
    drop(turn.wait(held)?);
    Ok(())
}

/// The lock was abandoned; recovered, it counts as any other.
fn abandoned(lock: &Lock, process: &str) -> Cause {
    let LockError::Abandoned(left) = lock.acquire().unwrap_err() else { panic!("the lock was not taken") };
    assert_eq!(left.process(), process);
    let cause = left.cause().clone();
    assert_eq!(left.to_string(), format!("lock `l` was abandoned by process `{process}`, which {cause}"));
    // Dropped unrecovered, the mark stays for the next.
    drop(left);
    let again = lock.acquire().unwrap_err();
    assert!(lock.try_acquire().is_err(), "the error has it");
    drop(again.recover().unwrap());
    assert!(lock.acquire().is_ok());
    cause
}

once! {
    fn a_lock_that_a_killed_process_had_is_the_next_ones() {
        let (lock, ready) = (Lock::new().named("l"), Channel::new());
        let child = Spawn!(hold(lock.clone(), ready.writer())).unwrap();
        ready.reader().read().unwrap();
        assert!(lock.try_acquire().is_err());
        child.kill().unwrap();
        let cause = abandoned(&lock, "hold");
        assert_eq!(cause, Cause::Killed { signal: 9 });
        child.join().unwrap_err();
    }

    fn a_lock_that_a_panic_dropped_is_abandoned() {
        let lock = Lock::new().named("l");
        Parallel!(panic_with(lock.clone())).unwrap_err();
        let Cause::Panicked { message, location } = abandoned(&lock, "panic_with") else { panic!("of something else") };
        assert_eq!(message, "in the middle");
        assert!(location.contains("death.rs"), "{location}");
        Parallel!(panic_with(lock.clone()).on(Placement::Thread)).unwrap_err();
        assert!(matches!(abandoned(&lock, "panic_with"), Cause::Panicked { .. }));
    }

    fn a_panic_that_is_caught_abandons_the_lock_at_once() {
        let lock = Lock::new().named("l");
        let panicked = std::panic::catch_unwind(|| {
            let _held = lock.acquire().unwrap();
            std::panic::resume_unwind(Box::new("quietly"));
        });
        assert!(panicked.is_err());
        assert!(matches!(abandoned(&lock, "main"), Cause::Panicked { .. }));
    }

    fn a_lock_that_was_forgotten_comes_back_with_the_end_of_the_process() {
        let lock = Lock::new().named("l");
        for placement in [Placement::Process, Placement::Thread] {
            Parallel!(forget(lock.clone()).on(placement)).values().unwrap();
            assert_eq!(abandoned(&lock, "forget"), Cause::Forgot);
        }
    }

    fn a_lock_of_a_process_that_exits_is_abandoned() {
        let lock = Lock::new().named("l");
        Parallel!(exit_with(lock.clone())).unwrap_err();
        assert_eq!(abandoned(&lock, "exit_with"), Cause::Exited { code: 3 });
    }

    fn a_waiter_that_is_killed_is_passed_over() {
        let (lock, ready) = (Lock::new(), Channel::new());
        let r = ready.reader();
        let held = lock.acquire().unwrap();
        let first = Spawn!(wait_for(lock.clone(), ready.writer())).unwrap();
        r.read().unwrap().until_asleep();
        let second = Spawn!(wait_for(lock.clone(), ready.writer())).unwrap();
        r.read().unwrap().until_asleep();
        first.kill().unwrap();
        first.join().unwrap_err();
        drop(held);
        second.join().unwrap().unwrap();
        assert!(lock.acquire().is_ok(), "nobody has abandoned it");
    }

    /// It was given the lock, and is killed before it knows.
    fn a_lock_that_was_handed_to_the_dead_is_handed_on() {
        let (lock, ready) = (Lock::new(), Channel::new());
        let r = ready.reader();
        let held = lock.acquire().unwrap();
        let first = Spawn!(wait_for(lock.clone(), ready.writer())).unwrap();
        r.read().unwrap().until_asleep();
        stop(first.pid().unwrap());
        let second = Spawn!(wait_for(lock.clone(), ready.writer())).unwrap();
        r.read().unwrap().until_asleep();
        drop(held);
        assert!(lock.try_acquire().is_err(), "it is the first one's");
        // Nobody is taken for one of a deadlock meanwhile: the first one may go on.
        Looks::from_now().wait_for_a_proof();
        first.kill().unwrap();
        first.join().unwrap_err();
        second.join().unwrap().unwrap();
        assert!(lock.acquire().is_ok(), "it had not begun anything, so nobody has abandoned it");
    }

    /// It was told that it is its turn, and is killed before it knows.
    fn a_turn_of_the_dead_is_the_next_ones() {
        let (lock, ready) = (Lock::new(), Channel::new());
        let (turn, r) = (Condition::new(&lock), ready.reader());
        let wait = || Spawn!(wait_for_turn(lock.clone(), turn.clone(), ready.writer())).unwrap();
        let asleep = || {
            let place: Place = r.read().unwrap();
            // Whoever waits for its turn has given the lock up.
            drop(lock.acquire().unwrap());
            place.until_asleep();
        };
        let first = wait();
        asleep();
        stop(first.pid().unwrap());
        let second = wait();
        asleep();
        turn.notify_one();
        first.kill().unwrap();
        first.join().unwrap_err();
        second.join().unwrap().unwrap();
    }

    fn whoever_waits_is_given_the_lock_of_the_dead() {
        let (lock, ready) = (Lock::new().named("l"), Channel::new());
        let child = Spawn!(hold(lock.clone(), ready.writer())).unwrap();
        ready.reader().read().unwrap();
        let same = lock.clone();
        let waiter = std::thread::spawn(move || matches!(same.acquire(), Err(LockError::Abandoned(_))));
        child.kill().unwrap();
        assert!(waiter.join().unwrap());
        child.join().unwrap_err();
    }

    fn a_killed_reader_abandons_nothing_and_a_killed_writer_does() {
        let lock = RwLock::new().named("l");
        for writes in [false, true] {
            let ready = Channel::new();
            let r = ready.reader();
            let child = Spawn!(hold_side(lock.clone(), writes, ready.writer())).unwrap();
            r.read().unwrap();
            assert!(lock.try_write().is_err());
            assert_eq!(lock.try_read().is_ok(), !writes);
            child.kill().unwrap();
            let read = lock.read();
            assert_eq!(matches!(read, Err(LockError::Abandoned(_))), writes);
            let _ = read.or_else(LockError::recover).unwrap();
            assert!(lock.write().is_ok());
            child.join().unwrap_err();
        }
    }

    fn permits_of_the_dead_come_back() {
        let (seats, ready) = (Semaphore::new(3), Channel::new());
        let child = Spawn!(sit(seats.clone(), ready.writer())).unwrap();
        ready.reader().read().unwrap();
        assert_eq!(seats.available(), 1);
        child.kill().unwrap();
        drop(seats.acquire_many(3).unwrap());
        child.join().unwrap_err();
        assert_eq!(seats.available(), 3);
    }

    /// Each of many is killed at a random moment of taking, having and giving back a lock.
    fn whoever_is_killed_a_thousand_times_leaves_the_lock_to_the_others() {
        let (lock, cell) = (Lock::new(), Cell::new(0));
        let (stop, stopped) = csproc::channel::<()>();
        let living = Spawn!(for _ in 0..2 => work(lock.clone(), cell.clone(), Some(stopped.clone()))).unwrap();
        drop(stopped);
        kill_a_thousand(|| work(lock.clone(), cell.clone(), None).on_crash(OnCrash::Retire), || ());
        drop(stop);
        let counts = living.join().unwrap();
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
        drop(lock.acquire().or_else(LockError::recover).unwrap());
        assert!(lock.acquire().is_ok());
    }

    /// The same with all that is held or waited for beside it.
    fn whoever_is_killed_a_thousand_times_leaves_every_kind_of_lock_to_the_others() {
        let lock = Lock::new();
        let kinds = (RwLock::new(), Semaphore::new(3), Event::new(), lock.clone(), Condition::new(&lock));
        let (stop, stopped) = csproc::channel::<()>();
        let living = Spawn!(for _ in 0..2 => use_all(kinds.clone(), Some(stopped.clone()))).unwrap();
        drop(stopped);
        kill_a_thousand(|| use_all(kinds.clone(), None).on_crash(OnCrash::Retire), || ());
        drop(stop);
        for rounds in living.join().values().unwrap() {
            assert!(rounds > 0);
        }
        let (both, seats, ..) = kinds;
        drop(both.write().or_else(LockError::recover).unwrap());
        assert!(both.read().is_ok() && seats.available() == 3 && seats.try_acquire().is_ok());
        drop(lock.acquire().or_else(LockError::recover).unwrap());
        assert!(lock.acquire().is_ok());
    }
}

type Kinds = (RwLock, Semaphore, Event, Lock, Condition);

/// Takes, has and gives back locks of each kind, until it is told to stop, or is killed. Gives how often.
#[process]
fn use_all((both, seats, event, lock, turn): Kinds, until: Option<Reader<()>>) -> csproc::Result<u64> {
    let moment = Duration::from_micros(20);
    let mut rounds = 0;
    while until.as_ref().is_none_or(|until| until.try_read().unwrap_err().is_would_block()) {
        drop(both.write().or_else(LockError::recover)?);
        let _reading = both.read().or_else(LockError::recover)?;
        drop(seats.acquire_many(2)?);
        event.set();
        event.wait_timeout(moment)?;
        event.clear();
        let held = lock.acquire().or_else(LockError::recover)?;
        turn.notify_all();
        match turn.wait_timeout(held, moment) {
            Ok((held, _)) => drop(held),
            Err(error) => drop(error.recover()?),
        }
        rounds += 1;
    }
    Ok(rounds)
}

#[process]
fn hold_side(lock: RwLock, writes: bool, ready: Writer<u32>) -> csproc::Result<()> {
    let _sides = if writes { (None, Some(lock.write()?)) } else { (Some(lock.read()?), None) };
    ready.write(std::process::id())?;
    loop {
        std::thread::park();
    }
}

#[process]
fn sit(seats: Semaphore, ready: Writer<()>) -> csproc::Result<()> {
    let _two = seats.acquire_many(2)?;
    ready.write(())?;
    loop {
        std::thread::park();
    }
}

/// Counts under the lock until it is told to stop, or is killed; what the dead have left half done is put in order.
#[process]
fn work(lock: Lock, cell: Cell, until: Option<Reader<()>>) -> u64 {
    let mut times = 0;
    while until.as_ref().is_none_or(|until| until.try_read().unwrap_err().is_would_block()) {
        let _held = lock.acquire().or_else(|error| {
            let held = error.recover()?;
            cell.repair();
            Ok::<_, ChannelError>(held)
        });
        cell.increment();
        times += 1;
    }
    times
}
