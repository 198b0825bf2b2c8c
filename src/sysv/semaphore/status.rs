//! What the kernel tells of a semaphore, and what can be changed about it.
//!
//! Knows nothing of how permits are taken.

use super::super::error::SysvError;
use super::super::facts::{mode, number, process, time};
use super::{Semaphore, amount};
use crate::sys::semaphore;
use std::time::SystemTime;

/// What the kernel tells of a semaphore, number by number: not all of one moment.
///
/// # Examples
/// ```
/// use csproc::sysv::{Key, Semaphore};
///
/// let semaphore = Semaphore::create(Key::PRIVATE, 2)?.remove_on_drop();
/// let _permit = semaphore.acquire()?;
/// let status = semaphore.status()?;
/// assert_eq!((status.value, status.waiting, status.mode), (1, 0, 0o600));
/// assert_eq!(status.last_process, Some(std::process::id()));
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreStatus {
    /// How many permits nobody has.
    pub value: usize,
    /// How many threads wait for permits.
    pub waiting: usize,
    /// How many threads wait until there are none.
    pub waiting_for_zero: usize,
    /// The process that changed it last.
    pub last_process: Option<u32>,
    /// When somebody changed it last; in whole seconds.
    pub last_change: Option<SystemTime>,
    /// The user who owns the semaphore.
    pub owner: u32,
    /// The group that owns the semaphore.
    pub group: u32,
    /// Who may look and change; see [`Options::mode`](super::super::Options::mode).
    pub mode: u32,
}

impl Semaphore {
    /// How many permits nobody has. Others may change it at once.
    ///
    /// # Errors
    /// [`Removed`](SysvError::Removed), and [`Permission`](SysvError::Permission) when the process may not look.
    ///
    /// # Examples
    /// See [`Semaphore`].
    pub fn value(&self) -> Result<usize, SysvError> {
        self.number(libc::GETVAL)
    }

    /// What the kernel tells of the semaphore. It may be different a moment later.
    ///
    /// # Errors
    /// As for [`value`](Semaphore::value).
    ///
    /// # Examples
    /// See [`SemaphoreStatus`].
    pub fn status(&self) -> Result<SemaphoreStatus, SysvError> {
        let state = semaphore::state(self.id).map_err(|errno| self.error(errno, "look at"))?;
        let last = semaphore::number(self.id, libc::GETPID).map_err(|errno| self.error(errno, "look at"))?;
        Ok(SemaphoreStatus {
            value: self.value()?,
            waiting: self.number(libc::GETNCNT)?,
            waiting_for_zero: self.number(libc::GETZCNT)?,
            last_process: process(last),
            last_change: time(state.sem_otime),
            owner: state.sem_perm.uid,
            group: state.sem_perm.gid,
            mode: mode(state.sem_perm.mode),
        })
    }

    /// Sets the number of permits that nobody has, whoever has the others. At most 32767.
    ///
    /// The kernel forgets with it what it has noted to undo, in all processes: so it is for a time when nobody has
    /// permits. One that somebody has now is one more when it is dropped.
    ///
    /// # Errors
    /// [`Limit`](SysvError::Limit), [`Permission`](SysvError::Permission), and [`Removed`](SysvError::Removed).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let semaphore = Semaphore::create(Key::PRIVATE, 0)?.remove_on_drop();
    /// semaphore.set_value(7)?;
    /// assert_eq!(semaphore.value()?, 7);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn set_value(&self, permits: usize) -> Result<(), SysvError> {
        let value = amount(permits)?.unsigned_abs();
        semaphore::set(self.id, value).map_err(|errno| self.error(errno, "change"))
    }

    /// Changes who may look and change; see [`Options::mode`](super::super::Options::mode).
    ///
    /// # Errors
    /// [`Permission`](SysvError::Permission) for who does not own the semaphore, and [`Removed`](SysvError::Removed).
    /// Bits other than the nine are left out.
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let semaphore = Semaphore::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// semaphore.set_mode(0o640)?;
    /// assert_eq!(semaphore.status()?.mode, 0o640);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn set_mode(&self, mode: u32) -> Result<(), SysvError> {
        let changed = semaphore::state(self.id).and_then(|mut state| {
            state.sem_perm.mode = (mode & 0o777) as _;
            semaphore::change(self.id, &mut state)
        });
        changed.map_err(|errno| self.error(errno, "change"))
    }

    fn number(&self, which: i32) -> Result<usize, SysvError> {
        let told = semaphore::number(self.id, which).map_err(|errno| self.error(errno, "look at"))?;
        Ok(number(told.unsigned_abs().into()))
    }
}
