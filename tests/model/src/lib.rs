//! The protocol of the live engine, run by model checkers: its own sources, over a machine that a checker controls.
//!
//! Knows nothing of what the engine is for. The layers `memory` and `engine` are the files of csproc itself, which the
//! build copies to seed faults in them; only the layer `sys` is this package's. Its atomics are plain words in a plain
//! arena, as they are in the program, but each operation on one is a step at which the checker decides who goes on, and
//! at which a process can be killed.
//!
//! - `machine`: threads and their death, and the trait that a checker implements; `checker`: shuttle, with steps, sleep
//!   and time
//! - `stow`: what changes threads although its type says that it must not
//! - `stage`: processes with channels between them; `party`: what each of them does, and what it saw
//! - [`execution`]: they run, some are killed and buried, and then nothing may be left
//! - [`scenario`], [`barriers`], [`calls`], [`cells`], [`ends`], [`futures`], [`gates`], [`queues`], [`recorded`],
//!   [`references`], [`tasks`]: what they do and what may come of it
//! - [`search`]: which schedules are tried; [`apart`]: several search at once
//! - [`seeded`]: which of the seeded faults is in place; `faults/table.rs` has them all
// The sources of csproc bring unit tests of their own, which are not for this place; `--all-targets` would build them
// here.
#![cfg(not(test))]
#![expect(dead_code, unreachable_pub, unused_imports, reason = "the engine offers more than its models use")]

mod apart;
pub mod areas;
pub mod barriers;
pub mod calls;
pub mod cells;
mod checker;
pub mod ends;
pub mod execution;
pub mod futures;
pub mod gates;
mod machine;
mod party;
pub mod queues;
pub mod recorded;
pub mod references;
pub mod scenario;
pub mod search;
pub mod seeded;
pub mod shorts;
mod stage;
mod stow;
mod sys;
pub mod tasks;

// The layers `engine` and `memory`.
include!(concat!(env!("OUT_DIR"), "/layers.rs"));

pub use apart::apart;

/// All scenarios.
pub fn scenarios() -> impl Iterator<Item = &'static scenario::Scenario> {
    scenario::ALL
        .into_iter()
        .chain(futures::ALL)
        .chain(gates::ALL)
        .chain(queues::ALL)
        .chain(tasks::ALL)
        .chain(cells::ALL)
        .chain(areas::ALL)
        .chain(ends::ALL)
        .chain(calls::ALL)
        .chain(barriers::ALL)
        .chain(references::ALL)
        .chain(shorts::ALL)
        .chain(recorded::ALL)
}
