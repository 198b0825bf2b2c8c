//! Notes: what an operation has come to, left for whoever records it.
//!
//! Knows nothing of who does. The number and the partner are known where they are met with, and written down there,
//! always, for it costs a store or two; whether anybody wants to know is asked once for each operation
//! ([`recorder`](super::recorder)).

use super::ring::OwnRing;

/// Nobody.
const NOBODY: u32 = u32::MAX;

/// Of the last operation of a context.
#[derive(Debug)]
pub(super) struct Notes {
    /// The ring that the context writes, once it has recorded something.
    pub(super) ring: Option<OwnRing>,
    /// Its number.
    pub(super) event: u64,
    /// That of what came before it.
    began: u64,
    met: u32,
}

impl Notes {
    pub(super) fn new() -> Notes {
        Notes { ring: None, event: 0, began: 0, met: NOBODY }
    }

    /// Another operation begins, after all that had this number.
    pub(super) fn begin(&mut self, number: u64) {
        (self.event, self.began, self.met) = (number, number, NOBODY);
    }

    /// Its number, if it was given one.
    pub(super) fn number(&self) -> Option<u64> {
        (self.event != self.began).then_some(self.event)
    }

    /// It has committed this context.
    #[inline(always)]
    pub(super) fn meet(&mut self, context: u32) {
        self.met = context;
    }

    /// Whom it has committed.
    pub(super) fn met(&self) -> Option<u32> {
        Some(self.met).filter(|met| *met != NOBODY)
    }
}
