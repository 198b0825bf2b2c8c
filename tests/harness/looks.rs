//! Time for whoever looks for deadlocks: what lasted for so many looks was seen, and was not taken for one.
//!
//! Knows nothing of how they are found. A proof takes two readings, so whoever waits for three looks to end has had
//! both of them.

use csproc::__private::looks;
use std::time::Duration;

/// The looks since some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looks(u64);

impl Looks {
    pub(crate) fn from_now() -> Looks {
        Looks(looks())
    }

    /// Whether two of them have begun and ended since.
    pub(crate) fn make_a_proof(self) -> bool {
        self.are_more_than(2)
    }

    pub(crate) fn are_more_than(self, count: u64) -> bool {
        looks() > self.0 + count
    }

    /// Sleeps meanwhile.
    pub(crate) fn wait_for_a_proof(self) {
        while !self.make_a_proof() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
