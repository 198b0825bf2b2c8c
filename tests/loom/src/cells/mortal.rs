//! A writer that is killed before one of its stores.
//!
//! Knows nothing of what it stores.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

loom::thread_local! {
    /// How many stores the thread has left.
    static LEFT: Cell<Option<usize>> = Cell::new(None);
}

struct Killed;

/// The running thread is about to store something.
pub(super) fn step() {
    let dies = LEFT.with(|left| {
        let now = left.get();
        left.set(now.map(|now| now.saturating_sub(1)));
        now == Some(0)
    });
    if dies {
        LEFT.with(|left| left.set(None));
        resume_unwind(Box::new(Killed));
    }
}

/// Does something that is killed after so many stores. Whether it came to its end.
pub(super) fn with_stores(count: usize, work: impl FnOnce()) -> bool {
    LEFT.with(|left| left.set(Some(count)));
    let end = catch_unwind(AssertUnwindSafe(work));
    LEFT.with(|left| left.set(None));
    match end {
        Ok(()) => true,
        Err(cause) if cause.is::<Killed>() => false,
        Err(cause) => resume_unwind(cause),
    }
}
