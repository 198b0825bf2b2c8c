//! The machine of a model under shuttle: threads that take one step at a time, sleep, and a clock that they do not
//! read.
//!
//! Knows nothing of the engine. All threads of an execution are coroutines of one thread of the test; nothing changes
//! between two steps.
//!
//! - **Step.** Before every operation on a shared word the checker decides who goes on.
//! - **Sleep.** A sleeper is woken by a wake-up on its word, and only then, so that a lost one is a deadlock, which the
//!   checker reports. A search can also ask for wake-ups that nobody sent (signals do that to a futex): see
//!   [`crate::search`].
//! - **Time.** It passes when a sleeper with a deadline is run before anybody has woken it: at any moment that the
//!   checker chooses.
//! - **Death.** Whoever is to die before its next step dies in the sleep before it, if it sleeps.

use crate::machine::{Machine, is_doomed, is_dying, meet_fate, suspended};
use crate::memory::Block;
use crate::stow::Stowed;
use shuttle::thread::{JoinHandle, Thread};
use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::atomic::Ordering;

/// The address of no word: on it sleeps who waits for the end of a process.
const ENDS: usize = 0;

/// Somebody who sleeps on a word.
struct Sleeper {
    address: usize,
    thread: Thread,
    woken: Rc<Cell<bool>>,
}

thread_local! {
    /// While not zero, nothing is a step.
    static QUIET: Cell<u32> = const { Cell::new(0) };
    static NOW: Cell<u64> = const { Cell::new(0) };
    static SLEEPERS: RefCell<Vec<Sleeper>> = const { RefCell::new(Vec::new()) };
    /// Nobody's word: an operation on it is how the checker is given the choice.
    static TURN: shuttle::sync::atomic::AtomicBool = const { shuttle::sync::atomic::AtomicBool::new(false) };
}

/// Shuttle.
pub(crate) struct Checker;

impl Machine for Checker {
    const SPARES: bool = false;

    type Handle = JoinHandle<()>;

    fn forget() {
        QUIET.set(0);
        NOW.set(0);
        SLEEPERS.take();
    }

    fn start(work: Stowed<Box<dyn FnOnce()>>) -> JoinHandle<()> {
        shuttle::thread::spawn(move || work.take()())
    }

    fn wait_for(thread: JoinHandle<()>) {
        if let Err(cause) = thread.join() {
            resume_unwind(cause);
        }
    }

    fn wait_for_any() {
        let ended = lie_down(ENDS);
        suspended(shuttle::thread::park);
        get_up(&ended);
    }

    fn tell_end() {
        wake(ENDS, u32::MAX);
    }

    /// All see the same.
    fn speak_as_kernel() {}

    fn quietly<R>(work: impl FnOnce() -> R) -> R {
        QUIET.set(QUIET.get() + 1);
        let result = work();
        QUIET.set(QUIET.get() - 1);
        result
    }

    fn glance<R>(work: impl FnOnce() -> R) -> Option<R> {
        Some(Checker::quietly(work))
    }

    /// The bytes of messages are seen by all at once.
    fn writes(_: Block) {}

    fn reads(_: Block) {}

    fn at_last(work: impl FnOnce() + 'static) {
        work();
    }

    fn all_over() {}
}

fn is_quiet() -> bool {
    // A thread that unwinds does nothing to shared words, or the test has failed anyway.
    std::thread::panicking() || QUIET.get() > 0
}

/// One step of the running thread is about to be made.
pub(crate) fn step() {
    if is_quiet() {
        return;
    }
    meet_fate();
    TURN.with(|turn| suspended(|| turn.load(Ordering::SeqCst)));
}

/// A step of somebody who can do nothing useful before others have run.
pub(crate) fn give_way() {
    if !is_quiet() {
        meet_fate();
        suspended(shuttle::thread::yield_now);
    }
}

/// Sleeps on a word until somebody wakes it. Going to sleep is no step of its own.
pub(crate) fn sleep(address: usize) {
    assert!(!is_quiet(), "somebody would sleep for ever");
    let woken = lie_down(address);
    let doomed = is_doomed();
    // Who dies before the next step dies asleep, at any moment, whether somebody has woken it or not.
    suspended(if doomed { shuttle::thread::yield_now } else { shuttle::thread::park });
    get_up(&woken);
    if doomed {
        meet_fate();
    }
}

/// Sleeps on a word, until somebody wakes it (`true`) or it is run all the same.
pub(crate) fn doze(address: usize) -> bool {
    assert!(!is_quiet(), "somebody would sleep");
    let woken = lie_down(address);
    suspended(shuttle::thread::yield_now);
    get_up(&woken);
    woken.get()
}

fn lie_down(address: usize) -> Rc<Cell<bool>> {
    let woken = Rc::new(Cell::new(false));
    let sleeper = Sleeper { address, thread: shuttle::thread::current(), woken: Rc::clone(&woken) };
    SLEEPERS.with_borrow_mut(|sleepers| sleepers.push(sleeper));
    woken
}

fn get_up(woken: &Rc<Cell<bool>>) {
    SLEEPERS.with_borrow_mut(|sleepers| sleepers.retain(|sleeper| !Rc::ptr_eq(&sleeper.woken, woken)));
}

/// Wakes those who have slept longest on a word. Waking is no step of its own.
pub(crate) fn wake(address: usize, count: u32) {
    if is_dying() {
        return;
    }
    for _ in 0..count {
        let first = SLEEPERS.with_borrow_mut(|sleepers| {
            let place = sleepers.iter().position(|sleeper| sleeper.address == address)?;
            Some(sleepers.remove(place))
        });
        let Some(sleeper) = first else { return };
        sleeper.woken.set(true);
        suspended(|| sleeper.thread.unpark());
    }
}

/// The time, in nanoseconds since the execution began.
pub(crate) fn now() -> u64 {
    NOW.get()
}

pub(crate) fn pass_until(moment: u64) {
    NOW.set(NOW.get().max(moment));
}
