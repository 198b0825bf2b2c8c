//! `Slice`: a part of an array, and the elements that it is a part of.
//!
//! Knows nothing of how an array is made, or of how its bytes are copied.

use super::lock::LockGuard;
use super::plain::{Kept, Plain};
use crate::channel::{ChannelError, MessageError};
use bytemuck::{bytes_of, bytes_of_mut, cast_slice, cast_slice_mut};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// Elements in shared memory.
#[derive(Clone)]
pub(super) struct Elements<T> {
    pub(super) kept: Kept,
    pub(super) length: usize,
    /// What they were, if there is no room for them; none for zeros.
    pub(super) initial: Option<Arc<[T]>>,
}

impl<T: Plain> Elements<T> {
    /// Where the bytes of an element begin. One for which there was no room may be too far away to be counted.
    pub(super) fn place(index: usize) -> usize {
        index.saturating_mul(size_of::<T>())
    }

    pub(super) fn try_get(&self, index: usize) -> Option<T> {
        if index >= self.length {
            return None;
        }
        if let Some(initial) = &self.initial {
            return initial.get(index).copied();
        }
        let mut element = T::zeroed();
        let found = self.kept.read(Self::place(index), bytes_of_mut(&mut element));
        Some(if found { element } else { T::zeroed() })
    }

    /// A part of them.
    pub(super) fn part(&self, start: usize, end: usize) -> Slice<'_, T> {
        Slice { elements: self, start, length: end - start }
    }
}

/// A part of an [`Array`](super::Array): used as the array is, and as long as it lives.
///
/// What is changed through it takes effect as a whole, and copies no more than the part.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let vector: Array<i32> = (0..6).collect();
/// let part = vector.slice(2..5);
/// part.with_lock(|part| part.reverse())?;
/// part.set(0, 40)?;
/// assert_eq!((part.len(), part.get(1), part.try_get(3)), (3, 3, None));
/// assert_eq!(part.to_vec(), [40, 3, 2]);
/// assert_eq!(vector.to_vec(), [0, 1, 40, 3, 2, 5]);
/// # Ok::<(), csproc::Error>(())
/// ```
pub struct Slice<'a, T> {
    elements: &'a Elements<T>,
    start: usize,
    length: usize,
}

impl<T> Clone for Slice<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Slice<'_, T> {}

impl<T: Plain> Slice<'_, T> {
    /// How many elements it has.
    ///
    /// # Examples
    /// See [`Slice`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has none.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::shared::Array::<u8>::zeroed(3).slice(1..1).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// As [`Array::get`](super::Array::get); `index` counts from the first element of the part.
    ///
    /// # Panics
    /// If there is no such element.
    ///
    /// # Examples
    /// See [`Slice`].
    #[track_caller]
    pub fn get(&self, index: usize) -> T {
        let length = self.length;
        self.try_get(index).unwrap_or_else(|| panic!("there is no element {index} in a part of {length}"))
    }

    /// As [`Array::try_get`](super::Array::try_get); `index` counts from the first element of the part.
    ///
    /// # Examples
    /// See [`Slice`].
    pub fn try_get(&self, index: usize) -> Option<T> {
        if index < self.length { self.elements.try_get(self.start + index) } else { None }
    }

    /// As [`Array::set`](super::Array::set); `index` counts from the first element of the part.
    ///
    /// # Blocking
    /// As [`Array::set`](super::Array::set).
    ///
    /// # Errors
    /// As for [`Array::set`](super::Array::set).
    ///
    /// # Examples
    /// See [`Slice`].
    #[track_caller]
    pub fn set(&self, index: usize, value: T) -> Result<(), ChannelError> {
        if index >= self.length {
            return Err(MessageError::Index { index, length: self.length }.into());
        }
        let _held = self.elements.kept.hold(Location::caller())?;
        self.elements.kept.write(Elements::<T>::place(self.start + index), bytes_of(&value))
    }

    /// As [`Array::with_lock`](super::Array::with_lock), with this part.
    ///
    /// # Blocking
    /// As [`Array::with_lock`](super::Array::with_lock).
    ///
    /// # Errors
    /// As for [`Array::with_lock`](super::Array::with_lock).
    ///
    /// # Examples
    /// See [`Slice`].
    #[track_caller]
    pub fn with_lock<R>(&self, change: impl FnOnce(&mut [T]) -> R) -> Result<R, ChannelError> {
        let _held = self.elements.kept.hold(Location::caller())?;
        self.changed(change)
    }

    /// As [`Array::with_held`](super::Array::with_held), with this part.
    ///
    /// # Blocking
    /// As the closure does.
    ///
    /// # Errors
    /// As for [`Array::with_held`](super::Array::with_held).
    ///
    /// # Examples
    /// ```
    /// let vector: csproc::shared::Array<u8> = (0..4).collect();
    /// let held = vector.lock().acquire()?;
    /// vector.slice(2..).with_held(&held, |part| part.fill(9))?;
    /// drop(held);
    /// assert_eq!(vector.to_vec(), [0, 1, 9, 9]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn with_held<R>(&self, held: &LockGuard, change: impl FnOnce(&mut [T]) -> R) -> Result<R, ChannelError> {
        self.elements.kept.is_held_by(held)?;
        self.changed(change)
    }

    /// As [`Array::to_vec`](super::Array::to_vec), with this part.
    ///
    /// # Blocking
    /// As [`Array::to_vec`](super::Array::to_vec).
    ///
    /// # Examples
    /// See [`Slice`].
    #[must_use]
    #[track_caller]
    pub fn to_vec(&self) -> Vec<T> {
        let _held = self.elements.kept.hold(Location::caller());
        self.read()
    }

    /// As [`Array::iter`](super::Array::iter), with this part.
    ///
    /// # Blocking
    /// As [`Array::to_vec`](super::Array::to_vec).
    ///
    /// # Examples
    /// ```
    /// let vector: csproc::shared::Array<u8> = (5..8).collect();
    /// assert_eq!(vector.slice(..2).iter().sum::<u8>(), 11);
    /// ```
    #[track_caller]
    pub fn iter(&self) -> std::vec::IntoIter<T> {
        self.to_vec().into_iter()
    }

    /// As [`Array::fill`](super::Array::fill), with this part.
    ///
    /// # Blocking
    /// As [`Array::set`](super::Array::set).
    ///
    /// # Errors
    /// As for [`Array::set`](super::Array::set).
    ///
    /// # Examples
    /// ```
    /// let vector = csproc::shared::Array::zeroed(3);
    /// vector.slice(1..).fill(7)?;
    /// assert_eq!(vector.to_vec(), [0, 7, 7]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn fill(&self, value: T) -> Result<(), ChannelError> {
        let _held = self.elements.kept.hold(Location::caller())?;
        self.write(&vec![value; self.length])
    }

    /// As [`Array::copy_from`](super::Array::copy_from), with this part.
    ///
    /// # Blocking
    /// As [`Array::set`](super::Array::set).
    ///
    /// # Errors
    /// As for [`Array::copy_from`](super::Array::copy_from).
    ///
    /// # Examples
    /// ```
    /// let vector = csproc::shared::Array::zeroed(3);
    /// vector.slice(..2).copy_from(&[3, 4])?;
    /// assert_eq!(vector.to_vec(), [3, 4, 0]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn copy_from(&self, elements: &[T]) -> Result<(), ChannelError> {
        if elements.len() != self.length {
            return Err(MessageError::Length { given: elements.len(), needed: self.length }.into());
        }
        let _held = self.elements.kept.hold(Location::caller())?;
        self.write(elements)
    }

    /// With the lock.
    fn changed<R>(&self, change: impl FnOnce(&mut [T]) -> R) -> Result<R, ChannelError> {
        let mut elements = self.read();
        let came = change(&mut elements);
        self.write(&elements)?;
        Ok(came)
    }

    /// With the lock.
    fn write(&self, elements: &[T]) -> Result<(), ChannelError> {
        match cast_slice(elements) {
            [] => Ok(()),
            bytes => self.elements.kept.write(Elements::<T>::place(self.start), bytes),
        }
    }

    /// All of its elements as they are at one moment.
    pub(super) fn read(&self) -> Vec<T> {
        self.read_by(|kept, at, into| kept.read(at, into)).unwrap_or_else(|| vec![T::zeroed(); self.length])
    }

    fn read_by(&self, read: impl FnOnce(&Kept, usize, &mut [u8]) -> bool) -> Option<Vec<T>> {
        if let Some(initial) = &self.elements.initial {
            return Some(initial[self.start..][..self.length].to_vec());
        }
        let mut elements = vec![T::zeroed(); self.length];
        match cast_slice_mut(&mut elements) {
            [] => Some(elements),
            bytes => read(&self.elements.kept, Elements::<T>::place(self.start), bytes).then_some(elements),
        }
    }
}

/// As an array.
impl<T: Plain + fmt::Debug> fmt::Debug for Slice<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elements = self.read_by(Kept::glance).unwrap_or_else(|| self.to_vec());
        f.debug_list().entries(elements).finish()
    }
}

impl<T: Plain> IntoIterator for Slice<'_, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> std::vec::IntoIter<T> {
        self.iter()
    }
}
