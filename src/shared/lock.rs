//! `Lock`: one process at a time, and the next one learns if that process did not come to the end of what it did.
//!
//! Knows nothing of what it protects.

use super::pass::{FromUnit, PassArm, Taken};
use crate::alternation::Guard;
use crate::cause::Cause;
use crate::channel::{ChannelError, Gate, MessageError, Patience, Unit, label};
use crate::engine::Opened;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::{Duration, Instant};

/// A lock: at most one holder at a time, among all processes and threads that have it.
///
/// A clone is the same lock, and so is one that was given to a process as an argument or sent through a channel. The
/// holder has a [`LockGuard`]; when that is dropped, whoever has waited longest has the lock: nobody is overtaken.
/// (Before it waits, a process looks for a microsecond whether the lock is given back.) In an alternation the lock
/// itself is a guard, which gives a `Result<LockGuard, Abandoned>`.
///
/// A holder that is killed, or that panics, gives the lock back at once, but what the lock protects may be half done.
/// So the lock is *abandoned*: whoever has it next is told who had it and what became of them, until somebody
/// [recovers](LockError::recover) it.
///
/// ```
/// use csproc::prelude::*;
///
/// let (lock, c) = (Lock::new(), Channel::<u8>::new());
/// let (w, r) = (c.writer(), c.reader());
/// let held = lock.acquire()?;
/// let writer = std::thread::spawn(move || w.write(7));
/// let seen = AltSelect! {
///     _held = lock => 0, // not while we have it
///     v = r.read() => v,
/// }?;
/// assert_eq!(seen, 7);
/// drop(held);
/// assert!(writer.join().unwrap().is_ok());
/// # Ok::<(), csproc::Error>(())
/// ```
///
/// The same thread cannot have a lock twice: it would wait for itself, which is a deadlock of one process and is
/// reported as such. Processes that wait for each other's locks are reported, too, with the lines where they wait.
///
/// (Python: `multiprocessing.Lock`. There is no `RLock`: that a thread has the lock is a `&LockGuard` to hand on.)
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn count(lock: Lock, cell: (Writer<u64>, Reader<u64>), times: u64) -> csproc::Result<()> {
///     for _ in 0..times {
///         let _held = lock.acquire()?;
///         let value = cell.1.read()?; // nobody else reads it before we have written it
///         cell.0.write(value + 1)?;
///     }
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let lock = Lock::new();
///     let cell = Channel::buffered(Buffer::Fifo(1));
///     let (w, r) = (cell.writer(), cell.reader());
///     w.write(0)?;
///     Parallel!(for _ in 0..3 => count(lock.clone(), (w.clone(), r.clone()), 20)).values()?;
///     assert_eq!(r.read()?, 60);
///     Ok(())
/// }
/// ```
#[derive(Serialize, Deserialize)]
pub struct Lock(Gate);

impl Lock {
    /// A lock that nobody has.
    ///
    /// When the arena has no room for it, [`acquire`](Lock::acquire) says so.
    ///
    /// # Examples
    /// ```
    /// let lock = csproc::shared::Lock::new();
    /// assert!(lock.try_acquire().is_ok());
    /// ```
    #[must_use]
    pub fn new() -> Lock {
        Lock(Gate::new(1, Opened::ByHolders))
    }

    /// A lock that nobody has.
    ///
    /// # Errors
    /// There is no room for it.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::shared::Lock::try_new().is_ok());
    /// ```
    pub fn try_new() -> Result<Lock, MessageError> {
        Gate::try_new(1, Opened::ByHolders).map(Lock)
    }

    /// The same lock with a name of at most 55 bytes, for errors and reports. To be given before others have the lock.
    ///
    /// With a longer name there is no lock: [`acquire`](Lock::acquire) says so.
    ///
    /// # Examples
    /// ```
    /// let lock = csproc::shared::Lock::new().named("ledger");
    /// assert_eq!(format!("{lock:?}"), "Lock(\"ledger\")");
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> Lock {
        Lock(self.0.named(name))
    }

    /// Waits for the lock, and has it.
    ///
    /// # Blocking
    /// Until all have given it back who had it or have waited for it before.
    ///
    /// # Errors
    /// [`Abandoned`](LockError::Abandoned): the caller has the lock, but the last holder was killed or panicked with
    /// it. [`Failed`](LockError::Failed): the caller has not; the wait was part of a deadlock
    /// ([`Deadlock`](ChannelError::Deadlock) or [`Poisoned`](ChannelError::Poisoned)), or there is no memory for it
    /// ([`Invalid`](ChannelError::Invalid)).
    ///
    /// # Poison and retire
    /// A lock is never retired, and poisoned for those only who wait for it in a deadlock: it can be used afterwards.
    ///
    /// # Examples
    /// ```
    /// let lock = csproc::shared::Lock::new();
    /// let held = lock.acquire()?;
    /// assert!(lock.try_acquire().is_err());
    /// drop(held);
    /// assert!(lock.try_acquire().is_ok());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire(&self) -> Result<LockGuard, LockError> {
        self.within(Patience::ForEver, Location::caller())
    }

    /// Has the lock if nobody else has it or waits for it.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Errors
    /// As for [`acquire`](Lock::acquire), and `Failed` with [`WouldBlock`](ChannelError::WouldBlock).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::shared::LockError;
    ///
    /// let lock = Lock::new();
    /// let _held = lock.try_acquire()?;
    /// assert!(matches!(lock.try_acquire(), Err(LockError::Failed(ChannelError::WouldBlock))));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn try_acquire(&self) -> Result<LockGuard, LockError> {
        self.within(Patience::Not, Location::caller())
    }

    /// Waits for the lock, at most for `timeout`.
    ///
    /// # Blocking
    /// As [`acquire`](Lock::acquire), at most for `timeout`.
    ///
    /// # Errors
    /// As for [`acquire`](Lock::acquire), and `Failed` with [`TimedOut`](ChannelError::TimedOut), never before the time
    /// is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::shared::LockError;
    /// use std::time::Duration;
    ///
    /// let lock = Lock::new();
    /// let _held = lock.acquire()?;
    /// let error = lock.acquire_timeout(Duration::from_millis(1)).unwrap_err();
    /// assert!(matches!(error, LockError::Failed(ChannelError::TimedOut)));
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<LockGuard, LockError> {
        self.within(Patience::of(timeout), Location::caller())
    }

    /// Waits for the lock, at most until `deadline`.
    ///
    /// # Blocking
    /// As [`acquire`](Lock::acquire), at most until `deadline`.
    ///
    /// # Errors
    /// As for [`acquire_timeout`](Lock::acquire_timeout).
    ///
    /// # Examples
    /// ```
    /// use std::time::Instant;
    ///
    /// let lock = csproc::shared::Lock::new();
    /// assert!(lock.acquire_deadline(Instant::now()).is_ok());
    /// ```
    #[track_caller]
    pub fn acquire_deadline(&self, deadline: Instant) -> Result<LockGuard, LockError> {
        self.within(Patience::Until(deadline), Location::caller())
    }

    /// Does something with the lock, and gives what came of it.
    ///
    /// # Blocking
    /// As [`acquire`](Lock::acquire), and for `work`.
    ///
    /// # Errors
    /// As for [`acquire`](Lock::acquire); then `work` was not called, also if the lock was abandoned.
    ///
    /// # Panics
    /// When `work` does; the lock is abandoned then.
    ///
    /// # Examples
    /// ```
    /// let lock = csproc::shared::Lock::new();
    /// assert_eq!(lock.with(|| 6 * 7)?, 42);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn with<R>(&self, work: impl FnOnce() -> R) -> Result<R, LockError> {
        let _held = self.acquire()?;
        Ok(work())
    }

    /// The lock whose permit this gate has.
    pub(super) fn over(gate: Gate) -> Lock {
        Lock(gate)
    }

    /// The same lock, for as long as this is there: see [`Gate::entrusted`].
    pub(super) fn entrusted(self) -> Lock {
        Lock(self.0.entrusted())
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.0
    }

    #[inline]
    pub(super) fn within(&self, patience: Patience, place: &'static Location<'static>) -> Result<LockGuard, LockError> {
        let unit = self.0.take(1, patience, place)?;
        Ok(<Result<LockGuard, Abandoned>>::from_unit(Taken(unit))?)
    }
}

impl Default for Lock {
    fn default() -> Lock {
        Lock::new()
    }
}

impl Clone for Lock {
    /// The same lock.
    fn clone(&self) -> Lock {
        Lock(self.0.clone())
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lock").field(&label(self.0.channel())).finish()
    }
}

impl Guard for Lock {
    type Output = Result<LockGuard, Abandoned>;
    type Arm<'a> = PassArm<'a, Result<LockGuard, Abandoned>>;

    fn arm(&self) -> PassArm<'_, Result<LockGuard, Abandoned>> {
        PassArm::new(&self.0, 1)
    }
}

/// What has a unit of a lock.
pub(super) trait Held: Sized {
    /// What the lock is called in an error.
    const KIND: &'static str;

    fn of(unit: Unit) -> Self;

    fn unit(&self) -> &Unit;
}

impl<G: Held> FromUnit for Result<G, Abandoned<G>> {
    #[inline]
    fn from_unit(Taken(unit): Taken) -> Result<G, Abandoned<G>> {
        match unit.abandoner() {
            None => Ok(G::of(unit)),
            Some((process, cause)) => {
                let left = Left { kind: G::KIND, lock: label(unit.gate()), process, cause };
                Err(Abandoned { held: G::of(unit), recover: |held| held.unit().recover(), left: Box::new(left) })
            }
        }
    }
}

/// The lock, until it is dropped.
///
/// It stays with the thread that has it. One that is forgotten is given back when the process ends, and the lock is
/// abandoned then; so it is when a panic drops it.
///
/// # Examples
/// See [`Lock`].
#[must_use = "the lock is given back when its guard is dropped"]
pub struct LockGuard {
    unit: Unit,
    /// It stays on its thread.
    not_send: PhantomData<*const ()>,
}

impl LockGuard {
    pub(super) fn is_of(&self, lock: &Lock) -> bool {
        self.unit.gate() == lock.0.channel()
    }
}

impl Held for LockGuard {
    const KIND: &'static str = "lock";

    fn of(unit: Unit) -> LockGuard {
        LockGuard { unit, not_send: PhantomData }
    }

    fn unit(&self) -> &Unit {
        &self.unit
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LockGuard").field(&label(self.unit.gate())).finish()
    }
}

/// A lock whose last holder was killed, or panicked, before it gave the lock back; and the lock itself.
///
/// Dropped, it gives the lock back, and the next one is told, too.
///
/// # Examples
/// See [`LockError`].
#[must_use = "the lock is given back when this is dropped"]
pub struct Abandoned<G = LockGuard> {
    held: G,
    recover: fn(&G),
    left: Box<Left>,
}

/// Who has left which lock.
struct Left {
    kind: &'static str,
    lock: String,
    process: String,
    cause: Cause,
}

impl<G> Abandoned<G> {
    /// The name of the process that had the lock.
    ///
    /// # Examples
    /// See [`LockError`].
    pub fn process(&self) -> &str {
        &self.left.process
    }

    /// What became of that process.
    ///
    /// # Examples
    /// See [`LockError`].
    pub fn cause(&self) -> &Cause {
        &self.left.cause
    }

    /// The lock all the same: from now on it counts as any other. What it protects is the caller's to check.
    ///
    /// # Examples
    /// See [`LockError`].
    pub fn recover(self) -> G {
        (self.recover)(&self.held);
        self.held
    }
}

impl<G> fmt::Display for Abandoned<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Left { kind, lock, process, cause } = &*self.left;
        write!(f, "{kind} `{lock}` was abandoned by process `{process}`, which {cause}")
    }
}

impl<G> fmt::Debug for Abandoned<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Left { lock, process, cause, .. } = &*self.left;
        f.debug_struct("Abandoned").field("lock", lock).field("process", process).field("cause", cause).finish()
    }
}

impl<G> std::error::Error for Abandoned<G> {}

/// Why a lock was not taken, or was taken from somebody who had not finished.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::shared::LockError;
///
/// #[process]
/// fn careless(lock: Lock) -> csproc::Result<()> {
///     let _held = lock.acquire()?;
///     panic!("in the middle of it");
/// }
///
/// fn main() -> csproc::Result<()> {
///     let lock = Lock::new().named("ledger");
///     let _ = Parallel!(careless(lock.clone())).unwrap_err();
///     let error = lock.acquire().unwrap_err();
///     assert!(error.to_string().starts_with("lock `ledger` was abandoned by process `careless`, which panicked"));
///     if let LockError::Abandoned(abandoned) = &error {
///         assert!(matches!(abandoned.cause(), Cause::Panicked { .. }));
///     }
///     drop(error.recover()?); // the lock all the same
///     assert!(lock.acquire().is_ok());
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub enum LockError<G = LockGuard> {
    /// The caller has the lock, and its last holder was killed or panicked with it.
    Abandoned(Abandoned<G>),
    /// The caller has not.
    Failed(ChannelError),
}

impl<G> LockError<G> {
    /// The lock all the same, if the caller has it; what it protects is the caller's to check. From now on the lock
    /// counts as any other; an error that is dropped instead is told to the next one, too.
    ///
    /// # Errors
    /// Why the caller does not have the lock.
    ///
    /// # Examples
    /// See [`LockError`].
    pub fn recover(self) -> Result<G, ChannelError> {
        match self {
            LockError::Abandoned(abandoned) => Ok(abandoned.recover()),
            LockError::Failed(error) => Err(error),
        }
    }
}

impl<G> From<Abandoned<G>> for LockError<G> {
    fn from(abandoned: Abandoned<G>) -> LockError<G> {
        LockError::Abandoned(abandoned)
    }
}

impl<G> From<ChannelError> for LockError<G> {
    fn from(error: ChannelError) -> LockError<G> {
        LockError::Failed(error)
    }
}

impl<G> fmt::Display for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Abandoned(abandoned) => abandoned.fmt(f),
            LockError::Failed(ChannelError::WouldBlock) => f.write_str("the lock was not taken: somebody else has it"),
            LockError::Failed(ChannelError::TimedOut) => f.write_str("the lock was not taken in time"),
            LockError::Failed(error) => write!(f, "the lock was not taken: {error}"),
        }
    }
}

/// The reason is the source, too, so that whoever looks for a [`ChannelError`] finds it.
impl<G: fmt::Debug> std::error::Error for LockError<G> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LockError::Abandoned(_) => None,
            LockError::Failed(error) => Some(error),
        }
    }
}
