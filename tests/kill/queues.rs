//! Killed after any single instruction of putting, getting, closing or polling, a process leaves a queue that works,
//! with the item in it or without, and a pipe that has ended.
//!
//! Knows nothing of the steps of the protocol, as [`step`](crate::step) does not.

use crate::explore::{BOTH, Peer, explore, follow, is_lost, spawn, warm_up};
use crate::tracer::{Cut, Walk, stepped};
use csproc::prelude::*;
use std::time::Duration;

#[process]
fn put_one(queue: Queue<u64>) {
    warm_up();
    stepped(|| queue.put(9)).unwrap();
}

#[process]
fn get_one(queue: Queue<u64>) {
    warm_up();
    stepped(|| queue.get()).unwrap();
}

#[process]
fn close(queue: Queue<u64>) {
    warm_up();
    stepped(|| queue.close());
}

#[process]
fn poll(conn: PipeEnd<u64, u64>) {
    warm_up();
    assert!(stepped(|| conn.poll(Duration::MAX)));
    assert_eq!(conn.try_recv(), Ok(7));
}

fn rest(queue: &Queue<u64>) -> Vec<u64> {
    std::iter::from_fn(|| queue.try_get().ok()).collect()
}

/// Whatever has become of the victim, nobody hears of it.
fn assert_works(queue: &Queue<u64>) {
    queue.put(100).unwrap();
    assert_eq!(queue.get(), Ok(100));
    queue.close();
    assert_eq!(queue.get(), Err(ChannelError::Retired));
}

/// One who puts, into an empty queue or a full one.
fn put_scene(held: &[u64], policy: OnCrash, cut: Cut) -> Walk {
    let queue = Queue::bounded(1);
    held.iter().for_each(|item| queue.put(*item).unwrap());
    let mut taken = Vec::new();
    let walk = follow(spawn(put_one(queue.clone()), policy), cut, &mut || taken.push(queue.get().unwrap()));
    taken.extend(rest(&queue));
    let after = [held, &[9]].concat();
    assert!(taken == after || !walk.finished && taken == held, "{taken:?}");
    assert_works(&queue);
    walk
}

/// One who gets, while another one waits for room.
fn get_scene(policy: OnCrash, cut: Cut) -> Walk {
    let queue = Queue::bounded(1);
    let other = queue.clone();
    let producer = Peer::waiting(move || [1, 2].map(|item| other.put(item).map_err(ChannelError::from)));
    let walk = follow(spawn(get_one(queue.clone()), policy), cut, &mut || unreachable!());
    let mut taken = vec![queue.get().unwrap()];
    assert_eq!(producer.end(), [Ok(()), Ok(())]);
    taken.extend(rest(&queue));
    assert!(taken == [2] || !walk.finished && taken == [1, 2], "{taken:?}");
    assert_works(&queue);
    walk
}

/// One who waits for an item, and gets it.
fn waiting_scene(capacity: usize, policy: OnCrash, cut: Cut) -> Walk {
    let queue = Queue::bounded(capacity);
    let other = queue.clone();
    let mut producer = None;
    let walk = follow(spawn(get_one(queue.clone()), policy), cut, &mut || {
        let other = other.clone();
        producer.get_or_insert_with(|| Peer::start(move || other.put(7).map_err(ChannelError::from)));
    });
    let producer = producer.unwrap_or_else(|| Peer::start(move || other.put(7).map_err(ChannelError::from)));
    // It was killed before it got the item, or with it.
    let mut left = Vec::new();
    while !producer.is_finished() {
        left.extend(queue.get_timeout(Duration::from_millis(1)));
    }
    assert_eq!(producer.end(), Ok(()));
    left.extend(rest(&queue));
    assert!(left.is_empty() || !walk.finished && left == [7], "{left:?}");
    queue.close();
    assert_eq!(queue.get(), Err(ChannelError::Retired));
    walk
}

/// One who closes a full queue, while another one waits for room.
fn close_scene(policy: OnCrash, cut: Cut) -> Walk {
    let queue = Queue::bounded(1);
    let other = queue.clone();
    queue.put(1).unwrap();
    let producer = Peer::waiting(move || other.put(2).map_err(ChannelError::from));
    let walk = follow(spawn(close(queue.clone()), policy), cut, &mut || ());
    let seen = queue.try_put(3).unwrap_err().fate;
    assert!(seen.is_retired() || !walk.finished && seen.is_would_block(), "{seen:?}");
    if seen.is_would_block() {
        queue.close();
    }
    // If it was closed, he was told, by whomever.
    assert_eq!(producer.end(), Err(ChannelError::Retired));
    assert_eq!((queue.get(), queue.get()), (Ok(1), Err(ChannelError::Retired)));
    walk
}

/// One who polls a pipe, and puts back what comes.
fn poll_scene(policy: OnCrash, cut: Cut) -> Walk {
    let (mine, theirs) = pipe();
    let mut sent = false;
    let walk = follow(spawn(poll(theirs), policy), cut, &mut || {
        if !sent {
            mine.send(7).unwrap();
            sent = true;
        }
    });
    let told = mine.recv().unwrap_err();
    let lost = walk.killed && policy == OnCrash::Poison;
    assert!(if lost { is_lost(&told) } else { told.is_retired() }, "{told:?}");
    walk
}

alone! {
    fn one_who_puts() {
        explore("one who puts", &BOTH, &|policy, cut| put_scene(&[], policy, cut));
        explore("one who puts into a full queue", &BOTH, &|policy, cut| put_scene(&[4], policy, cut));
    }

    fn one_who_gets_while_another_waits_for_room() {
        explore("one who gets", &BOTH, &get_scene);
    }

    fn one_who_waits_for_an_item() {
        explore("one who waits for an item", &BOTH, &|policy, cut| waiting_scene(1, policy, cut));
        explore("one who waits for somebody who puts", &BOTH, &|policy, cut| waiting_scene(0, policy, cut));
    }

    fn one_who_closes() {
        explore("one who closes", &BOTH, &close_scene);
    }

    fn one_who_polls() {
        explore("one who polls", &BOTH, &poll_scene);
    }
}
