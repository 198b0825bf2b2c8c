//! Whose options are to be looked at again: after most events, nearly nobody's.
//!
//! Knows nothing of what is possible. What somebody may do depends on its own offer, on its channels, on who offers
//! there, and on whether *those* would find something at their channels ([`possible`](super::possible)). So when
//! something changes at a channel, whoever offers there is looked at again, and whoever offers at a channel of theirs;
//! when time passes, or somebody comes late, everybody is. Builds with debug assertions look at everybody, too, before
//! each decision, and compare.

use super::decision::Choice;
use super::possible::channel_of;
use super::task::{State, Task};
use super::world::Simulation;

impl Simulation {
    /// A task has changed.
    pub(super) fn stir(&mut self, number: u32) {
        let task = &mut self.tasks[number as usize];
        if !std::mem::replace(&mut task.is_stirred, true) {
            self.stirred.push(number);
        }
    }

    /// A channel has changed. Where nobody offers, nobody is to be looked at; who offers later is looked at then.
    pub(super) fn stir_channel(&mut self, number: usize) {
        let channel = &mut self.channels[number];
        if !channel.offers.is_empty() && !std::mem::replace(&mut channel.is_stirred, true) {
            self.stirred_channels.push(number as u32);
        }
    }

    /// Everything that may happen next but faults and the passing of time, in the order of the tasks.
    pub(super) fn possible(&mut self, options: &mut Vec<Choice>) {
        self.spread();
        let mut again = std::mem::take(&mut self.again);
        while let Some(number) = self.stirred.pop() {
            again.clear();
            self.possible_to(number, &mut again);
            let task = &mut self.tasks[number as usize];
            std::mem::swap(&mut task.options, &mut again);
            task.is_stirred = false;
        }
        self.again = again;
        for task in &self.tasks {
            match &task.options[..] {
                [] => (),
                [one] => options.push(*one),
                several => options.extend_from_slice(several),
            }
        }
        self.possible_arrivals(options);
        if cfg!(debug_assertions) {
            let mut all = Vec::new();
            (0..self.tasks.len() as u32).for_each(|number| self.possible_to(number, &mut all));
            self.possible_arrivals(&mut all);
            assert_eq!(*options, all, "somebody was not looked at again although something has changed");
        }
    }

    /// Who offers at a channel that has changed, and who offers at a channel of theirs, is looked at again.
    fn spread(&mut self) {
        if std::mem::take(&mut self.is_stirred) {
            (0..self.tasks.len() as u32).for_each(|number| self.stir(number));
        }
        while let Some(channel) = self.stirred_channels.pop() {
            self.channels[channel as usize].is_stirred = false;
            for place in 0..self.channels[channel as usize].offers.len() {
                let (partner, _) = self.channels[channel as usize].offers[place];
                self.stir_with_partners(partner, channel as usize);
            }
        }
    }

    /// Those who offer at the same channel are looked at anyway.
    fn stir_with_partners(&mut self, number: u32, at: usize) {
        self.stir(number);
        let mut guard = 0;
        while let Some(channel) = self.tasks[number as usize].channel_at(guard) {
            if let Some(channel) = channel.and_then(|name| self.number(name)).filter(|channel| *channel != at) {
                for place in 0..self.channels[channel].offers.len() {
                    let (partner, _) = self.channels[channel].offers[place];
                    self.stir(partner);
                }
            }
            guard += 1;
        }
    }
}

impl Task {
    /// The channel of the guard of this number, if that has one; `None` if there is no such guard.
    fn channel_at(&self, guard: usize) -> Option<Option<super::super::ChannelName>> {
        match &self.state {
            State::Offered(offer) => offer.guards.get(guard).map(channel_of),
            _ => None,
        }
    }
}
