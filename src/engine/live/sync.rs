//! The only door to atomics, futexes and spinning for the protocol of this engine.
//!
//! Knows nothing of the protocol. A model checker replaces what is behind this door; therefore no other file of the
//! engine names `std::sync` or a futex.

pub(crate) use crate::sys::futex::{Woken, wait, wait_low, wake, wake_all, wake_low};
pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};
pub(crate) use std::thread::yield_now;
