//! The only door to atomics for a cell, which a model checker runs by itself.
//!
//! Knows nothing of cells.

pub(super) use crate::sys::atomic::{AtomicU64, Ordering, fence, spin_loop};
