//! The ends of channels, each counted once, whoever holds it and wherever it travels.
//!
//! Knows nothing of `Reader` and `Writer` types. An end is held by a member (a process) or by a block (it travels in a
//! message or waits in the arguments of a process). So whatever dies, the reaper finds the ends that died with it.
#![expect(unsafe_code, reason = "promises that its record consists of atomics; listed in the architecture page")]

use super::channel::{ChannelKind, FRESH, HAD_READERS, HAD_WRITERS, LOST, NO_READERS, NO_WRITERS, POISONED};
use super::local::Local;
use super::sync::{AtomicU32, AtomicU64, Ordering, mutant};
use super::tables::{Tables, take};
use crate::engine::{ChannelName, Fate};
use crate::memory::{ArenaError, Block, Home, Shareable, Slot, SlotState};

/// Which side of a channel an end is on; a handle keeps a channel in existence without being on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    Reader,
    Writer,
    Handle,
    /// A seat at a barrier.
    Party,
}

impl Direction {
    fn of(raw: u32) -> Direction {
        match raw {
            0 => Direction::Reader,
            1 => Direction::Writer,
            3 => Direction::Party,
            _ => Direction::Handle,
        }
    }
}

/// The name of an end: its slot and the generation of that slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EndName {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// Who holds an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Member(u32),
    Block(Block),
    /// The end whose retirement tells that this member is gone.
    Exit(u32),
}

impl Holder {
    fn raw(self) -> u64 {
        match self {
            Holder::Member(index) => 1 << 32 | u64::from(index),
            Holder::Block(block) => 2 << 32 | u64::from(block),
            Holder::Exit(index) => 3 << 32 | u64::from(index),
        }
    }

    fn of(raw: u64) -> Option<Holder> {
        match raw >> 32 {
            1 => Some(Holder::Member(raw as u32)),
            2 => Some(Holder::Block(raw as u32)),
            3 => Some(Holder::Exit(raw as u32)),
            _ => None,
        }
    }
}

/// How an end goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// The end is no longer needed.
    Retire,
    /// The channel must not be used any more.
    Poison,
    /// A party of a barrier leaves it, whoever else has a seat.
    Resign,
    /// The member died, and its policy is to poison.
    Lost { member: u32 },
}

#[repr(C)]
#[derive(Debug)]
pub(super) struct End {
    state: SlotState,
    holder: AtomicU64,
    channel: AtomicU32,
    generation: AtomicU32,
    direction: AtomicU32,
    /// The context that requested it, or took it out of a message, plus one.
    maker: AtomicU32,
}

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for End {}

impl Slot for End {
    fn state(&self) -> &SlotState {
        &self.state
    }
}

impl End {
    fn channel(&self) -> ChannelName {
        ChannelName { index: self.channel.load(Ordering::Relaxed), generation: self.generation.load(Ordering::Relaxed) }
    }

    fn direction(&self) -> Direction {
        Direction::of(self.direction.load(Ordering::Relaxed))
    }
}

impl Tables {
    /// Who holds an end, if it still exists.
    pub(crate) fn holder(self, end: EndName) -> Option<Holder> {
        Holder::of(self.ends.named(end.index, end.generation)?.holder.load(Ordering::Acquire))
    }

    /// The channel and the side of an end, if it still exists.
    pub(crate) fn end(self, end: EndName) -> Option<(ChannelName, Direction)> {
        self.ends.named(end.index, end.generation).map(|end| (end.channel(), end.direction()))
    }

    /// All ends that `holder` holds.
    pub(crate) fn held_by(self, holder: Holder) -> Vec<EndName> {
        let raw = holder.raw();
        self.ends
            .taken()
            .filter(|(_, _, end)| end.holder.load(Ordering::Acquire) == raw)
            .map(|(index, generation, _)| EndName { index, generation })
            .collect()
    }

    /// The ends of a channel by direction: what its counts must be.
    pub(super) fn count_ends(self, channel: ChannelName) -> [u32; 4] {
        let mut counts = [0; 4];
        for (_, _, end) in self.ends.taken() {
            if end.channel() == channel && end.holder.load(Ordering::Acquire) != 0 {
                counts[end.direction() as usize] += 1;
            }
        }
        counts
    }

    /// Why a channel can no longer be used, if so.
    pub(crate) fn channel_fate(self, channel: ChannelName) -> Option<Fate> {
        match self.channel(channel) {
            Some(channel) => channel.fate(),
            None => Some(Fate::Retired),
        }
    }

    /// How many parties a barrier has.
    pub(crate) fn parties(self, channel: ChannelName) -> usize {
        self.channel(channel).map_or(0, |channel| channel.capacity.load(Ordering::Acquire) as usize)
    }

    /// How many messages lie in the buffer of a channel.
    pub(crate) fn buffered(self, channel: ChannelName) -> usize {
        self.channel(channel).map_or(0, |channel| channel.length.load(Ordering::Acquire) as usize)
    }

    pub(crate) fn channel_name(self, channel: ChannelName) -> Option<String> {
        self.channel(channel).map(super::channel::Channel::name)
    }
}

impl Local {
    /// Makes a channel, with one handle held by `holder`.
    pub(crate) fn create_channel(
        &mut self,
        name: &str,
        kind: ChannelKind,
        holder: Holder,
    ) -> Result<(ChannelName, EndName), ArenaError> {
        let tables = self.tables();
        let maker = self.index;
        let (index, generation, _) = take(tables.channels, Home::Channels, |channel| channel.reset(name, kind, maker))?;
        let name = ChannelName { index, generation };
        match self.request_end(name, Direction::Handle, holder) {
            Ok(end) => Ok((name, end)),
            Err(error) => {
                tables.channels.give_back(index);
                Err(error)
            }
        }
    }

    /// Makes one more end of a channel. A side that has retired stays retired.
    pub(crate) fn request_end(
        &mut self,
        name: ChannelName,
        direction: Direction,
        holder: Holder,
    ) -> Result<EndName, ArenaError> {
        let tables = self.tables();
        let maker = self.index + 1;
        let (index, generation, end) = take(tables.ends, Home::Ends, |end| {
            end.channel.store(name.index, Ordering::Relaxed);
            end.generation.store(name.generation, Ordering::Relaxed);
            end.direction.store(direction as u32, Ordering::Relaxed);
            end.maker.store(maker, Ordering::Relaxed);
            end.holder.store(0, Ordering::Relaxed);
        })?;
        // Counted too early rather than too late: killed before the record is complete, the counter only makes the
        // reaper look once more.
        self.count_held(holder, 1);
        if let Some(channel) = self.lock(name) {
            // The record counts from the moment it has a holder; when we are killed between the two lines below, the
            // reaper counts the records again.
            end.holder.store(holder.raw(), Ordering::Release);
            channel.count(direction).fetch_add(1, Ordering::Relaxed);
            channel.lower(FRESH);
            match direction {
                Direction::Reader => channel.raise(HAD_READERS),
                Direction::Writer => channel.raise(HAD_WRITERS),
                Direction::Handle | Direction::Party => (),
            }
            self.unlock(channel);
        } else {
            end.holder.store(holder.raw(), Ordering::Release);
        }
        Ok(EndName { index, generation })
    }

    /// Hands an end from one holder to another. Fails if `from` does not hold it (any more).
    pub(crate) fn move_end(&mut self, end: EndName, from: Holder, to: Holder) -> bool {
        let Some(record) = self.tables().ends.named(end.index, end.generation) else { return false };
        // Counted too early rather than too late, as in `request_end`: killed in between, a block would carry an end
        // and say that it carries none.
        self.count_held(to, 1);
        let moved = record.holder.compare_exchange(from.raw(), to.raw(), Ordering::AcqRel, Ordering::Acquire).is_ok();
        if moved {
            record.maker.store(self.index + 1, Ordering::Relaxed);
        }
        self.count_held(if moved { from } else { to }, -1);
        moved
    }

    /// Takes an end out of existence, and its channel with the last one. Closing an end twice is closing it once.
    ///
    /// The record loses its holder and the channel its count under the channel's lock: killed in between, the reaper
    /// breaks the lock and counts the records again.
    pub(crate) fn close_end(&mut self, end: EndName, closing: Closing) {
        let tables = self.tables();
        let Some(record) = tables.ends.named(end.index, end.generation) else { return };
        let (name, direction) = (record.channel(), record.direction());
        let Some(channel) = self.lock(name) else {
            // The end was requested of a channel that was gone already: nothing counts it.
            if let Some(holder) = Holder::of(record.holder.swap(0, Ordering::AcqRel)) {
                tables.ends.give_back(end.index);
                self.count_held(holder, -1);
            }
            return;
        };
        let mine = record.state.is(end.generation) && record.holder.load(Ordering::Acquire) != 0;
        if mine {
            // Before the record goes: killed in between, the reaper must not take a poison for a retirement.
            channel.raise(self.closing_bits(channel, direction, closing));
            // From here on it is in our hands: with nobody as its holder, the reaper finds it by this.
            record.maker.store(self.index + 1, Ordering::Relaxed);
            if direction == Direction::Party {
                let left = channel.count(direction).load(Ordering::Relaxed).saturating_sub(1);
                channel.intend_to_leave(if closing == Closing::Resign { 0 } else { left });
            }
        }
        let holder = if mine { Holder::of(record.holder.swap(0, Ordering::AcqRel)) } else { None };
        if holder.is_some() {
            if direction == Direction::Party {
                channel.leave_as_intended();
            }
            let left = channel.count(direction).fetch_sub(1, Ordering::Relaxed) - 1;
            let gone = match direction {
                Direction::Reader if left == 0 => NO_READERS,
                Direction::Writer if left == 0 => NO_WRITERS,
                _ => 0,
            };
            channel.raise(gone);
            if direction == Direction::Reader && channel.fate().is_some() && (gone != 0 || closing != Closing::Retire) {
                self.empty_buffer(channel);
            }
            if direction == Direction::Party {
                self.complete_without(name.index, channel);
            }
            self.resolve(channel);
            tables.ends.give_back(end.index);
            self.free_if_unused(name, channel);
        }
        self.unlock(channel);
        if let Some(holder) = holder {
            self.count_held(holder, -1);
        }
        self.after_unlock();
    }

    /// Reaper: frees the records of ends that the dead had taken for an end that never came to be, or of an end that
    /// they were closing.
    ///
    /// ```text
    ///   request   taken, maker ── killed ── holder            the end never was
    ///   close     maker, holder := 0 ── killed ── given back  the end is gone; its channel was counted
    ///                                                         again with the lock
    /// ```
    pub(super) fn free_half_made_ends(&mut self, of_the_dead: impl Fn(u32) -> bool) {
        let tables = self.tables();
        for (index, _, end) in tables.ends.taken() {
            let maker = end.maker.load(Ordering::Relaxed).checked_sub(1);
            let half_made = end.holder.load(Ordering::Acquire) == 0 && maker.is_some_and(&of_the_dead);
            if half_made && !mutant!("closed ends are not given back") {
                tables.ends.give_back(index);
            }
        }
    }

    /// Reaper: frees channels that the dead had taken and to which they had given no end yet.
    pub(super) fn free_half_made_channels(&mut self, of_the_dead: impl Fn(u32) -> bool) {
        let tables = self.tables();
        for (index, generation, channel) in tables.channels.taken() {
            if !channel.fresh_maker().is_some_and(&of_the_dead) {
                continue;
            }
            if let Some(channel) = self.lock(ChannelName { index, generation }) {
                if channel.fresh_maker().is_some_and(&of_the_dead) {
                    channel.lower(FRESH);
                    self.free_if_unused(ChannelName { index, generation }, channel);
                }
                self.unlock(channel);
            }
            self.after_unlock();
        }
    }

    /// Under the lock: a channel without ends and handles goes back to the pool.
    ///
    /// Whoever still knows the name and waits for the lock finds another generation afterwards.
    pub(super) fn free_if_unused(&mut self, name: ChannelName, channel: &super::channel::Channel) {
        if channel.is_unused() {
            let flags = channel.flags.load(Ordering::Relaxed);
            if flags & LOST != 0 {
                self.releases.push(channel.lost.load(Ordering::Relaxed));
            }
            self.empty_buffer(channel);
            self.tables().channels.give_back(name.index);
        }
    }

    /// Poisons the channel of an end; the end stays. What a writer poisons is read to the end first, what a reader
    /// poisons is not.
    pub(crate) fn poison(&mut self, name: ChannelName, direction: Direction) {
        self.poison_quietly(name, direction, Closing::Poison);
        self.after_unlock();
    }

    /// Poisons channels as a writer does, with a deadlock as the reason if there is a record of it. Nobody wakes before
    /// all of them are poisoned: whoever did could end, and what others still wait for would be retired and not
    /// poisoned.
    pub(crate) fn poison_all(&mut self, names: impl IntoIterator<Item = ChannelName>, record: Option<u32>) {
        let closing = record.map_or(Closing::Poison, |member| Closing::Lost { member });
        for name in names {
            self.poison_quietly(name, Direction::Writer, closing);
        }
        self.after_unlock();
    }

    fn poison_quietly(&mut self, name: ChannelName, direction: Direction, closing: Closing) {
        if let Some(channel) = self.lock(name) {
            let bits = self.closing_bits(channel, direction, closing);
            channel.raise(bits);
            if direction == Direction::Reader {
                self.empty_buffer(channel);
            }
            self.resolve(channel);
            self.unlock(channel);
        }
    }

    fn closing_bits(&self, channel: &super::channel::Channel, direction: Direction, closing: Closing) -> u32 {
        match (direction, closing) {
            (Direction::Handle | Direction::Party, _) | (_, Closing::Retire | Closing::Resign) => 0,
            (_, Closing::Poison) => POISONED,
            (_, Closing::Lost { member }) => {
                if channel.flags.load(Ordering::Relaxed) & POISONED != 0 {
                    return POISONED;
                }
                self.tables().hold_member(member);
                channel.lost.store(member, Ordering::Release);
                POISONED | LOST
            }
        }
    }

    /// Closes every end that travels in a block, which is about to be freed.
    pub(crate) fn close_travelling(&mut self, block: Block, closing: Closing) {
        let tables = self.tables();
        if tables.arena.block(block).ends().load(Ordering::Acquire) == 0 {
            return;
        }
        for end in tables.held_by(Holder::Block(block)) {
            self.close_end(end, closing);
        }
    }

    /// Frees a block that may carry ends.
    pub(crate) fn discard(&mut self, block: Block, closing: Closing) {
        if block != crate::memory::NONE && block != crate::memory::FATE {
            self.close_travelling(block, closing);
            self.tables().free(block);
        }
    }

    /// Keeps the counters that tell the reaper where there is nothing to look for.
    fn count_held(&self, holder: Holder, change: i32) {
        let counter = match holder {
            Holder::Block(block) => self.tables().arena.block(block).ends(),
            Holder::Member(index) => match self.tables().members.get(index) {
                Some(member) => &member.ends,
                None => return,
            },
            Holder::Exit(_) => return,
        };
        counter.fetch_add(change as u32, Ordering::AcqRel);
    }
}
