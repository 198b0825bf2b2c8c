//! A barrier: several parties, all of which go on together or none does.
//!
//! Knows nothing of values. A barrier is a channel whose inputs are its parties. A party that is not the last one
//! queues up like a reader. The last one finds all others waiting, and has to commit all their words or none, while
//! partners on other channels may be about to commit the same words. So it claims them first, one by one (JCSP and KRoC
//! take a global lock for this; here only the words of the parties are taken):
//!
//! ```text
//!             (the barrier's lock is held throughout)
//!  1 claim    each waiting party, in order of context number: WAITING → CLAIMED
//!             one of them is not waiting any more: unclaim all, there are too few
//!  2 decide   raise DECIDED in the channel                                          THE COMMIT
//!  3 settle   each claimed word → COMMITTED, its offer out of the queue
//!  4          lower DECIDED
//! ```
//! **Nobody is overtaken for ever.** Whoever meets a claimed word looks again until it is settled; the claimer waits
//! for no lock (it took them all before it looked), only for words that the last party of *another* barrier has
//! claimed, and as both claim in order of context number, they do not wait for each other.
//!
//! **A party that dies while it is claimed** is buried without the lock: CLAIMED → DEAD. The barrier is complete all
//! the same, but nobody is left to clear the mark of its offer, which step 3 has taken out of the queue:
//! ```text
//!     claimer                          reaper                         (found by the models, November 2026)
//!     claim(A), claim(B), DECIDED
//!                                      A dies: CLAIMED → DEAD
//!     remove(A), remove(B)
//!     A is not CLAIMED: marked still
//!     unlock ────────────────────────► unlink(A), since it is marked: `first` := A.next = B,
//!                                      whose table is somebody else's by now  ✗
//! ```
//! So the claimer, which finds that it cannot settle a claim, clears that mark, still under the lock.
//!
//! **Killed half-way.** The claimer holds the barrier's lock. The reaper takes it over and, by DECIDED, settles the
//! claims or takes them back.

use super::channel::{BARRIER, Channel, DECIDED};
use super::context::{Offer, OfferName};
use super::local::Local;
use super::sync::Ordering;
use super::word::Attempt;
use crate::engine::{ChannelName, Fate, Fired};

impl Channel {
    /// Under the lock: a seat is about to close; `left` seats will remain. If that is fewer than the parties expected,
    /// one party less is expected from now on. Otherwise the seat was that of a process that only handed the barrier
    /// on, and the number stays.
    ///
    /// ```text
    ///   intend   tail := parties to be, plus one
    ///            the end loses its holder                   from here on the seat is gone
    ///   leave    capacity := parties to be; tail := 0; the count of seats follows
    /// ```
    /// If the process is killed in the middle, the reaper finds the intention; the count of the seats tells whether it
    /// was carried out.
    pub(super) fn intend_to_leave(&self, left: u32) {
        let parties = self.capacity.load(Ordering::Relaxed);
        self.tail.store(if left < parties { parties } else { parties + 1 }, Ordering::Release);
    }

    pub(super) fn leave_as_intended(&self) {
        if let Some(parties) = self.tail.load(Ordering::Acquire).checked_sub(1) {
            self.capacity.store(parties, Ordering::Release);
        }
        self.tail.store(0, Ordering::Release);
    }

    /// Reaper, under a lock taken over from the dead: `seats` are taken.
    fn settle_leaving(&self, seats: u32) {
        if seats < self.readers.load(Ordering::Relaxed) {
            self.leave_as_intended();
        }
        self.tail.store(0, Ordering::Release);
    }
}

impl Local {
    /// Under the lock of a barrier: completes it if all parties but the caller are waiting. Those to be woken are in
    /// `wakes`. A barrier that was poisoned, as one of a deadlock is, tells it to whoever comes later.
    pub(super) fn meet_at_barrier(&mut self, number: usize, name: ChannelName) -> Option<Fired> {
        let Some(channel) = self.tables().channel(name) else { return Some(Fired::ended(number, Fate::Retired)) };
        if let Some(fate) = channel.fate() {
            self.count(channel);
            self.owes = true;
            return Some(Fired::ended(number, fate));
        }
        let others = channel.capacity.load(Ordering::Relaxed).saturating_sub(1);
        if !self.complete(name.index, channel, others as usize) {
            return None;
        }
        self.owes = true;
        Some(Fired::bare(number))
    }

    /// Under the lock: a party has left; perhaps all that are left wait.
    pub(super) fn complete_without(&mut self, index: u32, channel: &Channel) {
        let parties = channel.capacity.load(Ordering::Relaxed) as usize;
        if parties > 0 {
            self.complete(index, channel, parties);
        }
    }

    /// Commits `needed` waiting parties, or none.
    fn complete(&mut self, index: u32, channel: &Channel, needed: usize) -> bool {
        // Kept, so that nothing is allocated under the lock.
        let mut parties = std::mem::take(&mut self.parties);
        let complete = self.complete_with(&mut parties, index, channel, needed);
        self.parties = parties;
        complete
    }

    fn complete_with(
        &mut self,
        parties: &mut Vec<(OfferName, &'static Offer)>,
        index: u32,
        channel: &Channel,
        needed: usize,
    ) -> bool {
        let tables = self.tables();
        loop {
            parties.clear();
            parties.extend(channel.inputs.names(tables).take(needed));
            if parties.len() < needed {
                return false;
            }
            parties.sort_unstable_by_key(|(name, _)| name.context());
            let stale = parties.iter().position(|(name, offer)| {
                let Some(context) = tables.contexts.get(name.context()) else { return true };
                !matches!(self.insist(|| context.word.claim(offer.guard(), index)), Attempt::Committed { .. })
            });
            let Some(stale) = stale else {
                let number = self.count(channel);
                channel.raise(DECIDED);
                for (name, offer) in parties.iter() {
                    channel.inputs.remove(tables, offer);
                    offer.set_number(number);
                    let Some(context) = tables.contexts.get(name.context()) else { continue };
                    if context.word.commit_claimed(index) {
                        self.wakes.push(name.context());
                    } else {
                        offer.set_linked(false);
                    }
                }
                channel.lower(DECIDED);
                return true;
            };
            for (name, _) in &parties[..stale] {
                if let Some(context) = tables.contexts.get(name.context()) {
                    context.word.unclaim(index);
                }
            }
            // It went elsewhere; there may be another one in its place.
            channel.inputs.unlink(tables, parties[stale].1);
        }
    }

    /// Reaper, under a lock taken over from the dead: finishes what the last party had decided, or takes its claims
    /// back.
    pub(super) fn settle_claims(&mut self, index: u32, channel: &Channel, seats: u32) {
        let tables = self.tables();
        let decided = channel.flags.load(Ordering::Acquire) & DECIDED != 0;
        for (number, _, context) in tables.contexts.taken() {
            let word = context.word.read();
            if !word.is_claimed_for(index) {
                continue;
            }
            if decided {
                if let Some(offer) = context.offers(tables).iter().find(|offer| {
                    usize::from(offer.guard()) == word.guard() && offer.is_linked() && offer.channel().index == index
                }) {
                    channel.inputs.remove(tables, offer);
                    // The one that the dead had decided with.
                    offer.set_number(channel.number.load(Ordering::Relaxed));
                }
                if context.word.commit_claimed(index) {
                    self.wakes.push(number);
                }
            } else {
                context.word.unclaim(index);
            }
        }
        channel.lower(DECIDED);
        channel.settle_leaving(seats);
        self.complete_without(index, channel);
    }

    /// One more party, or one less.
    pub(crate) fn change_parties(&mut self, name: ChannelName, change: i32) {
        let Some(locked) = self.lock(name) else { return };
        let channel = locked.channel;
        if channel.flags.load(Ordering::Relaxed) & BARRIER != 0 {
            locked.local.count(channel);
            let parties = channel.capacity.load(Ordering::Relaxed);
            channel.capacity.store(parties.saturating_add_signed(change), Ordering::Relaxed);
            if change < 0 {
                locked.local.complete_without(name.index, channel);
            }
        }
    }
}
