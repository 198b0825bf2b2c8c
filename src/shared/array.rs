//! `Array`: values of one type that processes share, as many as there were at first, and change under one lock.
//!
//! Knows nothing of how its bytes are copied; that nobody sees half of a change is the affair of the memory's cell.

use super::lock::{Lock, LockGuard};
use super::plain::{Kept, Plain};
use super::slice::{Elements, Slice};
use crate::channel::{ChannelError, MessageError};
use crate::process::remedy::{Carried, Probe};
use bytemuck::cast_slice;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

/// Values of [plain data](Plain) that processes share; their number stays what it was at first.
///
/// It is used as a [`Value`](super::Value) is: [`get`](Array::get) never waits; changes are made under the array's
/// lock, one at a time, and each is a transaction, be it of one element, of a [slice](Array::slice) or of all: it takes
/// effect as a whole, at one moment, or not at all. Whoever is killed or panics in the middle of one has not begun it.
///
/// An element is changed in its place. A change of several keeps a second copy of the bytes, so an array takes twice
/// its size in shared memory, and a block of it at most 2 GiB.
///
/// A clone is the same array, and so is one that was given to a process as an argument or sent through a channel.
///
/// (Python: `multiprocessing.Array`. Typecode `'i'` is `i32`, `'d'` is `f64`, `'c'` is `u8`. `array[:]` is
/// [`to_vec`](Array::to_vec).)
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn double(vector: Array<i32>) -> csproc::Result<()> {
///     vector.with_lock(|vector| vector.iter_mut().for_each(|x| *x *= 2))?;
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let vector = Array::from(vec![1, 2, 3]);
///     Parallel!(double(vector.clone())).values()?;
///     vector.set(0, 9)?;
///     assert_eq!(vector.get(1), 4);
///     assert_eq!(format!("{vector:?}"), "[9, 4, 6]");
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Array<T>(Elements<T>);

impl<T: Plain> Array<T> {
    /// So many elements, whose bytes are zero.
    ///
    /// When the arena has no room for it, every operation that can fail says so, and elements are zero.
    ///
    /// # Examples
    /// ```
    /// let vector = csproc::shared::Array::<f64>::zeroed(3);
    /// assert_eq!(vector.to_vec(), [0.0, 0.0, 0.0]);
    /// ```
    #[must_use]
    pub fn zeroed(len: usize) -> Array<T> {
        Array(Elements { kept: Kept::zeroed(Elements::<T>::place(len)), length: len, initial: None })
    }

    /// These elements.
    ///
    /// # Errors
    /// There is no room for them.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(csproc::shared::Array::try_new(&[1, 2])?.len(), 2);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn try_new(elements: &[T]) -> Result<Array<T>, MessageError> {
        let array = Array::from(elements);
        array.0.kept.made()?;
        Ok(array)
    }

    /// The same array with a name of at most 55 bytes, for errors and reports. To be given before others have it.
    ///
    /// With a longer name there is no array: every operation that can fail says so.
    ///
    /// # Examples
    /// ```
    /// let vector = csproc::shared::Array::<u8>::zeroed(1).named("vector");
    /// assert_eq!(format!("{:?}", vector.lock()), "Lock(\"vector\")");
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> Array<T> {
        let kept = self.0.kept.clone().named(name);
        let initial = match &self.0.initial {
            None if kept.check().is_err() && self.0.kept.check().is_ok() => Some(self.slice(..).read().into()),
            initial => initial.clone(),
        };
        Array(Elements { kept, initial, length: self.0.length })
    }

    /// How many elements it has, ever.
    ///
    /// # Examples
    /// See [`zeroed`](Array::zeroed).
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.length
    }

    /// Whether it has none.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::shared::Array::<u8>::zeroed(0).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.length == 0
    }

    /// The element at `index` now. It may be another one at once, but never half of a change.
    ///
    /// # Blocking
    /// Never: not for whoever has the lock, who may be stopped or dead.
    ///
    /// # Panics
    /// If there is no such element, as with a slice; [`try_get`](Array::try_get) does not.
    ///
    /// # Examples
    /// ```
    /// let vector: csproc::shared::Array<u8> = (5..8).collect();
    /// assert_eq!(vector.get(2), 7);
    /// ```
    #[track_caller]
    pub fn get(&self, index: usize) -> T {
        let length = self.0.length;
        self.try_get(index).unwrap_or_else(|| panic!("there is no element {index} in an array of {length}"))
    }

    /// The element at `index` now, as [`get`](Array::get) gives it; `None` if there is no such element.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Examples
    /// ```
    /// let vector: csproc::shared::Array<u8> = (5..8).collect();
    /// assert_eq!((vector.try_get(0), vector.try_get(3)), (Some(5), None));
    /// ```
    pub fn try_get(&self, index: usize) -> Option<T> {
        self.0.try_get(index)
    }

    /// Sets the element at `index`, under the lock.
    ///
    /// # Blocking
    /// As long as somebody else has the lock.
    ///
    /// # Errors
    /// The wait was part of a deadlock ([`Deadlock`](ChannelError::Deadlock) or [`Poisoned`](ChannelError::Poisoned));
    /// or there is no such element, or no room for the array or for the wait ([`Invalid`](ChannelError::Invalid)).
    ///
    /// # Poison and retire
    /// An array is never retired, and poisoned for those only who wait for it in a deadlock: it can be used afterwards.
    ///
    /// # Examples
    /// ```
    /// let vector: csproc::shared::Array<u8> = (5..8).collect();
    /// vector.set(2, 9)?;
    /// assert_eq!(vector.to_vec(), [5, 6, 9]);
    /// assert!(vector.set(3, 9).unwrap_err().to_string().contains("there is no element 3"));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn set(&self, index: usize, value: T) -> Result<(), ChannelError> {
        self.slice(..).set(index, value)
    }

    /// Changes the elements under the lock, and gives what came of it.
    ///
    /// Nobody else changes them meanwhile; others still [`get`](Array::get) those before. The closure has a copy of its
    /// own, which takes effect, whole, when the closure returns. Killed or panicking before that, it is as if it had
    /// not begun. It may wait inside: for a channel, or for the lock of another array, but not for that of this one.
    ///
    /// It copies the array once each way; a [slice](Array::slice) copies what it has.
    ///
    /// # Blocking
    /// As long as somebody else has the lock; and as long as the closure does.
    ///
    /// # Errors
    /// As for [`set`](Array::set). The closure was not called then.
    ///
    /// # Examples
    /// ```
    /// let vector: csproc::shared::Array<u8> = [3, 1, 2].into_iter().collect();
    /// let least = vector.with_lock(|vector| {
    ///     vector.sort();
    ///     vector[0]
    /// })?;
    /// assert_eq!((vector.to_vec(), least), (vec![1, 2, 3], 1));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn with_lock<R>(&self, change: impl FnOnce(&mut [T]) -> R) -> Result<R, ChannelError> {
        self.slice(..).with_lock(change)
    }

    /// The lock of this array: to hold it over several changes, or together with those of others, or as a guard of an
    /// alternation; the changes are made by [`with_held`](Array::with_held) then.
    ///
    /// It is abandoned as any other when its holder is killed with it, in [`with_lock`](Array::with_lock), too: who
    /// acquires the lock by itself is told so. The array is whole all the same.
    ///
    /// # Examples
    /// See [`with_held`](Array::with_held).
    pub fn lock(&self) -> &Lock {
        self.0.kept.lock()
    }

    /// As [`with_lock`](Array::with_lock), for whoever has the lock already.
    ///
    /// Of two changes of the same array, one inside the other, the outer one has the last word.
    ///
    /// # Blocking
    /// As the closure does.
    ///
    /// # Errors
    /// `held` is of another lock, or there is no room for the array ([`Invalid`](ChannelError::Invalid)). The closure
    /// was not called then.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let vector: Array<u32> = (0..4).collect();
    /// let r = AltSelect! {
    ///     held = vector.lock() => vector.with_held(&held?, |vector| vector.reverse())?,
    /// };
    /// assert_eq!((r, vector.to_vec()), (Ok(()), vec![3, 2, 1, 0]));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn with_held<R>(&self, held: &LockGuard, change: impl FnOnce(&mut [T]) -> R) -> Result<R, ChannelError> {
        self.slice(..).with_held(held, change)
    }

    /// A part of the array.
    ///
    /// # Panics
    /// If the array has no such part, as with a slice.
    ///
    /// # Examples
    /// See [`Slice`].
    #[must_use]
    #[track_caller]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Slice<'_, T> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => self.0.length,
        };
        assert!(
            start <= end && end <= self.0.length,
            "there is no part {start}..{end} in an array of {}",
            self.0.length
        );
        self.0.part(start, end)
    }

    /// All elements as they are at one moment, read under the lock.
    ///
    /// If the lock cannot be had, because the wait for it was part of a deadlock or there is no room for it, they are
    /// read without it, at one moment all the same. Whoever has the array's lock does not wait for it again:
    /// `array.with_held(&held, |all| all.to_vec())`.
    ///
    /// # Blocking
    /// As long as somebody else has the lock.
    ///
    /// # Examples
    /// ```
    /// let vector: csproc::shared::Array<u8> = (5..8).collect();
    /// assert_eq!(vector.to_vec(), [5, 6, 7]);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn to_vec(&self) -> Vec<T> {
        self.slice(..).to_vec()
    }

    /// As [`to_vec`](Array::to_vec), one by one.
    ///
    /// # Blocking
    /// As [`to_vec`](Array::to_vec); not between the elements.
    ///
    /// # Examples
    /// ```
    /// let vector: csproc::shared::Array<u8> = (5..8).collect();
    /// assert_eq!(vector.iter().sum::<u8>(), 18);
    /// ```
    #[track_caller]
    pub fn iter(&self) -> std::vec::IntoIter<T> {
        self.to_vec().into_iter()
    }

    /// Sets all elements, under the lock, at one moment.
    ///
    /// # Blocking
    /// As [`set`](Array::set).
    ///
    /// # Errors
    /// As for [`set`](Array::set).
    ///
    /// # Examples
    /// ```
    /// let vector = csproc::shared::Array::zeroed(2);
    /// vector.fill(7)?;
    /// assert_eq!(vector.to_vec(), [7, 7]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn fill(&self, value: T) -> Result<(), ChannelError> {
        self.slice(..).fill(value)
    }

    /// Sets all elements to these, under the lock, at one moment.
    ///
    /// # Blocking
    /// As [`set`](Array::set).
    ///
    /// # Errors
    /// As for [`set`](Array::set), and `Invalid` if there are more of them, or fewer, than the array has.
    ///
    /// # Examples
    /// ```
    /// let vector = csproc::shared::Array::zeroed(2);
    /// vector.copy_from(&[3, 4])?;
    /// assert_eq!(vector.to_vec(), [3, 4]);
    /// assert!(vector.copy_from(&[3, 4, 5]).unwrap_err().is_invalid());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn copy_from(&self, elements: &[T]) -> Result<(), ChannelError> {
        self.slice(..).copy_from(elements)
    }
}

/// As a slice: the elements as they are at one moment. It does not wait for the lock, unless others keep changing them.
impl<T: Plain + fmt::Debug> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.slice(..).fmt(f)
    }
}

impl<T: Plain> From<&[T]> for Array<T> {
    fn from(elements: &[T]) -> Array<T> {
        let kept = Kept::new(cast_slice(elements));
        let initial = kept.check().is_err().then(|| Arc::from(elements));
        Array(Elements { kept, length: elements.len(), initial })
    }
}

impl<T: Plain> From<Vec<T>> for Array<T> {
    fn from(elements: Vec<T>) -> Array<T> {
        Array::from(&elements[..])
    }
}

impl<T: Plain, const N: usize> From<[T; N]> for Array<T> {
    fn from(elements: [T; N]) -> Array<T> {
        Array::from(&elements[..])
    }
}

impl<T: Plain> FromIterator<T> for Array<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Array<T> {
        Array::from(elements.into_iter().collect::<Vec<T>>())
    }
}

impl<T: Plain> IntoIterator for &Array<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> std::vec::IntoIter<T> {
        self.iter()
    }
}

impl<T> Serialize for Array<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.0.kept.lock(), self.0.length).serialize(serializer)
    }
}

/// An array is a message whatever it holds, as an end is: what it holds is asked for by itself.
impl<'de, T> Deserialize<'de> for Array<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Array<T>, D::Error> {
        let (lock, length) = <(Lock, usize)>::deserialize(deserializer)?;
        let kept = Kept::from(lock);
        if !kept.has_length(length.saturating_mul(size_of::<T>())) {
            return Err(serde::de::Error::custom("the array that it names is of another type"));
        }
        Ok(Array(Elements { kept, length, initial: None }))
    }
}

impl<T> Probe<Array<T>> {
    /// What it holds.
    #[must_use]
    pub fn kept(&self) -> Carried<T> {
        Carried::new()
    }
}
