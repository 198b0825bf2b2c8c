//! The last events of one process, for the error that tells of its end.
//!
//! Knows nothing of errors.

use super::event::{Event, What};
use super::gather::gather;
use super::text::lines;
use crate::engine::Program;
use serde::{Deserialize, Serialize};
use std::fmt;

/// So many are told.
const TOLD: usize = 8;

/// What one process did last, if that was recorded; it prints as it does in an error.
///
/// # Examples
/// See [`NetworkError::last_events`](crate::NetworkError::last_events).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEvents(Option<Box<Told>>);

/// What is told of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    events: Vec<Event>,
    /// The last communication that another process had with it.
    seen: Option<Event>,
}

/// Of the processes of these serial numbers. Nothing was recorded of most programs, and then nothing is looked for.
pub(crate) fn last_events_of(serials: &[u64]) -> Vec<LastEvents> {
    if !Program::has_recorded_events() {
        return vec![LastEvents::default(); serials.len()];
    }
    let gathered = gather();
    let of = |serial: &u64| {
        let its: Vec<usize> = (0..gathered.events.len())
            .filter(|place| gathered.events[*place].process_id.0 == *serial)
            .filter(|place| !matches!(gathered.events[*place].what, What::Crashed | What::Deadlocked))
            .collect();
        let first = its.len().saturating_sub(TOLD);
        let other_side = |(write, read): &(usize, usize)| match (its.contains(write), its.contains(read)) {
            (true, false) => Some(*read),
            (false, true) => Some(*write),
            _ => None,
        };
        let seen = gathered.pairs.iter().filter_map(other_side).max();
        let told = Told {
            events: its[first..].iter().map(|place| gathered.events[*place].clone()).collect(),
            seen: seen.map(|place| gathered.events[place].clone()),
        };
        LastEvents((!its.is_empty()).then(|| Box::new(told)))
    };
    serials.iter().map(of).collect()
}

impl LastEvents {
    /// The events, from the first to the last of them: eight at most.
    ///
    /// # Examples
    /// See [`NetworkError::last_events`](crate::NetworkError::last_events).
    pub fn events(&self) -> &[Event] {
        self.0.as_ref().map_or(&[], |told| &told.events)
    }

    /// The last side of a communication with it that another process has recorded.
    ///
    /// # Examples
    /// See [`NetworkError::last_events`](crate::NetworkError::last_events).
    pub fn seen_by_others(&self) -> Option<&Event> {
        self.0.as_ref()?.seen.as_ref()
    }

    /// A line for each, behind this.
    pub(crate) fn lines(&self, indent: &str) -> String {
        let mut text = String::new();
        for line in lines(self.events().iter(), false) {
            text.push_str(&format!("\n{indent}{line}"));
        }
        text
    }
}

/// Below what is said of the process: nothing, if nothing was recorded.
impl fmt::Display for LastEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.events().is_empty() {
            return Ok(());
        }
        write!(f, "\n  its last events:{}", self.lines("    "))?;
        if let Some(seen) = self.seen_by_others() {
            write!(f, "\n  last seen by others: #{} by `{}`", seen.number(), seen.process())?;
            if let Some(place) = seen.place() {
                write!(f, " at {place}")?;
            }
        }
        Ok(())
    }
}
