//! What the dead leave behind: nothing. Before and after are compared, and the audit must be clean.
//!
//! Knows nothing of who died.

use csproc::prelude::*;
use std::time::{Duration, Instant};

/// How long something may stay behind before it counts as left.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much of everything the program uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Estate {
    processes: usize,
    channels: usize,
    ends: usize,
    blocks: usize,
}

impl Estate {
    /// When nobody runs: the program, and the channel that is made to ask. The asking thread has a spare block.
    pub(crate) const EMPTY: Estate = Estate { processes: 1, channels: 1, ends: 3, blocks: 1 };

    fn now(what: &str) -> Estate {
        // A thread keeps a spare block once it has looked for a message.
        let c = Channel::<u8>::new();
        let (_w, r) = (c.writer(), c.reader());
        assert!(r.try_read().unwrap_err().is_would_block());
        let audit = csproc::audit();
        assert!(audit.is_clean(), "{what}: {audit}");
        Estate { processes: audit.processes(), channels: audit.channels(), ends: audit.ends(), blocks: audit.blocks() }
    }

    /// Waits until it is this. Whoever joins a process finds it gone, but for its last name in the tables, which the
    /// process server strikes out right afterwards.
    pub(crate) fn restored(self, what: &str) {
        let start = Instant::now();
        loop {
            let now = Estate::now(what);
            if now == self {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{what}: {now:?} instead of {self:?}");
            std::thread::yield_now();
        }
    }
}
