//! Coroutines: a stack each, of which one runs at a time on the calling thread.
//!
//! Knows nothing of what runs there. Stacks are kept for the next ones of the same size.
#![expect(unsafe_code, reason = "suspends the coroutine that it runs in; listed in the architecture page")]

use super::super::ArenaError;
use corosensei::stack::DefaultStack;
use corosensei::{CoroutineResult, Yielder};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// So many stacks of one size are kept.
const KEPT: usize = 256;

thread_local! {
    /// By their size; most programs have one.
    static STACKS: RefCell<Vec<(usize, Vec<DefaultStack>)>> = const { RefCell::new(Vec::new()) };
    /// What suspends the coroutine that runs now; null outside of all.
    static YIELDER: Cell<*const Yielder<(), ()>> = const { Cell::new(ptr::null()) };
}

/// One coroutine, which has not come to its end.
pub(super) struct Coroutine {
    inner: corosensei::Coroutine<(), (), (), DefaultStack>,
    size: usize,
}

impl fmt::Debug for Coroutine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine").field("stack", &self.size).finish_non_exhaustive()
    }
}

impl Coroutine {
    /// One that runs `work` on a stack of so many bytes. Nothing unwinds out of it: what processes panic of is caught
    /// and told within.
    ///
    /// # Errors
    /// The system has no room for the stack.
    pub(super) fn new(size: usize, work: Box<dyn FnOnce()>) -> Result<Coroutine, ArenaError> {
        let kept = STACKS.with_borrow_mut(|stacks| kept_of(stacks, size).pop());
        let stack = match kept {
            Some(stack) => stack,
            None => DefaultStack::new(size).map_err(|_| ArenaError::Simulated { what: "a stack this large" })?,
        };
        let inner = corosensei::Coroutine::with_stack(stack, move |yielder, ()| {
            YIELDER.set(yielder);
            drop(catch_unwind(AssertUnwindSafe(work)));
        });
        Ok(Coroutine { inner, size })
    }

    /// Lets it go on until it suspends itself; `None` when it has come to its end.
    pub(super) fn resume(mut self) -> Option<Coroutine> {
        // Its own, once it has run; it says so itself when it begins, and whenever it goes on.
        let before = YIELDER.replace(ptr::null());
        let result = self.inner.resume(());
        YIELDER.set(before);
        match result {
            CoroutineResult::Yield(()) => Some(self),
            CoroutineResult::Return(()) => {
                let stack = self.inner.into_stack();
                STACKS.with_borrow_mut(|stacks| {
                    let kept = kept_of(stacks, self.size);
                    if kept.len() < KEPT {
                        kept.push(stack);
                    }
                });
                None
            }
        }
    }

    /// It will never go on, and nothing on its stack is dropped.
    pub(super) fn leave_behind(self) {
        std::mem::forget(self.inner);
    }
}

/// The stacks of this size.
fn kept_of(stacks: &mut Vec<(usize, Vec<DefaultStack>)>, size: usize) -> &mut Vec<DefaultStack> {
    let place = stacks.iter().position(|(other, _)| *other == size).unwrap_or_else(|| {
        stacks.push((size, Vec::new()));
        stacks.len() - 1
    });
    &mut stacks[place].1
}

/// Whether the caller runs in a coroutine.
pub(super) fn is_inside() -> bool {
    !YIELDER.get().is_null()
}

/// Suspends the coroutine that the caller runs in.
pub(super) fn suspend() {
    let yielder = YIELDER.get();
    if yielder.is_null() {
        return;
    }
    // SAFETY: the coroutine that runs now has set it, and lends it for as long as its function runs, which calls this.
    let yielder = unsafe { &*yielder };
    yielder.suspend(());
    YIELDER.set(yielder);
}
