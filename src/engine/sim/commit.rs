//! What was decided happens: offers are answered, messages change hands.
//!
//! Knows nothing of why it was decided.

use super::super::actor::{Actor, actor};
use super::super::{ChannelName, ExtendedWriter, Fired, Guard, Holder, Kept, Packet};
use super::channel::End;
use super::decision::{Choice, Kind, NOBODY};
use super::possible::{channel_of, is_barrier, is_input, is_join, is_output, is_pass};
use super::record::{Happening, Linked};
use super::task::State;
use super::touch::{Object, Part};
use super::world::Simulation;
use crate::memory::{Block, NONE};
use std::ops::Range;
use std::panic::Location;

impl Simulation {
    /// Carries out what was decided.
    pub(super) fn carry_out(&mut self, choice: Choice) {
        self.is_deciding = true;
        self.is_happening = true;
        self.note_decision(choice);
        self.bring_about(choice);
        self.is_happening = false;
    }

    fn bring_about(&mut self, choice: Choice) {
        let name = self.channel_name(choice.channel as usize);
        match choice.kind {
            Kind::Communication => self.meet(choice, name),
            Kind::Put => self.put(choice, name),
            Kind::Take => self.take(choice, name),
            Kind::Told | Kind::Pass if self.is_joining(choice.who, name) => self.join(choice, name),
            Kind::Told => {
                self.note(choice, NONE);
                self.tell(choice.who, name);
            }
            Kind::Sync => self.sync(choice, name),
            Kind::Pass => self.pass(choice, name),
            Kind::Timer => {
                self.note(choice, NONE);
                self.answer(choice.who, Fired::bare(self.place_due(choice.who)));
            }
            Kind::Skip | Kind::Look => {
                self.note(choice, NONE);
                self.touch(Object::task(choice.who), true);
                let skip = self.place_of(choice.who, |guard| matches!(guard, Guard::Skip));
                self.answer(choice.who, Fired::bare(skip));
            }
            Kind::Effect => {
                self.note(choice, NONE);
                self.take_effect(choice.who);
            }
            Kind::Time => {
                self.note(choice, NONE);
                self.pass_time();
            }
            Kind::Double => {
                let (_, block) = self.given_at(choice.who, name);
                self.meet(choice, name);
                self.double(block, name);
            }
            Kind::Lose | Kind::Hold => {
                let (_, block) = self.given_at(choice.who, name);
                self.note(choice, block);
                self.fail(choice, name);
            }
            Kind::Arrive => {
                self.note(choice, NONE);
                self.channel_mut(name).into_iter().for_each(super::channel::Channel::arrive);
            }
            Kind::Crash | Kind::Panic | Kind::Poison | Kind::Delay => {
                self.note(choice, NONE);
                self.fail(choice, name);
            }
        }
    }

    /// A writer and a reader meet.
    fn meet(&mut self, choice: Choice, name: ChannelName) {
        let (writer, reader) = (choice.who, choice.with);
        let given = self.place_at(writer, name, is_output);
        let taken = self.place_at(reader, name, is_input);
        let block = self.block_of(writer, given);
        self.touch_part(name, Part::Head, true);
        self.touch_part(name, Part::Tail, true);
        self.note(choice, block);
        self.goes_by(name);
        let is_buffered = self.channel(name).is_some_and(super::channel::Channel::is_buffered);
        self.task_was_read(name, self.reader_of(reader, taken));
        let mut fired = Fired::with(taken, block);
        if self.is_extended(reader, taken) && !is_buffered {
            fired.kept = Kept::Writer(self.hold(writer, given, reader));
        } else {
            self.answer(writer, Fired::bare(given));
        }
        self.answer(reader, fired);
    }

    /// A message goes into the buffer.
    fn put(&mut self, choice: Choice, name: ChannelName) {
        let given = self.place_at(choice.who, name, is_output);
        let block = self.block_of(choice.who, given);
        self.touch_part(name, Part::Tail, true);
        self.touch_place(name, true);
        self.note(choice, block);
        self.goes_by(name);
        let dropped = self.channel_mut(name).and_then(|channel| channel.put(block));
        self.doomed.extend(dropped);
        self.answer(choice.who, Fired::bare(given));
        self.free_doomed();
    }

    /// A message comes out of the buffer; then the writer that has surely waited longest puts its own.
    fn take(&mut self, choice: Choice, name: ChannelName) {
        let taken = self.place_at(choice.who, name, is_input);
        self.touch_part(name, Part::Head, true);
        self.touch_place(name, false);
        let Some(channel) = self.channel_mut(name) else { return };
        let Some(block) = channel.buffer.pop_front() else { return };
        channel.taken = channel.taken.wrapping_add(1);
        self.note(choice, block);
        self.task_was_read(name, self.reader_of(choice.who, taken));
        self.answer(choice.who, Fired::with(taken, block));
        let takes = self.channel(name).is_some_and(super::channel::Channel::takes);
        if takes && let Some(writer) = self.longest_settled(name, is_output) {
            self.put(Choice::new(Kind::Put, writer, NOBODY, choice.channel), name);
        }
    }

    /// All parties of a barrier go on.
    fn sync(&mut self, choice: Choice, name: ChannelName) {
        let mut parties: Vec<(u32, usize)> = self.offers_at(name, is_barrier).collect();
        // In whatever order they have come.
        parties.sort_unstable();
        for (party, _) in &parties {
            self.record.link(Some(*party), Linked::Channel(choice.channel));
        }
        self.note(choice, NONE);
        for (party, place) in parties {
            self.answer(party, Fired::bare(place));
        }
    }

    /// Somebody has permits of a gate from now on.
    fn pass(&mut self, choice: Choice, name: ChannelName) {
        self.note(choice, NONE);
        self.let_in(choice.who, name);
    }

    fn let_in(&mut self, who: u32, name: ChannelName) {
        let place = self.place_at(who, name, is_pass);
        let guard = self.tasks[who as usize].offer().and_then(|offer| offer.guards.get(place)).copied();
        let mut fired = Fired::bare(place);
        if let Some(Guard::Pass { weight, holder: Some(holder), .. }) = guard {
            fired.kept = Kept::Unit(self.give_unit(name, weight, holder));
        }
        self.answer(who, fired);
    }

    fn give_unit(&mut self, name: ChannelName, weight: u32, holder: Holder) -> super::super::EndName {
        let direction = super::super::Direction::Unit;
        self.touch_part(name, Part::Permits, true);
        if let Some(gate) = self.channel_mut(name) {
            gate.in_use = gate.in_use.wrapping_add(weight);
            *gate.count(direction) += 1;
        }
        super::holding::count_held(holder, 1);
        self.ends.push(End { channel: name, direction, holder: Some(holder), weight });
        self.end_name(self.ends.len() - 1)
    }

    /// Whoever surely waits at a channel learns at once what has become of it: that it has ended, that permits are
    /// free, or that a party less is waited for.
    pub(super) fn tell_settled(&mut self, name: ChannelName) {
        if self.is_over {
            return;
        }
        self.touch_part(name, Part::Waits, false);
        if self.number(name).is_none_or(|number| self.channels[number].offers.is_empty()) {
            return;
        }
        if self.channel(name).is_some_and(super::channel::Channel::is_gate) {
            while let Some((waiter, weight)) = self.next_at_gate(name)
                && self.channel(name).is_some_and(|gate| gate.has_free(weight))
            {
                let number = self.number(name).map_or(NOBODY, |number| number as u32);
                self.pass(Choice::new(Kind::Pass, waiter, NOBODY, number), name);
            }
            return;
        }
        while self.fate_of_joins(name).is_some()
            && let Some(waiter) = self.longest_settled(name, is_join)
        {
            let number = self.number(name).map_or(NOBODY, |number| number as u32);
            self.join(Choice::new(Kind::Told, waiter, NOBODY, number), name);
        }
        if self.fate(name).is_none() {
            return;
        }
        for side in [is_input, is_output, is_barrier] {
            while let Some(waiter) = self.longest_settled(name, side) {
                self.tell(waiter, name);
            }
        }
    }

    /// The one that surely waits longest at a gate, and for how many permits.
    fn next_at_gate(&self, name: ChannelName) -> Option<(u32, u32)> {
        let waiter = self.longest_settled(name, is_pass)?;
        let place = self.place_at(waiter, name, is_pass);
        match self.tasks[waiter as usize].offer()?.guards.get(place) {
            Some(Guard::Pass { weight, .. }) => Some((waiter, *weight)),
            _ => None,
        }
    }

    /// Lets in the one that waits longest, whatever it waits for; or else the turn that comes now has come.
    pub(super) fn notify(&mut self, name: ChannelName) {
        self.touch_all(name, true);
        let settled = self.longest_settled(name, is_pass);
        match settled.or_else(|| self.offers_at(name, is_pass).next().map(|(waiter, _)| waiter)) {
            Some(waiter) => self.let_in(waiter, name),
            None => {
                if let Some(gate) = self.channel_mut(name) {
                    gate.capacity = gate.capacity.wrapping_add(1);
                }
            }
        }
    }

    /// Tells somebody who waits at a channel that it has ended.
    fn tell(&mut self, who: u32, name: ChannelName) {
        let Some(fate) = self.fate(name) else { return };
        self.answer(who, Fired::ended(self.place_told(who, name), fate));
    }

    /// The number of the guard by which somebody is told what has become of a channel: what lies in the buffer is read
    /// first.
    pub(super) fn place_told(&self, who: u32, name: ChannelName) -> usize {
        let is_empty = self.channel(name).is_none_or(|channel| channel.buffer.is_empty());
        self.place_of(who, |guard| channel_of(guard) == Some(name) && (is_empty || !is_input(guard)))
    }

    /// Who surely waits longest on one side of a channel.
    pub(super) fn longest_settled(&self, name: ChannelName, side: fn(&Guard) -> bool) -> Option<u32> {
        let settled = self.offers_at(name, side).map(|(task, _)| task).filter(|task| self.is_settled(*task));
        // Nothing is said about the order of those who have come in one epoch.
        settled.min_by_key(|task| (self.tasks[*task as usize].offer().map(|offer| offer.epoch), *task))
    }

    /// The number of the guard by which a timer that is due fires.
    pub(super) fn place_due(&self, who: u32) -> usize {
        self.place_of(who, |guard| self.is_due(guard))
    }

    /// The first deadline that somebody waits for, after now.
    pub(super) fn next_deadline(&self) -> Option<crate::sys::clock::Instant> {
        let offers = self.tasks.iter().filter_map(super::task::Task::offer);
        let deadlines = offers.flat_map(|offer| &offer.guards).filter_map(|guard| match guard {
            Guard::Timer { deadline } => Some(deadline.instant()),
            _ => None,
        });
        deadlines.filter(|deadline| *deadline > self.now()).min()
    }

    /// Time passes until the first deadline: everybody who can come has come by then.
    pub(super) fn pass_time(&mut self) {
        if let Some(deadline) = self.next_deadline() {
            self.epoch += 1;
            self.is_stirred = true;
            self.elapsed = self.since_start(deadline);
            self.end_delays();
        }
    }

    /// An offer has come to something.
    pub(super) fn answer(&mut self, who: u32, fired: Fired) {
        self.note_fired(who, fired.index);
        self.note_answer(who, &fired);
        self.leads_to(Linked::Task(who));
        self.touch_offer(who);
        self.withdraw(who);
        self.stir(who);
        self.tasks[who as usize].go_on(Some(fired));
        self.ready.push_back(who);
    }

    /// A writer waits on until its reader has finished.
    fn hold(&mut self, writer: u32, guard: usize, reader: u32) -> ExtendedWriter {
        self.touch_offer(writer);
        self.withdraw(writer);
        self.stir(writer);
        let task = &mut self.tasks[writer as usize];
        task.waits += 1;
        let wait = task.waits;
        let place = match &task.state {
            State::Offered(offer) => offer.place,
            _ => Location::caller(),
        };
        task.state = State::Held { guard, reader, wait, place };
        ExtendedWriter { context: writer, word: wait }
    }

    /// A reader has finished: its writer goes on, with a reply or a reason if there is one. `false` if it is gone.
    pub(super) fn release(&mut self, writer: ExtendedWriter, outcome: Result<Block, super::super::Fate>) -> bool {
        let Some(task) = self.tasks.get(writer.context as usize) else { return false };
        match task.state {
            State::Held { guard, wait, .. } if wait == writer.word => {
                self.answer(writer.context, Fired { index: guard, outcome, kept: Kept::Nothing });
                true
            }
            _ => false,
        }
    }

    /// The number of the first guard like this, in the order of the policy.
    pub(super) fn place_of(&self, who: u32, is_such: impl Fn(&Guard) -> bool) -> usize {
        let Some(offer) = self.tasks[who as usize].offer().filter(|offer| offer.guards.len() > 1) else { return 0 };
        let mut order = offer.order_of_guards();
        order.find(|place| is_such(&offer.guards[*place])).unwrap_or(0)
    }

    pub(super) fn place_at(&self, who: u32, name: ChannelName, side: fn(&Guard) -> bool) -> usize {
        self.place_of(who, |guard| side(guard) && channel_of(guard) == Some(name))
    }

    fn block_of(&self, who: u32, place: usize) -> Block {
        match self.tasks[who as usize].offer().and_then(|offer| offer.guards.get(place)) {
            Some(Guard::Output { block, .. }) => *block,
            _ => NONE,
        }
    }

    /// Whether it waits until the tasks of a queue are done.
    pub(super) fn is_joining(&self, who: u32, name: ChannelName) -> bool {
        let joins = |guard: &Guard| is_join(guard) && channel_of(guard) == Some(name);
        self.tasks[who as usize].offer().is_some_and(|offer| offer.guards.iter().any(joins))
    }

    /// The end with which a guard reads.
    fn reader_of(&self, who: u32, place: usize) -> super::super::EndName {
        match self.tasks[who as usize].offer().and_then(|offer| offer.guards.get(place)) {
            Some(Guard::Input { reader, .. }) => *reader,
            _ => super::super::EndName::NONE,
        }
    }

    fn is_extended(&self, who: u32, place: usize) -> bool {
        let guard = self.tasks[who as usize].offer().and_then(|offer| offer.guards.get(place));
        matches!(guard, Some(Guard::Input { extended: true, .. }))
    }

    /// The number of the guard by which somebody writes to a channel, and the message.
    pub(super) fn given_at(&self, who: u32, name: ChannelName) -> (usize, Block) {
        let given = self.place_at(who, name, is_output);
        (given, self.block_of(who, given))
    }

    pub(super) fn where_is(&self, task: u32) -> Option<&'static Location<'static>> {
        match &self.tasks.get(task as usize)?.state {
            State::Offered(offer) => Some(offer.place).filter(|place| place.file() != super::HERE),
            State::Held { place, .. } => Some(place),
            _ => None,
        }
    }

    /// Of what happens now, or else of what the task that runs has done, comes that somebody goes on, or that a channel
    /// is another one.
    pub(super) fn leads_to(&mut self, to: Linked) {
        let from = if self.is_happening { None } else { actor(Actor::task) };
        if self.is_happening || from.is_some() {
            self.record.link(from, to);
        }
    }

    /// Writes down what happens now.
    pub(super) fn note(&mut self, choice: Choice, message: Block) {
        let places = [self.where_is(choice.who), self.where_is(choice.with)];
        let message = self.copy(message);
        let is_decided = std::mem::take(&mut self.is_deciding);
        self.record.happenings.push(Happening { choice, places, message, is_decided, at: self.elapsed });
    }

    fn copy(&mut self, block: Block) -> Range<usize> {
        let start = self.record.bytes.len();
        if let Some(packet) = Packet::from_raw(block) {
            self.record.bytes.extend_from_slice(packet.bytes());
            let _ = packet.into_raw();
        }
        start..self.record.bytes.len()
    }
}
