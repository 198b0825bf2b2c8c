//! A lock with readers and writers: readers together, writers alone, in the order in which they come.
//!
//! Knows nothing of death; that is in `death.rs`.

use crate::cell::Cell;
use crate::harness::place::Place;
use csproc::prelude::*;
use csproc::shared::LockError;
use std::time::Duration;

/// Whoever reads is inside of what the second semaphore counts, and nobody is while somebody writes.
#[process]
fn write(lock: RwLock, cell: Cell, inside: Semaphore, times: u64) -> csproc::Result<()> {
    for _ in 0..times {
        let _held = lock.write()?;
        assert_eq!(inside.available(), 100, "somebody reads");
        cell.increment();
        assert_eq!(inside.available(), 100, "somebody reads");
    }
    Ok(())
}

/// Readers share the cell: whoever takes the value puts it back before another reader may look, so they only look at it
/// from outside.
#[process]
fn read(lock: RwLock, inside: Semaphore, times: u64) -> csproc::Result<usize> {
    let mut most = 0;
    for _ in 0..times {
        let _held = lock.read()?;
        let _one = inside.acquire()?;
        most = most.max(100 - inside.available());
        std::thread::yield_now();
    }
    Ok(most)
}

#[process]
fn come(lock: RwLock, writes: bool, ready: Writer<Place>, log: Writer<u32>, number: u32) -> csproc::Result<()> {
    Place::announce(&ready);
    let _sides = if writes { (None, Some(lock.write()?)) } else { (Some(lock.read()?), None) };
    log.write(number)?;
    Ok(())
}

over_both! {
    fn writers_are_alone(placement) {
        let (lock, cell, inside) = (RwLock::new(), Cell::new(0), Semaphore::new(100));
        let ((), readers) = Parallel!(
            for _ in 0..2 => write(lock.clone(), cell.clone(), inside.clone(), 200).on(placement),
            for _ in 0..2 => read(lock.clone(), inside.clone(), 200).on(placement),
        )
        .values()
        .map(|(_, readers)| ((), readers))
        .unwrap();
        assert_eq!(cell.take(), 400);
        assert!(readers.iter().all(|most| (1..=2).contains(most)), "{readers:?}");
    }

    fn a_writer_that_waits_holds_later_readers_back(placement) {
        let (lock, ready, log) = (RwLock::new(), Channel::new(), Channel::buffered(Buffer::Unbounded));
        let (r, order) = (ready.reader(), log.reader());
        let held = lock.read().unwrap();
        let mut waiting = Vec::new();
        for (number, writes) in [(0, true), (1, false), (2, true)] {
            let child = come(lock.clone(), writes, ready.writer(), log.writer(), number);
            waiting.push(Spawn!(child.on(placement)).unwrap());
            r.read().unwrap().until_asleep();
        }
        assert!(matches!(lock.try_read(), Err(LockError::Failed(ChannelError::WouldBlock))));
        drop((held, log));
        waiting.into_iter().for_each(|child| child.join().unwrap().unwrap());
        assert_eq!(order.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
    }
}

once! {
    fn readers_go_on_when_a_writer_before_them_gives_up() {
        let (lock, ready) = (RwLock::new(), Channel::new());
        let r = ready.reader();
        let _held = lock.read().unwrap();
        let (same, announced) = (lock.clone(), ready.writer());
        let writer = std::thread::spawn(move || {
            Place::announce(&announced);
            same.write_timeout(Duration::from_millis(200)).is_err()
        });
        r.read().unwrap().until_asleep();
        // Behind the writer, and let in by its giving up.
        let read = lock.read().unwrap();
        assert!(writer.join().unwrap());
        drop(read);
    }

    fn either_side_is_a_guard() {
        let lock = RwLock::new();
        let reading = AltSelect! { held = lock.reading() => held.unwrap() }.unwrap();
        let other = lock.read().unwrap();
        assert!(!PriSelect! { _held = lock.writing() => true, skip => false }.unwrap());
        drop((reading, other));
        let writing = AltSelect! { held = lock.writing() => held.unwrap() }.unwrap();
        assert!(lock.try_read().is_err());
        drop(writing);
    }
}
