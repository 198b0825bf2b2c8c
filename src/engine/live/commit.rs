//! The commit: the only place where a waiting context is told what its offer came to.
//!
//! Knows nothing of how an offer comes to wait. Everything here happens under the lock of the channel whose queue it
//! is about, in one sequence:
//!
//! ```text
//!     remove     the first offer from its queue; its mark stays
//!     announce   in the own context, which blocks are about to change hands; of a short message none does
//!     commit     one compare-and-swap on the partner's word
//!     clear      the mark and the announcement, if the partner does not wait any more; and look at the next offer
//! ```
//! Why it is this sequence and no other is drawn in [`offer`](super::offer).

use super::channel::{Channel, Queue};
use super::context::Context;
use super::local::Local;
use super::short::{held_by, is_short};
use super::sync::{AtomicU32, Ordering, spin_loop, wait, yield_now};
use super::word::{Attempt, CLAIM_CHECK};
use crate::memory::{Block, FATE, NONE, is_block};
use crate::sys::clock::{Deadline, Instant};

/// Which side of a channel a guard is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Input { extended: bool },
    Output,
}

/// What a waiting context is committed with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exchange {
    /// This block, or a short message, for what it has staged, by somebody on this side of the channel.
    Messages { giving: Block, side: Side, buffered: bool },
    /// This block for its message, which goes into the buffer of this channel.
    Storing { giving: Block, channel: u32 },
    /// Nothing but the fate of its channel.
    Fate,
}

/// A context that has waited, and was committed.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(super) struct Committed {
    pub(super) number: u32,
    pub(super) context: &'static Context,
    /// What it had staged: a block, a short message, or the block that it keeps, having been given a short message.
    pub(super) taking: Block,
    /// It sleeps, and is to be woken once no lock is held.
    pub(super) parked: bool,
}

impl Local {
    /// Commits the first context of a queue that still waits.
    #[inline]
    pub(super) fn commit_first(&mut self, channel: &Channel, queue: &Queue, with: Exchange) -> Option<Committed> {
        let tables = self.tables();
        while let Some((name, offer)) = queue.first(tables) {
            let (number, guard, mut taking) = (name.context(), offer.guard(), offer.block.load(Ordering::Relaxed));
            let event = channel.next_number(self.context.number());
            queue.remove(tables, offer);
            offer.set_number(event);
            let Some(context) = tables.contexts.get(number) else { continue };
            let attempt = match with {
                Exchange::Messages { giving, side, buffered } => {
                    // Before the commit: a reader may release this context at once, with a larger number.
                    self.context.number.store(event, Ordering::Relaxed);
                    self.notes.event = event;
                    match side {
                        Side::Input { extended } if is_short(taking) => {
                            self.short = offer.beside();
                            // From a buffered channel nobody is held.
                            if extended && !buffered {
                                let holder = held_by(self.index);
                                self.insist(|| context.word.commit_extended(guard, holder))
                            } else {
                                self.insist(|| context.word.commit(guard, NONE))
                            }
                        }
                        Side::Input { extended } => {
                            self.context.announce_exchange(giving, taking, number);
                            if extended && !buffered {
                                self.insist(|| context.word.commit_extended(guard, giving))
                            } else {
                                self.insist(|| context.word.commit(guard, giving))
                            }
                        }
                        Side::Output if offer.is_extended() => {
                            let block = if is_short(giving) { self.stow(giving) } else { giving };
                            self.context.announce_exchange(block, taking, number);
                            let attempt = self.commit_extended_reader(context, guard, block, buffered);
                            if matches!(attempt, Attempt::Committed { .. }) && is_short(giving) {
                                self.hand = NONE;
                            }
                            attempt
                        }
                        Side::Output if is_short(giving) => {
                            offer.put_beside(self.short);
                            taking = NONE;
                            self.insist(|| context.word.commit(guard, giving))
                        }
                        Side::Output => {
                            self.context.announce_exchange(giving, taking, number);
                            self.insist(|| context.word.commit(guard, giving))
                        }
                    }
                }
                Exchange::Storing { giving, channel } => {
                    self.context.announce_storing(channel, giving, taking, number);
                    self.insist(|| context.word.commit(guard, giving))
                }
                Exchange::Fate => self.insist(|| context.word.commit(guard, FATE)),
            };
            if let Attempt::Committed { parked } = attempt {
                return Some(Committed { number, context, taking, parked });
            }
            // Taken back at once: the block stays ours, and its tag will change when somebody else gets it.
            self.context.exchange_done();
            offer.set_linked(false);
        }
        None
    }

    /// The block came with a commit: from now on it is ours.
    #[inline]
    pub(super) fn received(&self, block: Block) {
        if is_block(block) {
            self.tables().arena.give_block(block, self.claimant());
        }
    }

    /// Commits a waiting context; one that the last party of a barrier has just claimed is asked again until that is
    /// settled.
    #[inline]
    pub(super) fn insist(&mut self, commit: impl Fn() -> Attempt) -> Attempt {
        match commit() {
            Attempt::Claimed { barrier } => self.insist_on_claimed(barrier, &commit),
            settled => settled,
        }
    }

    #[cold]
    fn insist_on_claimed(&mut self, barrier: u32, commit: &dyn Fn() -> Attempt) -> Attempt {
        let mut barrier = barrier;
        for round in 0_u32.. {
            if round < 100 && self.spin.processors() > 1 {
                spin_loop();
            } else if self.is_reaper {
                // The claimer may be dead, and then nobody else would settle its claims.
                self.break_lock(barrier);
                yield_now();
            } else if round < 1000 {
                yield_now();
            } else {
                // The claimer is stopped, or has no processor: nobody rings when it goes on, but looking all the time
                // would keep a processor busy for as long as somebody looks at it with a debugger.
                let nobody_rings = AtomicU32::new(0);
                wait(&nobody_rings, 0, Some(&Deadline::at(Instant::now() + CLAIM_CHECK)));
            }
            match commit() {
                Attempt::Claimed { barrier: now } => barrier = now,
                settled => return settled,
            }
        }
        Attempt::Stale
    }
}
