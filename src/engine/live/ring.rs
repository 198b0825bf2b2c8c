//! A ring: the last events of one context, which it writes and everybody may read, dead or alive.
//!
//! Knows nothing of what happens to a context ([`recorder`](super::recorder)). **A ring is written by the context that
//! it names, and by nobody else**; it overwrites what is oldest, waits for nobody, and nobody who reads it writes a
//! word.
//!
//! ```text
//!     writer                                    reader
//!     fence(release)                            head -> h, with acquire
//!     the eight words of row  head % rows       copies the rows below h
//!     head := head + 1, with release            fence(acquire)
//!                                               head -> h'
//!                                               keeps those above  h' - rows
//! ```
//! A record below `h` was complete before `head` said so. While the reader copies, the writer may have begun to
//! overwrite a row: if the reader has seen a word of that, then the writer's fence comes before its own, so it sees in
//! `h'` what `head` was when that writing began, at least. The row that is written next, after `h'` records, is that of
//! record `h' - rows`: so this one is not kept either. Whoever is killed in a record has not moved `head`: that record
//! does not exist.
//!
//! **Whose it is.** A ring is a slot of a pool. The taker writes the context into it before it counts as taken, and
//! from then on alone writes there; when its context ends, it says that it has left. A burial says of the rings of the
//! dead that they died. Such a ring stays as it is, so what the dead did last can be read, until somebody needs it:
//! ```text
//!     a context wants a ring      a free slot; else that which was left first; else that of who died first, while
//!                                 more than a few dozens have died; else none, and that is counted
//! ```
//! Only a ring that nobody writes is taken away: so there are never two writers. It is given back to the pool by its
//! generation, which one of several can do. Whoever reads meanwhile asks for the generation afterwards, and finds
//! another one.
#![expect(unsafe_code, reason = "promises that its record consists of atomics; listed in the architecture page")]

use super::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};
use crate::engine::EventRecord;
use crate::memory::{Arena, Layout, Shareable, Slot, SlotState, WORDS, record};

/// So many bytes of the launch record of a process are kept with its ring.
const LAUNCH: usize = 56;
/// Whether anybody may still write into a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Live = 1,
    /// The context has ended.
    Left = 2,
    /// Its process was killed.
    Died = 3,
}

#[repr(C, align(64))]
#[derive(Debug)]
pub(super) struct Ring {
    state: SlotState,
    pub(super) context: AtomicU32,
    /// The member that is the operating-system process.
    pub(super) host: AtomicU32,
    /// The serial number of the process that the context acts for.
    serial: AtomicU64,
    /// How many records were written.
    head: AtomicU64,
    pub(super) epoch: AtomicU32,
    rows: AtomicU32,
    life: AtomicU32,
    unused: AtomicU32,
    /// When it was left, or its owner died.
    pub(super) ended: AtomicU64,
    /// The first bytes of what its process was started with.
    launch_length: AtomicU8,
    launch: [AtomicU8; LAUNCH],
}

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for Ring {}

impl Slot for Ring {
    const MARKED: bool = true;

    fn state(&self) -> &SlotState {
        &self.state
    }
}

/// Who takes a ring.
#[derive(Clone, Debug)]
pub(super) struct Owner<'a> {
    pub(super) context: u32,
    pub(super) host: u32,
    pub(super) serial: u64,
    pub(super) launch: &'a [u8],
}

/// A ring in the hands of the context that writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnRing {
    ring: &'static Ring,
    index: u32,
    epoch: u32,
    serial: u64,
    mask: u64,
}

/// What a ring says.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) context: u32,
    pub(crate) serial: u64,
    /// The first bytes of what its process was started with.
    pub(crate) launch: Vec<u8>,
    /// How many records there were before those that are here.
    pub(crate) lost: u64,
    pub(crate) records: Vec<EventRecord>,
}

impl Ring {
    /// Adds the record of this file to a layout.
    pub(super) const fn layout(layout: Layout) -> Layout {
        record!(
            layout,
            Ring { state, context, host, serial, head, epoch, rows, life, unused, ended, launch_length, launch }
        )
    }

    pub(super) fn begin(&self, owner: &Owner<'_>, epoch: u32, rows: u32) {
        self.context.store(owner.context, Ordering::Relaxed);
        self.host.store(owner.host, Ordering::Relaxed);
        self.serial.store(owner.serial, Ordering::Relaxed);
        self.head.store(0, Ordering::Relaxed);
        self.epoch.store(epoch, Ordering::Relaxed);
        self.rows.store(rows, Ordering::Relaxed);
        self.ended.store(0, Ordering::Relaxed);
        let launch = &owner.launch[..owner.launch.len().min(LAUNCH)];
        self.launch_length.store(launch.len() as u8, Ordering::Relaxed);
        for (slot, byte) in self.launch.iter().zip(launch) {
            slot.store(*byte, Ordering::Relaxed);
        }
        self.life.store(Life::Live as u32, Ordering::Relaxed);
    }

    pub(super) fn life(&self) -> Life {
        match self.life.load(Ordering::Acquire) {
            2 => Life::Left,
            3 => Life::Died,
            _ => Life::Live,
        }
    }

    /// What a ring of this generation says, if it is of this epoch. `index` is its own.
    pub(super) fn read(&self, arena: &Arena, index: u32, generation: u32, epoch: u32) -> Option<Recording> {
        let life = self.life();
        let head = self.head.load(Ordering::Acquire);
        let rows = u64::from(self.rows.load(Ordering::Relaxed)).max(1);
        let first = head.saturating_sub(rows);
        let copies: Vec<[u64; WORDS]> = (first..head)
            .map(|number| {
                let row = arena.row(index, number & (rows - 1));
                std::array::from_fn(|word| row.0[word].load(Ordering::Relaxed))
            })
            .collect();
        let launch = usize::from(self.launch_length.load(Ordering::Relaxed)).min(LAUNCH);
        let recording = Recording {
            context: self.context.load(Ordering::Relaxed),
            serial: self.serial.load(Ordering::Relaxed),
            launch: self.launch[..launch].iter().map(|byte| byte.load(Ordering::Relaxed)).collect(),
            lost: 0,
            records: Vec::new(),
        };
        let is_of_now = self.epoch.load(Ordering::Relaxed) == epoch;
        fence(Ordering::Acquire);
        let overwritten = self.head.load(Ordering::Relaxed).saturating_sub(rows - 1);
        // Its owner has come to the end of its last record; one that was killed may have been in the middle of one.
        let overwritten = if life == Life::Left { first } else { overwritten };
        if !is_of_now || !self.state.is(generation) {
            return None;
        }
        let whole = copies.into_iter().zip(first..).filter(|(_, number)| *number >= overwritten);
        let records: Vec<EventRecord> = whole.filter_map(|(words, _)| EventRecord::of_words(words)).collect();
        Some(Recording { lost: head - records.len() as u64, records, ..recording })
    }

    /// Nobody writes it any more.
    pub(super) fn end(&self, life: Life, now: u64) {
        self.ended.store(now, Ordering::Relaxed);
        self.life.store(life as u32, Ordering::Release);
    }
}

impl OwnRing {
    /// Of a ring that its context has just taken.
    pub(super) fn new(ring: &'static Ring, index: u32, epoch: u32, serial: u64, rows: u32) -> OwnRing {
        OwnRing { ring, index, epoch, serial, mask: u64::from(rows) - 1 }
    }

    /// Whether it is that of this epoch for this process: a context may act for one after the other.
    pub(super) fn is_for(&self, epoch: u32, serial: u64) -> bool {
        self.epoch == epoch && self.serial == serial
    }

    /// Writes one event.
    #[inline]
    pub(super) fn write(&self, arena: &Arena, record: EventRecord) {
        let head = self.ring.head.load(Ordering::Relaxed);
        let row = arena.row(self.index, head & self.mask);
        fence(Ordering::Release);
        for (place, word) in row.0.iter().zip(record.to_words()) {
            place.store(word, Ordering::Relaxed);
        }
        self.ring.head.store(head + 1, Ordering::Release);
    }

    /// It is not written any more.
    pub(super) fn leave(self, now: u64) {
        self.ring.end(Life::Left, now);
    }
}
