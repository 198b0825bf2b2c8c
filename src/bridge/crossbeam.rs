//! The receiving end of a crossbeam channel.
//!
//! Knows nothing of who sends. crossbeam can say that an operation is ready without performing it (`Select::ready`),
//! which is all that the thread of the bridge does.

use super::source::{Lookout, Sealed, Source};
use crate::channel::ChannelError;
use crossbeam_channel::{Receiver, RecvTimeoutError, Select, TryRecvError};
use std::fmt;
use std::time::Instant;

/// The receiving end of a crossbeam channel, as the other side of a [`Bridge`](super::Bridge).
///
/// # Examples
/// See [`crossbeam`](super::crossbeam).
pub struct Crossbeam<T> {
    receiver: Receiver<T>,
}

impl<T> Crossbeam<T> {
    pub(super) fn new(receiver: Receiver<T>) -> Crossbeam<T> {
        Crossbeam { receiver }
    }
}

impl<T> Sealed for Crossbeam<T> {}

impl<T: Send + 'static> Source for Crossbeam<T> {
    type Value = T;
    type Inner = Receiver<T>;

    fn is_ready(&self) -> bool {
        let mut select = Select::new();
        select.recv(&self.receiver);
        select.try_ready().is_ok()
    }

    fn take(&self) -> Result<Option<T>, ChannelError> {
        match self.receiver.try_recv() {
            Ok(value) => Ok(Some(value)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(ChannelError::Retired),
        }
    }

    /// The receiver's own waiting, which also meets a sender that does not wait itself.
    fn read(&self, until: Option<Instant>) -> Result<T, ChannelError> {
        match until {
            None => self.receiver.recv().map_err(|_| ChannelError::Retired),
            Some(until) => self.receiver.recv_deadline(until).map_err(|error| match error {
                RecvTimeoutError::Timeout => ChannelError::TimedOut,
                RecvTimeoutError::Disconnected => ChannelError::Retired,
            }),
        }
    }

    fn lookout(&self) -> Result<Lookout, ChannelError> {
        let receiver = self.receiver.clone();
        // Nothing is ever sent; it is ready when its sender is dropped.
        let (interrupt, interrupted) = crossbeam_channel::bounded::<()>(0);
        Ok(Lookout {
            wait: Box::new(move || {
                let mut select = Select::new();
                select.recv(&receiver);
                select.recv(&interrupted);
                select.ready();
            }),
            interrupt: Box::new(move || drop(interrupt)),
        })
    }

    fn into_inner(self) -> Receiver<T> {
        self.receiver
    }
}

impl<T> fmt::Debug for Crossbeam<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Crossbeam")
    }
}
