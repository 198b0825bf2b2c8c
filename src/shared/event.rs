//! `Event`: a flag that processes wait for.
//!
//! Knows nothing of what has happened. It is a gate that is open while the flag is set.

use super::pass::WaitArm;
use crate::alternation::Guard;
use crate::channel::{ChannelError, Gate, MessageError, Patience, label};
use crate::engine::Opened;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// A flag that is set or not, for all processes and threads that have it. Whoever waits for it goes on when it is set.
///
/// A clone is the same event, and so is one that was given to a process as an argument or sent through a channel. In an
/// alternation the event itself is a guard, which fires while it is set.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn runner(start: Event) -> csproc::Result<()> {
///     start.wait()?;
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let start = Event::new();
///     let runners = Spawn!(for _ in 0..3 => runner(start.clone()))?;
///     assert!(!start.is_set());
///     start.set();
///     runners.join()?.into_iter().collect::<csproc::Result<()>>()?;
///     assert!(start.is_set());
///     Ok(())
/// }
/// ```
#[derive(Serialize, Deserialize)]
pub struct Event(Gate);

impl Event {
    /// An event that is not set.
    ///
    /// When the arena has no room for it, [`wait`](Event::wait) says so.
    ///
    /// # Examples
    /// See [`Event`].
    #[must_use]
    pub fn new() -> Event {
        Event(Gate::new(0, Opened::ByAnybody))
    }

    /// An event that is not set.
    ///
    /// # Errors
    /// There is no room for it.
    ///
    /// # Examples
    /// ```
    /// assert!(!csproc::shared::Event::try_new()?.is_set());
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn try_new() -> Result<Event, MessageError> {
        Gate::try_new(0, Opened::ByAnybody).map(Event)
    }

    /// The same event with a name of at most 55 bytes, for reports. To be given before others have it.
    ///
    /// With a longer name there is no event: [`wait`](Event::wait) says so.
    ///
    /// # Examples
    /// ```
    /// let start = csproc::shared::Event::new().named("start");
    /// assert_eq!(format!("{start:?}"), "Event(\"start\", false)");
    /// ```
    #[must_use]
    pub fn named(self, name: &str) -> Event {
        Event(self.0.named(name))
    }

    /// Sets it: all who wait go on, and nobody waits until it is cleared.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn set(&self) {
        self.0.change(|_| 1);
    }

    /// Clears it: from now on whoever comes waits.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Examples
    /// ```
    /// let event = csproc::shared::Event::new();
    /// event.set();
    /// event.clear();
    /// assert!(!event.is_set());
    /// ```
    pub fn clear(&self) {
        self.0.change(|_| 0);
    }

    /// Whether it is set. Others may change it at once.
    ///
    /// # Examples
    /// See [`Event`].
    pub fn is_set(&self) -> bool {
        self.0.permits().0 != 0
    }

    /// Waits until it is set.
    ///
    /// # Blocking
    /// Until it is set; also if it is cleared again at once.
    ///
    /// # Errors
    /// [`Deadlock`](ChannelError::Deadlock) or [`Poisoned`](ChannelError::Poisoned), if the wait was part of a
    /// deadlock: everybody who has the event waits. [`Invalid`](ChannelError::Invalid) when there is no memory for it.
    ///
    /// # Examples
    /// See [`Event`].
    #[track_caller]
    pub fn wait(&self) -> Result<(), ChannelError> {
        self.0.wait(1, Patience::ForEver, Location::caller())
    }

    /// Waits until it is set, at most for `timeout`; whether it was set.
    ///
    /// # Blocking
    /// At most for `timeout`.
    ///
    /// # Errors
    /// As for [`wait`](Event::wait).
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// let event = csproc::shared::Event::new();
    /// assert!(!event.wait_timeout(Duration::from_millis(1))?);
    /// event.set();
    /// assert!(event.wait_timeout(Duration::from_millis(1))?);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    #[track_caller]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, ChannelError> {
        match self.0.wait(1, Patience::of(timeout), Location::caller()) {
            Ok(()) => Ok(true),
            Err(ChannelError::TimedOut) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Default for Event {
    fn default() -> Event {
        Event::new()
    }
}

impl Clone for Event {
    /// The same event.
    fn clone(&self) -> Event {
        Event(self.0.clone())
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Event").field(&label(self.0.channel())).field(&self.is_set()).finish()
    }
}

// A feature brings another type of this name, and what the compiler says of guards would change with it.
#[diagnostic::do_not_recommend]
impl Guard for Event {
    type Output = ();
    type Arm<'a> = WaitArm<'a>;

    fn arm(&self) -> WaitArm<'_> {
        WaitArm::new(&self.0, 1)
    }
}
