//! Killed after any single instruction of a change, a process has changed all of it or nothing, whoever reads finds
//! that, and the next one has the lock.
//!
//! Knows nothing of how a change is committed.

use crate::explore::{BOTH, explore, follow, spawn};
use crate::tracer::{Cut, Walk, stepped};
use csproc::prelude::*;
use csproc::shared::{Atomic, LockError};

/// What the first operation of a process makes exists already.
fn warm_up() {
    Value::new(1).set(2).unwrap();
}

/// The lock is the next one's, who is told whose it was, if the victim was killed with it.
fn has_its_lock_back(lock: &Lock, walk: &Walk) {
    match lock.acquire() {
        Ok(_) => (),
        Err(LockError::Abandoned(left)) => {
            assert!(walk.killed && left.process() == "victim", "{left}");
            drop(left.recover());
        }
        Err(LockError::Failed(error)) => panic!("{error}"),
    }
    assert!(lock.try_acquire().is_ok(), "nobody has it, and nobody is to be told any more");
}

#[process]
fn change_word(value: Value<u64>) {
    warm_up();
    stepped(|| value.with_lock(|value| *value += 1)).unwrap();
}

fn word_scene(policy: OnCrash, cut: Cut) -> Walk {
    let value = Value::new(1);
    let walk = follow(spawn(change_word(value.clone()), policy), cut, &mut || ());
    let seen = value.get();
    assert!(seen == 2 || seen == 1 && !walk.finished, "{seen}");
    assert_eq!(value.replace(3), Ok(seen));
    has_its_lock_back(value.lock(), &walk);
    walk
}

const ONES: [u64; 3] = [1; 3];
const TWOS: [u64; 3] = [2; 3];

#[process]
fn change_several(value: Value<[u64; 3]>) {
    warm_up();
    stepped(|| value.with_lock(|value| *value = TWOS)).unwrap();
}

fn several_scene(policy: OnCrash, cut: Cut) -> Walk {
    let value = Value::new(ONES);
    let walk = follow(spawn(change_several(value.clone()), policy), cut, &mut || ());
    let seen = value.get();
    assert!(seen == TWOS || seen == ONES && !walk.finished, "{seen:?}");
    assert_eq!(value.replace([3; 3]), Ok(seen));
    assert_eq!(value.get(), [3; 3]);
    has_its_lock_back(value.lock(), &walk);
    walk
}

#[process]
fn change_element(array: Array<[u64; 3]>) {
    warm_up();
    stepped(|| array.set(1, TWOS)).unwrap();
}

/// A part of an array is copied twice: what the victim has left between the two is there for all who read.
fn element_scene(policy: OnCrash, cut: Cut) -> Walk {
    let array = Array::from([ONES; 4]);
    let walk = follow(spawn(change_element(array.clone()), policy), cut, &mut || ());
    let seen = array.get(1);
    assert!(seen == TWOS || seen == ONES && !walk.finished, "{seen:?}");
    assert_eq!(format!("{array:?}"), format!("{:?}", [ONES, seen, ONES, ONES]));
    array.slice(2..).fill([3; 3]).unwrap();
    assert_eq!(array.to_vec(), [ONES, seen, [3; 3], [3; 3]]);
    array.set(1, [4; 3]).unwrap();
    array.with_lock(|all| all[0] = [5; 3]).unwrap();
    assert_eq!(array.to_vec(), [[5; 3], [4; 3], [3; 3], [3; 3]]);
    has_its_lock_back(array.lock(), &walk);
    walk
}

#[process]
fn change_small(array: Array<u16>) {
    warm_up();
    stepped(|| array.slice(2..4).copy_from(&[7, 8])).unwrap();
}

fn small_scene(policy: OnCrash, cut: Cut) -> Walk {
    let array = Array::from([1_u16; 9]);
    let walk = follow(spawn(change_small(array.clone()), policy), cut, &mut || ());
    let seen = array.slice(2..4).to_vec();
    assert!(seen == [7, 8] || seen == [1, 1] && !walk.finished, "{seen:?}");
    array.set(8, 9).unwrap();
    assert_eq!(array.to_vec(), [&[1, 1], &seen[..], &[1, 1, 1, 1, 9]].concat());
    has_its_lock_back(array.lock(), &walk);
    walk
}

#[process]
fn make(out: Writer<u64>) {
    warm_up();
    stepped(|| {
        let (array, number) = (Array::from([1_u64; 40]), Atomic::new(1_u8).unwrap());
        drop((array.clone(), number));
    });
    out.try_write(1).unwrap_err();
}

/// What the victim has made goes with it.
fn make_scene(policy: OnCrash, cut: Cut) -> Walk {
    let c = Channel::new();
    follow(spawn(make(c.writer()), policy), cut, &mut || ())
}

alone! {
    fn a_value_of_one_word() {
        explore("a value of one word", &BOTH, &word_scene);
    }

    fn a_value_of_several_words() {
        explore("a value of several words", &BOTH, &several_scene);
    }

    fn an_element_of_several_words() {
        explore("an element of several words", &BOTH, &element_scene);
    }

    fn elements_within_one_word() {
        explore("elements within one word", &BOTH, &small_scene);
    }

    fn an_array_that_is_made() {
        explore("an array that is made", &BOTH, &make_scene);
    }
}
