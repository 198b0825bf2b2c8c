//! The machine of a model under loom: threads, and the bytes of messages.
//!
//! Knows nothing of the engine. All threads of an execution are coroutines of one thread of the test; what is common to
//! them changes only in steps that loom knows to depend on each other, or when a thread ends.
//!
//! - **Before** the threads, one sets the stage; words are plain memory. With the first thread they become loom's
//!   (`sys::atomic`).
//! - **Over:** when all have ended, the first one finds the last values in plain memory again.
//! - **Death.** On the way of a killed thread to its beginning nothing of the engine touches a word of loom. Whoever
//!   joins the thread, or is told that its process is dead, sees what it did: the word of the kernel orders memory.
//! - **Messages.** The bytes of a block are one cell of loom: a writer and a reader that are not ordered are a race.

use crate::machine::{Machine, is_condemned, is_doomed, me, meet_fate, suspended};
use crate::memory::Block;
use crate::stow::Stowed;
use crate::sys::known::{self, Kind};
use crate::sys::{atomic, clock, futex};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread::JoinHandle;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Whoever gives way twice in so many steps of all threads goes round in circles. An offer takes more steps.
const CIRCLE: u64 = 16;

/// Words of a thread's stack.
const STACK: usize = 1 << 14;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Time {
    #[default]
    Before,
    Running,
    Over,
}

thread_local! {
    static TIME: Cell<Time> = const { Cell::new(Time::Before) };
    /// Steps of all threads, and the last one at which each gave way.
    static STEPS: Cell<u64> = const { Cell::new(0) };
    static GAVE_WAY: RefCell<HashMap<usize, u64>> = RefCell::default();
    /// The word of the kernel.
    static KERNEL: RefCell<Option<Rc<AtomicU32>>> = const { RefCell::new(None) };
    static MESSAGES: RefCell<HashMap<Block, Rc<UnsafeCell<()>>>> = RefCell::default();
    static LEFT: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
}

/// Loom.
pub(crate) struct Checker;

impl Machine for Checker {
    const SPARES: bool = true;

    type Handle = JoinHandle<()>;

    fn forget() {
        TIME.set(Time::Before);
        STEPS.set(0);
        GAVE_WAY.take();
        KERNEL.take();
        MESSAGES.take();
        // What an execution that failed has left is not to be done.
        LEFT.take().into_iter().for_each(std::mem::forget);
        atomic::begin();
        clock::begin();
        futex::begin();
    }

    fn start(work: Stowed<Box<dyn FnOnce()>>) -> JoinHandle<()> {
        if TIME.replace(Time::Running) == Time::Before {
            atomic::bring_all();
            KERNEL.set(Some(Rc::new(AtomicU32::new(0))));
            for (block, _) in known::all().into_iter().filter(|(_, kind)| *kind == Kind::Message) {
                MESSAGES.with_borrow_mut(|messages| messages.insert(block as Block, Rc::new(UnsafeCell::new(()))));
            }
        }
        let builder = loom::thread::Builder::new().stack_size(STACK);
        builder.spawn(move || work.take()()).expect("loom starts every thread")
    }

    fn wait_for(thread: JoinHandle<()>) {
        thread.join().expect("a panic ends the execution");
    }

    fn wait_for_any() {
        give_way();
    }

    fn tell_end() {}

    /// Changes the kernel's word, so that whoever comes later sees what those did who came before.
    fn speak_as_kernel() {
        if let Some(kernel) = KERNEL.with_borrow(Option::clone) {
            suspended(|| kernel.fetch_add(1, Ordering::AcqRel));
        }
    }

    /// Before the threads, and when they are over, nothing is a step.
    fn quietly<R>(work: impl FnOnce() -> R) -> R {
        work()
    }

    /// While threads run, a look would order what they do.
    fn glance<R>(work: impl FnOnce() -> R) -> Option<R> {
        is_quiet().then(work)
    }

    fn writes(block: Block) {
        if let Some(message) = message(block) {
            message.with_mut(|_| ());
        }
    }

    fn reads(block: Block) {
        if let Some(message) = message(block) {
            message.with(|_| ());
        }
    }

    /// When all are over, unless the process will be buried.
    fn at_last(work: impl FnOnce() + 'static) {
        if is_condemned() {
            work();
        } else {
            LEFT.with_borrow_mut(|left| left.push(Box::new(work)));
        }
    }

    fn all_over() {
        TIME.set(Time::Over);
        for work in LEFT.take() {
            work();
        }
    }
}

/// Whether words are plain memory now.
pub(crate) fn is_quiet() -> bool {
    // A thread that unwinds does nothing to shared words, or the test has failed anyway.
    std::thread::panicking() || me() == 0
}

pub(crate) fn is_over() -> bool {
    TIME.get() == Time::Over
}

/// One step of the running thread is about to be made.
pub(crate) fn step() {
    STEPS.set(STEPS.get() + 1);
    meet_fate();
}

/// The running thread is about to fall asleep: if it dies before the next step, it dies asleep. When that is, others
/// see only by the burial.
pub(crate) fn die_asleep() {
    if is_doomed() {
        step();
    }
}

/// A step of somebody who would rather let others run. Loom would then run anybody else, as if he could not go on; so
/// he does go on, unless he goes round in circles, for all that the search does to interrupt him.
pub(crate) fn give_way() {
    step();
    let now = STEPS.get();
    let before = GAVE_WAY.with_borrow_mut(|gave_way| gave_way.insert(me(), now));
    if before.is_some_and(|before| now - before < CIRCLE) {
        suspended(loom::thread::yield_now);
    }
}

fn message(block: Block) -> Option<Rc<UnsafeCell<()>>> {
    if is_quiet() {
        return None;
    }
    let message = MESSAGES.with_borrow(|messages| messages.get(&block).map(Rc::clone));
    if message.is_none() {
        known::learn(block as usize, Kind::Message);
    }
    message
}
