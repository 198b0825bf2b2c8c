//! The process that is running now, of all that are started one after the other in the place of one.
//!
//! Knows nothing of when another one is started.

use super::running::{Refusal, Running};
use parking_lot::Mutex;
use std::sync::Arc;

/// The process that is running now, of all that are started in its place.
#[derive(Clone, Debug)]
pub(super) struct Current(Arc<Mutex<Attempt>>);

#[derive(Debug)]
struct Attempt {
    running: Arc<Running>,
    restarts: u32,
    is_last: bool,
}

impl Current {
    pub(super) fn new(running: Arc<Running>) -> Current {
        Current(Arc::new(Mutex::new(Attempt { running, restarts: 0, is_last: false })))
    }

    pub(super) fn running(&self) -> Arc<Running> {
        self.0.lock().running.clone()
    }

    /// The number of the process that runs; `None` while another one is started.
    pub(super) fn pid_now(&self) -> Option<u32> {
        self.0.try_lock().map(|attempt| attempt.running.pid())
    }

    /// How often it was started again.
    pub(super) fn restarts(&self) -> u32 {
        self.0.lock().restarts
    }

    /// The present run is the last: however it ends, no other is started.
    pub(super) fn let_be_last(&self) {
        self.0.lock().is_last = true;
    }

    /// Starts another one, unless it was said that there shall be none.
    pub(super) fn replace(
        &self,
        start: impl FnOnce() -> Option<Result<Arc<Running>, Refusal>>,
    ) -> Option<Result<(), Refusal>> {
        let mut attempt = self.0.lock();
        if attempt.is_last {
            return None;
        }
        Some(start()?.map(|running| {
            attempt.running = running;
            attempt.restarts += 1;
        }))
    }
}
