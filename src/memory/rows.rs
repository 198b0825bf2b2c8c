//! Rows: eight words each, of which every ring of a recorder has as many.
//!
//! Knows nothing of what is in them. They are address space until somebody writes there: nothing was ever recorded, and
//! no page is used.
#![expect(unsafe_code, reason = "promises that a row consists of atomics; listed in the architecture page")]

use super::pool::Shareable;
use crate::sys::atomic::AtomicU64;

/// So many words are a row, which is a cache line.
pub(crate) const WORDS: usize = 8;
/// The bytes of the rows of one ring are a power of two: so much of an arena, and no more than this.
const SHARE: usize = 1024;
const MOST: usize = 1 << 20;

/// A row.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Row(pub(crate) [AtomicU64; WORDS]);

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for Row {}

/// How many rows each ring has in an arena of this size.
pub(super) const fn rows_in(arena: usize) -> usize {
    let bytes = if arena / SHARE < MOST { arena / SHARE } else { MOST };
    1 << (bytes / size_of::<Row>()).ilog2()
}
