//! `Region` and `Frozen`: many values in shared memory, which one process changes or several read, and which are sent
//! without a copy.
//!
//! Knows nothing of where the bytes lie, nor of who else has them; [`Pages`] knows.

use super::plain::Plain;
use crate::channel::{MessageError, Pages};
use crate::process::remedy::{Carried, Probe};
use bytemuck::{cast_slice, cast_slice_mut};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::thread::{sleep, yield_now};
use std::time::{Duration, Instant};

/// Many values of [plain data](Plain) in shared memory, which one process has at a time: a slice that is sent without a
/// copy.
///
/// It is used as a slice is, and is a message: sent through a channel or given to a process, it *moves*, and its bytes
/// stay where they are. A write that fails gives it back. What is to be read by several at once is
/// [frozen](Region::freeze).
///
/// Nobody else sees a change before the region is sent: whoever is killed in the middle of one takes the region along,
/// and what was sent by then has its receiver. The memory is given back with the region, however its process ends.
///
/// Should somebody else have the same bytes when they are to be changed, they are copied first, and nobody sees what
/// others do with theirs. So it is for a process that is [started again](crate::OnCrash::Restart): it finds the region
/// as it was sent at first. The sender of a region has it until its write comes back: a receiver that changes it at
/// once waits for that, at most about ten times as long as it takes to copy it.
///
/// A region lies in a block of the program's shared memory, of at most 2 GiB. What finds no room there lies in the
/// memory of the process, where it can be used as any other; only sending it fails then, and says why.
/// [`try_zeroed`](Region::try_zeroed) tells at once.
///
/// (Python: `multiprocessing.shared_memory.SharedMemory`, whose `buf` several processes write at the same time; that is
/// an [`Array`](super::Array) here, or [`sysv::SharedMemory`](crate::sysv::SharedMemory), which has a name.)
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::Region;
///
/// #[process]
/// fn double(input: Reader<Region<u32>>, output: Writer<Region<u32>>) -> csproc::Result<()> {
///     for mut numbers in input {
///         numbers.iter_mut().for_each(|number| *number *= 2);
///         output.write(numbers)?;
///     }
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (there, back) = (Channel::new(), Channel::new());
///     let child = Spawn!(double(there.reader(), back.writer()))?;
///     let (w, r) = (there.writer(), back.reader());
///     let mut numbers = Region::zeroed(1_000_000);
///     numbers[999_999] = 21;
///     let place = numbers.as_ptr();
///     w.write(numbers)?;
///     let numbers: Region<u32> = r.read()?;
///     assert_eq!((numbers[0], numbers[999_999], numbers.as_ptr()), (0, 42, place));
///     drop((there, w));
///     child.join()??;
///     Ok(())
/// }
/// ```
pub struct Region<T = u8> {
    store: Store<T>,
}

enum Store<T> {
    Shared(Pages, PhantomData<T>),
    /// There was no room. What they are as bytes, whoever makes them knows.
    Own(Vec<T>, fn(&[T]) -> &[u8]),
}

/// So long somebody waits, in tenths of a nanosecond for each byte, who could copy it in a tenth of that time.
const PATIENCE: u64 = 25;

impl<T> Region<T> {
    /// The boundary at which an area begins, and no slice of nothing.
    const FITS: () = assert!(align_of::<T>() <= 64 && size_of::<T>() > 0);
}

impl<T: Plain> Region<T> {
    /// So many values, all 0. Memory is taken for those only that are written.
    ///
    /// # Panics
    /// There is room for them neither in shared memory nor in that of the process.
    ///
    /// # Examples
    /// ```
    /// let region = csproc::shared::Region::<f64>::zeroed(1000);
    /// assert_eq!(region.iter().sum::<f64>(), 0.0);
    /// ```
    #[must_use]
    pub fn zeroed(length: usize) -> Region<T> {
        Region::try_zeroed(length).unwrap_or_else(|_| Region::own(vec![T::zeroed(); length]))
    }

    /// So many values, all 0, in shared memory.
    ///
    /// # Errors
    /// There is no room for them: [`Memory`](MessageError::Memory), which names the remedy.
    ///
    /// # Examples
    /// ```
    /// use csproc::shared::Region;
    ///
    /// assert_eq!(Region::<u64>::try_zeroed(3)?.len(), 3);
    /// assert!(Region::<u64>::try_zeroed(1 << 40).is_err());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn try_zeroed(length: usize) -> Result<Region<T>, MessageError> {
        const { Region::<T>::FITS };
        let pages = Pages::zeroed(length.saturating_mul(size_of::<T>()))?;
        Ok(Region { store: Store::Shared(pages, PhantomData) })
    }

    /// The same values, to be read by any number of processes at once, and changed by none.
    ///
    /// # Examples
    /// See [`Frozen`].
    #[must_use]
    pub fn freeze(self) -> Frozen<T> {
        Frozen(Arc::new(self))
    }

    fn copy_of(values: &[T]) -> Region<T> {
        const { Region::<T>::FITS };
        match Pages::copy_of(cast_slice(values)) {
            Ok(pages) => Region { store: Store::Shared(pages, PhantomData) },
            Err(_) => Region::own(values.to_vec()),
        }
    }

    fn own(values: Vec<T>) -> Region<T> {
        Region { store: Store::Own(values, cast_slice) }
    }

    /// Makes sure that nobody else has the bytes: waits for the sender, or else copies them.
    #[cold]
    fn be_alone(&mut self) {
        let Store::Shared(pages, _) = &mut self.store else { return };
        let start = Instant::now();
        let patience = Duration::from_nanos(pages.bytes().len() as u64 * PATIENCE / 10);
        let mut looks = 0;
        while start.elapsed() < patience {
            if pages.is_sole() {
                return;
            }
            looks += 1;
            if looks < 100 { yield_now() } else { sleep(Duration::from_micros(50)) }
        }
        *self = Region::copy_of(self);
    }
}

impl<T: Plain> Deref for Region<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.store {
            Store::Shared(pages, _) => cast_slice(pages.bytes()),
            Store::Own(values, _) => values,
        }
    }
}

impl<T: Plain> DerefMut for Region<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        if let Store::Shared(pages, _) = &mut self.store
            && !pages.is_sole()
        {
            self.be_alone();
        }
        match &mut self.store {
            Store::Shared(pages, _) => cast_slice_mut(pages.bytes_mut().unwrap_or_default()),
            Store::Own(values, _) => values,
        }
    }
}

/// A copy of them.
impl<T: Plain> From<&[T]> for Region<T> {
    fn from(values: &[T]) -> Region<T> {
        Region::copy_of(values)
    }
}

/// A copy of them, in shared memory.
impl<T: Plain> From<Vec<T>> for Region<T> {
    fn from(values: Vec<T>) -> Region<T> {
        Region::copy_of(&values)
    }
}

impl<T: Plain> FromIterator<T> for Region<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Region<T> {
        Region::from(Vec::from_iter(values))
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for Region<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self[..].fmt(f)
    }
}

impl<T: Plain + PartialEq> PartialEq for Region<T> {
    fn eq(&self, other: &Region<T>) -> bool {
        self[..] == other[..]
    }
}

impl<T: Plain + Eq> Eq for Region<T> {}

impl<T> Serialize for Region<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error;
        match &self.store {
            Store::Shared(pages, _) => pages.serialize(serializer),
            // There may be room by now. What is made here goes, and what travels stays.
            Store::Own(values, bytes) => Pages::copy_of(bytes(values)).map_err(S::Error::custom)?.serialize(serializer),
        }
    }
}

/// A region is a message whatever it holds, as an end is: what it holds is asked for by itself.
impl<'de, T> Deserialize<'de> for Region<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Region<T>, D::Error> {
        const { Region::<T>::FITS };
        let Some(pages) = Pages::arrive(deserializer)? else {
            return Ok(Region { store: Store::Own(Vec::new(), |_| &[]) });
        };
        if !pages.bytes().len().is_multiple_of(size_of::<T>()) {
            return Err(serde::de::Error::custom("the region that it names is of another type"));
        }
        Ok(Region { store: Store::Shared(pages, PhantomData) })
    }
}

/// A [`Region`] that nobody changes: any number of processes read it at once, and none has a copy.
///
/// A clone is the same values, and so is one that was given to a process or sent through a channel. The memory is given
/// back with the last of them, however their processes end.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::{Frozen, Region};
///
/// #[process]
/// fn sum(numbers: Frozen<u64>, part: usize) -> u64 {
///     numbers.chunks(250).nth(part).into_iter().flatten().sum()
/// }
///
/// fn main() -> csproc::Result<()> {
///     let numbers = (0..1000).collect::<Region<u64>>().freeze();
///     let sums = Parallel!(for part in 0..4 => sum(numbers.clone(), part))?;
///     assert_eq!(sums.iter().sum::<u64>(), 499_500);
///     Ok(())
/// }
/// ```
pub struct Frozen<T = u8>(Arc<Region<T>>);

impl<T: Plain> Frozen<T> {
    /// The same values, to be changed. If somebody else has them, it is a copy that is changed.
    ///
    /// # Examples
    /// ```
    /// use csproc::shared::Region;
    ///
    /// let frozen = Region::from(vec![1, 2, 3]).freeze();
    /// let mut changed = frozen.clone().thaw();
    /// changed[0] = 9;
    /// assert_eq!((&frozen[..], &changed[..]), (&[1, 2, 3][..], &[9, 2, 3][..]));
    /// ```
    #[must_use]
    pub fn thaw(self) -> Region<T> {
        Arc::try_unwrap(self.0).unwrap_or_else(|shared| Region::copy_of(&shared))
    }
}

impl<T: Plain> Deref for Frozen<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> Clone for Frozen<T> {
    /// The same values.
    fn clone(&self) -> Frozen<T> {
        Frozen(Arc::clone(&self.0))
    }
}

impl<T: Plain> From<Region<T>> for Frozen<T> {
    fn from(region: Region<T>) -> Frozen<T> {
        region.freeze()
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for Frozen<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self[..].fmt(f)
    }
}

impl<T: Plain + PartialEq> PartialEq for Frozen<T> {
    fn eq(&self, other: &Frozen<T>) -> bool {
        self[..] == other[..]
    }
}

impl<T: Plain + Eq> Eq for Frozen<T> {}

impl<T> Serialize for Frozen<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Frozen<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Frozen<T>, D::Error> {
        Region::deserialize(deserializer).map(|region| Frozen(Arc::new(region)))
    }
}

impl<T> Probe<Region<T>> {
    /// What it holds.
    #[must_use]
    pub fn kept(&self) -> Carried<T> {
        Carried::new()
    }
}

impl<T> Probe<Frozen<T>> {
    /// What it holds.
    #[must_use]
    pub fn kept(&self) -> Carried<T> {
        Carried::new()
    }
}
