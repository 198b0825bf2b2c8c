//! How long an operation waits, and how it looks again where the kernel has nothing to wait on.
//!
//! Knows nothing of messages.

use super::error::SysvError;
use rustix::io::Errno;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long an operation waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    None,
    Until(Instant),
    Endless,
}

/// Why an attempt was the last one.
pub(super) enum Missed {
    /// The patience is over: this says how.
    Over(SysvError),
    Failed(Errno),
}

impl Patience {
    pub(super) fn of(timeout: Duration) -> Patience {
        // A time that the clock cannot express is no limit.
        Instant::now().checked_add(timeout).map_or(Patience::Endless, Patience::Until)
    }

    /// Tries until it succeeds, fails, or the patience is over; the attempt is told whether it may wait.
    ///
    /// A signal handler ends a call that waits, even where the handler asks for the call to be started again; it does
    /// not end the operation, nor does it change the deadline.
    pub(super) fn keep<T>(self, mut attempt: impl FnMut(bool) -> Result<T, Errno>) -> Result<T, Missed> {
        let mut pause = Pause::default();
        loop {
            match attempt(matches!(self, Patience::Endless)) {
                Ok(value) => return Ok(value),
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN | Errno::NOMSG) => match self {
                    Patience::None => return Err(Missed::Over(SysvError::WouldBlock)),
                    Patience::Until(deadline) => {
                        let left = deadline.saturating_duration_since(Instant::now());
                        if left.is_zero() {
                            return Err(Missed::Over(SysvError::TimedOut));
                        }
                        sleep(pause.next().min(left));
                    }
                    // A call that waits does not say so.
                    Patience::Endless => (),
                },
                Err(errno) => return Err(Missed::Failed(errno)),
            }
        }
    }
}

/// The time between two looks, which grows.
#[derive(Debug)]
pub(super) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Pause {
        Pause(Duration::from_micros(50))
    }
}

impl Pause {
    pub(super) fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(Duration::from_millis(5));
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_from_50_microseconds_to_5_milliseconds() {
        let mut pause = Pause::default();
        let pauses: Vec<u128> = std::iter::repeat_with(|| pause.next().as_micros()).take(9).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }
}
