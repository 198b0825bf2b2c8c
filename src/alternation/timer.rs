//! Guards that fire when a time has come: `after`, `at`, and the [`Ticker`], which fires again and again.
//!
//! Knows nothing of how the engine waits.

use super::arm::{Arm, Content, Offered, Outcome, Stowed, Take, Verdict, no_value};
use super::guard::Guard;
use crate::channel::ChannelError;
use crate::engine::{self, now};
use crate::sys::clock::Deadline;
use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

/// What a timer offers. A time that the clock cannot express never comes, but makes the alternation wait instead of
/// failing.
fn offer_until(instant: Option<Instant>) -> Offered {
    let never = || now() + Duration::from_secs(1 << 32);
    Offered(Some(engine::Guard::Timer { deadline: Deadline::at(instant.unwrap_or_else(never)) }))
}

/// Fires once when its time has come.
pub struct TimerArm {
    wait: Wait,
    deadline: Option<Instant>,
}

enum Wait {
    For(Duration),
    Until(Instant),
}

impl TimerArm {
    pub(super) fn after(duration: Duration) -> TimerArm {
        TimerArm { wait: Wait::For(duration), deadline: None }
    }

    pub(super) fn at(instant: Instant) -> TimerArm {
        TimerArm { wait: Wait::Until(instant), deadline: None }
    }
}

impl Arm for TimerArm {
    fn begin(&mut self) {
        self.deadline = match self.wait {
            Wait::For(duration) => now().checked_add(duration),
            Wait::Until(instant) => Some(instant),
        };
    }

    fn offer(&mut self) -> Result<Offered, ChannelError> {
        Ok(offer_until(self.deadline))
    }

    fn fire(&mut self, _: Outcome) -> Result<Verdict, ChannelError> {
        Ok(Verdict::Done)
    }
}

impl Take for TimerArm {
    type Output = ();

    fn unpack(_: Stowed) -> Result<(), ChannelError> {
        Ok(())
    }
}

impl fmt::Debug for TimerArm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TimerArm")
    }
}

/// A guard that fires once in every period: what [`tick`] makes.
///
/// It counts from the moment at which it was made, and goes on counting between selections. So it fires on time however
/// often other guards fire, where `after(duration)` begins anew with each selection. Its value is the instant at which
/// the tick was due.
///
/// A tick that nobody has waited for is not lost: it fires at the next selection. Of several, only the last fires, as
/// with Go's `Ticker`; how many periods have passed is seen from the instants. The next tick comes when it would have
/// come anyway: a late one does not shift those that follow it.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use std::time::{Duration, Instant};
///
/// let c = Channel::buffered(Buffer::Unbounded);
/// let (w, r) = (c.writer(), c.reader());
/// let period = Duration::from_millis(2);
/// let start = Instant::now();
/// let ticker = tick(period);
/// let (mut ticks, mut values) = (Vec::new(), 0);
/// while ticks.len() < 3 {
///     PriSelect! {
///         t = ticker => ticks.push(t),
///         v = r.read() => values += v,
///         w.write(1) => (),
///     }?;
/// }
/// assert!(ticks[0] >= start + period && ticks[1] >= ticks[0] + period);
/// assert!(values > 0);
/// # Ok::<(), csproc::Error>(())
/// ```
/// In a set that is known only at run time: [`Alternation::tick`](crate::Alternation::tick).
pub struct Ticker {
    period: Duration,
    /// `None`: a time that the clock cannot express.
    next: Cell<Option<Instant>>,
}

/// Makes a guard that fires once in every `period`, for the first time when one period has passed.
///
/// Make it before the loop that selects: one that is made in an arm begins anew with each selection, as `after(period)`
/// does. A period of zero is always due. Ticks are never early.
///
/// # Examples
/// See [`Ticker`].
#[must_use = "a ticker does nothing by itself: it is a guard of an alternation"]
pub fn tick(period: Duration) -> Ticker {
    Ticker { period, next: Cell::new(now().checked_add(period)) }
}

impl Ticker {
    /// The time between two ticks.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::Duration;
    ///
    /// assert_eq!(tick(Duration::from_secs(1)).period(), Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Counts anew from now: the next tick comes when one period has passed.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use std::time::{Duration, Instant};
    ///
    /// let ticker = tick(Duration::ZERO);
    /// let start = Instant::now();
    /// ticker.reset();
    /// let due = PriSelect! { t = ticker => t }?;
    /// assert!(due >= start);
    /// # Ok::<(), csproc::Error>(())
    /// ```
    pub fn reset(&self) {
        self.next.set(now().checked_add(self.period));
    }

    /// Takes the tick that is due at `now`, the last one if there are several.
    fn strike(&self, now: Instant) -> Option<Instant> {
        let first = self.next.get().filter(|next| *next <= now)?;
        let last = first + missed(now - first, self.period);
        self.next.set(last.checked_add(self.period));
        Some(last)
    }
}

/// The whole periods in `late`.
fn missed(late: Duration, period: Duration) -> Duration {
    match late.as_nanos().checked_rem(period.as_nanos()) {
        // The rest is smaller than `late`, and that is smaller than 2^64 seconds.
        Some(rest) => late - Duration::new((rest / 1_000_000_000) as u64, (rest % 1_000_000_000) as u32),
        None => late,
    }
}

impl Guard for Ticker {
    type Output = Instant;
    type Arm<'a> = TickArm<'a>;

    fn arm(&self) -> TickArm<'_> {
        TickArm { ticker: self, due: None }
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker").field("period", &self.period).finish_non_exhaustive()
    }
}

/// A `Ticker` at work.
#[doc(hidden)]
#[derive(Debug)]
pub struct TickArm<'a> {
    ticker: &'a Ticker,
    due: Option<Instant>,
}

impl Arm for TickArm<'_> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        Ok(offer_until(self.ticker.next.get()))
    }

    fn fire(&mut self, _: Outcome) -> Result<Verdict, ChannelError> {
        self.due = self.ticker.strike(now());
        Ok(if self.due.is_some() { Verdict::Done } else { Verdict::Again })
    }

    fn stow(&mut self) -> Stowed {
        self.due.take().map_or(Stowed::NOTHING, |due| Stowed(Content::Value(Box::new(due))))
    }
}

impl Take for TickArm<'_> {
    type Output = Instant;

    fn unpack(mut stowed: Stowed) -> Result<Instant, ChannelError> {
        Ok(stowed.value())
    }

    fn take(&mut self) -> Result<Instant, ChannelError> {
        Ok(self.due.take().unwrap_or_else(|| no_value()))
    }
}
