//! Tasks of a queue: messages whose readers say when they are done with them, and those who wait until all of them are.
//!
//! Knows nothing of what a task is. A message is open from the moment it was read until its reader says that it is
//! done: it counts with the end that it was read with, and with the channel. Who closes its last end leaves what is
//! open behind; whoever joins is told of the last one who did, once, when everything else is done.
//!
//! **Who joins may have come already, or not yet.** When the last task is done, or left, and somebody has left tasks
//! behind, all who wait are told of it; or the next one who comes. Those who have offered to join by then may be
//! either: the first of them to go on is told, and each other one is told or not. Who surely waits is told at once.

use super::super::{ChannelName, Closing, EndName, Fate, Fired, Holder};
use super::channel::Channel;
use super::decision::{Choice, Kind, NOBODY};
use super::possible::is_join;
use super::touch::Part;
use super::world::Simulation;

/// One offer of a task: the task, and how many it had made before.
type OfferName = (u32, u64);

/// What a channel knows of its tasks, if it counts them.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// Messages that were read and are not done.
    open: u32,
    /// Who has left tasks behind, and whether by a crash.
    leaver: Option<(u32, bool)>,
    /// Since the last one was done, who is told of this one: the first who joins, and these if they waited then, too.
    told: Option<((u32, bool), Vec<OfferName>)>,
}

impl Channel {
    /// Whether every message was read, and is done.
    pub(super) fn is_done(&self) -> bool {
        self.buffer.is_empty() && self.kept_back.is_none() && self.tasks.as_ref().is_none_or(|tasks| tasks.open == 0)
    }

    /// Why nobody can wait there for the tasks to be done. That nobody writes any more is no reason.
    pub(super) fn fate_of_joins(&self) -> Option<Fate> {
        (self.is_poisoned || self.no_readers).then(|| self.fate()).flatten()
    }
}

impl Simulation {
    /// Why nobody can join a queue any more; one that is gone has retired.
    pub(super) fn fate_of_joins(&self, name: ChannelName) -> Option<Fate> {
        self.channel(name).map_or(Some(Fate::Retired), Channel::fate_of_joins)
    }

    /// A message was read with an end.
    pub(super) fn task_was_read(&mut self, name: ChannelName, reader: EndName) {
        self.change_tasks(name, reader, 1);
    }

    /// A message that was read with an end is in the channel again.
    pub(super) fn task_was_put_back(&mut self, name: ChannelName, reader: EndName) {
        if self.end(reader).is_some_and(|number| self.ends[number].weight > 0) {
            self.change_tasks(name, reader, -1);
        }
    }

    fn change_tasks(&mut self, name: ChannelName, reader: EndName, change: i32) {
        if self.channel(name).is_some_and(|channel| channel.tasks.is_some()) {
            self.touch_part(name, Part::Memory, true);
        }
        if let Some(number) = self.end(reader)
            && let Some(tasks) = self.channel_mut(name).and_then(|channel| channel.tasks.as_mut())
        {
            tasks.open = tasks.open.wrapping_add_signed(change);
            self.ends[number].weight = self.ends[number].weight.wrapping_add_signed(change);
        }
    }

    /// One message that the holder of this end has read, with this or another end, is done with. `false` if none is
    /// open.
    pub(super) fn task_done(&mut self, reader: EndName) -> bool {
        let Some(number) = self.end(reader) else { return false };
        let name = self.ends[number].channel;
        let mine = if self.ends[number].weight > 0 { Some(number) } else { self.other_reader(number, 1) };
        let Some(mine) = mine else { return false };
        let mine = self.end_name(mine);
        self.change_tasks(name, mine, -1);
        self.tell_joining(name);
        true
    }

    /// Another end by which the holder of this one reads from its channel, with so many open tasks at least.
    fn other_reader(&self, end: usize, tasks: u32) -> Option<usize> {
        let this = self.ends[end];
        let is_such = |(number, other): &(usize, &super::channel::End)| {
            *number != end
                && (other.channel, other.direction, other.holder) == (this.channel, this.direction, this.holder)
                && other.weight >= tasks
        };
        self.ends.iter().enumerate().find(is_such).map(|(number, _)| number)
    }

    /// An end of a reader is about to be closed, and what was read with it is open: it is another end's of the same
    /// process from now on, or is left behind.
    pub(super) fn leave_tasks(&mut self, end: usize, closing: Closing) {
        let super::channel::End { channel: name, weight, holder, .. } = self.ends[end];
        if weight == 0 || self.channel(name).is_none_or(|channel| channel.tasks.is_none()) {
            return;
        }
        self.touch_all(name, true);
        let crashed = matches!(closing, Closing::Lost { .. });
        self.ends[end].weight = 0;
        if !crashed && let Some(other) = self.other_reader(end, 0) {
            self.ends[other].weight += weight;
            return;
        }
        if let Some(Holder::Member(member)) = holder {
            self.keep(member);
            if let Some(tasks) = self.channel_mut(name).and_then(|channel| channel.tasks.as_mut()) {
                tasks.leaver = Some((member, crashed));
            }
        }
        if let Some(tasks) = self.channel_mut(name).and_then(|channel| channel.tasks.as_mut()) {
            tasks.open -= weight;
        }
        self.tell_joining(name);
    }

    /// Whoever surely waits until the tasks are done goes on, if they are.
    pub(super) fn tell_joining(&mut self, name: ChannelName) {
        if self.is_over || !self.channel(name).is_some_and(Channel::is_done) {
            return;
        }
        self.touch_all(name, true);
        self.note_waiting(name);
        while let Some(waiter) = self.longest_settled(name, is_join) {
            let number = self.number(name).map_or(NOBODY, |number| number as u32);
            let kind = if self.is_told(waiter, name) { Kind::Told } else { Kind::Pass };
            self.join(Choice::new(kind, waiter, NOBODY, number), name);
        }
    }

    /// The last task is done or left: those who have offered to join by now may wait.
    fn note_waiting(&mut self, name: ChannelName) {
        let waiting = self.offers_at(name, is_join).map(|(task, _)| (task, self.tasks[task as usize].offers)).collect();
        if let Some(tasks) = self.channel_mut(name).and_then(|channel| channel.tasks.as_mut())
            && let Some(leaver) = tasks.leaver
        {
            tasks.told = Some((leaver, waiting));
        }
    }

    /// Whether somebody who joins may be told of one who has left tasks behind.
    fn is_told(&self, who: u32, name: ChannelName) -> bool {
        let tasks = self.channel(name).and_then(|channel| channel.tasks.as_ref());
        tasks.is_some_and(|tasks| {
            let me = (who, self.tasks[who as usize].offers);
            tasks.leaver.is_some() || tasks.told.as_ref().is_some_and(|(_, waiting)| waiting.contains(&me))
        })
    }

    /// In which ways somebody who joins may go on: told of one who has left tasks behind, or not.
    pub(super) fn ways_to_join(&self, who: u32, name: ChannelName) -> impl Iterator<Item = Kind> {
        let is_done = self.channel(name).is_some_and(Channel::is_done);
        let tasks = self.channel(name).and_then(|channel| channel.tasks.as_ref());
        let has_left = tasks.is_some_and(|tasks| tasks.leaver.is_some());
        let is_told = is_done && self.is_told(who, name);
        [(is_done && !has_left).then_some(Kind::Pass), is_told.then_some(Kind::Told)].into_iter().flatten()
    }

    /// Somebody who joins goes on.
    pub(super) fn join(&mut self, choice: Choice, name: ChannelName) {
        self.touch_all(name, true);
        self.note(choice, crate::memory::NONE);
        let place = self.place_of(choice.who, is_join);
        if let Some(fate) = self.fate_of_joins(name) {
            return self.answer(choice.who, Fired::ended(place, fate));
        }
        let tasks = self.channel_mut(name).and_then(|channel| channel.tasks.as_mut());
        let told = tasks.filter(|_| choice.kind == Kind::Told).and_then(|tasks| {
            tasks.leaver = None;
            tasks.told.as_ref().map(|(leaver, _)| *leaver)
        });
        let fired = match told {
            Some((member, crashed)) => Fired::ended(place, Fate::Abandoned { member, crashed }),
            None => Fired::bare(place),
        };
        self.answer(choice.who, fired);
    }
}
