//! The bell of a process of the operating system: one word, by which its futures are told that somebody has come.
//!
//! Knows nothing of futures. Why no ring is lost is drawn in [`task`](super::task).

use super::sync::{AtomicU32, Ordering, Woken, wait, wake_all};
use super::tables::Tables;
use crate::sys::clock::Deadline;

/// The bell of a process of the operating system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bell(&'static AtomicU32);

impl Bell {
    /// `None`: there is no such process.
    pub(crate) fn of(tables: Tables, host: u32) -> Option<Bell> {
        tables.members.get(host).map(|member| Bell(&member.bell))
    }

    /// Whoever attends to it looks.
    pub(crate) fn ring(self) {
        self.0.fetch_add(1, Ordering::AcqRel);
        wake_all(self.0);
    }

    #[cfg_attr(not(feature = "async"), expect(dead_code, reason = "only futures are told by the bell"))]
    /// Looks, and gives what the look has found; or else sleeps until the bell rings, or until the deadline that the
    /// look has given. What comes after the look has begun is heard.
    pub(crate) fn attend<T>(self, look: impl FnOnce() -> Result<T, Option<Deadline>>) -> Option<T> {
        let heard = self.0.load(Ordering::Acquire);
        match look() {
            Ok(found) => Some(found),
            Err(deadline) => {
                let _: Woken = wait(self.0, heard, deadline.as_ref());
                None
            }
        }
    }
}
