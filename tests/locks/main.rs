//! Locks, semaphores, events and conditions keep their laws: nobody is inside who should not be, nobody is overtaken,
//! and whoever dies gives back what he had, and the next one is told.
//!
//! Knows nothing of how permits change hands; that is tested with the engine, and in `tests/model`.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod cell;
mod condition;
mod deadlock;
mod death;
mod event;
mod lock;
mod rwlock;
mod semaphore;
