//! The futex: compares and goes to sleep in one step, wakes first come first.
//!
//! Knows nothing of what the word means.

use super::atomic::{AtomicU32, AtomicU64};
use super::clock::Deadline;
use crate::checker;

/// Why a futex wait came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    Look,
    TimedOut,
}

pub(crate) fn wait(word: &AtomicU32, expected: u32, deadline: Option<&Deadline>) -> Woken {
    checker::step();
    sleep(std::ptr::from_ref(word).addr(), word.glance() == expected, deadline)
}

pub(crate) fn wake(word: &AtomicU32, count: u32) {
    checker::step();
    checker::wake(std::ptr::from_ref(word).addr(), count);
}

pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, u32::MAX);
}

pub(crate) fn wait_low(word: &AtomicU64, expected: u64, deadline: Option<&Deadline>) -> Woken {
    checker::step();
    sleep(std::ptr::from_ref(word).addr(), word.glance() as u32 == expected as u32, deadline)
}

pub(crate) fn wake_low(word: &AtomicU64) {
    checker::step();
    checker::wake(std::ptr::from_ref(word).addr(), 1);
}

fn sleep(address: usize, unchanged: bool, deadline: Option<&Deadline>) -> Woken {
    if !unchanged {
        return Woken::Look;
    }
    let Some(deadline) = deadline else {
        checker::sleep(address);
        return Woken::Look;
    };
    if checker::doze(address) {
        return Woken::Look;
    }
    deadline.comes();
    Woken::TimedOut
}
