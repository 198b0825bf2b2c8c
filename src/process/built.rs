//! Processes that were built and have not been started: what a report of a deadlock says of those that hold an end.
//!
//! Knows nothing of deadlocks. Only those that this process has built are known to it; the program looks for deadlocks,
//! so a report names those that the program has built.

use crate::channel::Parcel;
use crate::engine::{ChannelName, Direction, Holder};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Those that live now, in the order in which they were built.
static BUILT: Mutex<BTreeMap<u64, Known>> = Mutex::new(BTreeMap::new());

struct Known {
    name: String,
    arguments: Holder,
}

/// As long as this lives, a process is known to have been built and not to have been started.
#[derive(Debug)]
pub(super) struct Built(u64);

impl Built {
    /// `None` for one that holds nothing.
    pub(super) fn with(name: &str, arguments: &Parcel) -> Option<Built> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        if !arguments.has_ends() {
            return None;
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        BUILT.lock().insert(number, Known { name: String::from(name), arguments: arguments.as_holder() });
        Some(Built(number))
    }

    pub(super) fn rename(&self, name: &str) {
        if let Some(known) = BUILT.lock().get_mut(&self.0) {
            known.name = String::from(name);
        }
    }
}

impl Drop for Built {
    fn drop(&mut self) {
        BUILT.lock().remove(&self.0);
    }
}

/// The names of those that hold such an end of a channel.
pub(super) fn never_run(channel: ChannelName, wanted: Direction) -> Vec<String> {
    let holds = |known: &&Known| {
        let ends = known.arguments.ends();
        ends.into_iter().any(|end| end.place() == Some((channel, wanted)))
    };
    BUILT.lock().values().filter(holds).map(|known| known.name.clone()).collect()
}
