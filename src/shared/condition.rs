//! `Condition`: waiting, without the lock, for somebody who has changed what it protects.
//!
//! Knows nothing of what is waited for. It is a gate whose permits count its turns. Whoever waits reads how many there
//! were while it has the lock, gives the lock up, and waits for the next one:
//! ```text
//!     waiter, with the lock               somebody else
//!     seen := turns                       waits for the lock
//!     gives the lock up                   has it; changes something; notifies: turns := turns + 1
//!     waits until turns > seen            ► does not wait at all
//! ```
//! So no turn is missed. Of those who wait already, a notification for one lets in who has waited longest, and turns
//! stay as they are; when nobody does, it is a turn for those in between.

use super::lock::{Lock, LockError, LockGuard};
use crate::channel::{ChannelError, Gate, MessageError, Patience, label};
use crate::engine::Opened;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

/// A condition of what a [`Lock`] protects: processes wait for it without the lock, and are notified when it may hold.
///
/// A wait may end for no reason, so what was waited for is looked at again; [`wait_while`](Condition::wait_while) does
/// so. The notification of a process that is killed before it goes on is passed to the next one. One that is killed
/// afterwards has used it up: where that matters, notify all.
///
/// A clone is the same condition, and so is one that was given to a process as an argument or sent through a channel.
/// It is no guard of an alternation, as waiting gives the lock up.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn consumer(lock: Lock, filled: Condition, shelf: Reader<u32>) -> csproc::Result<u32> {
///     let _held = filled.wait_while(lock.acquire()?, || shelf.is_empty())?;
///     Ok(shelf.read()?)
/// }
///
/// fn main() -> csproc::Result<()> {
///     let lock = Lock::new();
///     let filled = Condition::new(&lock);
///     let shelf = Channel::buffered(Buffer::Unbounded);
///     let w = shelf.writer();
///     let child = Spawn!(consumer(lock.clone(), filled.clone(), shelf.reader()))?;
///     lock.with(|| w.write(7))??;
///     filled.notify_one();
///     assert_eq!(child.join()??, 7);
///     Ok(())
/// }
/// ```
#[derive(Serialize, Deserialize)]
pub struct Condition {
    turns: Gate,
    lock: Lock,
}

impl Condition {
    /// A condition of what this lock protects.
    ///
    /// When the arena has no room for it, [`wait`](Condition::wait) says so.
    ///
    /// # Examples
    /// See [`Condition`].
    #[must_use]
    pub fn new(lock: &Lock) -> Condition {
        Condition { turns: Gate::new(0, Opened::InTurns), lock: lock.clone() }
    }

    /// A condition of what this lock protects.
    ///
    /// # Errors
    /// There is no room for it.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// assert!(Condition::try_new(&Lock::new()).is_ok());
    /// ```
    pub fn try_new(lock: &Lock) -> Result<Condition, MessageError> {
        let turns = Gate::try_new(0, Opened::InTurns)?;
        Ok(Condition { turns, lock: lock.clone() })
    }

    /// The same condition with a name of at most 55 bytes, for reports. To be given before others have it.
    ///
    /// With a longer name there is no condition: [`wait`](Condition::wait) says so.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let filled = Condition::new(&Lock::new()).named("filled");
    /// assert_eq!(format!("{filled:?}"), "Condition(\"filled\")");
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> Condition {
        Condition { turns: self.turns.named(name), lock: self.lock }
    }

    /// Gives the lock up, waits for a notification, and has the lock again. No notification is missed between the
    /// first and the second.
    ///
    /// # Blocking
    /// Until somebody notifies, and then until the lock is free. It may end for no reason.
    ///
    /// # Errors
    /// As for [`Lock::acquire`]: with `Failed` the caller has the lock no more.
    ///
    /// # Panics
    /// If `held` is of another lock.
    ///
    /// # Examples
    /// See [`Condition::wait_while`].
    #[track_caller]
    pub fn wait(&self, held: LockGuard) -> Result<LockGuard, LockError> {
        self.wait_within(held, Patience::ForEver, Location::caller()).map(|(held, _)| held)
    }

    /// Waits as long as `condition` holds.
    ///
    /// # Blocking
    /// As [`wait`](Condition::wait), again and again; not at all if `condition` does not hold. `condition` is called
    /// with the lock.
    ///
    /// # Errors
    /// As for [`wait`](Condition::wait).
    ///
    /// # Panics
    /// If `held` is of another lock, or when `condition` does.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// static STOCK: AtomicU32 = AtomicU32::new(0);
    /// let lock = Lock::new();
    /// let filled = Condition::new(&lock);
    /// let (same_lock, same) = (lock.clone(), filled.clone());
    /// let thread = std::thread::spawn(move || {
    ///     same_lock.with(|| STOCK.fetch_add(1, Ordering::SeqCst)).unwrap();
    ///     same.notify_all();
    /// });
    /// let held = filled.wait_while(lock.acquire()?, || STOCK.load(Ordering::SeqCst) == 0)?;
    /// assert_eq!(STOCK.load(Ordering::SeqCst), 1);
    /// drop(held);
    /// thread.join().unwrap();
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn wait_while(&self, mut held: LockGuard, mut condition: impl FnMut() -> bool) -> Result<LockGuard, LockError> {
        let place = Location::caller();
        while condition() {
            held = self.wait_within(held, Patience::ForEver, place)?.0;
        }
        Ok(held)
    }

    /// As [`wait`](Condition::wait), for a notification that comes within `timeout`; whether one came.
    ///
    /// # Blocking
    /// At most for `timeout`, and then until the lock is free.
    ///
    /// # Errors
    /// As for [`wait`](Condition::wait).
    ///
    /// # Panics
    /// If `held` is of another lock.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// let lock = Lock::new();
    /// let never = Condition::new(&lock);
    /// let (_held, notified) = never.wait_timeout(lock.acquire()?, Duration::from_millis(1))?;
    /// assert!(!notified);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn wait_timeout(&self, held: LockGuard, timeout: Duration) -> Result<(LockGuard, bool), LockError> {
        self.wait_within(held, Patience::of(timeout), Location::caller())
    }

    /// As [`wait_timeout`](Condition::wait_timeout), until a deadline.
    ///
    /// # Blocking
    /// At most until `deadline`, and then until the lock is free.
    ///
    /// # Errors
    /// As for [`wait`](Condition::wait).
    ///
    /// # Panics
    /// If `held` is of another lock.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// let lock = Lock::new();
    /// let never = Condition::new(&lock);
    /// assert!(!never.wait_deadline(lock.acquire()?, std::time::Instant::now())?.1);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn wait_deadline(&self, held: LockGuard, deadline: Instant) -> Result<(LockGuard, bool), LockError> {
        self.wait_within(held, Patience::Until(deadline), Location::caller())
    }

    /// Notifies the one who has waited longest. The caller need not have the lock.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Examples
    /// See [`Condition`].
    pub fn notify_one(&self) {
        self.turns.notify();
    }

    /// Notifies all who wait. The caller need not have the lock.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Examples
    /// See [`Condition::wait_while`].
    pub fn notify_all(&self) {
        self.turns.change(|turns| turns.wrapping_add(1));
    }

    fn wait_within(
        &self,
        held: LockGuard,
        patience: Patience,
        place: &'static Location<'static>,
    ) -> Result<(LockGuard, bool), LockError> {
        assert!(held.is_of(&self.lock), "{held:?} is no guard of {:?}, whose condition this is", self.lock);
        self.turns.check()?;
        let (seen, _) = self.turns.permits();
        drop(held);
        let notified = match self.turns.wait(seen.wrapping_add(1), patience, place) {
            Ok(()) => true,
            Err(ChannelError::TimedOut) => false,
            Err(error) => return Err(error.into()),
        };
        Ok((self.lock.within(Patience::ForEver, place)?, notified))
    }
}

impl Clone for Condition {
    /// The same condition.
    fn clone(&self) -> Condition {
        Condition { turns: self.turns.clone(), lock: self.lock.clone() }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&label(self.turns.channel())).finish()
    }
}
