//! The process server: a small single-threaded process, forked before `main`, from which all processes are forked.
//!
//! Knows nothing of what travels through channels. It is forked from an ELF constructor, so every function of the
//! program has the same address in every process, a spawn costs the same however large the program has grown, and
//! nothing has to be called in `main`. The parties and what each may rely on:
//!
//! ```text
//!  root ──── doorbell (pipe) + requests (ipc-channel) ────►  server ──── fork ────►  process
//!   │                                                             │                        │
//!   └──────────────────────── life (socket pair) ─────────────────┘                        │
//!                              the arena (shared memory) ◄─────────────────────────────────┘
//! ```
//! - **Doorbell.** Whom to start and whom to kill is written to it, as a whole or not at all; whoever finds it full
//!   waits until the server listens. An ipc-channel receiver cannot be polled together with anything else, so whoever
//!   sends a request then rings. Killed in between, the request waits for the next one's ring, and its sender is not
//!   there to miss the answer.
//! - **Death of the root**: the kernel tells the server (parent death signal), which kills every process; if the root
//!   ends in order or executes another program instead, the `life` socket says so.
//! - **Death of a process**: the server reaps it, notes in its slot how it ended, and `engine::live::bury` undoes what
//!   it had begun. The last step of that wakes those who wait for its end, so they find it reaped, its ends closed and
//!   its outcome in the slot.
//! - **Death of a process that spawned others**: those are killed; nobody could collect them.
//! - **Death of the server**: all processes die with it. The root notices on the `life` socket and buries them itself.

mod child;
mod client;
mod code;
mod constructor;
mod environment;
mod panics;
mod protocol;
mod server;
mod set_up;

pub(crate) use child::STACK;
pub(crate) use client::{end_server, fetch, kill, own_name, publish, start};
pub(crate) use code::{Code, Entry};
pub(crate) use constructor::availability;
pub(crate) use environment::Launch;
#[cfg(feature = "testing")]
pub(crate) use panics::untold;
pub(crate) use panics::{record_caught_panic, record_panics_of, text_of, told_by};
pub use set_up::{SetUp, SetUpResult};
