//! Reach: which channels nobody can get at any more, because all their ends lie in messages that nobody can read.
//!
//! Knows nothing of what may be done about it. It marks as a collector does: an end that a process holds, or that lies
//! in a message somebody has in hand, is a root; an end in a message at rest is as reachable as the channel that keeps
//! it.

use super::tables::Tables;
use crate::engine::{EndName, Holder, Owner};
use crate::memory::Block;
use std::collections::{BTreeMap, BTreeSet, HashSet};

impl Tables {
    /// The channels that can be reached by nobody, each with the channels whose messages keep its ends. `delivered` are
    /// blocks that have a new owner, which has not tagged them yet.
    pub(super) fn unreachable(self, delivered: &HashSet<Block>) -> BTreeMap<u32, BTreeSet<u32>> {
        let (mut reached, mut kept) = (BTreeSet::new(), BTreeMap::<u32, BTreeSet<u32>>::new());
        for (index, generation, _) in self.ends.taken() {
            let end = EndName { index, generation };
            let Some((channel, _)) = self.end(end) else { continue };
            match self.keeper(end, delivered) {
                Some(keeper) => _ = kept.entry(channel.index).or_default().insert(keeper),
                None => _ = reached.insert(channel.index),
            }
        }
        loop {
            let before = reached.len();
            kept.retain(|channel, keepers| {
                let lost = !reached.contains(channel) && reached.is_disjoint(keepers);
                if !lost {
                    reached.insert(*channel);
                }
                lost
            });
            if reached.len() == before {
                return kept;
            }
        }
    }

    /// The channel that keeps the message in which an end lies, if the end lies in a message at rest.
    fn keeper(self, end: EndName, delivered: &HashSet<Block>) -> Option<u32> {
        match self.holder(end) {
            Some(Holder::Block(block)) if !delivered.contains(&block) => {
                match Owner::of(self.arena.block(block).owner()) {
                    Some(Owner::Channel(channel)) => Some(channel),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
