//! The futex: compares and goes to sleep in one step, wakes first come first.
//!
//! Knows nothing of what the word means. The comparison sees the newest value, as that of the kernel does, which
//! compares under the lock that a waker takes afterwards: a sleeper that saw an older one would be woken at once. It
//! orders nothing else; but a wake-up orders memory, as it does in the kernel, so orderings that only a sleeper needs
//! are seen by those who look without sleeping. Both are operations on the word, so that the checker tries them in
//! either order. Whoever has a deadline does not sleep: it has passed. Who comes back to what has not changed meanwhile
//! gives way to the others.

use super::clock::Deadline;
use crate::{checker, machine};
use loom::thread::ThreadId;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Why a futex wait came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    Look,
    TimedOut,
}

/// What one can sleep on.
pub(crate) trait Word {
    fn address(&self) -> usize;

    /// Whether nobody else runs, so that nobody sleeps.
    fn is_quiet(&self) -> bool;

    /// The newest value, of which the lower half counts.
    fn glance(&self) -> u64;
}

struct Sleeper {
    address: usize,
    thread: loom::thread::Thread,
    woken: Rc<Cell<bool>>,
}

thread_local! {
    static SLEEPERS: RefCell<Vec<Sleeper>> = const { RefCell::new(Vec::new()) };
    /// On what each thread slept last that had a deadline.
    static DOZED: RefCell<HashMap<ThreadId, (usize, u32)>> = RefCell::default();
}

/// Begins an execution.
pub(crate) fn begin() {
    SLEEPERS.take();
    DOZED.take();
}

pub(crate) fn wait(word: &impl Word, expected: u32, deadline: Option<&Deadline>) -> Woken {
    checker::step();
    let unchanged = word.glance() as u32 == expected;
    if !unchanged {
        return Woken::Look;
    }
    if let Some(deadline) = deadline {
        let here = (word.address(), expected);
        if DOZED.with_borrow_mut(|dozed| dozed.insert(loom::thread::current().id(), here)) == Some(here) {
            machine::suspended(loom::thread::yield_now);
        }
        deadline.passes();
        return Woken::TimedOut;
    }
    checker::die_asleep();
    let woken = Rc::new(Cell::new(false));
    let sleeper = Sleeper { address: word.address(), thread: loom::thread::current(), woken: Rc::clone(&woken) };
    SLEEPERS.with_borrow_mut(|sleepers| sleepers.push(sleeper));
    while !woken.get() {
        machine::suspended(loom::thread::park);
    }
    Woken::Look
}

pub(crate) fn wait_low(word: &impl Word, expected: u64, deadline: Option<&Deadline>) -> Woken {
    wait(word, expected as u32, deadline)
}

pub(crate) fn wake(word: &impl Word, count: u32) {
    if word.is_quiet() {
        return;
    }
    checker::step();
    word.glance();
    let mut left = count;
    let woken: Vec<Sleeper> = SLEEPERS.with_borrow_mut(|sleepers| {
        let goes = |sleeper: &mut Sleeper| {
            let goes = sleeper.address == word.address() && left > 0;
            left -= u32::from(goes);
            goes
        };
        sleepers.extract_if(.., goes).collect()
    });
    for sleeper in woken {
        sleeper.woken.set(true);
        sleeper.thread.unpark();
    }
}

pub(crate) fn wake_all(word: &impl Word) {
    wake(word, u32::MAX);
}

pub(crate) fn wake_low(word: &impl Word) {
    wake(word, 1);
}
