//! Which words of the arena the threads of a model use.
//!
//! Knows nothing of what lies in them. Nobody says it: an execution in which a thread comes to a word that is not known
//! yet goes on with plain memory, is worth nothing, and is followed by a search from the beginning. The arena lies at
//! one address, so what was learned once serves all searches of a test.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// What lies at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    AtomicU8,
    AtomicU32,
    AtomicU64,
    /// Not an address: the number of a block, whose bytes are a message.
    Message,
}

thread_local! {
    static KNOWN: RefCell<BTreeSet<(usize, Kind)>> = const { RefCell::new(BTreeSet::new()) };
    static LEARNED: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn learn(address: usize, kind: Kind) {
    KNOWN.with_borrow_mut(|known| known.insert((address, kind)));
    LEARNED.set(true);
}

pub(crate) fn all() -> Vec<(usize, Kind)> {
    KNOWN.with_borrow(|known| known.iter().copied().collect())
}

/// Whether something was learned since the last call.
pub(crate) fn has_learned() -> bool {
    LEARNED.replace(false)
}

/// As [`has_learned`], for somebody who asks on the way.
pub(crate) fn is_learning() -> bool {
    LEARNED.get()
}
