//! An area: many bytes of a block, which one process writes or several read.
//!
//! Knows nothing of who does; whoever asks for the bytes answers for that.
#![expect(unsafe_code, reason = "bytes of a block as a slice; listed in the architecture page")]

use std::ptr::NonNull;

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
    pub(super) fn at(start: *mut u8, length: usize) -> Area {
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
