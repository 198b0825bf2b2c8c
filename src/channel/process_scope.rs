//! Which process a thread runs, which ends it was given, and the ends it dropped while its fate was open.
//!
//! Knows nothing of how processes start or end. It exists because of one law: a process that returns poison poisons the
//! ends it was given, and one that panics has lost them. But when its function has returned or unwound, its ends are
//! already dropped, and dropping retires. So from the first poison that an operation of the thread has reported, and
//! while the thread unwinds, a dropped end is *held back*: it is closed at the thread's next operation, as retired,
//! because the process went on; or when the process ends, in the way in which the process ended.

use super::error::ChannelError;
use crate::engine::ArenaError;
use crate::engine::live::{Closing, EndName, Holder, Local, act_for, member, with_local};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// The thread runs no process: ends go when they are dropped.
    Free,
    /// It runs a process, and nothing has happened yet.
    Calm,
    /// An operation has reported poison, or the thread has unwound: ends are held back.
    Alarmed,
    /// As before, and some ends are held back now.
    Holding,
}

thread_local! {
    static MOOD: Cell<Mood> = const { Cell::new(Mood::Free) };
    static HELD: RefCell<Vec<EndName>> = const { RefCell::new(Vec::new()) };
}

/// The life of one process on the calling thread.
#[derive(Debug)]
pub(crate) struct Scope {
    member: u32,
    given: Vec<EndName>,
}

impl Scope {
    /// From now on the thread acts for this process.
    pub(crate) fn enter(member: u32) -> Scope {
        act_for(Some(member));
        MOOD.set(Mood::Calm);
        Scope { member, given: Vec::new() }
    }

    /// The ends that came with the arguments.
    pub(crate) fn give(&mut self, ends: Vec<EndName>) {
        self.given = ends;
    }

    /// The process is over. Ends it was given go as `closing` says, all others retire unless the process crashed.
    pub(crate) fn leave(self, closing: Closing) {
        MOOD.set(Mood::Free);
        let crashed = matches!(closing, Closing::Lost { .. });
        let mut rest = HELD.take();
        rest.extend(self.given.iter().filter(|end| end.is_held_by(Holder::Member(self.member))));
        // Without a context nothing can be closed; the process is about to end, and the reaper closes what is left.
        let _ = with_local(|local: &mut Local| {
            local.abandon_writers(crashed);
            for end in rest {
                let mine = crashed || self.given.contains(&end);
                local.close_end(end, if mine { closing } else { Closing::Retire });
            }
        });
        act_for(None);
    }
}

/// Closes what an earlier operation has held back: the thread goes on, so its process has not ended.
#[inline]
pub(crate) fn settle() {
    if MOOD.get() == Mood::Holding {
        settle_held();
    }
}

#[cold]
fn settle_held() {
    MOOD.set(Mood::Alarmed);
    // An exit handler runs after the thread's locals are gone. Then the process has ended by `exit`, and the reaper
    // closes what it held: as lost.
    let Ok(held) = HELD.try_with(RefCell::take) else { return };
    // See `Scope::leave`.
    let _ = with_local(|local| {
        for end in held {
            local.close_end(end, Closing::Retire);
        }
    });
}

/// An operation of this thread has failed: if with poison, the process may be about to return it.
pub(crate) fn notice(error: &ChannelError) {
    if error.spreads_poison() && MOOD.get() == Mood::Calm {
        MOOD.set(Mood::Alarmed);
    }
}

/// An end is dropped: closes it, or holds it back.
pub(super) fn drop_end(end: EndName) {
    let mood = MOOD.try_with(Cell::get).unwrap_or(Mood::Free);
    let unsettled = match mood {
        Mood::Free => false,
        Mood::Calm => std::thread::panicking(),
        Mood::Alarmed | Mood::Holding => true,
    };
    if unsettled && HELD.try_with(|held| held.borrow_mut().push(end)).is_ok() {
        MOOD.set(Mood::Holding);
        return;
    }
    // Without a context nothing can be closed now; the reaper closes it with this process.
    let _ = with_local(|local| local.close_end(end, Closing::Retire));
}

/// Who holds an end that the calling thread makes.
pub(super) fn holder() -> Result<Holder, ArenaError> {
    member().map(Holder::Member)
}
