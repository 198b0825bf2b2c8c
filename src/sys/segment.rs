//! The kernel's System V segments of memory, and one of them in this process's memory.
//!
//! Knows nothing of what lies in a segment. Others write there at any time, so it is seen as atomic words, and no other
//! reference ever points into it.
#![expect(unsafe_code, reason = "calls what rustix does not have; listed in the architecture page")]

use super::sysv::{Opening, last_error, told};
use libc::{c_void, shmid_ds};
use rustix::io::Result;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

/// The number of the segment with this key; a new one has so many bytes, and all are zero.
pub(crate) fn open(key: i32, bytes: usize, opening: Opening, mode: u16) -> Result<i32> {
    // SAFETY: the call takes three numbers.
    told(unsafe { libc::shmget(key, bytes, opening.with(mode)) })
}

/// What the kernel tells of a segment.
pub(crate) fn state(segment: i32) -> Result<shmid_ds> {
    let mut state = MaybeUninit::uninit();
    // SAFETY: there is room for the answer.
    told(unsafe { libc::shmctl(segment, libc::IPC_STAT, state.as_mut_ptr()) })?;
    // SAFETY: the kernel has written it, for the call succeeded.
    Ok(unsafe { state.assume_init() })
}

/// Changes the owner and the mode of a segment to these.
pub(crate) fn change(segment: i32, state: &mut shmid_ds) -> Result<()> {
    // SAFETY: `state` is one, and the kernel only reads it.
    told(unsafe { libc::shmctl(segment, libc::IPC_SET, state) }).map(drop)
}

/// Removes a segment once nobody has it in his memory any more.
pub(crate) fn remove(segment: i32) -> Result<()> {
    // SAFETY: this command takes no third argument.
    told(unsafe { libc::shmctl(segment, libc::IPC_RMID, std::ptr::null_mut()) }).map(drop)
}

/// A segment in this process's memory, until it is dropped.
#[derive(Debug)]
pub(crate) struct Attached {
    base: NonNull<AtomicU64>,
    bytes: usize,
}

// SAFETY: the memory belongs to the process and not to a thread of it, and is used by atomic words alone.
unsafe impl Send for Attached {}
// SAFETY: as for `Send`.
unsafe impl Sync for Attached {}

impl Attached {
    /// Brings a segment into this process's memory, at a place of the kernel's choice.
    pub(crate) fn new(segment: i32, is_read_only: bool) -> Result<Attached> {
        let how = if is_read_only { libc::SHM_RDONLY } else { 0 };
        // SAFETY: a place of the kernel's choice overlaps nothing.
        let base = unsafe { libc::shmat(segment, std::ptr::null(), how) };
        // What the call says when it fails is all ones.
        let failed = base.addr() == usize::MAX;
        let base = NonNull::new(base.cast()).filter(|_| !failed).ok_or_else(last_error)?;
        let mut attached = Attached { base, bytes: 0 };
        // Now that it is attached, its number is its own, and its size never changes.
        attached.bytes = state(segment)?.shm_segsz;
        Ok(attached)
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All of it; of the last word, a part may lie behind its end. Stores are for whoever has attached it to write.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: the kernel maps whole pages, so so many words are there, at the start of a page, until `drop`. Any
        // bytes are such a word, and atomics may be changed by others.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.bytes.div_ceil(size_of::<AtomicU64>())) }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: attached there, and no reference outlives this.
        let _ = unsafe { libc::shmdt(self.base.as_ptr().cast::<c_void>()) };
    }
}
