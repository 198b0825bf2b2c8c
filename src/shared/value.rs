//! `Value`: one value that processes share, and change under its lock.
//!
//! Knows nothing of how its bytes are copied; that nobody sees half of a change is the affair of the memory's cell.

use super::lock::{Lock, LockGuard};
use super::plain::{Kept, Plain};
use crate::channel::{ChannelError, MessageError};
use crate::process::remedy::{Carried, Probe};
use bytemuck::{bytes_of, bytes_of_mut};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::panic::Location;

/// One value of [plain data](Plain) that processes share.
///
/// [`get`](Value::get) never waits. Changes are made under the value's lock, one at a time, and each is a transaction:
/// it takes effect as a whole, at one moment, or not at all. Whoever is killed or panics in the middle of one has not
/// begun it.
///
/// A clone is the same value, and so is one that was given to a process as an argument or sent through a channel.
///
/// `v.set(v.get() + 1)` is two operations, and what somebody else does in between is lost. An increment is
/// [`with_lock`](Value::with_lock), or `fetch_add` of an [`Atomic`](super::Atomic):
/// ```text
///     get: 5
///                      get: 5
///                      set(6)
///     set(6)  ✗        one increment is lost
/// ```
///
/// (Python: `multiprocessing.Value`, whose `value` has the same trap: `v.value += 1` is a read and a write. Typecode
/// `'i'` is `i32`, `'d'` is `f64`.)
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn count(total: Value<u64>, times: u64) -> csproc::Result<()> {
///     for _ in 0..times {
///         total.with_lock(|total| *total += 1)?;
///     }
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let total = Value::new(0);
///     Parallel!(for _ in 0..3 => count(total.clone(), 50)).values()?;
///     assert_eq!(total.get(), 150);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Value<T> {
    kept: Kept,
    /// What it was, if there is no room for it.
    initial: Option<T>,
}

impl<T: Plain> Value<T> {
    /// A value that nobody else has.
    ///
    /// When the arena has no room for it, every operation that can fail says so, and [`get`](Value::get) gives `value`.
    ///
    /// # Examples
    /// ```
    /// let number = csproc::shared::Value::new(0.5);
    /// assert_eq!(number.get(), 0.5);
    /// ```
    #[must_use]
    pub fn new(value: T) -> Value<T> {
        Value { kept: Kept::new(bytes_of(&value)), initial: None }.or_initially(value)
    }

    /// A value that nobody else has.
    ///
    /// # Errors
    /// There is no room for it.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::shared::Value::try_new(7_u8).is_ok());
    /// ```
    pub fn try_new(value: T) -> Result<Value<T>, MessageError> {
        let value = Value::new(value);
        value.kept.made()?;
        Ok(value)
    }

    /// If there is no room for it, it is this.
    fn or_initially(self, value: T) -> Value<T> {
        let initial = self.kept.check().is_err().then_some(value);
        Value { initial, ..self }
    }

    /// The same value with a name of at most 55 bytes, for errors and reports. To be given before others have it.
    ///
    /// With a longer name there is no value: every operation that can fail says so.
    ///
    /// # Examples
    /// ```
    /// let total = csproc::shared::Value::new(0).named("total");
    /// assert_eq!(format!("{:?}", total.lock()), "Lock(\"total\")");
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> Value<T> {
        let value = self.get();
        Value { kept: self.kept.named(name), initial: None }.or_initially(value)
    }

    /// The value now. It may be another one at once.
    ///
    /// It is never half of a change: what somebody is just changing is seen as it was before.
    ///
    /// # Blocking
    /// Never: not for whoever has the lock, who may be stopped or dead.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let number = Value::new(1);
    /// let seen = number.with_lock(|inside| {
    ///     *inside = 2;
    ///     number.get() // not done yet
    /// })?;
    /// assert_eq!((seen, number.get()), (1, 2));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn get(&self) -> T {
        let mut value = T::zeroed();
        if let Some(initial) = self.initial {
            return initial;
        }
        if !self.kept.read(0, bytes_of_mut(&mut value)) {
            return T::zeroed();
        }
        value
    }

    /// Sets the value, under the lock.
    ///
    /// # Blocking
    /// As long as somebody else has the lock.
    ///
    /// # Errors
    /// The wait was part of a deadlock ([`Deadlock`](ChannelError::Deadlock) or [`Poisoned`](ChannelError::Poisoned)),
    /// or there is no room, for the value or for the wait ([`Invalid`](ChannelError::Invalid)).
    ///
    /// # Poison and retire
    /// A value is never retired, and poisoned for those only who wait for it in a deadlock: it can be used afterwards.
    ///
    /// # Examples
    /// ```
    /// let number = csproc::shared::Value::new(1);
    /// number.set(2)?;
    /// assert_eq!(number.get(), 2);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), ChannelError> {
        let _held = self.kept.hold(Location::caller())?;
        self.kept.write(0, bytes_of(&value))
    }

    /// Sets the value, under the lock, and gives the one before.
    ///
    /// # Blocking
    /// As [`set`](Value::set).
    ///
    /// # Errors
    /// As for [`set`](Value::set).
    ///
    /// # Examples
    /// ```
    /// let number = csproc::shared::Value::new(1);
    /// assert_eq!(number.replace(2)?, 1);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn replace(&self, value: T) -> Result<T, ChannelError> {
        let _held = self.kept.hold(Location::caller())?;
        self.kept.change(|now| std::mem::replace(now, value))
    }

    /// Changes the value under the lock, and gives what came of it.
    ///
    /// Nobody else changes it meanwhile; others still [`get`](Value::get) the value before. The closure has a copy of
    /// its own, which takes effect, whole, when the closure returns. Killed or panicking before that, it is as if it
    /// had not begun. It may wait inside: for a channel, or for the lock of another value, but not for that of this
    /// one.
    ///
    /// # Blocking
    /// As long as somebody else has the lock; and as long as the closure does.
    ///
    /// # Errors
    /// As for [`set`](Value::set). The closure was not called then.
    ///
    /// # Examples
    /// ```
    /// let number = csproc::shared::Value::new(20);
    /// let doubled = number.with_lock(|number| {
    ///     *number += 1;
    ///     *number * 2
    /// })?;
    /// assert_eq!((number.get(), doubled), (21, 42));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn with_lock<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R, ChannelError> {
        let _held = self.kept.hold(Location::caller())?;
        self.kept.change(change)
    }

    /// The lock of this value: to hold it over several changes, or together with those of other values, or as a guard
    /// of an alternation; the changes are made by [`with_held`](Value::with_held) then.
    ///
    /// It is abandoned as any other when its holder is killed with it, in [`with_lock`](Value::with_lock), too: who
    /// acquires the lock by itself is told so. The value is whole all the same.
    ///
    /// # Examples
    /// See [`with_held`](Value::with_held).
    pub fn lock(&self) -> &Lock {
        self.kept.lock()
    }

    /// As [`with_lock`](Value::with_lock), for whoever has the lock already.
    ///
    /// Of two changes of the same value, one inside the other, the outer one has the last word.
    ///
    /// # Blocking
    /// As the closure does.
    ///
    /// # Errors
    /// `held` is of another lock, or there is no room for the value ([`Invalid`](ChannelError::Invalid)). The closure
    /// was not called then.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let (mine, yours) = (Value::new(10), Value::new(0));
    /// // Everybody takes the locks in this order.
    /// let (my_lock, your_lock) = (mine.lock().acquire()?, yours.lock().acquire()?);
    /// mine.with_held(&my_lock, |mine| *mine -= 3)?;
    /// yours.with_held(&your_lock, |yours| *yours += 3)?;
    /// assert!(yours.with_held(&my_lock, |yours| *yours += 3).unwrap_err().is_invalid());
    /// drop((my_lock, your_lock));
    /// assert_eq!((mine.get(), yours.get()), (7, 3));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn with_held<R>(&self, held: &LockGuard, change: impl FnOnce(&mut T) -> R) -> Result<R, ChannelError> {
        self.kept.is_held_by(held)?;
        self.kept.change(change)
    }
}

impl<T: Plain> From<T> for Value<T> {
    fn from(value: T) -> Value<T> {
        Value::new(value)
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&self.get()).finish()
    }
}

/// As the value now.
impl<T: Plain + fmt::Display> fmt::Display for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl<T> Serialize for Value<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.kept.lock().serialize(serializer)
    }
}

/// A value is a message whatever it holds, as an end is: what it holds is asked for by itself.
impl<'de, T> Deserialize<'de> for Value<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value<T>, D::Error> {
        let kept = Kept::from(Lock::deserialize(deserializer)?);
        if !kept.has_length(size_of::<T>()) {
            return Err(serde::de::Error::custom("the value that it names is of another type"));
        }
        Ok(Value { kept, initial: None })
    }
}

impl<T> Probe<Value<T>> {
    /// What it holds.
    #[must_use]
    pub fn kept(&self) -> Carried<T> {
        Carried::new()
    }
}
