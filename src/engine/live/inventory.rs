//! The inventory: what is found where somebody may have left something.
//!
//! Knows nothing of what becomes of it. Where to look is said in [`estate`](super::estate), before there is anything.

use super::context::Context;
use super::end::{End, Keeping, Taken};
use super::estate::Estate;
use super::local::Local;
use super::sync::Ordering;
use super::tables::Tables;
use crate::engine::{ChannelName, EndName, Holder, Owner};
use crate::memory::{Block, Claimant, chunk_of_slot, is_block};
use std::collections::{BTreeSet, HashSet};

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
        if let Holder::Block(block) = holder {
            return self.travelling_in(&HashSet::from([block]));
        }
        let Some(estate) = self.estate_of(holder) else { return Vec::new() };
        names_of(self.ends.traced(&estate.ends), |seen| seen == holder).collect()
    }

    /// All ends that travel in these blocks, in order. The latest are looked at first, and no more when so many have
    /// been found as the blocks have counted, which is never too few.
    pub(super) fn travelling_in(self, blocks: &HashSet<Block>) -> Vec<EndName> {
        let count = blocks.iter().map(|block| self.arena.block(*block).ends().load(Ordering::Acquire) as usize).sum();
        let latest = (0..self.ends.chunks()).rev().flat_map(|chunk| self.ends.taken_in(chunk));
        let travels = |holder| matches!(holder, Holder::Block(block) if blocks.contains(&block));
        let mut found: Vec<EndName> = names_of(latest, travels).take(count).collect();
        found.sort_unstable_by_key(|end| end.index);
        found
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

    /// The ends of a channel, in order.
    pub(super) fn ends_of(self, name: ChannelName) -> Vec<Taken> {
        self.ends_of_any(&BTreeSet::from([name]))
    }

    /// The ends of these channels, in order.
    pub(super) fn ends_of_any(self, names: &BTreeSet<ChannelName>) -> Vec<Taken> {
        let chunks = self.chunks_of_ends(names);
        let ends = chunks.into_iter().flat_map(|chunk| self.ends.taken_in(chunk));
        ends.filter(|(_, _, end)| names.contains(&end.channel())).collect()
    }

    /// Where the ends of these channels may be. Those of a gate are anywhere.
    pub(super) fn chunks_of_ends(self, names: &BTreeSet<ChannelName>) -> BTreeSet<u32> {
        let end = self.ends.chunks();
        let mut chunks = BTreeSet::new();
        for channel in names.iter().filter_map(|name| self.channels.get(name.index)) {
            if channel.is_gate() {
                return (0..end).collect();
            }
            chunks.extend(channel.places.chunks(end));
        }
        chunks
    }

    /// Whether a channel, if it is still there, leads to an end of it.
    pub(super) fn leads_to_end(self, name: ChannelName, index: u32) -> bool {
        self.channel(name).is_none_or(|channel| channel.is_gate() || channel.places.has(chunk_of_slot(index)))
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

fn names_of(ends: impl Iterator<Item = Taken>, is_one: impl Fn(Holder) -> bool) -> impl Iterator<Item = EndName> {
    let held = ends.filter(move |(_, generation, end)| end.holder(*generation).is_some_and(&is_one));
    held.map(|(index, generation, _)| EndName { index, generation })
}

impl Local {
    /// This thread, which is about to own a block.
    #[inline]
    pub(crate) fn claimant(&self) -> Claimant<'static> {
        Claimant::new(self.owner(), &self.context.estate.blocks)
    }

    /// What this context offers is its own, whoever staged it: a future, or another thread. By another tag, whoever
    /// buries it would take the exchange for made as soon as it was announced.
    #[inline]
    pub(super) fn claim(&self, block: Block) {
        if is_block(block) && self.tables.arena.block(block).owner() != self.owner() {
            self.tables.arena.give_block(block, self.claimant());
        }
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

    /// This channel is about to have an end.
    pub(super) fn note_place_of_end(&self, name: ChannelName, index: u32) {
        if let Some(channel) = self.tables.channel(name) {
            channel.places.add(chunk_of_slot(index));
        }
    }

    /// This holder is about to hold an end.
    #[inline]
    pub(super) fn note_end_of(&self, holder: Holder, index: u32) {
        if let Some(estate) = self.tables.estate_of(holder) {
            estate.add_end(index);
        }
    }
}
