//! A member: one process of a network, as all others see it.
//!
//! Knows nothing of how processes are started. A member is an operating-system process, or a thread of one; it holds
//! ends and blocks, ends in one of few ways, and leaves behind a result or an obituary. The slot lives until nobody
//! refers to it: the process itself counts once until it is gone, its starter once, and so does every channel that was
//! lost with it.
#![expect(unsafe_code, reason = "promises that its record consists of atomics; listed in the architecture page")]

use super::estate::Estate;
use super::sync::{AtomicU32, AtomicU64, Ordering, wait, wake_all};
use crate::engine::EndName;
use crate::memory::{Block, Layout, NONE, Shareable, Slot, SlotState, record};

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
pub(super) const STARTER: u32 = 1 << 31;
/// The process's own.
pub(super) const OWN: u32 = 1 << 29;
/// There is no reference left, and the context whose number stands in the lower bits frees the slot.
pub(super) const FREEING: u32 = 1 << 30;

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
pub(super) struct References(pub(super) u64);

impl References {
    pub(super) fn new(generation: u32, kept: u32) -> References {
        References(u64::from(generation) << 32 | u64::from(kept))
    }

    pub(super) fn kept(self) -> u32 {
        self.0 as u32
    }

    pub(super) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(super) fn is_of(self, generation: u32) -> bool {
        self.generation() == generation
    }

    /// The context that frees the slot.
    pub(super) fn freer(self) -> Option<u32> {
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
pub(super) struct Noted(pub(super) u64);

impl Noted {
    pub(super) const NOTHING: u32 = 0;
    /// The slot is being freed, and takes no reference any more.
    pub(super) const CLOSED: u32 = u32::MAX;

    pub(super) fn new(generation: u32, record: u32) -> Noted {
        Noted(u64::from(generation) << 32 | u64::from(record))
    }

    pub(super) fn record(self) -> Option<u32> {
        let word = self.0 as u32;
        (word != Noted::CLOSED).then(|| word.checked_sub(1)).flatten()
    }

    /// Whether the process of this generation has the slot, and keeps it.
    pub(super) fn is_open_to(self, generation: u32) -> bool {
        (self.0 >> 32) as u32 == generation && self.0 as u32 != Noted::CLOSED
    }

    /// The same slot, of which this is noted now.
    pub(super) fn with(self, record: u32) -> Noted {
        Noted::new((self.0 >> 32) as u32, record)
    }
}

#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct Member {
    pub(super) state: SlotState,
    /// See [`References`].
    pub(super) references: AtomicU64,
    pub(super) phase: AtomicU32,
    /// The error number of a failed start; of a deadlock, 1 once somebody was given its report.
    pub(super) code: AtomicU32,
    pub(super) pid: AtomicU32,
    /// The member that is the operating-system process this one runs in (itself, unless it is a thread).
    pub(super) host: AtomicU32,
    /// The member that started this one.
    pub(super) parent: AtomicU32,
    /// 1 when a crash retires the ends instead of poisoning them.
    pub(super) retires_on_crash: AtomicU32,
    /// Ends held, without units.
    pub(super) ends: AtomicU32,
    /// 1 once it has held a unit.
    pub(super) has_held_units: AtomicU32,
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
    /// See [`Functions`](super::process::Functions).
    pub(super) entry: [AtomicU64; 2],
    pub(super) body: [AtomicU64; 2],
    pub(super) ending: [AtomicU64; 2],
    /// A number that no other process of this program has had.
    pub(super) serial: AtomicU64,
    /// See [`Noted`].
    pub(super) deadlock: AtomicU64,
    /// What is to be done about one; the starter's unless it was said otherwise.
    pub(super) on_deadlock: AtomicU32,
    /// The bell of the operating-system process: see [`Bell`](super::bell::Bell).
    pub(super) bell: AtomicU32,
    /// The number above which its contexts begin: that of its making, and of what its contexts that ended had done.
    pub(super) number: AtomicU64,
    /// The block with the stands, if it is driven, and the number of its own plus one: see [`stand`](super::stand).
    pub(super) baton: AtomicU32,
    pub(super) stand: AtomicU32,
    pub(super) estate: Estate,
}

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for Member {}

impl Slot for Member {
    const MARKED: bool = true;

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
                has_held_units,
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
                baton,
                stand,
                estate,
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

    /// Whether no channel tells of its end: it is half made, or simulated.
    pub(super) fn has_no_exit(&self) -> bool {
        self.role() == Role::Process && self.exit_writer().generation == 0
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

    /// Moves on, and wakes whoever waits for it: for its start or for its end, which the phases in between are not.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u32, Ordering::Release);
        if !matches!(phase, Phase::Requested | Phase::Returned) {
            wake_all(&self.phase);
        }
    }

    /// Moves on where nobody waits for it: whoever could is simulated on the calling thread.
    #[cfg(feature = "testing")]
    pub(crate) fn come_to(&self, phase: Phase) {
        self.phase.store(phase as u32, Ordering::Release);
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
    pub(super) fn begin(&self, role: Role, parent: u32, serial: u64) {
        for word in [
            &self.code,
            &self.pid,
            &self.retires_on_crash,
            &self.ends,
            &self.has_held_units,
            &self.exit_end,
            &self.exit_end_generation,
            &self.exit_reader,
            &self.exit_reader_generation,
            &self.on_deadlock,
            &self.stand,
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
        self.estate.clear();
    }

    /// Whether nobody has seen to the end that it is gone: it is not, or a thread that was about to leave was killed on
    /// the way.
    pub(super) fn is_to_be_buried(&self) -> bool {
        self.phase() != Phase::Gone || self.references().kept() & (OWN | FREEING) == OWN
    }

    pub(super) fn references(&self) -> References {
        References(self.references.load(Ordering::Acquire))
    }

    /// Whether the starter (or the reaper for it) has given up its reference.
    pub(super) fn is_disowned(&self) -> bool {
        self.references().kept() & STARTER == 0
    }

    pub(super) fn blocks(&self) -> [&AtomicU32; 4] {
        [&self.launch, &self.arguments, &self.result, &self.obituary]
    }

    /// Whether the member refers to `block`.
    pub(super) fn keeps(&self, block: Block) -> bool {
        self.blocks().iter().any(|kept| kept.load(Ordering::Acquire) == block)
    }
}
