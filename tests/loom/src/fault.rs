//! Faults: one ordering of the sources weakened, or one step left out. And which orderings there are.
//!
//! Knows nothing of what an ordering is good for. Loom runs all threads of a model on the thread that asked for it, so
//! what a test puts in place stays with the test.

use crate::seeded;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::panic::Location;

/// What an operation does beyond being atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// It acquires.
    Acquire,
    /// It releases.
    Release,
    /// It acquires when it fails.
    Failure,
    /// It acquires, whether it fails or not.
    Both,
}

/// A part of an operation in the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The source file, as `src/engine/live/word.rs`.
    pub file: &'static str,
    /// The line of the operation.
    pub line: u32,
    /// What of it.
    pub part: Part,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This part of the ordering is missing.
    Weakened(Site),
    /// The fault of this name is, which is seeded in the sources.
    Seeded(&'static str),
    /// A step of a scenario of the two words that has this name is not done.
    Skipped(&'static str),
}

/// Where the build puts the sources.
const COPIES: &str = concat!(env!("OUT_DIR"), "/");

thread_local! {
    static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
    static LISTS: Cell<bool> = const { Cell::new(false) };
    static SITES: RefCell<BTreeSet<Site>> = const { RefCell::new(BTreeSet::new()) };
}

/// As long as this lives, the fault is in place.
#[derive(Debug)]
pub(crate) struct InPlace;

impl Drop for InPlace {
    fn drop(&mut self) {
        put_in_place(None);
    }
}

pub(crate) fn put(fault: Option<Fault>) -> InPlace {
    put_in_place(fault);
    InPlace
}

fn put_in_place(fault: Option<Fault>) {
    seeded::put(if let Some(Fault::Seeded(name)) = fault { Some(name) } else { None });
    FAULT.set(fault);
}

pub(crate) fn is_skipped(name: &'static str) -> bool {
    FAULT.get() == Some(Fault::Skipped(name))
}

/// Whether the caller's operation has this part, for which it asks; notes that it does.
#[track_caller]
pub(crate) fn keeps(part: Part) -> bool {
    let place = Location::caller();
    // The lines of the copies have the numbers of the sources.
    let site = || {
        let file = place.file();
        Site { file: file.strip_prefix(COPIES).unwrap_or(file), line: place.line(), part }
    };
    if LISTS.get() {
        SITES.with_borrow_mut(|sites| sites.insert(site()));
    }
    match FAULT.get() {
        Some(Fault::Weakened(gone)) if gone.line == place.line() => {
            let site = site();
            let both = Site { part: Part::Both, ..site };
            gone != site && (part == Part::Release || gone != both)
        }
        _ => true,
    }
}

/// All parts of orderings that this thread comes across while it does `work`.
pub fn sites(work: impl FnOnce()) -> BTreeSet<Site> {
    SITES.take();
    LISTS.set(true);
    work();
    LISTS.set(false);
    SITES.take()
}
