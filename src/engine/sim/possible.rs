//! What may happen next: the reference semantics of every law of communication.
//!
//! Knows nothing of who decides, nor of how it is carried out.
//!
//! **Who has made an offer may be there already, or may not have come yet.** Nobody can know: a process that waits is
//! quiet. So nothing is said about the order in which the offers of this moment come, and each pair that could meet in
//! some order may meet. Only when time passes, everybody who can come has come: an offer that was made before is
//! *settled*, and surely waits.
//!
//! A guard is *surely ready* if it is so in whatever order the others come: a message lies in the buffer, there is room
//! for one, the channel has ended, a timer is due, or a settled partner waits. The laws are then:
//!
//! - Who comes second decides, and has the first guard, in the order of its policy, that is surely ready, or one before
//!   it whose partner has come: no guard behind one that is surely ready ([`Simulation::permits`]).
//! - Who comes first finds nothing, and waits: so nothing is surely ready for it, and it has no `skip`
//!   ([`Simulation::is_quiet`]).
//! - `skip` fires if nothing is surely ready.
//! - Those who are settled are served before those who are not, and those settled earlier before those settled later.

use super::super::{ChannelName, Guard, Order};
use super::decision::{Choice, Kind, NOBODY};
use super::task::Offer;
use super::world::Simulation;

/// An offer at a channel: whose, and the number of the guard.
pub(super) type At = (u32, usize);

impl Simulation {
    /// What one task may do next, or may be done with it, but faults and the passing of time.
    pub(super) fn possible_to(&self, me: u32, options: &mut Vec<Choice>) {
        let task = &self.tasks[me as usize];
        if task.is_late {
            return;
        }
        if !task.effects.is_empty() {
            if !matches!(task.state, super::task::State::Ready(_)) {
                options.push(Choice::new(Kind::Effect, me, NOBODY, NOBODY));
            }
        } else if let Some(offer) = task.offer() {
            self.possible_for(me, offer, options);
        }
    }

    fn possible_for(&self, me: u32, offer: &Offer, options: &mut Vec<Choice>) {
        for (place, guard) in offer.guards.iter().enumerate() {
            let at = (me, place);
            match *guard {
                Guard::Input { channel, .. } => self.possible_inputs(at, channel, options),
                Guard::Output { channel, .. } => self.possible_outputs(at, channel, options),
                Guard::Barrier { channel } => self.possible_sync(at, channel, options),
                Guard::Pass { gate, weight, .. } => self.possible_pass(at, gate, weight, options),
                Guard::Timer { .. } if self.is_due(guard) => self.alone(Kind::Timer, at, None, options),
                Guard::Timer { .. } => (),
                Guard::Join { queue } => self.possible_joins(at, queue, options),
                Guard::Skip if !offer.polls => push(options, Choice::new(Kind::Look, me, NOBODY, NOBODY)),
                Guard::Skip => {
                    let is_ready = (0..offer.guards.len()).any(|place| self.is_sure((me, place)));
                    if !is_ready {
                        push(options, Choice::new(Kind::Skip, me, NOBODY, NOBODY));
                    }
                }
            }
        }
    }

    fn possible_inputs(&self, at: At, name: ChannelName, options: &mut Vec<Choice>) {
        let channel = self.channel(name);
        if channel.is_some_and(|channel| !channel.buffer.is_empty()) {
            return self.alone(Kind::Take, at, Some(name), options);
        }
        if self.fate(name).is_some() {
            return self.alone(Kind::Told, at, Some(name), options);
        }
        // Into a buffer a message goes by itself, but a reader that surely waits has it at once.
        if channel.is_some_and(super::channel::Channel::is_buffered) && !self.is_settled(at.0) {
            return;
        }
        for writer in self.offers_at(name, is_output) {
            if writer.0 != at.0 && self.may_meet(writer, at, name) {
                let number = self.number(name).map_or(NOBODY, |number| number as u32);
                push(options, Choice::new(Kind::Communication, writer.0, at.0, number));
            }
        }
    }

    fn possible_outputs(&self, at: At, name: ChannelName, options: &mut Vec<Choice>) {
        if self.fate(name).is_some() {
            return self.alone(Kind::Told, at, Some(name), options);
        }
        let goes_to_reader =
            || self.offers_at(name, is_input).any(|reader| reader.0 != at.0 && self.is_settled(reader.0));
        if self.channel(name).is_some_and(|channel| channel.is_buffered() && channel.takes()) && !goes_to_reader() {
            self.alone(Kind::Put, at, Some(name), options);
        }
    }

    fn possible_sync(&self, at: At, name: ChannelName, options: &mut Vec<Choice>) {
        if self.fate(name).is_some() {
            return self.alone(Kind::Told, at, Some(name), options);
        }
        let parties: Vec<At> = self.offers_at(name, is_barrier).collect();
        let is_complete = self.channel(name).is_some_and(|barrier| parties.len() >= barrier.capacity as usize);
        // In whatever order they have come, it is the same choice.
        let is_named = parties.iter().all(|party| party.0 >= at.0);
        if is_complete && is_named && self.last_party(&parties).is_some() {
            let number = self.number(name).map_or(NOBODY, |number| number as u32);
            push(options, Choice::new(Kind::Sync, at.0, NOBODY, number));
        }
    }

    fn possible_pass(&self, at: At, name: ChannelName, weight: u32, options: &mut Vec<Choice>) {
        let Some(gate) = self.channel(name) else { return self.alone(Kind::Told, at, Some(name), options) };
        let is_first = gate.opened() == Some(super::super::Opened::InTurns) || self.is_first(at, NOBODY, name, is_pass);
        if gate.has_free(weight) && is_first {
            self.alone(Kind::Pass, at, Some(name), options);
        }
    }

    fn possible_joins(&self, at: At, name: ChannelName, options: &mut Vec<Choice>) {
        if self.fate_of_joins(name).is_some() {
            return self.alone(Kind::Told, at, Some(name), options);
        }
        self.ways_to_join(at.0, name).for_each(|kind| self.alone(kind, at, Some(name), options));
    }

    /// Of all the parties of a barrier, one that may come last, and find the others there.
    pub(super) fn last_party(&self, parties: &[At]) -> Option<u32> {
        let comes_last = |last: &&At| {
            !self.is_settled(last.0)
                && self.permits(**last)
                && parties.iter().all(|party| party == *last || self.is_quiet(party.0))
        };
        parties.iter().find(comes_last).map(|party| party.0)
    }

    /// Something that needs no partner.
    fn alone(&self, kind: Kind, at: At, name: Option<ChannelName>, options: &mut Vec<Choice>) {
        if self.permits(at) {
            let number = name.and_then(|name| self.number(name)).map_or(NOBODY, |number| number as u32);
            push(options, Choice::new(kind, at.0, NOBODY, number));
        }
    }

    /// Whether a writer and a reader may meet.
    fn may_meet(&self, writer: At, reader: At, name: ChannelName) -> bool {
        self.is_first(writer, reader.0, name, is_output)
            && self.is_first(reader, writer.0, name, is_input)
            && (self.comes_last(reader, writer) || self.comes_last(writer, reader))
    }

    /// Whether one may come, and find the other one there: of two that could meet at several guards, it is the first
    /// one of whoever comes last.
    pub(super) fn comes_last(&self, second: At, first: At) -> bool {
        !self.is_settled(second.0)
            && self.permits(second)
            && self.is_quiet(first.0)
            && !self.meets_before(second, first.0)
    }

    /// Whether somebody who looks would meet another one, who is there, at a guard before this one.
    fn meets_before(&self, (me, place): At, other: u32) -> bool {
        let offers = |task: u32| self.tasks[task as usize].offer();
        let (Some(mine), Some(its)) = (offers(me), offers(other)) else { return false };
        if mine.order == Order::Random {
            return false;
        }
        let answers = |guard: &Guard| {
            let is_answer = |of: &&Guard| {
                let sides = is_input(guard) && is_output(of) || is_output(guard) && is_input(of);
                sides && channel_of(guard) == channel_of(of)
            };
            its.guards.iter().any(|of| is_answer(&of))
        };
        mine.order_of_guards().take_while(|before| *before != place).any(|before| answers(&mine.guards[before]))
    }

    /// Whether nobody surely waits before it, its partner aside.
    fn is_first(&self, at: At, partner: u32, name: ChannelName, side: fn(&Guard) -> bool) -> bool {
        let mine = self.came_in(at.0);
        self.offers_at(name, side).all(|other| other.0 == partner || self.came_in(other.0) >= mine)
    }

    /// Whether it surely waits.
    pub(super) fn is_settled(&self, task: u32) -> bool {
        self.came_in(task) < self.epoch
    }

    /// In which epoch an offer was made. Who polls does not wait, and comes only now.
    fn came_in(&self, task: u32) -> u32 {
        self.tasks[task as usize].offer().filter(|offer| !offer.polls).map_or(self.epoch, |offer| offer.epoch)
    }

    /// Whether somebody who looks may choose this guard.
    pub(super) fn permits(&self, (me, place): At) -> bool {
        let Some(offer) = self.tasks[me as usize].offer() else { return false };
        if offer.order == Order::Random || offer.guards.len() == 1 {
            return true;
        }
        !offer.order_of_guards().take_while(|before| *before != place).any(|before| self.is_sure((me, before)))
    }

    /// Whether somebody who looks may find nothing.
    pub(super) fn is_quiet(&self, me: u32) -> bool {
        let Some(offer) = self.tasks[me as usize].offer() else { return false };
        // Who surely waits has looked before; what has come since would have been told to it.
        self.is_settled(me) || !offer.polls && !(0..offer.guards.len()).any(|place| self.is_sure((me, place)))
    }

    /// Whether a guard is ready in whatever order the others come.
    fn is_sure(&self, (me, place): At) -> bool {
        let Some(guard) = self.tasks[me as usize].offer().and_then(|offer| offer.guards.get(place)) else {
            return false;
        };
        let waits = |name, side: fn(&Guard) -> bool| {
            self.offers_at(name, side).any(|other| other.0 != me && self.is_settled(other.0))
        };
        match *guard {
            Guard::Input { channel, .. } => {
                let has_message = self.channel(channel).is_some_and(|channel| !channel.buffer.is_empty());
                has_message || self.fate(channel).is_some() || waits(channel, is_output)
            }
            Guard::Output { channel, .. } => {
                let has_room = self.channel(channel).is_some_and(|channel| channel.is_buffered() && channel.takes());
                has_room || self.fate(channel).is_some() || waits(channel, is_input)
            }
            Guard::Barrier { channel } => {
                let others = self.offers_at(channel, is_barrier).filter(|other| other.0 != me);
                let settled = others.filter(|other| self.is_settled(other.0)).count();
                let parties = self.channel(channel).map_or(0, |barrier| barrier.capacity as usize);
                self.fate(channel).is_some() || settled + 1 >= parties
            }
            Guard::Pass { gate, weight, .. } => self.channel(gate).is_none_or(|gate| gate.has_free(weight)),
            Guard::Timer { .. } => self.is_due(guard),
            Guard::Join { queue } => {
                self.fate_of_joins(queue).is_some() || self.channel(queue).is_some_and(super::channel::Channel::is_done)
            }
            Guard::Skip => false,
        }
    }

    pub(super) fn is_due(&self, guard: &Guard) -> bool {
        matches!(guard, Guard::Timer { deadline } if deadline.instant() <= self.now())
    }

    /// The offers of one side at a channel.
    pub(super) fn offers_at(&self, name: ChannelName, side: fn(&Guard) -> bool) -> impl Iterator<Item = At> {
        let offers = self.number(name).map_or(&[][..], |number| &self.channels[number].offers);
        offers.iter().copied().filter(move |(task, place)| {
            self.tasks[*task as usize].offer().is_some_and(|offer| side(&offer.guards[*place]))
        })
    }

    /// From now on what a task offers stands at its channels.
    pub(super) fn post(&mut self, task: u32) {
        if self.tasks[task as usize].offer().is_some() {
            self.at_each_channel_of(task, |offers, place| offers.push((task, place)));
        }
    }

    /// What a task has offered stands nowhere any more.
    pub(super) fn withdraw(&mut self, task: u32) {
        self.at_each_channel_of(task, |offers, _| offers.retain(|(other, _)| *other != task));
    }

    /// Changes the offers that stand at the channels of what a task offers, guard by guard.
    fn at_each_channel_of(&mut self, task: u32, change: impl Fn(&mut Vec<At>, usize)) {
        let mut place = 0;
        while let super::task::State::Offered(offer) = &self.tasks[task as usize].state
            && let Some(guard) = offer.guards.get(place)
        {
            if let Some(number) = channel_of(guard).and_then(|name| self.number(name)) {
                change(&mut self.channels[number].offers, place);
                self.stir_channel(number);
            }
            place += 1;
        }
    }
}

/// The same thing may be possible in several ways; it is one choice.
fn push(options: &mut Vec<Choice>, choice: Choice) {
    if !options.contains(&choice) {
        options.push(choice);
    }
}

pub(super) fn is_input(guard: &Guard) -> bool {
    matches!(guard, Guard::Input { .. })
}

pub(super) fn is_output(guard: &Guard) -> bool {
    matches!(guard, Guard::Output { .. })
}

pub(super) fn is_barrier(guard: &Guard) -> bool {
    matches!(guard, Guard::Barrier { .. })
}

pub(super) fn is_pass(guard: &Guard) -> bool {
    matches!(guard, Guard::Pass { .. })
}

pub(super) fn is_join(guard: &Guard) -> bool {
    matches!(guard, Guard::Join { .. })
}

pub(super) fn channel_of(guard: &Guard) -> Option<ChannelName> {
    match guard {
        Guard::Input { channel, .. } | Guard::Output { channel, .. } | Guard::Barrier { channel } => Some(*channel),
        Guard::Pass { gate, .. } => Some(*gate),
        Guard::Join { queue } => Some(*queue),
        Guard::Timer { .. } | Guard::Skip => None,
    }
}
