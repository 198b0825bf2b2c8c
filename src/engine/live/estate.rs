//! The estate: where whoever dies may have left something.
//!
//! Knows nothing of who looks, nor of what becomes of what is found ([`inventory`](super::inventory)).
//!
//! A burial has to find the ends, the blocks and the locks of the dead, and of the channels those that they were
//! making. To look everywhere would take as long as there are things of others, in the one process that buries and
//! starts everybody. So everybody keeps, in words of its own,
//!
//! ```text
//!     the chunks in which its ends have been     a trace, of a context (those in its hands) and of a member
//!     the chunks in which its blocks have been   a trace, of both
//!     the channel whose lock it takes            one word; the channels of an offer stand in its table
//!     the channel that it makes                  one word
//! ```
//! and a channel those in which its own ends are, for whoever repairs what it says of them, or asks who could answer
//! those who wait there. The ends of most channels are made together, and lie in one chunk or two. The units of a gate
//! go from gate to gate, one with each pass, which would have to look here each time: so these are not known.
//!
//! Each of these is written before that which it leads to: so whoever dies in between leaves a hint at nothing, and
//! never something without a hint. None is taken back. Whoever is given a slot begins with none: whoever had it before
//! has left nothing.
//!
//! A context takes one lock at a time but those of its offer. A reaper takes more, for it breaks the locks of the dead
//! while it holds others; so when a reaper has died, all locks are looked at.
//!
//! What is repaired under a lock that a dead context held is found by the places of the channel; the units of a gate
//! are counted among all ends. That is the cost of one who is killed while it passes a gate.

use crate::memory::{Layout, Trace, chunk_of_slot, record};

/// Where somebody may have ends and blocks.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct Estate {
    pub(super) ends: Trace,
    pub(super) blocks: Trace,
}

impl Estate {
    /// Adds the record of this file to a layout.
    pub(super) const fn layout(layout: Layout) -> Layout {
        record!(layout, Estate { ends, blocks })
    }

    /// Somebody is about to be given the slot.
    pub(super) fn clear(&self) {
        self.ends.clear();
        self.blocks.clear();
    }

    /// The end in this slot is about to be its.
    #[inline]
    pub(super) fn add_end(&self, index: u32) {
        self.ends.add(chunk_of_slot(index));
    }

    pub(super) fn may_have_end(&self, index: u32) -> bool {
        self.ends.has(chunk_of_slot(index))
    }
}
