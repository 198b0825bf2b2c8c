//! Time: a deadline passes when somebody sleeps with it, and for nobody else.
//!
//! Knows nothing of who waits. Each reading of the clock is later than all before it, so each deadline is one of its
//! own: what passes for one thread does not pass for another, between whose steps the checker would see no dependence.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ops::Add;
use std::time::Duration;

thread_local! {
    static READINGS: Cell<u64> = const { Cell::new(0) };
    static PASSED: RefCell<HashSet<Instant>> = RefCell::default();
}

/// Begins an execution.
pub(crate) fn begin() {
    READINGS.set(0);
    PASSED.take();
}

/// The number of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Instant(u64);

impl Instant {
    pub(crate) fn now() -> Instant {
        READINGS.set(READINGS.get() + 1);
        Instant(READINGS.get())
    }

    pub(crate) fn elapsed(self) -> Duration {
        Duration::ZERO
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, _: Duration) -> Instant {
        self
    }
}

/// What tells the time of events, which nobody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    Monotonic,
    Processor,
}

impl Counter {
    pub(crate) fn best() -> Counter {
        Counter::Monotonic
    }

    pub(crate) fn now(self) -> u64 {
        0
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn at(instant: Instant) -> Deadline {
        Deadline(instant)
    }

    pub(crate) fn instant(&self) -> Instant {
        self.0
    }

    pub(crate) fn is_past(&self) -> bool {
        PASSED.with_borrow(|passed| passed.contains(&self.0))
    }

    /// Somebody has slept until then.
    pub(super) fn passes(&self) {
        PASSED.with_borrow_mut(|passed| passed.insert(self.0));
    }
}
