//! Faults: which may happen now, and what they do.
//!
//! Knows nothing of how many there may be.

use super::super::{ChannelKind, ChannelName, Direction, Fired, Packet, tables, with_local};
use super::channel::Channel;
use super::decision::{Choice, Kind, NOBODY, Scheduler};
use super::possible::{channel_of, is_output};
use super::task::{State, Task};
use super::touch::{Object, Part};
use super::world::Simulation;
use crate::memory::{ArenaError, Block};

/// What a process says that is made to panic.
pub(crate) const PANIC: &str = "the schedule has it panic";

impl Simulation {
    /// The faults that may happen now, behind what may happen anyway.
    #[inline]
    pub(super) fn possible_faults(&self, scheduler: &dyn Scheduler, options: &mut Vec<Choice>) {
        if scheduler.allows_any() {
            self.possible_faults_of(scheduler, options);
        }
    }

    #[cold]
    fn possible_faults_of(&self, scheduler: &dyn Scheduler, options: &mut Vec<Choice>) {
        let ordinary = options.len();
        for kind in [Kind::Crash, Kind::Panic, Kind::Delay] {
            if scheduler.allows(kind) {
                let tasks = self.tasks.iter().enumerate();
                let met = tasks.filter(|(_, task)| task.can_be_met(kind) && scheduler.meets(&task.name));
                options.extend(met.map(|(number, _)| Choice::new(kind, number as u32, NOBODY, NOBODY)));
            }
        }
        if scheduler.allows(Kind::Poison) {
            let channels = self.channels.iter().enumerate().filter(|(_, channel)| channel.can_be_poisoned());
            options.extend(channels.map(|(number, _)| Choice::new(Kind::Poison, NOBODY, NOBODY, number as u32)));
        }
        if scheduler.allows(Kind::Lose) {
            self.possible_losses(scheduler, ordinary, options);
        }
    }

    /// Messages that were kept back, and that others have overtaken, may arrive.
    pub(super) fn possible_arrivals(&self, options: &mut Vec<Choice>) {
        let is_overtaken =
            |number: &&u32| self.channels[**number as usize].kept_back.is_some_and(|(_, is_overtaken)| is_overtaken);
        let arriving = self.lines.iter().filter(is_overtaken);
        options.extend(arriving.map(|number| Choice::new(Kind::Arrive, NOBODY, NOBODY, *number)));
    }

    /// A message has gone by: one that is kept back may arrive from now on.
    pub(super) fn goes_by(&mut self, name: ChannelName) {
        if let Some((_, is_overtaken)) = self.channel_mut(name).and_then(|channel| channel.kept_back.as_mut()) {
            *is_overtaken = true;
            self.touch_all(name, true);
        }
    }

    /// All that is kept back arrives; `false` if nothing is.
    #[cold]
    pub(super) fn let_all_arrive(&mut self) -> bool {
        let mut any = false;
        if !self.lines.is_empty() {
            self.touch(Object::EVERYTHING, true);
        }
        for number in std::mem::take(&mut self.lines) {
            let channel = &mut self.channels[number as usize];
            any |= channel.kept_back.is_some();
            channel.arrive();
            self.stir_channel(number as usize);
        }
        any
    }

    fn possible_losses(&self, scheduler: &dyn Scheduler, ordinary: usize, options: &mut Vec<Choice>) {
        let is_lossy =
            |number: u32| self.channels.get(number as usize).is_some_and(|channel| scheduler.is_lossy(&channel.label));
        for place in 0..ordinary {
            let choice = options[place];
            if choice.kind == Kind::Communication && is_lossy(choice.channel) {
                options.push(Choice { kind: Kind::Double, ..choice });
            }
        }
        for number in 0..self.tasks.len() as u32 {
            let Some(offer) = self.tasks[number as usize].offer() else { continue };
            let outputs = offer.guards.iter().filter(|guard| is_output(guard)).filter_map(channel_of);
            for name in outputs {
                let place = self.number(name).map_or(NOBODY, |number| number as u32);
                let Some(channel) = self.channel(name).filter(|channel| is_lossy(place) && channel.fate().is_none())
                else {
                    continue;
                };
                options.push(Choice::new(Kind::Lose, number, NOBODY, place));
                if channel.kept_back.is_none() && !scheduler.is_in_order(&channel.label) {
                    options.push(Choice::new(Kind::Hold, number, NOBODY, place));
                }
            }
        }
    }

    /// Carries out a fault.
    #[cold]
    pub(super) fn fail(&mut self, choice: Choice, name: ChannelName) {
        match choice.kind {
            Kind::Crash => self.kill(choice.who, Some(self.killed)),
            Kind::Panic => {
                let place = self.where_is(choice.who).map_or_else(String::new, |place| format!(" at {place}"));
                let task = &mut self.tasks[choice.who as usize];
                (task.panics, task.has_panicked) = (Some(format!("{PANIC}{place}")), true);
                self.kill(choice.who, None);
            }
            Kind::Poison => self.poison_now(name, Direction::Writer),
            Kind::Delay => {
                self.tasks[choice.who as usize].is_late = true;
                self.is_stirred = true;
            }
            Kind::Lose => {
                let (given, block) = self.given_at(choice.who, name);
                self.touch_part(name, Part::Tail, true);
                self.answer(choice.who, Fired::bare(given));
                self.doomed.push(block);
                self.free_doomed();
            }
            Kind::Hold => {
                let (given, block) = self.given_at(choice.who, name);
                self.answer(choice.who, Fired::bare(given));
                if let Some(channel) = self.channel_mut(name) {
                    channel.kept_back = Some((block, false));
                    self.lines.retain(|line| *line != choice.channel);
                    self.lines.push(choice.channel);
                }
            }
            _ => (),
        }
    }

    /// A message that was just read is in the channel once more; one with ends in it is not.
    pub(super) fn double(&mut self, block: Block, name: ChannelName) {
        let Ok(copy) = copy(block) else { return };
        self.touch_all(name, true);
        match self.channel_mut(name) {
            Some(channel) => channel.buffer.push_back(copy),
            None => tables().free(copy),
        }
    }

    /// Whoever is late has come.
    #[cold]
    pub(super) fn end_delays(&mut self) -> bool {
        let epoch = self.epoch;
        self.is_stirred = true;
        let mut any = false;
        if self.tasks.iter().any(|task| task.is_late) {
            self.touch(Object::EVERYTHING, true);
        }
        for task in self.tasks.iter_mut().filter(|task| task.is_late) {
            task.is_late = false;
            any = true;
            if let State::Offered(offer) = &mut task.state {
                offer.epoch = epoch;
            }
        }
        any
    }
}

impl Task {
    /// Whether a fault can meet it: it waits, and is not the main process.
    pub(super) fn can_be_met(&self, kind: Kind) -> bool {
        let waits = match self.state {
            State::Offered(_) => true,
            State::Held { .. } => kind != Kind::Delay,
            _ => false,
        };
        self.is_process && waits && !self.is_killed && !self.is_late
    }
}

impl Channel {
    /// Whether it is one of the program's that can still be used.
    fn can_be_poisoned(&self) -> bool {
        let is_such = match self.kind {
            // One that nobody has an end of yet may still become one that the program knows nothing of.
            ChannelKind::Channel(_) => self.readers + self.writers > 0,
            ChannelKind::Barrier { .. } => true,
            _ => false,
        };
        is_such && !self.is_end && !self.serves && !self.is_gone && self.fate().is_none()
    }
}

/// Another block with the same bytes.
fn copy(block: Block) -> Result<Block, ArenaError> {
    let Some(original) = Packet::from_raw(block) else { return Ok(block) };
    let made = with_local(|local| {
        let mut copy = local.draft(original.bytes().len())?;
        let length = original.bytes().len();
        copy.bytes_mut()[..length].copy_from_slice(original.bytes());
        copy.set_length(length);
        Ok(copy.into_raw())
    });
    let has_ends = original.has_ends();
    let _ = original.into_raw();
    match made.and_then(|made| made) {
        Ok(made) if has_ends => {
            tables().free(made);
            Err(ArenaError::Simulated { what: "a message with ends, twice" })
        }
        made => made,
    }
}
