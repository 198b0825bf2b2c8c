//! Traces: what the processes of a program did last, in an order that agrees with what could have caused what.
//!
//! Knows nothing of how it is recorded. While nobody asks for it, an operation pays for one look at a word that does
//! not change. Once [`start`] was called, or the program was started with `CSPROC_TRACE=1`, every thread that
//! communicates writes its last thousand events down, in shared memory: so what a process did last can be read when it
//! is dead.
//!
//! ```
//! use csproc::prelude::*;
//! use csproc::trace;
//!
//! #[process]
//! fn double(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
//!     for value in input {
//!         trace::mark("a value has come");
//!         out.write(2 * value)?;
//!     }
//!     Ok(())
//! }
//!
//! fn main() -> csproc::Result<()> {
//!     trace::start();
//!     let c = Channel::builder().name("values").build()?;
//!     let d = Channel::builder().name("doubles").build()?;
//!     let (w, r) = (c.writer(), d.reader());
//!     let child = Spawn!(double(c.reader(), d.writer()))?;
//!     drop(c);
//!     w.write(21)?;
//!     assert_eq!(r.read()?, 42);
//!     drop(w);
//!     child.join()??;
//!
//!     let trace = trace::last(50);
//!     let mut doubled = trace.of("double").map(|event| event.to_string());
//!     assert!(doubled.any(|line| line.contains("read `values` from `main`")), "{trace}");
//!     let (written, read) = trace.pairs().find(|(written, _)| written.channel() == Some("values")).unwrap();
//!     assert_eq!((written.process(), read.process()), ("main", "double"));
//!     assert_eq!(written.number(), read.number());
//!     let back = trace.pairs().find(|(written, _)| written.channel() == Some("doubles")).unwrap();
//!     assert!(trace.happened_before(written, back.1) && !trace.happened_before(written, read));
//!     println!("{trace}");
//!     Ok(())
//! }
//! ```
//!
//! When a process has crashed, or is found in a deadlock, what it did last stands in the error:
//! [`NetworkError::last_events`](crate::NetworkError::last_events).
//!
//! # What is recorded
//! Beginnings and ends of processes, reads and writes on channels, whether alone or in an alternation, with their
//! partners, sizes and how long they waited; meetings at barriers; passing of locks, semaphores, events and
//! conditions; poison, and the ends of channels; timers that fire; [marks](mark) and
//! [spans](span). Messages are not recorded. Each thread, and each future, keeps the last 1024 events, in 64 KiB, or as
//! many as `CSPROC_TRACE` says: `CSPROC_TRACE=8192`; what it overwrites is counted ([`Trace::lost`]).
//!
//! Threads that a program starts by hand share no order with their makers, unless they communicate. Nor does who passes
//! a lock or a semaphore with who has given it back: both are recorded, and not which of them let the other pass.
//!
//! In a [simulation](crate::testing) nothing is recorded, for a run has a trace of its own.

mod chart;
mod event;
mod gather;
mod json;
mod latest;
mod order;
mod span;
mod text;

#[cfg(feature = "testing")]
pub(crate) use chart::plain;
pub use event::{Event, Outcome, What};
#[cfg(feature = "testing")]
pub(crate) use json::quoted;
pub use latest::LastEvents;
pub(crate) use latest::last_events_of;
pub use span::{Span, span};

use crate::engine::{Actor, EventKind, EventOf, Program, actor};
use gather::gather;
use order::Order;
use std::panic::Location;

/// How many events of each thread are kept.
const USUAL: u32 = 1024;

/// From now on what happens is recorded, in all processes of the program. What was recorded before is forgotten, unless
/// it is recorded already.
///
/// # Examples
/// ```
/// use csproc::trace;
///
/// assert!(!trace::is_on());
/// trace::start();
/// assert!(trace::is_on());
/// trace::stop();
/// assert!(!trace::is_on());
/// ```
pub fn start() {
    Program::record_events(USUAL);
}

/// From now on nothing is recorded. What was can still be read.
///
/// # Examples
/// See [`start`].
pub fn stop() {
    Program::record_no_events();
}

/// Whether what happens is recorded.
///
/// # Examples
/// See [`start`].
pub fn is_on() -> bool {
    Program::records_events()
}

/// Writes a text into the trace, if one is recorded.
///
/// # Examples
/// ```
/// use csproc::trace;
///
/// trace::mark("nobody hears this");
/// trace::start();
/// trace::mark("round 3");
/// assert_eq!(trace::last(10).events().len(), 1);
/// assert_eq!(trace::last(10).events()[0].text(), "round 3");
/// ```
#[track_caller]
pub fn mark(text: &str) {
    note_text(EventKind::Mark, text, Location::caller());
}

/// The longest text that is recorded.
const LONGEST: usize = 1024;

fn note_text(kind: EventKind, text: &str, location: &'static Location<'static>) {
    if is_on() {
        let text = &text[..text.floor_char_boundary(LONGEST)];
        note(EventOf { text: Some(text), location: Some(location), ..EventOf::new(kind) });
    }
}

/// Records something that the process which the calling thread acts for does on its own.
pub(crate) fn note(event: EventOf<'_>) {
    if is_on() {
        actor(|actor: &Actor| actor.note(event));
    }
}

/// The last events of all processes, at most so many; see [`Trace`].
///
/// # Examples
/// See [the module](self).
pub fn last(events: usize) -> Trace {
    let gathered = gather();
    let skipped = gathered.events.len().saturating_sub(events);
    let pairs = gathered.pairs.into_iter().filter(|(write, read)| *write >= skipped && *read >= skipped);
    Trace {
        pairs: pairs.map(|(write, read)| (write - skipped, read - skipped)).collect(),
        events: gathered.events.into_iter().skip(skipped).collect(),
        order: gathered.order,
        lost: gathered.lost,
    }
}

/// What processes did last: events in an order that agrees with what could have caused what.
///
/// It prints one line for each event, after its number and its time.
///
/// # Examples
/// See [the module](self).
#[derive(Clone, Debug)]
pub struct Trace {
    events: Vec<Event>,
    /// The two sides of each communication, the writer first.
    pairs: Vec<(usize, usize)>,
    order: Order,
    lost: u64,
}

impl Trace {
    /// The events: what has come before another one, in one process or through channels, stands before it.
    ///
    /// # Examples
    /// See [the module](self).
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Those of one process, by its name.
    ///
    /// # Examples
    /// See [the module](self).
    pub fn of(&self, process: &str) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.process == process)
    }

    /// The two sides of each communication: who wrote, and who read. A message that lay in a buffer has a pair, too.
    ///
    /// # Examples
    /// See [the module](self).
    pub fn pairs(&self) -> impl Iterator<Item = (&Event, &Event)> {
        self.pairs.iter().map(|(write, read)| (&self.events[*write], &self.events[*read]))
    }

    /// Whether the one came before the other: in one process, or in the order in which processes heard of each other.
    /// The two sides of a rendezvous happen at once, and neither came before the other. Both must be events of this
    /// trace, or else the answer is `false`.
    ///
    /// # Examples
    /// See [the module](self).
    pub fn happened_before(&self, one: &Event, other: &Event) -> bool {
        let first = self.events.first().map_or(0, |event| event.at);
        let is_mine = |event: &Event| self.events.get(event.at.wrapping_sub(first)) == Some(event);
        is_mine(one) && is_mine(other) && self.order.is_before(one.at, other.at)
    }

    /// How many events were recorded and are not there any more, because threads have overwritten them, or were not
    /// recorded because there was no room. Those that [`last`] was not asked for do not count.
    ///
    /// # Examples
    /// ```
    /// csproc::trace::start();
    /// assert_eq!(csproc::trace::last(10).lost(), 0);
    /// ```
    pub fn lost(&self) -> u64 {
        self.lost
    }
}
