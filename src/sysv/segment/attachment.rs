//! A segment in the memory of this process.
//!
//! Knows nothing of how it came there.

use super::super::error::SysvError;
use super::{SharedMemory, words};
use crate::shared::Word;
use crate::sys::segment::Attached;
use std::fmt;

/// A [`SharedMemory`] in the memory of this process, until it is dropped.
///
/// Others may write there at any time, so there is no slice of it: bytes are copied out and in, eight at a time at most
/// in one step. Numbers of up to eight bytes that stand at a multiple of their size are read and changed as a whole:
/// [`load`](Attachment::load), [`store`](Attachment::store), [`update`](Attachment::update).
///
/// What was written before a [`post`](super::super::Semaphore::post), a store or any other message is seen by whoever
/// has learned of that. The bytes of a segment have no order of their own: numbers are those of the machine.
///
/// # Examples
/// ```
/// use csproc::sysv::{Key, SharedMemory};
///
/// let segment = SharedMemory::create(Key::PRIVATE, 100)?.remove_on_drop();
/// let (mine, yours) = (segment.attach()?, segment.attach_read_only()?);
/// mine.write(10, [1, 2, 3])?;
/// mine.store(32, 7_u32)?;
/// assert_eq!((yours.read(9, 5)?, yours.load::<u32>(32)?), (vec![0, 1, 2, 3, 0], 7));
/// assert_eq!(yours.len(), 100);
/// # Ok::<(), csproc::Error>(())
/// ```
pub struct Attachment {
    segment: SharedMemory,
    attached: Attached,
    is_read_only: bool,
}

impl Attachment {
    pub(super) fn new(segment: SharedMemory, attached: Attached, is_read_only: bool) -> Attachment {
        Attachment { segment, attached, is_read_only }
    }

    /// The segment.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory};
    ///
    /// let segment = SharedMemory::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// assert_eq!(*segment.attach()?.segment(), *segment);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn segment(&self) -> &SharedMemory {
        &self.segment
    }

    /// How many bytes the segment has; at least 1.
    ///
    /// # Examples
    /// See [`Attachment`].
    #[expect(clippy::len_without_is_empty, reason = "the kernel makes no empty segments")]
    pub fn len(&self) -> usize {
        self.attached.bytes()
    }

    /// Whether it was attached to read only.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory};
    ///
    /// let segment = SharedMemory::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// assert!(segment.attach_read_only()?.is_read_only() && !segment.attach()?.is_read_only());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// A copy of so many bytes from `offset` on. If somebody writes them meanwhile, some may be new and some old.
    ///
    /// # Errors
    /// [`OutOfRange`](SysvError::OutOfRange).
    ///
    /// # Examples
    /// See [`Attachment`].
    pub fn read(&self, offset: usize, length: usize) -> Result<Vec<u8>, SysvError> {
        self.check(offset, length)?;
        let mut bytes = vec![0; length];
        words::read(self.attached.words(), offset, &mut bytes);
        Ok(bytes)
    }

    /// Copies bytes from `offset` on into memory of the caller's, as many as there is room.
    ///
    /// # Errors
    /// [`OutOfRange`](SysvError::OutOfRange); nothing was copied then.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory};
    ///
    /// let segment = SharedMemory::create(Key::PRIVATE, 100)?.remove_on_drop();
    /// let memory = segment.attach()?;
    /// memory.write(97, "abc")?;
    /// let mut end = [0; 2];
    /// memory.read_into(98, &mut end)?;
    /// assert_eq!(&end, b"bc");
    /// assert!(memory.read_into(99, &mut end).is_err());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn read_into(&self, offset: usize, into: &mut [u8]) -> Result<(), SysvError> {
        self.check(offset, into.len())?;
        words::read(self.attached.words(), offset, into);
        Ok(())
    }

    /// Copies bytes to where `offset` is, and changes no others. Whoever reads them meanwhile may see some of them.
    ///
    /// # Errors
    /// [`OutOfRange`](SysvError::OutOfRange), and [`ReadOnly`](SysvError::ReadOnly); nothing was written then.
    ///
    /// # Examples
    /// See [`Attachment`].
    pub fn write(&self, offset: usize, bytes: impl AsRef<[u8]>) -> Result<(), SysvError> {
        let bytes = bytes.as_ref();
        self.check_writable(offset, bytes.len())?;
        words::write(self.attached.words(), offset, bytes);
        Ok(())
    }

    /// The number at `offset`, whole.
    ///
    /// # Errors
    /// [`OutOfRange`](SysvError::OutOfRange), and [`Unaligned`](SysvError::Unaligned) unless `offset` is a multiple of
    /// the number's size.
    ///
    /// # Examples
    /// See [`Attachment`].
    pub fn load<T: Word>(&self, offset: usize) -> Result<T, SysvError> {
        self.check(offset, size_of::<T>())?;
        let bytes = aligned::<T>(offset)?;
        Ok(T::of_bits(words::load(self.attached.words(), offset, bytes)))
    }

    /// Sets the number at `offset`, in one step.
    ///
    /// # Errors
    /// As for [`load`](Attachment::load), and [`ReadOnly`](SysvError::ReadOnly).
    ///
    /// # Examples
    /// See [`Attachment`].
    pub fn store<T: Word>(&self, offset: usize, number: T) -> Result<(), SysvError> {
        self.update(offset, |_| number).map(drop)
    }

    /// Changes the number at `offset` in one step, and gives the one before.
    ///
    /// No change of others is lost, as long as they change it in one step, too; in C by an atomic operation. The
    /// function is called again when somebody was faster.
    ///
    /// # Errors
    /// As for [`store`](Attachment::store); the function was not called then.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, SharedMemory, SysvError};
    ///
    /// let segment = SharedMemory::create(Key::PRIVATE, 100)?.remove_on_drop();
    /// let memory = segment.attach()?;
    /// assert_eq!(memory.update(8, |count: i64| count - 5)?, 0);
    /// assert_eq!(memory.load::<i64>(8)?, -5);
    /// assert_eq!(memory.load::<u32>(6), Err(SysvError::Unaligned { offset: 6, bytes: 4 }));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn update<T: Word>(&self, offset: usize, mut change: impl FnMut(T) -> T) -> Result<T, SysvError> {
        self.check_writable(offset, size_of::<T>())?;
        let bytes = aligned::<T>(offset)?;
        let new = |bits| change(T::of_bits(bits)).to_bits();
        Ok(T::of_bits(words::update(self.attached.words(), offset, bytes, new)))
    }

    fn check(&self, offset: usize, bytes: usize) -> Result<(), SysvError> {
        let size = self.len();
        let fits = offset.checked_add(bytes).is_some_and(|end| end <= size);
        if fits { Ok(()) } else { Err(SysvError::OutOfRange { offset, bytes, size }) }
    }

    fn check_writable(&self, offset: usize, bytes: usize) -> Result<(), SysvError> {
        if self.is_read_only {
            return Err(SysvError::ReadOnly { key: self.segment.key() });
        }
        self.check(offset, bytes)
    }
}

fn aligned<T>(offset: usize) -> Result<usize, SysvError> {
    let bytes = size_of::<T>();
    if offset.is_multiple_of(bytes) { Ok(bytes) } else { Err(SysvError::Unaligned { offset, bytes }) }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = f.debug_struct("Attachment");
        told.field("segment", &self.segment).field("bytes", &self.len()).field("is_read_only", &self.is_read_only);
        told.finish()
    }
}
