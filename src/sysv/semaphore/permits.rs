//! A semaphore as a guard: its permits, as the other side of a bridge.
//!
//! Knows nothing of who else takes them. The kernel cannot wait for a semaphore beside other things, so a thread looks,
//! ever less often, whether there is a permit; it is taken when the guard is chosen, and not before.

use super::super::lookout::Luck;
use super::super::patience::Patience;
use super::{Permit, Semaphore};
use crate::bridge::{Bridge, Lookout, Sealed, Source};
use crate::channel::ChannelError;
use std::time::Instant;

/// The permits of a semaphore of the kernel, as the other side of a [`Bridge`].
///
/// # Examples
/// See [`Semaphore::bridge`].
#[derive(Debug)]
pub struct Permits {
    semaphore: Semaphore,
    luck: Luck,
}

impl Semaphore {
    /// A guard that takes a permit, as [`acquire`](Semaphore::acquire) does.
    ///
    /// Nothing is taken unless this guard fires. It learns of a permit up to 5 milliseconds after it came, because the
    /// kernel has nothing to wait on. When the semaphore is removed, the guard is [`Retired`](ChannelError::Retired);
    /// when the process may not change it, it is [`Invalid`](ChannelError::Invalid).
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::sysv::{Key, Semaphore};
    ///
    /// let semaphore = csproc::sysv::Semaphore::create(Key::PRIVATE, 1)?.remove_on_drop();
    /// let (w, r) = csproc::channel::<String>();
    /// let permits = semaphore.bridge();
    /// let permit = AltSelect! {
    ///     p = permits.read() => p,
    ///     _v = r.read() => unreachable!(),
    /// }?;
    /// assert_eq!((permit.count(), semaphore.value()?), (1, 0));
    /// # drop(w);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn bridge(&self) -> Bridge<Permits> {
        Bridge::to(Permits { semaphore: self.clone(), luck: Luck::default() })
    }

    /// Whether trying to take a permit is worth it. Who cannot be told is told no lie by trying.
    fn is_worth_a_try(&self) -> bool {
        self.value().map_or(true, |value| value > 0)
    }
}

impl Sealed for Permits {}

impl Source for Permits {
    type Value = Permit;
    type Inner = Semaphore;

    fn is_ready(&self) -> bool {
        self.semaphore.is_worth_a_try()
    }

    fn take(&self) -> Result<Option<Permit>, ChannelError> {
        self.luck.chance(self.semaphore.take(1, Patience::None))
    }

    fn read(&self, until: Option<Instant>) -> Result<Permit, ChannelError> {
        self.luck.fate(self.semaphore.take(1, until.map_or(Patience::Endless, Patience::Until)))
    }

    fn lookout(&self) -> Result<Lookout, ChannelError> {
        let semaphore = self.semaphore.clone();
        Ok(self.luck.lookout(move || semaphore.is_worth_a_try()))
    }

    fn into_inner(self) -> Semaphore {
        self.semaphore
    }
}
