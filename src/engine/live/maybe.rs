//! An index, or none, in a word that other processes read.
//!
//! Knows nothing of what the index names. Fresh memory is zero and means none, so an index is kept plus one.

use super::sync::{AtomicU32, Ordering};

/// An index of 32 bits but the last one, or none.
#[repr(transparent)]
#[derive(Debug, Default)]
pub(super) struct MaybeIndex(AtomicU32);

impl MaybeIndex {
    #[inline]
    #[track_caller]
    pub(super) fn load(&self, order: Ordering) -> Option<u32> {
        self.0.load(order).checked_sub(1)
    }

    #[inline]
    #[track_caller]
    pub(super) fn store(&self, index: Option<u32>, order: Ordering) {
        self.0.store(index.map_or(0, |index| index + 1), order);
    }
}
