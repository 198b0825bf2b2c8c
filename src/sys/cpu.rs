//! How many processors this process may use.
//!
//! Knows nothing of why one asks: the answer decides whether spinning can ever pay.

/// The number of processors in the affinity mask of the calling thread, at least one.
pub(crate) fn usable() -> u32 {
    match rustix::thread::sched_getaffinity(None) {
        Ok(set) => set.count().max(1),
        Err(_) => std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1)),
    }
}
