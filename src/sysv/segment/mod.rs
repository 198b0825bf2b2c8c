//! A segment of memory of the kernel, which any program of the machine can have in its own memory.
//!
//! Knows nothing of how one is made, nor of what lies in it.

mod attachment;
mod opening;
mod status;
mod words;

pub use attachment::Attachment;
pub use status::SegmentStatus;

use super::error::{Noun, SysvError};
use super::key::Key;
use super::object::{Object, Sealed};
use super::owned::Owned;
use crate::sys::segment::{self, Attached};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// A segment of memory of the kernel: so many bytes, which all programs share that open it.
///
/// [`attach`](SharedMemory::attach) brings it into the process's memory, where its bytes are copied in and out, and its
/// numbers changed in one step: see [`Attachment`]. Its size never changes. What one program writes the others see;
/// what belongs together is guarded by a [`Semaphore`](super::Semaphore). Whoever is killed in the middle of a write
/// leaves what it has written by then.
///
/// This is the segment's number, which is not the segment: a clone is the same one, and dropping it does nothing. It is
/// a message itself, so it can be an argument of a process, which attaches it for itself.
///
/// Within one program there are [`Value`](crate::shared::Value) and [`Array`](crate::shared::Array), which change as a
/// whole or not at all.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::sysv::{Key, SharedMemory};
///
/// #[process]
/// fn greet(segment: SharedMemory) -> csproc::Result<()> {
///     Ok(segment.attach()?.write(0, "hello")?)
/// }
///
/// fn main() -> csproc::Result<()> {
///     let segment = SharedMemory::create(Key::PRIVATE, 4096)?.remove_on_drop();
///     Parallel!(greet((*segment).clone())).values()?;
///     assert_eq!(segment.attach_read_only()?.read(0, 6)?, b"hello\0");
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SharedMemory {
    key: Key,
    id: i32,
}

impl SharedMemory {
    fn known(key: Key, id: i32) -> SharedMemory {
        SharedMemory { key, id }
    }

    /// The key that it was made or opened with.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory};
    ///
    /// let segment = SharedMemory::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// assert_eq!(segment.key(), Key::PRIVATE);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn key(&self) -> Key {
        self.key
    }

    /// The number that the kernel has given it; `ipcs -m` lists it, and `ipcrm -m` takes it.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory};
    ///
    /// let segment = SharedMemory::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// assert_eq!((*segment).clone().id(), segment.id());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Brings the segment into the memory of this process, to read and to write, until the [`Attachment`] is dropped.
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission), [`Removed`](SysvError::Removed), and [`System`](SysvError::System) when
    /// the process has no room for it.
    ///
    /// # Examples
    /// See [`SharedMemory`].
    pub fn attach(&self) -> Result<Attachment, SysvError> {
        self.attached(false)
    }

    /// As [`attach`](SharedMemory::attach), to read only: for a process that may not write, or is not to.
    ///
    /// # Errors
    /// As for [`attach`](SharedMemory::attach).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory, SysvError};
    ///
    /// let segment = SharedMemory::create(Key::PRIVATE, 8)?.remove_on_drop();
    /// let key = segment.key();
    /// assert_eq!(segment.attach_read_only()?.write(0, "x"), Err(SysvError::ReadOnly { key }));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn attach_read_only(&self) -> Result<Attachment, SysvError> {
        self.attached(true)
    }

    /// Removes the segment: nobody finds it by its key any more.
    ///
    /// Who has it attached goes on using it, and the kernel frees it with the last attachment. Until then it is listed
    /// by `ipcs -m` as `dest`, can be removed again, and whoever knows its number can still attach it.
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission) for who does not own it, and [`Removed`](SysvError::Removed) when it is
    /// gone.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory};
    ///
    /// let segment = SharedMemory::create(Key::PRIVATE, 8)?;
    /// let memory = segment.attach()?;
    /// segment.remove()?;
    /// memory.write(0, "still")?;
    /// assert_eq!(memory.read(0, 5)?, b"still");
    /// drop(memory);
    /// assert!(segment.attach().unwrap_err().is_removed());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn remove(&self) -> Result<(), SysvError> {
        segment::remove(self.id).map_err(|errno| self.error(errno, "remove"))
    }

    /// Removes the segment when what this gives is dropped, also when its owner panics.
    ///
    /// # Examples
    /// See [`SharedMemory`].
    pub fn remove_on_drop(self) -> Owned<SharedMemory> {
        Owned::of(self)
    }

    fn attached(&self, is_read_only: bool) -> Result<Attachment, SysvError> {
        let attached = Attached::new(self.id, is_read_only).map_err(|errno| self.error(errno, "attach"))?;
        Ok(Attachment::new(self.clone(), attached, is_read_only))
    }

    fn error(&self, errno: Errno, action: &'static str) -> SysvError {
        SysvError::of(errno, self.key, Noun::SEGMENT, action)
    }
}

impl Sealed for SharedMemory {}

impl Object for SharedMemory {
    fn remove(&self) -> Result<(), SysvError> {
        SharedMemory::remove(self)
    }
}
