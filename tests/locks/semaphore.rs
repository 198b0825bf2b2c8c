//! A semaphore: never more inside than there are permits, many at once are not overtaken, and posts are counted.
//!
//! Knows nothing of death; that is in `death.rs`.

use crate::harness::place::Place;
use csproc::prelude::*;
use csproc::shared::NotCounting;

#[process]
fn visit(seats: Semaphore, inside: Semaphore, most: usize, times: u64) -> csproc::Result<()> {
    for _ in 0..times {
        let _seat = seats.acquire()?;
        let _here = inside.acquire()?;
        assert!(100 - inside.available() <= most);
        std::thread::yield_now();
    }
    Ok(())
}

#[process]
fn produce(items: Semaphore, times: usize) {
    (0..times).for_each(|_| items.post(1).unwrap());
}

#[process]
fn consume(items: Semaphore, times: usize) -> csproc::Result<()> {
    for _ in 0..times {
        items.acquire()?.forget()?;
    }
    Ok(())
}

#[process]
fn want(seats: Semaphore, many: usize, ready: Writer<Place>, log: Writer<usize>) -> csproc::Result<()> {
    Place::announce(&ready);
    let _seats = seats.acquire_many(many)?;
    log.write(many)?;
    Ok(())
}

over_both! {
    fn never_more_are_inside_than_there_are_permits(placement) {
        let (seats, inside) = (Semaphore::new(2), Semaphore::new(100));
        Parallel!(for _ in 0..5 => visit(seats.clone(), inside.clone(), 2, 100).on(placement)).values().unwrap();
        assert_eq!((seats.available(), inside.available()), (2, 100));
    }

    fn what_is_posted_is_taken_once(placement) {
        let items = Semaphore::counting(0);
        Parallel!(
            for _ in 0..2 => produce(items.clone(), 300).on(placement),
            for _ in 0..3 => consume(items.clone(), 200).on(placement),
        )
        .values()
        .unwrap();
        assert_eq!(items.available(), 0);
    }

    fn who_wants_many_is_not_overtaken(placement) {
        let (seats, ready, log) = (Semaphore::new(3), Channel::new(), Channel::buffered(Buffer::Unbounded));
        let (r, order) = (ready.reader(), log.reader());
        let (one, two) = (seats.acquire().unwrap(), seats.acquire_many(2).unwrap());
        let mut waiting = Vec::new();
        for many in [3, 1] {
            let child = want(seats.clone(), many, ready.writer(), log.writer());
            waiting.push(Spawn!(child.on(placement)).unwrap());
            r.read().unwrap().until_asleep();
        }
        drop(two);
        assert!(seats.try_acquire().unwrap_err().is_would_block());
        drop((one, log));
        waiting.into_iter().for_each(|child| child.join().unwrap().unwrap());
        assert_eq!(order.into_iter().collect::<Vec<_>>(), [3, 1]);
    }
}

once! {
    fn a_permit_that_can_never_be_had_is_refused() {
        let error = Semaphore::new(3).acquire_many(5).unwrap_err();
        assert!(error.is_invalid() && error.to_string().contains("5 permits of a semaphore that has 3"), "{error}");
        assert!(Semaphore::counting(0).acquire_many(usize::MAX).unwrap_err().is_invalid());
    }

    fn only_a_counting_semaphore_counts() {
        let fixed = Semaphore::new(1);
        assert_eq!(fixed.post(1), Err(NotCounting));
        assert_eq!(fixed.acquire().unwrap().forget(), Err(NotCounting));
        assert_eq!(fixed.available(), 1);
        let counting = Semaphore::counting(2);
        counting.acquire_many(2).unwrap().forget().unwrap();
        assert_eq!(counting.available(), 0);
        counting.post(usize::MAX).unwrap();
        counting.post(usize::MAX).unwrap();
        assert_eq!(counting.available(), 1 << 30);
        drop(counting.acquire_many(1 << 30).unwrap());
    }

    fn a_permit_is_a_guard_and_moves_between_threads() {
        let seats = Semaphore::new(1);
        let permit = AltSelect! { permit = seats => permit }.unwrap();
        assert_eq!(seats.available(), 0);
        std::thread::spawn(move || drop(permit)).join().unwrap();
        assert_eq!(seats.available(), 1);
    }
}
