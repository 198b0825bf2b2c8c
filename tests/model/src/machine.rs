//! The machine of a model, as the stage and the layer `sys` know it: threads, and their death.
//!
//! Knows nothing of the engine, nor of the checker that chooses who goes on. What both checkers do alike is done here;
//! what each does in its own way is asked for by the trait [`Machine`], which the `Checker` of either crate implements.
//! All threads of an execution are coroutines of one thread of the test, so plain cells hold what is common to them.
//!
//! - **Death.** A process is killed before a chosen one of its steps: its thread unwinds to its beginning, and what
//!   destructors do to shared words on the way has no effect. From then on [`Machine::is_dead`] says so. What a step
//!   is, and whether somebody dies asleep, is the checker's.

use crate::memory::Block;
use crate::stow::{self, Stowed, stow};
use crate::sys::map;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

/// A checker: what stage and execution ask of it.
pub(crate) trait Machine: Sized {
    /// Whether every process has a block in its hand from the beginning: taking one is the business of few scenarios.
    const SPARES: bool;

    /// A thread that was started.
    type Handle;

    /// Forgets what the last execution has left.
    fn forget();

    /// Starts a thread. Checkers want what may change threads, although all of theirs are one.
    fn start(work: Stowed<Box<dyn FnOnce()>>) -> Self::Handle;

    /// Waits for the end of a thread.
    fn wait_for(thread: Self::Handle);

    /// Waits until some process may have ended that had not.
    fn wait_for_any();

    /// A process has ended.
    fn tell_end();

    /// The kernel says that a process is dead, or is about to: it orders memory, so that everybody who is told sees
    /// what the process did.
    fn speak_as_kernel();

    /// Does what is not under test, and is no step.
    fn quietly<R>(work: impl FnOnce() -> R) -> R;

    /// Looks at what is under test, unless that would change what others see of it.
    fn glance<R>(work: impl FnOnce() -> R) -> Option<R>;

    /// The running thread writes the bytes of a message.
    fn writes(block: Block);

    /// The running thread reads the bytes of a message.
    fn reads(block: Block);

    /// What a thread does at its end, at once or when all are over.
    fn at_last(work: impl FnOnce() + 'static);

    /// All threads are over.
    fn all_over();

    /// Begins an execution: all that the last one left is gone. The caller is thread 0.
    fn begin() {
        life(|life| {
            life.me.set(0);
            life.sentences.take();
            life.condemned.take();
            life.executed.take();
            life.dying.set(false);
            life.ended.take();
        });
        stow::clear();
        Self::forget();
        map::wipe();
    }

    /// Starts a thread of the process `pid`.
    fn spawn<R: 'static>(number: usize, pid: u32, work: impl FnOnce() -> R + 'static) -> Thread<Self, R> {
        let result = Rc::new(RefCell::new(None));
        let place = Rc::clone(&result);
        let run: Box<dyn FnOnce()> = Box::new(move || {
            life(|life| life.me.set(number));
            let end = catch_unwind(AssertUnwindSafe(work));
            let is_killed = end.as_ref().is_err_and(|cause| cause.is::<Killed>());
            life(|life| life.dying.set(false));
            if is_killed {
                Self::speak_as_kernel();
            }
            life(|life| life.ended.borrow_mut().insert(pid, is_killed));
            Self::tell_end();
            *place.borrow_mut() = Some(match end {
                Ok(result) => Some(result),
                Err(cause) if cause.is::<Killed>() => None,
                Err(cause) => resume_unwind(cause),
            });
        });
        Thread { handle: suspended(|| Self::start(stow(run))), result }
    }

    /// Waits for the end of a thread, and says what it came to: `None` when it was killed.
    fn join<R>(thread: Thread<Self, R>) -> Option<R> {
        suspended(|| Self::wait_for(thread.handle));
        thread.result.take().expect("it has ended")
    }

    /// Waits until one of these processes is no more, and says which. Of one alone, [`Machine::join`] says it.
    fn first_to_end(pids: &[u32]) -> usize {
        if pids.len() == 1 {
            return 0;
        }
        loop {
            if let Some(place) = life(|life| pids.iter().position(|pid| life.ended.borrow().contains_key(pid))) {
                return place;
            }
            Self::wait_for_any();
        }
    }

    /// Whether a process was killed. One that has come to its end holds no lock, and to take it for dead would order
    /// memory, as the word of the kernel does.
    fn is_dead(pid: u32) -> bool {
        let is_dead = life(|life| life.ended.borrow().get(&pid) == Some(&true));
        if is_dead {
            Self::speak_as_kernel();
        }
        is_dead
    }
}

/// A thread that was started, and what it comes to.
pub(crate) struct Thread<M: Machine, R> {
    handle: M::Handle,
    result: Rc<RefCell<Option<Option<R>>>>,
}

/// A thread that is to die, and before which of its steps.
#[derive(Clone, Copy, Debug)]
struct Sentence {
    thread: usize,
    left: u64,
}

/// What a killed thread unwinds with.
struct Killed;

/// Who runs, who is to die, who is dead.
#[derive(Default)]
struct Life {
    /// The number of the running thread; 0 is the one that sets the stage.
    me: Cell<usize>,
    sentences: RefCell<Vec<Sentence>>,
    /// The threads that they are about, or were.
    condemned: RefCell<HashSet<usize>>,
    /// The threads that were killed.
    executed: RefCell<Vec<usize>>,
    /// The running thread was killed, and unwinds.
    dying: Cell<bool>,
    /// Numbers of processes that are no more, and whether they were killed.
    ended: RefCell<HashMap<u32, bool>>,
}

thread_local! {
    static LIFE: Life = Life::default();
}

fn life<R>(work: impl FnOnce(&Life) -> R) -> R {
    LIFE.with(work)
}

/// The number of the running thread.
pub(crate) fn me() -> usize {
    life(|life| life.me.get())
}

/// Lets others run as `suspend` does; when it comes back, it is this thread's turn again.
pub(crate) fn suspended<R>(suspend: impl FnOnce() -> R) -> R {
    let me = me();
    let result = suspend();
    life(|life| life.me.set(me));
    result
}

/// The thread `thread` is killed before its step number `step`, the first one being 0.
pub(crate) fn sentence(thread: usize, step: u64) {
    life(|life| {
        life.sentences.borrow_mut().push(Sentence { thread, left: step });
        life.condemned.borrow_mut().insert(thread);
    });
}

/// The running thread is not killed any more.
pub(crate) fn pardon() {
    life(|life| life.sentences.borrow_mut().retain(|sentence| sentence.thread != life.me.get()));
}

/// The threads that were killed, in this order.
pub(crate) fn executed() -> Vec<usize> {
    life(|life| life.executed.borrow().clone())
}

/// Whether the running thread was sentenced, whatever became of it.
pub(crate) fn is_condemned() -> bool {
    life(|life| life.condemned.borrow().contains(&life.me.get()))
}

/// Whether the running thread dies before its next step.
pub(crate) fn is_doomed() -> bool {
    life(|life| {
        let sentences = life.sentences.borrow();
        sentences.iter().any(|sentence| sentence.thread == life.me.get() && sentence.left == 0)
    })
}

/// Whether the running thread was killed: what it does now has no effect.
pub(crate) fn is_dying() -> bool {
    life(|life| life.dying.get())
}

/// One step of the running thread counts; it dies before it, if that is its sentence.
pub(crate) fn meet_fate() {
    let dies = life(|life| {
        let mut sentences = life.sentences.borrow_mut();
        let Some(place) = sentences.iter().position(|sentence| sentence.thread == life.me.get()) else { return false };
        if sentences[place].left > 0 {
            sentences[place].left -= 1;
            return false;
        }
        life.executed.borrow_mut().push(sentences.remove(place).thread);
        life.dying.set(true);
        true
    });
    if dies {
        resume_unwind(Box::new(Killed));
    }
}
