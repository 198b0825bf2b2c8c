//! What a step reads and what it changes, for whoever wants to know which steps depend on each other.
//!
//! Knows nothing of searches. The world is cut into *objects*. Two steps are dependent if one of them changes an
//! object that the other one reads or changes; or else they can be exchanged: each is possible whether the other
//! one has happened or not, and both orders come to the same. A step here is what was decided, and all that the
//! processes do until they wait again. Where a reason below is not exact, it errs on the side of dependence.
//!
//! - [`task`](Object::task): changed by whatever the task takes part in, is told or is killed by. A task goes on
//!   from one state only: this is the order of a program, and the choice between the guards of an alternation.
//! - [`Part::Fate`]: changed by poison, a loss, a party that joins or leaves a barrier. Read by all that happens
//!   on the channel, and by whoever finds it sure that a guard is ready ([`super::possible`]).
//! - [`Part::NoReaders`], [`Part::NoWriters`]: changed by closing the last end of a side, and by the end of a
//!   process; read as the fate is. They are two, for the sides close independently.
//! - [`Part::Readers`], [`Part::Writers`]: changed by an end that is made or closed. Closing the last one is
//!   noticed, so it matters who closes the last but one.
//! - [`Part::Head`], [`Part::Tail`]: changed by a message that is read, and by one that is written: the order of
//!   readers, and that of writers, so each class of equivalent runs has one list of messages for each channel.
//! - [`Part::Place`]: a place in a buffer, changed by the message that is put there, and by taking it out. So a
//!   put and a take are independent in a buffer that is neither full nor empty. A buffer that makes room by itself
//!   has no places: what is put there changes its head, too.
//! - [`Part::Permits`]: changed by passing a gate, and by giving permits back, in order or not: so who has left a
//!   gate without giving them back is read by it.
//! - [`Part::Waits`]: changed when an offer that surely waits is answered or withdrawn. Read by those who are
//!   served after it, or are sure to find it.
//! - [`Part::Memory`]: changed by a look at a cell, for what is done there is the program's; and by waiting for a
//!   turn of a condition, or giving it, for those who wait are let in as they have come.
//! - [`Object::NUMBERS`]: changed by making a process or a channel while the network runs. They are numbered in
//!   order, and a choice is known by numbers.
//! - [`Object::ORDER`]: changed by all that happens on channels whose common order is asked for.
//! - [`Object::budget`]: changed by a fault of this kind, of which there may be so many.
//! - [`Object::EVERYTHING`]: changed when time passes, and when a process comes late; read by every step. Time
//!   passes when nothing else is possible, and afterwards it is known who waits.
//!
//! What a guard needs beside its partner is read as well, as far as it decides: by the second of two that meet,
//! the guards before the chosen one in the order of its policy (`permits`); by the first, all its guards
//! (`is_quiet`). If either could come second, the way that reads less stands for both: as long as nobody changes
//! what it has read, it is possible. An alternation with `skip` that finds nothing reads all its guards. A timer
//! that is due reads the clock, which only the passing of time changes.

use super::super::{ChannelKind, ChannelName, Direction, Guard, Opened, Order, Store};
use super::decision::{Choice, Kind};
use super::possible::{channel_of, is_barrier, is_input, is_output};
use super::task::State;
use super::world::Simulation;
use smallvec::SmallVec;

/// A part of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Object(u64);

/// A part of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Fate,
    NoReaders,
    NoWriters,
    Readers,
    Writers,
    Head,
    Tail,
    Permits,
    Waits,
    Memory,
    Place(u32),
}

impl Part {
    /// How many ends there are of a side, where it matters.
    pub(super) fn ends(direction: Direction) -> Option<Part> {
        match direction {
            Direction::Reader => Some(Part::Readers),
            Direction::Writer => Some(Part::Writers),
            Direction::Handle | Direction::Unit | Direction::Party => None,
        }
    }

    pub(crate) const ALL: [Part; 10] = [
        Part::Fate,
        Part::NoReaders,
        Part::NoWriters,
        Part::Readers,
        Part::Writers,
        Part::Head,
        Part::Tail,
        Part::Permits,
        Part::Waits,
        Part::Memory,
    ];
    /// What has become of a channel.
    pub(crate) const FATE: [Part; 3] = [Part::Fate, Part::NoReaders, Part::NoWriters];
}

impl Object {
    pub(crate) const EVERYTHING: Object = Object(0);
    pub(crate) const NUMBERS: Object = Object(1);
    pub(crate) const ORDER: Object = Object(2);

    pub(crate) fn task(number: u32) -> Object {
        Object(1 << 56 | u64::from(number))
    }

    pub(crate) fn budget(fault: Kind) -> Object {
        // Losses and doubles are counted together.
        let kind = if fault.is_of_a_line() { Kind::Lose } else { fault };
        Object(2 << 56 | kind as u64)
    }

    pub(crate) fn of(channel: u32, part: Part) -> Object {
        let (sort, place) = match part {
            Part::Fate => (3, 0),
            Part::Readers => (4, 0),
            Part::Writers => (13, 0),
            Part::Head => (5, 0),
            Part::Tail => (6, 0),
            Part::Permits => (7, 0),
            Part::Waits => (8, 0),
            Part::Memory => (9, 0),
            Part::NoReaders => (11, 0),
            Part::NoWriters => (12, 0),
            Part::Place(place) => (10, place & 0xff_ffff),
        };
        Object(sort << 56 | u64::from(channel) << 24 | u64::from(place))
    }

    /// A place in a buffer.
    pub(crate) fn is_place(self) -> bool {
        self.0 >> 56 == 10
    }

    pub(crate) fn is_permits(self) -> bool {
        self.0 >> 56 == 7
    }

    /// The number of the task, if it is one.
    pub(crate) fn as_task(self) -> Option<u32> {
        (self.0 >> 56 == 1).then_some(self.0 as u32)
    }
}

/// Some of the guards of an offer.
type Guards = SmallVec<[Guard; 4]>;

/// One object was read, or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Touch {
    pub(crate) object: Object,
    pub(crate) changes: bool,
}

/// What a task waits for, as far as it decides who may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    pub(crate) what: What,
    /// Nothing, for timers and the like.
    pub(crate) channel: u32,
    pub(crate) is_buffered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Read,
    Write,
    Sync,
    Pass,
    Join,
    Timer,
    Skip,
    Look,
}

/// What a task waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wants {
    pub(crate) list: SmallVec<[Want; 2]>,
    /// It has an order of preference.
    pub(crate) is_ordered: bool,
    /// What it has done has not taken effect.
    pub(crate) owes: bool,
    /// It can be killed here.
    pub(crate) can_die: bool,
}

impl Simulation {
    // What is done where somebody watches stands apart: most runs have nobody who does, and their code is short.
    #[inline]
    pub(super) fn touch(&mut self, object: Object, changes: bool) {
        if self.watches {
            self.note_touch(object, changes);
        }
    }

    #[cold]
    fn note_touch(&mut self, object: Object, changes: bool) {
        self.touched.push(Touch { object, changes });
    }

    #[inline]
    pub(super) fn touch_part(&mut self, name: ChannelName, part: Part, changes: bool) {
        if self.watches {
            self.note_parts(name, &[part], changes);
        }
    }

    /// All of a channel.
    #[inline]
    pub(super) fn touch_all(&mut self, name: ChannelName, changes: bool) {
        if self.watches {
            self.note_parts(name, &Part::ALL, changes);
        }
    }

    /// Whether it has ended, and how.
    #[inline]
    pub(super) fn touch_fate(&mut self, name: ChannelName) {
        if self.watches {
            self.note_parts(name, &Part::FATE, false);
        }
    }

    #[cold]
    fn note_parts(&mut self, name: ChannelName, parts: &[Part], changes: bool) {
        if let Some(number) = self.number(name) {
            let touches = parts.iter().map(|part| Touch { object: Object::of(number as u32, *part), changes });
            self.touched.extend(touches);
        }
    }

    /// The place in a buffer that the next message goes into, or comes from.
    pub(super) fn touch_place(&mut self, name: ChannelName, is_put: bool) {
        if !self.watches {
            return;
        }
        let Some(channel) = self.channel(name) else { return };
        let capacity = match channel.kind {
            ChannelKind::Channel(Store::Fifo(capacity)) => capacity,
            _ => return self.touch_part(name, Part::Head, true),
        };
        let behind = if is_put { channel.buffer.len() as u32 } else { 0 };
        let place = channel.taken.wrapping_add(behind) % capacity.max(1);
        self.touch_part(name, Part::Place(place), true);
    }

    /// An offer is answered or withdrawn.
    #[inline]
    pub(super) fn touch_offer(&mut self, task: u32) {
        if self.watches {
            self.touch_offer_of(task);
        }
    }

    #[cold]
    fn touch_offer_of(&mut self, task: u32) {
        self.touch(Object::task(task), true);
        let is_settled = self.is_settled(task);
        let State::Offered(offer) = &self.tasks[task as usize].state else { return };
        let names: SmallVec<[(ChannelName, bool); 4]> =
            offer.guards.iter().filter_map(|guard| Some((channel_of(guard)?, stands_in_line(guard)))).collect();
        for (name, stands) in names {
            if is_settled {
                self.touch_part(name, Part::Waits, true);
            }
            if stands && self.goes_in_turns(name) {
                self.touch_part(name, Part::Memory, true);
            }
        }
    }

    /// An offer is made. Only who waits for turns waits in a line already.
    #[inline]
    pub(super) fn touch_post(&mut self, task: u32) {
        if self.watches {
            self.touch_post_of(task);
        }
    }

    #[cold]
    fn touch_post_of(&mut self, task: u32) {
        self.touch(Object::task(task), true);
        let Some(offer) = self.tasks[task as usize].offer() else { return };
        let names: SmallVec<[ChannelName; 4]> =
            offer.guards.iter().filter(|guard| stands_in_line(guard)).filter_map(channel_of).collect();
        for name in names {
            if self.goes_in_turns(name) {
                self.touch_part(name, Part::Memory, true);
            }
        }
    }

    fn goes_in_turns(&self, name: ChannelName) -> bool {
        let opened = self.channel(name).map(super::Channel::opened);
        // A queue, which is no gate, is joined.
        matches!(opened, Some(None | Some(Opened::InTurns)))
    }

    /// What it is read by that this may happen now.
    #[inline]
    pub(super) fn touch_reasons(&mut self, choice: Choice) {
        if self.watches {
            self.touch_reasons_of(choice);
        }
    }

    #[cold]
    fn touch_reasons_of(&mut self, choice: Choice) {
        let name = self.channel_name(choice.channel as usize);
        if choice.kind.is_fault() {
            self.touch(Object::budget(choice.kind), true);
        }
        match choice.kind {
            Kind::Communication | Kind::Double => {
                self.touch_fate(name);
                self.touch_part(name, Part::Waits, false);
                let guards = self.reasons_to_meet(choice, name);
                self.touch_guards(&guards);
            }
            Kind::Put | Kind::Take | Kind::Told | Kind::Pass | Kind::Timer => {
                self.touch_part(name, Part::Waits, false);
                if matches!(choice.kind, Kind::Put | Kind::Told) {
                    self.touch_fate(name);
                }
                if self.is_joining(choice.who, name) {
                    self.touch_all(name, false);
                }
                let place = match choice.kind {
                    Kind::Timer => self.place_due(choice.who),
                    Kind::Told => self.place_told(choice.who, name),
                    Kind::Put => self.place_at(choice.who, name, is_output),
                    Kind::Take => self.place_at(choice.who, name, is_input),
                    _ => self.place_of(choice.who, |guard| channel_of(guard) == Some(name)),
                };
                // What lies in the buffer is read first.
                let offer = self.tasks[choice.who as usize].offer();
                if choice.kind == Kind::Told && offer.is_some_and(|offer| offer.guards.get(place).is_some_and(is_input))
                {
                    self.touch_part(name, Part::Head, false);
                }
                let before = self.before(choice.who, place);
                self.touch_guards(&before);
            }
            Kind::Sync => {
                self.touch_fate(name);
                let parties: Vec<u32> = self.offers_at(name, is_barrier).map(|(party, _)| party).collect();
                for party in parties {
                    let guards = self.guards(party);
                    self.touch_guards(&guards);
                }
            }
            Kind::Skip => {
                let guards = self.guards(choice.who);
                self.touch_guards(&guards);
            }
            // Poison comes before the last end of a side is closed, or not at all.
            Kind::Lose | Kind::Poison => self.touch_fate(name),
            Kind::Hold | Kind::Arrive => self.touch_all(name, true),
            Kind::Time | Kind::Delay => self.touch(Object::EVERYTHING, true),
            Kind::Effect | Kind::Look | Kind::Crash | Kind::Panic => (),
        }
    }

    fn guards(&self, who: u32) -> Guards {
        self.tasks[who as usize].offer().map_or_else(Guards::new, |offer| offer.guards.iter().copied().collect())
    }

    /// The guards that a task prefers to the one of this number.
    fn before(&self, who: u32, place: usize) -> Guards {
        let Some(offer) = self.tasks[who as usize].offer() else { return Guards::new() };
        if offer.order == Order::Random {
            return Guards::new();
        }
        offer.order_of_guards().take_while(|before| *before != place).map(|before| offer.guards[before]).collect()
    }

    /// The guards that were looked at for a writer and a reader to meet: those of whichever way looks at fewer.
    fn reasons_to_meet(&self, choice: Choice, name: ChannelName) -> Guards {
        let (writer, reader) = (choice.who, choice.with);
        let given = (writer, self.place_at(writer, name, is_output));
        let taken = (reader, self.place_at(reader, name, is_input));
        let way = |second: (u32, usize), first: (u32, usize)| {
            self.comes_last(second, first).then(|| {
                let mut guards = self.before(second.0, second.1);
                if !self.is_settled(first.0) {
                    guards.extend(self.guards(first.0));
                }
                guards
            })
        };
        let ways = [way(taken, given), way(given, taken)];
        ways.into_iter().flatten().min_by_key(SmallVec::len).unwrap_or_default()
    }

    /// Whether these are surely ready was asked.
    fn touch_guards(&mut self, guards: &[Guard]) {
        for guard in guards {
            let Some(name) = channel_of(guard) else { continue };
            self.touch_fate(name);
            self.touch_part(name, Part::Waits, false);
            if guard_passes(guard) {
                self.touch_part(name, Part::Permits, false);
            }
            if matches!(guard, Guard::Join { .. }) {
                self.touch_all(name, false);
            }
            if self.channel(name).is_some_and(super::Channel::is_buffered) {
                self.touch_part(name, Part::Head, false);
                self.touch_part(name, Part::Tail, false);
            }
        }
    }

    /// What a task waits for now.
    pub(super) fn wants(&self, task: u32) -> Wants {
        let of = &self.tasks[task as usize];
        let mut wants = Wants { owes: !of.effects.is_empty(), ..Wants::default() };
        wants.can_die = of.can_be_met(Kind::Crash);
        let Some(offer) = of.offer() else { return wants };
        wants.is_ordered = offer.order != Order::Random && offer.guards.len() > 1;
        for guard in &offer.guards {
            let what = match guard {
                Guard::Input { .. } => What::Read,
                Guard::Output { .. } => What::Write,
                Guard::Barrier { .. } => What::Sync,
                Guard::Pass { .. } => What::Pass,
                Guard::Timer { .. } => What::Timer,
                Guard::Skip if offer.polls => What::Skip,
                Guard::Skip => What::Look,
                Guard::Join { .. } => What::Join,
            };
            let name = channel_of(guard);
            let number = name.and_then(|name| self.number(name)).map_or(super::NOBODY, |number| number as u32);
            let is_buffered = name.and_then(|name| self.channel(name)).is_some_and(super::Channel::is_buffered);
            wants.list.push(Want { what, channel: number, is_buffered });
        }
        wants
    }
}

/// It matters who has come first, or who is there at all.
fn stands_in_line(guard: &Guard) -> bool {
    matches!(guard, Guard::Pass { .. } | Guard::Join { .. })
}

fn guard_passes(guard: &Guard) -> bool {
    matches!(guard, Guard::Pass { .. })
}
