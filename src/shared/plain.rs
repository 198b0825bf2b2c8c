//! Plain data in shared memory, under a lock.
//!
//! Knows nothing of how many values it is, which [`Value`](super::Value) and [`Array`](super::Array) know.

use super::lock::{Held, Lock, LockGuard};
pub use crate::channel::Plain;
use crate::channel::{ChannelError, Gate, MessageError, Patience, Unit, label};
use bytemuck::{bytes_of, bytes_of_mut};
use std::panic::Location;
use std::sync::Arc;

/// Bytes in shared memory, and the lock that lets one writer at a time change them.
#[derive(Clone)]
pub(super) struct Kept(Arc<Lock>);

impl From<Lock> for Kept {
    fn from(lock: Lock) -> Kept {
        Kept(Arc::new(lock.entrusted()))
    }
}

impl Kept {
    /// These bytes.
    pub(super) fn new(bytes: &[u8]) -> Kept {
        Lock::over(Gate::with_cell(bytes.len(), |cell| cell.begin(bytes))).into()
    }

    /// So many zero bytes.
    pub(super) fn zeroed(bytes: usize) -> Kept {
        Lock::over(Gate::with_cell(bytes, |cell| cell.clear())).into()
    }

    /// Whether it is so many bytes. Nothing contradicts that where there is nothing.
    pub(super) fn has_length(&self, bytes: usize) -> bool {
        self.0.gate().cell(|length, _| length == bytes).unwrap_or(true)
    }

    /// Why there is nothing, if so.
    pub(super) fn check(&self) -> Result<(), ChannelError> {
        self.0.gate().check()
    }

    /// Why it could not be made, if so.
    pub(super) fn made(&self) -> Result<(), MessageError> {
        self.0.gate().made()
    }

    pub(super) fn lock(&self) -> &Lock {
        &self.0
    }

    pub(super) fn named(self, name: &str) -> Kept {
        Lock::clone(&self.0).named(name).into()
    }

    /// Waits for the lock. Whether it was abandoned is of no importance to the bytes, which are never half changed; the
    /// mark stays for whoever acquires the lock by itself.
    /// Given back in a panic, it counts as given back in order.
    #[inline]
    pub(super) fn hold(&self, place: &'static Location<'static>) -> Result<Unit, ChannelError> {
        self.0.gate().take(1, Patience::ForEver, place).map(Unit::without_harm)
    }

    /// Whether this guard is of the lock.
    pub(super) fn is_held_by(&self, held: &LockGuard) -> Result<(), ChannelError> {
        self.check()?;
        if held.is_of(&self.0) {
            return Ok(());
        }
        let [held, needed] = [held.unit().gate(), self.0.gate().channel()].map(label);
        Err(MessageError::WrongLock { held, needed }.into())
    }

    /// Reads the bytes from `at` on; `false` when there are none.
    #[inline]
    pub(super) fn read(&self, at: usize, into: &mut [u8]) -> bool {
        self.0.gate().cell(|_, cell| cell.read(at, into)).is_some()
    }

    /// As [`Kept::read`], but gives up when others keep changing them.
    pub(super) fn glance(&self, at: usize, into: &mut [u8]) -> bool {
        self.0.gate().cell(|_, cell| cell.glance(at, into)).unwrap_or(false)
    }

    /// With the lock: changes all of one value, as a whole, and gives what came of it.
    #[inline]
    pub(super) fn change<T: Plain, R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R, ChannelError> {
        let changed = self.0.gate().cell(|_, cell| {
            let mut value = T::zeroed();
            cell.read(0, bytes_of_mut(&mut value));
            let came = change(&mut value);
            cell.write(0, bytes_of(&value));
            came
        });
        // Not by `ok_or`, which would drop an error each time.
        match changed {
            Some(came) => Ok(came),
            None => Err(ChannelError::Retired),
        }
    }

    /// With the lock: changes the bytes from `at` on, as a whole.
    pub(super) fn write(&self, at: usize, bytes: &[u8]) -> Result<(), ChannelError> {
        self.0.gate().cell(|_, cell| cell.write(at, bytes)).ok_or(ChannelError::Retired)
    }
}
