//! Nothing passes for the end of a stream but its end.
//!
//! Knows nothing of what is in the stream.

use crate::channel::Writer;

/// Does work that writes to `out`, which is poisoned if the work fails: what has come is not all.
pub(super) fn poison_unless_whole<T, R>(
    out: &Writer<T>,
    work: impl FnOnce(&Writer<T>) -> crate::Result<R>,
) -> crate::Result<R> {
    work(out).inspect_err(|_| out.poison())
}
