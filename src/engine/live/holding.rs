//! Ends made, moved and closed: who holds which, and what that does to their channels.
//!
//! Knows nothing of `Reader` and `Writer` types. All of it happens under the lock of the end's channel, except that an
//! end changes hands: that is one compare-and-swap on its own word.

use super::channel::{Channel, END, FRESH, HAD_READERS, HAD_WRITERS, LOST, NO_READERS, NO_WRITERS, POISONED, SERVED};
use super::end::{Keeping, Taken};
use super::local::Local;
use super::reaper::Corpse;
use super::sync::{AtomicU32, Ordering};
use super::tables::{Tables, exhausted, take};
use crate::engine::{ChannelKind, ChannelName, Closing, Direction, EndName, Fate, Holder};
use crate::memory::{ArenaError, Block, Home, Slot, is_block};
use std::collections::HashSet;

impl Tables {
    /// From now on whoever reads from the channel waits for the end of something. To be said of a channel that is not
    /// in use yet.
    pub(crate) fn tells_of_an_end(self, channel: ChannelName) {
        if let Some(channel) = self.channel(channel) {
            channel.flags.fetch_or(END, Ordering::AcqRel);
        }
    }

    /// From now on whoever reads from the channel serves its writers: as long as he waits there he is at rest, and no
    /// part of a deadlock. To be said of a channel that is not in use yet.
    pub(crate) fn is_served(self, channel: ChannelName) {
        if let Some(channel) = self.channel(channel) {
            channel.flags.fetch_or(SERVED, Ordering::AcqRel);
        }
    }

    /// Gives a channel a name. To be said of a channel that is not in use yet.
    pub(crate) fn call(self, channel: ChannelName, name: &str) {
        if let Some(channel) = self.channel(channel) {
            channel.call(name);
        }
    }

    /// From now on a crash retires the ends of this side of a channel, whatever the policy of the process. To be said
    /// of a channel that is not in use yet.
    pub(crate) fn bear_crashes(self, channel: ChannelName, direction: Direction) {
        if let Some(channel) = self.channel(channel) {
            channel.bear_crashes_of(direction);
        }
    }

    /// Who holds an end, if it still exists.
    pub(crate) fn holder(self, end: EndName) -> Option<Holder> {
        self.ends.named(end.index, end.generation)?.holder(end.generation)
    }

    /// The channel and the side of an end, if it still exists.
    pub(crate) fn end(self, end: EndName) -> Option<(ChannelName, Direction)> {
        self.ends.named(end.index, end.generation).map(|end| (end.channel(), end.direction()))
    }

    /// The same in the order in which they are to be closed: those to write with come last. So whoever reads that a
    /// process is gone, and writes to it then, finds it gone there, too.
    pub(super) fn held_to_close(self, holder: Holder) -> Vec<EndName> {
        let mut ends = self.held_by(holder);
        ends.sort_by_key(|end| self.end(*end).is_some_and(|(_, direction)| direction == Direction::Writer));
        ends
    }

    /// The ends of a channel by direction: what its counts must be.
    pub(super) fn count_ends(self, channel: ChannelName) -> [u32; 5] {
        self.count_among(&self.ends_of(channel))
    }

    /// The same of a channel that has these.
    pub(super) fn count_among(self, ends: &[Taken]) -> [u32; 5] {
        let mut counts = [0; 5];
        for &(index, generation, end) in ends {
            let counts_in = match end.direction() {
                Direction::Unit => self.is_in_use(index, generation, end),
                _ => end.holder(generation).is_some(),
            };
            counts[end.direction() as usize] += u32::from(counts_in);
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
        let (index, generation, _) = take(tables.channels, Home::Channels, |index, channel| {
            self.context.making.store(Some(index), Ordering::Release);
            channel.reset(name, kind, maker);
        })?;
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
    #[inline]
    pub(crate) fn request_end(
        &mut self,
        name: ChannelName,
        direction: Direction,
        holder: Holder,
    ) -> Result<EndName, ArenaError> {
        self.make_end(name, direction, holder).ok_or_else(|| exhausted(self.tables().ends, Home::Ends))
    }

    /// The same; `None` if there is no room, so that the name comes in registers.
    fn make_end(&mut self, name: ChannelName, direction: Direction, holder: Holder) -> Option<EndName> {
        let (index, generation, end) = self.tables().ends.take(|index, end| {
            end.channel.store(name.index, Ordering::Relaxed);
            end.generation.store(name.generation, Ordering::Relaxed);
            end.direction.store(direction as u32, Ordering::Relaxed);
            end.weight.store(0, Ordering::Relaxed);
            self.note_place_of_end(name, index);
            end.keeping.store(self.in_hand(index, end.state.coming()).0, Ordering::Release);
        })?;
        // Counted too early rather than too late: killed before the record is complete, the counter only makes the
        // reaper look once more.
        self.about_to_hold(index, holder);
        let keeping = Keeping::held(holder, generation);
        if let Some(channel) = self.lock(name) {
            // The record counts from the moment it has a holder; when we are killed between the two lines below, the
            // reaper counts the records again.
            end.keeping.store(keeping.0, Ordering::Release);
            channel.change_count(direction, 1);
            channel.lower(FRESH);
            match direction {
                Direction::Reader => channel.raise(HAD_READERS),
                Direction::Writer => channel.raise(HAD_WRITERS),
                Direction::Handle | Direction::Party | Direction::Unit => (),
            }
        } else {
            end.keeping.store(keeping.0, Ordering::Release);
        }
        Some(EndName { index, generation })
    }

    /// Hands an end from one holder to another. Fails if `from` does not hold it (any more).
    pub(crate) fn move_end(&mut self, end: EndName, from: Holder, to: Holder) -> bool {
        let Some(record) = self.tables().ends.named(end.index, end.generation) else { return false };
        // Counted too early rather than too late, as in `request_end`: killed in between, a block would carry an end
        // and say that it carries none.
        self.about_to_hold(end.index, to);
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
            if let Some(holder) = record.take_in_hand(self.in_hand(end.index, end.generation)) {
                tables.ends.give_back(end.index, end.generation);
                self.count_held(holder, -1);
            }
            return;
        };
        let (me, channel) = (&mut *locked.local, locked.channel);
        let (before, by_its_process) = (channel.fate(), closing);
        let closing = channel.closing(direction, closing);
        // Nobody else closes it while we have the lock of its channel; if the record is another end's by now, this is
        // no longer its.
        let mine = record.holder(end.generation).is_some();
        if mine {
            // Also when others remain: the fate comes after every end that has gone.
            me.count(channel);
            // Before the record goes: killed in between, the reaper must not take a poison for a retirement.
            channel.raise(me.closing_bits(channel, direction, closing));
            if direction == Direction::Party && closing != Closing::Void {
                let left = channel.count(direction).load(Ordering::Relaxed).saturating_sub(1);
                channel.intend_to_leave(if closing == Closing::Resign { 0 } else { left });
            }
            if direction == Direction::Unit && closing != Closing::Resign {
                me.note_abandoned(channel, record, end.generation);
            }
            if direction == Direction::Reader {
                me.leave_tasks(channel, end, record, by_its_process);
            }
        }
        let holder = if mine { record.take_in_hand(me.in_hand(end.index, end.generation)) } else { None };
        if let Some(holder) = holder {
            if direction == Direction::Party {
                channel.leave_as_intended();
            }
            let left = channel.change_count(direction, -1);
            let gone = match direction {
                Direction::Reader if left == 0 => NO_READERS,
                Direction::Writer if left == 0 => NO_WRITERS,
                _ => 0,
            };
            channel.raise(gone);
            let is_left = gone == 0 && matches!(closing, Closing::Retire | Closing::Void);
            if direction == Direction::Reader && channel.fate().is_some() && !is_left {
                me.empty_buffer(channel);
            }
            if direction == Direction::Party {
                me.complete_without(name.index, channel);
            }
            if direction == Direction::Unit {
                me.give_permits_back(channel, record.weight());
            }
            me.resolve(channel);
            tables.ends.give_back(end.index, end.generation);
            if direction != Direction::Unit {
                me.count_held(holder, -1);
            }
            me.free_if_unused(name, channel);
        }
        if me.is_traced() && before.is_none() {
            let fate = channel.fate();
            drop(locked);
            self.note_fate(name, direction, fate);
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
    pub(super) fn free_half_made_ends(&mut self, dead: &Corpse) {
        let tables = self.tables();
        for (index, generation, end, keeping) in tables.ends_in_hand(dead.index, dead.context) {
            if end.direction() == Direction::Unit {
                // Before the record goes, by which another burial would find the gate, were this one cut short.
                self.count_gate_again(end.channel());
                // Whoever was just taking the lock from it has written it down by now, and it goes as what is held.
                if Keeping(end.keeping.load(Ordering::Acquire)) != keeping {
                    continue;
                }
            }
            tables.ends.give_back(index, generation);
        }
    }

    /// Reaper: frees the channel that a dead context had taken and to which it had given no end yet.
    pub(super) fn free_half_made_channel(&mut self, dead: &Corpse) {
        let tables = self.tables();
        let is_its = |channel: &Channel| channel.fresh_maker() == Some(dead.index);
        let Some(index) = dead.context.making.load(Ordering::Acquire) else { return };
        let Some(channel) = tables.channels.get(index).filter(|channel| is_its(channel)) else { return };
        let Some(generation) = channel.state().taken() else { return };
        let name = ChannelName { index, generation };
        if let Some(locked) = self.lock(name)
            && is_its(locked.channel)
        {
            locked.lower(FRESH);
            locked.local.free_if_unused(name, locked.channel);
        }
    }

    /// Under the lock: a channel without ends and handles goes back to the pool.
    ///
    /// Whoever still knows the name and waits for the lock finds another generation afterwards.
    pub(super) fn free_if_unused(&mut self, name: ChannelName, channel: &Channel) {
        if channel.is_unused() {
            self.owe_release(channel.lost_with());
            self.owe_release(channel.abandoner.load(Ordering::Relaxed));
            if channel.is_gate() {
                // Somebody waits with a handle that another thread has given up.
                self.tell_all(channel);
            }
            self.empty_buffer(channel);
            self.drop_spare(channel);
            if self.is_traced() {
                self.note_gone(name, channel);
            }
            self.tables().channels.give_back(name.index, name.generation);
        }
    }

    /// From now on nobody writes to a channel, whoever has an end of it. What is in its buffer is still read.
    ///
    /// One store decides it. Killed behind that, we leave it to the reaper to tell those who wait.
    pub(crate) fn end_writing(&mut self, name: ChannelName) {
        if let Some(locked) = self.lock(name) {
            locked.local.count(locked.channel);
            locked.raise(NO_WRITERS);
            locked.local.resolve(locked.channel);
        }
    }

    /// Poisons the channel of an end; the end stays. What a writer poisons is read to the end first, what a reader
    /// poisons is not.
    pub(crate) fn poison(&mut self, name: ChannelName, direction: Direction) {
        self.poison_quietly(name, direction, Closing::Poison);
        self.after_unlock();
        if self.is_traced() {
            self.note_fate(name, direction, Some(Fate::Poisoned));
        }
    }

    /// Poisons channels as a writer does, with a deadlock as the reason if there is a record of it. Nobody wakes before
    /// all of them are poisoned: whoever did could end, and what others still wait for would be retired and not
    /// poisoned.
    ///
    /// At a gate, or at a channel that is served, the deadlock is told to those who wait there then, and to nobody
    /// else: it stays as it is.
    pub(crate) fn poison_all(&mut self, names: impl IntoIterator<Item = ChannelName>, record: Option<u32>) {
        let closing = record.map_or(Closing::Poison, |member| Closing::Lost { member });
        for name in names {
            if self.tables().channel(name).is_some_and(|channel| channel.is_gate() || channel.is_served()) {
                self.tell_of_deadlock(name, closing);
            } else {
                self.poison_quietly(name, Direction::Writer, closing);
            }
        }
        self.after_unlock();
    }

    fn tell_of_deadlock(&mut self, name: ChannelName, closing: Closing) {
        let Some(locked) = self.lock(name) else { return };
        let (me, channel) = (&mut *locked.local, locked.channel);
        me.count(channel);
        let (waiting, not_to_be_seen) = match channel.is_gate() {
            true => (&channel.inputs, 0),
            // Others are not to take it for its fate; and who waits for calls has no part in it.
            false => (&channel.outputs, POISONED),
        };
        if channel.is_gate() || channel.fate().is_none() {
            // Of the deadlock before, which nobody waits to be told any more.
            me.owe_release(channel.lost_with());
            channel.lower(POISONED | LOST);
            channel.raise(me.closing_bits(channel, Direction::Writer, closing) & !not_to_be_seen);
            me.tell(channel, waiting);
        }
        locked.release_owing();
    }

    fn poison_quietly(&mut self, name: ChannelName, direction: Direction, closing: Closing) {
        if let Some(locked) = self.lock(name) {
            locked.local.count(locked.channel);
            let bits = locked.local.closing_bits(locked.channel, direction, closing);
            locked.raise(bits);
            if direction == Direction::Reader {
                locked.local.empty_buffer(locked.channel);
            }
            locked.local.resolve(locked.channel);
            locked.release_owing();
        }
    }

    pub(super) fn closing_bits(&mut self, channel: &Channel, direction: Direction, closing: Closing) -> u32 {
        match (direction, closing) {
            (Direction::Handle | Direction::Party | Direction::Unit, _) => 0,
            (_, Closing::Retire | Closing::Resign | Closing::Void) => 0,
            (_, Closing::Poison) => POISONED,
            (_, Closing::Lost { member }) => {
                if channel.flags.load(Ordering::Relaxed) & POISONED != 0 {
                    return POISONED;
                }
                self.owe_release(channel.lost_with());
                self.retain_member(member);
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
        for end in tables.held_to_close(Holder::Block(block)) {
            self.close_end(end, closing);
        }
    }

    /// Frees a block that may carry ends.
    pub(crate) fn discard(&mut self, block: Block, closing: Closing) {
        if is_block(block) {
            self.close_travelling(block, closing);
            self.tables().free(block);
        }
    }

    /// Frees the messages that nobody will read. All that was in a buffer may come at once, so the ends that travel in
    /// them are looked for once, not for each.
    pub(super) fn discard_doomed(&mut self) {
        let tables = self.tables();
        let mut doomed = std::mem::take(&mut self.doomed);
        if doomed.len() > 1 {
            let carries = |block: &Block| tables.arena.block(*block).ends().load(Ordering::Acquire) != 0;
            let carrying: HashSet<Block> = doomed.iter().copied().filter(carries).collect();
            if !carrying.is_empty() {
                tables.travelling_in(&carrying).into_iter().for_each(|end| self.close_end(end, Closing::Retire));
            }
        }
        doomed.drain(..).for_each(|block| self.discard(block, Closing::Retire));
        if self.doomed.is_empty() {
            self.doomed = doomed;
        }
    }

    /// Before a holder has an end: tells the reaper that there is one, and where.
    fn about_to_hold(&self, index: u32, holder: Holder) {
        self.note_end_of(holder, index);
        self.count_held(holder, 1);
    }

    /// Keeps the counters that tell the reaper where there is nothing to look for.
    fn count_held(&self, holder: Holder, change: i32) {
        if let Some(counter) = self.tables().count_of(holder) {
            counter.fetch_add(change as u32, Ordering::AcqRel);
        }
    }
}

impl Tables {
    /// The counter that a holder has of its ends, if it has one.
    #[inline]
    fn count_of(self, holder: Holder) -> Option<&'static AtomicU32> {
        match holder {
            Holder::Block(block) => Some(self.arena.block(block).ends()),
            Holder::Member(index) => self.members.get(index).map(|member| &member.ends),
            Holder::Exit(_) => None,
        }
    }

    /// Keeps the counter of a holder that nobody but the calling thread can give ends: one of a simulated world.
    #[cfg(feature = "testing")]
    pub(in crate::engine) fn count_held_alone(self, holder: Holder, change: i32) {
        if let Some(counter) = self.count_of(holder) {
            counter.store(counter.load(Ordering::Relaxed).wrapping_add_signed(change), Ordering::Relaxed);
        }
    }
}
