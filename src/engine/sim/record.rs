//! What has happened in a simulated world, event by event.
//!
//! Knows nothing of what messages mean: their bytes lie one behind the other.

use super::decision::Choice;
use std::ops::Range;
use std::panic::Location;
use std::time::Duration;

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Happening {
    pub(crate) choice: Choice,
    /// Where in the program: whoever does it, and whoever reads.
    pub(crate) places: [Option<&'static Location<'static>>; 2],
    /// The message, in [`Record::bytes`].
    pub(crate) message: Range<usize>,
    /// It was decided, and did not follow from something else.
    pub(crate) is_decided: bool,
    /// The virtual time.
    pub(crate) at: Duration,
}

/// How a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Everybody has come to an end.
    Completed,
    /// Nobody can go on, and the network has not ended.
    Stuck,
    /// The network has ended, and somebody waits who cannot go on.
    LeftBehind,
    /// There were more events than allowed.
    TooLong,
}

/// Everything that has happened.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) happenings: Vec<Happening>,
    pub(crate) bytes: Vec<u8>,
    /// The names of the processes, by number.
    pub(crate) processes: Vec<String>,
    /// The names of the channels, by number; empty if they have none.
    pub(crate) channels: Vec<String>,
}
