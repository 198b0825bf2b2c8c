//! A channel: its fate, the counts of its ends, and two queues of offers in order of arrival.
//!
//! Knows nothing of values. Everything but the name is read and written under the channel's lock; the flags that make a
//! fate may also be read without it, for a channel only ever gains them.
//!
//! At most one of the two queues holds an offer of a context that still waits: a reader and a writer that both wait
//! would have met. (Offers of contexts that were committed elsewhere may linger until somebody unlinks them.)
#![expect(unsafe_code, reason = "promises that its record consists of atomics; listed in the architecture page")]

use super::context::Offer;
use super::lock::Lock;
use super::maybe::MaybeIndex;
use super::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use crate::engine::{ChannelKind, Closing, Direction, Fate, NAME_LIMIT, Opened, Store};
use crate::memory::{Layout, NONE, Shareable, Slot, SlotState, Trace, record};

/// The channel is poisoned; nothing gets through.
pub(super) const POISONED: u32 = 1;
/// The poison came from a process that died; `lost` says which. Without poison: who waited to be served was told of the
/// deadlock there.
pub(super) const LOST: u32 = 2;
/// The last reader, or the last writer, is gone.
pub(super) const NO_READERS: u32 = 4;
pub(super) const NO_WRITERS: u32 = 8;
/// A side that never had an end does not count as gone.
pub(super) const HAD_READERS: u32 = 16;
pub(super) const HAD_WRITERS: u32 = 32;
/// No end was requested yet: its maker is about to.
pub(super) const FRESH: u32 = 64;
/// What a full buffer does; none of them is Fifo, which makes writers wait.
pub(super) const OVERWRITE_OLDEST: u32 = 128;
pub(super) const OVERWRITE_NEWEST: u32 = 256;
pub(super) const DROP_NEWEST: u32 = 512;
const LOSSY: u32 = OVERWRITE_OLDEST | OVERWRITE_NEWEST | DROP_NEWEST;
/// It is a barrier: its inputs are parties, `capacity` is how many there are.
pub(super) const BARRIER: u32 = 1024;
/// The last party has decided that the claimed ones are committed.
pub(super) const DECIDED: u32 = 2048;
/// Its values travel beside the blocks; the channel itself is a rendezvous as any other.
pub(super) const CARRIED: u32 = 4096;
/// Only tells, by retiring, that something has ended.
pub(super) const END: u32 = 8192;
/// It is a gate: its inputs are those who want to pass, `capacity` is how many permits there are.
pub(super) const GATE: u32 = 1 << 14;
/// Whoever has the gate may add permits.
pub(super) const COUNTING: u32 = 1 << 15;
/// The permits of the gate count turns.
pub(super) const TURNS: u32 = 1 << 16;
/// Its readers, or its writers, may crash: their ends go as if they had returned.
const READERS_MAY_CRASH: u32 = 1 << 17;
const WRITERS_MAY_CRASH: u32 = 1 << 18;
/// Its readers serve: to wait there is to be at rest.
pub(super) const SERVED: u32 = 1 << 19;
/// Whoever reads a message says when it is done with it.
pub(super) const TASKS: u32 = 1 << 20;
/// Whoever has left tasks behind has crashed.
pub(super) const LEFT_BY_CRASH: u32 = 1 << 21;

#[repr(C, align(64))]
#[derive(Debug)]
pub(super) struct Channel {
    // First cache line: all that a communication touches.
    pub(super) lock: Lock,
    pub(super) flags: AtomicU32,
    state: SlotState,
    pub(super) inputs: Queue,
    pub(super) outputs: Queue,
    /// The number of what happened here last; the tickets of offers are such numbers.
    pub(super) number: AtomicU64,
    /// The oldest message in the buffer, and how many may lie there.
    pub(super) head: AtomicU32,
    pub(super) capacity: AtomicU32,
    // Second cache line.
    pub(super) readers: AtomicU32,
    pub(super) writers: AtomicU32,
    pub(super) handles: AtomicU32,
    /// The member whose death took the channel along, when [`LOST`] is set; the context that makes it while it is
    /// [`FRESH`].
    pub(super) lost: AtomicU32,
    /// The newest message in the buffer, and how many there are.
    pub(super) tail: AtomicU32,
    pub(super) length: AtomicU32,
    /// The member that has left a gate without giving its permits back, or a queue with tasks that it has not done.
    pub(super) abandoner: MaybeIndex,
    name_length: AtomicU8,
    name: [AtomicU8; NAME_LIMIT],
    // Third cache line: how many tasks were read and are not done, and those who wait until all are.
    pub(super) open: AtomicU32,
    pub(super) joins: Queue,
    /// Where its ends are: see [`estate`](super::estate).
    pub(super) places: Trace<1>,
}

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for Channel {}

const _: () = assert!(std::mem::offset_of!(Channel, readers) == 64);

impl Slot for Channel {
    const MARKED: bool = false;

    fn state(&self) -> &SlotState {
        &self.state
    }
}

impl Channel {
    /// Adds the records of this file to a layout.
    pub(super) const fn layout(layout: Layout) -> Layout {
        let layout = record!(layout, Queue { first, last });
        record!(
            layout,
            Channel {
                lock,
                flags,
                state,
                inputs,
                outputs,
                number,
                head,
                capacity,
                readers,
                writers,
                handles,
                lost,
                tail,
                length,
                abandoner,
                name_length,
                name,
                open,
                joins,
                places,
            }
        )
    }

    /// A taken slot becomes a fresh channel, before anybody else knows its name.
    pub(super) fn reset(&self, name: &str, kind: ChannelKind, maker: u32) {
        let (bits, capacity) = match kind {
            ChannelKind::Channel(Store::Fifo(capacity)) => (0, capacity),
            ChannelKind::Channel(Store::OverwriteOldest(capacity)) => (OVERWRITE_OLDEST, capacity),
            ChannelKind::Channel(Store::OverwriteNewest(capacity)) => (OVERWRITE_NEWEST, capacity),
            ChannelKind::Channel(Store::DropNewest(capacity)) => (DROP_NEWEST, capacity),
            ChannelKind::Carried => (CARRIED, 0),
            ChannelKind::Barrier { parties } => (BARRIER, parties),
            ChannelKind::End => (END, 0),
            ChannelKind::Gate { permits, opened: Opened::ByHolders } => (GATE, permits),
            ChannelKind::Gate { permits, opened: Opened::ByAnybody } => (GATE | COUNTING, permits),
            ChannelKind::Gate { permits, opened: Opened::InTurns } => (GATE | TURNS, permits),
        };
        self.flags.store(FRESH | bits, Ordering::Relaxed);
        self.capacity.store(capacity, Ordering::Relaxed);
        self.lost.store(maker, Ordering::Relaxed);
        for word in [&self.readers, &self.writers, &self.handles, &self.open] {
            word.store(0, Ordering::Relaxed);
        }
        for word in [&self.head, &self.tail, &self.length, self.spare()] {
            word.store(NONE, Ordering::Relaxed);
        }
        self.number.store(0, Ordering::Relaxed);
        self.abandoner.store(None, Ordering::Relaxed);
        self.inputs.clear();
        self.outputs.clear();
        self.joins.clear();
        self.places.clear();
        self.call(name);
    }

    /// A block that the last reader has left for the next writer: see [`buffer`](super::buffer).
    #[inline]
    pub(super) fn spare(&self) -> &AtomicU32 {
        self.state.next()
    }

    /// Gives it a name. Whoever asks for it meanwhile is told one or the other, or a mixture.
    pub(super) fn call(&self, name: &str) {
        let bytes = &name.as_bytes()[..name.len().min(NAME_LIMIT)];
        for (slot, byte) in self.name.iter().zip(bytes) {
            slot.store(*byte, Ordering::Relaxed);
        }
        self.name_length.store(bytes.len() as u8, Ordering::Release);
    }

    /// The context that makes it, while nobody has an end of it.
    pub(super) fn fresh_maker(&self) -> Option<u32> {
        let fresh = self.flags.load(Ordering::Acquire) & FRESH != 0;
        fresh.then(|| self.lost.load(Ordering::Relaxed))
    }

    pub(super) fn name(&self) -> String {
        let length = usize::from(self.name_length.load(Ordering::Acquire)).min(NAME_LIMIT);
        let bytes: Vec<u8> = self.name[..length].iter().map(|byte| byte.load(Ordering::Relaxed)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(super) fn count(&self, direction: Direction) -> &AtomicU32 {
        match direction {
            Direction::Reader | Direction::Party | Direction::Unit => &self.readers,
            Direction::Writer => &self.writers,
            Direction::Handle => &self.handles,
        }
    }

    /// Under the lock: so many ends more, or less; gives how many there are. Nobody changes it without the lock, so a
    /// load and a store will do.
    pub(super) fn change_count(&self, direction: Direction, change: i32) -> u32 {
        let count = self.count(direction);
        let now = count.load(Ordering::Relaxed).wrapping_add_signed(change);
        count.store(now, Ordering::Relaxed);
        now
    }

    /// From now on those of this side may crash.
    pub(super) fn bear_crashes_of(&self, direction: Direction) {
        self.flags.fetch_or(may_crash(direction), Ordering::AcqRel);
    }

    /// How an end of this side goes whose process closes it like this.
    pub(super) fn closing(&self, direction: Direction, closing: Closing) -> Closing {
        let flags = self.flags.load(Ordering::Relaxed);
        match closing {
            Closing::Lost { .. } if flags & may_crash(direction) != 0 => Closing::Retire,
            // It ends the network of the one who was served, not that of the others.
            Closing::Poison if flags & SERVED != 0 && direction == Direction::Writer => Closing::Retire,
            closing => closing,
        }
    }

    /// Whether it keeps messages when no reader waits.
    #[inline]
    pub(super) fn is_buffered(&self) -> bool {
        let flags = self.flags.load(Ordering::Relaxed);
        flags & (BARRIER | GATE) == 0 && (flags & LOSSY != 0 || self.capacity.load(Ordering::Relaxed) != 0)
    }

    /// Whether messages go from a writer to a reader there, and into no buffer.
    pub(super) fn is_plain(&self) -> bool {
        let others = BARRIER | GATE | END | CARRIED | TASKS | LOSSY;
        self.flags.load(Ordering::Relaxed) & others == 0 && self.capacity.load(Ordering::Relaxed) == 0
    }

    pub(super) fn is_barrier(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & BARRIER != 0
    }

    pub(super) fn is_gate(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & GATE != 0
    }

    /// Whether it is a gate that may keep a cell.
    #[inline]
    pub(super) fn may_keep_a_cell(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & (GATE | TURNS) == GATE
    }

    /// Whether it is a gate that may keep an area; then it keeps no cell.
    pub(super) fn may_keep_an_area(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & (GATE | TURNS) == GATE | TURNS
    }

    /// Whether its readers serve its writers.
    pub(super) fn is_served(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & SERVED != 0
    }

    pub(super) fn queue(&self, output: bool) -> &Queue {
        if output { &self.outputs } else { &self.inputs }
    }

    /// The queue that an offer of this channel stands in.
    pub(super) fn queue_of(&self, offer: &Offer) -> &Queue {
        if offer.joins() { &self.joins } else { self.queue(offer.is_output()) }
    }

    /// Whether an offer on this channel could be answered at once, as it looks without the lock.
    #[inline]
    pub(super) fn looks_ready(&self, output: bool) -> bool {
        let flags = self.flags.load(Ordering::Relaxed);
        let has_ended = flags & (POISONED | NO_READERS | NO_WRITERS) != 0;
        let stores = || match output {
            false => self.head.load(Ordering::Relaxed) != NONE,
            true => flags & LOSSY != 0 || self.length.load(Ordering::Relaxed) < self.capacity.load(Ordering::Relaxed),
        };
        has_ended || !self.queue(!output).is_empty() || stores()
    }

    /// Why an offer on this channel cannot be answered any more. Poison outranks retirement.
    #[inline]
    pub(super) fn fate(&self) -> Option<Fate> {
        let flags = self.flags.load(Ordering::Acquire);
        if flags & (POISONED | NO_READERS | NO_WRITERS) == 0 {
            return None;
        }
        Some(if flags & POISONED != 0 { self.reason_of_poison(flags) } else { Fate::Retired })
    }

    /// Why an offer here was told that it cannot be answered. One at a channel that is served may have been told of a
    /// deadlock, and the channel goes on.
    pub(super) fn told(&self) -> Option<Fate> {
        let flags = self.flags.load(Ordering::Acquire);
        self.fate().or_else(|| (flags & SERVED != 0).then(|| self.reason_of_poison(flags)))
    }

    fn reason_of_poison(&self, flags: u32) -> Fate {
        match flags & LOST {
            0 => Fate::Poisoned,
            _ => Fate::Lost { member: self.lost.load(Ordering::Acquire) },
        }
    }

    /// The member that is kept because of [`LOST`].
    pub(super) fn lost_with(&self) -> Option<u32> {
        let is_lost = self.flags.load(Ordering::Relaxed) & LOST != 0;
        is_lost.then(|| self.lost.load(Ordering::Relaxed))
    }

    pub(super) fn raise(&self, bits: u32) {
        let flags = self.flags.load(Ordering::Relaxed);
        self.flags.store(flags | bits, Ordering::Release);
    }

    pub(super) fn lower(&self, bits: u32) {
        let flags = self.flags.load(Ordering::Relaxed);
        self.flags.store(flags & !bits, Ordering::Release);
    }

    /// Whether nothing refers to the channel any more. A fresh one is its maker's, who may have taken the slot of a
    /// channel that a corpse was just freeing.
    pub(super) fn is_unused(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & FRESH == 0
            && [&self.readers, &self.writers, &self.handles].iter().all(|count| count.load(Ordering::Relaxed) == 0)
    }
}

fn may_crash(direction: Direction) -> u32 {
    match direction {
        Direction::Reader => READERS_MAY_CRASH,
        Direction::Writer => WRITERS_MAY_CRASH,
        _ => 0,
    }
}

/// A doubly linked queue of offers, in order of arrival.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Queue {
    /// Names plus one, so that zero is the empty queue.
    pub(super) first: AtomicU64,
    pub(super) last: AtomicU64,
}

impl Queue {
    /// Under the lock: whether nobody is in it.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.load(Ordering::Relaxed) == 0
    }

    pub(super) fn clear(&self) {
        self.first.store(0, Ordering::Relaxed);
        self.last.store(0, Ordering::Relaxed);
    }
}
