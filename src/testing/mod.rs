//! Property tests of networks: the processes that run under the operating system, run under any schedule.
//!
//! Knows nothing of how a schedule is carried out. [`simulate`] runs a network on the calling thread in a world of its
//! own, in which each communication, choice, timer and crash is a decision. [`schedule`] is a strategy of
//! [proptest](https://docs.rs/proptest) whose values make these decisions; what fails is shrunk event by event to a
//! short trace, and [`replay`] runs it again.
//!
//! ```
//! use csproc::prelude::*;
//! use csproc::testing::{schedule, simulate};
//! use proptest::prelude::*;
//!
//! #[process]
//! fn relay(input: Reader<u8>, out: Writer<u8>) -> csproc::Result<()> {
//!     for value in input {
//!         out.write(value)?;
//!     }
//!     Ok(())
//! }
//!
//! #[process]
//! fn source(out: Writer<u8>, values: Vec<u8>) -> csproc::Result<()> {
//!     for value in values {
//!         out.write(value)?;
//!     }
//!     Ok(())
//! }
//!
//! #[process]
//! fn sink(input: Reader<u8>) -> Vec<u8> {
//!     input.into_iter().collect()
//! }
//!
//! fn pipeline(values: Vec<u8>) -> Network<(csproc::Result<()>, csproc::Result<()>, Vec<u8>)> {
//!     let c = Channel::new();
//!     let d = Channel::builder().name("out").build().expect("a channel");
//!     network!(source(c.writer(), values), relay(c.reader(), d.writer()), sink(d.reader()))
//! }
//!
//! proptest!(ProptestConfig::with_cases(20), |(values in prop::collection::vec(any::<u8>(), 0..5), s in schedule())| {
//!     let run = simulate(&s, || pipeline(values.clone()));
//!     prop_assert!(run.completed(), "{run}");
//!     prop_assert_eq!(run.messages::<u8>("out"), values);
//! });
//! ```
//!
//! # What runs there
//! The closure builds a network, or one process, out of channels that it makes itself. Each `#[process]` function runs
//! as a coroutine, wherever it is placed otherwise, with its arguments sent as they are between processes: so an
//! argument that cannot travel is found. Time is virtual ([`csproc::time`](crate::time)): it passes when nobody can go
//! on otherwise, so a test with timeouts of hours ends at once.
//!
//! Rendezvous and buffered channels, alternation, timers, poison, retirement, extended rendezvous, barriers, calls,
//! shared objects, children, sequences, restarts and supervisors are simulated. What is not is refused with
//! [`MessageError::Simulation`](crate::MessageError::Simulation), which names it: channels that were made outside of
//! the closure, channels with [`Carrier::Ipc`](crate::Carrier), [`Region`](crate::shared::Region)s, and futures. A
//! bridge, and whatever else waits in a thread of its own, does not wake anybody who is simulated.
//!
//! # What makes a test lie
//! All processes of a simulated network share the statics and thread-local variables of the test, which processes of
//! the operating system do not; a lock of the standard library in a `static` that is held during a communication may
//! stop the test for ever. What a process computes between two communications cannot be interrupted, so a loop that
//! waits for something without communicating never ends. Clocks other than `csproc::time`, random numbers, the order in
//! a `HashMap`, files and sockets may make two runs under one schedule different: each sixteenth run is made twice, and
//! [`Outcome::Nondeterministic`] tells if they are.

mod draw;
mod event;
mod outcome;
mod plan;
mod render;
mod run;
mod schedule;
mod shrink;
mod simulate;
mod token;

pub use crate::process::Runnable;
pub use event::{Event, EventKind};
pub use outcome::Outcome;
pub use run::Run;
pub use schedule::{Schedule, ScheduleTree, Schedules, schedule};
pub use simulate::{replay, simulate};
