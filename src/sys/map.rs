//! One large sparse mapping, shared with every process forked later.
//!
//! Knows nothing of what lies in it. Pages appear when touched and can be given back; the file is anonymous and
//! sealed against shrinking, so that no holder can make another one fault.
#![expect(unsafe_code, reason = "mapping memory is unsafe by nature; listed in the architecture page")]

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use rustix::process::{Resource, getrlimit};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::NonNull;

/// A mapping that lives as long as the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mapping {
    base: NonNull<u8>,
    size: usize,
}

// SAFETY: the mapping is never unmapped, and `Mapping` itself only hands out its address; whoever dereferences it
// answers for the access.
unsafe impl Send for Mapping {}
// SAFETY: as for `Send`.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `size` bytes of a sealed `memfd`, shared with processes forked from this one.
    pub(crate) fn shared(size: usize) -> Result<Mapping, Errno> {
        // Growing a file beyond this limit is not an error but a signal, which would end a program that only links the
        // library.
        if getrlimit(Resource::Fsize).current.is_some_and(|limit| limit < size as u64) {
            return Err(Errno::FBIG);
        }
        let file = memfd_create(c"csproc", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&file, size as u64)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing.
        let base = unsafe {
            mmap(
                std::ptr::null_mut(),
                size,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED | MapFlags::NORESERVE,
                &file,
                0,
            )
        }?;
        Ok(Mapping { base: NonNull::new(base.cast()).ok_or(Errno::NOMEM)?, size })
        // The file descriptor is closed here: the mapping keeps the memory, children inherit the mapping, and no
        // descriptor can leak into a program that a child executes.
    }

    /// Maps `size` bytes for the threads of this process alone.
    pub(crate) fn private(size: usize) -> Result<Mapping, Errno> {
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing.
        let base = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                size,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
        }?;
        Ok(Mapping { base: NonNull::new(base.cast()).ok_or(Errno::NOMEM)?, size })
    }

    pub(crate) fn base(self) -> *mut u8 {
        self.base.as_ptr()
    }

    pub(crate) fn size(self) -> usize {
        self.size
    }

    /// Gives the whole pages inside `offset..offset + length` back to the system, and tells which bytes read as zero
    /// now.
    ///
    /// # Safety
    /// Nobody may be using these bytes.
    pub(crate) unsafe fn give_back(self, offset: usize, length: usize) -> Range<usize> {
        const PAGE: usize = 4096;
        let start = offset.next_multiple_of(PAGE);
        let end = (offset + length) / PAGE * PAGE;
        if start >= end || end > self.size {
            return offset..offset;
        }
        let address = self.base.as_ptr().wrapping_add(start);
        // SAFETY: the range lies inside the mapping and, by this function's contract, holds nothing anybody needs.
        // A refusal (not supported for private mappings) leaves the pages in place, which is only slower.
        let given = unsafe { madvise(address.cast(), end - start, Advice::LinuxRemove) };
        if given.is_ok() { start..end } else { offset..offset }
    }
}

/// The size of a large page, and the boundary at which one begins.
const LARGE_PAGE: usize = 2 << 20;

/// Asks for large pages for memory of this process that is about to be written for the first time. Made one by one, the
/// small pages of a vector of 64 MiB take five times as long as to copy what is in it.
pub(crate) fn prefer_large_pages<T>(room: &mut [MaybeUninit<T>]) {
    let (start, length) = (room.as_mut_ptr().addr(), size_of_val(room));
    let (first, end) = (start.next_multiple_of(LARGE_PAGE), (start + length) / LARGE_PAGE * LARGE_PAGE);
    if end <= first {
        return;
    }
    let address = room.as_mut_ptr().cast::<u8>().wrapping_add(first - start);
    // SAFETY: the pages lie inside what the caller has alone, and keep what is in them. A system without large pages
    // refuses, which is only slower.
    let _ = unsafe { madvise(address.cast(), end - first, Advice::LinuxHugepage) };
}

/// Which process mapped something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) pid: u32,
    /// Nanoseconds since the system was started.
    pub(crate) since_boot: u64,
}

impl Origin {
    /// This process, now.
    pub(crate) fn here() -> Origin {
        Origin { pid: std::process::id(), since_boot: super::clock::since_boot() }
    }
}

/// Whether there is room for so many bytes of private memory now.
pub(crate) fn can_map(bytes: usize) -> Result<(), Errno> {
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::STACK;
    // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing.
    let base =
        unsafe { mmap_anonymous(std::ptr::null_mut(), bytes.max(1), ProtFlags::READ | ProtFlags::WRITE, flags) }?;
    // SAFETY: mapped by the line before; nobody else knows it.
    unsafe { munmap(base, bytes.max(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_keeps_what_is_in_it_when_large_pages_are_asked_for() {
        for length in [0, 1, LARGE_PAGE, 5 * LARGE_PAGE + 3] {
            let mut room = vec![MaybeUninit::new(7_u8); length];
            prefer_large_pages(&mut room);
            room.iter_mut().for_each(|byte| {
                // SAFETY: all of them were written.
                assert_eq!(unsafe { byte.assume_init() }, 7);
                byte.write(8);
            });
        }
    }
}
