//! `Offering`: an offer that a future has made, from its first poll to its last, or to its drop.
//!
//! Knows nothing of values. It has a context of its own, which stands in for that of the polling thread while the
//! future makes its message or takes one apart: so the blocks carry the right tag, and a thread of an executor needs no
//! context.

use super::actor::actor;
use super::bell;
use super::live::{Task, Withdrawn, is_foreign};
use super::{ArenaError, Fate, Fired, Guard, Order, Owner, Packet, host, tables, with_local};
use crate::memory::{Block, Claimant, is_block};
use std::any::Any;
use std::panic::Location;
use std::task::{Context, Poll};

/// An offer of a future. Dropped, it is taken back.
#[derive(Debug)]
pub(crate) struct Offering {
    task: Task,
    luggage: Option<Box<dyn Any + Send>>,
}

/// Where a future is that makes an offer.
#[derive(Debug)]
pub(crate) enum Stage {
    New,
    Offered(Offering),
    /// It has been ready.
    Over,
}

impl Offering {
    /// For the process that the calling thread runs. Nothing is offered yet.
    ///
    /// # Errors
    /// There is no room for a context, or no thread to attend to the bell.
    pub(crate) fn new() -> Result<Offering, ArenaError> {
        #[cfg(feature = "testing")]
        if super::is_simulated() {
            return Err(ArenaError::Simulated { what: "a future" });
        }
        if is_foreign() {
            return Err(ArenaError::Foreign);
        }
        let member = actor(super::Actor::member)?;
        bell::take(member).map(|task| Offering { task, luggage: None })
    }

    /// Runs `work` with the context of the future in the place of the calling thread's.
    pub(crate) fn run<R>(&mut self, work: impl FnOnce() -> R) -> R {
        actor(|actor| actor.stand_in(&mut self.task.local, work))
    }

    /// Offers. The guard that fired is the answer of this call, or of a later [`Offering::poll`].
    ///
    /// # Errors
    /// As for [`Actor::offer`](super::Actor::offer).
    pub(crate) fn begin(
        &mut self,
        guards: &[Guard],
        order: Order,
        location: &'static Location<'static>,
    ) -> Result<Option<Fired>, ArenaError> {
        if is_foreign() {
            return Err(ArenaError::Foreign);
        }
        self.task.begin(guards, order, location)
    }

    /// Whether something is offered that has come to nothing yet, as far as this future knows.
    pub(crate) fn is_pending(&self) -> bool {
        self.task.is_pending()
    }

    /// The guard that fired; or else the waker is woken when there is one.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Fired, ArenaError>> {
        if is_foreign() {
            return Poll::Ready(Err(ArenaError::Foreign));
        }
        if let Some(fired) = self.task.look() {
            bell::forget(self.task.number());
            return Poll::Ready(Ok(fired));
        }
        if let Some(watch) = self.task.watch() {
            bell::note(self.task.number(), watch, context.waker());
        }
        // Once more: it may have come to something before the waker was known.
        match self.task.look() {
            Some(fired) => {
                bell::forget(self.task.number());
                Poll::Ready(Ok(fired))
            }
            None => Poll::Pending,
        }
    }

    /// A packet was offered, and this is what its guard came to: takes it out of the slot if a reader has it. The
    /// reader's spare block is kept for the next message.
    pub(crate) fn settle(&mut self, fired: &Fired, offered: &mut Option<Packet>) -> Result<(), Fate> {
        Packet::settle(offered, &fired.outcome);
        let spare = fired.outcome?;
        if let Some(local) = &mut self.task.local {
            local.keep_block(spare);
        }
        Ok(())
    }

    /// A packet was offered, and a reader has it: takes it out of the slot.
    pub(crate) fn settle_written(&self, offered: &mut Option<Packet>) {
        Packet::settle(offered, &Ok(()));
    }

    /// Should the offer be taken back while its writer is held, this stays until the writer is released.
    pub(crate) fn carry(&mut self, luggage: impl Any + Send) {
        self.luggage = Some(Box::new(luggage));
    }

    /// Takes back what is offered. Gives the number of a guard whose message is with a reader all the same.
    pub(crate) fn withdraw(&mut self) -> Option<usize> {
        if is_foreign() || !self.task.is_pending() {
            return None;
        }
        bell::forget(self.task.number());
        match self.task.withdraw() {
            Withdrawn::Nothing => None,
            Withdrawn::Written(guard) | Withdrawn::Held(guard) => Some(guard),
        }
    }

    /// The messages of these guards, and what has come with the one that fired, belong to the process again; the
    /// message of a writer that is held, to the calling thread, by whose context the reaper knows whom it waits for.
    pub(crate) fn disown(&self, guards: &[Guard], fired: Option<&Fired>) {
        let Ok(host) = host() else { return };
        let process = tables().claimant(Owner::Member(host));
        if let Some(fired) = fired
            && let Ok(came) = fired.outcome
        {
            let holder = fired.writer().and_then(|_| with_local(|local| local.claimant()).ok());
            hand_over(std::iter::once(came), holder.unwrap_or(process));
        }
        let is_given = |number| {
            let of_it = fired.filter(|fired| fired.index == number);
            of_it.is_some_and(|fired| matches!(fired.outcome, Ok(_) | Err(Fate::Abandoned { .. })))
        };
        let left = guards.iter().enumerate().filter(|(number, _)| !is_given(*number));
        hand_over(left.filter_map(|(_, guard)| message(guard)), process);
    }
}

fn message(guard: &Guard) -> Option<Block> {
    match guard {
        Guard::Output { block, .. } => Some(*block),
        _ => None,
    }
}

fn hand_over(blocks: impl Iterator<Item = Block>, owner: Claimant<'_>) {
    let blocks = blocks.filter(|block| is_block(*block));
    blocks.for_each(|block| tables().arena.give_block(block, owner));
}

impl Drop for Offering {
    fn drop(&mut self) {
        // In a copy of a process, the context is the original's.
        if is_foreign() {
            return;
        }
        self.withdraw();
        let task = std::mem::take(&mut self.task);
        if task.is_pending() {
            bell::leave(task, self.luggage.take());
        } else {
            bell::keep(task);
        }
    }
}
