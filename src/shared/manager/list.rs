//! `List<T>`: a vector in the process of a manager.
//!
//! Knows nothing of how it is called: each method is a function that runs on the vector, where it lies.

use super::distant::Distant;
use super::error::CallError;
use super::methods::{Methods, Proxy};
use super::proxy::Managed;
use crate::channel::Message;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Debug};

/// A list in the process of a [`Manager`](crate::shared::Manager), for any number of processes.
///
/// Its methods are those of [`Vec`], and each is one step for everybody else. What is [got](List::get) is a copy: to
/// change an item where it is, and for several steps as one, there is [`with`](List::with). A clone, or one that was
/// sent to a process or put into another object, is one more proxy of the same list; with the last one the list goes.
///
/// (Python: `Manager().list()`. There, `list[0].append(1)` changes a copy and loses it.)
///
/// Printing a list asks for its items; when the manager is gone it prints `List(<manager is gone>)`.
///
/// # Blocking
/// Each method waits until those who came before are done with the list; see [`Managed::with`].
///
/// # Errors
/// Those of [`Managed::with`], and [`OutOfRange`](CallError::OutOfRange) where there is no such place.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::List;
///
/// #[process]
/// fn add(list: List<u32>, from: u32) -> csproc::Result<()> {
///     (from..from + 100).try_for_each(|number| list.push(number))?;
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let manager = Manager::new()?;
///     let list = manager.list([])?;
///     Parallel!(add(list.clone(), 0), add(list.clone(), 100)).values()?;
///     list.sort()?;
///     assert!(list.iter()?.eq(0..200));
///     assert_eq!(list.with(7, |items, by| { items.iter_mut().for_each(|item| *item += by); items[0] })?, 7);
///     Ok(())
/// }
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct List<T>(Managed<Vec<T>>);

impl<T: 'static> List<T> {
    pub(super) fn new(items: Managed<Vec<T>>) -> List<T> {
        List(items)
    }

    /// Runs `work` on the list, while nobody else uses it; see [`Managed::with`].
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`List`].
    #[track_caller]
    pub fn with<A: Message, R: Message>(&self, arguments: A, work: fn(&mut Vec<T>, A) -> R) -> Result<R, CallError> {
        self.0.with(arguments, work)
    }

    /// Runs `work`, which only looks at the list, beside others who look; see [`Managed::look`].
    ///
    /// # Errors
    /// As for [`Managed::look`].
    ///
    /// # Examples
    /// See [`Managed::look`].
    #[track_caller]
    pub fn look<A: Message, R: Message>(&self, arguments: A, work: fn(&Vec<T>, A) -> R) -> Result<R, CallError>
    where
        T: Send + Sync,
    {
        self.0.look(arguments, work)
    }

    /// How many items there are.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// assert_eq!(manager.list([1, 2])?.len()?, 2);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn len(&self) -> Result<usize, CallError> {
        self.0.change("len", (), |list, asked| asked.answer(|()| list.len()))
    }

    /// Whether there are no items.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// assert!(manager.list::<u8>([])?.is_empty()?);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn is_empty(&self) -> Result<bool, CallError> {
        self.0.change("is_empty", (), |list, asked| asked.answer(|()| list.is_empty()))
    }

    /// Drops all items.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let list = manager.list([1, 2])?;
    /// list.clear()?;
    /// assert!(list.is_empty()?);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn clear(&self) -> Result<(), CallError> {
        self.0.change("clear", (), |list, asked| asked.answer(|()| list.clear()))
    }

    /// Drops all items but the first `len`.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let list = manager.list([1, 2, 3])?;
    /// list.truncate(2)?;
    /// assert_eq!(list.to_vec()?, [1, 2]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn truncate(&self, len: usize) -> Result<(), CallError> {
        self.0.change("truncate", len, |list, asked| asked.answer(|len| list.truncate(len)))
    }

    /// Turns the order round.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let list = manager.list([1, 2, 3])?;
    /// list.reverse()?;
    /// assert_eq!(list.to_vec()?, [3, 2, 1]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn reverse(&self) -> Result<(), CallError> {
        self.0.change("reverse", (), |list, asked| asked.answer(|()| list.reverse()))
    }

    /// Sorts the items; equal ones keep their order. A list in another program cannot be sorted: that one does not know
    /// the order.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`List`].
    #[track_caller]
    pub fn sort(&self) -> Result<(), CallError>
    where
        T: Ord,
    {
        self.0.change_here((), |list, asked| asked.answer(|()| list.sort()))
    }

    /// Exchanges two items.
    ///
    /// # Errors
    /// [`OutOfRange`](CallError::OutOfRange), and as for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let list = manager.list([1, 2, 3])?;
    /// list.swap(0, 2)?;
    /// assert_eq!(list.to_vec()?, [3, 2, 1]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn swap(&self, a: usize, b: usize) -> Result<(), CallError> {
        self.0.attempt("swap", (a, b), |list, asked| {
            asked.answer(|(a, b): (usize, usize)| {
                place_in(list, a.max(b))?;
                list.swap(a, b);
                Ok::<(), CallError>(())
            });
        })
    }
}

/// There is such a place.
fn place_in<T>(list: &[T], index: usize) -> Result<(), CallError> {
    let len = list.len();
    if index < len { Ok(()) } else { Err(CallError::OutOfRange { index, len }) }
}

impl<T: Message + 'static> List<T> {
    /// Puts an item behind all others.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`List`].
    #[track_caller]
    #[doc(alias = "append")]
    pub fn push(&self, item: T) -> Result<(), CallError> {
        self.0.change("push", item, |list, asked| asked.answer(|item| list.push(item)))
    }

    /// Takes the last item out; `None` if there is none.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let list = manager.list([1])?;
    /// assert_eq!((list.pop()?, list.pop()?), (Some(1), None));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn pop(&self) -> Result<Option<T>, CallError> {
        self.0.change("pop", (), |list, asked| asked.answer(|()| list.pop()))
    }

    /// Puts an item at a place; those from there on move by one.
    ///
    /// # Errors
    /// [`OutOfRange`](CallError::OutOfRange), and as for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let list = manager.list([1, 3])?;
    /// list.insert(1, 2)?;
    /// assert_eq!(list.to_vec()?, [1, 2, 3]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn insert(&self, index: usize, item: T) -> Result<(), CallError> {
        self.0.attempt("insert", (index, item), |list, asked| {
            asked.answer(|(index, item): (usize, T)| {
                if index != list.len() {
                    place_in(list, index)?;
                }
                list.insert(index, item);
                Ok::<(), CallError>(())
            });
        })
    }

    /// Takes the item at a place out; those behind it move by one.
    ///
    /// # Errors
    /// [`OutOfRange`](CallError::OutOfRange), and as for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let list = manager.list([1, 2, 3])?;
    /// assert_eq!(list.remove(1)?, 2);
    /// assert_eq!(list.to_vec()?, [1, 3]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "del")]
    pub fn remove(&self, index: usize) -> Result<T, CallError> {
        self.0.attempt("remove", index, |list, asked| {
            asked.answer(|index: usize| {
                place_in(list, index)?;
                Ok::<T, CallError>(list.remove(index))
            });
        })
    }

    /// A copy of the item at a place; `None` if there is no such place.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let list = manager.list(["one".to_string()])?;
    /// assert_eq!((list.get(0)?.as_deref(), list.get(1)?), (Some("one"), None));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn get(&self, index: usize) -> Result<Option<T>, CallError> {
        self.0.change("get", index, |list, asked| asked.answer(|index: usize| list.get(index)))
    }

    /// Puts an item in the place of the one that is there.
    ///
    /// # Errors
    /// [`OutOfRange`](CallError::OutOfRange), and as for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let list = manager.list([1, 2])?;
    /// list.set(1, 3)?;
    /// assert_eq!(list.to_vec()?, [1, 3]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn set(&self, index: usize, item: T) -> Result<(), CallError> {
        self.0.attempt("set", (index, item), |list, asked| {
            asked.answer(|(index, item): (usize, T)| {
                place_in(list, index)?;
                list[index] = item;
                Ok::<(), CallError>(())
            });
        })
    }

    /// Puts items behind all others, in one step.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let list = manager.list([1])?;
    /// list.extend(2..=3)?;
    /// assert_eq!(list.to_vec()?, [1, 2, 3]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn extend(&self, items: impl IntoIterator<Item = T>) -> Result<(), CallError> {
        let items: Vec<T> = items.into_iter().collect();
        self.0.change("extend", items, |list, asked| asked.answer(|items: Vec<T>| list.extend(items)))
    }

    /// Whether such an item is there. Of a list in another program all items come here to be compared.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// assert!(manager.list([1, 2])?.contains(&2)?);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn contains(&self, item: &T) -> Result<bool, CallError>
    where
        T: PartialEq,
    {
        if self.0.elsewhere().is_some() {
            return Ok(self.to_vec()?.contains(item));
        }
        self.0.change_here(item, |list, asked| asked.answer(|item: T| list.contains(&item)))
    }

    /// The first place of such an item; `None` if it is not there. Of a list in another program all items come here to
    /// be compared.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// assert_eq!(manager.list([5, 7, 7])?.position(&7)?, Some(1));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "index")]
    pub fn position(&self, item: &T) -> Result<Option<usize>, CallError>
    where
        T: PartialEq,
    {
        if self.0.elsewhere().is_some() {
            return Ok(self.to_vec()?.iter().position(|there| there == item));
        }
        self.0.change_here(item, |list, asked| asked.answer(|item: T| list.iter().position(|there| *there == item)))
    }

    /// A copy of all items, at one moment.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`List::insert`].
    #[track_caller]
    pub fn to_vec(&self) -> Result<Vec<T>, CallError> {
        self.0.change("to_vec", (), |list, asked| asked.answer(|()| &*list))
    }

    /// A copy of all items at one moment, one after the other: one call, not one for each.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`List`].
    #[track_caller]
    pub fn iter(&self) -> Result<std::vec::IntoIter<T>, CallError> {
        self.to_vec().map(Vec::into_iter)
    }
}

impl<T: Message + 'static> Proxy for List<T> {
    fn methods() -> Methods<List<T>> {
        Methods::<Self>::of::<Self>()
            .with("len", |list, ()| list.len())
            .with("is_empty", |list, ()| list.is_empty())
            .with("clear", |list, ()| list.clear())
            .with("truncate", |list, len| list.truncate(len))
            .with("reverse", |list, ()| list.reverse())
            .with("swap", |list, (a, b)| list.swap(a, b))
            .with("push", |list, item| list.push(item))
            .with("pop", |list, ()| list.pop())
            .with("insert", |list, (index, item)| list.insert(index, item))
            .with("remove", |list, index| list.remove(index))
            .with("get", |list, index| list.get(index))
            .with("set", |list, (index, item)| list.set(index, item))
            .with("extend", |list, items: Vec<T>| list.extend(items))
            .with("to_vec", |list, ()| list.to_vec())
    }

    fn distant(object: Distant) -> List<T> {
        List(Managed::distant(object))
    }
}

impl<T> Clone for List<T> {
    /// One more proxy of the same list.
    fn clone(&self) -> List<T> {
        List(self.0.clone())
    }
}

/// A copy of its items.
impl<T: Message + Debug + 'static> Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_vec() {
            Ok(items) => items.fmt(f),
            Err(_) => f.write_str("List(<manager is gone>)"),
        }
    }
}

/// As `Debug`.
impl<T: Message + Debug + 'static> fmt::Display for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(self, f)
    }
}
