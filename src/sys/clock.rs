//! Monotonic deadlines as the kernel understands them.
//!
//! Knows nothing of who waits. `Instant` is `CLOCK_MONOTONIC` on Linux, but its value is opaque, so a deadline
//! is turned into an absolute time by its distance from now; the error is the time between the two clock
//! reads and always to the late side, so that a timer is never early.
//!
//! The clocks are read through the C library: rustix looks for the kernel's own page of code by itself, and stops the
//! program where a tool such as Valgrind has taken that page away.
#![expect(unsafe_code, reason = "reads a clock through the C library; listed in the architecture page")]

use rustix::time::Timespec;
use std::mem::MaybeUninit;
use std::time::Duration;
pub(crate) use std::time::Instant;

/// The processor time that the calling thread has used.
pub(crate) fn processor_time() -> Duration {
    let time = read(libc::CLOCK_THREAD_CPUTIME_ID);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanoseconds)
}

/// Nanoseconds since the system was started, sleep included.
pub(crate) fn since_boot() -> u64 {
    nanoseconds(read(libc::CLOCK_BOOTTIME))
}

fn nanoseconds(time: Timespec) -> u64 {
    let [seconds, nanoseconds] = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    seconds * 1_000_000_000 + nanoseconds
}

/// What tells the time of very many events, each for a few nanoseconds. Its numbers rise; how fast is nobody's
/// business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    /// `CLOCK_MONOTONIC`, in nanoseconds.
    Monotonic,
    /// The counter that all processors share.
    Processor,
}

impl Counter {
    /// The counter of the processors, if the kernel trusts it with the time of the system.
    pub(crate) fn best() -> Counter {
        const CHOSEN: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        let trusted = std::fs::read_to_string(CHOSEN).unwrap_or_default();
        if matches!(trusted.trim(), "tsc" | "arch_sys_counter") { Counter::Processor } else { Counter::Monotonic }
    }

    #[inline]
    pub(crate) fn now(self) -> u64 {
        match self {
            Counter::Monotonic => nanoseconds(read(libc::CLOCK_MONOTONIC)),
            Counter::Processor => processor_counter(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn processor_counter() -> u64 {
    // SAFETY: every processor of this architecture has the instruction, and the kernel lets programs use it.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(target_arch = "aarch64")]
#[inline]
fn processor_counter() -> u64 {
    let count;
    // SAFETY: reads a register that the kernel lets programs read, and touches nothing else.
    unsafe { std::arch::asm!("mrs {}, cntvct_el0", out(reg) count, options(nomem, nostack, preserves_flags)) };
    count
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline]
fn processor_counter() -> u64 {
    nanoseconds(read(libc::CLOCK_MONOTONIC))
}

fn read(clock: libc::clockid_t) -> Timespec {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the C library writes the time into a place that is large enough. An unknown clock leaves it zero.
    unsafe { libc::clock_gettime(clock, time.as_mut_ptr()) };
    // SAFETY: two numbers, of which every value is valid, zero to begin with.
    let time = unsafe { time.assume_init() };
    Timespec { tv_sec: time.tv_sec, tv_nsec: time.tv_nsec }
}

/// An absolute point of `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    instant: Instant,
    absolute: Timespec,
}

impl Deadline {
    pub(crate) fn at(instant: Instant) -> Deadline {
        let distance = instant.saturating_duration_since(Instant::now());
        let now = read(libc::CLOCK_MONOTONIC);
        Deadline { instant, absolute: later(now, distance) }
    }

    pub(crate) fn instant(&self) -> Instant {
        self.instant
    }

    pub(crate) fn timespec(&self) -> &Timespec {
        &self.absolute
    }

    pub(crate) fn is_past(&self) -> bool {
        Instant::now() >= self.instant
    }
}

fn later(now: Timespec, distance: Duration) -> Timespec {
    let nanoseconds = now.tv_nsec + i64::from(distance.subsec_nanos());
    let seconds = i64::try_from(distance.as_secs()).unwrap_or(i64::MAX);
    Timespec {
        tv_sec: now.tv_sec.saturating_add(seconds).saturating_add(nanoseconds / 1_000_000_000),
        tv_nsec: nanoseconds % 1_000_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_early() {
        let wanted = Instant::now() + Duration::from_millis(2);
        let deadline = Deadline::at(wanted);
        let now = read(libc::CLOCK_MONOTONIC);
        let seen = Instant::now();
        let left = wanted.saturating_duration_since(seen);
        let kernel =
            (deadline.timespec().tv_sec - now.tv_sec) * 1_000_000_000 + deadline.timespec().tv_nsec - now.tv_nsec;
        assert!(kernel >= i64::try_from(left.as_nanos()).unwrap(), "{kernel} ns is before {left:?}");
    }

    #[test]
    fn a_deadline_far_away_does_not_overflow() {
        let far = later(Timespec { tv_sec: 1, tv_nsec: 999_999_999 }, Duration::MAX);
        assert_eq!(far.tv_sec, i64::MAX);
    }
}
