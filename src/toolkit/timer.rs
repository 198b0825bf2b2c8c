//! Time as a channel.
//!
//! Knows nothing of clocks but that of the guards.

use crate::alternation::Alternation;
use crate::channel::Writer;
use csproc_macros::process;
use std::time::{Duration, Instant};

/// A process that writes once in every `period` how many periods have passed: 1, 2, 3, …
///
/// Whoever reads late gets the number of now, at once, and the next one when that is due: ticks that nobody has read
/// are left out, and never come in a bunch. Within one process, [`tick`](crate::tick()) is a guard without a channel.
///
/// # Errors
/// A period of zero: it would always be due.
///
/// # Poison and retire
/// The process ends when nobody reads any more, with [`Retired`](crate::ChannelError::Retired), or when `out` is
/// poisoned; it learns of either while it offers a number: up to a period after it came.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::toolkit::timer;
/// use std::time::{Duration, Instant};
///
/// let c = Channel::new();
/// let ticks = c.reader();
/// let (start, period) = (Instant::now(), Duration::from_millis(2));
/// let child = Spawn!(timer(period, c.writer()))?;
/// let passed = [ticks.read()?, ticks.read()?];
/// assert!(passed[0] < passed[1] && start.elapsed() >= period * passed[1] as u32);
/// drop(ticks);
/// assert!(child.join()?.unwrap_err().channel_error().unwrap().is_retired());
/// # Ok::<(), csproc::Error>(())
/// ```
#[process(thread, crate = crate)]
pub fn timer(period: Duration, out: Writer<u64>) -> crate::Result<()> {
    if period.is_zero() {
        out.poison();
        return Err(crate::Error::msg("a timer needs a period: one of zero would always be due"));
    }
    let start = Instant::now();
    let mut alternation = Alternation::new();
    let ticks = alternation.tick(period);
    // Absent until the first tick, and again when a number was read.
    let out = alternation.own_writer(out);
    loop {
        let fired = alternation.fair_select()?;
        if fired.is(ticks) {
            let passed = fired.take(ticks).duration_since(start).as_nanos() / period.as_nanos();
            alternation.set(out, u64::try_from(passed).unwrap_or(u64::MAX));
        }
    }
}
