//! The time as processes see it: the system's, or that of the simulated world in which a property test runs them.
//!
//! Knows nothing of guards. Timeouts, `after` and `tick` go by the same clock. Under `csproc::testing` the clock is
//! virtual: it stands still while anybody can go on, and then moves on to the first moment that somebody waits for. A
//! process that reads another clock there sees a time that has nothing to do with what happens.

use crate::engine::{self, Guard, Order, actor};
use crate::sys::clock::Deadline;
use std::panic::Location;
use std::time::{Duration, Instant};

/// The time now: what [`Instant::now`] gives, or the virtual time of a simulated run.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use std::time::Duration;
///
/// let start = csproc::time::now();
/// AltSelect! { at(start + Duration::from_millis(2)) => () }?;
/// assert!(csproc::time::now() >= start + Duration::from_millis(2));
/// # Ok::<(), csproc::Error>(())
/// ```
#[must_use]
pub fn now() -> Instant {
    engine::now()
}

/// Waits so long.
///
/// # Blocking
/// Until the time is up, never less. In a simulated run it costs no time, and the others go on meanwhile.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// let start = csproc::time::now();
/// csproc::time::sleep(Duration::from_millis(2));
/// assert!(csproc::time::now() - start >= Duration::from_millis(2));
/// ```
#[track_caller]
pub fn sleep(duration: Duration) {
    if !engine::is_decided() {
        return std::thread::sleep(duration);
    }
    // More than a clock can count is more than anybody waits for.
    let end = now().checked_add(duration).unwrap_or_else(|| now() + Duration::from_secs(1 << 32));
    let guards = [Guard::Timer { deadline: Deadline::at(end) }];
    // Refused in a process that unwinds: it does not wait then.
    let _ = actor(|actor| actor.offer(&guards, Order::Priority, Location::caller()));
}
