//! The audit: everything in the arena that is taken, and everything that does not fit together.
//!
//! Knows nothing of what may be done about it. It reads without locks while others go on, so a finding may be a moment
//! in the middle of an operation; only what is found again and again is wrong.

use super::channel::{Channel, NO_READERS, NO_WRITERS};
use super::context::{Context, Offer};
use super::end::{Keeping, Taken};
use super::member::Phase;
use super::sync::Ordering;
use super::tables::Tables;
use super::word::{Snapshot, State};
use crate::engine::{ChannelName, Direction, EndName, Holder, Owner};
use crate::memory::{Block, Slot};
use std::collections::{HashMap, HashSet};

/// How much is taken of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) members: usize,
    pub(crate) contexts: usize,
    pub(crate) channels: usize,
    /// Without units that nobody holds: those who wait at a gate, or have, keep them in hand.
    pub(crate) ends: usize,
    /// Blocks that somebody owns.
    pub(crate) blocks: usize,
    pub(crate) active: i32,
}

impl Tables {
    pub(crate) fn census(self) -> Census {
        Census {
            members: self.seen_processes().iter().filter(|process| process.is_of_the_network()).count(),
            contexts: self.contexts.taken().count(),
            channels: self.channels.taken().count(),
            ends: self.ends.taken().filter(|(_, _, end)| !end.is_unit_in_hand()).count(),
            blocks: self.arena.blocks().filter(|(_, header)| header.owner() != 0).count(),
            active: self.arena.shared().active.load(Ordering::Acquire),
        }
    }

    /// Everything that does not fit together, in words.
    pub(crate) fn faults(self) -> Vec<String> {
        let living: HashSet<u32> = self
            .members
            .taken()
            .filter(|(_, _, member)| member.phase() != Phase::Gone)
            .map(|(index, _, _)| index)
            .collect();
        let mut faults = Vec::new();
        self.contexts_that_hang(&living, &mut faults);
        self.channels_that_lie(&mut faults);
        self.ends_of_nobody(&living, &mut faults);
        self.blocks_of_nobody(&mut faults);
        self.references_that_lie(&mut faults);
        self.channels_out_of_reach(&mut faults);
        faults.extend(self.rings_of_nobody());
        faults
    }

    fn contexts_that_hang(self, living: &HashSet<u32>, faults: &mut Vec<String>) {
        for (index, _, context) in self.contexts.taken() {
            match context.host.load(Ordering::Acquire) {
                Some(host) if living.contains(&host) => (),
                Some(host) => faults.push(format!("context {index} belongs to process {host}, which is gone")),
                None => faults.push(format!("context {index} belongs to nobody")),
            }
            let word = context.word.read();
            match word.state() {
                State::Extended => {
                    let reader = match self.holder_of(word) {
                        Some(Owner::Context(reader)) => self.contexts.get(reader),
                        _ => None,
                    };
                    if reader.is_none_or(|reader| reader.state().taken().is_none()) {
                        faults.push(format!("context {index} waits for a reader that is gone"));
                    }
                }
                State::Claimed => {
                    let barrier = self.channels.get(word.block());
                    if barrier.is_none_or(|barrier| barrier.lock.holder().is_none()) {
                        faults.push(format!(
                            "context {index} is claimed for barrier {}, whose lock is free",
                            word.block()
                        ));
                    }
                }
                _ => (),
            }
        }
    }

    fn channels_that_lie(self, faults: &mut Vec<String>) {
        // One look at all ends and one at all offers, however many channels there are.
        let mut ends_of: HashMap<ChannelName, Vec<Taken>> = HashMap::new();
        for taken in self.ends.taken() {
            ends_of.entry(taken.2.channel()).or_default().push(taken);
        }
        let mut marked_at: HashMap<ChannelName, Vec<(&Offer, String)>> = HashMap::new();
        for (offer, called) in self.marked() {
            marked_at.entry(offer.channel()).or_default().push((offer, called));
        }
        for (index, generation, channel) in self.channels.taken() {
            let name = ChannelName { index, generation };
            let ends = ends_of.get(&name).map_or(&[][..], Vec::as_slice);
            let marked = marked_at.get(&name).map_or(&[][..], Vec::as_slice);
            if !self.lies_of(name, channel, ends, marked).is_empty() {
                // Others have gone on meanwhile: once more, with what there is now.
                let marked: Vec<_> = self.marked().filter(|(offer, _)| offer.channel() == name).collect();
                faults.extend(self.lies_of(name, channel, &self.ends_of(name), &marked));
            }
        }
    }

    /// What does not fit together at a channel that has these ends, and at which these offers are marked.
    fn lies_of(self, name: ChannelName, channel: &Channel, ends: &[Taken], marked: &[(&Offer, String)]) -> Vec<String> {
        let mut faults = Vec::new();
        let index = self.called(name.index);
        if let Some(holder) = channel.lock.holder() {
            faults.push(format!("the lock of channel {index} is held by context {holder}"));
        }
        let [readers, writers, handles, seats, units] = self.count_among(ends);
        let counted = [readers + seats + units, writers, handles];
        let said = [&channel.readers, &channel.writers, &channel.handles].map(|count| count.load(Ordering::Acquire));
        if counted != said {
            faults.push(format!("channel {index} says it has {said:?} ends, and has {counted:?}"));
        }
        let stored = channel.stored(self).len();
        let length = channel.length.load(Ordering::Acquire) as usize;
        if stored != length {
            faults.push(format!("channel {index} says it keeps {length} messages, and keeps {stored}"));
        }
        let (weight, in_use) = (self.weigh_among(ends), channel.permits_in_use());
        if weight != in_use {
            faults.push(format!("gate {index} says that {in_use} permits are in use, and {weight} are"));
        }
        if channel.counts_tasks()
            && let (counted, open) = (self.count_open_among(name, ends), channel.open_tasks())
            && counted != open
        {
            faults.push(format!("queue {index} says that {open} tasks are open, and {counted} are"));
        }
        for queue in [&channel.inputs, &channel.outputs, &channel.joins] {
            let queued = queue.names(self).count();
            let here = marked.iter().filter(|(offer, _)| std::ptr::eq(channel.queue_of(offer), queue));
            let here: Vec<&str> = here.map(|(_, called)| called.as_str()).collect();
            if queued != here.len() {
                let marked = here.join(", ");
                faults.push(format!("channel {index}: {queued} offers are queued, but marked are [{marked}]"));
            }
            let ends = if std::ptr::eq(queue, &channel.joins) { NO_READERS } else { NO_READERS | NO_WRITERS };
            if queued > 0 && channel.flags.load(Ordering::Acquire) & ends != 0 {
                faults.push(format!("channel {index} has retired, and somebody waits"));
            }
        }
        faults
    }

    /// The offers of all contexts that are marked as standing in a queue.
    fn marked(self) -> impl Iterator<Item = (&'static Offer, String)> {
        self.contexts.taken().flat_map(move |(number, _, context)| linked(self, number, context))
    }

    fn ends_of_nobody(self, living: &HashSet<u32>, faults: &mut Vec<String>) {
        for (index, generation, _) in self.ends.taken() {
            let end = EndName { index, generation };
            let held = match self.holder(end) {
                Some(Holder::Member(member)) => living.contains(&member),
                Some(Holder::Block(block)) => self.arena.block(block).owner() != 0,
                // It stays until the starter has joined the process.
                Some(Holder::Exit(member)) => {
                    self.members.get(member).is_some_and(|slot| slot.state().taken().is_some())
                }
                // Somebody waits at a gate.
                None => self.is_of_a_waiter(end),
            };
            let estate = self.holder(end).and_then(|holder| self.estate_of(holder));
            if estate.is_some_and(|estate| !estate.may_have_end(index)) {
                faults.push(format!("end {index} would not be found if {:?} died", self.holder(end)));
            }
            if self.end(end).is_some_and(|(channel, _)| !self.leads_to_end(channel, index)) {
                faults.push(format!("end {index} would not be counted among those of its channel"));
            }
            if !held {
                faults.push(format!("end {index} is held by {:?}, which is gone", self.holder(end)));
            }
        }
    }

    /// Whether it is a unit that somebody who lives has in hand.
    fn is_of_a_waiter(self, end: EndName) -> bool {
        let Some(record) = self.ends.named(end.index, end.generation) else { return false };
        let hand = Keeping(record.keeping.load(Ordering::Acquire)).hand();
        let lives = |hand| self.contexts.get(hand).is_some_and(|context| context.state().taken().is_some());
        record.direction() == Direction::Unit && hand.is_some_and(lives)
    }

    fn channels_out_of_reach(self, faults: &mut Vec<String>) {
        for (index, keepers) in self.unreachable(&self.delivered()) {
            let keepers: Vec<String> = keepers.into_iter().map(|keeper| self.called(keeper)).collect();
            let (lost, keepers) = (self.called(index), keepers.join(", "));
            faults.push(format!("channel {lost} can be reached by nobody: its ends lie in messages of {{{keepers}}}"));
        }
    }

    /// The number of a channel, and its name if it has one.
    fn called(self, index: u32) -> String {
        match self.channels.get(index).map(Channel::name) {
            Some(name) if !name.is_empty() => format!("{index} `{name}`"),
            _ => index.to_string(),
        }
    }

    /// Blocks that are delivered, but their new owner has not run yet to tag them; the old one may be gone.
    fn delivered(self) -> HashSet<Block> {
        let words = self.contexts.taken().map(|(_, _, context)| context.word.read());
        words.filter(|word| word.names_block()).map(Snapshot::block).collect()
    }

    fn blocks_of_nobody(self, faults: &mut Vec<String>) {
        let of_channel = |channel: &Channel| channel.stored(self).into_iter().chain(channel.spared());
        let stored: HashSet<Block> = self.channels.taken().flat_map(|(_, _, channel)| of_channel(channel)).collect();
        let delivered = self.delivered();
        for (block, header) in self.arena.blocks() {
            let owner = Owner::of(header.owner());
            let owned = match owner {
                _ if delivered.contains(&block) => true,
                None => header.owner() == 0,
                Some(Owner::Context(index)) => {
                    self.contexts.get(index).is_some_and(|context| context.state().taken().is_some())
                }
                Some(Owner::Channel(_)) => stored.contains(&block),
                Some(Owner::Member(index)) => {
                    self.members.get(index).is_some_and(|member| member.phase() != Phase::Gone || member.keeps(block))
                }
            };
            if let Some(owner) = owner
                && !self.leads_to(owner, block)
            {
                faults.push(format!("block {block} would not be found if {owner:?} died"));
            }
            if !owned {
                faults.push(format!("block {block} is owned by {owner:?}, which is gone"));
            }
        }
    }
}

/// The offers of a context that are marked as standing in a queue, each told apart from those that it makes later. One
/// that a partner has committed is out of the queue; its owner, which has not run yet, clears the mark.
fn linked(tables: Tables, number: u32, context: &'static Context) -> impl Iterator<Item = (&'static Offer, String)> {
    let word = context.word.read();
    let offers = context.offers(tables).iter();
    let mine = offers.filter(move |offer| {
        let committed = word.is_committed() && word.guard() == usize::from(offer.guard());
        offer.is_linked() && !committed
    });
    mine.map(move |offer| (offer, format!("offer {} of context {number}, {word:?}", offer.guard())))
}
