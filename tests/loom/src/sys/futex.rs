//! The futex: compares and goes to sleep in one step, wakes first come first.
//!
//! Knows nothing of what the word means. It is one mutex of loom, so a wake-up also orders memory, as it does in the kernel; orderings that
//! only a sleeper needs are therefore seen by those who look without sleeping. Whoever has a deadline does not sleep: it has passed.

use super::atomic::{AtomicU32, AtomicU64};
use super::clock::Deadline;
use loom::sync::{Condvar, Mutex};

/// Why a futex wait came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    Look,
    TimedOut,
}

#[derive(Default)]
struct Sleepers {
    next: u32,
    /// On which word, and who.
    queue: Vec<(usize, u32)>,
}

loom::lazy_static! {
    static ref SLEEPERS: Mutex<Sleepers> = Mutex::new(Sleepers::default());
    static ref BELL: Condvar = Condvar::new();
}

pub(crate) fn wait(word: &AtomicU32, expected: u32, deadline: Option<&Deadline>) -> Woken {
    sleep(std::ptr::from_ref(word).addr(), || word.glance() == expected, deadline)
}

pub(crate) fn wake(word: &AtomicU32, count: u32) {
    ring(std::ptr::from_ref(word).addr(), count);
}

pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, u32::MAX);
}

pub(crate) fn wait_low(word: &AtomicU64, expected: u64, deadline: Option<&Deadline>) -> Woken {
    sleep(std::ptr::from_ref(word).addr(), || word.glance() as u32 == expected as u32, deadline)
}

pub(crate) fn wake_low(word: &AtomicU64) {
    ring(std::ptr::from_ref(word).addr(), 1);
}

fn sleep(address: usize, is_unchanged: impl Fn() -> bool, deadline: Option<&Deadline>) -> Woken {
    if deadline.is_some() {
        let unchanged = is_unchanged();
        loom::thread::yield_now();
        return if unchanged { Woken::TimedOut } else { Woken::Look };
    }
    let mut sleepers = SLEEPERS.lock().expect("nobody panics with it");
    if !is_unchanged() {
        return Woken::Look;
    }
    let me = (address, sleepers.next);
    sleepers.next += 1;
    sleepers.queue.push(me);
    while sleepers.queue.contains(&me) {
        sleepers = BELL.wait(sleepers).expect("nobody panics with it");
    }
    Woken::Look
}

fn ring(address: usize, count: u32) {
    let mut sleepers = SLEEPERS.lock().expect("nobody panics with it");
    let mut left = count;
    let before = sleepers.queue.len();
    sleepers.queue.retain(|(word, _)| {
        let goes = *word == address && left > 0;
        left -= u32::from(goes);
        !goes
    });
    if sleepers.queue.len() < before {
        BELL.notify_all();
    }
}
