//! How something of the kernel is waited for beside other things: it is looked at, ever less often.
//!
//! Knows nothing of what is looked at.

use super::error::SysvError;
use super::patience::Pause;
use crate::bridge::Lookout;
use crate::channel::{ChannelError, MessageError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::park_timeout;

/// Whether the last look was worth it: then the next one may be soon.
#[derive(Clone, Debug, Default)]
pub(super) struct Luck(Arc<AtomicBool>);

impl Luck {
    /// What an alternation is told of an operation, and whether it was lucky.
    pub(super) fn fate<T>(&self, taken: Result<T, SysvError>) -> Result<T, ChannelError> {
        if taken.is_ok() {
            self.0.store(true, Ordering::Relaxed);
        }
        taken.map_err(|error| match error {
            SysvError::Removed => ChannelError::Retired,
            SysvError::WouldBlock => ChannelError::WouldBlock,
            SysvError::TimedOut => ChannelError::TimedOut,
            error => ChannelError::Invalid(MessageError::System { reason: error.to_string() }),
        })
    }

    /// As [`Luck::fate`], for an operation that does not wait.
    pub(super) fn chance<T>(&self, taken: Result<T, SysvError>) -> Result<Option<T>, ChannelError> {
        match self.fate(taken) {
            Ok(taken) => Ok(Some(taken)),
            Err(ChannelError::WouldBlock) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Looks until something is worth a try.
    pub(super) fn lookout(&self, is_worth_a_try: impl Fn() -> bool + Send + 'static) -> Lookout {
        let luck = self.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let mut pause = Pause::default();
        let wait = move || {
            if luck.0.swap(false, Ordering::Relaxed) {
                pause = Pause::default();
            }
            while !stopped.load(Ordering::Acquire) {
                // Also before the first look: who asks has just looked.
                park_timeout(pause.next());
                if is_worth_a_try() {
                    return;
                }
            }
        };
        // The thread is unparked after this.
        Lookout { wait: Box::new(wait), interrupt: Box::new(move || stop.store(true, Ordering::Release)) }
    }
}
