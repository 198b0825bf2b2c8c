//! The machine of a model under loom: threads, death, and the bytes of messages. It has the same face as that of
//! `tests/model`.
//!
//! Knows nothing of the engine. All threads of an execution are coroutines of one thread of the test, so plain cells
//! hold what is common to them; they change only in steps that loom knows to depend on each other, or when a thread
//! ends.
//!
//! - **Before** the threads, one sets the stage; words are plain memory. With the first thread they become loom's
//!   (`sys::atomic`).
//! - **Over:** when all have ended, the first one finds the last values in plain memory again.
//! - **Death.** A process is killed before a chosen one of its steps: its thread unwinds to its beginning, and on the
//!   way nothing of the engine touches a word. Whoever joins the thread sees what it did: the kernel, which says that a
//!   process is dead, orders memory.
//! - **Messages.** The bytes of a block are one cell of loom: a writer and a reader that are not ordered are a race.

use crate::memory::Block;
use crate::sys::known::{self, Kind};
use crate::sys::{atomic, clock, futex, map};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, Ordering};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

pub(crate) use crate::stow::{Stowed, stow};

/// Every process has a block in its hand from the beginning: taking one is the business of few scenarios.
pub(crate) const SPARES: bool = true;

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

/// A process that is to die, and before which of its steps.
#[derive(Clone, Copy, Debug)]
struct Sentence {
    thread: usize,
    left: u64,
}

/// What a killed thread unwinds with.
struct Killed;

#[derive(Default)]
struct Machine {
    time: Cell<Time>,
    /// The number of the running thread; 0 is the one that sets the stage.
    me: Cell<usize>,
    /// Steps of all threads, and the last one at which each gave way.
    steps: Cell<u64>,
    gave_way: RefCell<HashMap<usize, u64>>,
    sentences: RefCell<Vec<Sentence>>,
    /// The threads that they are about.
    condemned: RefCell<HashSet<usize>>,
    /// The threads that were killed.
    executed: RefCell<Vec<usize>>,
    /// Numbers of processes that are no more, and whether they were killed.
    ended: RefCell<HashMap<u32, bool>>,
    /// The word of the kernel, which orders memory: who is told that somebody is dead sees what it did.
    kernel: RefCell<Option<Rc<AtomicU32>>>,
    messages: RefCell<HashMap<Block, Rc<UnsafeCell<()>>>>,
    left: RefCell<Vec<Box<dyn FnOnce()>>>,
}

impl Machine {
    /// How many steps the running thread makes before it dies, if it is to die.
    fn steps_left(&self) -> Option<u64> {
        let sentences = self.sentences.borrow();
        sentences.iter().find(|sentence| sentence.thread == self.me.get()).map(|sentence| sentence.left)
    }

    /// One step of the running thread counts; whether it dies before it.
    fn meets_fate(&self) -> bool {
        let mut sentences = self.sentences.borrow_mut();
        let Some(place) = sentences.iter().position(|sentence| sentence.thread == self.me.get()) else { return false };
        if sentences[place].left > 0 {
            sentences[place].left -= 1;
            return false;
        }
        self.executed.borrow_mut().push(sentences.remove(place).thread);
        true
    }
}

thread_local! {
    static MACHINE: Machine = Machine::default();
}

fn machine<R>(work: impl FnOnce(&Machine) -> R) -> R {
    MACHINE.with(work)
}

/// Begins an execution: all that the last one left is gone. The caller is thread 0.
pub(crate) fn begin() {
    machine(|machine| {
        machine.time.set(Time::Before);
        machine.me.set(0);
        machine.steps.set(0);
        machine.gave_way.take();
        machine.sentences.take();
        machine.condemned.take();
        machine.executed.take();
        machine.ended.take();
        machine.kernel.take();
        machine.messages.take();
        // What an execution that failed has left is not to be done.
        machine.left.take().into_iter().for_each(std::mem::forget);
    });
    crate::stow::clear();
    atomic::begin();
    clock::begin();
    futex::begin();
    map::wipe();
}

/// The thread `thread` is killed before its step number `step`, the first one being 0.
pub(crate) fn sentence(thread: usize, step: u64) {
    machine(|machine| {
        machine.sentences.borrow_mut().push(Sentence { thread, left: step });
        machine.condemned.borrow_mut().insert(thread);
    });
}

/// The running thread is not killed any more.
pub(crate) fn pardon() {
    machine(|machine| machine.sentences.borrow_mut().retain(|sentence| sentence.thread != machine.me.get()));
}

/// The threads that were killed, in this order.
pub(crate) fn executed() -> Vec<usize> {
    machine(|machine| machine.executed.borrow().clone())
}

/// Does what is not under test. Before the threads, and when they are over, it is no step.
pub(crate) fn quietly<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// What is not under test is not looked at while threads run: it would order what is.
pub(crate) fn glance<R>(work: impl FnOnce() -> R) -> Option<R> {
    is_quiet().then(work)
}

/// Whether words are plain memory now.
pub(crate) fn is_quiet() -> bool {
    // A thread that unwinds does nothing to shared words, or the test has failed anyway.
    std::thread::panicking() || machine(|machine| machine.me.get() == 0)
}

pub(crate) fn is_over() -> bool {
    machine(|machine| machine.time.get() == Time::Over)
}

/// Lets others run as `suspend` does; when it comes back, it is this thread's turn again.
pub(crate) fn suspended<R>(suspend: impl FnOnce() -> R) -> R {
    let me = me();
    let result = suspend();
    machine(|machine| machine.me.set(me));
    result
}

/// One step of the running thread is about to be made.
pub(crate) fn step() {
    let dies = machine(|machine| {
        machine.steps.set(machine.steps.get() + 1);
        machine.meets_fate()
    });
    if dies {
        resume_unwind(Box::new(Killed));
    }
}

/// The running thread is about to fall asleep: if it dies before the next step, it dies asleep. When that is, others
/// see only by the burial.
pub(crate) fn die_asleep() {
    if machine(|machine| machine.steps_left()) == Some(0) {
        step();
    }
}

/// A step of somebody who would rather let others run. Loom would then run anybody else, as if he could not go on; so
/// he does go on, unless he goes round in circles, for all that the search does to interrupt him.
pub(crate) fn give_way() {
    step();
    let again = machine(|machine| {
        let mut gave_way = machine.gave_way.borrow_mut();
        let now = machine.steps.get();
        let before = gave_way.insert(machine.me.get(), now);
        before.is_some_and(|before| now - before < CIRCLE)
    });
    if again {
        suspended(loom::thread::yield_now);
    }
}

pub(crate) fn me() -> usize {
    machine(|machine| machine.me.get())
}

/// Whether a process was killed. One that has come to its end holds no lock, and to take it for dead would order
/// memory, as the word of the kernel does.
pub(crate) fn is_dead(pid: u32) -> bool {
    let is_dead = machine(|machine| machine.ended.borrow().get(&pid) == Some(&true));
    if is_dead {
        speak_with_the_kernel();
    }
    is_dead
}

/// Changes the kernel's word, so that everybody sees what those did who came before.
fn speak_with_the_kernel() {
    if let Some(kernel) = machine(|machine| machine.kernel.borrow().clone()) {
        suspended(|| kernel.fetch_add(1, Ordering::AcqRel));
    }
}

/// The running thread writes the bytes of a message.
pub(crate) fn writes(block: Block) {
    if let Some(message) = message(block) {
        message.with_mut(|_| ());
    }
}

/// The running thread reads the bytes of a message.
pub(crate) fn reads(block: Block) {
    if let Some(message) = message(block) {
        message.with(|_| ());
    }
}

fn message(block: Block) -> Option<Rc<UnsafeCell<()>>> {
    if is_quiet() {
        return None;
    }
    let message = machine(|machine| machine.messages.borrow().get(&block).map(Rc::clone));
    if message.is_none() {
        known::learn(block as usize, Kind::Message);
    }
    message
}

/// A thread that was started.
pub(crate) struct Thread<R> {
    thread: loom::thread::JoinHandle<()>,
    result: Rc<RefCell<Option<Option<R>>>>,
}

/// Starts a thread of the process `pid`. What it comes to is `None` when it was killed.
pub(crate) fn spawn<R: 'static>(number: usize, pid: u32, work: impl FnOnce() -> R + 'static) -> Thread<R> {
    if machine(|machine| machine.time.replace(Time::Running)) == Time::Before {
        atomic::bring_all();
        machine(|machine| *machine.kernel.borrow_mut() = Some(Rc::new(AtomicU32::new(0))));
        for (block, _) in known::all().into_iter().filter(|(_, kind)| *kind == Kind::Message) {
            let cell = Rc::new(UnsafeCell::new(()));
            machine(|machine| machine.messages.borrow_mut().insert(block as Block, cell));
        }
    }
    let result = Rc::new(RefCell::new(None));
    let place = Rc::clone(&result);
    let run: Box<dyn FnOnce()> = Box::new(move || {
        machine(|machine| machine.me.set(number));
        let end = catch_unwind(AssertUnwindSafe(work));
        let is_killed = end.as_ref().is_err_and(|cause| cause.is::<Killed>());
        if is_killed {
            speak_with_the_kernel();
        }
        machine(|machine| machine.ended.borrow_mut().insert(pid, is_killed));
        *place.borrow_mut() = Some(match end {
            Ok(result) => Some(result),
            Err(cause) if cause.is::<Killed>() => None,
            Err(cause) => resume_unwind(cause),
        });
    });
    // Loom asks for `Send` where a stack has a size, although all threads are this one.
    let run = stow(run);
    let builder = loom::thread::Builder::new().stack_size(STACK);
    let thread = suspended(|| builder.spawn(move || run.take()())).expect("loom starts every thread");
    Thread { thread, result }
}

/// Waits until one of these processes is no more, and says which. Of one alone, [`join`] says it.
pub(crate) fn first_to_end(pids: &[u32]) -> usize {
    if pids.len() == 1 {
        return 0;
    }
    loop {
        if let Some(place) = pids.iter().position(|pid| machine(|machine| machine.ended.borrow().contains_key(pid))) {
            return place;
        }
        give_way();
    }
}

/// Waits for the end of a thread.
pub(crate) fn join<R>(thread: Thread<R>) -> Option<R> {
    suspended(|| thread.thread.join()).expect("a panic ends the execution");
    thread.result.take().expect("it has ended")
}

/// What a thread does at its end is left to the time when all are over, unless its process will be buried.
pub(crate) fn at_last(work: impl FnOnce() + 'static) {
    if machine(|machine| machine.condemned.borrow().contains(&machine.me.get())) {
        work();
    } else {
        machine(|machine| machine.left.borrow_mut().push(Box::new(work)));
    }
}

/// All threads are over.
pub(crate) fn all_over() {
    machine(|machine| machine.time.set(Time::Over));
    for work in machine(|machine| machine.left.take()) {
        work();
    }
}
