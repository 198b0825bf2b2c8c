//! The door to atomics and futexes for the two words: the same names as in csproc, over objects of loom.
//!
//! Knows nothing of what the words mean.

pub(crate) use crate::sys::futex::{Woken, wait, wait_low, wake, wake_all, wake_low};
pub(crate) use crate::sys::object::{AtomicU32, AtomicU64, Ordering};
pub(crate) use crate::sys::yield_now as spin_loop;
