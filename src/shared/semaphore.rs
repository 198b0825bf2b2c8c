//! `Semaphore`: a number of permits.
//!
//! Knows nothing of what a permit allows.

use super::pass::{FromUnit, PassArm, Taken};
use crate::alternation::Guard;
use crate::channel::{ChannelError, Gate, MessageError, Patience, Unit, label};
use crate::engine::Opened;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

/// The most permits that there can be, and that can be taken at once.
const MOST: u32 = 1 << 30;

fn number(permits: usize) -> u32 {
    u32::try_from(permits).unwrap_or(MOST).min(MOST)
}

/// So many permits, among all processes and threads that have the semaphore.
///
/// A [`Permit`] goes back when it is dropped, and to whoever has waited longest: nobody is overtaken, also not who
/// wants several. The permits of a process that is killed come back. With [`new`](Semaphore::new) that is the only way;
/// with [`counting`](Semaphore::counting) anybody may [`post`](Semaphore::post) more of them, and a permit can be
/// [spent](Permit::forget). In an alternation the semaphore itself is a guard, which gives a `Permit`.
///
/// There are at most 2³⁰ permits.
///
/// (Python: `new` is `BoundedSemaphore`, `counting` is `Semaphore`.)
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn visit(seats: Semaphore, log: Writer<usize>) -> csproc::Result<()> {
///     let _seat = seats.acquire()?;
///     log.write(seats.available())?;
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (seats, log) = (Semaphore::new(2), Channel::buffered(Buffer::Unbounded));
///     let r = log.reader();
///     Parallel!(for _ in 0..5 => visit(seats.clone(), log.writer())).values()?;
///     assert_eq!(seats.available(), 2);
///     assert!(r.into_iter().all(|available| available < 2));
///     Ok(())
/// }
/// ```
#[derive(Serialize, Deserialize)]
pub struct Semaphore(Gate);

/// The permits of a semaphore that does not count come back and are never more: it was made with [`Semaphore::new`],
/// not with [`Semaphore::counting`].
///
/// # Examples
/// ```
/// let error = csproc::shared::Semaphore::new(1).post(1).unwrap_err();
/// assert!(error.to_string().contains("Semaphore::counting"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotCounting;

impl fmt::Display for NotCounting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the semaphore has a fixed number of permits: make it with `Semaphore::counting`")
    }
}

impl std::error::Error for NotCounting {}

impl Semaphore {
    /// So many permits, which are always as many: whoever has one gives it back.
    ///
    /// When the arena has no room for it, [`acquire`](Semaphore::acquire) says so.
    ///
    /// # Examples
    /// See [`Semaphore`].
    #[must_use]
    pub fn new(permits: usize) -> Semaphore {
        Semaphore(Gate::new(number(permits), Opened::ByHolders))
    }

    /// So many permits, which are always as many.
    ///
    /// # Errors
    /// There is no room for it.
    ///
    /// # Examples
    /// ```
    /// assert_eq!(csproc::shared::Semaphore::try_new(3)?.available(), 3);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn try_new(permits: usize) -> Result<Semaphore, MessageError> {
        Gate::try_new(number(permits), Opened::ByHolders).map(Semaphore)
    }

    /// So many permits at first; more can be posted, and permits can be spent.
    ///
    /// # Examples
    /// ```
    /// let items = csproc::shared::Semaphore::counting(0);
    /// items.post(2)?;
    /// items.acquire()?.forget()?;
    /// assert_eq!(items.available(), 1);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[must_use]
    pub fn counting(permits: usize) -> Semaphore {
        Semaphore(Gate::new(number(permits), Opened::ByAnybody))
    }

    /// The same semaphore with a name of at most 55 bytes, for reports. To be given before others have it.
    ///
    /// With a longer name there is no semaphore: [`acquire`](Semaphore::acquire) says so.
    ///
    /// # Examples
    /// ```
    /// let seats = csproc::shared::Semaphore::new(4).named("seats");
    /// assert_eq!(format!("{seats:?}"), "Semaphore(\"seats\", 4)");
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> Semaphore {
        Semaphore(self.0.named(name))
    }

    /// Waits for a permit.
    ///
    /// # Blocking
    /// Until a permit is free and all have theirs who have waited longer.
    ///
    /// # Errors
    /// [`Deadlock`](ChannelError::Deadlock) or [`Poisoned`](ChannelError::Poisoned), if the wait was part of a
    /// deadlock; [`Invalid`](ChannelError::Invalid) when there is no memory for it.
    ///
    /// # Poison and retire
    /// A semaphore is never retired, and poisoned for those only who wait for it in a deadlock: it can be used
    /// afterwards.
    ///
    /// # Examples
    /// See [`Semaphore`].
    #[track_caller]
    pub fn acquire(&self) -> Result<Permit, ChannelError> {
        self.take(1, Patience::ForEver, Location::caller())
    }

    /// Waits for so many permits, and takes them together. Who waits for many is not overtaken by those who want few.
    ///
    /// # Blocking
    /// As [`acquire`](Semaphore::acquire).
    ///
    /// # Errors
    /// As for [`acquire`](Semaphore::acquire), and [`Invalid`](ChannelError::Invalid) if there will never be so many.
    ///
    /// # Examples
    /// ```
    /// let seats = csproc::shared::Semaphore::new(3);
    /// let table = seats.acquire_many(2)?;
    /// assert_eq!(seats.available(), 1);
    /// assert!(seats.acquire_many(4).unwrap_err().is_invalid());
    /// drop(table);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn acquire_many(&self, permits: usize) -> Result<Permit, ChannelError> {
        self.take(permits, Patience::ForEver, Location::caller())
    }

    /// Takes a permit, if one is free and nobody waits.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Errors
    /// As for [`acquire`](Semaphore::acquire), and [`WouldBlock`](ChannelError::WouldBlock).
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::shared::Semaphore::new(0).try_acquire().unwrap_err().is_would_block());
    /// ```
    #[track_caller]
    pub fn try_acquire(&self) -> Result<Permit, ChannelError> {
        self.take(1, Patience::Not, Location::caller())
    }

    /// Waits for a permit, at most for `timeout`.
    ///
    /// # Blocking
    /// At most for `timeout`.
    ///
    /// # Errors
    /// As for [`acquire`](Semaphore::acquire), and [`TimedOut`](ChannelError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let none = csproc::shared::Semaphore::new(0);
    /// assert!(none.acquire_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// ```
    #[track_caller]
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Permit, ChannelError> {
        self.take(1, Patience::of(timeout), Location::caller())
    }

    /// Waits for a permit, at most until `deadline`.
    ///
    /// # Blocking
    /// At most until `deadline`.
    ///
    /// # Errors
    /// As for [`acquire_timeout`](Semaphore::acquire_timeout).
    ///
    /// # Examples
    /// ```
    /// let one = csproc::shared::Semaphore::new(1);
    /// assert!(one.acquire_deadline(std::time::Instant::now()).is_ok());
    /// ```
    #[track_caller]
    pub fn acquire_deadline(&self, deadline: Instant) -> Result<Permit, ChannelError> {
        self.take(1, Patience::Until(deadline), Location::caller())
    }

    /// So many permits more, for whoever waits longest. Beyond 2³⁰ there are no more.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Errors
    /// [`NotCounting`]: the semaphore was made with [`new`](Semaphore::new).
    ///
    /// # Examples
    /// See [`Semaphore::counting`].
    pub fn post(&self, permits: usize) -> Result<(), NotCounting> {
        if !self.is_counting() {
            return Err(NotCounting);
        }
        self.0.change(|now| now.saturating_add(number(permits)).min(MOST));
        Ok(())
    }

    /// How many permits nobody has. Others may change it at once.
    ///
    /// # Examples
    /// See [`Semaphore`].
    pub fn available(&self) -> usize {
        let (permits, in_use) = self.0.permits();
        permits.saturating_sub(in_use) as usize
    }

    fn is_counting(&self) -> bool {
        self.0.is_opened(Opened::ByAnybody)
    }

    fn take(
        &self,
        permits: usize,
        patience: Patience,
        place: &'static Location<'static>,
    ) -> Result<Permit, ChannelError> {
        self.0.check()?;
        let most = if self.is_counting() { MOST } else { self.0.permits().0 };
        let weight = u32::try_from(permits).ok().filter(|weight| *weight <= most.max(1));
        let weight = weight.ok_or(MessageError::Permits { asked: permits, has: most as usize })?;
        self.0.take(weight, patience, place).map(|unit| Permit { unit, weight })
    }
}

impl Clone for Semaphore {
    /// The same semaphore.
    fn clone(&self) -> Semaphore {
        Semaphore(self.0.clone())
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Semaphore").field(&label(self.0.channel())).field(&self.available()).finish()
    }
}

impl Guard for Semaphore {
    type Output = Permit;
    type Arm<'a> = PassArm<'a, Permit>;

    fn arm(&self) -> PassArm<'_, Permit> {
        PassArm::new(&self.0, 1)
    }
}

/// Permits of a [`Semaphore`], until they are dropped or spent.
///
/// A permit that is forgotten comes back when its process ends.
///
/// # Examples
/// See [`Semaphore`].
#[must_use = "a permit is given back when it is dropped"]
pub struct Permit {
    unit: Unit,
    weight: u32,
}

impl Permit {
    /// Spends the permits: they do not come back, as after Dijkstra's P without a V.
    ///
    /// # Errors
    /// [`NotCounting`]: the semaphore was made with [`new`](Semaphore::new). The permits are given back.
    ///
    /// # Examples
    /// See [`Semaphore::counting`].
    pub fn forget(self) -> Result<(), NotCounting> {
        // Fewer first, so that nobody passes in between. Killed there, the holder has spent them all the same.
        if self.unit.lessen(self.weight) { Ok(()) } else { Err(NotCounting) }
    }
}

impl FromUnit for Permit {
    fn from_unit(Taken(unit): Taken) -> Permit {
        Permit { unit, weight: 1 }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&label(self.unit.gate())).field(&self.weight).finish()
    }
}
