//! Ends whose closing is deferred, because it is not known yet in which way they close.
//!
//! Knows nothing of how a process starts or ends. It exists because of one law: a process that returns poison poisons
//! the ends it was given, and one that panics has lost them. But when its function has returned or unwound, its ends
//! are already dropped, and dropping retires. So from the first poison that an operation of the process has reported,
//! and while it unwinds, a dropped end is *deferred*: it is closed at the next operation, as retired, because the
//! process went on; or when the process ends, in the way in which the process ended.

use super::actor::Actor;
use super::{Closing, EndName};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// No process runs here: ends are closed when they are dropped.
    Free,
    /// A process runs, and nothing has happened yet.
    Calm,
    /// An operation has reported poison, or the process has unwound: closing is deferred.
    Alarmed,
    /// As before, and some ends are deferred now.
    Deferring,
}

/// What an actor has deferred.
pub(super) struct Deferral {
    mood: Cell<Mood>,
    ends: RefCell<Vec<EndName>>,
}

impl Deferral {
    pub(super) const fn new() -> Deferral {
        Deferral { mood: Cell::new(Mood::Free), ends: RefCell::new(Vec::new()) }
    }

    /// Exchanges what is deferred with another one.
    #[cfg(feature = "testing")]
    pub(super) fn exchange(&self, other: &Deferral) {
        other.mood.set(self.mood.replace(other.mood.get()));
        // Nearly always nothing is; empty rooms stay where they are.
        if self.mood.get() == Mood::Deferring || other.mood.get() == Mood::Deferring {
            self.ends.swap(&other.ends);
        }
    }

    /// Nothing is deferred, and nobody runs.
    #[cfg(feature = "testing")]
    pub(super) fn renew(&self) {
        self.mood.set(Mood::Free);
        self.ends.borrow_mut().clear();
    }

    /// The thread has ended.
    pub(super) fn give_up(&self) {
        drop(self.ends.take());
    }
}

impl Actor {
    /// A process begins.
    pub(crate) fn begin_process(&self, member: u32) {
        self.act_for(Some(member));
        self.deferral.mood.set(Mood::Calm);
        #[cfg(feature = "testing")]
        self.begin_if_driven(member);
    }

    /// The process is over: from now on ends are closed when they are dropped. Gives those that were deferred.
    pub(crate) fn end_process(&self) -> Vec<EndName> {
        self.deferral.mood.set(Mood::Free);
        self.deferral.ends.take()
    }

    /// Closes what an earlier operation has deferred: the process goes on, so it has not ended.
    #[inline]
    pub(crate) fn settle(&self) {
        if self.deferral.mood.get() == Mood::Deferring {
            self.settle_deferred();
        }
    }

    #[cold]
    fn settle_deferred(&self) {
        self.deferral.mood.set(Mood::Alarmed);
        for end in self.deferral.ends.take() {
            self.close_end(end, Closing::Retire);
        }
    }

    /// An operation has reported poison: the process may be about to return it.
    pub(crate) fn alarm(&self) {
        if self.deferral.mood.get() == Mood::Calm {
            self.deferral.mood.set(Mood::Alarmed);
        }
    }

    /// An end is dropped: closes it, or defers that.
    #[inline]
    pub(crate) fn drop_end(&self, end: EndName) {
        let unsettled = match self.deferral.mood.get() {
            Mood::Free => false,
            Mood::Calm => std::thread::panicking(),
            Mood::Alarmed | Mood::Deferring => true,
        };
        if unsettled {
            self.deferral.ends.borrow_mut().push(end);
            self.deferral.mood.set(Mood::Deferring);
        } else {
            self.close_end(end, Closing::Retire);
        }
    }
}
