//! Processes that were built and have not been started: what a report of a deadlock says of those that hold an end.
//!
//! Knows nothing of deadlocks. Only those that this process has built are known to it; the program looks for deadlocks,
//! so a report names those that the program has built.

use crate::channel::Parcel;
use crate::engine::{ChannelName, Direction, Holder};
use parking_lot::Mutex;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Those that live now, in the order in which they were built, which is that of their numbers; mostly they go in it,
/// too.
static BUILT: Mutex<Known> = Mutex::new(Known { next: 0, all: VecDeque::new() });

struct Known {
    next: u64,
    all: VecDeque<One>,
}

struct One {
    number: u64,
    name: Cow<'static, str>,
    arguments: Holder,
}

/// As long as this lives, a process is known to have been built and not to have been started.
#[derive(Debug)]
pub(super) struct Built(u64);

impl Built {
    /// `None` for one that holds nothing.
    pub(super) fn with(name: Cow<'static, str>, arguments: &Parcel) -> Option<Built> {
        if !arguments.has_ends() {
            return None;
        }
        let mut known = BUILT.lock();
        let number = known.next;
        known.next += 1;
        known.all.push_back(One { number, name, arguments: arguments.as_holder() });
        Some(Built(number))
    }

    pub(super) fn rename(&self, name: Cow<'static, str>) {
        let mut known = BUILT.lock();
        if let Some(place) = known.place_of(self.0) {
            known.all[place].name = name;
        }
    }
}

impl Known {
    fn place_of(&self, number: u64) -> Option<usize> {
        self.all.binary_search_by_key(&number, |one| one.number).ok()
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        let mut known = BUILT.lock();
        if let Some(place) = known.place_of(self.0) {
            known.all.remove(place);
        }
    }
}

/// The names of those that hold such an end of a channel.
pub(super) fn never_run(channel: ChannelName, wanted: Direction) -> Vec<String> {
    let holds = |one: &&One| {
        let ends = one.arguments.ends();
        ends.into_iter().any(|end| end.place() == Some((channel, wanted)))
    };
    BUILT.lock().all.iter().filter(holds).map(|one| one.name.to_string()).collect()
}
