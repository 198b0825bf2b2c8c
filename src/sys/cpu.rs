//! Which processors this process may use, and staying on one for a moment.
//!
//! Knows nothing of why one asks: whether spinning can pay, and whether a new thread should start where its maker is.

pub(crate) use rustix::thread::CpuSet;
use rustix::thread::{sched_getaffinity, sched_getcpu, sched_setaffinity};

/// Rounds of a spin loop that take about as long as a sleep and a wake-up.
pub(crate) const SPINS: u32 = 4000;
/// How often a waiter may yield the processor instead of spinning.
pub(crate) const YIELDS: u32 = 8;

/// The number of processors in the affinity mask of the calling thread, at least one.
pub(crate) fn usable() -> u32 {
    match sched_getaffinity(None) {
        Ok(set) => set.count().max(1),
        Err(_) => std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1)),
    }
}

/// Confines the calling thread, and what it makes, to the processor it runs on. Gives the processors it had; `None`
/// when that is not known, and then nothing is changed.
///
/// A new process or thread otherwise starts on an idle processor if there is one. When its maker is about to sleep
/// anyway, waking that processor is lost time: 40 µs on a virtual machine (November 2026).
pub(crate) fn stay() -> Option<CpuSet> {
    let before = sched_getaffinity(None).ok()?;
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    sched_setaffinity(None, &here).ok()?;
    Some(before)
}

/// Undoes [`stay`].
pub(crate) fn roam(before: Option<&CpuSet>) {
    if let Some(before) = before {
        // It was the mask before; if it is refused now, a control group has changed meanwhile, and its limits hold.
        let _ = sched_setaffinity(None, before);
    }
}
