//! Networks of communicating sequential processes, run as processes of the operating system.
//!
//! A function marked [`#[process]`](macro@process) becomes a process. [`Parallel!`] runs processes side by side. Typed
//! [`Channel`]s join them: a write and a read meet, and neither goes on without the other. An
//! [alternation](guide::alternation) waits for the first of several communications. A process may crash at any moment,
//! and the others get an error that names it.
//!
//! # A first program
//! ```toml
//! [dependencies]
//! csproc = "0.1"
//! serde = { version = "1", features = ["derive"] } # for your own types as messages
//! ```
//! ```
//! use csproc::prelude::*;
//!
//! #[process] // an operating-system process when it runs
//! fn source(out: Writer<u64>, n: u64) -> csproc::Result<()> {
//!     for i in 0..n {
//!         out.write(i)?; // waits for a reader; `?` ends the process when the channel ends
//!     }
//!     Ok(())
//! }
//!
//! #[process]
//! fn sum(input: Reader<u64>) -> csproc::Result<u64> {
//!     Ok(input.results().sum::<Result<u64, _>>()?) // ends when the last writer is gone; a crash is an error
//! }
//!
//! fn main() -> csproc::Result<()> {
//!     let c = Channel::<u64>::new();
//!     let ((), total) = Parallel!(source(c.writer(), 10), sum(c.reader())).values()?;
//!     assert_eq!(total, 45);
//!     Ok(())
//! }
//! ```
//!
//! # Where to read on
//! The [guide] explains one thing after the other, with programs to copy: [processes](guide::process),
//! [channels](guide::channel) and why a program does not end, [results](guide::result),
//! [alternation](guide::alternation), [termination](guide::termination), [failures](guide::failure), [what a process
//! sees](guide::surroundings), [testing and debugging](guide::debugging), a [cookbook](guide::cookbook), a
//! [glossary](guide::glossary), and tables for those who come from [Python's `multiprocessing`, PyCSP, Go or
//! crossbeam](guide::coming_from).
//!
//! # How a network ends
//! A process that returns gives up its ends of channels. When the last end of one side is gone, the channel *retires*
//! (others say: is closed), and the other side sees [`ChannelError::Retired`]. So the end of a source travels through a
//! network. [`poison!`] ends a channel at once, and a process that returns poison through `?` poisons the channels it
//! was given. When a process crashes, its channels end, and its peers see [`ChannelError::Lost`] with who died, and
//! how. [`Parallel!`] always waits until every process has ended.
//!
//! # Where processes run
//! Processes are forked from a small server that the library starts before `main`; nothing has to be called. They see
//! what was there before `main`, and their arguments: what `main` sets up in `static`s, a logger for instance, [does
//! not reach them](guide::surroundings). The same function runs on a thread with [`Placement::Thread`]. The
//! [`architecture`] page says how all this works and what it relies on.

// The documentation says of each item which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(test)]
extern crate self as csproc;

mod alternation;
pub mod bridge;
mod cause;
mod channel;
mod engine;
mod forkserver;
pub mod guide;
mod memory;
pub mod plug;
pub mod pool;
mod process;
pub mod shared;
mod sys;
pub mod sysv;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod toolkit;
pub mod trace;

#[cfg(feature = "async")]
pub use alternation::SelectAsync;
pub use alternation::{Alternation, Event, Fired, Guard, Read, Ticker, Token, Write, select_read, tick};
pub use cause::Cause;
pub use channel::{
    Barrier, BlockedProcess, Buffer, Builder, Carrier, Channel, ChannelEnd, ChannelError, ChannelId, DeadlockReport,
    Extended, Flat, IntoIter, Iter, Loan, Message, MessageError, ReadResults, Reader, View, WaitsFor, WriteError,
    Writer, ask, channel,
};
#[cfg(feature = "async")]
pub use channel::{ReadAsync, ReadLoanAsync, SendAsync, WriteAsync};
#[cfg(feature = "testing")]
pub use csproc_macros::test;
pub use csproc_macros::{process, setup};
pub use engine::ProcessId;
pub use process::{
    Audit, Child, Current, Deadlock, Error, ExitGuard, Failure, Link, Network, NetworkError, OnCrash, Placement,
    Process, Result, Results, StartError, StillRunning, Strategy, Structure, Supervisor, audit, current, dump,
    stand_aside, values,
};

#[doc = include_str!("ARCHITECTURE.md")]
pub mod architecture {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Runs processes side by side, waits for all of them, and gives what they returned.
///
/// A part is a [`Process`], `for pattern in iterator => part`, a `Vec` of parts, or another composition. The results
/// come as a tuple in the order of the parts; a `for` part and a `Vec` give a `Vec`; one part gives its result bare,
/// none gives `()`. There may be up to 16 parts. `Parallel!(…)` is
/// [`network!(…)`](crate::network!)[`.run()`](Network::run).
///
/// `Parallel!(…)?` fails when a process crashed, and `Parallel!(…)`[`.values()?`](crate::values::Values::values) also
/// when a process returned an error. The compiler warns of `Result`s in a `Vec` that the statement `Parallel!(…)?;`
/// throws away.
///
/// # Blocking
/// Waits until every process has ended.
///
/// # Errors
/// [`NetworkError`] names every process that crashed or could not be started.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (nine, squares) = Parallel!(square(3), for x in 0..4 => square(x))?;
///     assert_eq!((nine, squares), (9, vec![0, 1, 4, 9]));
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! Parallel {
    ($($parts:tt)*) => { $crate::__private::compose! { parallel [$crate] $($parts)* } };
}

/// Runs processes one after the other; the grammar and the results are those of [`Parallel!`].
///
/// After a failure the rest is not started. Inside `Parallel!` or `network!` it stands for a part that runs while the
/// others run.
///
/// # Blocking
/// Waits until every process has ended.
///
/// # Errors
/// As for [`Parallel!`].
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// fn main() -> csproc::Result<()> {
///     assert_eq!(Sequence!(square(1), square(2))?, (1, 4));
///     assert_eq!(Parallel!(square(5), Sequence!(square(1), square(2)))?, (25, (1, 4)));
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! Sequence {
    ($($parts:tt)*) => { $crate::__private::compose! { sequence [$crate] $($parts)* } };
}

/// Starts processes and comes back at once, with a [`Child`] for each part.
///
/// `Spawn!(a, b)` gives two children, each joined by itself; [`network!(a, b).spawn()`](Network::spawn) gives one child
/// that stands for both, and is joined, killed and waited for as one. The grammar is that of [`Parallel!`]. A child
/// that is not joined goes on, and is joined when the process that spawned it ends.
///
/// # Blocking
/// Waits until the system has started the processes, not for what they do.
///
/// # Errors
/// A process could not be started. The channels of its arguments are poisoned, so that nobody waits for a process that
/// never was; the parts before it go on, as children that were let go.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// fn main() -> csproc::Result<()> {
///     let child = Spawn!(square(3))?;
///     let many = Spawn!(for x in 0..3 => square(x))?;
///     assert_eq!(child.join()?, 9);
///     assert_eq!(many.join()?, [0, 1, 4]);
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! Spawn {
    ($($parts:tt)*) => { $crate::__private::compose! { spawn [$crate] $($parts)* } };
}

/// Puts processes together to a [`Network`], a value that can be run later.
///
/// The grammar is that of [`Parallel!`].
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn square(x: u64) -> u64 {
///     x * x
/// }
///
/// fn main() -> csproc::Result<()> {
///     let network = network!(square(3), square(4));
///     assert_eq!(network.run()?, (9, 16));
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! network {
    ($($parts:tt)*) => { $crate::__private::compose! { network [$crate] $($parts)* } };
}

/// Poisons the channels of these ends: every operation on them fails at once, now and later.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let (c, d) = (Channel::<u8>::new(), Channel::<u8>::new());
/// let (w, r) = (c.writer(), d.reader());
/// poison!(w, r);
/// assert!(c.reader().read().unwrap_err().is_poisoned());
/// assert!(d.writer().write(1).unwrap_err().is_poisoned());
/// ```
#[macro_export]
macro_rules! poison {
    ($($end:expr),+ $(,)?) => {{ $( $crate::ChannelEnd::poison(&$end); )+ }};
}

/// Gives these ends up; when one was the last of its side, its channel retires.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let c = Channel::<u8>::new();
/// let (w, r) = (c.writer(), c.reader());
/// retire!(w);
/// assert!(r.read().unwrap_err().is_retired());
/// ```
#[macro_export]
macro_rules! retire {
    ($($end:expr),+ $(,)?) => {{ $( $crate::ChannelEnd::retire(&$end); )+ }};
}

/// Waits for one of several guards, and runs its arm. Of several that are ready, any may be chosen.
///
/// | guard | fires |
/// |---|---|
/// | `v = reader.read()` | when a message is read, which is `v` in the arm |
/// | `writer.write(value)` | when the value is written; it is evaluated before the choice |
/// | `after(duration)`, `at(instant)` | when the time has come |
/// | `skip` | when nothing else is ready |
/// | `v = guard` | when this [`Guard`] fires, such as the end of a child |
///
/// Any of them may be followed by a precondition, `if condition`: when it is false, the guard is absent and neither its
/// end nor its value is evaluated. The arm `=> expression` may `return`, `break`, `continue` and use `?`; all arms are
/// of one type. The guards are evaluated once, in order, and exactly one fires: the others leave no trace.
///
/// # Blocking
/// Waits until a guard is ready.
///
/// # Errors
/// The value is a `Result`: `Err` with the [`ChannelError`] of a channel that is poisoned, retired or lost, if no other
/// guard fired before; or [`ChannelError::NoGuards`] when no guard is present.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use std::time::Duration;
///
/// let (c, d) = (Channel::new(), Channel::<u32>::new());
/// let (input, output) = (d.reader(), c.writer());
/// let _silent = d.writer();
/// let r = c.reader();
/// let reader = std::thread::spawn(move || r.read());
/// let credit = 0;
/// let said = AltSelect! {
///     v = input.read() => format!("read {v}"),
///     output.write(7) => "written".to_string(),
///     _v = input.read() if credit > 0 => unreachable!(),
///     after(Duration::from_secs(60)) => "late".to_string(),
/// }?;
/// assert_eq!(said, "written");
/// assert_eq!(reader.join().unwrap()?, 7);
/// # Ok::<(), csproc::Error>(())
/// ```
#[macro_export]
macro_rules! AltSelect {
    ($($arms:tt)*) => { $crate::__private::alternate! { alt [$crate] $($arms)* } };
}

/// As [`AltSelect!`]; of several guards that are ready, the first is chosen.
///
/// Priority binds who looks: when nothing is ready at first, whoever comes first is taken.
///
/// # Blocking
/// Waits until a guard is ready.
///
/// # Errors
/// As for [`AltSelect!`].
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let c = Channel::<u32>::new();
/// let (_w, r) = (c.writer(), c.reader());
/// let polled = PriSelect! {
///     v = r.read() => Some(v),
///     skip => None,
/// }?;
/// assert_eq!(polled, None);
/// # Ok::<(), csproc::Error>(())
/// ```
#[macro_export]
macro_rules! PriSelect {
    ($($arms:tt)*) => { $crate::__private::alternate! { pri [$crate] $($arms)* } };
}

/// As [`AltSelect!`]; of several guards that are ready, the first after the one chosen last is chosen.
///
/// What was chosen last is remembered for each place in the program and each process.
///
/// # Blocking
/// Waits until a guard is ready.
///
/// # Errors
/// As for [`AltSelect!`].
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use std::time::Instant;
///
/// let mut order = Vec::new();
/// for _ in 0..4 {
///     order.push(FairSelect! {
///         at(Instant::now()) => 'a',
///         at(Instant::now()) => 'b',
///     }?);
/// }
/// assert_eq!(order, ['a', 'b', 'a', 'b']);
/// # Ok::<(), csproc::Error>(())
/// ```
#[macro_export]
macro_rules! FairSelect {
    ($($arms:tt)*) => { $crate::__private::alternate! { fair [$crate] $($arms)* } };
}

/// Everything that a program with processes needs, in one `use`.
///
/// `use csproc::*` is not meant for it: the crate's root also has [`Read`], [`Write`] and [`Event`], which clash with
/// the traits of `std::io` and other crates' types. What a program needs only now and then is at the root:
/// [`Strategy`], [`Extended`], [`DeadlockReport`].
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn answer() -> u8 {
///     42
/// }
///
/// fn main() -> csproc::Result<()> {
///     assert_eq!(Parallel!(answer())?, 42);
///     Ok(())
/// }
/// ```
pub mod prelude {
    pub use crate::pool::Pool;
    pub use crate::shared::{
        Array, Condition, Event, Lock, Manager, Namespace, PipeEnd, Queue, RwLock, Semaphore, Value, managed, pipe,
    };
    pub use crate::values::Values;
    pub use crate::{
        AltSelect, Alternation, Barrier, Buffer, Carrier, Cause, Channel, ChannelEnd, ChannelError, Child, Deadlock,
        Failure, FairSelect, Message, Network, NetworkError, OnCrash, Parallel, Placement, PriSelect, Process, Reader,
        Sequence, Spawn, Supervisor, WriteError, Writer, network, poison, process, retire, select_read, tick,
    };
}

/// What the macros expand to calls these; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::forkserver::{SetUp, SetUpResult};
    pub use crate::process::{
        Options, Part, Parts, Spawn, ending, looks, parallel, part, process, remedy, sequence, spawn, thrown_away,
    };
    pub use csproc_macros::{alternate, compose};
    pub use serde;

    /// What `#[csproc::test]` expands to.
    #[cfg(feature = "testing")]
    pub mod testing {
        pub use crate::testing::{TestResult, Trial};
    }

    /// What the alternation macros expand to.
    pub mod alternation {
        pub use crate::alternation::{
            Arm, Extend, ExtendedArm, Input, Output, ReadArm, SkipArm, SyncArm, Synced, Take, TickArm, TimerArm, Turn,
            WriteArm, after, alt_select, at, fair_select, guard, pri_select, read, read_extended, skip, sync, write,
        };
        pub use crate::channel::{Extended as Held, Hold};
    }
}
