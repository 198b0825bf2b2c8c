//! What was offered in a run, guard by guard, and which of it came to something.
//!
//! Knows nothing of who wants to know. Nothing is written down while nobody does.

use super::super::Guard;
use super::super::view::Action;
use super::possible::channel_of;
use super::task::State;
use super::world::{SIMULATED, Simulation};
use crate::sys::atomic::{AtomicU32, Ordering};
use std::ops::Range;
use std::panic::Location;

/// How many want to know.
static CURIOUS: AtomicU32 = AtomicU32::new(0);

/// As long as this is there, runs that begin write down what is offered.
#[derive(Debug)]
pub(crate) struct Curiosity(());

impl Curiosity {
    pub(crate) fn new() -> Curiosity {
        CURIOUS.fetch_add(1, Ordering::Relaxed);
        Curiosity(())
    }
}

impl Drop for Curiosity {
    fn drop(&mut self) {
        CURIOUS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What one guard waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Something on the channel of this number.
    At(Action, u32),
    Time,
    /// That nothing else is ready.
    Nothing,
}

/// One offer of a task.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) task: u32,
    pub(crate) place: &'static Location<'static>,
    /// Its guards, in [`Offers::wishes`].
    pub(crate) wishes: Range<usize>,
    /// The guard that has fired.
    pub(crate) fired: Option<usize>,
}

/// All that was offered in a run.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    pub(crate) all: Vec<Offered>,
    pub(crate) wishes: Vec<Wish>,
    /// The last offer of each task.
    last: Vec<usize>,
}

impl Offers {
    pub(super) fn if_wanted() -> Option<Box<Offers>> {
        (CURIOUS.load(Ordering::Relaxed) > 0).then(Box::default)
    }
}

impl Simulation {
    /// What a task offers from now on.
    #[cold]
    pub(super) fn note_offer(&mut self, me: u32) {
        let State::Offered(offer) = &self.tasks[me as usize].state else { return };
        let wishes: Vec<Wish> = offer.guards.iter().map(|guard| self.wish(guard)).collect();
        let place = offer.place;
        let Some(offers) = &mut self.record.offers else { return };
        let start = offers.wishes.len();
        offers.wishes.extend(wishes);
        if offers.last.len() <= me as usize {
            offers.last.resize(me as usize + 1, usize::MAX);
        }
        offers.last[me as usize] = offers.all.len();
        offers.all.push(Offered { task: me, place, wishes: start..offers.wishes.len(), fired: None });
    }

    /// A guard of what a task offers has fired.
    #[inline]
    pub(super) fn note_fired(&mut self, who: u32, guard: usize) {
        if self.record.offers.is_some() {
            self.write_fired(who, guard);
        }
    }

    #[cold]
    fn write_fired(&mut self, who: u32, guard: usize) {
        let Some(offers) = &mut self.record.offers else { return };
        let last = offers.last.get(who as usize).and_then(|place| offers.all.get_mut(*place));
        if let Some(offered) = last {
            offered.fired = Some(guard);
        }
    }

    fn wish(&self, guard: &Guard) -> Wish {
        match (self.action(guard), channel_of(guard)) {
            (Some(action), Some(channel)) => Wish::At(action, channel.index & !SIMULATED),
            _ if matches!(guard, Guard::Skip) => Wish::Nothing,
            _ => Wish::Time,
        }
    }

    /// What a guard does at its channel.
    pub(super) fn action(&self, guard: &Guard) -> Option<Action> {
        let seen = channel_of(guard).and_then(|channel| self.channel(channel));
        match guard {
            Guard::Input { .. } if seen.is_some_and(|channel| channel.is_end) => Some(Action::Join),
            Guard::Input { .. } if seen.is_some_and(|channel| channel.serves) => Some(Action::Serve),
            Guard::Input { .. } => Some(Action::Read),
            Guard::Output { .. } => Some(Action::Write),
            Guard::Barrier { .. } => Some(Action::Sync),
            Guard::Pass { .. } => Some(Action::Pass),
            Guard::Join { .. } => Some(Action::Finish),
            Guard::Timer { .. } | Guard::Skip => None,
        }
    }
}
