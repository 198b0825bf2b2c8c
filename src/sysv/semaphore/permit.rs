//! Permits of a semaphore, until they are dropped or spent.
//!
//! Knows nothing of who waits for them.

use super::super::error::SysvError;
use super::super::patience::Patience;
use super::Semaphore;
use crate::sys::semaphore::Step;
use std::mem::ManuallyDrop;

/// Permits of a [`Semaphore`], until they are dropped or spent.
///
/// Dropped, they go back. A permit that is leaked, or whose process is killed, comes back when its process ends, unless
/// it was taken with [`undo(false)`](Semaphore::undo).
///
/// # Examples
/// ```
/// use csproc::sysv::{Key, Semaphore};
///
/// let semaphore = Semaphore::create(Key::PRIVATE, 5)?.remove_on_drop();
/// let permits = semaphore.acquire_many(3)?;
/// assert_eq!((permits.count(), semaphore.value()?), (3, 2));
/// # Ok::<(), csproc::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a permit is given back when it is dropped"]
pub struct Permit {
    semaphore: Semaphore,
    amount: i16,
    /// A copy that a bare fork has made has no permit.
    process: u32,
}

impl Permit {
    pub(super) fn new(semaphore: Semaphore, amount: i16) -> Permit {
        Permit { semaphore, amount, process: std::process::id() }
    }

    /// How many permits.
    ///
    /// # Examples
    /// See [`Permit`].
    pub fn count(&self) -> usize {
        self.amount.unsigned_abs().into()
    }

    /// Spends the permits: they do not come back, neither now nor with their process, as after Dijkstra's P without a
    /// V.
    ///
    /// Killed in the middle of it, the process has spent them or has not; of a semaphore with nearly as many permits as
    /// there can be, it may have spent some of them.
    ///
    /// # Errors
    /// [`Removed`](SysvError::Removed).
    ///
    /// # Examples
    /// ```
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let items = Semaphore::create(Key::PRIVATE, 3)?.remove_on_drop();
    /// items.acquire()?.forget()?;
    /// assert_eq!(items.value()?, 2);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn forget(self) -> Result<(), SysvError> {
        let permit = ManuallyDrop::new(self);
        if !permit.is_to_be_undone() {
            return Ok(());
        }
        // Given back, which is noted, and taken, which is not: in one operation, so nobody sees it.
        let spend = |steps| permit.semaphore.operate(steps, Patience::None, "acquire");
        let (mut left, mut part) = (permit.amount, permit.amount);
        while left > 0 {
            part = part.min(left);
            let (given, taken) = (Step { amount: part, is_undone: true }, Step { amount: -part, is_undone: false });
            match spend([given, taken]) {
                // For a moment there would be too many.
                Err(SysvError::Limit { .. }) if part > 1 => part /= 2,
                Err(SysvError::Limit { .. }) => match spend([taken, given]) {
                    // Not any more.
                    Err(SysvError::WouldBlock) => (),
                    spent => {
                        spent?;
                        left -= part;
                    }
                },
                spent => {
                    spent?;
                    left -= part;
                }
            }
        }
        Ok(())
    }

    fn is_to_be_undone(&self) -> bool {
        self.semaphore.undoes && self.amount > 0 && self.process == std::process::id()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.amount > 0 && self.process == std::process::id() {
            let back = Step { amount: self.amount, is_undone: self.semaphore.undoes };
            // The semaphore may have been removed; then there is nothing to give back to.
            let _ = self.semaphore.operate([back], Patience::None, "post to");
        }
    }
}
