//! The machine of a model: threads that take one step at a time, sleep, are killed, and a clock that they do not read.
//!
//! Knows nothing of the engine. All threads of an execution are coroutines of one thread of the test, so plain cells
//! hold what is common to them; nothing changes between two steps.
//!
//! - **Step.** Before every operation on a shared word the checker decides who goes on.
//! - **Sleep.** A sleeper is woken by a wake-up on its word, and only then, so that a lost one is a deadlock, which the
//!   checker reports. A search can also ask for wake-ups that nobody sent (signals do that to a futex): see
//!   [`crate::search`].
//! - **Time.** It passes when a sleeper with a deadline is run before anybody has woken it: at any moment that the
//!   checker chooses.
//! - **Death.** A process is killed before a chosen one of its steps, or in the sleep before it: its thread unwinds to
//!   its beginning, and what destructors do to shared words on the way has no effect. From then on [`is_dead`] says so.

use crate::memory::Block;
use crate::sys::map;
use shuttle::thread::{JoinHandle, Thread};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering;

pub(crate) use crate::stow::stow;

/// A process takes the blocks that it needs.
pub(crate) const SPARES: bool = false;

/// The address of no word: on it sleeps who waits for the end of a process.
const ENDS: usize = 0;

/// Somebody who sleeps on a word.
struct Sleeper {
    address: usize,
    thread: Thread,
    woken: Rc<Cell<bool>>,
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
    /// The number of the running thread; 0 is the one that sets the stage.
    me: Cell<usize>,
    /// While not zero, nothing is a step.
    quiet: Cell<u32>,
    now: Cell<u64>,
    sentences: RefCell<Vec<Sentence>>,
    /// The threads that were killed.
    executed: RefCell<Vec<usize>>,
    /// The running thread was killed, and unwinds.
    dying: Cell<bool>,
    /// Numbers of processes that are no more, and whether they were killed.
    ended: RefCell<HashMap<u32, bool>>,
    sleepers: RefCell<Vec<Sleeper>>,
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
    /// Nobody's word: an operation on it is how the checker is given the choice.
    static TURN: shuttle::sync::atomic::AtomicBool = const { shuttle::sync::atomic::AtomicBool::new(false) };
}

fn machine<R>(work: impl FnOnce(&Machine) -> R) -> R {
    MACHINE.with(work)
}

/// Begins an execution: all that the last one left is gone. The caller is thread 0, and quiet.
pub(crate) fn begin() {
    machine(|machine| {
        machine.me.set(0);
        machine.quiet.set(0);
        machine.now.set(0);
        machine.sentences.take();
        machine.executed.take();
        machine.dying.set(false);
        machine.ended.take();
        machine.sleepers.take();
    });
    crate::stow::clear();
    map::wipe();
}

/// The thread `thread` is killed before its step number `step`, the first one being 0.
pub(crate) fn sentence(thread: usize, step: u64) {
    machine(|machine| machine.sentences.borrow_mut().push(Sentence { thread, left: step }));
}

/// The running thread is not killed any more.
pub(crate) fn pardon() {
    machine(|machine| machine.sentences.borrow_mut().retain(|sentence| sentence.thread != machine.me.get()));
}

/// The threads that were killed, in this order.
pub(crate) fn executed() -> Vec<usize> {
    machine(|machine| machine.executed.borrow().clone())
}

/// Does `work` in one step: for what is not under test.
pub(crate) fn quietly<R>(work: impl FnOnce() -> R) -> R {
    machine(|machine| machine.quiet.set(machine.quiet.get() + 1));
    let result = work();
    machine(|machine| machine.quiet.set(machine.quiet.get() - 1));
    result
}

/// Looks at what is under test, as it is now.
pub(crate) fn glance<R>(work: impl FnOnce() -> R) -> Option<R> {
    Some(quietly(work))
}

/// The bytes of messages are seen by all at once.
pub(crate) fn writes(_: Block) {}

/// As [`writes`].
pub(crate) fn reads(_: Block) {}

/// Whether the running thread was killed: what it does now has no effect.
pub(crate) fn is_dying() -> bool {
    machine(|machine| machine.dying.get())
}

fn is_quiet() -> bool {
    // A thread that unwinds does nothing to shared words, or the test has failed anyway.
    std::thread::panicking() || machine(|machine| machine.quiet.get() > 0)
}

/// Lets others run as `suspend` does; when it comes back, it is this thread's turn again.
fn suspended<R>(suspend: impl FnOnce() -> R) -> R {
    let me = me();
    let result = suspend();
    machine(|machine| machine.me.set(me));
    result
}

/// One step of the running thread is about to be made.
pub(crate) fn step() {
    if is_quiet() {
        return;
    }
    meet_fate();
    TURN.with(|turn| suspended(|| turn.load(Ordering::SeqCst)));
}

/// Whether the running thread dies before its next step.
fn is_doomed() -> bool {
    machine(|machine| machine.steps_left()) == Some(0)
}

fn meet_fate() {
    if machine(Machine::meets_fate) {
        machine(|machine| machine.dying.set(true));
        resume_unwind(Box::new(Killed));
    }
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
    machine(|machine| machine.sleepers.borrow_mut().push(sleeper));
    woken
}

fn get_up(woken: &Rc<Cell<bool>>) {
    machine(|machine| machine.sleepers.borrow_mut().retain(|sleeper| !Rc::ptr_eq(&sleeper.woken, woken)));
}

/// Wakes those who have slept longest on a word. Waking is no step of its own.
pub(crate) fn wake(address: usize, count: u32) {
    if is_dying() {
        return;
    }
    for _ in 0..count {
        let first = machine(|machine| {
            let mut sleepers = machine.sleepers.borrow_mut();
            let place = sleepers.iter().position(|sleeper| sleeper.address == address)?;
            Some(sleepers.remove(place))
        });
        let Some(sleeper) = first else { return };
        sleeper.woken.set(true);
        suspended(|| sleeper.thread.unpark());
    }
}

pub(crate) fn now() -> u64 {
    machine(|machine| machine.now.get())
}

pub(crate) fn pass_until(moment: u64) {
    machine(|machine| machine.now.set(machine.now.get().max(moment)));
}

pub(crate) fn me() -> usize {
    machine(|machine| machine.me.get())
}

/// Whether a process was killed. One that has come to its end holds no lock, and to take it for dead would order
/// memory, as the word of the kernel does.
pub(crate) fn is_dead(pid: u32) -> bool {
    machine(|machine| machine.ended.borrow().get(&pid) == Some(&true))
}

/// Starts a thread of the process `pid`. What it comes to is `None` when it was killed.
pub(crate) fn spawn<R: Send + 'static>(
    number: usize,
    pid: u32,
    work: impl FnOnce() -> R + Send + 'static,
) -> JoinHandle<Option<R>> {
    suspended(|| {
        shuttle::thread::spawn(move || {
            machine(|machine| machine.me.set(number));
            let result = catch_unwind(AssertUnwindSafe(work));
            machine(|machine| {
                machine.dying.set(false);
                machine.ended.borrow_mut().insert(pid, result.is_err());
            });
            wake(ENDS, u32::MAX);
            match result {
                Ok(result) => Some(result),
                Err(cause) if cause.is::<Killed>() => None,
                Err(cause) => resume_unwind(cause),
            }
        })
    })
}

/// Waits until one of these processes is no more, and says which.
pub(crate) fn first_to_end(pids: &[u32]) -> usize {
    loop {
        if let Some(place) = pids.iter().position(|pid| machine(|machine| machine.ended.borrow().contains_key(pid))) {
            return place;
        }
        let ended = lie_down(ENDS);
        suspended(shuttle::thread::park);
        get_up(&ended);
    }
}

/// Waits for the end of a thread.
pub(crate) fn join<R>(thread: JoinHandle<R>) -> R {
    match suspended(|| thread.join()) {
        Ok(result) => result,
        Err(cause) => resume_unwind(cause),
    }
}

/// What a thread does at its end, it does at once.
pub(crate) fn at_last(work: impl FnOnce()) {
    work();
}

/// All threads are over.
pub(crate) fn all_over() {}
