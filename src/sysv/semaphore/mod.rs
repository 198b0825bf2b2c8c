//! A semaphore of the kernel: permits that any program of the machine takes and gives.
//!
//! Knows nothing of how one is made, nor of alternation.

mod opening;
mod permit;
mod permits;
mod status;

pub use permit::Permit;
pub use permits::Permits;
pub use status::SemaphoreStatus;

use super::error::{Noun, SysvError};
use super::key::Key;
use super::object::{Object, Sealed};
use super::owned::Owned;
use super::patience::Patience;
use crate::channel::settle;
use crate::sys::semaphore::{self, Step, Wait};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// A semaphore of the kernel: so many permits among all programs that open it.
///
/// [`acquire`](Semaphore::acquire) waits for a permit, which goes back when it is dropped, and also when its process is
/// killed: the kernel undoes what it has noted (`SEM_UNDO`). With [`undo(false)`](Semaphore::undo) it notes nothing.
/// [`post`](Semaphore::post) gives permits that nobody had, as Dijkstra's V does, and [`Permit::forget`] spends one;
/// [`wait_zero`](Semaphore::wait_zero) waits until there are none.
///
/// This is the semaphore's number, which is not the semaphore: a clone is the same one, and dropping it does nothing.
/// It is a message itself. Of a set that a program in C has made, it is the first.
///
/// Within one program take [`shared::Semaphore`](crate::shared::Semaphore), which serves those who wait in their order,
/// stands in deadlock reports, needs no system call when a permit is free, and leaves nothing behind.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::sysv::{Key, Semaphore};
///
/// #[process]
/// fn visit(seats: csproc::sysv::Semaphore) -> csproc::Result<usize> {
///     let _seat = seats.acquire()?;
///     Ok(seats.value()?)
/// }
///
/// fn main() -> csproc::Result<()> {
///     let seats = csproc::sysv::Semaphore::create(Key::PRIVATE, 2)?.remove_on_drop();
///     let left = Parallel!(for _ in 0..4 => visit((*seats).clone())).values()?;
///     assert!(left.iter().all(|left| *left < 2));
///     assert_eq!(seats.value()?, 2);
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Semaphore {
    key: Key,
    id: i32,
    /// Permits that this handle takes come back with their process.
    undoes: bool,
}

impl Semaphore {
    fn known(key: Key, id: i32) -> Semaphore {
        Semaphore { key, id, undoes: true }
    }

    /// The key that it was made or opened with.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let semaphore = Semaphore::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// assert_eq!(semaphore.key(), Key::PRIVATE);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn key(&self) -> Key {
        self.key
    }

    /// The number that the kernel has given it; `ipcs -s` lists it, and `ipcrm -s` takes it.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let semaphore = Semaphore::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// assert_eq!((*semaphore).clone().id(), semaphore.id());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn id(&self) -> i32 {
        self.id
    }

    /// The same semaphore, whose permits come back when the process that has them ends or is killed, or stay taken.
    ///
    /// They come back unless said otherwise. A permit that one process takes and another one gives back is taken with
    /// `undo(false)`, and given back with [`post`](Semaphore::post).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// #[process]
    /// fn take_and_die(semaphore: csproc::sysv::Semaphore) -> csproc::Result<()> {
    ///     let _permit = semaphore.acquire()?;
    ///     std::process::abort()
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let semaphore = csproc::sysv::Semaphore::create(Key::PRIVATE, 2)?.remove_on_drop();
    ///     assert!(take_and_die((*semaphore).clone()).run().is_err());
    ///     assert_eq!(semaphore.value()?, 2);
    ///     assert!(take_and_die((*semaphore).clone().undo(false)).run().is_err());
    ///     assert_eq!(semaphore.value()?, 1);
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn undo(self, undoes: bool) -> Semaphore {
        Semaphore { undoes, ..self }
    }

    /// Waits for a permit.
    ///
    /// # Blocking
    /// Until there is one. Who has waited longest is served first, of those who want no more than there is.
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission), [`Limit`](SysvError::Limit) when the kernel can note no more that is to
    /// be undone, and [`Removed`](SysvError::Removed), also when the semaphore is removed meanwhile.
    ///
    /// # Examples
    /// See [`Semaphore`].
    pub fn acquire(&self) -> Result<Permit, SysvError> {
        self.take(1, Patience::Endless)
    }

    /// Waits for so many permits, and takes them together.
    ///
    /// # Blocking
    /// Until there are so many at once. Whoever wants fewer may overtake.
    ///
    /// # Errors
    /// As for [`acquire`](Semaphore::acquire), and [`Limit`](SysvError::Limit) for more than a semaphore can have.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore, SysvError};
    ///
    /// let seats = Semaphore::create(Key::PRIVATE, 3)?.remove_on_drop();
    /// let table = seats.acquire_many(2)?;
    /// assert_eq!(seats.value()?, 1);
    /// assert!(matches!(seats.acquire_many(40_000), Err(SysvError::Limit { .. })));
    /// drop(table);
    /// assert_eq!(seats.value()?, 3);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn acquire_many(&self, permits: usize) -> Result<Permit, SysvError> {
        self.take(permits, Patience::Endless)
    }

    /// Takes a permit, if there is one.
    ///
    /// # Errors
    /// As for [`acquire`](Semaphore::acquire), and [`WouldBlock`](SysvError::WouldBlock).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let semaphore = Semaphore::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// let permit = semaphore.try_acquire()?;
    /// assert!(semaphore.try_acquire().unwrap_err().is_would_block());
    /// drop(permit);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn try_acquire(&self) -> Result<Permit, SysvError> {
        self.take(1, Patience::None)
    }

    /// Waits for a permit, at most for `timeout`.
    ///
    /// # Blocking
    /// At most for `timeout`; the kernel wakes it, so it learns of a permit at once.
    ///
    /// # Errors
    /// As for [`acquire`](Semaphore::acquire), and [`TimedOut`](SysvError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    /// use std::time::Duration;
    ///
    /// let semaphore = Semaphore::create(Key::PRIVATE, 0)?.remove_on_drop();
    /// assert!(semaphore.acquire_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Permit, SysvError> {
        self.take(1, Patience::of(timeout))
    }

    /// So many permits more, for whoever waits; as Dijkstra's V. They are not undone.
    ///
    /// # Errors
    /// [`Limit`](SysvError::Limit) when there would be more than 32767, [`Permission`](SysvError::Permission), and
    /// [`Removed`](SysvError::Removed).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let items = Semaphore::create(Key::PRIVATE, 0)?.remove_on_drop();
    /// items.post(2)?;
    /// items.acquire()?.forget()?; // as Dijkstra's P
    /// assert_eq!(items.value()?, 1);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn post(&self, permits: usize) -> Result<(), SysvError> {
        let amount = amount(permits)?;
        // With 0 the kernel would wait until there are none.
        if amount == 0 { Ok(()) } else { self.operate([Step { amount, is_undone: false }], Patience::None, "post to") }
    }

    /// Waits until there is no permit: all are taken.
    ///
    /// # Blocking
    /// Until the value is 0.
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission) when the process may not look at the semaphore, and
    /// [`Removed`](SysvError::Removed), also when it is removed meanwhile.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// // Each of three parties says once that it has come.
    /// let missing = Semaphore::create(Key::PRIVATE, 3)?.remove_on_drop();
    /// for _ in 0..3 {
    ///     let handle = (*missing).clone();
    ///     std::thread::spawn(move || handle.acquire()?.forget());
    /// }
    /// missing.wait_zero()?;
    /// assert_eq!(missing.value()?, 0);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn wait_zero(&self) -> Result<(), SysvError> {
        self.operate([ZERO], Patience::Endless, "wait for")
    }

    /// Waits until there is no permit, at most for `timeout`.
    ///
    /// # Blocking
    /// At most for `timeout`.
    ///
    /// # Errors
    /// As for [`wait_zero`](Semaphore::wait_zero), and [`TimedOut`](SysvError::TimedOut), never before the time is up.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    /// use std::time::Duration;
    ///
    /// let semaphore = Semaphore::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// assert!(semaphore.wait_zero_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn wait_zero_timeout(&self, timeout: Duration) -> Result<(), SysvError> {
        self.operate([ZERO], Patience::of(timeout), "wait for")
    }

    /// Removes the semaphore from the system, for everybody. Whoever waits for it is told.
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission) for who does not own it, and [`Removed`](SysvError::Removed) when somebody
    /// has been faster.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let semaphore = Semaphore::create(Key::PRIVATE, 1)?;
    /// semaphore.remove()?;
    /// assert!(semaphore.acquire().unwrap_err().is_removed());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn remove(&self) -> Result<(), SysvError> {
        semaphore::remove(self.id).map_err(|errno| self.error(errno, "remove"))
    }

    /// Removes the semaphore when what this gives is dropped, also when its owner panics.
    ///
    /// # Examples
    /// See [`Semaphore`].
    pub fn remove_on_drop(self) -> Owned<Semaphore> {
        Owned::of(self)
    }

    fn take(&self, permits: usize, patience: Patience) -> Result<Permit, SysvError> {
        let amount = amount(permits)?;
        if amount > 0 {
            self.operate([Step { amount: -amount, is_undone: self.undoes }], patience, "acquire")?;
        }
        Ok(Permit::new(self.clone(), amount))
    }

    /// Takes these steps together. A signal handler ends neither the operation nor changes its deadline.
    fn operate<const N: usize>(
        &self,
        steps: [Step; N],
        patience: Patience,
        action: &'static str,
    ) -> Result<(), SysvError> {
        settle();
        loop {
            let wait = match patience {
                Patience::None => Wait::Not,
                Patience::Until(deadline) => Wait::AtMost(deadline.saturating_duration_since(Instant::now())),
                Patience::Endless => Wait::Endless,
            };
            match (semaphore::operate(self.id, steps, wait), patience) {
                (Ok(()), _) => return Ok(()),
                (Err(Errno::AGAIN), Patience::None) => return Err(SysvError::WouldBlock),
                (Err(Errno::AGAIN), Patience::Until(deadline)) if Instant::now() >= deadline => {
                    return Err(SysvError::TimedOut);
                }
                (Err(Errno::INTR | Errno::AGAIN), _) => (),
                (Err(Errno::RANGE), _) => return Err(too_many()),
                (Err(errno), _) => return Err(self.error(errno, action)),
            }
        }
    }

    fn error(&self, errno: Errno, action: &'static str) -> SysvError {
        SysvError::of(errno, self.key, Noun::SEMAPHORE, action)
    }
}

const ZERO: Step = Step { amount: 0, is_undone: false };

/// A number of permits; the most is the kernel's `SEMVMX`, and what an operation can say.
fn amount(permits: usize) -> Result<i16, SysvError> {
    i16::try_from(permits).map_err(|_| too_many())
}

fn too_many() -> SysvError {
    SysvError::Limit { what: "a semaphore has at most 32767 permits, and at most so many are undone for a process" }
}

impl Sealed for Semaphore {}

impl Object for Semaphore {
    fn remove(&self) -> Result<(), SysvError> {
        Semaphore::remove(self)
    }
}
