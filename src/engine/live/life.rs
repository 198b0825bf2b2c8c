//! The slots of members: taken, kept by those who refer to them, and given up.
//!
//! Knows nothing of how a process starts, or of what is undone when one dies. The last reference frees a slot, and with
//! it the blocks that it keeps.

use super::local::Local;
use super::member::{FREEING, Member, Noted, OWN, Phase, References, Role, STARTER};
use super::sync::{Ordering, wait};
use super::tables::{Tables, take};
use crate::engine::{Closing, Holder, MemberName, Owner};
use crate::memory::{ArenaError, Home, NONE};
use crate::sys::clock::Deadline;

impl Tables {
    /// A new member, with one reference for its starter and one for itself.
    pub(crate) fn create_member(self, parent: u32) -> Result<(MemberName, &'static Member), ArenaError> {
        self.create(Role::Process, parent)
    }

    /// The same for one that runs in the process of its parent, and dies with that.
    pub(crate) fn create_member_beside(self, parent: u32) -> Result<(MemberName, &'static Member), ArenaError> {
        let (name, member) = self.create_member(parent)?;
        member.host.store(self.members.get(parent).map_or(parent, Member::host), Ordering::Release);
        Ok((name, member))
    }

    /// The slot of something that no process has started.
    pub(super) fn create_root(self, role: Role) -> Result<(MemberName, &'static Member), ArenaError> {
        self.create(role, u32::MAX)
    }

    /// A record of a deadlock, with one reference, which [`Local::disown`] gives up.
    pub(crate) fn create_deadlock(self) -> Result<(MemberName, &'static Member), ArenaError> {
        let (name, slot) = self.create_root(Role::Deadlock)?;
        // There is nobody to be buried.
        slot.phase.store(Phase::Gone as u32, Ordering::Release);
        slot.references.store(References::new(name.generation, STARTER).0, Ordering::Release);
        Ok((name, slot))
    }

    fn create(self, role: Role, parent: u32) -> Result<(MemberName, &'static Member), ArenaError> {
        let serial = self.arena.shared().serial.fetch_add(1, Ordering::Relaxed);
        // The slot says whose it is before it is taken: killed in between, its maker leaves a child that was never
        // asked for, not one that nobody knows.
        let (index, generation, member) =
            take(self.members, Home::Members, |_, member| member.begin(role, parent, serial))?;
        member.host.store(index, Ordering::Relaxed);
        member.phase.store(Phase::New as u32, Ordering::Release);
        Ok((MemberName { index, generation }, member))
    }

    pub(crate) fn member(self, name: MemberName) -> Option<&'static Member> {
        self.members.named(name.index, name.generation)
    }

    /// Waits until a process is gone, or until the deadline; `true` when it is gone.
    pub(crate) fn wait_until_gone(self, name: MemberName, deadline: &Deadline) -> bool {
        loop {
            // Another generation: the slot is somebody else's by now.
            let Some(member) = self.member(name) else { return true };
            let phase = member.phase();
            if phase == Phase::Gone {
                return true;
            }
            if deadline.is_past() {
                return false;
            }
            wait(&member.phase, phase as u32, Some(deadline));
        }
    }

    pub(in crate::engine) fn retain_member(self, index: u32) {
        if let Some(member) = self.members.get(index) {
            let before = References(member.references.fetch_add(1, Ordering::AcqRel));
            debug_assert!(before.kept() > 0, "a member that nobody keeps any more cannot be kept");
        }
    }
}

impl Local {
    /// Gives up one reference; the last one frees the slot and the blocks it keeps. No lock may be held: ends may
    /// travel in the blocks.
    pub(crate) fn release_member(&mut self, index: u32) {
        self.give_up(index, |references| references.kept().checked_sub(1));
    }

    /// A process is in a deadlock, whose record it keeps from now on. The caller has a reference to the record. A
    /// process that is gone keeps none.
    pub(crate) fn note_deadlock(&mut self, name: MemberName, record: u32) {
        let Some(slot) = self.tables().members.get(name.index) else { return };
        // Before the slot names it: from then on, the end of the process gives this reference up.
        self.retain_member(record);
        let noted = slot.deadlock.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
            let before = Noted(word);
            before.is_open_to(name.generation).then_some(before.with(record + 1).0)
        });
        let superfluous = match noted {
            Ok(before) => Noted(before).record(),
            Err(_) => Some(record),
        };
        if let Some(record) = superfluous {
            self.release_member(record);
        }
        self.close_count();
    }

    /// The process no longer needs its slot. Counts once.
    pub(in crate::engine) fn release_own(&mut self, index: u32) {
        self.give_up(index, |references| (references.kept() & OWN != 0).then_some(references.kept() & !OWN));
    }

    /// The starter no longer cares; may be said by the starter and by its reaper, and counts once. It says nothing of
    /// the process that has the slot by now.
    ///
    /// Nothing but the last step, which is one store, makes it count: a starter that is killed before has not said it,
    /// and its reaper says it.
    pub(crate) fn disown(&mut self, name: MemberName) {
        let Some(member) = self.tables().members.get(name.index) else { return };
        let reader = member.exit_reader();
        // In this order: what was read before is this process's own, and names one generation of an end itself.
        if !member.state.is(name.generation) {
            return;
        }
        if self.tables().holder(reader) == Some(Holder::Exit(name.index)) {
            self.close_end(reader, Closing::Retire);
        }
        self.give_up(name.index, |references| {
            let counts = references.is_of(name.generation) && references.kept() & STARTER != 0;
            counts.then_some(references.kept() & !STARTER)
        });
    }

    /// Whoever gives up the last reference leaves its own name in its place, in the same store: killed before the slot
    /// is free, it is found by that name, and the reaper frees the slot.
    ///
    /// Whoever has a reference needs no generation: it keeps the slot from being somebody else's.
    fn give_up(&mut self, index: u32, less: impl Fn(References) -> Option<u32>) {
        let Some(member) = self.tables().members.get(index) else { return };
        let freer = FREEING | self.index;
        let change = |references: References| match less(references) {
            _ if references.freer().is_some() => None,
            Some(0) => Some(freer),
            other => other,
        };
        let changed = member.references.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
            let before = References(word);
            change(before).map(|kept| References::new(before.generation(), kept).0)
        });
        if changed.is_ok_and(|before| change(References(before)) == Some(freer)) {
            self.free_member(index, member);
        }
    }

    fn free_member(&mut self, index: u32, member: &Member) {
        let tables = self.tables();
        let Some(generation) = member.state.taken() else { return };
        for word in member.blocks() {
            // Nearly all are empty, and nobody puts anything there any more: a look costs less than an exchange.
            if word.load(Ordering::Acquire) == NONE {
                continue;
            }
            let block = word.swap(NONE, Ordering::AcqRel);
            // A result that the starter was just taking when it died is the starter's by its tag, and went with it.
            if block != NONE && tables.arena.block(block).owner() == Owner::Member(index).tag() {
                self.discard(block, Closing::Retire);
            }
        }
        let closed = Noted::new(generation, Noted::CLOSED).0;
        if Noted(member.deadlock.load(Ordering::Acquire)).record().is_some() {
            self.open_count();
        }
        if let Some(record) = Noted(member.deadlock.swap(closed, Ordering::AcqRel)).record() {
            self.release_member(record);
        }
        self.close_count();
        // The next user of the slot must not look like a part of the dead for a moment.
        member.host.store(u32::MAX, Ordering::Release);
        member.parent.store(u32::MAX, Ordering::Release);
        tables.members.give_back(index, generation);
    }

    /// Reaper: frees the slots that the dead were about to free. Blocks that a slot names no more carry its tag.
    pub(super) fn free_half_freed_members(&mut self, of_the_dead: impl Fn(u32) -> bool) {
        let tables = self.tables();
        for (index, _, member) in tables.members.taken() {
            if member.references().freer().is_some_and(&of_the_dead) {
                let rest = tables.blocks_of(Owner::Member(index));
                for block in member.blocks() {
                    block.store(NONE, Ordering::Release);
                }
                for block in rest {
                    self.discard(block, Closing::Retire);
                }
                self.free_member(index, member);
            }
        }
    }
}
