//! What runs have reached, counted.
//!
//! Knows nothing of how it is told.

use super::decision::{channel_name, names_of};
use super::event::{Event, EventKind};
use crate::engine::sim::{Offered, Record, Wish};
use crate::engine::view::Action;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::panic::Location;

/// Everything that was reached, or could have been.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) runs: u64,
    pub(super) crashes: u64,
    pub(super) places: BTreeMap<Place, At>,
    pub(super) channels: BTreeMap<String, u64>,
    /// Of two neighbours of different processes, how often they came in this order.
    pub(super) orders: BTreeMap<[String; 2], u64>,
}

/// A place in the program: file, line and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(&'static str, u32, u32);

/// What was seen at a place.
#[derive(Debug, Default)]
pub(super) struct At {
    pub(super) processes: BTreeSet<String>,
    pub(super) guards: Vec<Fires>,
    pub(super) crashes: u64,
}

/// A guard: what it waits for, and how often it has fired.
#[derive(Debug, Default)]
pub(super) struct Fires {
    pub(super) wishes: BTreeSet<String>,
    pub(super) times: u64,
}

impl Seen {
    /// Counts a run, of which this is the trace.
    pub(super) fn see(&mut self, record: &Record, trace: &[Event]) {
        self.runs += 1;
        self.offers(record);
        self.channels(record);
        self.events(trace);
    }

    fn offers(&mut self, record: &Record) {
        let Some(offers) = &record.offers else { return };
        for Offered { task, place, wishes, fired } in &offers.all {
            let at = self.places.entry(Place::of(place)).or_default();
            if let Some(name) = record.processes.get(*task as usize) {
                at.processes.insert(kind_of(name));
            }
            let wishes = &offers.wishes[wishes.clone()];
            if at.guards.len() < wishes.len() {
                at.guards.resize_with(wishes.len(), Fires::default);
            }
            for (number, wish) in wishes.iter().enumerate() {
                at.guards[number].wishes.insert(describe(*wish, record));
                at.guards[number].times += u64::from(*fired == Some(number));
            }
        }
    }

    fn channels(&mut self, record: &Record) {
        let mut times = vec![0; record.channels.len()];
        for choice in record.happenings.iter().map(|happening| happening.choice) {
            if let Some(times) = times.get_mut(choice.channel as usize).filter(|_| choice.kind.is_communication()) {
                *times += 1;
            }
        }
        for (name, times) in record.channels.iter().zip(times).filter(|(name, _)| !name.is_empty()) {
            *self.channels.entry(name.clone()).or_default() += times;
        }
    }

    fn events(&mut self, trace: &[Event]) {
        for event in trace.iter().filter(|event| matches!(event.kind, EventKind::Crashed | EventKind::Panicked)) {
            self.crashes += 1;
            if let Some(place) = event.places[0] {
                self.places.entry(Place::of(place)).or_default().crashes += 1;
            }
        }
        for pair in trace.windows(2) {
            let [first, second] = pair else { continue };
            if first.process != second.process && !first.kind.is_fault() && !second.kind.is_fault() {
                *self.orders.entry([first, second].map(kind_of_event)).or_default() += 1;
            }
        }
    }

    /// Neighbours with how often the first came first, and the second; each two once.
    pub(super) fn both_orders(&self) -> Vec<(&[String; 2], u64, u64)> {
        let times = |pair: &[String; 2]| self.orders.get(pair).copied().unwrap_or(0);
        let each = self.orders.keys().filter_map(|pair| {
            let [first, second] = pair;
            let other = [second.clone(), first.clone()];
            // Of the two orders the one that comes first here, or the only one there is.
            (first != second && (first < second || times(&other) == 0)).then(|| (pair, times(pair), times(&other)))
        });
        each.collect()
    }
}

impl Fires {
    /// What it waits for.
    pub(super) fn what(&self) -> String {
        const MOST: usize = 3;
        let mut what: Vec<&str> = self.wishes.iter().map(String::as_str).take(MOST).collect();
        if self.wishes.len() > MOST {
            what.push("…");
        }
        what.join(", ")
    }
}

impl Place {
    fn of(place: &'static Location<'static>) -> Place {
        Place(place.file(), place.line(), place.column())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place(file, line, column) = self;
        write!(f, "{file}:{line}:{column}")
    }
}

impl At {
    /// Nobody kills the program itself.
    pub(super) fn can_crash(&self) -> bool {
        self.processes.iter().any(|name| name != "main")
    }
}

/// Processes of a list are of one kind: `worker[2]` is a `worker`, and so is `worker#2`.
fn kind_of(process: &str) -> String {
    let name = process.split('#').next().unwrap_or(process);
    names_of(name).last().unwrap_or(name).to_owned()
}

fn kind_of_event(event: &Event) -> String {
    let what = match event.kind {
        EventKind::Communicated => "a message on",
        EventKind::Put => "a message into",
        EventKind::Taken => "a message out of",
        EventKind::Synchronized => "a meeting at",
        EventKind::Passed => "somebody passes",
        EventKind::TimedOut => return format!("a timer of {}", kind_of(&event.process)),
        _ => "something at",
    };
    format!("{what} `{}`", event.channel)
}

fn describe(wish: Wish, record: &Record) -> String {
    let Wish::At(action, number) = wish else {
        return String::from(if wish == Wish::Time { "waits for a time" } else { "finds nothing ready" });
    };
    in_words(action, &channel_name(record, number))
}

pub(super) fn names(all: &BTreeSet<String>) -> String {
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    names.join(", ")
}

/// What somebody does at a channel.
fn in_words(action: Action, channel: &str) -> String {
    match action {
        Action::Read => format!("reads from `{channel}`"),
        Action::Write => format!("writes to `{channel}`"),
        Action::Sync => format!("meets the others at `{channel}`"),
        Action::Join => String::from("sees a process end"),
        Action::Serve => format!("is called at `{channel}`"),
        Action::Release => format!("is released at `{channel}`"),
        Action::Pass => format!("passes `{channel}`"),
        Action::Finish => format!("sees all tasks of `{channel}` done"),
    }
}
