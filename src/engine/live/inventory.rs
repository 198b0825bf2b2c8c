//! The inventory: what is found where somebody may have left something.
//!
//! Knows nothing of what becomes of it. Where to look is said in [`estate`](super::estate), before there is anything.

use super::context::Context;
use super::end::{End, Keeping};
use super::estate::Estate;
use super::local::Local;
use super::sync::Ordering;
use super::tables::Tables;
use crate::engine::{EndName, Holder, Owner};
use crate::memory::{Block, Claimant};
use std::collections::BTreeSet;

impl Owner {
    fn estate(self, tables: Tables) -> Option<&'static Estate> {
        match self {
            Owner::Context(index) => tables.contexts.get(index).map(|context| &context.estate),
            Owner::Member(index) => tables.members.get(index).map(|member| &member.estate),
            // Its blocks are in its list.
            Owner::Channel(_) => None,
        }
    }
}

impl Tables {
    /// One who is about to own a block.
    #[inline]
    pub(crate) fn claimant(self, owner: Owner) -> Claimant<'static> {
        match owner.estate(self) {
            Some(estate) => Claimant::new(owner.tag(), &estate.blocks),
            None => Claimant::untraced(owner.tag()),
        }
    }

    /// Whether the estate of an owner leads to a block of it.
    pub(super) fn leads_to(self, owner: Owner, block: Block) -> bool {
        owner.estate(self).is_none_or(|estate| self.arena.is_traced(block, &estate.blocks))
    }

    /// The blocks that a context or a member owns.
    pub(super) fn blocks_of(self, owner: Owner) -> Vec<Block> {
        let Some(estate) = owner.estate(self) else { return Vec::new() };
        let blocks = self.arena.traced_blocks(&estate.blocks).filter(|(_, header)| header.owner() == owner.tag());
        blocks.map(|(block, _)| block).collect()
    }

    /// Where a holder may have ends; a block does not say.
    pub(super) fn estate_of(self, holder: Holder) -> Option<&'static Estate> {
        match holder {
            Holder::Member(index) | Holder::Exit(index) => self.members.get(index).map(|member| &member.estate),
            Holder::Block(_) => None,
        }
    }

    /// All ends that `holder` holds, in order.
    pub(crate) fn held_by(self, holder: Holder) -> Vec<EndName> {
        match self.estate_of(holder) {
            Some(estate) => names_of(self.ends.traced(&estate.ends), |seen| seen == holder),
            None => self.held_by_any(|seen| seen == holder),
        }
    }

    /// All ends that one of these holds.
    pub(super) fn held_by_any(self, is_one: impl Fn(Holder) -> bool) -> Vec<EndName> {
        names_of(self.ends.taken(), is_one)
    }

    /// The ends that this context, which is dead, has in its hands, each with the word that says so: it was making or
    /// closing them, or they are units.
    pub(super) fn ends_in_hand(self, number: u32, context: &Context) -> Vec<(u32, u32, &'static End, Keeping)> {
        let found = self.ends.traced(&context.estate.ends).filter_map(|(index, generation, end)| {
            let keeping = Keeping(end.keeping.load(Ordering::Acquire));
            // Of the generation before: a unit that was just renewed.
            let is_its = keeping.is_of(generation) || keeping.is_of(generation.wrapping_sub(2));
            (is_its && keeping.hand() == Some(number)).then_some((index, generation, end, keeping))
        });
        found.collect()
    }

    /// The channels whose locks this context may hold, which is dead, or units in its hands occupy.
    pub(super) fn locks_of(self, number: u32, context: &'static Context) -> BTreeSet<u32> {
        if context.member.load(Ordering::Acquire).is_none() {
            return self.channels.used().map(|(index, _)| index).collect();
        }
        let offered = context.offers(self).iter().map(|offer| offer.channel().index);
        let occupied = self.ends_in_hand(number, context).into_iter().map(|(_, _, end, _)| end.channel().index);
        offered.chain(occupied).chain(context.locking.load(Ordering::Acquire)).collect()
    }
}

fn names_of(ends: impl Iterator<Item = (u32, u32, &'static End)>, is_one: impl Fn(Holder) -> bool) -> Vec<EndName> {
    let held = ends.filter(|(_, generation, end)| end.holder(*generation).is_some_and(&is_one));
    held.map(|(index, generation, _)| EndName { index, generation }).collect()
}

impl Local {
    /// This thread, which is about to own a block.
    #[inline]
    pub(crate) fn claimant(&self) -> Claimant<'static> {
        Claimant::new(self.owner(), &self.context.estate.blocks)
    }

    /// This context is about to take the lock of a channel outside of an offer.
    #[inline]
    pub(super) fn about_to_lock(&self, index: u32) {
        self.context.locking.store(Some(index), Ordering::Release);
    }

    /// The word of an end, which is about to be in the hands of this context.
    #[inline]
    pub(super) fn in_hand(&self, index: u32, generation: u32) -> Keeping {
        self.context.estate.add_end(index);
        Keeping::in_hand(self.index, generation)
    }

    /// This holder is about to hold an end.
    #[inline]
    pub(super) fn note_end_of(&self, holder: Holder, index: u32) {
        if let Some(estate) = self.tables.estate_of(holder) {
            estate.add_end(index);
        }
    }
}
