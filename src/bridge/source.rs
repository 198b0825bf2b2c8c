//! `Source`: what a bridge asks of the other side.
//!
//! Knows nothing of alternation. A source is looked at, is taken from, and can be waited for by another thread that
//! takes nothing.

use crate::channel::{ChannelError, MessageError};
use std::fmt;
use std::time::Instant;

/// What a [`Bridge`](super::Bridge) can lead to: [`Ipc`](super::Ipc), [`Descriptor`](super::Descriptor),
/// `Crossbeam`, `Messages`, `Permits` and `Signals`.
///
/// # Examples
/// ```
/// use csproc::bridge::{self, Bridge, Source};
///
/// fn count<S: Source>(bridge: &Bridge<S>) -> usize {
///     std::iter::from_fn(|| bridge.try_read().ok()).count()
/// }
/// let (sender, receiver) = ipc_channel::ipc::channel()?;
/// sender.send('a')?;
/// sender.send('b')?;
/// assert_eq!(count(&bridge::ipc(receiver)?), 2);
/// # Ok::<(), csproc::Error>(())
/// ```
pub trait Source: Sealed {
    /// What reading gives.
    type Value: Send + 'static;
    /// What the bridge was made of.
    type Inner;

    /// Whether taking is worth a try: something is there, or the other side has ended. It may turn out not to be.
    #[doc(hidden)]
    fn is_ready(&self) -> bool;

    /// Takes what is there; `None` when there is nothing.
    #[doc(hidden)]
    fn take(&self) -> Result<Option<Self::Value>, ChannelError>;

    /// Waits for a value in the calling thread, and takes it.
    #[doc(hidden)]
    fn read(&self, until: Option<Instant>) -> Result<Self::Value, ChannelError>;

    /// What another thread needs to wait.
    #[doc(hidden)]
    fn lookout(&self) -> Result<Lookout, ChannelError>;

    #[doc(hidden)]
    fn into_inner(self) -> Self::Inner;
}

/// Keeps the trait to this crate, so that it can grow.
pub trait Sealed {}

/// Waits for a source in a thread of its own, and takes nothing.
pub struct Lookout {
    /// Comes back when taking is worth a try; at once, now and later, when it was interrupted. It may come back for no
    /// reason.
    pub(crate) wait: Box<dyn FnMut() + Send>,
    pub(crate) interrupt: Box<dyn FnOnce() + Send>,
}

impl fmt::Debug for Lookout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookout")
    }
}

/// The system refuses what a bridge needs.
pub(super) fn refused(what: &str, error: impl fmt::Display) -> ChannelError {
    ChannelError::Invalid(MessageError::System { reason: format!("{what}: {error}") })
}
