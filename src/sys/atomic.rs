//! Atomics, and giving way to other threads: every word that processes share is one of these.
//!
//! Knows nothing of what the words mean. The models (`tests/model`) put a layer `sys` of their own in the place of this
//! one, so that a checker decides at each of these operations which thread goes on; therefore the layers below name no
//! atomics of `std` for shared words.

pub(crate) use std::hint::spin_loop;
/// A word that only tells something, and on which nothing of the protocol depends: the models do not put it before
/// their checkers.
pub(crate) use std::sync::atomic::AtomicU32 as Tally;
pub(crate) use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, AtomicU64, Ordering, fence};
pub(crate) use std::thread::yield_now;
