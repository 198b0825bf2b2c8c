//! The buffer of a channel: messages at rest, in order of arrival, linked through their own headers.
//!
//! Knows nothing of offers. Everything happens under the channel's lock. The list is as long as the messages that
//! follow each other from `head`; each change is published by one store, and `tail` and `length` follow it:
//!
//! ```text
//!   append   block.next := NONE; block tagged CHANNEL; last.next (or head) := block  published
//!   take     head := head.next                                                    published; the taker tags the block
//!   put back block.next := head; head := block                                    published; block tagged CHANNEL
//!   replace  block.back := newest.back; block tagged CHANNEL;
//!            newest.back.next (or head) := block                              published; the newest is out
//! ```
//! A process killed before the publishing store leaves a block that is still its own, or one tagged CHANNEL that is not
//! in the list. A process killed after it leaves `tail` and `length` wrong, or a tag. [`Local::repair_buffer`] walks
//! the list, and sets all three. What has the tag but is not in the list was in the hands of the dead, on its way in or
//! out, and gets their tag: it goes as all that they had, and the ends that travel in it by their policy. The one
//! message that is not theirs is that of a writer who was told that it was written: see [`Local::refill`].
//!
//! **The spare of a channel.** A reader takes a block out of the buffer, and a writer puts one in: so the reader leaves
//! the one in its hand, and the next writer has it for its next message, without a word to all who take blocks. It has
//! the tag of the channel as long as the channel names it:
//! ```text
//!   leave    block tagged CHANNEL; spare := block     published
//!   take     spare := NONE                            published; the taker tags the block
//! ```
//! so whoever is killed in between leaves a block with the tag that is nowhere, as above. It is one block, not a large
//! one, and none is left once the arena was full: then whoever reads makes room for everybody.

use super::channel::{Channel, DROP_NEWEST, NO_READERS, OVERWRITE_NEWEST, OVERWRITE_OLDEST};
use super::commit::{Exchange, Side};
use super::local::Local;
use super::sync::Ordering;
use super::tables::Tables;
use crate::engine::{ChannelName, Closing, EndName, Owner};
use crate::memory::{Block, NONE};
use std::collections::HashSet;

/// What became of a message that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Stored {
    Yes,
    /// The buffer is full, and its writers wait.
    Full,
}

impl Channel {
    fn append(&self, tables: Tables, index: u32, block: Block) {
        let last = self.tail.load(Ordering::Relaxed);
        let header = tables.arena.block(block);
        header.next().store(NONE, Ordering::Relaxed);
        header.back().store(last, Ordering::Relaxed);
        header.set_owner(Owner::Channel(index).tag());
        match self.head.load(Ordering::Relaxed) {
            NONE => self.head.store(block, Ordering::Release),
            _ => tables.arena.block(last).next().store(block, Ordering::Release),
        }
        self.tail.store(block, Ordering::Relaxed);
        self.length.store(self.length.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Puts a message before all others.
    fn prepend(&self, tables: Tables, index: u32, block: Block) {
        let first = self.head.load(Ordering::Relaxed);
        let header = tables.arena.block(block);
        header.next().store(first, Ordering::Relaxed);
        header.back().store(NONE, Ordering::Relaxed);
        self.head.store(block, Ordering::Release);
        header.set_owner(Owner::Channel(index).tag());
        match first {
            NONE => self.tail.store(block, Ordering::Relaxed),
            first => tables.arena.block(first).back().store(block, Ordering::Relaxed),
        }
        self.length.store(self.length.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Takes the oldest message out. Its tag is still the channel's.
    fn pop(&self, tables: Tables) -> Option<Block> {
        let block = self.head.load(Ordering::Relaxed);
        if block == NONE {
            return None;
        }
        let next = tables.arena.block(block).next().load(Ordering::Relaxed);
        self.head.store(next, Ordering::Release);
        match next {
            NONE => self.tail.store(NONE, Ordering::Relaxed),
            next => tables.arena.block(next).back().store(NONE, Ordering::Relaxed),
        }
        self.length.store(self.length.load(Ordering::Relaxed).saturating_sub(1), Ordering::Release);
        Some(block)
    }

    /// The messages in the buffer, oldest first; exact under the lock.
    pub(super) fn stored(&self, tables: Tables) -> Vec<Block> {
        let (mut stored, mut seen) = (Vec::new(), HashSet::new());
        let mut block = self.head.load(Ordering::Acquire);
        while block != NONE && seen.insert(block) {
            stored.push(block);
            block = tables.arena.block(block).next().load(Ordering::Acquire);
        }
        stored
    }

    /// The block that a reader has left.
    pub(super) fn spared(&self) -> Option<Block> {
        Some(self.spare().load(Ordering::Acquire)).filter(|spare| *spare != NONE)
    }

    /// Puts a message in the place of the newest one, which comes out, by the one store that publishes it.
    fn replace_newest(&self, tables: Tables, index: u32, block: Block) -> Option<Block> {
        let newest = self.tail.load(Ordering::Relaxed);
        let before = tables.arena.block(newest).back().load(Ordering::Relaxed);
        let header = tables.arena.block(block);
        header.next().store(NONE, Ordering::Relaxed);
        header.back().store(before, Ordering::Relaxed);
        header.set_owner(Owner::Channel(index).tag());
        match before {
            NONE => self.head.store(block, Ordering::Release),
            before => tables.arena.block(before).next().store(block, Ordering::Release),
        }
        self.tail.store(block, Ordering::Relaxed);
        Some(newest)
    }
}

impl Local {
    /// Writer: puts a message into the buffer, or makes room as the channel's policy says.
    pub(super) fn store(&mut self, index: u32, channel: &Channel, block: Block) -> Stored {
        let tables = self.tables();
        let capacity = channel.capacity.load(Ordering::Relaxed);
        if channel.length.load(Ordering::Relaxed) >= capacity {
            let flags = channel.flags.load(Ordering::Relaxed);
            let dropped = match flags & (OVERWRITE_OLDEST | OVERWRITE_NEWEST | DROP_NEWEST) {
                0 => return Stored::Full,
                // Appended first: killed in between, a writer leaves a message too many, which the repair drops, and
                // not one too few.
                OVERWRITE_OLDEST if capacity > 0 => {
                    channel.append(tables, index, block);
                    channel.pop(tables)
                }
                OVERWRITE_NEWEST if capacity > 0 => channel.replace_newest(tables, index, block),
                _ => {
                    self.doomed.push(block);
                    return Stored::Yes;
                }
            };
            if let Some(dropped) = dropped {
                self.received(dropped);
                self.doomed.push(dropped);
            }
            return Stored::Yes;
        }
        channel.append(tables, index, block);
        if self.hand == NONE {
            self.take_spare_of(channel);
        }
        Stored::Yes
    }

    /// Reader: leaves the block in its hand for the next writer, if there is none.
    #[inline]
    fn leave_spare(&mut self, index: u32, channel: &Channel) {
        let (tables, hand) = (self.tables(), self.hand);
        // What has the tag of a channel that counts tasks is a message.
        if hand != NONE
            && channel.spare().load(Ordering::Relaxed) == NONE
            && !channel.counts_tasks()
            && tables.arena.is_to_spare(hand)
        {
            tables.arena.block(hand).set_owner(Owner::Channel(index).tag());
            channel.spare().store(hand, Ordering::Release);
            self.hand = NONE;
        }
    }

    /// Writer, with nothing in its hand: takes what a reader has left.
    #[inline]
    fn take_spare_of(&mut self, channel: &Channel) {
        let spare = channel.spare().load(Ordering::Relaxed);
        if spare != NONE {
            channel.spare().store(NONE, Ordering::Release);
            self.received(spare);
            self.hand = spare;
        }
    }

    /// Under the lock: nobody writes any more.
    pub(super) fn drop_spare(&mut self, channel: &Channel) {
        let hand = std::mem::replace(&mut self.hand, NONE);
        self.take_spare_of(channel);
        self.doomed.extend((self.hand != NONE).then_some(self.hand));
        self.hand = hand;
    }

    /// Reader: the oldest message of the buffer. A writer that waited for room is committed with the block in the hand.
    pub(super) fn take_stored(&mut self, index: u32, channel: &Channel) -> Option<Block> {
        let block = channel.pop(self.tables())?;
        if channel.counts_tasks() {
            self.task_was_read(channel);
        }
        self.count(channel);
        self.received(block);
        if channel.outputs.is_empty() {
            self.leave_spare(index, channel);
        } else {
            self.refill(index, channel);
        }
        Some(block)
    }

    /// The first writer that waits stores its message.
    ///
    /// It is told so by the commit, and the message is appended afterwards. Killed in between, the reader has announced
    /// the exchange, and whoever repairs the buffer appends the message in its place.
    // Most who take find nobody waiting, and then need none of its registers.
    #[inline(never)]
    fn refill(&mut self, index: u32, channel: &Channel) {
        if channel.length.load(Ordering::Relaxed) >= channel.capacity.load(Ordering::Relaxed) {
            return;
        }
        let storing = Exchange::Storing { giving: self.hand, channel: index };
        let Some(writer) = self.commit_first(channel, &channel.outputs, storing) else { return };
        self.hand = NONE;
        channel.append(self.tables(), index, writer.taking);
        // Under the lock still. The message is not ours, and goes its way; stopped here, and killed later, we would
        // have the reaper settle an exchange whose blocks have new owners by then:
        //     reader               others                                       reaper
        //     unlock; stopped      read the message; give its block to the
        //                          writer, who writes the next one into it
        //     killed                                            frees it, as the writer's old one
        self.context.exchange_done();
        self.partner = writer.parked.then_some(writer.context);
    }

    /// A reader that has taken a message, but not read it, puts it back: the next reader takes it before all others,
    /// whether the channel has a buffer or not. In the end of the reader it would keep other readers waiting, and be
    /// gone with that end. The channel still stands in the reader's table, by which the reaper finds the lock
    /// (`let_partners_finish`).
    pub(crate) fn put_back(&mut self, name: ChannelName, reader: EndName, block: Block) {
        let tables = self.tables();
        let Some(locked) = self.lock(name) else { return self.discard(block, Closing::Retire) };
        let (me, channel) = (&mut *locked.local, locked.channel);
        let flags = channel.flags.load(Ordering::Relaxed);
        let full = channel.length.load(Ordering::Relaxed) >= channel.capacity.load(Ordering::Relaxed);
        // The oldest one makes room; and without a reader nobody reads it. Poison does not keep it from being read: the
        // communication was before.
        if flags & NO_READERS != 0 || flags & OVERWRITE_OLDEST != 0 && full {
            me.doomed.push(block);
            me.task_was_put_back(channel, reader);
            me.let_joins_go(channel);
            return;
        }
        let exchange = Exchange::Messages { giving: block, side: Side::Output, buffered: true };
        match me.commit_first(channel, &channel.inputs, exchange) {
            Some(other) => {
                if channel.counts_tasks() {
                    channel.task_was_handed_over();
                }
                me.received(other.taking);
                me.context.exchange_done();
                me.doomed.push(other.taking);
                me.wake_later(other);
            }
            None => channel.prepend(tables, name.index, block),
        }
        me.task_was_put_back(channel, reader);
    }

    /// Under the lock: what is in the buffer will not be read.
    pub(super) fn empty_buffer(&mut self, channel: &Channel) {
        while let Some(block) = channel.pop(self.tables()) {
            self.received(block);
            self.doomed.push(block);
        }
    }

    /// Reaper, under a lock taken over from this context, which is dead.
    pub(super) fn repair_buffer(&mut self, name: ChannelName, channel: &Channel, dead: u32) {
        let tables = self.tables();
        let mut stored = channel.stored(tables);
        let mut superfluous = Vec::new();
        if channel.flags.load(Ordering::Relaxed) & OVERWRITE_OLDEST != 0 {
            // One too many: its writer died before the oldest made room.
            while stored.len() > (channel.capacity.load(Ordering::Relaxed) as usize).max(1) {
                superfluous.push(stored.remove(0));
            }
            channel.head.store(stored.first().copied().unwrap_or(NONE), Ordering::Release);
        }
        let befores = std::iter::once(&NONE).chain(&stored);
        let tag = Owner::Channel(name.index).tag();
        for (block, before) in stored.iter().zip(befores) {
            let header = tables.arena.block(*block);
            header.back().store(*before, Ordering::Relaxed);
            header.set_owner(tag);
        }
        // Of a gate, which keeps a cell here, it counts permits.
        if !channel.is_gate() {
            channel.tail.store(stored.last().copied().unwrap_or(NONE), Ordering::Relaxed);
        }
        channel.length.store(stored.len() as u32, Ordering::Release);
        let mut present: HashSet<Block> = stored.into_iter().chain(channel.spared()).collect();
        // A reader that died had told a writer that its message was stored. Who stores holds the lock, so it is the one
        // that the lock was taken over from, whether it is being buried or, killed meanwhile, will be buried later.
        for (number, _, context) in tables.contexts.taken() {
            if context.storing.load(Ordering::Acquire) != Some(name.index) {
                continue;
            }
            if let Some(promised) = self.committed_exchange(number, context)
                && !present.contains(&promised)
            {
                channel.append(tables, name.index, promised);
                present.insert(promised);
            }
            context.exchange_done();
        }
        for block in superfluous {
            self.received(block);
            self.doomed.push(block);
        }
        let blocks = tables.arena.blocks().filter(|(_, header)| header.owner() == tag);
        let stray: Vec<Block> = blocks.map(|(block, _)| block).filter(|block| !present.contains(block)).collect();
        if channel.counts_tasks() {
            // Before they are the dead's: a burial that is cut short here finds them again.
            self.note_tasks_of_the_dead(name, channel, dead, &stray, &present);
        }
        for block in stray {
            tables.arena.give_block(block, tables.claimant(Owner::Context(dead)));
        }
    }
}
