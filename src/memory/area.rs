//! An area: many bytes of a block, which one process writes or several read.
//!
//! Knows nothing of who does; whoever asks for the bytes answers for that.
#![expect(unsafe_code, reason = "bytes of a block as a slice; listed in the architecture page")]

use super::arena::{Arena, ArenaError};
use super::block::{Block, Claimant, HEADER, LARGE, UNIT};
use std::ptr::NonNull;

/// Where an area begins in its block: at a boundary of as many bytes.
const AREA: usize = UNIT;
/// So many bytes of a block come before that, which are nobody's.
pub(crate) const MARGIN: usize = AREA - HEADER;

/// Where the bytes are; in every process at the same place.
#[derive(Debug)]
pub(crate) struct Area {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: it is a place; whoever asks for the bytes there answers for the access.
unsafe impl Send for Area {}
// SAFETY: as for `Send`.
unsafe impl Sync for Area {}

impl Area {
    /// So many bytes of a block, at a boundary of 64 bytes.
    fn at(start: *mut u8, length: usize) -> Area {
        let start = NonNull::new(start).unwrap_or_else(|| unreachable!("the arena does not begin at 0"));
        Area { start, length }
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// The bytes.
    ///
    /// # Safety
    /// As long as the slice is there, the block stays what it is, and nobody writes to it.
    #[inline]
    pub(crate) unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: they lie in the mapping, which is never unmapped, and any are valid; the rest is the caller's
        // promise.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// The bytes, to write.
    ///
    /// # Safety
    /// As long as the slice is there, the block stays what it is, and nobody else reads or writes it.
    #[inline]
    pub(crate) unsafe fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `bytes`.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Arena {
    /// Takes a block for an area of so many bytes.
    pub(crate) fn take_area(&self, bytes: usize, owner: Claimant<'_>) -> Result<Block, ArenaError> {
        let block = self.take_block(bytes.saturating_add(MARGIN), owner)?;
        self.block(block).set_length(bytes);
        Ok(block)
    }

    /// The area in a block.
    pub(crate) fn area(&self, block: Block) -> Area {
        let length = self.block(block).length();
        let most = self.capacity(block).saturating_sub(MARGIN);
        Area::at(self.address(block as usize * UNIT + AREA), length.min(most))
    }

    /// Writes the first bytes of the area of a block that the caller has just taken.
    pub(crate) fn fill_area(&self, block: Block, bytes: &[u8]) {
        let mut area = self.area(block);
        // SAFETY: the caller owns the block, and nobody else knows it.
        let room = unsafe { area.bytes_mut() };
        room[..bytes.len()].copy_from_slice(bytes);
    }

    /// Fills the area of a block that the caller has just taken with zero bytes. Of a large one, the pages are
    /// exchanged for those that the system gives when somebody writes there.
    pub(crate) fn clear_area(&self, block: Block) {
        let (start, length) = (block as usize * UNIT + AREA, self.area(block).length());
        let clear = if length < LARGE {
            start..start
        } else {
            // SAFETY: the caller owns the block, whose bytes nobody needs.
            unsafe { self.mapping().give_back(start, length) }
        };
        let rest = [start..clear.start, clear.end..start + length];
        for part in rest {
            // SAFETY: the caller owns the block, and the part lies in its area.
            unsafe { std::ptr::write_bytes(self.address(part.start), 0, part.len()) };
        }
    }

    /// The bytes of a message that begin where an area does: those in use without the [`MARGIN`].
    pub(crate) fn area_of_message(&self, block: Block) -> Area {
        let length = self.block(block).length().min(self.capacity(block));
        Area::at(self.address(block as usize * UNIT + AREA), length.saturating_sub(MARGIN))
    }
}
