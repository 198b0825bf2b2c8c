//! What the kernel tells, in the words of Rust.
//!
//! Knows nothing of what it tells it of.

use std::time::{Duration, SystemTime};

/// A process; what never was is 0.
pub(super) fn process(pid: i32) -> Option<u32> {
    u32::try_from(pid).ok().filter(|pid| *pid != 0)
}

/// A time; what never was is 0.
pub(super) fn time(seconds: i64) -> Option<SystemTime> {
    let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds != 0)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// The nine bits of a mode, which has another width on each kind of processor.
pub(super) fn mode(mode: impl Into<u32>) -> u32 {
    mode.into() & 0o777
}

/// Whether a mode has this bit.
pub(super) fn has(mode: impl Into<u32>, bit: u32) -> bool {
    mode.into() & bit != 0
}

pub(super) fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
