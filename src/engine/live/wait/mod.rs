//! How a context waits for its partner: outside the protocol, between the beginning of an offer and its end.
//!
//! Knows nothing of channels. The protocol asks one thing before it publishes an offer: whether the context sleeps at
//! once, because whoever commits a context that is PARKED wakes it, and whoever commits one that is WAITING does not.

#[cfg_attr(not(feature = "async"), expect(dead_code, reason = "only futures wait in this way"))]
mod task;
mod thread;

use super::local::Local;
use super::word::Snapshot;

pub(crate) use task::Bell;
#[cfg(feature = "async")]
pub(crate) use task::{Task, Watch, Withdrawn};
pub(super) use thread::{OnThread, Spin};

/// A way of waiting.
pub(super) trait Wait {
    /// Whether the wait that is about to begin sleeps at once, without looking again.
    fn sleeps_at_once(&mut self, local: &mut Local) -> bool;
}

/// How a wait ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waited {
    Committed(Snapshot),
    /// The deadline passed, and the offer is withdrawn.
    Withdrawn,
}
