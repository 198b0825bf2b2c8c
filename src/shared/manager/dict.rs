//! `Dict<K, V>`: a map in the process of a manager, in the order of its keys.
//!
//! Knows nothing of how it is called: each method is a function that runs on the map, where it lies.

use super::distant::Distant;
use super::error::CallError;
use super::methods::{Methods, Proxy};
use super::proxy::Managed;
use crate::channel::{ImageFn, Message};
use crate::sys::image::Changes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::{self, Debug};

/// A dictionary in the process of a [`Manager`](crate::shared::Manager), for any number of processes.
///
/// Its methods are those of [`BTreeMap`], and each is one step for everybody else. What is [got](Dict::get) is a copy;
/// [`update`](Dict::update) changes a value where it is, and [`with`](Dict::with) is for several steps as one. A
/// clone, or one that was sent to a process or put into another object, is one more proxy of the same dictionary; with
/// the last one the dictionary goes.
///
/// (Python: `Manager().dict()`. There, `dict['x'].append(1)` changes a copy and loses it, and `dict['x'] += 1` loses
/// what others add meanwhile.)
///
/// Printing a dictionary asks for its items; when the manager is gone it prints `Dict(<manager is gone>)`.
///
/// # Blocking
/// Each method waits until those who came before are done with the dictionary; see [`Managed::with`].
///
/// # Errors
/// Those of [`Managed::with`].
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::Dict;
///
/// #[process]
/// fn count(words: Vec<String>, counts: Dict<String, u64>) -> csproc::Result<()> {
///     for word in words {
///         counts.update(word, 0, |count| *count += 1)?;
///     }
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let manager = Manager::new()?;
///     let counts = manager.dict()?;
///     let words: Vec<String> = "a b a c a".split(' ').map(String::from).collect();
///     Parallel!(for _ in 0..4 => count(words.clone(), counts.clone())).values()?;
///     assert_eq!(format!("{counts:?}"), r#"{"a": 12, "b": 4, "c": 4}"#);
///     Ok(())
/// }
/// ```
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Dict<K, V>(Managed<BTreeMap<K, V>>);

impl<K: 'static, V: 'static> Dict<K, V> {
    pub(super) fn new(items: Managed<BTreeMap<K, V>>) -> Dict<K, V> {
        Dict(items)
    }

    /// Runs `work` on the dictionary, while nobody else uses it; see [`Managed::with`].
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let accounts = manager.dict_from([(1, 100), (2, 0)])?;
    /// let moved = accounts.with((1, 2, 30), |accounts, (from, to, amount)| {
    ///     let enough = accounts.get(&from).is_some_and(|there| *there >= amount);
    ///     if enough {
    ///         *accounts.entry(from).or_default() -= amount;
    ///         *accounts.entry(to).or_default() += amount;
    ///     }
    ///     enough
    /// })?;
    /// assert!(moved);
    /// assert_eq!(accounts.values()?, [70, 30]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn with<A: Message, R: Message>(
        &self,
        arguments: A,
        work: fn(&mut BTreeMap<K, V>, A) -> R,
    ) -> Result<R, CallError> {
        self.0.with(arguments, work)
    }

    /// Runs `work`, which only looks at the dictionary, beside others who look; see [`Managed::look`].
    ///
    /// # Errors
    /// As for [`Managed::look`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let ages = manager.dict_from([(1, 36), (2, 41)])?;
    /// assert_eq!(ages.look((), |ages, ()| ages.values().max().copied())?, Some(41));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn look<A: Message, R: Message>(&self, arguments: A, work: fn(&BTreeMap<K, V>, A) -> R) -> Result<R, CallError>
    where
        K: Send + Sync,
        V: Send + Sync,
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
    /// assert_eq!(manager.dict_from([(1, 'a')])?.len()?, 1);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn len(&self) -> Result<usize, CallError> {
        self.0.change("len", (), |dict, asked| asked.answer(|()| dict.len()))
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
    /// assert!(manager.dict::<u8, u8>()?.is_empty()?);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn is_empty(&self) -> Result<bool, CallError> {
        self.0.change("is_empty", (), |dict, asked| asked.answer(|()| dict.is_empty()))
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
    /// let dict = manager.dict_from([(1, 'a')])?;
    /// dict.clear()?;
    /// assert!(dict.is_empty()?);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn clear(&self) -> Result<(), CallError> {
        self.0.change("clear", (), |dict, asked| asked.answer(|()| dict.clear()))
    }
}

impl<K: Message + Ord + 'static, V: Message + 'static> Dict<K, V> {
    /// Gives a key a value; the one it had before comes back.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let dict = manager.dict()?;
    /// assert_eq!(dict.insert(1, 'a')?, None);
    /// assert_eq!(dict.insert(1, 'b')?, Some('a'));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "__setitem__")]
    pub fn insert(&self, key: K, value: V) -> Result<Option<V>, CallError> {
        self.0.change("insert", (key, value), |dict, asked| asked.answer(|(key, value)| dict.insert(key, value)))
    }

    /// A copy of the value of a key; `None` if it has none.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let dict = manager.dict_from([(1, "one".to_string())])?;
    /// assert_eq!((dict.get(&1)?.as_deref(), dict.get(&2)?), (Some("one"), None));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn get(&self, key: &K) -> Result<Option<V>, CallError> {
        self.0.change("get", key, |dict, asked| asked.answer(|key: K| dict.get(&key)))
    }

    /// Takes a key and its value out; `None` if it has none.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let dict = manager.dict_from([(1, 'a')])?;
    /// assert_eq!((dict.remove(&1)?, dict.remove(&1)?), (Some('a'), None));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "pop")]
    pub fn remove(&self, key: &K) -> Result<Option<V>, CallError> {
        self.0.change("remove", key, |dict, asked| asked.answer(|key: K| dict.remove(&key)))
    }

    /// Whether a key has a value.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// assert!(manager.dict_from([(1, 'a')])?.contains_key(&1)?);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn contains_key(&self, key: &K) -> Result<bool, CallError> {
        self.0.change("contains_key", key, |dict, asked| asked.answer(|key: K| dict.contains_key(&key)))
    }

    /// A copy of the value of a key; if it has none, it has this one from now on.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let dict = manager.dict()?;
    /// assert_eq!((dict.get_or_insert(1, 'a')?, dict.get_or_insert(1, 'b')?), ('a', 'a'));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "setdefault")]
    pub fn get_or_insert(&self, key: K, value: V) -> Result<V, CallError> {
        self.0.change("get_or_insert", (key, value), |dict, asked| {
            asked.answer(|(key, value): (K, V)| &*dict.entry(key).or_insert(value));
        })
    }

    /// Changes the value of a key where it is, in one step; if it has none, `default` is changed.
    ///
    /// `change` runs in another process, and captures nothing. If it needs arguments, there is [`with`](Dict::with).
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`Dict`].
    #[track_caller]
    pub fn update(&self, key: K, default: V, change: fn(&mut V)) -> Result<(), CallError> {
        let change = ImageFn::<Changes<V, ()>>(change);
        self.0.change_here((key, default, change), |dict, asked| {
            asked.answer(|(key, default, ImageFn(change)): (K, V, ImageFn<Changes<V, ()>>)| {
                change(dict.entry(key).or_insert(default));
            });
        })
    }

    /// Gives many keys their values, in one step.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// let dict = manager.dict_from([(1, 'a')])?;
    /// dict.extend([(1, 'b'), (2, 'c')])?;
    /// assert_eq!(dict.items()?, [(1, 'b'), (2, 'c')]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    #[doc(alias = "update")]
    pub fn extend(&self, items: impl IntoIterator<Item = (K, V)>) -> Result<(), CallError> {
        let items: Vec<(K, V)> = items.into_iter().collect();
        self.0.change("extend", items, |dict, asked| asked.answer(|items: Vec<(K, V)>| dict.extend(items)))
    }

    /// A copy of all keys, in order.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// assert_eq!(manager.dict_from([(2, 'b'), (1, 'a')])?.keys()?, [1, 2]);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn keys(&self) -> Result<Vec<K>, CallError> {
        self.0.change("keys", (), |dict, asked| asked.answer(|()| dict.keys().collect::<Vec<&K>>()))
    }

    /// A copy of all values, in the order of their keys.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// ```
    /// # use csproc::prelude::*;
    /// # let manager = Manager::new()?;
    /// assert_eq!(manager.dict_from([(2, 'b'), (1, 'a')])?.values()?, ['a', 'b']);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn values(&self) -> Result<Vec<V>, CallError> {
        self.0.change("values", (), |dict, asked| asked.answer(|()| dict.values().collect::<Vec<&V>>()))
    }

    /// A copy of all keys and their values, in order, at one moment.
    ///
    /// # Errors
    /// As for [`Managed::with`].
    ///
    /// # Examples
    /// See [`Dict::extend`].
    #[track_caller]
    pub fn items(&self) -> Result<Vec<(K, V)>, CallError> {
        self.0.change("items", (), |dict, asked| asked.answer(|()| dict.iter().collect::<Vec<(&K, &V)>>()))
    }
}

impl<K: Message + Ord + 'static, V: Message + 'static> Proxy for Dict<K, V> {
    fn methods() -> Methods<Dict<K, V>> {
        Methods::<Self>::of::<Self>()
            .with("len", |dict, ()| dict.len())
            .with("is_empty", |dict, ()| dict.is_empty())
            .with("clear", |dict, ()| dict.clear())
            .with("insert", |dict, (key, value)| dict.insert(key, value))
            .with("get", |dict, key| dict.get(&key))
            .with("remove", |dict, key| dict.remove(&key))
            .with("contains_key", |dict, key| dict.contains_key(&key))
            .with("get_or_insert", |dict, (key, value)| dict.get_or_insert(key, value))
            .with("extend", |dict, items: Vec<(K, V)>| dict.extend(items))
            .with("keys", |dict, ()| dict.keys())
            .with("values", |dict, ()| dict.values())
            .with("items", |dict, ()| dict.items())
    }

    fn distant(object: Distant) -> Dict<K, V> {
        Dict(Managed::distant(object))
    }
}

impl<K, V> Clone for Dict<K, V> {
    /// One more proxy of the same dictionary.
    fn clone(&self) -> Dict<K, V> {
        Dict(self.0.clone())
    }
}

/// A copy of its items.
impl<K: Message + Ord + Debug + 'static, V: Message + Debug + 'static> Debug for Dict<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.items() {
            Ok(items) => f.debug_map().entries(items).finish(),
            Err(_) => f.write_str("Dict(<manager is gone>)"),
        }
    }
}

/// As `Debug`.
impl<K: Message + Ord + Debug + 'static, V: Message + Debug + 'static> fmt::Display for Dict<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(self, f)
    }
}
