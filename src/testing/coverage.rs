//! `Coverage`: what many runs together have reached of a network, and what none of them has.
//!
//! Knows nothing of how the runs came about, nor of how it is drawn.

use super::page;
use super::reached::{Seen, names};
use super::run::Run;
use crate::engine::sim::Curiosity;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What many runs together have reached: which guards have fired, on which channels somebody has communicated, which
/// communications of different processes came in both orders, and where processes were killed. What was possible in
/// some run and happened in none is named.
///
/// It counts the runs that it is shown with [`see`](Coverage::see), from a search of [`explore`](super::explore) or of
/// proptest alike. A test that passes says little if the guard that it is about has never fired: see
/// [`unreached`](Coverage::unreached).
///
/// - **Guards**: each place in the program where somebody reads, writes or chooses, with the guards of an alternation
///   one by one. A guard is reached when it has fired, also if it was told that its channel has ended.
/// - **Channels**, barriers and locks, by their names.
/// - **Orders**: two events of different processes, one directly after the other; a communication is of the process
///   that writes. Both orders are reached when there were runs with either; where one waits for the other, there never
///   is one.
/// - **Crashes**: each place where a process other than the program may stand when it is killed. They count once a run
///   had a crash.
///
/// Runs must begin after the coverage was made: before, nobody writes down what is offered.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::testing::{Coverage, explore};
///
/// #[process]
/// fn source(out: Writer<u8>) -> csproc::Result<()> {
///     Ok(out.write(7)?)
/// }
///
/// #[process]
/// fn sink(input: Reader<u8>, stop: Reader<u8>) -> csproc::Result<u8> {
///     Ok(AltSelect! { v = input.read() => v, v = stop.read() => v }?)
/// }
///
/// let coverage = Coverage::new();
/// let network = || {
///     let channel = |name| Channel::builder().name(name).build().expect("a channel");
///     let (c, stop) = (channel("numbers"), channel("stop"));
///     network!(source(c.writer()), sink(c.reader(), stop.reader()))
/// };
/// explore().check_with(network, |run| {
///     coverage.see(run);
///     run.completed()
/// })?;
/// // Nobody writes to `stop`: what is done about it was not tested.
/// assert!(coverage.unreached().iter().any(|what| what.contains("reads from `stop`")), "{coverage}");
/// assert!(coverage.to_html().starts_with("<!DOCTYPE html>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Coverage {
    seen: Mutex<Seen>,
    _curiosity: Curiosity,
}

impl Coverage {
    /// One that has seen nothing.
    ///
    /// # Examples
    /// See [`Coverage`].
    #[expect(clippy::new_without_default, reason = "from here on runs write down more, which `default` would not say")]
    pub fn new() -> Coverage {
        Coverage { seen: Mutex::default(), _curiosity: Curiosity::new() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what a run has reached. Never waits, but for another thread that does the same.
    ///
    /// # Panics
    /// The run began before the coverage was made.
    ///
    /// # Examples
    /// See [`Coverage`].
    #[track_caller]
    pub fn see<R>(&self, run: &Run<R>) {
        assert!(run.record.offers.is_some(), "a run that began before its `Coverage` was made has not written enough");
        self.seen().see(&run.record, run.trace());
    }

    /// How many runs it has seen.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::{Coverage, replay};
    ///
    /// #[process]
    /// fn square(x: u64) -> u64 {
    ///     x * x
    /// }
    ///
    /// let coverage = Coverage::new();
    /// coverage.see(&replay("csp1:00", || square(3)));
    /// assert_eq!(coverage.runs(), 1);
    /// ```
    pub fn runs(&self) -> u64 {
        self.seen().runs
    }

    /// What was possible in some run, and happened in none: guards that never fired, channels without a communication,
    /// places where no process was killed. Orders that were not seen are in the text and on the page only: most of them
    /// cannot be.
    ///
    /// # Examples
    /// See [`Coverage`].
    pub fn unreached(&self) -> Vec<String> {
        let seen = self.seen();
        let mut all = Vec::new();
        for (place, at) in &seen.places {
            for fires in at.guards.iter().filter(|fires| fires.times == 0) {
                all.push(format!("at {place} nobody ever {}", fires.what()));
            }
        }
        let silent = seen.channels.iter().filter(|(_, times)| **times == 0);
        all.extend(silent.map(|(channel, _)| format!("nobody ever communicated on `{channel}`")));
        if seen.crashes > 0 {
            let spared = seen.places.iter().filter(|(_, at)| at.can_crash() && at.crashes == 0);
            all.extend(spared.map(|(place, at)| format!("{} was never killed at {place}", names(&at.processes))));
        }
        all
    }

    /// The same tables as in its text, as a page for a browser. It needs no other file.
    ///
    /// # Examples
    /// See [`Coverage`].
    pub fn to_html(&self) -> String {
        page::html(&self.seen())
    }
}

impl fmt::Debug for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coverage").field("runs", &self.runs()).finish_non_exhaustive()
    }
}

/// Tables of guards, channels, orders and crashes, with how often each was reached; what was not is marked `never`.
impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        page::text(&self.seen(), f)
    }
}
