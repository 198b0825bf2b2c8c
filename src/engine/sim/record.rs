//! What has happened in a simulated world, event by event.
//!
//! Knows nothing of what messages mean: their bytes lie one behind the other.

use super::decision::Choice;
use super::offers::Offers;
use super::script::Note;
use std::cell::Cell;
use std::mem::take;
use std::ops::Range;
use std::panic::Location;
use std::sync::Arc;
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

/// What an event leads to besides what its own processes and its channel do next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// So many events had happened.
    pub(crate) after: usize,
    /// The task whose last event it comes of; the last one of all, if there is none.
    pub(crate) from: Option<u32>,
    pub(crate) to: Linked,
}

/// To whom an event is linked, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Linked {
    Task(u32),
    Channel(u32),
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
    /// Whoever decides did not want to go on.
    Stopped,
}

/// The rooms of a record that is gone, for the next one of the thread.
#[derive(Default)]
struct Rooms {
    happenings: Vec<Happening>,
    bytes: Vec<u8>,
    links: Vec<Link>,
    processes: Vec<Arc<str>>,
    channels: Vec<String>,
}

/// Rooms for more than so many events, or so many bytes, are given back.
const LARGEST: [usize; 2] = [1 << 12, 1 << 18];

thread_local! {
    static ROOMS: Cell<Option<Rooms>> = const { Cell::new(None) };
}

impl Drop for Record {
    fn drop(&mut self) {
        let Record { happenings, bytes, links, processes, channels, .. } = self;
        let largest = [happenings.capacity(), links.capacity(), processes.capacity(), channels.capacity()];
        if largest.into_iter().max() > Some(LARGEST[0]) || bytes.capacity() > LARGEST[1] || happenings.capacity() == 0 {
            return;
        }
        happenings.clear();
        bytes.clear();
        links.clear();
        processes.clear();
        channels.clear();
        let (happenings, bytes, links) = (take(happenings), take(bytes), take(links));
        let (processes, channels) = (take(processes), take(channels));
        // A thread that ends keeps none.
        let _ = ROOMS.try_with(|place| place.set(Some(Rooms { happenings, bytes, links, processes, channels })));
    }
}

impl Record {
    /// One of nothing.
    pub(super) fn begin() -> Record {
        let Rooms { happenings, bytes, links, processes, channels } = ROOMS.take().unwrap_or_default();
        let mut record = Record::default();
        (record.happenings, record.bytes, record.links) = (happenings, bytes, links);
        (record.processes, record.channels) = (processes, channels);
        record
    }

    /// What happens now, or what a task does now, leads to something. What the last event says of itself is known.
    pub(super) fn link(&mut self, from: Option<u32>, to: Linked) {
        let is_known = |happening: &Happening| match to {
            Linked::Task(task) => happening.choice.involves(task),
            Linked::Channel(channel) => happening.choice.channel == channel,
        };
        if from.is_some() || !self.happenings.last().is_some_and(is_known) {
            self.links.push(Link { after: self.happenings.len(), from, to });
        }
    }
}

/// Everything that has happened.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) happenings: Vec<Happening>,
    pub(crate) bytes: Vec<u8>,
    /// Who has started, released or told whom.
    pub(crate) links: Vec<Link>,
    /// The names of the processes, by number.
    pub(crate) processes: Vec<Arc<str>>,
    /// The names of the channels, by number; empty if they have none.
    pub(crate) channels: Vec<String>,
    /// What was used first that is not of this world, and gave no error, in words.
    pub(crate) outside: Option<String>,
    /// What was offered, if anybody wanted to know.
    pub(crate) offers: Option<Box<Offers>>,
    /// What a network outside of the simulation has to do to do the same, if it is to.
    pub(crate) script: Option<Vec<Note>>,
}
