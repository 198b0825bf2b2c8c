//! Blocks: the bytes of messages, in size classes of powers of two from 64 bytes to 2 GiB. From 4 KiB on a class has 64
//! bytes more, so that a message of exactly a power of two fits, with its header.
//!
//! Knows nothing of what is written in them. A block has one owner at a time, named by a tag in its header, and only
//! the owner touches its bytes; on a commit the parties exchange blocks instead of copying them.
//!
//! Free blocks of a class form a stack like the slots of a pool. New blocks are cut from the untouched end of the arena
//! by one compare-and-swap on a word that holds the end *and* the class of the last block cut. Whoever cuts next first
//! writes that class into the header of the block before: so the header exists even when the process that cut it was
//! killed on the spot, and the blocks can always be walked from the first to the last. In the same way an *index* is
//! written, of the first block that begins in each chunk of 64 KiB: so a walk may also begin there.
//!
//! **Who owns a block can be found by its trace**: whoever takes a block, or is given one, says before that in which
//! chunk it is ([`Claimant`]). So the blocks of one who has died are found however many others there are.
//!
//! **Reading works in a full arena.** Whoever reads gives a block in exchange, so as many of the smallest as there are
//! contexts are kept back: at first uncut at the end of the arena, later on a stack of their own. They are lent to
//! readers who find nothing else, and as long as some are lent, small blocks that are given back go there first.
//!
//! Killed half-way: a process that dies between popping a block and tagging it, or between clearing its tag and pushing
//! it, loses that one block, nothing else.
#![expect(unsafe_code, reason = "reads and writes the bytes of blocks; listed in the architecture page")]

use super::arena::{Arena, ArenaError, Home};
use super::cell::{self, Cell, Word};
use super::identity::{Layout, record};
use super::pool::Shareable;
use super::trace::Trace;
use super::warm::WARM;
use crate::sys::atomic::{AtomicU32, AtomicU64, Ordering};

/// A block, named by its offset in units of 64 bytes.
pub(crate) type Block = u32;

/// No block. The header of the arena lies there, so no block has this name.
pub(crate) const NONE: Block = 0;
/// From here on there are no blocks: what stands where a block would, and is none, has one of these names.
pub(crate) const MARKS: Block = 0xff00_0000;
/// Stands in a context's word where a block would, when a channel's end of life was delivered instead of a message.
pub(crate) const FATE: Block = u32::MAX;

/// Whether a block has this name.
#[inline]
pub(crate) fn is_block(name: Block) -> bool {
    name != NONE && name < MARKS
}

pub(super) const UNIT: usize = 64;
pub(super) const CLASSES: usize = 26;
/// The stack of the blocks that are kept back for readers; they are of the smallest class.
const RESERVE: usize = CLASSES;
/// From this class on, a block has room for a power of two beside its header.
const ROOMY: usize = 6;
const LARGEST: usize = size_of_class(CLASSES - 1);
/// Freed blocks of this class and above give their pages back, unless they stay [warm](super::warm).
pub(super) const LARGE_CLASS: usize = 12;
pub(super) const LARGE: usize = UNIT << LARGE_CLASS;

/// More bytes than this are not kept where they are only likely to be needed.
const LARGEST_SPARE: usize = 4 << 10;

/// What stands before the bytes of a block.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct BlockHeader {
    /// Size class plus one; written once, by the cutter or by whoever cuts next.
    class: AtomicU32,
    /// Who may touch the bytes; zero while the block is free. The engine defines the tags.
    owner: AtomicU32,
    /// Bytes in use.
    length: AtomicU32,
    /// The next free block of the class.
    next: AtomicU32,
    /// Channel ends that travel in the block.
    ends: AtomicU32,
    /// The block before this one in a buffer; or, in a message for an extended read, the context that waits, plus one.
    back: AtomicU32,
}

pub(super) const HEADER: usize = size_of::<BlockHeader>();

/// So many units are a chunk: of the index, and of a trace.
const CHUNK: usize = (64 << 10) / UNIT;

/// The bytes of an index for an arena of so many.
pub(super) const fn index_size(arena: usize) -> usize {
    (arena / UNIT).div_ceil(CHUNK) * size_of::<AtomicU32>()
}

/// Somebody who is about to own a block: the tag for its header, and the trace by which it is found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimant<'a> {
    tag: u32,
    trace: Option<&'a Trace>,
}

impl<'a> Claimant<'a> {
    #[inline]
    pub(crate) fn new(tag: u32, trace: &'a Trace) -> Claimant<'a> {
        Claimant { tag, trace: Some(trace) }
    }

    /// One who knows its blocks without a trace.
    #[inline]
    pub(crate) fn untraced(tag: u32) -> Claimant<'static> {
        Claimant { tag, trace: None }
    }

    /// Writes the tag, and that into the trace before.
    #[inline]
    fn claim(self, block: Block, header: &BlockHeader) {
        if let Some(trace) = self.trace {
            trace.add(chunk_of(block));
        }
        header.owner.store(self.tag, Ordering::Release);
    }
}

#[inline]
fn chunk_of(block: Block) -> u32 {
    block / CHUNK as u32
}

/// The shared part of the allocator.
#[repr(C, align(64))]
#[derive(Debug)]
pub(crate) struct BlocksHeader {
    /// Units cut so far in the lower half; class plus one of the last block cut in the upper half.
    end: AtomicU64,
    /// Blocks of the reserve that are in use. Counted too early rather than too late: killed in between, a process
    /// leaves the reserve one block larger.
    lent: AtomicU32,
    /// 1 once somebody has found no room: whoever has a block to spare gives it back from then on.
    scarce: AtomicU32,
    free: [AtomicU64; CLASSES + 1],
    pub(super) warm: [AtomicU64; WARM],
}

/// Adds the records of this file to a layout.
pub(super) const fn layout(layout: Layout) -> Layout {
    let layout = record!(layout, BlockHeader { class, owner, length, next, ends, back });
    record!(layout, BlocksHeader { end, lent, scarce, free, warm })
        .number(UNIT)
        .number(CLASSES)
        .number(ROOMY)
        .number(CHUNK)
        .number(cell::HEADER)
}

/// The units of a block of this class.
#[inline]
const fn units(class: usize) -> usize {
    (1 << class) + if class < ROOMY { 0 } else { 1 }
}

pub(super) const fn size_of_class(class: usize) -> usize {
    units(class) * UNIT
}

/// The smallest class whose blocks have room for so many bytes.
#[inline]
fn class_of(bytes: usize) -> usize {
    let needed = (bytes + HEADER).div_ceil(UNIT);
    let class = needed.next_power_of_two().trailing_zeros() as usize;
    // In a roomy class, one unit does not count.
    if class < ROOMY { class } else { ((needed - 1).next_power_of_two().trailing_zeros() as usize).max(ROOMY) }
}

impl Arena {
    /// The header of a block.
    #[inline]
    pub(crate) fn block(&self, block: Block) -> &'static BlockHeader {
        debug_assert!(is_block(block));
        let offset = (block as usize * UNIT).min(self.size() - UNIT);
        // SAFETY: inside the mapping, aligned to 64 bytes, never unmapped; a header is made of atomics, for which any
        // bytes are valid.
        unsafe { &*self.address(offset).cast::<BlockHeader>() }
    }

    /// How many bytes fit into a block.
    #[inline]
    pub(crate) fn capacity(&self, block: Block) -> usize {
        match self.block(block).class.load(Ordering::Relaxed) {
            0 => 0,
            class => size_of_class((class as usize - 1).min(CLASSES - 1)) - HEADER,
        }
    }

    /// The bytes of a block.
    ///
    /// # Safety
    /// The caller owns the block (its tag says so), and keeps the slice no longer than it owns it.
    pub(crate) unsafe fn bytes_mut(&self, block: Block) -> &'static mut [u8] {
        let start = self.address(block as usize * UNIT + HEADER);
        // SAFETY: the class was written when the block was cut, so the bytes lie inside the mapping; the caller is
        // their only user.
        unsafe { std::slice::from_raw_parts_mut(start, self.capacity(block)) }
    }

    /// The bytes in use of a block.
    ///
    /// # Safety
    /// The caller owns the block, and keeps the slice no longer than it owns it.
    pub(crate) unsafe fn bytes(&self, block: Block) -> &'static [u8] {
        let start = self.address(block as usize * UNIT + HEADER);
        let length = (self.block(block).length()).min(self.capacity(block));
        // SAFETY: at most the capacity, which lies inside the mapping; the caller is the only user of the bytes.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    /// Writes these bytes into a block of the caller's, as all that is in use of it.
    #[inline]
    pub(crate) fn write_own(&self, block: Block, bytes: &[u8]) {
        // SAFETY: the caller owns the block.
        let room = unsafe { self.bytes_mut(block) };
        if let Some(target) = room.get_mut(..bytes.len()) {
            target.copy_from_slice(bytes);
            self.block(block).set_length(bytes.len());
        }
    }

    /// The block as a table of records that other processes may read.
    #[inline]
    pub(crate) fn records<T: Shareable>(&self, block: Block) -> &'static [T] {
        const { assert!(align_of::<T>() <= 8 && HEADER.is_multiple_of(8)) };
        let start = self.address(block as usize * UNIT + HEADER).cast::<T>();
        // SAFETY: the capacity lies inside the mapping, the start is aligned to eight bytes, and a `Shareable` type is
        // made of atomics for which any bytes are valid.
        unsafe { std::slice::from_raw_parts(start, self.capacity(block) / size_of::<T>()) }
    }

    /// Takes a block for a cell of so many bytes.
    pub(crate) fn take_cell(&self, bytes: usize, owner: Claimant<'_>) -> Result<Block, ArenaError> {
        let block = self.take_block(cell::words(bytes).saturating_mul(size_of::<Word>()), owner)?;
        self.block(block).set_length(bytes);
        Ok(block)
    }

    /// How many bytes the cell in a block has, and the cell.
    #[inline]
    pub(crate) fn cell(&self, block: Block) -> (usize, Cell<'static>) {
        let bytes = self.block(block).length();
        let words = self.records(block);
        (bytes, Cell::of(&words[..cell::words(bytes).min(words.len())]))
    }

    /// Fills a block that the caller has just taken with zero bytes.
    pub(crate) fn clear_block(&self, block: Block) {
        let start = self.address(block as usize * UNIT + HEADER);
        // SAFETY: the caller owns the block, whose bytes up to its capacity lie inside the mapping.
        unsafe { std::ptr::write_bytes(start, 0, self.capacity(block)) };
    }

    /// Takes a block for at least `bytes` bytes.
    pub(crate) fn take_block(&self, bytes: usize, owner: Claimant<'_>) -> Result<Block, ArenaError> {
        if bytes > LARGEST - HEADER {
            return Err(ArenaError::TooLarge { needed: bytes, limit: LARGEST - HEADER });
        }
        let class = class_of(bytes);
        let block = self
            .pop_free(class)
            .or_else(|| self.cut(class, self.reserve()))
            .or_else(|| (class + 1..CLASSES).find_map(|class| self.pop_free(class)))
            .ok_or_else(|| self.full(bytes))?;
        Ok(self.taken(block, owner))
    }

    #[cold]
    fn full(&self, needed: usize) -> ArenaError {
        self.blocks_header().scarce.store(1, Ordering::Relaxed);
        ArenaError::Full { needed, size: self.size() }
    }

    /// Whether a block that may be needed soon may be kept, though nobody else has use of it meanwhile: not a large
    /// one, nor any once there was no room.
    #[inline]
    pub(crate) fn is_to_spare(&self, block: Block) -> bool {
        self.capacity(block) <= LARGEST_SPARE && self.blocks_header().scarce.load(Ordering::Relaxed) == 0
    }

    /// Takes a block of the smallest class for somebody who is about to read, out of the reserve if need be.
    pub(crate) fn take_spare(&self, owner: Claimant<'_>) -> Result<Block, ArenaError> {
        self.take_block(0, owner).or_else(|full| {
            let lent = &self.blocks_header().lent;
            lent.fetch_add(1, Ordering::Relaxed);
            match self.pop(&self.blocks_header().free[RESERVE]).or_else(|| self.cut(0, 0)) {
                Some(block) => Ok(self.taken(block, owner)),
                None => {
                    lent.fetch_sub(1, Ordering::Relaxed);
                    Err(full)
                }
            }
        })
    }

    /// How many units are kept back for readers: one for each context.
    fn reserve(&self) -> usize {
        self.pool_capacity(Home::Contexts) as usize
    }

    /// The block is this owner's from now on.
    #[inline]
    pub(crate) fn give_block(&self, block: Block, owner: Claimant<'_>) {
        owner.claim(block, self.block(block));
    }

    fn taken(&self, block: Block, owner: Claimant<'_>) -> Block {
        let header = self.block(block);
        header.length.store(0, Ordering::Relaxed);
        header.ends.store(0, Ordering::Relaxed);
        owner.claim(block, header);
        block
    }

    /// Gives a block back.
    pub(crate) fn give_back_block(&self, block: Block) {
        let header = self.block(block);
        let Some(class) = header.class.load(Ordering::Relaxed).checked_sub(1) else { return };
        header.owner.store(0, Ordering::Release);
        if !self.keep_warm(class as usize, block) {
            self.put_away(class as usize, block);
        }
    }

    /// Puts a block that is nobody's on the stack of its class; the pages of a large one return to the system.
    pub(super) fn put_away(&self, class: usize, block: Block) {
        if class >= LARGE_CLASS {
            // The page that holds the header stays.
            // SAFETY: the block is free and on no stack of free blocks, so nobody uses its bytes.
            unsafe { self.mapping().give_back((block as usize + 1) * UNIT, size_of_class(class) - UNIT) };
        }
        let blocks = self.blocks_header();
        let repays = class == 0 && blocks.lent.load(Ordering::Relaxed) != 0 && self.repay();
        self.push(&blocks.free[if repays { RESERVE } else { class }], block, |_| true);
    }

    /// Puts a block on a stack, if that is right above the one that is on top of it.
    #[inline]
    pub(super) fn push(&self, stack: &AtomicU64, block: Block, is_right: impl Fn(Block) -> bool) -> bool {
        let mut head = stack.load(Ordering::Acquire);
        loop {
            if !is_right(head as u32) {
                return false;
            }
            self.block(block).next.store(head as u32, Ordering::Relaxed);
            let next = (((head >> 32) + 1) << 32) | u64::from(block);
            match stack.compare_exchange_weak(head, next, Ordering::Release, Ordering::Acquire) {
                Ok(_) => return true,
                Err(seen) => head = seen,
            }
        }
    }

    /// Whether a block of the reserve is still lent; then the caller gives one back.
    #[cold]
    fn repay(&self) -> bool {
        let lent = &self.blocks_header().lent;
        lent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |lent| lent.checked_sub(1)).is_ok()
    }

    /// Every block that was ever cut, free or not.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (Block, &'static BlockHeader)> {
        let first = self.blocks_start() / UNIT;
        self.walk(first, self.named_end())
    }

    /// The same, without those that this trace does not lead to.
    pub(crate) fn traced_blocks<'a>(
        &'a self,
        trace: &Trace,
    ) -> impl Iterator<Item = (Block, &'static BlockHeader)> + use<'a> {
        let end = self.named_end();
        trace.chunks(end.div_ceil(CHUNK) as u32).into_iter().flat_map(move |chunk| {
            let next_chunk = (chunk as usize + 1) * CHUNK;
            match self.index_entry(chunk).load(Ordering::Acquire) as usize {
                // None begins there.
                0 => self.walk(end, end),
                first => self.walk(first, next_chunk.min(end)),
            }
        })
    }

    /// Whether a trace leads to this block.
    pub(crate) fn is_traced(&self, block: Block, trace: &Trace) -> bool {
        trace.has(chunk_of(block))
    }

    /// The first unit that is not cut yet. The headers before it, and what the index says of them, are written.
    fn named_end(&self) -> usize {
        let word = self.blocks_header().end.load(Ordering::Acquire);
        self.name_last(word);
        self.blocks_start() / UNIT + word as u32 as usize
    }

    /// The blocks that begin at this unit, where one does, and after it, and before `end`.
    fn walk(&self, first: usize, end: usize) -> impl Iterator<Item = (Block, &'static BlockHeader)> + use<'_> {
        let mut at = first;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let block = at as Block;
            let header = self.block(block);
            let class = header.class.load(Ordering::Acquire).checked_sub(1)?;
            at += units(class as usize);
            Some((block, header))
        })
    }

    /// A free block of a class, rather one that has its pages.
    #[inline]
    fn pop_free(&self, class: usize) -> Option<Block> {
        self.pop_warm(class).or_else(|| self.pop(&self.blocks_header().free[class]))
    }

    pub(super) fn pop(&self, stack: &AtomicU64) -> Option<Block> {
        let mut head = stack.load(Ordering::Acquire);
        loop {
            let block = head as u32;
            if block == NONE {
                return None;
            }
            let next = self.block(block).next.load(Ordering::Relaxed);
            let new = (((head >> 32) + 1) << 32) | u64::from(next);
            match stack.compare_exchange_weak(head, new, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return Some(block),
                Err(seen) => head = seen,
            }
        }
    }

    /// Cuts a block off the end, where so many units are to be left.
    fn cut(&self, class: usize, left: usize) -> Option<Block> {
        let first = self.blocks_start() / UNIT;
        let limit = (self.size() / UNIT).saturating_sub(left);
        let end = &self.blocks_header().end;
        let mut word = end.load(Ordering::Acquire);
        loop {
            self.name_last(word);
            let offset = word as u32 as usize;
            let after = offset + units(class);
            if first + after > limit {
                return None;
            }
            let new = ((class as u64 + 1) << 32) | after as u64;
            match end.compare_exchange_weak(word, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    self.name_last(new);
                    return Some((first + offset) as Block);
                }
                Err(seen) => word = seen,
            }
        }
    }

    /// Writes the class into the header of the block that `word` says was cut last, and, if it is the first that begins
    /// in its chunk, that into the index.
    fn name_last(&self, word: u64) {
        let Some(class) = ((word >> 32) as u32).checked_sub(1) else { return };
        let last = (self.blocks_start() / UNIT + word as u32 as usize - units(class as usize)) as Block;
        self.block(last).class.store(class + 1, Ordering::Release);
        let entry = self.index_entry(chunk_of(last));
        // The first one in a chunk is named before another one is cut, so whoever comes late finds it there.
        if entry.load(Ordering::Relaxed) == 0 {
            let _ = entry.compare_exchange(0, last, Ordering::Release, Ordering::Relaxed);
        }
    }
}

impl BlockHeader {
    pub(crate) fn owner(&self) -> u32 {
        self.owner.load(Ordering::Acquire)
    }

    pub(crate) fn set_owner(&self, owner: u32) {
        self.owner.store(owner, Ordering::Release);
    }

    pub(crate) fn length(&self) -> usize {
        self.length.load(Ordering::Relaxed) as usize
    }

    pub(crate) fn set_length(&self, length: usize) {
        self.length.store(u32::try_from(length).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// Free for the owner to use while the block is taken.
    pub(crate) fn next(&self) -> &AtomicU32 {
        &self.next
    }

    /// As [`next`](BlockHeader::next).
    pub(crate) fn back(&self) -> &AtomicU32 {
        &self.back
    }

    pub(crate) fn ends(&self) -> &AtomicU32 {
        &self.ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arena() -> Arena {
        Arena::private_of(64 << 20, 0).unwrap()
    }

    #[test]
    fn a_small_message_and_its_header_share_one_cache_line() {
        assert_eq!(class_of(0), 0);
        assert_eq!(class_of(UNIT - HEADER), 0);
        assert_eq!(class_of(UNIT - HEADER + 1), 1);
        assert_eq!(class_of(LARGEST - HEADER), CLASSES - 1);
    }

    #[test]
    fn a_message_of_a_power_of_two_from_4_kib_on_fits_a_block_of_little_more() {
        for power in 12..=31 {
            let bytes = 1_usize << power;
            assert_eq!(size_of_class(class_of(bytes)), bytes + UNIT);
        }
    }

    #[test]
    fn the_class_of_a_message_is_the_smallest_that_has_room_for_it() {
        for class in 0..CLASSES {
            let room = size_of_class(class) - HEADER;
            assert_eq!(class_of(room), class);
            assert!(class + 1 == CLASSES || class_of(room + 1) == class + 1, "one byte more than {room}");
        }
    }

    #[test]
    fn a_block_too_large_for_any_message_is_refused_by_name() {
        let error = arena().take_block(usize::MAX / 2, Claimant::untraced(1)).unwrap_err();
        assert!(matches!(error, ArenaError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn a_block_given_back_is_used_again_and_every_block_can_be_walked() {
        let arena = arena();
        let block = arena.take_block(5000, Claimant::untraced(7)).unwrap();
        assert!(arena.capacity(block) >= 5000);
        assert!(arena.blocks().any(|(seen, header)| seen == block && header.owner() == 7));
        arena.give_back_block(block);
        let mut taken = Vec::new();
        let found = (0..1000).any(|_| {
            let again = arena.take_block(5000, Claimant::untraced(7)).unwrap();
            taken.push(again);
            again == block
        });
        for block in taken {
            arena.give_back_block(block);
        }
        assert!(found);
    }

    #[test]
    fn a_trace_leads_to_every_block_that_was_claimed_with_it_and_to_few_others() {
        let (arena, trace) = (arena(), Trace::default());
        let (mine, others) = (Claimant::new(7, &trace), Claimant::untraced(9));
        for round in 0..30_000 {
            // Now and then one that is larger than a chunk, so that none begins in some chunks.
            let bytes = if round % 10_000 == 500 { 300_000 } else { round % 3 * 50 };
            arena.take_block(bytes, if matches!(round, 500 | 501 | 20_000) { mine } else { others }).unwrap();
        }
        let all: Vec<Block> =
            arena.blocks().filter(|(_, header)| header.owner() == 7).map(|(block, _)| block).collect();
        let traced: Vec<(Block, u32)> =
            arena.traced_blocks(&trace).map(|(block, header)| (block, header.owner())).collect();
        let found = traced.iter().filter(|(_, owner)| *owner == 7).map(|(block, _)| *block);
        assert_eq!((all.len(), found.collect::<Vec<_>>()), (3, all));
        assert!(traced.len() <= 3 * CHUNK, "{} of 30000", traced.len());
    }

    #[test]
    fn a_block_that_is_given_to_somebody_is_found_by_its_trace() {
        let (arena, trace) = (arena(), Trace::default());
        let block = arena.take_block(100, Claimant::untraced(9)).unwrap();
        assert!(arena.traced_blocks(&trace).next().is_none() && !arena.is_traced(block, &trace));
        arena.give_block(block, Claimant::new(7, &trace));
        assert!(arena.is_traced(block, &trace));
        assert!(arena.traced_blocks(&trace).any(|(seen, header)| seen == block && header.owner() == 7));
    }
}
