//! Names, asked: what a name means in the world of the calling thread.
//!
//! Knows nothing of why somebody asks. A name is a number and means nothing by itself; here it is looked up in the
//! tables, and the answer is a fact or a slot. Each answer is true at the moment of the look, and others may change it
//! at once. A name whose owner is gone answers, too.

use super::facts::ChannelFacts;
use super::live::{Census, Member, Phase, Record, Recording, Role};
#[cfg(feature = "testing")]
use super::sim;
use super::{Area, ArenaError, Cell, ChannelName, Direction, EndName, Holder, MemberName, Warmth, tables};
use crate::memory::Slot;
use crate::sys::atomic::Ordering;
use crate::sys::clock::{Counter, Deadline};

/// Asks the simulated world instead, if the calling thread is in one.
macro_rules! in_simulation {
    ($answer:expr) => {
        #[cfg(feature = "testing")]
        if super::is_simulated() {
            return $answer;
        }
    };
}

impl ChannelName {
    /// A look at the channel of this name.
    #[inline]
    pub(crate) fn facts(self) -> ChannelFacts {
        ChannelFacts::of(self)
    }

    /// Gives the channel a name. To be said of a channel that is not in use yet.
    pub(crate) fn call(self, name: &str) {
        in_simulation!(sim::describe(self, |channel| channel.call(name)));
        tables().call(self, name);
    }

    /// From now on a crash retires the ends of this side, whatever the policy of the process. To be said of a channel
    /// that is not in use yet.
    pub(crate) fn bears_crashes_of(self, direction: Direction) {
        in_simulation!(sim::describe(self, |channel| channel.bear_crashes_of(direction)));
        tables().bear_crashes(self, direction);
    }

    /// From now on whoever reads from the channel waits for the end of something. To be said of a channel that is not
    /// in use yet.
    pub(crate) fn tells_of_an_end(self) {
        in_simulation!(sim::describe(self, sim::Channel::tells_of_an_end));
        tables().tells_of_an_end(self);
    }

    /// From now on whoever reads from the channel serves its writers. To be said of a channel that is not in use yet.
    pub(crate) fn is_served(self) {
        in_simulation!(sim::describe(self, sim::Channel::is_served));
        tables().is_served(self);
    }

    /// From now on whoever reads from the channel says when it is done with a message. To be said of a channel that is
    /// not in use yet.
    pub(crate) fn counts_tasks(self) {
        in_simulation!(sim::describe(self, sim::Channel::count_tasks));
        tables().counts_tasks(self);
    }
}

impl ChannelName {
    /// Looks at the cell that a gate keeps, and how many bytes it has; `None` if the gate is gone or keeps none.
    /// Whoever writes has the gate's permit, and so the gate.
    #[inline]
    pub(crate) fn cell<R>(self, look: impl FnOnce(usize, Cell<'_>) -> R) -> Option<R> {
        in_simulation!(sim::look_at_cell(self, look));
        #[cfg(feature = "testing")]
        super::actor(|actor| actor.side().into_iter().for_each(|side| side.let_others_go_first(actor)));
        tables().cell(self, look)
    }
}

impl ChannelName {
    /// The area that a gate keeps; `None` if the gate is gone or keeps none.
    pub(crate) fn area(self) -> Option<Area> {
        tables().area(self)
    }
}

impl Holder {
    /// The ends that it holds.
    pub(crate) fn ends(self) -> Vec<EndName> {
        in_simulation!(sim::held_by(self));
        tables().held_by(self)
    }
}

impl EndName {
    /// The channel and the side of this end; `None` when it is closed.
    pub(crate) fn place(self) -> Option<(ChannelName, Direction)> {
        in_simulation!(sim::end(self));
        tables().end(self)
    }

    /// Whether it is one by which somebody has an area, or a cell, and looks at it without asking.
    pub(crate) fn keeps_memory(self) -> bool {
        tables().keeps_memory(self)
    }

    /// Whether it is open, and in whose hands.
    pub(crate) fn is_held_by(self, holder: Holder) -> bool {
        in_simulation!(sim::holder(self) == Some(holder));
        tables().holder(self) == Some(holder)
    }
}

impl MemberName {
    /// The slot, as long as it is this process's.
    pub(crate) fn slot(self) -> Option<&'static Member> {
        tables().member(self)
    }

    /// Whether its slot still tells of this process, which may have ended.
    pub(crate) fn is_known(self) -> bool {
        self.slot().is_some()
    }

    /// Whether it has ended, and what it held was released.
    pub(crate) fn is_gone(self) -> bool {
        self.slot().is_none_or(|member| member.phase() == Phase::Gone)
    }

    /// Waits until it is gone, or until the deadline; `true` when it is gone.
    pub(crate) fn wait_until_gone(self, deadline: &Deadline) -> bool {
        tables().wait_until_gone(self, deadline)
    }
}

impl Member {
    /// The slot of this index.
    pub(crate) fn at(index: u32) -> Option<&'static Member> {
        tables().members.get(index)
    }

    /// The name of whoever has the slot of this index now.
    pub(crate) fn name_at(index: u32) -> Option<MemberName> {
        let generation = Member::at(index)?.state().taken()?;
        Some(MemberName { index, generation })
    }

    /// All slots in use.
    pub(crate) fn all() -> impl Iterator<Item = (MemberName, &'static Member)> {
        tables().members.taken().map(|(index, generation, member)| (MemberName { index, generation }, member))
    }

    /// A record of a deadlock, which [`Actor::disown`](super::Actor::disown) gives up.
    ///
    /// # Errors
    /// There is no room for it.
    pub(crate) fn create_deadlock() -> Result<(MemberName, &'static Member), ArenaError> {
        tables().create_deadlock()
    }

    /// Looks at a record; `None` if there is none.
    pub(crate) fn record<R>(&self, record: Record, look: impl FnOnce(&[u8]) -> R) -> Option<R> {
        tables().record(self, record, look)
    }

    /// Keeps a record in place of the one that was there. `index` is the slot's own.
    ///
    /// # Errors
    /// There is no memory for it; the one that was there stays.
    pub(crate) fn keep_record(&self, index: u32, record: Record, bytes: &[u8]) -> Result<(), ArenaError> {
        tables().keep_record(index, self, record, bytes)
    }

    /// The channel that retires when it is gone; `None` for what no process has started.
    pub(crate) fn exit(&self) -> Option<ChannelName> {
        tables().exit_of(self)
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

    /// Memory of large messages that nobody has used since the last look is given back to the system. `true` while
    /// there is some.
    pub(crate) fn cool(warmth: &mut Warmth) -> bool {
        tables().arena.cool(warmth)
    }

    /// From now on events are recorded, so many of each context.
    pub(crate) fn record_events(rows: u32) {
        let arena = &tables().arena;
        arena.control().switch_on(rows.min(arena.rows_of_a_ring()), Counter::best());
    }

    /// From now on no events are recorded. What was recorded can be read.
    pub(crate) fn record_no_events() {
        tables().arena.control().switch_off();
    }

    /// Whether events are recorded.
    pub(crate) fn records_events() -> bool {
        tables().arena.control().is_on()
    }

    /// Whether events have ever been recorded.
    pub(crate) fn has_recorded_events() -> bool {
        tables().arena.control().setting().epoch() != 0
    }

    /// What was recorded since it was switched on.
    pub(crate) fn recordings() -> Vec<Recording> {
        tables().recordings()
    }

    /// How many contexts found no room for what they would have recorded.
    pub(crate) fn unrecorded() -> u32 {
        tables().arena.shared().untraced.load(Ordering::Relaxed)
    }

    /// Nanoseconds between the beginning of the recording and an event.
    pub(crate) fn time_of(event: u64) -> u64 {
        tables().arena.control().since_begun(event)
    }

    /// One more look at all of them has begun and ended.
    pub(crate) fn note_look() {
        tables().note_look();
    }

    /// How many looks have begun and ended.
    pub(crate) fn looks() -> u64 {
        tables().looks()
    }
}

/// The slot with the record of a deadlock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlockSlot(&'static Member);

impl DeadlockSlot {
    /// The slot of this index, if it is one of a deadlock.
    pub(crate) fn at(index: u32) -> Option<DeadlockSlot> {
        Member::at(index).filter(|slot| slot.role() == Role::Deadlock).map(DeadlockSlot)
    }

    /// The slot of the deadlock of this number.
    pub(crate) fn numbered(number: u64) -> Option<DeadlockSlot> {
        let mut slots = Member::all().map(|(_, slot)| slot);
        slots.find(|slot| slot.role() == Role::Deadlock && slot.serial() == number).map(DeadlockSlot)
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
