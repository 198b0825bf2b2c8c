//! Which of the faults that are seeded in the sources is in place: none, or the one that a test wants found.
//!
//! Knows nothing of what a fault does. A checker runs all threads of a model on the thread that asked for it, so what a
//! test puts in place stays with the test.

#[path = "../faults/table.rs"]
mod table;

use std::cell::Cell;

thread_local! {
    static IN_PLACE: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// The names of all faults; one that has several places comes several times.
pub fn names() -> impl Iterator<Item = &'static str> {
    table::EDITS.iter().map(|edit| edit.fault)
}

/// Which one is in place from now on.
pub(crate) fn put(fault: Option<&'static str>) {
    if let Some(name) = fault {
        assert!(names().any(|known| known == name), "the table has no fault {name:?}");
    }
    IN_PLACE.set(fault);
}

/// The copies of the sources ask this wherever a fault is seeded.
pub(crate) fn is_in_place(name: &str) -> bool {
    IN_PLACE.get() == Some(name)
}
