//! The ends of channels, each counted once, whoever holds it and wherever it travels.
//!
//! Knows nothing of `Reader` and `Writer` types. An end is held by a member (a process) or by a block (it travels in a
//! message or waits in the arguments of a process). So whatever dies, the reaper finds the ends that died with it.
#![expect(unsafe_code, reason = "promises that its record consists of atomics; listed in the architecture page")]

use super::channel::{FRESH, HAD_READERS, HAD_WRITERS, LOST, NO_READERS, NO_WRITERS, POISONED};
use super::local::Local;
use super::sync::{AtomicU32, AtomicU64, Ordering, mutant};
use super::tables::{Tables, take};
use crate::engine::{ChannelKind, ChannelName, Closing, Direction, EndName, Holder};
use crate::memory::{ArenaError, Block, Home, Layout, Shareable, Slot, SlotState, record};

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

/// The word that says who has an end: its holder, or, while the end is being made or closed, the context that does so.
///
/// Layout, from the low end: number of the holder or of the context (32 bits), kind of holder (2), generation of the
/// end (30). A change of the word names the generation that it means, in one compare-and-swap with the rest:
///
/// ```text
///     closes end 5 (generation 1)          closes it, too                 requests an end
///     finds the record
///                                          its channel is free, 5 is free
///                                                                         is given 5 (generation 3)
///     takes the holder of 5 away  ✗
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Keeping(u64);

impl Keeping {
    const KIND: u32 = 32;
    const GENERATION: u32 = 34;

    fn held(holder: Holder, generation: u32) -> Keeping {
        let (kind, number) = match holder {
            Holder::Member(index) => (1, index),
            Holder::Block(block) => (2, block),
            Holder::Exit(index) => (3, index),
        };
        Keeping(u64::from(generation) << Keeping::GENERATION | kind << Keeping::KIND | u64::from(number))
    }

    /// In the hands of a context, which makes or closes the end.
    fn in_hand(context: u32, generation: u32) -> Keeping {
        Keeping(u64::from(generation) << Keeping::GENERATION | u64::from(context))
    }

    fn is_of(self, generation: u32) -> bool {
        self.0 >> Keeping::GENERATION == (u64::from(generation) << Keeping::GENERATION) >> Keeping::GENERATION
            || mutant!("an end is known by its slot alone")
    }

    fn holder(self) -> Option<Holder> {
        match self.0 >> Keeping::KIND & 3 {
            1 => Some(Holder::Member(self.0 as u32)),
            2 => Some(Holder::Block(self.0 as u32)),
            3 => Some(Holder::Exit(self.0 as u32)),
            _ => None,
        }
    }

    /// The context that makes or closes the end.
    fn hand(self) -> Option<u32> {
        self.holder().is_none().then_some(self.0 as u32)
    }
}

#[repr(C)]
#[derive(Debug)]
pub(super) struct End {
    state: SlotState,
    keeping: AtomicU64,
    channel: AtomicU32,
    generation: AtomicU32,
    direction: AtomicU32,
    reserved: AtomicU32,
}

// SAFETY: `repr(C)` and atomics throughout.
unsafe impl Shareable for End {}

impl Slot for End {
    fn state(&self) -> &SlotState {
        &self.state
    }
}

impl End {
    /// Adds the record of this file to a layout.
    pub(super) const fn layout(layout: Layout) -> Layout {
        record!(layout, End { state, keeping, channel, generation, direction, reserved })
    }

    fn channel(&self) -> ChannelName {
        ChannelName { index: self.channel.load(Ordering::Relaxed), generation: self.generation.load(Ordering::Relaxed) }
    }

    fn direction(&self) -> Direction {
        Direction::of(self.direction.load(Ordering::Relaxed))
    }

    /// Who holds the end of this generation.
    fn holder(&self, generation: u32) -> Option<Holder> {
        let keeping = Keeping(self.keeping.load(Ordering::Acquire));
        keeping.is_of(generation).then(|| keeping.holder()).flatten()
    }

    /// Takes the end of this generation from its holder into the hands of a context, which is about to close it. From
    /// here on the reaper finds the record by that context.
    fn take_in_hand(&self, context: u32, generation: u32) -> Option<Holder> {
        let hand = Keeping::in_hand(context, generation);
        let mut now = Keeping(self.keeping.load(Ordering::Acquire));
        loop {
            let holder = now.is_of(generation).then(|| now.holder()).flatten()?;
            match self.keeping.compare_exchange(now.0, hand.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(holder),
                Err(seen) => now = Keeping(seen),
            }
        }
    }
}

impl Tables {
    /// Who holds an end, if it still exists.
    pub(crate) fn holder(self, end: EndName) -> Option<Holder> {
        self.ends.named(end.index, end.generation)?.holder(end.generation)
    }

    /// The channel and the side of an end, if it still exists.
    pub(crate) fn end(self, end: EndName) -> Option<(ChannelName, Direction)> {
        self.ends.named(end.index, end.generation).map(|end| (end.channel(), end.direction()))
    }

    /// All ends that `holder` holds.
    pub(crate) fn held_by(self, holder: Holder) -> Vec<EndName> {
        self.ends
            .taken()
            .filter(|(_, generation, end)| end.holder(*generation) == Some(holder))
            .map(|(index, generation, _)| EndName { index, generation })
            .collect()
    }

    /// The ends of a channel by direction: what its counts must be.
    pub(super) fn count_ends(self, channel: ChannelName) -> [u32; 4] {
        let mut counts = [0; 4];
        for (_, generation, end) in self.ends.taken() {
            if end.channel() == channel && end.holder(generation).is_some() {
                counts[end.direction() as usize] += 1;
            }
        }
        counts
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
                tables.channels.give_back(index, generation);
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
        let maker = self.index;
        let (index, generation, end) = take(tables.ends, Home::Ends, |end| {
            end.channel.store(name.index, Ordering::Relaxed);
            end.generation.store(name.generation, Ordering::Relaxed);
            end.direction.store(direction as u32, Ordering::Relaxed);
            end.keeping.store(Keeping::in_hand(maker, end.state.coming()).0, Ordering::Release);
        })?;
        // Counted too early rather than too late: killed before the record is complete, the counter only makes the
        // reaper look once more.
        self.count_held(holder, 1);
        let keeping = Keeping::held(holder, generation);
        if let Some(channel) = self.lock(name) {
            // The record counts from the moment it has a holder; when we are killed between the two lines below, the
            // reaper counts the records again.
            end.keeping.store(keeping.0, Ordering::Release);
            channel.count(direction).fetch_add(1, Ordering::Relaxed);
            channel.lower(FRESH);
            match direction {
                Direction::Reader => channel.raise(HAD_READERS),
                Direction::Writer => channel.raise(HAD_WRITERS),
                Direction::Handle | Direction::Party => (),
            }
        } else {
            end.keeping.store(keeping.0, Ordering::Release);
        }
        Ok(EndName { index, generation })
    }

    /// Hands an end from one holder to another. Fails if `from` does not hold it (any more).
    pub(crate) fn move_end(&mut self, end: EndName, from: Holder, to: Holder) -> bool {
        let Some(record) = self.tables().ends.named(end.index, end.generation) else { return false };
        // Counted too early rather than too late, as in `request_end`: killed in between, a block would carry an end
        // and say that it carries none.
        self.count_held(to, 1);
        let [from_word, to_word] = [from, to].map(|holder| Keeping::held(holder, end.generation).0);
        let moved = record.keeping.compare_exchange(from_word, to_word, Ordering::AcqRel, Ordering::Acquire).is_ok();
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
        let Some(locked) = self.lock(name) else {
            // The end was requested of a channel that was gone already: nothing counts it.
            if let Some(holder) = record.take_in_hand(self.index, end.generation) {
                tables.ends.give_back(end.index, end.generation);
                self.count_held(holder, -1);
            }
            return;
        };
        let (me, channel) = (&mut *locked.local, locked.channel);
        // Nobody else closes it while we have the lock of its channel; if the record is another end's by now, this is
        // no longer its.
        let mine = record.holder(end.generation).is_some();
        if mine {
            // Also when others remain: the fate comes after every end that has gone.
            me.count(channel);
            // Before the record goes: killed in between, the reaper must not take a poison for a retirement.
            channel.raise(me.closing_bits(channel, direction, closing));
            if direction == Direction::Party {
                let left = channel.count(direction).load(Ordering::Relaxed).saturating_sub(1);
                channel.intend_to_leave(if closing == Closing::Resign { 0 } else { left });
            }
        }
        let holder = if mine { record.take_in_hand(me.index, end.generation) } else { None };
        if let Some(holder) = holder {
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
                me.empty_buffer(channel);
            }
            if direction == Direction::Party {
                me.complete_without(name.index, channel);
            }
            me.resolve(channel);
            tables.ends.give_back(end.index, end.generation);
            me.count_held(holder, -1);
            me.free_if_unused(name, channel);
        }
    }

    /// Reaper: frees the records of ends that the dead had taken for an end that never came to be, or of an end that
    /// they were closing.
    ///
    /// ```text
    ///   request   taken, in hand ── killed ── held          the end never was
    ///   close     held, in hand ── killed ── given back     the end is gone; its channel was counted
    ///                                                       again with the lock
    /// ```
    /// One word tells that an end is in somebody's hands, whose, and of which generation. Were these two words, a
    /// living context that closes an end which the dead once made could be taken for the dead:
    /// ```text
    ///     reaper                              living
    ///     the dead made it
    ///                                         holder := nobody, maker := living
    ///     nobody holds it: given back  ✗      given back
    /// ```
    pub(super) fn free_half_made_ends(&mut self, of_the_dead: impl Fn(u32) -> bool) {
        let tables = self.tables();
        for (index, generation, end) in tables.ends.taken() {
            let keeping = Keeping(end.keeping.load(Ordering::Acquire));
            let half_made = keeping.is_of(generation) && keeping.hand().is_some_and(&of_the_dead);
            if half_made && !mutant!("closed ends are not given back") {
                tables.ends.give_back(index, generation);
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
            let name = ChannelName { index, generation };
            if let Some(locked) = self.lock(name)
                && locked.fresh_maker().is_some_and(&of_the_dead)
            {
                locked.lower(FRESH);
                locked.local.free_if_unused(name, locked.channel);
            }
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
            self.tables().channels.give_back(name.index, name.generation);
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
        if let Some(locked) = self.lock(name) {
            locked.local.count(locked.channel);
            locked.raise(locked.local.closing_bits(locked.channel, direction, closing));
            if direction == Direction::Reader {
                locked.local.empty_buffer(locked.channel);
            }
            locked.local.resolve(locked.channel);
            locked.release_owing();
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
                self.tables().retain_member(member);
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

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: Holder = Holder::Member(7);

    fn end(keeping: Keeping) -> End {
        End {
            state: SlotState::default(),
            keeping: AtomicU64::new(keeping.0),
            channel: AtomicU32::new(0),
            generation: AtomicU32::new(0),
            direction: AtomicU32::new(0),
            reserved: AtomicU32::new(0),
        }
    }

    #[test]
    fn closing_an_end_spares_the_one_that_has_its_slot_by_now() {
        let stranger = end(Keeping::held(MEMBER, 3));
        assert_eq!(stranger.take_in_hand(1, 1), None, "it was closed by the name of the end before");
        assert_eq!(stranger.holder(3), Some(MEMBER));
        assert_eq!(stranger.holder(1), None);
        assert_eq!(stranger.take_in_hand(1, 3), Some(MEMBER));
        assert_eq!(stranger.take_in_hand(2, 3), None, "it was closed twice");
    }

    #[test]
    fn an_end_is_in_the_hands_of_the_context_that_closes_it_not_of_its_maker() {
        let made = end(Keeping::in_hand(1, 5));
        assert_eq!(Keeping(made.keeping.load(Ordering::Relaxed)).hand(), Some(1));
        made.keeping.store(Keeping::held(MEMBER, 5).0, Ordering::Relaxed);
        assert_eq!(Keeping(made.keeping.load(Ordering::Relaxed)).hand(), None);
        assert_eq!(made.take_in_hand(2, 5), Some(MEMBER));
        assert_eq!(Keeping(made.keeping.load(Ordering::Relaxed)).hand(), Some(2));
    }

    #[test]
    fn the_word_of_an_end_keeps_its_parts_apart() {
        for holder in [Holder::Member(u32::MAX), Holder::Block(9), Holder::Exit(0)] {
            for generation in [1, 3, u32::MAX] {
                let keeping = Keeping::held(holder, generation);
                assert!(keeping.is_of(generation) && !keeping.is_of(generation.wrapping_add(2)));
                assert_eq!((keeping.holder(), keeping.hand()), (Some(holder), None));
            }
        }
    }
}
