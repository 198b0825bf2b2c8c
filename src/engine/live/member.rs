//! A member: one process of a network, as all others see it.
//!
//! Knows nothing of how processes are started. A member is an operating-system process, or a thread of one; it holds
//! ends and blocks, ends in one of few ways, and leaves behind a result or an obituary. The slot lives until nobody
//! refers to it: the process itself counts once until it is gone, its starter once, and so does every channel that was
//! lost with it.
#![expect(unsafe_code, reason = "promises that its record consists of atomics; listed in the architecture page")]

use super::local::Local;
use super::sync::{AtomicU32, AtomicU64, Ordering, mutant, wait, wake_all};
use super::tables::{Tables, take};
use crate::engine::{Closing, EndName, Holder, MemberName, Owner};
use crate::memory::{ArenaError, Block, Home, Layout, NONE, Shareable, Slot, SlotState, record};
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

/// What a slot of the pool of members stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A process of a network.
    Process = 0,
    /// The program itself.
    Program = 1,
    /// The process server.
    Server = 2,
    /// No process: the record of a deadlock, kept by the channels that were poisoned with it and by the processes that
    /// were in it.
    Deadlock = 3,
}

impl Role {
    fn of(raw: u32) -> Role {
        match raw {
            0 => Role::Process,
            1 => Role::Program,
            2 => Role::Server,
            _ => Role::Deadlock,
        }
    }
}

/// In the word of references: the starter's.
const STARTER: u32 = 1 << 31;
/// The process's own.
const OWN: u32 = 1 << 29;
/// There is no reference left, and the context whose number stands in the lower bits frees the slot.
const FREEING: u32 = 1 << 30;

/// The word of references: the generation of the slot that they keep (32 bits), and who keeps it.
///
/// The starter's reference may be given up by two, by the starter and by whoever takes its children along when it ends;
/// it counts once, for the generation that is meant:
///
/// ```text
///     the handle of a thread's child is dropped      the thread ends, and its child is gone
///     the slot is the child's
///                                                    gives up the starter's reference: the slot is free
///                                                    (another process is given the slot)
///     gives up the starter's reference  ✗
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct References(u64);

impl References {
    fn new(generation: u32, kept: u32) -> References {
        References(u64::from(generation) << 32 | u64::from(kept))
    }

    fn kept(self) -> u32 {
        self.0 as u32
    }

    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn is_of(self, generation: u32) -> bool {
        self.generation() == generation || mutant!("a process is disowned by its slot alone")
    }

    /// The context that frees the slot.
    fn freer(self) -> Option<u32> {
        (self.kept() & FREEING != 0).then_some(self.kept() & !FREEING)
    }
}

/// The deadlock that a process was in: the generation of its slot (32 bits), and the index of the record plus one. It
/// holds a reference to the slot of the record.
///
/// Whoever has found a deadlock notes it for every process in it, and any of these may be killed meanwhile. What is
/// noted counts for the generation that is meant, and no more once the slot is being freed:
///
/// ```text
///     the process is found in a deadlock         it is killed, and its slot is freed
///                                                (another process is given the slot)
///     notes the deadlock in the slot  ✗
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Noted(u64);

impl Noted {
    const NOTHING: u32 = 0;
    /// The slot is being freed, and takes no reference any more.
    const CLOSED: u32 = u32::MAX;

    fn new(generation: u32, record: u32) -> Noted {
        Noted(u64::from(generation) << 32 | u64::from(record))
    }

    fn record(self) -> Option<u32> {
        let word = self.0 as u32;
        (word != Noted::CLOSED).then(|| word.checked_sub(1)).flatten()
    }

    /// Whether the process of this generation has the slot, and keeps it.
    fn is_open_to(self, generation: u32) -> bool {
        (self.0 >> 32) as u32 == generation && self.0 as u32 != Noted::CLOSED
            || mutant!("a deadlock is noted by the slot alone")
    }

    /// The same slot, of which this is noted now.
    fn with(self, record: u32) -> Noted {
        Noted::new((self.0 >> 32) as u32, record)
    }
}

#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Member {
    state: SlotState,
    /// See [`References`].
    references: AtomicU64,
    phase: AtomicU32,
    /// The error number of a failed start; of a deadlock, 1 once somebody was given its report.
    pub(super) code: AtomicU32,
    pub(super) pid: AtomicU32,
    /// The member that is the operating-system process this one runs in (itself, unless it is a thread).
    pub(super) host: AtomicU32,
    /// The member that started this one.
    pub(super) parent: AtomicU32,
    /// 1 when a crash retires the ends instead of poisoning them.
    pub(super) retires_on_crash: AtomicU32,
    /// Ends held.
    pub(super) ends: AtomicU32,
    /// Blocks: what a child needs to start; arguments; result; why it died, or the report of a deadlock.
    pub(super) launch: AtomicU32,
    pub(super) arguments: AtomicU32,
    pub(super) result: AtomicU32,
    pub(super) obituary: AtomicU32,
    /// Its end of the channel that retires when the member is gone.
    exit_end: AtomicU32,
    exit_end_generation: AtomicU32,
    /// The other end of that channel, for its starter. The member itself holds it, not the starter: a starter that ends
    /// closes all its own ends first and joins its children afterwards, and must still be able to read this one.
    exit_reader: AtomicU32,
    exit_reader_generation: AtomicU32,
    role: AtomicU32,
    /// Addresses of functions, the same in every process of one image.
    pub(super) entry: AtomicU64,
    pub(super) body: AtomicU64,
    pub(super) ending: AtomicU64,
    /// A number that no other process of this program has had.
    pub(super) serial: AtomicU64,
    /// See [`Noted`].
    deadlock: AtomicU64,
    /// What is to be done about one; the starter's unless it was said otherwise.
    pub(super) on_deadlock: AtomicU32,
    /// The bell of the operating-system process: see [`Bell`](super::wait::Bell).
    pub(super) bell: AtomicU32,
    /// The number above which its contexts begin: that of its making, and of what its contexts that ended had done.
    pub(super) number: AtomicU64,
}

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for Member {}

impl Slot for Member {
    fn state(&self) -> &SlotState {
        &self.state
    }
}

impl Member {
    /// Adds the record of this file to a layout.
    pub(super) const fn layout(layout: Layout) -> Layout {
        record!(
            layout,
            Member {
                state,
                references,
                phase,
                code,
                pid,
                host,
                parent,
                retires_on_crash,
                ends,
                launch,
                arguments,
                result,
                obituary,
                exit_end,
                exit_end_generation,
                exit_reader,
                exit_reader_generation,
                role,
                entry,
                body,
                ending,
                serial,
                deadlock,
                on_deadlock,
                bell,
                number,
            }
        )
    }

    /// The end for its starter of the channel that retires when it is gone.
    pub(super) fn exit_reader(&self) -> EndName {
        EndName {
            index: self.exit_reader.load(Ordering::Acquire),
            generation: self.exit_reader_generation.load(Ordering::Acquire),
        }
    }

    /// Its own end of that channel.
    pub(super) fn exit_writer(&self) -> EndName {
        EndName {
            index: self.exit_end.load(Ordering::Acquire),
            generation: self.exit_end_generation.load(Ordering::Acquire),
        }
    }

    pub(super) fn set_exit(&self, reader: EndName, writer: EndName) {
        for (word, value) in [
            (&self.exit_reader, reader.index),
            (&self.exit_reader_generation, reader.generation),
            (&self.exit_end, writer.index),
            (&self.exit_end_generation, writer.generation),
        ] {
            word.store(value, Ordering::Release);
        }
    }

    pub(crate) fn role(&self) -> Role {
        Role::of(self.role.load(Ordering::Acquire))
    }

    /// The slot that keeps the deadlock which the member was in, if it was.
    pub(crate) fn deadlock(&self) -> Option<u32> {
        Noted(self.deadlock.load(Ordering::Acquire)).record()
    }

    /// The record of a deadlock: somebody is given the report.
    pub(crate) fn give(&self) {
        self.code.store(1, Ordering::Release);
    }

    /// The record of a deadlock: whether anybody was given the report.
    pub(crate) fn was_given(&self) -> bool {
        self.code.load(Ordering::Acquire) != 0
    }

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

    /// Whether no process or thread has been made for it, so that nobody but its starter sees to its end.
    pub(super) fn is_unborn(&self) -> bool {
        self.is_to_be_buried() && self.pid.load(Ordering::Acquire) == 0
    }

    /// A slot that is about to be taken.
    fn begin(&self, role: Role, parent: u32, serial: u64) {
        for word in [
            &self.code,
            &self.pid,
            &self.retires_on_crash,
            &self.ends,
            &self.exit_end,
            &self.exit_end_generation,
            &self.exit_reader,
            &self.exit_reader_generation,
            &self.on_deadlock,
        ] {
            word.store(0, Ordering::Relaxed);
        }
        for block in self.blocks() {
            block.store(NONE, Ordering::Relaxed);
        }
        // Its own index: written when it is known, and nobody asks for it before.
        self.host.store(u32::MAX, Ordering::Relaxed);
        self.parent.store(parent, Ordering::Relaxed);
        self.role.store(role as u32, Ordering::Relaxed);
        self.references.store(References::new(self.state.coming(), STARTER | OWN).0, Ordering::Relaxed);
        self.deadlock.store(Noted::new(self.state.coming(), Noted::NOTHING).0, Ordering::Relaxed);
        self.serial.store(serial, Ordering::Relaxed);
        self.number.store(0, Ordering::Relaxed);
        self.phase.store(Phase::New as u32, Ordering::Relaxed);
    }

    /// Whether nobody has seen to the end that it is gone: it is not, or a thread that was about to leave was killed on
    /// the way.
    pub(super) fn is_to_be_buried(&self) -> bool {
        self.phase() != Phase::Gone || self.references().kept() & (OWN | FREEING) == OWN
    }

    fn references(&self) -> References {
        References(self.references.load(Ordering::Acquire))
    }

    /// Whether the starter (or the reaper for it) has given up its reference.
    pub(super) fn is_disowned(&self) -> bool {
        self.references().kept() & STARTER == 0
    }

    fn blocks(&self) -> [&AtomicU32; 4] {
        [&self.launch, &self.arguments, &self.result, &self.obituary]
    }

    /// Whether the member refers to `block`.
    pub(super) fn keeps(&self, block: Block) -> bool {
        self.blocks().iter().any(|kept| kept.load(Ordering::Acquire) == block)
    }
}

impl Tables {
    /// A new member, with one reference for its starter and one for itself.
    pub(crate) fn create_member(self, parent: u32) -> Result<(MemberName, &'static Member), ArenaError> {
        self.create(Role::Process, parent)
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
            take(self.members, Home::Members, |member| member.begin(role, parent, serial))?;
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

    pub(super) fn retain_member(self, index: u32) {
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
        self.tables().retain_member(record);
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
    }

    /// The process no longer needs its slot. Counts once.
    pub(super) fn release_own(&mut self, index: u32) {
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
        for block in member.blocks() {
            let block = block.swap(NONE, Ordering::AcqRel);
            // A result that the starter was just taking when it died is the starter's by its tag, and went with it.
            if block != NONE && tables.arena.block(block).owner() == Owner::Member(index).tag() {
                self.discard(block, Closing::Retire);
            }
        }
        let closed = Noted::new(generation, Noted::CLOSED).0;
        if let Some(record) = Noted(member.deadlock.swap(closed, Ordering::AcqRel)).record() {
            self.release_member(record);
        }
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
                let tag = Owner::Member(index).tag();
                let rest: Vec<Block> =
                    tables.arena.blocks().filter(|(_, header)| header.owner() == tag).map(|(block, _)| block).collect();
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
