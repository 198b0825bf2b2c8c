//! Killed after any single instruction of taking, waiting for, or giving back a lock or permits, a process leaves them
//! to the others, who are told what they must be told.
//!
//! Knows nothing of the steps of the protocol, as `step` does not.

use crate::explore::{BOTH, Peer, explore, follow, spawn};
use crate::tracer::{Cut, Walk, stepped};
use csproc::prelude::*;
use csproc::shared::{LockError, LockGuard};

/// What the first operation of a process makes exists already.
fn warm_up() {
    drop(Lock::new().acquire().unwrap());
}

/// Whether the lock was abandoned; then by the victim, who was killed.
fn is_abandoned(taken: Result<LockGuard, LockError>, walk: &Walk) -> bool {
    match taken {
        Ok(_) => false,
        Err(LockError::Abandoned(left)) => {
            assert!(walk.killed && left.process() == "victim", "{left}");
            assert_eq!(left.cause(), &Cause::Killed { signal: 9 });
            drop(left.recover());
            true
        }
        Err(LockError::Failed(error)) => panic!("{error}"),
    }
}

#[process]
fn take(lock: Lock) {
    warm_up();
    stepped(|| drop(lock.acquire().unwrap()));
}

/// A victim that takes a lock and gives it back; if it is not free, then when the victim sleeps.
fn take_scene(is_free: bool, policy: OnCrash, cut: Cut) -> Walk {
    let lock = Lock::new();
    let mut held = (!is_free).then(|| lock.acquire().unwrap());
    let walk = follow(spawn(take(lock.clone()), policy), cut, &mut || drop(held.take()));
    drop(held);
    let abandoned = is_abandoned(lock.acquire(), &walk);
    assert!(!(abandoned && walk.finished), "it was given back in order");
    assert!(lock.try_acquire().is_ok(), "nobody has it, and nobody is to be told any more");
    walk
}

#[process]
fn give_back(lock: Lock, ready: Writer<()>) {
    warm_up();
    let held = lock.acquire().unwrap();
    ready.write(()).unwrap();
    stepped(|| drop(held));
}

/// A victim that gives a lock back for which another one waits.
fn give_scene(policy: OnCrash, cut: Cut) -> Walk {
    let (lock, ready) = (Lock::new(), Channel::new());
    let victim = spawn(give_back(lock.clone(), ready.writer()), policy);
    ready.reader().read().unwrap();
    let (same, (say, said)) = (lock.clone(), std::sync::mpsc::channel::<Walk>());
    let peer = Peer::waiting(move || {
        let taken = same.acquire();
        is_abandoned(taken, &said.recv().unwrap())
    });
    let walk = follow(victim, cut, &mut || ());
    say.send(walk.clone()).unwrap();
    let abandoned = peer.end();
    assert!(!(abandoned && walk.finished), "it was given back in order");
    assert!(lock.try_acquire().is_ok(), "nobody has it, and nobody is to be told any more");
    walk
}

#[process]
fn take_two(seats: Semaphore) {
    warm_up();
    stepped(|| drop(seats.acquire_many(2).unwrap()));
}

/// A victim that wants two of three permits, while one is free; behind it somebody who wants one.
fn many_scene(policy: OnCrash, cut: Cut) -> Walk {
    let seats = Semaphore::new(3);
    let mut held = Some(seats.acquire_many(2).unwrap());
    let mut behind = None;
    let wait = || {
        let seats = seats.clone();
        move || drop(seats.acquire().unwrap())
    };
    let walk = follow(spawn(take_two(seats.clone()), policy), cut, &mut || {
        behind.get_or_insert_with(|| Peer::start(wait()));
        drop(held.take());
    });
    // With what is held still, only the place of the victim could keep it waiting.
    behind.unwrap_or_else(|| Peer::start(wait())).end();
    drop(held);
    drop(seats.acquire_many(3).unwrap());
    assert_eq!(seats.available(), 3);
    walk
}

#[process]
fn choose(lock: Lock, input: Reader<u64>) {
    warm_up();
    stepped(|| {
        AltSelect! {
            held = lock => drop(held.unwrap()),
            _v = input.read() => (),
        }
        .unwrap();
    });
}

/// A victim that waits for a lock or a message, and gets the one or the other.
fn choice_scene(is_lock: bool, policy: OnCrash, cut: Cut) -> Walk {
    let (lock, c) = (Lock::new(), Channel::new());
    let w = c.writer();
    let mut held = Some(lock.acquire().unwrap());
    let walk = follow(spawn(choose(lock.clone(), c.reader()), policy), cut, &mut || match is_lock {
        true => drop(held.take()),
        false => drop(w.try_write(1)),
    });
    drop(held);
    let abandoned = is_abandoned(lock.acquire(), &walk);
    assert!(!abandoned || is_lock && !walk.finished, "it was not taken");
    assert!(lock.try_acquire().is_ok(), "nobody has it, and nobody is to be told any more");
    walk
}

#[process]
fn wait_for_turn(lock: Lock, turn: Condition) {
    warm_up();
    let held = lock.acquire().unwrap();
    stepped(|| drop(turn.wait(held).unwrap()));
}

/// A victim that waits for its turn; behind it somebody who does, too.
fn turn_scene(policy: OnCrash, cut: Cut) -> Walk {
    let lock = Lock::new();
    let turn = Condition::new(&lock);
    let mut behind = None;
    let walk = follow(spawn(wait_for_turn(lock.clone(), turn.clone()), policy), cut, &mut || {
        behind.get_or_insert_with(|| {
            let (lock, turn) = (lock.clone(), turn.clone());
            Peer::waiting(move || match turn.wait(lock.acquire().unwrap()) {
                Ok(held) => drop(held),
                Err(error) => drop(error.recover().unwrap()),
            })
        });
        turn.notify_one();
    });
    turn.notify_all();
    if let Some(behind) = behind {
        behind.end();
    }
    is_abandoned(lock.acquire(), &walk);
    assert!(lock.try_acquire().is_ok(), "nobody has it, and nobody is to be told any more");
    walk
}

alone! {
    fn a_lock_that_is_free() {
        explore("a lock that is free", &BOTH, &|policy, cut| take_scene(true, policy, cut));
    }

    fn a_lock_that_another_has() {
        explore("a lock that another has", &BOTH, &|policy, cut| take_scene(false, policy, cut));
    }

    fn a_lock_that_another_waits_for() {
        explore("a lock that another waits for", &BOTH, &give_scene);
    }

    fn many_permits_before_somebody_who_wants_one() {
        explore("many permits", &BOTH, &many_scene);
    }

    fn a_lock_in_an_alternation() {
        explore("a lock or a message, and it is the lock", &BOTH, &|policy, cut| choice_scene(true, policy, cut));
        explore("a lock or a message, and it is the message", &BOTH, &|policy, cut| choice_scene(false, policy, cut));
    }

    fn a_turn_before_another_who_waits() {
        explore("a turn", &BOTH, &turn_scene);
    }
}
