//! The script of a run: what a network outside of the simulation has to do, step by step, to do the same.
//!
//! Knows nothing of who plays it. The simulation says nothing about the order in which the offers of one moment come;
//! outside of it they come one after the other, and whoever comes second decides. So the script says who comes, and in
//! which order: an offer comes when it takes part in something for the first time, or when time passes.

use super::super::{Fate, Fired};
use super::decision::{Choice, Kind};
use super::possible::{is_barrier, is_input, is_output};
use super::task::State;
use super::world::Simulation;
use std::ops::Range;
use std::time::Duration;

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    /// This is what happens next. So many events have happened before, it is this late afterwards, and these offers
    /// come for it, in order.
    Decided { choice: Choice, before: usize, elapsed: Duration, coming: Vec<u32> },
    /// The offer of a task comes to something.
    Answered(u32, Answer),
    /// It goes on, until it waits or ends. One that begins has not been answered before.
    Resumed(u32),
    /// A task is ended where it is.
    Killed(u32),
    /// It is to go on by a panic.
    Panics(u32),
}

/// What an offer comes to.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The number of its guard.
    pub(crate) guard: usize,
    pub(crate) fate: Option<Fate>,
    /// The message that was read, in the bytes of the record.
    pub(crate) message: Option<Range<usize>>,
}

impl Simulation {
    /// Adds a step to the script, if one is written.
    #[inline]
    pub(super) fn note_script(&mut self, note: impl FnOnce() -> Note) {
        if self.record.script.is_some() {
            self.write_script(note());
        }
    }

    #[cold]
    fn write_script(&mut self, note: Note) {
        if let Some(script) = self.record.script.as_mut().filter(|_| !self.is_over) {
            script.push(note);
        }
    }

    /// Before it is carried out.
    #[inline]
    pub(super) fn note_decision(&mut self, choice: Choice) {
        if self.record.script.is_some() {
            self.write_decision(choice);
        }
    }

    #[cold]
    fn write_decision(&mut self, choice: Choice) {
        let (before, coming) = (self.record.happenings.len(), self.coming_for(choice));
        let deadline = self.next_deadline().filter(|_| choice.kind == Kind::Time);
        let elapsed = deadline.map_or(self.elapsed, |deadline| self.since_start(deadline));
        self.write_script(Note::Decided { choice, before, elapsed, coming });
    }

    /// Before the offer is gone.
    #[inline]
    pub(super) fn note_answer(&mut self, who: u32, fired: &Fired) {
        if self.record.script.is_some() {
            self.write_answer(who, fired);
        }
    }

    #[cold]
    fn write_answer(&mut self, who: u32, fired: &Fired) {
        let reads = match &self.tasks[who as usize].state {
            State::Offered(offer) => offer.guards.get(fired.index).is_some_and(is_input),
            _ => false,
        };
        let last = self.record.happenings.last().filter(|_| reads && fired.outcome.is_ok());
        let message = last.map(|happening| happening.message.clone());
        let answer = Answer { guard: fired.index, fate: fired.outcome.err(), message };
        self.write_script(Note::Answered(who, answer));
    }

    /// Where a script is written, the next of the dead who has something left.
    #[inline]
    pub(super) fn next_to_bury(&self) -> Option<u32> {
        self.record.script.as_ref()?;
        self.first_to_bury()
    }

    #[cold]
    fn first_to_bury(&self) -> Option<u32> {
        let is_to_be_buried = |number: &u32| {
            let task = &self.tasks[*number as usize];
            task.is_killed && !task.has_panicked && !task.effects.is_empty() && task.is_over()
        };
        (0..self.tasks.len() as u32).find(is_to_be_buried)
    }

    /// Whose offers come for something, in order: those that surely wait have come before.
    fn coming_for(&self, choice: Choice) -> Vec<u32> {
        let name = self.channel_name(choice.channel as usize);
        let comes = |task: &u32| !self.is_settled(*task) && self.tasks[*task as usize].offer().is_some();
        let mut coming = match choice.kind {
            Kind::Communication | Kind::Double => {
                let writer = (choice.who, self.place_at(choice.who, name, is_output));
                let reader = (choice.with, self.place_at(choice.with, name, is_input));
                let orders = [(reader, writer), (writer, reader)];
                let mut orders = orders.into_iter().filter(|(last, first)| self.comes_last(*last, *first));
                // Where either may come last, it is now the one and now the other.
                let nth = self.record.happenings.len() % 2;
                let last = if nth == 0 { orders.next() } else { orders.next_back() };
                last.map_or(Vec::new(), |(last, first)| vec![first.0, last.0])
            }
            Kind::Sync => self.parties_in_order(choice),
            Kind::Time => self.all_who_wait(),
            Kind::Put | Kind::Take | Kind::Told | Kind::Pass | Kind::Timer | Kind::Skip | Kind::Look => {
                vec![choice.who]
            }
            _ => Vec::new(),
        };
        coming.retain(comes);
        coming
    }

    /// Whoever polls does not wait.
    fn all_who_wait(&self) -> Vec<u32> {
        let waits = |number: &u32| self.tasks[*number as usize].offer().is_some_and(|offer| !offer.polls);
        (0..self.tasks.len() as u32).filter(waits).collect()
    }

    /// One that may come last comes last.
    fn parties_in_order(&self, choice: Choice) -> Vec<u32> {
        let name = self.channel_name(choice.channel as usize);
        let parties: Vec<(u32, usize)> = self.offers_at(name, is_barrier).collect();
        let last = self.last_party(&parties);
        let mut coming: Vec<u32> = parties.iter().map(|party| party.0).filter(|party| Some(*party) != last).collect();
        coming.extend(last);
        coming
    }
}
