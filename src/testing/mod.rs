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
//! Who wants neither strategies nor closures writes [`#[csproc::test]`](macro@crate::test): the body of an ordinary
//! test is the main process of a simulated world, under some hundreds of schedules or under all of them.
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
//! the closure, channels with [`Carrier::Ipc`](crate::Carrier), [`Region`](crate::shared::Region)s, futures,
//! managers of other programs, and waiting for what comes from outside by a bridge, a command or a signal. What waits
//! in the kernel by itself, as a [queue of System V](crate::sysv) or a socket, stops the test.
//!
//! # Failures are kept
//! In a test of `proptest!`, or with `#[csproc::test]`, a failure is kept in `csproc-regressions/` beside the test's
//! source, in a file with the test's name: the smallest schedule as a token, and its events in words. The next time it
//! is tried before all others. When it passes for the first time, that is said and noted in the file; when its events
//! are not those of the network any more, because processes or channels have other names or another order, it is said
//! to be stale. Nothing is kept with `failure_persistence: None` or `PROPTEST_DISABLE_FAILURE_PERSISTENCE=1`, nor by a
//! `TestRunner` that has no `test_name` and `source_file`.
//!
//! The inputs, if there are any, are proptest's to keep: as a seed, in `proptest-regressions/`. Both files belong in
//! the repository. Then the failure comes again with the inputs that it was found with. If inputs were shrunk before
//! the schedule was, it is the schedule under which it was found, event by event, however dice are rolled by then; or
//! else it is the smallest one. Without the seed, or with other strategies, the smallest schedule is tried with
//! whatever inputs come, which is the same failure if the test has none.
//!
//! # What makes a test lie
//! All processes of a simulated network share the statics and thread-local variables of the test, which processes of
//! the operating system do not; a lock of the standard library in a `static` that is held during a communication may
//! stop the test for ever. What a process computes between two communications cannot be interrupted, so a loop that
//! waits for something without communicating never ends. Clocks other than `csproc::time`, random numbers, the order in
//! a `HashMap`, files and sockets may make two runs under one schedule different: each sixteenth run is made twice, and
//! [`Outcome::Nondeterministic`] tells if they are. A shared object that was made outside of the simulation has other
//! users, so it cannot be used in one: whoever waits for it gets the error above, and a run that only looks at it, or
//! changes it by a method without an error, is [`Outcome::Outside`].
//!
//! It names the reason where one can be seen in three more runs: statics and thread-local variables of the program
//! whose bytes change in each of them (by their names; not those of shared libraries, nor what lies on the heap behind
//! one that stays the same, and none in a program without symbols), reading from a file, a pipe or a socket, unnamed
//! threads that are left behind, and contents that are the same in another order. What cannot be seen: clocks, random
//! numbers that come from no file, and threads that have ended by then. Another test that runs meanwhile, on another
//! thread, may change a static, too.

/// What a process says that the schedule has made to panic.
use crate::engine::sim::PANIC;

mod attribute;
mod causality;
mod coverage;
mod decision;
mod draw;
mod event;
mod explore;
mod history;
mod linear;
mod memory;
mod outcome;
mod page;
mod plan;
mod reached;
mod real;
mod reason;
mod regression;
mod render;
mod run;
mod schedule;
mod shrink;
mod simulate;
mod statics;
mod token;
mod tree;

pub use crate::process::Runnable;
#[doc(hidden)]
pub use attribute::{TestResult, Trial};
pub use coverage::Coverage;
pub use event::{Event, EventKind};
pub use explore::{Bound, Counterexample, Estimate, Explore, Explored, explore};
pub use history::{Call, History, Recorder};
pub use linear::{Sequential, Violation};
pub use outcome::Outcome;
pub use real::{real, replay_real, schedule_of};
pub use run::Run;
pub use schedule::{Schedules, schedule};
pub use simulate::{replay, simulate};
pub use tree::{Schedule, ScheduleTree};
