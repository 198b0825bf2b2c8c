//! Ends made, moved and closed, and what that does to their channels.
//!
//! Knows nothing of who waits there.

use super::super::{
    ArenaError, ChannelKind, ChannelName, Closing, Direction, EndName, Fate, Holder, MemberName, Packet, Phase, tables,
    with_local,
};
use super::channel::End;
use super::record::Linked;
use super::script::Note;
use super::task::{Effect, State};
use super::touch::{Object, Part};
use super::world::Simulation;
use crate::memory::Block;

/// How the channels of a member go that has come to this phase.
fn closing_of(name: MemberName) -> Closing {
    let Some(member) = name.slot() else { return Closing::Retire };
    match member.phase() {
        Phase::Returned => Closing::Retire,
        Phase::Failed => Closing::Poison,
        _ if member.retires_on_crash() => Closing::Retire,
        _ => Closing::Lost { member: name.index },
    }
}

/// Whether somebody may hold an end, by the counter that it has of them.
fn holds_any(holder: Holder) -> bool {
    match holder {
        Holder::Block(block) => super::carries_ends(block),
        Holder::Member(member) => super::Member::at(member).is_none_or(super::Member::holds_ends),
        Holder::Exit(_) => true,
    }
}

/// Keeps the counters that blocks and members have of their ends.
pub(super) fn count_held(holder: Holder, change: i32) {
    tables().count_held_alone(holder, change);
}

impl Simulation {
    pub(super) fn create_channel(
        &mut self,
        label: &str,
        kind: ChannelKind,
        holder: Holder,
    ) -> Result<(ChannelName, EndName), ArenaError> {
        if kind == ChannelKind::Carried {
            return Err(ArenaError::Simulated { what: "a channel with `Carrier::Ipc`" });
        }
        let name = self.add_channel(label, kind);
        self.touch(Object::NUMBERS, true);
        self.touch_all(name, true);
        Ok((name, self.request_end(name, Direction::Handle, holder)?))
    }

    /// One more end. A side that has retired stays so.
    pub(super) fn request_end(
        &mut self,
        name: ChannelName,
        direction: Direction,
        holder: Holder,
    ) -> Result<EndName, ArenaError> {
        let Some(number) = self.number(name) else {
            return Err(ArenaError::Simulated { what: "a channel that was made outside of the simulation" });
        };
        *self.channels[number].count(direction) += 1;
        let part = if direction == Direction::Party { Some(Part::Fate) } else { Part::ends(direction) };
        part.into_iter().for_each(|part| self.touch_part(name, part, true));
        count_held(holder, 1);
        self.ends.push(End { channel: name, direction, holder: Some(holder), weight: 0 });
        Ok(self.end_name(self.ends.len() - 1))
    }

    /// Hands an end from one holder to another. `false` if `from` does not hold it.
    pub(super) fn move_end(&mut self, end: EndName, from: Holder, to: Holder) -> bool {
        let Some(number) = self.end(end).filter(|number| self.ends[*number].holder == Some(from)) else {
            return false;
        };
        count_held(to, 1);
        count_held(from, -1);
        self.ends[number].holder = Some(to);
        true
    }

    /// The ends that somebody holds.
    pub(super) fn held_by(&self, holder: Holder) -> Vec<EndName> {
        if !holds_any(holder) {
            return Vec::new();
        }
        let numbers = 0..self.ends.len();
        numbers.filter(|number| self.ends[*number].holder == Some(holder)).map(|number| self.end_name(number)).collect()
    }

    /// Does something with each end that somebody holds now.
    pub(super) fn each_held_by(&mut self, holder: Holder, mut work: impl FnMut(&mut Simulation, EndName)) {
        if !holds_any(holder) {
            return;
        }
        let mut numbers = 0..self.ends.len();
        while let Some(number) = numbers.find(|number| self.ends[*number].holder == Some(holder)) {
            let name = self.end_name(number);
            work(self, name);
        }
    }

    /// A task closes an end: at once, if nobody will notice.
    #[inline]
    pub(super) fn close(&mut self, task: u32, end: EndName, closing: Closing) {
        let Some(number) = self.end(end) else { return };
        match self.ends[number].direction {
            Direction::Handle => self.close_handle(number),
            _ => self.close_side(task, end, number, closing),
        }
    }

    #[inline(never)]
    fn close_side(&mut self, task: u32, end: EndName, number: usize, closing: Closing) {
        let End { channel, direction, weight, .. } = self.ends[number];
        let owes = !self.tasks[task as usize].effects.is_empty();
        Part::ends(direction).into_iter().for_each(|part| self.touch_part(channel, part, false));
        let is_noticed = self.channel(channel).is_some_and(|channel| {
            let left = match direction {
                Direction::Reader => channel.readers,
                Direction::Writer => channel.writers,
                Direction::Handle => return false,
                Direction::Party if closing == Closing::Void => return false,
                Direction::Party | Direction::Unit => return true,
            };
            let leaves_tasks = direction == Direction::Reader && weight > 0;
            // Also if it has ended otherwise: or else it would matter which side closes first.
            leaves_tasks || left == 1 || !matches!(closing, Closing::Retire | Closing::Resign | Closing::Void)
        });
        // A process that ends closes what it still has, also what it has closed before and what is not gone yet.
        let is_owed = |effect: &Effect| matches!(effect, Effect::Close(other, _) if *other == end);
        if self.is_over || !(owes || is_noticed) {
            self.close_now(end, closing);
        } else if !self.tasks[task as usize].effects.iter().any(is_owed) {
            self.owe(task, Effect::Close(end, closing));
        }
    }

    /// Takes a handle out of existence. Of these there are most, and nobody notices, unless it is the last end.
    fn close_handle(&mut self, number: usize) {
        let End { channel: of, holder, .. } = self.ends[number];
        if self.is_happening {
            self.affects(of);
        }
        self.ends[number].holder = None;
        if let Some(holder) = holder {
            count_held(holder, -1);
        }
        let Some(at) = self.number(of).filter(|at| !self.channels[*at].is_gone) else { return };
        let channel = &mut self.channels[at];
        channel.handles -= 1;
        if channel.is_unused() {
            channel.drain_into(&mut self.doomed);
            channel.is_gone = true;
            self.stir_channel(at);
            self.tell_settled(of);
        }
    }

    /// Takes an end out of existence, and its channel with the last one.
    pub(super) fn close_now(&mut self, name: EndName, closing: Closing) {
        let Some(number) = self.end(name) else { return };
        let End { channel: of, direction, holder, weight } = self.ends[number];
        if direction == Direction::Handle {
            return self.close_handle(number);
        }
        // That an end is not the last one to close is noticed by nobody, but a unit is.
        if self.is_happening || direction == Direction::Unit {
            self.affects(of);
        }
        if direction == Direction::Reader {
            self.leave_tasks(number, closing);
        }
        self.ends[number].holder = None;
        Part::ends(direction).into_iter().for_each(|part| self.touch_part(of, part, true));
        if let Some(holder) = holder {
            count_held(holder, -1);
        }
        let Some(at) = self.number(of).filter(|at| !self.channels[*at].is_gone) else { return };
        self.stir_channel(at);
        let channel = &mut self.channels[at];
        let closing = channel.closing(direction, closing);
        let left = channel.count(direction);
        *left -= 1;
        let left = *left;
        match direction {
            Direction::Reader if left == 0 => self.touch_part(of, Part::NoReaders, true),
            Direction::Writer if left == 0 => self.touch_part(of, Part::NoWriters, true),
            Direction::Party => self.touch_part(of, Part::Fate, true),
            Direction::Unit => self.touch_part(of, Part::Permits, true),
            _ => (),
        }
        let channel = &mut self.channels[at];
        match direction {
            Direction::Reader => channel.no_readers |= left == 0,
            Direction::Writer if left == 0 => channel.end_writing(),
            Direction::Writer => (),
            // A seat of a process that only handed the barrier on does not count.
            Direction::Party if closing == Closing::Resign || closing != Closing::Void && left < channel.capacity => {
                channel.capacity = channel.capacity.saturating_sub(1);
            }
            Direction::Unit => {
                if closing != Closing::Resign
                    && channel.capacity == weight
                    && let Some(Holder::Member(member)) = holder
                {
                    channel.abandoner = Some(member);
                    self.keep(member);
                }
                let gate = &mut self.channels[at];
                gate.in_use = gate.in_use.wrapping_sub(weight);
            }
            Direction::Party | Direction::Handle => (),
        }
        if matches!(direction, Direction::Reader | Direction::Writer) {
            self.mark(of, closing);
        }
        let channel = &mut self.channels[at];
        let is_read_no_more =
            direction == Direction::Reader && (left == 0 || !matches!(closing, Closing::Retire | Closing::Void));
        let is_in_use = !channel.is_unused();
        if is_read_no_more && channel.fate().is_some() || !is_in_use {
            // Nobody is left who would notice, if it is not in use any more.
            if is_in_use && channel.keeps_messages() {
                self.touch_part(of, Part::Head, true);
                self.touch_part(of, Part::Tail, true);
            }
            self.channels[at].drain_into(&mut self.doomed);
        }
        let channel = &mut self.channels[at];
        channel.is_gone = channel.is_unused();
        self.tell_settled(of);
    }

    /// Marks a channel with what has become of it.
    fn mark(&mut self, of: ChannelName, closing: Closing) {
        if matches!(closing, Closing::Poison | Closing::Lost { .. }) {
            self.touch_part(of, Part::Fate, true);
        }
        let Some(channel) = self.channel_mut(of) else { return };
        match closing {
            Closing::Poison => channel.is_poisoned = true,
            Closing::Lost { member } if !channel.is_poisoned => {
                channel.is_poisoned = true;
                channel.lost = Some(member);
                self.keep(member);
            }
            Closing::Lost { .. } | Closing::Retire | Closing::Resign | Closing::Void => (),
        }
    }

    /// A member is kept for its name until the world ends.
    pub(super) fn keep(&mut self, member: u32) {
        tables().retain_member(member);
        self.kept.push(member);
    }

    /// Poisons a channel. What a writer poisons is read to the end first, what a reader poisons is not.
    pub(super) fn poison_now(&mut self, of: ChannelName, direction: Direction) {
        self.mark(of, Closing::Poison);
        self.affects(of);
        let Some(at) = self.number(of).filter(|at| !self.channels[*at].is_gone) else { return };
        self.stir_channel(at);
        let channel = &mut self.channels[at];
        if direction == Direction::Reader {
            channel.drain_into(&mut self.doomed);
            self.touch_part(of, Part::Head, true);
            self.touch_part(of, Part::Tail, true);
        } else {
            channel.arrive();
        }
        self.tell_settled(of);
    }

    /// Closes the ends that travel in a block, which is about to be freed.
    pub(super) fn close_travelling(&mut self, block: Block, closing: Closing) {
        self.each_held_by(Holder::Block(block), |world, end| world.close_now(end, closing));
    }

    /// Frees the messages that nobody will read. Each may have ends in it whose closing leaves more of them.
    #[inline]
    pub(super) fn free_doomed(&mut self) {
        if !self.doomed.is_empty() {
            self.free_all_doomed();
        }
    }

    fn free_all_doomed(&mut self) {
        while let Some(block) = self.doomed.pop() {
            self.close_travelling(block, Closing::Retire);
            tables().free(block);
        }
    }

    /// The next thing that a task has done takes effect.
    pub(super) fn take_effect(&mut self, task: u32) {
        self.touch(Object::task(task), true);
        match self.tasks[task as usize].effects.pop_front() {
            Some(Effect::Close(end, closing)) => self.close_now(end, closing),
            Some(Effect::Poison(channel, direction)) => self.poison_now(channel, direction),
            Some(Effect::EndWriting(channel)) => {
                self.touch_part(channel, Part::NoWriters, true);
                if let Some(channel) = self.channel_mut(channel) {
                    channel.end_writing();
                }
                self.affects(channel);
                self.tell_settled(channel);
            }
            Some(Effect::Leave(member)) => self.leave(member),
            None => (),
        }
        self.free_doomed();
        self.stir(task);
        if self.tasks[task as usize].effects.is_empty() {
            self.post(task);
        }
    }

    /// Whoever looks at the channel from now on sees what happens now.
    fn affects(&mut self, of: ChannelName) {
        if let Some(number) = self.number(of) {
            self.leads_to(Linked::Channel(number as u32));
        }
    }

    /// All that a task has done so far takes effect.
    pub(super) fn settle(&mut self, task: u32) {
        while !self.tasks[task as usize].effects.is_empty() {
            self.take_effect(task);
        }
    }

    /// A process is over, or will never begin: gives up what it still holds, and tells those who wait for its end.
    pub(super) fn leave(&mut self, name: MemberName) {
        let closing = closing_of(name);
        let Some(member) = name.slot() else { return };
        let has_crashed = !matches!(member.phase(), Phase::Returned | Phase::Failed);
        if let Some(packet) = member.take_arguments() {
            let block = packet.into_raw();
            self.close_travelling(block, closing);
            tables().free(block);
        }
        self.each_held_by(Holder::Member(name.index), |world, end| world.close_now(end, closing));
        if self.disowned.contains(&name)
            && let Some(result) = member.take_result(None)
        {
            self.doomed.push(result.into_raw());
        }
        self.free_doomed();
        member.come_to(Phase::Gone);
        self.disown_children(name.index);
        let _ = with_local(|local| local.release_own(name.index));
        if let Some(exit) = self.exits.remove(name.index) {
            self.touch_part(exit, Part::NoWriters, true);
            if let Some(channel) = self.channel_mut(exit) {
                channel.no_writers = true;
            }
            self.affects(exit);
            self.tell_settled(exit);
        }
        if has_crashed {
            self.kill_children(name.index);
        }
    }

    /// Whoever has started them is gone, and will not ask for them.
    pub(super) fn disown_children(&self, parent: u32) {
        let children = self.tasks.iter().filter(|task| task.is_process && task.parent == parent);
        let _ = with_local(|local| children.for_each(|child| local.disown(child.member)));
    }

    /// What a process has started dies with it.
    fn kill_children(&mut self, parent: u32) {
        let is_child = |number: &usize| {
            let task = &self.tasks[*number];
            (task.parent == parent || task.member.index == parent) && !task.is_over()
        };
        let children: Vec<usize> = (0..self.tasks.len()).filter(is_child).collect();
        children.into_iter().for_each(|child| self.kill(child as u32, Some(self.killed)));
    }

    /// Ends a task where it is; it goes on only to unwind. `note` says of what its process has died, unless it panics.
    pub(super) fn kill(&mut self, number: u32, note: Option<u32>) {
        if self.tasks[number as usize].is_over() || self.tasks[number as usize].is_killed {
            return;
        }
        self.leads_to(Linked::Task(number));
        self.touch_offer(number);
        self.withdraw(number);
        self.stir(number);
        self.note_script(|| if note.is_some() { Note::Killed(number) } else { Note::Panics(number) });
        let task = &mut self.tasks[number as usize];
        task.is_killed = true;
        if task.is_process
            && let Some(member) = task.member.slot()
            && let Some(note) = note
        {
            member.note_ending(note);
        }
        match std::mem::replace(&mut task.state, State::Ready(None)) {
            State::Ready(fired) => {
                // It is in line already. What it was given and has not taken is nobody's.
                let came = fired.and_then(|fired| fired.outcome.ok()).and_then(Packet::from_raw);
                self.doomed.extend(came.map(Packet::into_raw));
                self.free_doomed();
            }
            State::Running => self.tasks[number as usize].state = State::Running,
            State::Offered(_) | State::Held { .. } => self.ready.push_back(number),
            State::Over => self.tasks[number as usize].state = State::Over,
        }
    }

    /// Nobody will ask for the outcome of a process any more.
    pub(super) fn disown(&mut self, name: MemberName) {
        let is_gone = name.slot().is_none_or(|member| member.phase() == Phase::Gone);
        if is_gone {
            if let Some(result) = name.slot().and_then(|member| member.take_result(None)) {
                self.doomed.push(result.into_raw());
                self.free_doomed();
            }
        } else {
            self.disowned.push(name);
        }
        let _ = with_local(|local| local.disown(name));
    }

    /// The reader of these has come to its end: their writers go on, and learn that it did not finish.
    pub(super) fn abandon_writers(&mut self, reader: u32, crashed: bool) {
        let member = self.tasks[reader as usize].member.index;
        for number in 0..self.tasks.len() {
            if let State::Held { guard, reader: held_by, .. } = self.tasks[number].state
                && held_by == reader
            {
                self.keep(member);
                let fate = Fate::Abandoned { member, crashed };
                self.answer(number as u32, super::super::Fired::ended(guard, fate));
            }
        }
    }
}
