//! State machines drive networks through their outer channels, and calls of several processes have an order: the same
//! test under any schedule, over processes and over threads.
//!
//! Knows nothing of how the networks work inside.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, unused_macros, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
#[macro_use]
mod drive;
mod bounded_buffer;
mod history;
mod lock_manager;
mod queue;
mod stack;
