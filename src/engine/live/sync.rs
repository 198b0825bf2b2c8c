//! The only door to atomics, futexes and spinning for the protocol of this engine.
//!
//! Knows nothing of the protocol. A model checker replaces what is behind this door, the layer `sys`; therefore no
//! other file of the protocol names an atomic of `std` or a futex.

pub(crate) use crate::sys::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence, spin_loop, yield_now};
pub(crate) use crate::sys::futex::{Woken, wait, wait_low, wake, wake_all, wake_low};
