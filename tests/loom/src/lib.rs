//! The live engine under loom, which knows weak memory: the sources themselves, not a copy.
//!
//! Knows nothing of what the engine is for. `tests/model` runs more of it, where all threads see the same; here a
//! thread may read what is stale.
//!
//! - [`words`]: the state word and the lock alone, with relaxed payloads around them
//! - [`scenario`], [`network`]: processes with channels between them, over the whole engine; stage and
//!   execution are those of `tests/model`
//! - [`search`]: all executions of either
//! - [`fault`]: orderings that are weaker than the sources say, and steps that are left out
// The sources of csproc bring unit tests of their own, which are not for this place; `--all-targets` would build them
// here.
#![cfg(not(test))]
#![expect(dead_code, unreachable_pub, unused_imports, reason = "the engine offers more than its models use")]
#![expect(
    clippy::duplicate_mod,
    reason = "the two words are here twice: alone over objects of loom, and in the engine over the arena"
)]

#[path = "../../../src/engine/mod.rs"]
mod engine;
#[path = "../../model/src/execution.rs"]
pub mod execution;
pub mod fault;
mod machine;
#[path = "../../../src/memory/mod.rs"]
mod memory;
pub mod network;
#[path = "../../model/src/scenario.rs"]
pub mod scenario;
pub mod search;
#[path = "../../model/src/stage.rs"]
mod stage;
#[path = "../../model/src/stow.rs"]
mod stow;
mod sys;
pub mod words;

use std::sync::{Mutex, MutexGuard, PoisonError};

static TURN: Mutex<()> = Mutex::new(());

/// One arena serves all executions of a program: whoever searches the whole engine holds this meanwhile.
pub fn one_at_a_time() -> MutexGuard<'static, ()> {
    // A search that has failed does not stop the others: an execution begins by wiping everything.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
