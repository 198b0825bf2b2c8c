//! An area beside a gate: many bytes, which live as long as somebody has the gate, and which who alone has it may
//! write.
//!
//! Knows nothing of what the bytes are. The block of the area is kept as that of a cell is ([`cell`](super::cell)): so
//! whoever looks after messages looks after it. Nobody needs to pass the gate; that it opens in turns tells it from
//! that of a cell, whose words must not be taken for an area, nor the other way round.
//!
//! **One end, one writer.** Whoever has a handle reads. Whoever has the only end of the gate may write: another end is
//! made of one that is there, be it for a message, so as long as its owner uses it for nothing else there will be no
//! other. The ends are counted under the gate's lock; so what was done with one that is closed by then has been done.
//! The end of a dead process counts until it is buried, and one in a message counts as any other: there may be fewer
//! who can read than are counted, and never more.
//!
//! **What is in use is not closed by others.** Whoever has an end looks at the bytes without asking whether it is still
//! there. So it is closed by whoever has it, or by the reaper; not, as other ends are, when the function of a process
//! returns or `main` does, for other threads of it may go on:
//! ```text
//!     the function of a process           another thread of it          another process
//!                                         has a region
//!     returns; all its ends are closed
//!                                                                       takes the block for a message
//!                                         writes                        reads what was written there  ✗
//! ```
//! So it is with a cell. Its permit is given back all the same, as that of any lock: somebody waits for it.

use super::channel::Channel;
use super::local::Local;
use super::sync::Ordering;
use super::tables::Tables;
use crate::engine::{ChannelKind, ChannelName, Direction, EndName, Holder, Opened};
use crate::memory::{Area, ArenaError, NONE};

impl Tables {
    /// The area that a gate keeps.
    pub(crate) fn area(self, name: ChannelName) -> Option<Area> {
        let gate = self.channel(name).filter(|channel| channel.may_keep_an_area())?;
        let block = gate.head.load(Ordering::Acquire);
        (block != NONE).then(|| self.arena.area(block))
    }

    /// Whether an end is one by which somebody has an area, or a cell, and looks at it without asking.
    pub(crate) fn keeps_memory(self, end: EndName) -> bool {
        let Some((gate, direction)) = self.end(end) else { return false };
        let keeps = |gate: &Channel| gate.is_gate() && gate.head.load(Ordering::Acquire) != NONE;
        direction != Direction::Unit && self.channel(gate).is_some_and(keeps)
    }
}

impl Local {
    /// Makes a gate that keeps an area of so many bytes, with one handle held by `holder`: these bytes at first, or all
    /// 0.
    pub(crate) fn create_area(
        &mut self,
        bytes: usize,
        begin: Option<&[u8]>,
        holder: Holder,
    ) -> Result<(ChannelName, EndName), ArenaError> {
        let tables = self.tables();
        let block = tables.arena.take_area(bytes, self.claimant())?;
        match begin {
            Some(begin) => tables.arena.fill_area(block, begin),
            None => tables.arena.clear_area(block),
        }
        self.keep(block, ChannelKind::Gate { permits: 1, opened: Opened::InTurns }, holder)
    }

    /// Whether a gate, of which the caller has a handle, has no other end.
    pub(crate) fn has_one_end(&mut self, name: ChannelName) -> bool {
        self.lock(name).is_some_and(|gate| {
            let counts = [&gate.handles, &gate.readers, &gate.writers].map(|count| count.load(Ordering::Relaxed));
            counts == [1, 0, 0]
        })
    }
}
