//! `RwLock`: any number of readers, or one writer.
//!
//! Knows nothing of what it protects. It is a gate with more permits than there can be readers; a reader takes one, a
//! writer all.

use super::lock::{Abandoned, Held, LockError};
use super::pass::{FromUnit, PassArm, Taken};
use crate::alternation::Guard;
use crate::channel::{Gate, MessageError, Patience, Unit, label};
use crate::engine::Opened;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::{Duration, Instant};

/// What a writer takes.
const ALL: u32 = 1 << 30;

/// A lock that many may have to read, or one to write, among all processes and threads that have it.
///
/// Who has waited longest is served first: a writer that waits holds later readers back, so neither side is overtaken
/// for ever. A *writer* that is killed or panics abandons the lock, as with [`Lock`](crate::shared::Lock); a reader
/// changes nothing, so nobody is told of its death. A clone is the same lock, and so is one that was given to a process
/// as an argument or sent through a channel. In an alternation the guards are [`reading`](RwLock::reading) and
/// [`writing`](RwLock::writing).
///
/// A reader that wants to write gives its guard up first: it would wait for itself, which is reported as a deadlock.
///
/// # Examples
/// ```
/// use csproc::shared::RwLock;
///
/// let lock = RwLock::new();
/// let (one, other) = (lock.read()?, lock.read()?);
/// assert!(lock.try_write().is_err());
/// drop((one, other));
/// let written = lock.write()?;
/// assert!(lock.try_read().is_err());
/// drop(written);
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Serialize, Deserialize)]
pub struct RwLock(Gate);

impl RwLock {
    /// A lock that nobody has.
    ///
    /// When the arena has no room for it, [`read`](RwLock::read) and [`write`](RwLock::write) say so.
    ///
    /// # Examples
    /// See [`RwLock`].
    #[must_use]
    pub fn new() -> RwLock {
        RwLock(Gate::new(ALL, Opened::ByHolders))
    }

    /// A lock that nobody has.
    ///
    /// # Errors
    /// There is no room for it.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::shared::RwLock::try_new().is_ok());
    /// ```
    pub fn try_new() -> Result<RwLock, MessageError> {
        Gate::try_new(ALL, Opened::ByHolders).map(RwLock)
    }

    /// The same lock with a name of at most 55 bytes, for errors and reports. To be given before others have the lock.
    ///
    /// With a longer name there is no lock: whoever wants it is told so.
    ///
    /// # Examples
    /// ```
    /// let lock = csproc::shared::RwLock::new().named("index");
    /// assert_eq!(format!("{lock:?}"), "RwLock(\"index\")");
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> RwLock {
        RwLock(self.0.named(name))
    }

    /// Waits until nobody writes, and has the lock to read.
    ///
    /// # Blocking
    /// Until the writers have given it back that had it or have waited for it before.
    ///
    /// # Errors
    /// As for [`Lock::acquire`](crate::shared::Lock::acquire); `Abandoned` tells of a writer.
    ///
    /// # Examples
    /// See [`RwLock`].
    #[track_caller]
    pub fn read(&self) -> Result<ReadGuard, LockError<ReadGuard>> {
        self.take(1, Patience::ForEver, Location::caller())
    }

    /// Has the lock to read, if nobody writes or waits for the lock.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Errors
    /// As for [`read`](RwLock::read), and `Failed` with [`WouldBlock`](crate::ChannelError::WouldBlock).
    ///
    /// # Examples
    /// See [`RwLock`].
    #[track_caller]
    pub fn try_read(&self) -> Result<ReadGuard, LockError<ReadGuard>> {
        self.take(1, Patience::Not, Location::caller())
    }

    /// As [`read`](RwLock::read), at most for `timeout`.
    ///
    /// # Blocking
    /// At most for `timeout`.
    ///
    /// # Errors
    /// As for [`read`](RwLock::read), and `Failed` with [`TimedOut`](crate::ChannelError::TimedOut).
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let lock = csproc::shared::RwLock::new();
    /// assert!(lock.read_timeout(Duration::from_millis(1)).is_ok());
    /// ```
    #[track_caller]
    pub fn read_timeout(&self, timeout: Duration) -> Result<ReadGuard, LockError<ReadGuard>> {
        self.take(1, Patience::of(timeout), Location::caller())
    }

    /// As [`read`](RwLock::read), at most until `deadline`.
    ///
    /// # Blocking
    /// At most until `deadline`.
    ///
    /// # Errors
    /// As for [`read_timeout`](RwLock::read_timeout).
    ///
    /// # Examples
    /// ```
    /// let lock = csproc::shared::RwLock::new();
    /// assert!(lock.read_deadline(std::time::Instant::now()).is_ok());
    /// ```
    #[track_caller]
    pub fn read_deadline(&self, deadline: Instant) -> Result<ReadGuard, LockError<ReadGuard>> {
        self.take(1, Patience::Until(deadline), Location::caller())
    }

    /// Waits until nobody else has the lock, and has it to write.
    ///
    /// # Blocking
    /// Until all have given it back who had it or have waited for it before.
    ///
    /// # Errors
    /// As for [`Lock::acquire`](crate::shared::Lock::acquire); `Abandoned` tells of a writer.
    ///
    /// # Examples
    /// See [`RwLock`].
    #[track_caller]
    pub fn write(&self) -> Result<WriteGuard, LockError<WriteGuard>> {
        self.take(ALL, Patience::ForEver, Location::caller())
    }

    /// Has the lock to write, if nobody has it or waits for it.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Errors
    /// As for [`write`](RwLock::write), and `Failed` with [`WouldBlock`](crate::ChannelError::WouldBlock).
    ///
    /// # Examples
    /// See [`RwLock`].
    #[track_caller]
    pub fn try_write(&self) -> Result<WriteGuard, LockError<WriteGuard>> {
        self.take(ALL, Patience::Not, Location::caller())
    }

    /// As [`write`](RwLock::write), at most for `timeout`. Readers that came later go on when it gives up.
    ///
    /// # Blocking
    /// At most for `timeout`.
    ///
    /// # Errors
    /// As for [`write`](RwLock::write), and `Failed` with [`TimedOut`](crate::ChannelError::TimedOut).
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let lock = csproc::shared::RwLock::new();
    /// let _held = lock.read()?;
    /// assert!(lock.write_timeout(Duration::from_millis(1)).is_err());
    /// assert!(lock.try_read().is_ok());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn write_timeout(&self, timeout: Duration) -> Result<WriteGuard, LockError<WriteGuard>> {
        self.take(ALL, Patience::of(timeout), Location::caller())
    }

    /// As [`write`](RwLock::write), at most until `deadline`.
    ///
    /// # Blocking
    /// At most until `deadline`.
    ///
    /// # Errors
    /// As for [`write_timeout`](RwLock::write_timeout).
    ///
    /// # Examples
    /// ```
    /// let lock = csproc::shared::RwLock::new();
    /// assert!(lock.write_deadline(std::time::Instant::now()).is_ok());
    /// ```
    #[track_caller]
    pub fn write_deadline(&self, deadline: Instant) -> Result<WriteGuard, LockError<WriteGuard>> {
        self.take(ALL, Patience::Until(deadline), Location::caller())
    }

    /// The guard of an alternation that has the lock to read when it fires.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let lock = RwLock::new();
    /// let held = AltSelect! { held = lock.reading() => held }??;
    /// assert!(lock.try_write().is_err());
    /// drop(held);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn reading(&self) -> Reading<'_> {
        Reading(&self.0)
    }

    /// The guard of an alternation that has the lock to write when it fires.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let lock = RwLock::new();
    /// let _reader = lock.read()?;
    /// let written = PriSelect! { _held = lock.writing() => true, skip => false }?;
    /// assert!(!written);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn writing(&self) -> Writing<'_> {
        Writing(&self.0)
    }

    fn take<G: Held>(
        &self,
        weight: u32,
        patience: Patience,
        place: &'static Location<'static>,
    ) -> Result<G, LockError<G>> {
        let unit = self.0.take(weight, patience, place)?;
        Ok(<Result<G, Abandoned<G>>>::from_unit(Taken(unit))?)
    }
}

impl Default for RwLock {
    fn default() -> RwLock {
        RwLock::new()
    }
}

impl Clone for RwLock {
    /// The same lock.
    fn clone(&self) -> RwLock {
        RwLock(self.0.clone())
    }
}

impl fmt::Debug for RwLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RwLock").field(&label(self.0.channel())).finish()
    }
}

macro_rules! sides {
    ($($guard:ident, $word:literal, $waiting:ident, $weight:expr;)*) => {$(
        #[doc = concat!("The lock to ", $word, ", until it is dropped. It stays with the thread that has it.")]
        ///
        /// # Examples
        /// See [`RwLock`].
        #[must_use = "the lock is given back when its guard is dropped"]
        pub struct $guard {
            unit: Unit,
            /// It stays on its thread.
            not_send: PhantomData<*const ()>,
        }

        impl Held for $guard {
            const KIND: &'static str = "lock";

            fn of(unit: Unit) -> $guard {
                $guard { unit, not_send: PhantomData }
            }

            fn unit(&self) -> &Unit {
                &self.unit
            }
        }

        impl fmt::Debug for $guard {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($guard)).field(&label(self.unit.gate())).finish()
            }
        }

        #[doc = concat!("The guard of an alternation for the lock to ", $word, ".")]
        ///
        /// # Examples
        /// See [`RwLock`].
        #[derive(Debug)]
        pub struct $waiting<'l>(&'l Gate);

        impl Guard for $waiting<'_> {
            type Output = Result<$guard, Abandoned<$guard>>;
            type Arm<'a>
                = PassArm<'a, Result<$guard, Abandoned<$guard>>>
            where
                Self: 'a;

            fn arm(&self) -> PassArm<'_, Result<$guard, Abandoned<$guard>>> {
                PassArm::new(self.0, $weight)
            }
        }
    )*};
}

sides! {
    ReadGuard, "read", Reading, 1;
    WriteGuard, "write", Writing, ALL;
}
