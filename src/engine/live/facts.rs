//! What the layers above may ask of a channel, an end, a process or a deadlock by its name: facts, and no atomics.
//!
//! Knows nothing of why they ask. Each answer is true at the moment of the look, and others may change it at once. A
//! name whose owner is gone answers, too.

use super::audit::Census;
use super::channel::{CARRIED, Channel};
use super::member::{Member, Role};
use super::process::Record;
use super::sync::Ordering;
use super::tables::tables;
use crate::engine::{ChannelName, Direction, EndName, Fate, Holder};

/// One look at a channel. Each fact is read when it is asked for: a write asks for one of them only, and a name is
/// text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelFacts(Option<&'static Channel>);

impl ChannelName {
    /// A look at the channel of this name.
    #[inline]
    pub(crate) fn facts(self) -> ChannelFacts {
        ChannelFacts(tables().channel(self))
    }
}

impl ChannelFacts {
    /// Why the channel can no longer be used, if so. One that is gone has retired.
    #[inline]
    pub(crate) fn fate(self) -> Option<Fate> {
        self.0.map_or(Some(Fate::Retired), Channel::fate)
    }

    /// What it was called; `None` when it is gone.
    pub(crate) fn name(self) -> Option<String> {
        self.0.map(Channel::name)
    }

    /// Whether its values travel beside its blocks. It is so for the whole life of the channel.
    pub(crate) fn is_carried(self) -> bool {
        self.0.is_some_and(|channel| channel.flags.load(Ordering::Relaxed) & CARRIED != 0)
    }

    /// How many messages lie in its buffer.
    pub(crate) fn buffered(self) -> usize {
        self.0.map_or(0, |channel| channel.length.load(Ordering::Acquire) as usize)
    }

    /// How many parties a barrier has.
    pub(crate) fn parties(self) -> usize {
        self.0.map_or(0, |channel| channel.capacity.load(Ordering::Acquire) as usize)
    }
}

impl ChannelName {
    /// From now on whoever reads from the channel waits for the end of something. To be said of a channel that is not
    /// in use yet.
    pub(crate) fn tells_of_an_end(self) {
        tables().tells_of_an_end(self);
    }
}

impl Holder {
    /// The ends that it holds.
    pub(crate) fn ends(self) -> Vec<EndName> {
        tables().held_by(self)
    }
}

impl EndName {
    /// The channel and the side of this end; `None` when it is closed.
    pub(crate) fn place(self) -> Option<(ChannelName, Direction)> {
        tables().end(self)
    }

    /// Whether it is open, and in whose hands.
    pub(crate) fn is_held_by(self, holder: Holder) -> bool {
        tables().holder(self) == Some(holder)
    }
}

/// The whole program: what all its processes have in shared memory.
pub(crate) struct Program;

impl Program {
    /// How much of everything is in use.
    pub(crate) fn census() -> Census {
        tables().census()
    }

    /// Everything that does not fit together, in words.
    pub(crate) fn faults() -> Vec<String> {
        tables().faults()
    }

    /// A number that changes when anybody begins or ends an operation.
    pub(crate) fn signature() -> u64 {
        tables().signature()
    }

    /// Whether any context sleeps.
    pub(crate) fn anybody_sleeps() -> bool {
        tables().anybody_sleeps()
    }

    /// One more look at all of them has begun and ended.
    pub(crate) fn note_look() {
        tables().arena.shared().looks.fetch_add(1, Ordering::Release);
    }

    /// How many looks have begun and ended.
    pub(crate) fn looks() -> u64 {
        tables().arena.shared().looks.load(Ordering::Acquire)
    }
}

/// The slot with the record of a deadlock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlockSlot(&'static Member);

impl DeadlockSlot {
    /// The slot of this index, if it is one of a deadlock.
    pub(crate) fn at(index: u32) -> Option<DeadlockSlot> {
        tables().members.get(index).filter(|slot| slot.role() == Role::Deadlock).map(DeadlockSlot)
    }

    /// The slot of the deadlock of this number.
    pub(crate) fn numbered(number: u64) -> Option<DeadlockSlot> {
        let mut slots = tables().members.taken().map(|(_, _, slot)| slot);
        slots
            .find(|slot| slot.role() == Role::Deadlock && slot.serial.load(Ordering::Acquire) == number)
            .map(DeadlockSlot)
    }

    /// Looks at the report.
    pub(crate) fn report<R>(self, look: impl FnOnce(&[u8]) -> R) -> Option<R> {
        self.0.record(Record::Obituary, look)
    }

    /// Somebody is given the report.
    pub(crate) fn give(self) {
        self.0.give();
    }

    /// Whether anybody was given the report.
    pub(crate) fn was_given(self) -> bool {
        self.0.was_given()
    }
}
