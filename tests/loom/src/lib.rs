//! The live engine under loom, which knows weak memory: its own sources, which the build copies to seed faults in them.
//!
//! Knows nothing of what the engine is for. `tests/model` runs more of it, where all threads see the same; here a
//! thread may read what is stale.
//!
//! - [`words`]: the state word and the lock alone, with relaxed payloads around them
//! - [`cells`]: a cell alone, whose words are the payload themselves
//! - [`scenario`], [`network`]: processes with channels between them, over the whole engine; stage, execution and
//!   machine are those of `tests/model`
//! - `checker`: loom, as the machine asks for it
//! - [`search`]: all executions of either
//! - [`fault`]: orderings that are weaker than the sources say, and the seeded faults, which are those of `tests/model`
// The sources of csproc bring unit tests of their own, which are not for this place; `--all-targets` would build them
// here.
#![cfg(not(test))]
#![expect(dead_code, unreachable_pub, unused_imports, reason = "the engine offers more than its models use")]

#[path = "../../model/src/apart.rs"]
mod apart;
#[path = "../../model/src/barriers.rs"]
pub mod barriers;
#[path = "../../model/src/calls.rs"]
pub mod calls;
pub mod cells;
mod checker;
#[path = "../../model/src/execution.rs"]
pub mod execution;
pub mod fault;
#[path = "../../model/src/gates.rs"]
pub mod gates;
#[path = "../../model/src/machine.rs"]
mod machine;
pub mod network;
#[path = "../../model/src/party.rs"]
mod party;
#[path = "../../model/src/recorded.rs"]
pub mod recorded;
#[path = "../../model/src/references.rs"]
pub mod references;
#[path = "../../model/src/scenario.rs"]
pub mod scenario;
pub mod search;
#[path = "../../model/src/seeded.rs"]
mod seeded;
#[path = "../../model/src/shorts.rs"]
pub mod shorts;
#[path = "../../model/src/stage.rs"]
mod stage;
#[path = "../../model/src/stow.rs"]
mod stow;
mod sys;
#[path = "../../model/src/tasks.rs"]
pub mod tasks;
pub mod words;

// The layers `engine` and `memory`.
include!(concat!(env!("OUT_DIR"), "/layers.rs"));

pub use apart::apart;
