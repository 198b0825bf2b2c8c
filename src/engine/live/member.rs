//! A member: one process of a network, as all others see it.
//!
//! Knows nothing of how processes are started. A member is an operating-system process, or a thread of one; it holds ends
//! and blocks, ends in one of few ways, and leaves behind a result or an obituary. The slot lives until nobody refers to it:
//! the process itself counts once until it is gone, its starter once, and so does every channel that was lost with it.
#![expect(unsafe_code, reason = "promises that its record consists of atomics; listed in the architecture page")]

use super::end::{Closing, EndName, Holder};
use super::local::Local;
use super::sync::{AtomicU32, AtomicU64, Ordering, wait, wake_all};
use super::tables::{Tables, take};
use crate::memory::{ArenaError, Block, Home, NONE, Shareable, Slot, SlotState};
use crate::sys::clock::Deadline;

/// Where a member is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Described, not asked for yet.
    New = 0,
    /// Its starter waits for it to start.
    Requested = 1,
    Running = 2,
    /// Its function returned and the result is in place.
    Returned = 3,
    /// It could not be started; `code` is the error number.
    Failed = 4,
    /// It is gone, and everything it held is released.
    Gone = 5,
}

impl Phase {
    fn of(raw: u32) -> Phase {
        match raw {
            0 => Phase::New,
            1 => Phase::Requested,
            2 => Phase::Running,
            3 => Phase::Returned,
            4 => Phase::Failed,
            _ => Phase::Gone,
        }
    }
}

/// The name of a member: its slot and the generation of that slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct MemberName {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Member {
    state: SlotState,
    phase: AtomicU32,
    /// The error number of a failed start.
    pub(crate) code: AtomicU32,
    pub(crate) pid: AtomicU32,
    /// The member that is the operating-system process this one runs in (itself, unless it is a thread).
    pub(crate) host: AtomicU32,
    /// The member that started this one.
    pub(crate) parent: AtomicU32,
    /// 1 when a crash retires the ends instead of poisoning them.
    pub(crate) retires_on_crash: AtomicU32,
    references: AtomicU32,
    /// Ends held.
    pub(crate) ends: AtomicU32,
    /// Blocks: what a child needs to start; arguments; result; why it died.
    pub(crate) launch: AtomicU32,
    pub(crate) arguments: AtomicU32,
    pub(crate) result: AtomicU32,
    pub(crate) obituary: AtomicU32,
    /// Its end of the channel that retires when the member is gone.
    pub(crate) exit_end: AtomicU32,
    pub(crate) exit_end_generation: AtomicU32,
    /// The other end of that channel, for its starter. It is not the starter's: a process that is at its end lets go of all its
    /// ends and then waits for its children.
    pub(crate) exit_reader: AtomicU32,
    pub(crate) exit_reader_generation: AtomicU32,
    /// 1 once the starter (or the reaper for it) has given up its reference.
    pub(crate) disowned: AtomicU32,
    /// Addresses of functions, the same in every process of one image.
    pub(crate) entry: AtomicU64,
    pub(crate) body: AtomicU64,
    pub(crate) ending: AtomicU64,
    /// A number that no other process of this program has had.
    pub(crate) serial: AtomicU64,
    /// A block: the report of the deadlock that the member was in.
    pub(crate) deadlock: AtomicU32,
    /// What is to be done about one; the starter's unless it was said otherwise.
    pub(crate) on_deadlock: AtomicU32,
    reserved: [AtomicU32; 2],
}

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for Member {}

impl Slot for Member {
    fn state(&self) -> &SlotState {
        &self.state
    }
}

impl Member {
    pub(crate) fn phase(&self) -> Phase {
        Phase::of(self.phase.load(Ordering::Acquire))
    }

    /// Moves on, and wakes whoever waits for it.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u32, Ordering::Release);
        wake_all(&self.phase);
    }

    /// Waits until the member has left the phase [`Phase::Requested`].
    pub(crate) fn wait_for_start(&self) -> Phase {
        loop {
            let phase = self.phase();
            if phase > Phase::Requested {
                return phase;
            }
            wait(&self.phase, phase as u32, None);
        }
    }

    /// Waits until the member is gone.
    pub(crate) fn wait_until_gone(&self) {
        loop {
            let phase = self.phase();
            if phase == Phase::Gone {
                return;
            }
            wait(&self.phase, phase as u32, None);
        }
    }

    /// Whether no process or thread has been made for it yet.
    pub(super) fn is_unborn(&self) -> bool {
        self.phase() <= Phase::Requested && self.pid.load(Ordering::Acquire) == 0
    }

    fn blocks(&self) -> [&AtomicU32; 5] {
        [&self.launch, &self.arguments, &self.result, &self.obituary, &self.deadlock]
    }

    /// Whether the member refers to `block`.
    pub(super) fn keeps(&self, block: Block) -> bool {
        self.blocks().iter().any(|kept| kept.load(Ordering::Acquire) == block)
    }
}

impl Tables {
    /// A new member, with one reference for its starter and one for itself.
    pub(crate) fn create_member(self, parent: u32) -> Result<(MemberName, &'static Member), ArenaError> {
        let (index, generation, member) = take(self.members, Home::Members)?;
        for word in [
            &member.code,
            &member.pid,
            &member.retires_on_crash,
            &member.ends,
            &member.exit_end,
            &member.exit_end_generation,
            &member.exit_reader,
            &member.exit_reader_generation,
            &member.disowned,
            &member.on_deadlock,
        ] {
            word.store(0, Ordering::Relaxed);
        }
        for block in member.blocks() {
            block.store(NONE, Ordering::Relaxed);
        }
        member.host.store(index, Ordering::Relaxed);
        member.parent.store(parent, Ordering::Relaxed);
        member.references.store(2, Ordering::Relaxed);
        member.serial.store(self.arena.shared().serial.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
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

    pub(super) fn hold_member(self, index: u32) {
        if let Some(member) = self.members.get(index) {
            let before = member.references.fetch_add(1, Ordering::AcqRel);
            debug_assert!(before > 0, "a member that nobody keeps any more cannot be kept");
        }
    }
}

impl Local {
    /// Gives up one reference; the last one frees the slot and the blocks it keeps. No lock may be held: ends may travel in the
    /// blocks.
    pub(crate) fn release_member(&mut self, index: u32) {
        let tables = self.tables();
        let Some(member) = tables.members.get(index) else { return };
        if member.references.fetch_sub(1, Ordering::AcqRel) == 1 {
            for block in member.blocks() {
                self.discard(block.swap(NONE, Ordering::AcqRel), Closing::Retire);
            }
            // The next user of the slot must not look like a part of the dead for a moment.
            member.host.store(u32::MAX, Ordering::Release);
            member.parent.store(u32::MAX, Ordering::Release);
            tables.members.give_back(index);
        }
    }

    /// The starter no longer cares; may be said by the starter and by its reaper, and counts once.
    pub(crate) fn disown(&mut self, index: u32) {
        let Some(member) = self.tables().members.get(index) else { return };
        if member.disowned.swap(1, Ordering::AcqRel) == 0 {
            let reader = EndName {
                index: member.exit_reader.load(Ordering::Acquire),
                generation: member.exit_reader_generation.load(Ordering::Acquire),
            };
            if self.tables().holder(reader) == Some(Holder::Exit(index)) {
                self.close_end(reader, Closing::Retire);
            }
            self.release_member(index);
        }
    }
}
