//! The door to atomics for a cell: the same names as in csproc, over objects of loom.
//!
//! Knows nothing of cells. Whoever stores a word may be killed before.

use super::mortal;
use crate::sys::object;
pub(super) use crate::sys::object::{Ordering, fence};

/// A reader goes round until somebody has written: loom runs others first.
pub(super) fn spin_loop() {
    loom::thread::yield_now();
}

#[derive(Debug, Default)]
pub(super) struct AtomicU64(object::AtomicU64);

impl AtomicU64 {
    #[track_caller]
    pub(super) fn load(&self, asked: Ordering) -> u64 {
        self.0.load(asked)
    }

    #[track_caller]
    pub(super) fn store(&self, value: u64, asked: Ordering) {
        mortal::step();
        self.0.store(value, asked);
    }

    #[track_caller]
    pub(super) fn swap(&self, value: u64, asked: Ordering) -> u64 {
        self.0.swap(value, asked)
    }

    #[track_caller]
    pub(super) fn fetch_add(&self, value: u64, asked: Ordering) -> u64 {
        self.0.fetch_add(value, asked)
    }

    #[track_caller]
    pub(super) fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.0.compare_exchange(current, new, success, failure)
    }
}
