//! Killed after any single instruction of getting a task, of saying that it is done, or of joining, a process leaves a
//! queue whose tasks are all told of: done, in the queue again, or lost with it, and never two of these.
//!
//! Knows nothing of the steps of the protocol, as [`step`](crate::step) does not.

use crate::explore::{BOTH, Peer, explore, follow, is_lost, spawn, warm_up};
use crate::tracer::{Cut, Walk, stepped};
use csproc::prelude::*;
use std::time::Duration;

#[process]
fn get_one(queue: Queue<u64>) {
    warm_up();
    stepped(|| queue.get()).unwrap();
}

#[process]
fn do_one(queue: Queue<u64>) {
    warm_up();
    queue.get().unwrap();
    stepped(|| queue.task_done()).unwrap();
}

#[process]
fn choose_one(queue: Queue<u64>, other: Queue<u64>) {
    warm_up();
    stepped(|| {
        AltSelect! {
            item = other => item,
            item = queue => item,
        }
    })
    .unwrap();
}

#[process]
fn join(queue: Queue<u64>) {
    warm_up();
    assert!(stepped(|| queue.join()).is_ok());
}

type Told = Result<(), ChannelError>;

fn joining(queue: &Queue<u64>) -> Peer<Told> {
    let queue = queue.clone();
    Peer::waiting(move || queue.join())
}

/// The victim took a task along.
fn assert_left(told: &Told, walk: &Walk, policy: OnCrash) {
    let victim = String::from("victim");
    match told {
        Err(error) if walk.killed && policy == OnCrash::Poison => assert!(is_lost(error), "{error:?}"),
        told => assert_eq!(*told, Err(ChannelError::Abandoned { process: victim })),
    }
}

/// Does the rest, and says what it was.
fn do_all(queue: &Queue<u64>) -> Vec<u64> {
    let done = std::iter::from_fn(|| queue.try_get().ok().inspect(|_| queue.task_done().unwrap()));
    done.collect()
}

/// What the victim has not taken is done, and then everybody knows what became of the rest, once.
fn assert_told(queue: &Queue<u64>, joining: Peer<Told>, all: &[u64], done: &[u64], walk: &Walk, policy: OnCrash) {
    let told = joining.end();
    if done == all {
        assert!(!walk.finished, "it has got one");
        assert_eq!(told, Ok(()), "nothing is lost");
    } else {
        assert_eq!(done, &all[1..]);
        assert_left(&told, walk, policy);
    }
    assert_eq!(queue.join_timeout(Duration::ZERO), Ok(()), "it was told, and the count begins anew");
}

/// One who gets a task, while another one waits for room, and one for all to be done.
fn get_scene(policy: OnCrash, cut: Cut) -> Walk {
    let queue = Queue::bounded(1);
    let other = queue.clone();
    let producer = Peer::waiting(move || [1, 2].map(|item| other.put(item).map_err(ChannelError::from)));
    let joining = joining(&queue);
    let walk = follow(spawn(get_one(queue.clone()), policy), cut, &mut || unreachable!());
    let first = queue.get().unwrap();
    assert_eq!(producer.end(), [Ok(()), Ok(())]);
    queue.task_done().unwrap();
    let done = [vec![first], do_all(&queue)].concat();
    assert_told(&queue, joining, &[1, 2], &done, &walk, policy);
    walk
}

/// One who waits for a task, and is handed it, or takes it from one who waits.
fn waiting_scene(capacity: usize, policy: OnCrash, cut: Cut) -> Walk {
    let queue = Queue::bounded(capacity);
    let other = queue.clone();
    let mut producer = None;
    let walk = follow(spawn(get_one(queue.clone()), policy), cut, &mut || {
        let other = other.clone();
        producer.get_or_insert_with(|| Peer::start(move || other.put(7).map_err(ChannelError::from)));
    });
    let producer = producer.unwrap_or_else(|| Peer::start(move || other.put(7).map_err(ChannelError::from)));
    let mut done = Vec::new();
    while !producer.is_finished() {
        done.extend(queue.get_timeout(Duration::from_millis(1)).inspect(|_| queue.task_done().unwrap()));
    }
    assert_eq!(producer.end(), Ok(()));
    done.extend(do_all(&queue));
    let told = queue.join();
    if done.is_empty() {
        assert_left(&told, &walk, policy);
    } else {
        assert!(!walk.finished && done == [7] && told.is_ok(), "{done:?}, {told:?}");
    }
    assert_eq!(queue.join(), Ok(()));
    walk
}

/// One who gets a task from one of two queues.
fn choosing_scene(capacity: usize, policy: OnCrash, cut: Cut) -> Walk {
    let (queue, other) = (Queue::bounded(capacity), Queue::bounded(0));
    let theirs = queue.clone();
    let producer = Peer::start(move || theirs.put(7).map_err(ChannelError::from));
    let walk = follow(spawn(choose_one(queue.clone(), other.clone()), policy), cut, &mut || ());
    let mut done = Vec::new();
    while !producer.is_finished() {
        done.extend(queue.get_timeout(Duration::from_millis(1)).inspect(|_| queue.task_done().unwrap()));
    }
    assert_eq!(producer.end(), Ok(()));
    done.extend(do_all(&queue));
    let told = queue.join();
    if done.is_empty() {
        assert_left(&told, &walk, policy);
    } else {
        assert!(!walk.finished && done == [7] && told.is_ok(), "{done:?}, {told:?}");
    }
    assert_eq!(other.join(), Ok(()));
    walk
}

/// One who says that a task is done, while another one waits for that.
fn done_scene(policy: OnCrash, cut: Cut) -> Walk {
    let queue = Queue::bounded(1);
    queue.put(1).unwrap();
    let joining = joining(&queue);
    let walk = follow(spawn(do_one(queue.clone()), policy), cut, &mut || unreachable!());
    let told = joining.end();
    match told {
        Ok(()) => (),
        told => {
            assert!(!walk.finished, "it has said so");
            assert_left(&told, &walk, policy);
        }
    }
    assert_eq!(queue.join(), Ok(()));
    walk
}

/// One who joins, while another one does, and the task is being done.
fn join_scene(policy: OnCrash, cut: Cut) -> Walk {
    let queue = Queue::bounded(1);
    queue.put(1).unwrap();
    queue.get().unwrap();
    let joining = joining(&queue);
    let mut done = false;
    let mut finish = || {
        if !std::mem::replace(&mut done, true) {
            queue.task_done().unwrap();
        }
    };
    let walk = follow(spawn(join(queue.clone()), policy), cut, &mut finish);
    finish();
    assert_eq!(joining.end(), Ok(()));
    assert_eq!(queue.join(), Ok(()));
    walk
}

alone! {
    fn one_who_gets_a_task() {
        explore("one who gets a task", &BOTH, &get_scene);
        explore("one who waits for a task", &BOTH, &|policy, cut| waiting_scene(1, policy, cut));
        explore("one who waits for somebody who puts a task", &BOTH, &|policy, cut| waiting_scene(0, policy, cut));
    }

    fn one_who_gets_a_task_from_one_of_two() {
        explore("one who chooses a task that is there", &BOTH, &|policy, cut| choosing_scene(1, policy, cut));
        explore("one who chooses a task from one who waits", &BOTH, &|policy, cut| choosing_scene(0, policy, cut));
    }

    fn one_who_is_done() {
        explore("one who is done", &BOTH, &done_scene);
    }

    fn one_who_joins() {
        explore("one who joins", &BOTH, &join_scene);
    }
}
