//! Waiting on a 32-bit word that several processes share.
//!
//! Knows nothing of what the word means. The private flag is never set: the word may lie in memory shared
//! between processes.

#![expect(unsafe_code, reason = "names the lower half of a 64-bit word; listed in the architecture page")]

use super::clock::Deadline;
use rustix::io::Errno;
use rustix::thread::futex::{self, Flags};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Why a futex wait came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// A wake-up, a signal handler, or a changed word: look again.
    Look,
    /// The deadline has passed.
    TimedOut,
}

const ANY: NonZeroU32 = NonZeroU32::MAX;

/// Sleeps while `word` holds `expected`, until a wake-up or the deadline.
///
/// A signal handler that ran (`EINTR`) counts as [`Woken::Look`]: every caller looks at its word in a loop.
pub(crate) fn wait(word: &AtomicU32, expected: u32, deadline: Option<&Deadline>) -> Woken {
    match futex::wait_bitset(word, Flags::empty(), expected, deadline.map(Deadline::timespec), ANY) {
        Err(Errno::TIMEDOUT) => Woken::TimedOut,
        _ => Woken::Look,
    }
}

/// Wakes at most `count` sleepers on `word`.
pub(crate) fn wake(word: &AtomicU32, count: u32) {
    // The only failures are a bad address and a bad flag; neither can be, and a waker has nobody to tell.
    let _ = futex::wake(word, Flags::empty(), count);
}

/// Wakes every sleeper on `word`.
pub(crate) fn wake_all(word: &AtomicU32) {
    wake(word, i32::MAX.unsigned_abs());
}

/// Like [`wait`], on the lower half of a 64-bit word.
pub(crate) fn wait_low(word: &AtomicU64, expected: u64, deadline: Option<&Deadline>) -> Woken {
    wait(low(word), expected as u32, deadline)
}

/// Wakes the sleeper on the lower half of a 64-bit word.
pub(crate) fn wake_low(word: &AtomicU64) {
    wake(low(word), 1);
}

fn low(word: &AtomicU64) -> &AtomicU32 {
    let halves = std::ptr::from_ref(word).cast::<AtomicU32>();
    let half = halves.wrapping_add(usize::from(cfg!(target_endian = "big")));
    // SAFETY: half of a live, aligned 64-bit atomic is a live, aligned 32-bit one. It is only handed to the kernel as
    // an address; this program never accesses it in this size.
    unsafe { &*half }
}
