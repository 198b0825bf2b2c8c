//! How a segment is found or made.
//!
//! Knows nothing of what is done with it.

use super::super::error::{Noun, SysvError};
use super::super::key::Key;
use super::super::options::{Options, existing, found};
use super::SharedMemory;
use crate::sys::segment;
use crate::sys::sysv::Opening;
use rustix::io::Errno;

impl Options<SharedMemory> {
    /// Makes the segment with so many bytes, or opens it if it is there.
    ///
    /// # Errors
    /// As for [`SharedMemory::create`]; and [`System`](SysvError::System) when the mode has other bits than the nine of
    /// [`mode`](Options::mode).
    ///
    /// # Examples
    /// See [`Options`].
    pub fn create(&self, key: impl Into<Key>, bytes: usize) -> Result<SharedMemory, SysvError> {
        self.find(key.into(), bytes, Opening::Create)
    }

    /// Makes the segment with so many bytes; it must not be there.
    ///
    /// # Errors
    /// As for [`create`](Options::create), and [`AlreadyExists`](SysvError::AlreadyExists).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory};
    ///
    /// let segment = SharedMemory::options().mode(0o644).create_new(Key::PRIVATE, 100)?.remove_on_drop();
    /// assert_eq!(segment.status()?.mode, 0o644);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn create_new(&self, key: impl Into<Key>, bytes: usize) -> Result<SharedMemory, SysvError> {
        self.find(key.into(), bytes, Opening::CreateNew)
    }

    fn find(&self, key: Key, bytes: usize, opening: Opening) -> Result<SharedMemory, SysvError> {
        find(key, bytes, opening, self.checked("shmget")?)
    }
}

impl SharedMemory {
    /// Makes the segment with this key and so many bytes, all 0, or opens it if it is there, with what is in it; then
    /// it may have more.
    ///
    /// Only programs of the same user may use a segment that was made so; see [`options`](SharedMemory::options).
    ///
    /// # Errors
    /// [`TooSmall`](SysvError::TooSmall) when the segment is there and has fewer bytes,
    /// [`Permission`](SysvError::Permission) when it is there and is not for this process, and
    /// [`Limit`](SysvError::Limit) for 0 bytes, for more than the system allows or has, and when it has as many
    /// segments as it may have.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory, SysvError};
    ///
    /// let key = Key::from_path(std::env::current_exe()?, b'h')?;
    /// let segment = SharedMemory::create(key, 100)?.remove_on_drop();
    /// assert_eq!(SharedMemory::create(key, 50)?.size()?, 100); // the same segment
    /// assert_eq!(SharedMemory::create(key, 200), Err(SysvError::TooSmall { key, bytes: 200 }));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn create(key: impl Into<Key>, bytes: usize) -> Result<SharedMemory, SysvError> {
        SharedMemory::options().create(key, bytes)
    }

    /// Makes the segment with this key and so many bytes, all 0; it must not be there.
    ///
    /// # Errors
    /// [`AlreadyExists`](SysvError::AlreadyExists), and as for [`create`](SharedMemory::create).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory, SysvError};
    ///
    /// let key = Key::from_path(std::env::current_exe()?, b'i')?;
    /// let _segment = SharedMemory::create_new(key, 1)?.remove_on_drop();
    /// assert_eq!(SharedMemory::create_new(key, 1), Err(SysvError::AlreadyExists { key }));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn create_new(key: impl Into<Key>, bytes: usize) -> Result<SharedMemory, SysvError> {
        SharedMemory::options().create_new(key, bytes)
    }

    /// Opens the segment with this key, which must be there.
    ///
    /// # Errors
    /// [`NotFound`](SysvError::NotFound), always so for [`Key::PRIVATE`]. Whether the process may use the segment shows
    /// when it attaches it.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory, SysvError};
    ///
    /// let key = Key::from_path(std::env::current_exe()?, b'j')?;
    /// assert_eq!(SharedMemory::open(key), Err(SysvError::NotFound { key }));
    /// let segment = SharedMemory::create(key, 10)?.remove_on_drop();
    /// assert_eq!(SharedMemory::open(key)?, *segment);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn open(key: impl Into<Key>) -> Result<SharedMemory, SysvError> {
        let key = key.into();
        let id = existing(key, |opening| Ok(find(key, 0, opening, 0)?.id))?;
        Ok(SharedMemory::known(key, id))
    }

    /// Makes a segment with another mode.
    ///
    /// # Examples
    /// See [`Options`].
    pub fn options() -> Options<SharedMemory> {
        Options::new()
    }
}

fn find(key: Key, bytes: usize, opening: Opening, mode: u16) -> Result<SharedMemory, SysvError> {
    const LIMIT: &str = "it has as many segments as `/proc/sys/kernel/shmmni` says, or as many pages as `shmall` \
                         beside it; `ipcs -m` lists them, and `ipcrm -M KEY` removes one";
    const MEMORY: &str = "the system has not so much memory, and grants a segment all its bytes when it is made";
    const SIZE: &str = "a segment has at least 1 byte, and at most as many as `/proc/sys/kernel/shmmax` says";
    let id = match segment::open(key.into(), bytes, opening, mode) {
        // The same number for one that is there and smaller, and for a size that none can have.
        Err(Errno::INVAL) if key != Key::PRIVATE && segment::open(key.into(), 0, Opening::Open, 0).is_ok() => {
            return Err(SysvError::TooSmall { key, bytes });
        }
        Err(Errno::INVAL) => return Err(SysvError::Limit { what: SIZE }),
        Err(Errno::NOMEM) => return Err(SysvError::Limit { what: MEMORY }),
        told => found(told, key, Noun::SEGMENT, LIMIT)?,
    };
    Ok(SharedMemory::known(key, id))
}
