//! Coroutines: a stack each, of which one runs at a time on the calling thread.
//!
//! Knows nothing of what runs there. A coroutine that has done its work is kept for the next work of the same size, as
//! it is: it waits on its stack for more.
#![expect(unsafe_code, reason = "suspends the coroutine that it runs in; listed in the architecture page")]

use super::super::ArenaError;
use corosensei::stack::{DefaultStack, Stack, StackPointer};
use corosensei::{CoroutineResult, Yielder};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// So many of one size are kept.
const KEPT: usize = 256;

/// What runs on a stack.
type Work = Box<dyn FnOnce()>;

thread_local! {
    /// By the sizes of their stacks; most programs have one.
    static FIBERS: RefCell<Vec<(usize, Vec<Coroutine>)>> = const { RefCell::new(Vec::new()) };
    /// What suspends the coroutine that runs now; null outside of all.
    static YIELDER: Cell<*const Yielder<Option<Work>, bool>> = const { Cell::new(ptr::null()) };
}

/// A stack of which the uppermost bytes are not used, another number of them in each one. All stacks end at the same
/// place of a page: without that, what is in use of each would have to share the same few lines of the cache.
struct Coloured {
    inner: DefaultStack,
    unused: usize,
}

/// The unused bytes of one stack more than those of the one before, and less than so many.
const COLOURS: (usize, usize) = (640, 4096);

impl Coloured {
    fn new(size: usize) -> std::io::Result<Coloured> {
        thread_local! {
            static MADE: Cell<usize> = const { Cell::new(0) };
        }
        let (step, most) = COLOURS;
        let number = MADE.replace(MADE.get().wrapping_add(1));
        Ok(Coloured { inner: DefaultStack::new(size.saturating_add(most))?, unused: number.wrapping_mul(step) % most })
    }
}

// SAFETY: it is the lower part of a stack with a guard page, which was made larger by more than the part above. The
// steps between the colours are multiples of the alignment.
unsafe impl Stack for Coloured {
    #[inline]
    fn base(&self) -> StackPointer {
        let base = self.inner.base();
        StackPointer::new(base.get() - self.unused).unwrap_or(base)
    }

    #[inline]
    fn limit(&self) -> StackPointer {
        self.inner.limit()
    }
}

/// What works on a stack of its own, again and again. It says with each suspension whether its work is done.
struct Fiber {
    inner: ManuallyDrop<corosensei::Coroutine<Option<Work>, bool, (), Coloured>>,
    size: usize,
    /// What it is to do when it goes on.
    next: Option<Work>,
    /// It is in the middle of something.
    is_at_work: bool,
}

impl Fiber {
    fn new(size: usize) -> std::io::Result<Fiber> {
        let inner = corosensei::Coroutine::with_stack(Coloured::new(size)?, |yielder, mut work: Option<Work>| {
            while let Some(now) = work {
                YIELDER.set(yielder);
                drop(catch_unwind(AssertUnwindSafe(now)));
                work = yielder.suspend(true);
            }
        });
        Ok(Fiber { inner: ManuallyDrop::new(inner), size, next: None, is_at_work: false })
    }
}

impl Drop for Fiber {
    /// One that is in the middle of something is left behind.
    fn drop(&mut self) {
        if self.is_at_work {
            return;
        }
        // Without more work it comes to its end.
        if self.inner.started() {
            let _ = self.inner.resume(None);
        }
        // SAFETY: nobody uses it afterwards: it is being dropped.
        unsafe { ManuallyDrop::drop(&mut self.inner) };
    }
}

/// One coroutine, which has not come to its end.
pub(super) struct Coroutine(Box<Fiber>);

impl fmt::Debug for Coroutine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine").field("stack", &self.0.size).finish_non_exhaustive()
    }
}

impl Coroutine {
    /// One that runs `work` on a stack of so many bytes. Nothing unwinds out of it: what processes panic of is caught
    /// and told within.
    ///
    /// # Errors
    /// The system has no room for the stack.
    pub(super) fn new(size: usize, work: Work) -> Result<Coroutine, ArenaError> {
        let kept = FIBERS.with_borrow_mut(|fibers| kept_of(fibers, size).pop());
        let mut coroutine = match kept {
            Some(kept) => kept,
            None => {
                let made = Fiber::new(size).map_err(|_| ArenaError::Simulated { what: "a stack this large" })?;
                Coroutine(Box::new(made))
            }
        };
        coroutine.0.next = Some(work);
        Ok(coroutine)
    }

    /// Lets it go on until it suspends itself; `None` when it has come to its end.
    #[inline]
    pub(super) fn resume(mut self) -> Option<Coroutine> {
        let fiber = &mut *self.0;
        fiber.is_at_work = true;
        let work = fiber.next.take();
        // Its own, once it has run; it says so itself when it begins, and whenever it goes on.
        let before = YIELDER.replace(ptr::null());
        let result = fiber.inner.resume(work);
        YIELDER.set(before);
        match result {
            CoroutineResult::Yield(false) => Some(self),
            CoroutineResult::Yield(true) | CoroutineResult::Return(()) => {
                self.keep();
                None
            }
        }
    }

    fn keep(mut self) {
        self.0.is_at_work = false;
        FIBERS.with_borrow_mut(|fibers| {
            let kept = kept_of(fibers, self.0.size);
            if kept.len() < KEPT {
                kept.push(self);
            }
        });
    }

    /// It will never go on, and nothing on its stack is dropped.
    pub(super) fn leave_behind(self) {
        std::mem::forget(self.0);
    }
}

/// Those of this size.
fn kept_of(fibers: &mut Vec<(usize, Vec<Coroutine>)>, size: usize) -> &mut Vec<Coroutine> {
    let place = fibers.iter().position(|(other, _)| *other == size).unwrap_or_else(|| {
        fibers.push((size, Vec::new()));
        fibers.len() - 1
    });
    &mut fibers[place].1
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
    yielder.suspend(false);
    YIELDER.set(yielder);
}
