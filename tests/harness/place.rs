//! The place where somebody waits: others see there when its thread sleeps, with no time that stands for it.
//!
//! Knows nothing of what the thread waits for.

use super::system::seen;
use csproc::prelude::*;

/// Where a process is, so that others can look whether it sleeps.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Place {
    pub(crate) pid: u32,
    pub(crate) thread: u32,
}

impl Place {
    pub(crate) fn here() -> Place {
        let thread = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
        Place { pid: std::process::id(), thread }
    }

    /// Tells `to` where the caller is, without ever going to sleep: if the caller is seen asleep afterwards, then in
    /// its next operation.
    pub(crate) fn announce(to: &Writer<Place>) {
        while let Err(error) = to.try_write(Place::here()) {
            assert!(error.fate.is_would_block(), "{error:?}");
            std::thread::yield_now();
        }
    }

    /// Comes back once the announced thread sleeps in its next operation.
    pub(crate) fn until_asleep(self) {
        let stat = format!("/proc/{}/task/{}/stat", self.pid, self.thread);
        while seen(&stat).expect("the thread to be watched is alive").state != 'S' {
            std::thread::yield_now();
        }
    }
}
