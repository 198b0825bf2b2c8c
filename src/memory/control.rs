//! The switch of the recorder: whether events are recorded, how many of each context, and what tells their time.
//!
//! Knows nothing of events. It lies on a page of its own, of which nobody writes a word while it runs but those who
//! switch; so every operation of everybody may look at it, for the price of a load and a branch.
//!
//! One word says all at once:
//! ```text
//!      0  on                   1  the counter of the processors tells the time
//!      8  how many events a ring keeps, as a power of two (8 bits)
//!     16  epoch: how often it was switched on (16 bits); what was recorded in another epoch is not looked at
//! ```

use super::identity::{Layout, record};
use crate::sys::atomic::{AtomicU64, Ordering, Tally};
use crate::sys::clock::Counter;

const ON: u32 = 1;
const BY_PROCESSOR: u32 = 2;
const ROWS: u32 = 8;
const EPOCH: u32 = 16;

/// What the recorder is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting(u32);

impl Setting {
    #[inline]
    pub(crate) fn is_on(self) -> bool {
        self.0 & ON != 0
    }

    /// 0 as long as nothing was ever recorded.
    #[inline]
    pub(crate) fn epoch(self) -> u32 {
        self.0 >> EPOCH
    }

    /// How many events a ring keeps.
    pub(crate) fn rows(self) -> u32 {
        1 << (self.0 >> ROWS & 31)
    }

    #[inline]
    pub(crate) fn counter(self) -> Counter {
        if self.0 & BY_PROCESSOR == 0 { Counter::Monotonic } else { Counter::Processor }
    }
}

#[repr(C, align(4096))]
#[derive(Debug)]
pub(crate) struct Control {
    switch: Tally,
    /// What the counter said when it was switched on, and how many nanoseconds `CLOCK_MONOTONIC` then.
    begun: AtomicU64,
    begun_at: AtomicU64,
}

/// Adds the record of this file to a layout.
pub(super) const fn layout(layout: Layout) -> Layout {
    record!(layout, Control { switch, begun, begun_at })
}

impl Control {
    /// The only look that every operation takes.
    #[inline(always)]
    pub(crate) fn is_on(&self) -> bool {
        self.setting().is_on()
    }

    #[inline(always)]
    pub(crate) fn setting(&self) -> Setting {
        Setting(self.switch.load(Ordering::Relaxed))
    }

    /// From now on events are recorded, `rows` of each context: a new epoch, unless they are recorded already.
    pub(crate) fn switch_on(&self, rows: u32, counter: Counter) {
        let before = self.setting();
        if before.is_on() {
            return;
        }
        self.begun.store(counter.now(), Ordering::Relaxed);
        self.begun_at.store(Counter::Monotonic.now(), Ordering::Relaxed);
        // No epoch is 0.
        let epoch = (before.epoch() + 1).max(1) & 0xffff;
        let by = if counter == Counter::Processor { BY_PROCESSOR } else { 0 };
        let setting = ON | by | rows.ilog2() << ROWS | epoch.max(1) << EPOCH;
        // If two do it at the same time, one of them has: the time of the other one is as good.
        let _ = self.switch.compare_exchange(before.0, setting, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// From now on nothing is recorded. What was can be looked at.
    pub(crate) fn switch_off(&self) {
        self.switch.fetch_and(!ON, Ordering::AcqRel);
    }

    /// How many nanoseconds after the beginning of the epoch the counter said this.
    pub(crate) fn since_begun(&self, said: u64) -> u64 {
        let (begun, begun_at) = (self.begun.load(Ordering::Relaxed), self.begun_at.load(Ordering::Relaxed));
        let ticks = said.saturating_sub(begun);
        let counter = self.setting().counter();
        if counter == Counter::Monotonic {
            return ticks;
        }
        // The two clocks now, against what they said then.
        let passed = u128::from(counter.now().saturating_sub(begun).max(1));
        let nanoseconds = u128::from(Counter::Monotonic.now().saturating_sub(begun_at));
        u64::try_from(u128::from(ticks) * nanoseconds / passed).unwrap_or(u64::MAX)
    }
}

/// How many events of each context `CSPROC_TRACE` asks for, and a complaint if it asks in a way nobody understands.
pub(crate) fn rows_asked_for() -> (Option<u32>, Option<String>) {
    let Ok(text) = std::env::var("CSPROC_TRACE") else { return (None, None) };
    match text.trim() {
        "" | "0" => (None, None),
        "1" => (Some(USUAL_ROWS), None),
        number => match number.parse::<u32>() {
            Ok(rows) => (Some(rows.clamp(64, 8192).next_power_of_two()), None),
            Err(_) => {
                let complaint = format!(
                    "CSPROC_TRACE={text} is no number (write 1, or how many events of each thread are to be kept); \
                     using {USUAL_ROWS}"
                );
                (Some(USUAL_ROWS), Some(complaint))
            }
        },
    }
}

/// How many events of each context are kept if nobody asks for more.
pub(crate) const USUAL_ROWS: u32 = 1024;

#[cfg(test)]
mod tests {
    use super::super::Arena;
    use super::*;

    #[test]
    fn each_time_it_is_switched_on_is_an_epoch_and_the_first_is_not_0() {
        let control = Arena::private_of(4 << 20, 0).unwrap().control();
        assert!(!control.is_on() && control.setting().epoch() == 0);
        control.switch_on(64, Counter::best());
        assert_eq!((control.setting().epoch(), control.setting().rows()), (1, 64));
        control.switch_on(128, Counter::best());
        assert_eq!((control.setting().epoch(), control.setting().rows()), (1, 64), "it is on");
        control.switch_off();
        assert!(!control.is_on() && control.setting().epoch() == 1, "what was recorded can be looked at");
        control.switch_on(128, Counter::best());
        assert_eq!((control.setting().epoch(), control.setting().rows()), (2, 128));
    }

    #[test]
    fn what_the_counter_says_becomes_nanoseconds() {
        for counter in [Counter::Monotonic, Counter::best()] {
            let control = Arena::private_of(4 << 20, 0).unwrap().control();
            control.switch_on(64, counter);
            let (before, start) = (counter.now(), std::time::Instant::now());
            while start.elapsed().as_millis() < 20 {}
            let passed = control.since_begun(counter.now()) - control.since_begun(before);
            assert!(passed >= 19_000_000, "{passed} ns by {counter:?}");
        }
    }
}
