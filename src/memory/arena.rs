//! A mapping and its fixed layout: a header, five pools of slots with their marks, the rows of the
//! rings, and the blocks with an index.
//!
//! Knows nothing of what the slots hold: the engine names their types, the arena only their sizes. The layout depends
//! on the size of the arena alone, so every process computes the same one.
#![expect(unsafe_code, reason = "turns offsets into references; listed in the architecture page")]

use super::block::{self, BlocksHeader, MARKS};
use super::control::{self, Control};
use super::identity::{self, Identity, Layout, Unreadable, record};
use super::pool::{self, Marks, Pool, PoolHeader, Shareable, Slot};
use super::rows::{Row, rows_in};
use super::trace;
use crate::sys::atomic::{AtomicI32, AtomicU32, AtomicU64};
use crate::sys::map::{Mapping, Origin};
use rustix::io::Errno;

/// Why there was no memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArenaError {
    /// A block of this many bytes does not fit any more.
    #[error(
        "the arena of {size} bytes is full: no block of {needed} bytes is left; set CSPROC_ARENA to a larger size (for \
         example CSPROC_ARENA=32G)"
    )]
    Full { needed: usize, size: usize },
    /// No block can ever be this large.
    #[error("{needed} bytes are more than one message can hold ({limit} bytes)")]
    TooLarge { needed: usize, limit: usize },
    /// The caller runs in a copy of a process that this library did not make.
    #[error(
        "this process was made by a bare fork of a program that uses csproc: its channels belong to the original; \
         start processes with `Spawn!` or execute a new program"
    )]
    Foreign,
    /// A pool of slots is used up.
    #[error("all {capacity} {what} of the arena are in use; set CSPROC_ARENA to a larger size, or release some")]
    Exhausted { what: &'static str, capacity: u32 },
    /// The system refuses the thread that attends to futures.
    #[cfg(feature = "async")]
    #[error(
        "the thread that wakes futures cannot be started: {}; allow this process more threads (`ulimit -u`)",
        std::io::Error::from_raw_os_error(*code)
    )]
    NoThread { code: i32 },
    /// Something that a simulated world does not have.
    #[cfg(feature = "testing")]
    #[error("{what} cannot be simulated: run it as processes of the operating system, or leave it out of the property")]
    Simulated { what: &'static str },
    /// More guards than one table of offers can hold, however large the arena is.
    #[error(
        "an alternation of {count} guards is larger than one of at most {limit}: divide the channels among several \
         processes"
    )]
    Guards { count: usize, limit: usize },
}

/// The pools of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    Members,
    Contexts,
    Channels,
    Ends,
    Rings,
}

const HOMES: usize = 5;

impl Home {
    /// Bytes of a slot.
    pub(crate) const fn slot_size(self) -> usize {
        match self {
            Home::Members => 320,
            Home::Channels => 192,
            Home::Contexts => 1024,
            Home::Ends => 32,
            Home::Rings => 128,
        }
    }

    /// The largest number of slots, and the share of the arena (one part in so many) that the pool may reserve.
    const fn limits(self) -> (usize, usize) {
        match self {
            Home::Members => (1 << 20, 64),
            Home::Contexts | Home::Channels => (1 << 20, 16),
            Home::Ends => (1 << 22, 16),
            // With their rows.
            Home::Rings => (1 << 10, 16),
        }
    }

    /// The largest number of slots.
    pub(crate) const fn most(self) -> usize {
        self.limits().0
    }

    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Home::Members => "processes",
            Home::Contexts => "contexts (threads that communicate)",
            Home::Channels => "channels",
            Home::Ends => "channel ends",
            Home::Rings => "rings (threads whose events are recorded)",
        }
    }
}

const ALL: [Home; HOMES] = [Home::Members, Home::Contexts, Home::Channels, Home::Ends, Home::Rings];

/// Counters that the engine keeps for all processes together.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Contexts that are not parked: when there are more than processors, spinning cannot pay.
    pub(crate) active: AtomicI32,
    /// Arrival numbers for processes, so that an identity is never used twice.
    pub(crate) serial: AtomicU64,
    /// How often somebody has looked for deadlocks.
    pub(crate) looks: AtomicU64,
    /// 1 while a burial owes a look at the references to members.
    pub(crate) unsettled: AtomicU32,
    /// Contexts that would have recorded what they did, had there been a ring.
    pub(crate) untraced: AtomicU32,
}

#[repr(C, align(64))]
struct Header {
    identity: [u8; identity::LENGTH],
    shared: Shared,
    blocks: BlocksHeader,
    pools: [PoolHeader; HOMES],
    control: Control,
}

const HEADER: usize = 8192;
const _: () = assert!(size_of::<Header>() <= HEADER && std::mem::offset_of!(Header, identity) == 0);

/// What this layer has laid out; the records in the pools are the engine's.
pub(crate) const fn layout() -> Layout {
    let layout = control::layout(trace::layout(block::layout(pool::layout(Layout::new()))));
    let layout = record!(layout, Header { identity, shared, blocks, pools, control });
    let mut layout = record!(layout, Shared { active, serial, looks, unsettled, untraced }).number(HEADER);
    let mut place = 0;
    while place < HOMES {
        let (most, share) = ALL[place].limits();
        layout = layout.number(ALL[place].slot_size()).number(most).number(share);
        place += 1;
    }
    layout
}

/// The smallest arena that holds anything useful.
const SMALLEST: usize = 4 << 20;
/// The address space reserved when nothing else is asked for; pages appear when they are touched.
const DEFAULT: usize = 16 << 30;

/// One mapping, and where everything lies in it. It is never unmapped.
#[derive(Debug)]
pub(crate) struct Arena {
    mapping: Mapping,
    pools: [Place; HOMES],
    /// Where the rows of the rings begin, and how many each ring has.
    rows: (usize, u32),
    /// Where the index of the blocks begins, and where the blocks themselves do.
    index: usize,
    blocks: usize,
}

/// Where the slots of a pool and its marks begin, and how many slots there are.
#[derive(Clone, Copy, Debug)]
struct Place {
    slots: usize,
    marks: usize,
    capacity: u32,
}

/// The size that `CSPROC_ARENA` asks for, and a complaint if it asks in a way nobody understands.
pub(crate) fn default_size() -> (usize, Option<String>) {
    match std::env::var("CSPROC_ARENA") {
        Err(_) => (DEFAULT, None),
        Ok(text) => match parse_size(&text) {
            Some(size) => (size.max(SMALLEST), None),
            None => (DEFAULT, Some(format!("CSPROC_ARENA={text} is not a size (write bytes, or 64M, 16G); using 16G"))),
        },
    }
}

fn parse_size(text: &str) -> Option<usize> {
    let text = text.trim();
    let (digits, shift) = match text.chars().last()?.to_ascii_uppercase() {
        'K' => (&text[..text.len() - 1], 10),
        'M' => (&text[..text.len() - 1], 20),
        'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let size = digits.trim().parse::<usize>().ok()?.checked_mul(1 << shift)?;
    // Blocks are named by their offsets, in units of 64 bytes.
    (size > 0 && size <= MARKS as usize * 64).then_some(size)
}

impl Arena {
    /// One that the processes to be forked will share, for records of this layout; of half the size while the system
    /// refuses.
    ///
    /// # Errors
    /// The system refuses the smallest one, too.
    pub(crate) fn shared_of(size: usize, layout: u32) -> Result<Arena, Errno> {
        Arena::mapped(size, layout, Mapping::shared)
    }

    /// The same for the threads of this process alone.
    ///
    /// # Errors
    /// As for [`Arena::shared_of`].
    pub(crate) fn private_of(size: usize, layout: u32) -> Result<Arena, Errno> {
        Arena::mapped(size, layout, Mapping::private)
    }

    fn mapped(mut size: usize, layout: u32, map: fn(usize) -> Result<Mapping, Errno>) -> Result<Arena, Errno> {
        loop {
            match map(size) {
                Ok(mapping) => return Ok(Arena::over(mapping, layout)),
                Err(_) if size > SMALLEST => size = (size / 2).max(SMALLEST),
                Err(error) => return Err(error),
            }
        }
    }

    /// Over a fresh mapping, which nobody else knows yet.
    fn over(mapping: Mapping, layout: u32) -> Arena {
        let identity = Identity { layout, size: mapping.size() as u64, origin: Origin::here() };
        // SAFETY: the mapping is larger than a header, nobody else has seen it, and its bytes need no alignment.
        unsafe { mapping.base().cast::<[u8; identity::LENGTH]>().write(identity.to_bytes()) };
        let mut offset = HEADER;
        let mut reserve = |bytes: usize| {
            let start = offset;
            offset = (start + bytes).next_multiple_of(4096);
            start
        };
        let pools = ALL.map(|home| {
            let (most, share) = home.limits();
            let beside = if home == Home::Rings { rows_in(mapping.size()) * size_of::<Row>() } else { 0 };
            let capacity = (mapping.size() / share / (home.slot_size() + beside)).clamp(1, most);
            let slots = reserve(capacity * home.slot_size());
            let marks = reserve(capacity.div_ceil(pool::CHUNK as usize) * size_of::<Marks>());
            Place { slots, marks, capacity: u32::try_from(capacity).unwrap_or(u32::MAX) }
        });
        let rows = rows_in(mapping.size());
        let row = reserve(pools[Home::Rings as usize].capacity as usize * rows * size_of::<Row>());
        let index = reserve(block::index_size(mapping.size()));
        Arena { mapping, pools, rows: (row, u32::try_from(rows).unwrap_or(u32::MAX)), index, blocks: offset }
    }

    /// How many slots a pool has.
    pub(crate) fn pool_capacity(&self, home: Home) -> u32 {
        self.pools[home as usize].capacity
    }

    pub(crate) fn size(&self) -> usize {
        self.mapping.size()
    }

    /// How many rows a ring has.
    pub(crate) fn rows_of_a_ring(&self) -> u32 {
        self.rows.1
    }

    pub(super) fn mapping(&self) -> Mapping {
        self.mapping
    }

    /// The entry of the index of blocks for a chunk, which the caller has checked against the size of the arena.
    pub(super) fn index_entry(&self, chunk: u32) -> &'static AtomicU32 {
        // SAFETY: `over` has reserved an entry for each chunk of the arena, aligned to a page; zero bytes are valid.
        unsafe { &*self.address(self.index).cast::<AtomicU32>().wrapping_add(chunk as usize) }
    }

    /// The first byte of the region of blocks.
    pub(super) fn blocks_start(&self) -> usize {
        self.blocks
    }

    fn header(&self) -> &'static Header {
        // SAFETY: the mapping begins with a header: larger than one, page aligned, never unmapped, and zero bytes are
        // a valid header: it consists of atomics, and of bytes that never change once anybody else can see them.
        unsafe { &*self.mapping.base().cast::<Header>() }
    }

    /// What its first bytes say.
    ///
    /// # Errors
    /// It is not laid out as `layout` says.
    pub(crate) fn identity(&self, layout: u32) -> Result<Identity, Unreadable> {
        Identity::read(&self.header().identity, layout)
    }

    pub(crate) fn shared(&self) -> &'static Shared {
        &self.header().shared
    }

    #[inline]
    pub(crate) fn control(&self) -> &'static Control {
        &self.header().control
    }

    /// A row of a ring, which may be any number: it counts around.
    #[inline]
    pub(crate) fn row(&self, ring: u32, number: u64) -> &'static Row {
        let (start, rows) = self.rows;
        let ring = ring.min(self.pool_capacity(Home::Rings) - 1);
        let rows_before = ring * rows + (number % u64::from(rows)) as u32;
        slot(self.mapping.base().wrapping_add(start).cast::<Row>(), rows_before)
    }

    pub(super) fn blocks_header(&self) -> &'static BlocksHeader {
        &self.header().blocks
    }

    /// The pool at `home`, whose slots are `T`.
    #[inline]
    pub(crate) fn pool<T: Slot>(&self, home: Home) -> Pool<T> {
        const { assert!(align_of::<T>() <= 512) };
        debug_assert!(size_of::<T>() == home.slot_size());
        let place = self.pools[home as usize];
        let [slots, marks] = [place.slots, place.marks].map(|start| self.mapping.base().wrapping_add(start));
        Pool::new(&self.header().pools[home as usize], slots.cast::<T>(), marks.cast(), place.capacity)
    }

    /// The address of a byte of the arena.
    #[inline]
    pub(super) fn address(&self, offset: usize) -> *mut u8 {
        debug_assert!(offset < self.mapping.size());
        self.mapping.base().wrapping_add(offset)
    }
}

/// The slot at `index`, or the marks of a chunk of them, which the pool has checked against its capacity.
#[inline]
pub(super) fn slot<T: Shareable>(slots: *const T, index: u32) -> &'static T {
    // SAFETY: the pool lies inside the mapping, `index` is below its capacity, slots are aligned to their size, and a
    // slot consists of atomics, for which any bytes (zero at first) are valid. The mapping is never unmapped.
    unsafe { &*slots.wrapping_add(index as usize) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(parse_size("4096"), Some(4096));
        assert_eq!(parse_size("64M"), Some(64 << 20));
        assert_eq!(parse_size(" 2 g "), Some(2 << 30));
        for wrong in ["", "G", "much", "-1", "99999999999999999999", "0"] {
            assert_eq!(parse_size(wrong), None, "{wrong:?}");
        }
    }
}
