//! Components that know the time: what comes when it will goes at fixed ticks, or later.
//!
//! Knows nothing of clocks: a tick and a delay are guards.

use super::ends::next;
use crate::{Alternation, Message, PriSelect, Reader, Writer, process};
use std::time::Duration;

/// Writes the latest value at fixed ticks, however fast or slowly values come.
///
/// Values that come between two ticks are read at once, and all but the last are dropped; when none has come, the one
/// before is written again. The first tick comes one `period` after the first value. A reader that is late keeps no
/// writer waiting, and has the latest value when it comes; the next tick comes when it would have come anyway.
/// ```text
///   in -->[ regulate(period) ]--> out
///
///   REGULATE = in?x → R(x),  R(x) = tick → T(x) □ in?y → R(y),  T(x) = out!x → R(x) □ in?y → T(y)
/// ```
/// When its input retires, it writes the last value at the next tick, unless it has done so, and ends; otherwise it
/// ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
/// use std::time::{Duration, Instant};
///
/// let (a, b) = (Channel::<u64>::new(), Channel::new());
/// let r = b.reader();
/// let (start, period) = (Instant::now(), Duration::from_millis(2));
/// let network = network!(
///     plug::numbers(a.writer()),
///     plug::regulate(period, a.reader(), b.writer()),
/// ).spawn()?;
/// let latest: Vec<u64> = r.iter().take(5).collect();
/// assert!(start.elapsed() >= 5 * period && latest.is_sorted());
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("Regulate", "Regular", "throttle", "sample"))]
#[process(thread, crate = crate)]
pub fn regulate<T: Message + Clone>(period: Duration, input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    let Some(mut latest) = next(&input)? else { return Ok(()) };
    let mut alt = Alternation::new();
    let (ticks, offer, newer) = (alt.tick(period), alt.own_writer(out), alt.own_reader(input));
    let (mut is_offered, mut is_written) = (false, false);
    while alt.contains(newer) || !is_written {
        match alt.pri_select() {
            Ok(fired) if fired.is(ticks) => is_offered = true,
            Ok(fired) if fired.is(newer) => (latest, is_written) = (fired.try_take(newer)?, false),
            Ok(_) => {
                (is_offered, is_written) = (false, true);
                continue;
            }
            Err(error) if error.is_retired() && alt.has_failed(newer) => drop(alt.remove(newer)),
            Err(error) => return Err(error.into()),
        }
        if is_offered {
            alt.set(offer, latest.clone());
        }
    }
    Ok(())
}

/// Writes every value `delay` after it was read.
///
/// It has one value at a time: the next one is read when the last one is written. So at most one passes in each
/// `delay`; a chain of delays that are shorter lets more of them be on the way.
/// ```text
///   in -->[ fixed_delay(delay) ]--> out
///
///   DELAY = in?x → wait delay → out!x → DELAY
/// ```
/// It ends as [all components](crate::plug#how-a-component-ends) do.
///
/// # Examples
/// ```
/// use csproc::{plug, prelude::*};
/// use std::time::{Duration, Instant};
///
/// let (a, b) = (Channel::<u64>::new(), Channel::new());
/// let r = b.reader();
/// let (start, delay) = (Instant::now(), Duration::from_millis(2));
/// let network = network!(
///     plug::numbers(a.writer()),
///     plug::fixed_delay(delay, a.reader(), b.writer()),
/// ).spawn()?;
/// assert_eq!(r.iter().take(3).collect::<Vec<_>>(), [0, 1, 2]);
/// assert!(start.elapsed() >= 3 * delay);
/// drop(r);
/// network.join().values_or_end()?;
/// # Ok::<(), csproc::Error>(())
/// ```
#[doc(alias("FixedDelay", "latency", "sleep"))]
#[process(thread, crate = crate)]
pub fn fixed_delay<T: Message>(delay: Duration, input: Reader<T>, out: Writer<T>) -> crate::Result<()> {
    while let Some(value) = next(&input)? {
        PriSelect! { after(delay) => () }?;
        out.write(value)?;
    }
    Ok(())
}
