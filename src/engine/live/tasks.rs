//! Tasks: messages whose readers say when they are done with them, and those who wait until all of them are.
//!
//! Knows nothing of what a task is. A channel that counts tasks has a third queue, of those who *join*: they wait until
//! no message is left that was not read, or was read and is not done. The first kind is `length`, the second `open`,
//! and each open task is in the weight of the end that it was read with, so that it goes with its reader.
//! ```text
//!     in the buffer       length
//!     taken out           open, the weight of the end                  by the reader, under the lock, before it has
//!                                                                      tagged the message
//!     handed over         open, a word that is COMMITTED with the      by the writer, under the lock
//!                         message, and whose offer is marked
//!     taken over          open, the weight of the end; the mark goes   by the reader, under the lock, before the word
//!                                                                      is IDLE
//!     done                                                             under the lock
//! ```
//! **The invariant:** `open` is the weight of all readers, and one for each context that has been handed a message and
//! has not taken it over. So it can be counted again whoever is killed, and wherever.
//!
//! **Who leaves tasks behind** is kept with the channel, as who abandons a gate is, and told to those who join: to all
//! that wait when nothing else is open, or to the next one. Then it is dealt with, and the count begins anew. Tasks are
//! left
//! - with the end, however that is closed, unless the process has another one, which has them from then on;
//! - with a message that was taken out, or handed over, and is in no weight yet because its reader was killed: the
//!   message that was in the hands of the dead shows it, or the exchange that they had announced, or their word.
//!
//! Killed in between, a process may be named twice, or, when it was just putting a message back, for one that is in the
//! buffer again; it is never forgotten.

use super::channel::{Channel, LEFT_BY_CRASH, NO_READERS, POISONED, TASKS};
use super::context::{Context, Offer};
use super::end::{End, Taken};
use super::local::Local;
use super::sync::{Ordering, fence};
use super::tables::Tables;
use super::word::{Attempt, State};
use crate::engine::{ChannelName, Closing, Direction, EndName, Fate, Fired, Holder};
use crate::memory::{Block, FATE, NONE};
use std::collections::HashSet;

/// Who has left tasks behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaver {
    pub(super) member: u32,
    pub(super) crashed: bool,
}

impl Leaver {
    /// As it stands in the context of somebody who is told.
    fn verdict(self) -> u32 {
        (self.member + 1) << 1 | u32::from(self.crashed)
    }
}

impl Channel {
    #[inline]
    pub(super) fn counts_tasks(&self) -> bool {
        self.flags.load(Ordering::Relaxed) & TASKS != 0
    }

    /// How many messages were read and are not done.
    pub(super) fn open_tasks(&self) -> u32 {
        self.open.load(Ordering::Acquire)
    }

    /// Whether every message was read, and is done.
    fn is_done(&self) -> bool {
        self.length.load(Ordering::Relaxed) == 0 && self.open.load(Ordering::Relaxed) == 0
    }

    /// Under the lock: so many tasks more are open, or less.
    fn change_open(&self, change: i32) {
        self.open.store(self.open.load(Ordering::Relaxed).wrapping_add_signed(change), Ordering::Release);
    }

    /// Under the lock: a message was handed to a reader, who is to run yet.
    pub(super) fn task_was_handed_over(&self) {
        self.change_open(1);
    }

    fn leaver(&self) -> Option<Leaver> {
        let member = self.abandoner.load(Ordering::Relaxed)?;
        Some(Leaver { member, crashed: self.flags.load(Ordering::Relaxed) & LEFT_BY_CRASH != 0 })
    }
}

impl End {
    /// Under the lock of its channel: so many tasks more were read with it, or less.
    fn change_tasks(&self, change: i32) {
        self.weight.store(self.weight().wrapping_add_signed(change), Ordering::Relaxed);
    }
}

impl Tables {
    /// From now on whoever reads from the channel says when it is done with a message. To be said of a channel that is
    /// not in use yet.
    pub(crate) fn counts_tasks(self, channel: ChannelName) {
        if let Some(channel) = self.channel(channel) {
            channel.flags.fetch_or(TASKS, Ordering::AcqRel);
        }
    }

    /// How many tasks of a channel are open: what its count must be.
    pub(super) fn count_open(self, name: ChannelName) -> u32 {
        self.count_open_among(name, &self.ends_of(name))
    }

    /// The same of a channel that has these ends.
    pub(super) fn count_open_among(self, name: ChannelName, ends: &[Taken]) -> u32 {
        let readers = ends
            .iter()
            .filter(|(_, generation, end)| end.direction() == Direction::Reader && end.holder(*generation).is_some());
        let read: u32 = readers.map(|(_, _, end)| end.weight()).sum();
        let handed_over = self.contexts.taken().filter(|(_, _, context)| self.was_handed_task(context, name));
        read + handed_over.count() as u32
    }

    /// Whether a context has been handed a message of this channel, and has not taken it over; if it is dead, until its
    /// burial says so. Its table belongs to the word that was read only if the word is still the same afterwards.
    fn was_handed_task(self, context: &'static Context, name: ChannelName) -> bool {
        loop {
            let word = context.word.read();
            let handed = word.in_life().state() == State::Committed && word.block() != FATE && {
                let mut offers = context.offers(self).iter().filter(|offer| usize::from(offer.guard()) == word.guard());
                offers.any(|offer| offer.is_input() && offer.is_linked() && offer.channel() == name)
            };
            fence(Ordering::SeqCst);
            if context.word.read() == word {
                return handed;
            }
        }
    }

    /// Another end by which the holder of this one reads from its channel, with as many open tasks at least.
    fn other_reader(self, end: EndName, holder: Holder, tasks: u32) -> Option<&'static End> {
        let name = self.ends.named(end.index, end.generation)?.channel();
        let others = self.held_by(holder).into_iter().filter(|other| other.index != end.index);
        let mut others = others.filter_map(|other| self.ends.named(other.index, other.generation));
        others
            .find(|other| other.channel() == name && other.direction() == Direction::Reader && other.weight() >= tasks)
    }
}

impl Local {
    /// Reader, under the lock: has taken a message out, with the end of the guard that it looks at.
    #[cold]
    pub(super) fn task_was_read(&self, channel: &Channel) {
        // Another thread may have given the end up: then there is nobody to say that it is done.
        if let Some(record) = self.tables().ends.named(self.reader.index, self.reader.generation) {
            record.change_tasks(1);
            channel.change_open(1);
        }
    }

    /// Under the lock: a writer has met a reader that waited, or a reader has met a writer.
    #[cold]
    pub(super) fn task_was_met(&self, channel: &Channel, output: bool) {
        if output {
            return channel.task_was_handed_over();
        }
        self.task_was_read(channel);
        self.context.task_at.store(None, Ordering::Release);
    }

    /// Reader that was handed a message, before its word leaves COMMITTED.
    pub(super) fn take_task_over(&mut self, name: ChannelName, reader: EndName, guard: usize) {
        let tables = self.tables();
        if !tables.channel(name).is_some_and(Channel::counts_tasks) {
            return;
        }
        let Some(locked) = self.lock(name) else { return };
        match tables.ends.named(reader.index, reader.generation) {
            Some(record) => record.change_tasks(1),
            None => {
                let member = locked.local.context.acts_for();
                locked.local.note_leaver(locked.channel, member, false);
                locked.change_open(-1);
                locked.local.let_joins_go(locked.channel);
            }
        }
        let fired = locked.local.context.offers(tables).iter().find(|offer| usize::from(offer.guard()) == guard);
        fired.into_iter().for_each(|offer| offer.set_linked(false));
    }

    /// Under the lock: a message that was read with this end is in the channel again.
    pub(super) fn task_was_put_back(&self, channel: &Channel, reader: EndName) {
        if let Some(record) = self.tables().ends.named(reader.index, reader.generation)
            && record.weight() > 0
        {
            record.change_tasks(-1);
            channel.change_open(-1);
        }
    }

    /// One message that the holder of this end has read, with this or another end, is done with. `false` if none is
    /// open.
    pub(crate) fn task_done(&mut self, end: EndName) -> bool {
        let tables = self.tables();
        let Some(record) = tables.ends.named(end.index, end.generation) else { return false };
        let Some(locked) = self.lock(record.channel()) else { return false };
        let Some(holder) = record.holder(end.generation) else { return false };
        let mine = Some(record).filter(|record| record.weight() > 0).or_else(|| tables.other_reader(end, holder, 1));
        let Some(mine) = mine else { return false };
        locked.local.count(locked.channel);
        mine.change_tasks(-1);
        locked.change_open(-1);
        locked.local.let_joins_go(locked.channel);
        true
    }

    /// Under the lock: an end is being closed, and its tasks with it.
    pub(super) fn leave_tasks(&mut self, channel: &Channel, end: EndName, record: &End, closing: Closing) {
        let tasks = record.weight();
        let Some(holder) = record.holder(end.generation).filter(|_| tasks > 0 && channel.counts_tasks()) else {
            return;
        };
        let crashed = matches!(closing, Closing::Lost { .. });
        if !crashed && let Some(other) = self.tables().other_reader(end, holder, 0) {
            other.change_tasks(tasks as i32);
            record.change_tasks(-(tasks as i32));
            return;
        }
        if let Holder::Member(member) = holder {
            self.note_leaver(channel, member, crashed);
        }
        record.change_tasks(-(tasks as i32));
        channel.change_open(-(tasks as i32));
        self.let_joins_go(channel);
    }

    /// Under the lock: somebody has left tasks behind. [`Local::after_unlock`] is owed afterwards.
    fn note_leaver(&mut self, channel: &Channel, member: u32, crashed: bool) {
        self.retain_member(member);
        channel.lower(LEFT_BY_CRASH);
        channel.raise(if crashed { LEFT_BY_CRASH } else { 0 });
        self.set_abandoner(channel, Some(member));
    }

    /// Under the lock: goes on, if all tasks are done; whoever has left some behind is told, and dealt with by that.
    pub(super) fn meet_at_queue(&mut self, number: usize, name: ChannelName) -> Option<Fired> {
        let Some(channel) = self.tables().channel(name) else { return Some(Fired::ended(number, Fate::Retired)) };
        if let Some(fate) = fate_of_joins(channel) {
            self.count(channel);
            return Some(Fired::ended(number, fate));
        }
        if !channel.is_done() {
            return None;
        }
        self.count(channel);
        let Some(leaver) = channel.leaver() else { return Some(Fired::bare(number)) };
        self.give_verdict(self.context, leaver);
        self.set_abandoner(channel, None);
        self.owes = true;
        Some(Fired::ended(number, Fate::Abandoned { member: leaver.member, crashed: leaver.crashed }))
    }

    /// Under the lock: if all tasks are done, those who wait for that go on. [`Local::after_unlock`] is owed
    /// afterwards.
    pub(super) fn let_joins_go(&mut self, channel: &Channel) {
        if !channel.is_done() {
            return;
        }
        let tables = self.tables();
        let leaver = channel.leaver();
        let mut told = false;
        while let Some((name, offer)) = channel.joins.first(tables) {
            let guard = offer.guard();
            channel.joins.remove(tables, offer);
            offer.set_number(channel.next_number(self.context.number()));
            let Some(context) = tables.contexts.get(name.context()) else { continue };
            // It cannot do anything else before it has had the lock.
            if let Some(leaver) = leaver {
                self.give_verdict(context, leaver);
            }
            let word = if leaver.is_some() { FATE } else { NONE };
            match self.insist(|| context.word.commit(guard, word)) {
                Attempt::Committed { parked } => {
                    told = true;
                    if parked {
                        self.wakes.push(name.context());
                    }
                }
                _ => offer.set_linked(false),
            }
        }
        if told && leaver.is_some() {
            self.set_abandoner(channel, None);
        }
    }

    /// Under a lock: who has left tasks behind is kept with the context that is told.
    pub(super) fn give_verdict(&mut self, context: &Context, leaver: Leaver) {
        self.retain_member(leaver.member);
        let before = context.verdict.swap(leaver.verdict(), Ordering::AcqRel);
        self.owe_release((before >> 1).checked_sub(1));
    }

    /// Who joined and was told that something has ended: the channel, or somebody who has left tasks behind.
    pub(super) fn fate_of_join(&self, name: ChannelName) -> Fate {
        let verdict = self.context.verdict.load(Ordering::Acquire);
        match (self.tables().channel(name).map(fate_of_joins), (verdict >> 1).checked_sub(1)) {
            (Some(None), Some(member)) => Fate::Abandoned { member, crashed: verdict & 1 == 1 },
            (Some(Some(fate)), _) => fate,
            _ => Fate::Retired,
        }
    }

    /// Who was told of somebody that has left tasks behind has named it by now.
    pub(crate) fn forget_leaver(&mut self) {
        self.set_verdict(self.context, 0);
    }

    /// Reaper, under a lock taken over from this context, which is dead: messages that nobody has are `stray`. The
    /// others that are in the channel are `present`.
    pub(super) fn note_tasks_of_the_dead(
        &mut self,
        name: ChannelName,
        channel: &Channel,
        dead: u32,
        stray: &[Block],
        present: &HashSet<Block>,
    ) {
        let tables = self.tables();
        let reads = |offer: &Offer| offer.channel() == name && offer.is_input();
        let readers: Vec<(u32, &'static Context)> = tables
            .contexts
            .taken()
            .filter(|(number, _, context)| *number == dead || context.word.read().state() == State::Dead)
            .filter(|(_, _, context)| context.offers(tables).iter().any(reads))
            .map(|(number, _, context)| (number, context))
            .collect();
        for (number, context) in &readers {
            let meets = context.task_at.load(Ordering::Acquire) == Some(name.index);
            if meets && self.committed_exchange(*number, context).is_some() {
                self.note_dead_leaver(channel, context);
            }
        }
        // If a burial was cut short that had the lock, it was one of those whom it buried.
        let taker = readers.iter().find(|(number, _)| *number == dead).or(readers.first());
        if let Some((_, taker)) = taker {
            let offers = taker.offers(tables).iter();
            let outputs = offers.filter(|offer| offer.channel() == name && offer.is_output());
            let written: Vec<Block> = outputs.map(|offer| offer.block.load(Ordering::Relaxed)).collect();
            let puts_in = |block: &Block| written.iter().any(|put| put == block || present.contains(put));
            if !stray.iter().all(puts_in) {
                self.note_dead_leaver(channel, taker);
            }
        }
    }

    /// Reaper: who died had been handed a message with this offer, and had not taken it over.
    pub(super) fn note_task_handed_to(&mut self, context: &'static Context, offer: &Offer) {
        if let Some(locked) = self.lock(offer.channel())
            && locked.counts_tasks()
        {
            let (me, channel) = (&mut *locked.local, locked.channel);
            me.note_dead_leaver(channel, context);
            // From here on it does not count.
            offer.set_linked(false);
            me.count_tasks_again(offer.channel(), channel);
        }
    }

    fn note_dead_leaver(&mut self, channel: &Channel, context: &Context) {
        let member = context.acts_for();
        let crashed = self.tables().members.get(member).is_some_and(|slot| {
            let closing = super::reaper::closing(member, slot);
            matches!(closing, Closing::Lost { .. })
        });
        self.note_leaver(channel, member, crashed);
    }

    /// Reaper, under the lock: what there is counts.
    pub(super) fn count_tasks_again(&mut self, name: ChannelName, channel: &Channel) {
        channel.open.store(self.tables().count_open(name), Ordering::Release);
        self.let_joins_go(channel);
    }
}

/// Why nobody can wait there for the tasks to be done. That nobody writes any more is no reason.
fn fate_of_joins(channel: &Channel) -> Option<Fate> {
    let ended = channel.flags.load(Ordering::Acquire) & (POISONED | NO_READERS) != 0;
    ended.then(|| channel.fate()).flatten()
}
