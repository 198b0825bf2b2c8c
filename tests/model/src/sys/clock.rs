//! Time, which stands still until somebody who waits for it runs.
//!
//! Knows nothing of who waits. A sleeper with a deadline may be run at any moment of the schedule; then its deadline
//! has passed.

use crate::checker;
use std::ops::Add;
use std::time::Duration;

/// A moment: nanoseconds since the execution began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(u64);

impl Instant {
    pub(crate) fn now() -> Instant {
        Instant(checker::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        Duration::from_nanos(checker::now() - self.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, distance: Duration) -> Instant {
        Instant(self.0 + u64::try_from(distance.as_nanos()).expect("a distance that a model uses"))
    }
}

/// What tells the time of events.
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
        checker::now()
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
        Instant::now() >= self.0
    }

    /// The sleeper has slept until now.
    pub(super) fn comes(&self) {
        checker::pass_until(self.0.0);
    }
}
