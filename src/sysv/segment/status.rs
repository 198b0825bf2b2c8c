//! What the kernel tells of a segment, and what can be changed about it.
//!
//! Knows nothing of what lies in it.

use super::super::error::SysvError;
use super::super::facts::{has, mode, number, process, time};
use super::SharedMemory;
use crate::sys::segment;
use std::time::SystemTime;

/// What the kernel tells of a segment; all of one moment.
///
/// # Examples
/// ```
/// use csproc::sysv::{Key, SharedMemory};
///
/// let segment = SharedMemory::create(Key::PRIVATE, 100)?.remove_on_drop();
/// let _memory = segment.attach()?;
/// let status = segment.status()?;
/// assert_eq!((status.size, status.attachments, status.mode), (100, 1, 0o600));
/// assert_eq!((status.creator, status.last_process), (Some(std::process::id()), Some(std::process::id())));
/// assert!(status.last_attached.is_some() && status.last_detached.is_none() && !status.is_removed);
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentStatus {
    /// How many bytes it has.
    pub size: usize,
    /// How often it is in the memory of some process.
    pub attachments: usize,
    /// The process that made it.
    pub creator: Option<u32>,
    /// The process that attached or detached it last.
    pub last_process: Option<u32>,
    /// When somebody attached it last; in whole seconds.
    pub last_attached: Option<SystemTime>,
    /// When somebody detached it last; in whole seconds.
    pub last_detached: Option<SystemTime>,
    /// The user who owns the segment.
    pub owner: u32,
    /// The group that owns the segment.
    pub group: u32,
    /// Who may read and write; see [`Options::mode`](super::super::Options::mode).
    pub mode: u32,
    /// It goes with its last attachment.
    pub is_removed: bool,
}

impl SharedMemory {
    /// How many bytes it has.
    ///
    /// # Errors
    /// As for [`status`](SharedMemory::status).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory};
    ///
    /// let segment = SharedMemory::create(Key::PRIVATE, 100)?.remove_on_drop();
    /// assert_eq!(segment.size()?, 100);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn size(&self) -> Result<usize, SysvError> {
        Ok(self.status()?.size)
    }

    /// What the kernel tells of the segment. It may be different a moment later.
    ///
    /// # Errors
    /// [`Removed`](SysvError::Removed), and [`Permission`](SysvError::Permission) when the process may not read.
    ///
    /// # Examples
    /// See [`SegmentStatus`].
    pub fn status(&self) -> Result<SegmentStatus, SysvError> {
        /// The kernel's `SHM_DEST`.
        const REMOVED: u32 = 0o1000;

        let state = segment::state(self.id).map_err(|errno| self.error(errno, "look at"))?;
        Ok(SegmentStatus {
            size: state.shm_segsz,
            attachments: number(state.shm_nattch),
            creator: process(state.shm_cpid),
            last_process: process(state.shm_lpid),
            last_attached: time(state.shm_atime),
            last_detached: time(state.shm_dtime),
            owner: state.shm_perm.uid,
            group: state.shm_perm.gid,
            mode: mode(state.shm_perm.mode),
            is_removed: has(state.shm_perm.mode, REMOVED),
        })
    }

    /// Changes who may read and write; see [`Options::mode`](super::super::Options::mode). Who has it attached keeps
    /// it.
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission) for who does not own the segment, and [`Removed`](SysvError::Removed).
    /// Bits other than the nine are left out.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory};
    ///
    /// let segment = SharedMemory::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// segment.set_mode(0o640)?;
    /// assert_eq!(segment.status()?.mode, 0o640);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn set_mode(&self, mode: u32) -> Result<(), SysvError> {
        let changed = segment::state(self.id).and_then(|mut state| {
            state.shm_perm.mode = (mode & 0o777) as _;
            segment::change(self.id, &mut state)
        });
        changed.map_err(|errno| self.error(errno, "change"))
    }
}
