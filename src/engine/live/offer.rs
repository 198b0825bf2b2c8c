//! The blocking call: lock, look, commit or queue, wait, clean up.
//!
//! Knows nothing of values; a message is a block. The algorithm is Go's `selectgo` (runtime/select.go) with the commit
//! of Reppy, Russo and Xiao's parallel CML (ICFP 2009), made safe against death.
//!
//! ```text
//!  1 write   the table of offers (word IDLE)                        nobody looks at it yet
//!  2 lock    the guarded channels, in order of index                so two offers never wait for each other
//!  3 look    at the guards in the order asked for: a channel with a fate is ready; else take the first offer of the
//!            opposite queue, REMOVE it, announce the exchange, and SYNC its word = commit.
//!            Not waiting any more (another commit, a deadline, death): look at the next one.
//!            An expired timer is ready in its turn.
//!  4 decide  nothing ready: `skip`, if there is one                 still under all locks: one instant
//!  5 queue   on every channel, in the order of 3; word := WAITING   the table is frozen from here
//!  6 unlock  everything
//!  7 wait    until SYNCED, or withdraw at the deadline
//!  8 unlink  the offers that did not fire, one lock at a time
//!  9 take    the block over (its tag becomes ours); word := IDLE
//! ```
//!
//! **Why exactly one guard fires.** A waiting context is committed by one compare-and-swap on its one word, whatever
//! channel the partner came from. A context that looks is not waiting (its word is IDLE), so nobody can commit it while
//! it commits somebody: that is why the locks of *all* its channels are held while it looks and queues. It never meets
//! itself: it looks before it queues.
//!
//! **Why no match is missed.** A reader and a writer of one channel take its lock one after the other. The second one
//! to queue would first have looked, under that lock, at a queue that already held the first.
//!
//! **Remove before sync, and leave the mark.** The waiter may run on the instant its word is SYNCED and use its table
//! again, so a partner must not touch the offer after a successful sync:
//! ```text
//!     partner                         waiter (spinning)
//!     sync(word)  ─────────────────►  SYNCED: takes the block, IDLE, next offer: writes table[0]
//!     remove(table[0])  ✗ tears the queue of another channel
//! ```
//! So the partner takes the offer out of the queue first, but leaves its LINKED mark. If the sync fails, the partner
//! clears the mark; if it succeeds, the waiter clears it (it knows which offer fired). In between, a waiter that was
//! committed elsewhere sees the mark and comes for the lock: it cannot go on and reuse the table while the partner
//! still looks at it. And if the partner dies in between, the mark tells the reaper that this offer belongs into the
//! queue it rebuilds.
//!
//! **Who owns which block.** Both parties stage a block: the writer its message, the reader a spare. The commit
//! exchanges them. A block belongs to the context whose tag it carries, except that a block named in a SYNCED word
//! belongs to that word's context. Killed after the commit and before it tagged the block it received, a partner leaves
//! that block with the waiter's tag and nobody to free it: it had announced the exchange, so the reaper finds it.

use super::buffer::Stored;
use super::channel::Channel;
use super::context::{EXTENDED, MOST_GUARDS, OUTPUT, Offer, OfferName};
use super::local::Local;
use super::park::Waited;
use super::sync::{AtomicU32, Ordering, mutant, spin_loop, wait, yield_now};
use super::word::{CLAIM_CHECK, Phase, Snapshot, Sync};
use crate::engine::{ChannelName, Engine, Fate, Fired, Guard, Order};
use crate::memory::{ArenaError, Block, FATE, NONE};
use crate::sys::clock::{Deadline, Instant};
use std::panic::Location;

impl Engine for Local {
    fn offer(&mut self, guards: &[Guard], order: Order, location: &'static Location<'static>) -> Fired {
        debug_assert!(!guards.is_empty() && guards.len() <= MOST_GUARDS);
        self.context.location.store(std::ptr::from_ref(location).expose_provenance() as u64, Ordering::Relaxed);
        self.write_table(guards);
        self.lock_all(guards);
        let mut fired = match self.look(guards, order) {
            Some((fired, wake)) => {
                self.unlock_all();
                if let Some(context) = wake.and_then(|index| self.tables().contexts.get(index)) {
                    context.word.wake();
                }
                fired
            }
            None => self.queue_and_wait(guards),
        };
        self.context.exchange_done();
        if self.owes {
            self.owes = false;
            self.after_unlock();
        }
        if self.context.word.read().phase() != Phase::Idle {
            fired = self.wait_for_release(fired);
        }
        fired
    }
}

impl Local {
    /// Makes sure that an offer of so many guards can be made: room in the table, and a block to give for a message.
    ///
    /// To be called before [`Engine::offer`], which cannot fail.
    #[inline]
    pub(crate) fn prepare(&mut self, guards: usize, inputs: bool) -> Result<(), ArenaError> {
        if guards > MOST_GUARDS {
            return Err(ArenaError::Guards { count: guards, limit: MOST_GUARDS });
        }
        if guards > 1 {
            let owner = self.owner();
            self.context.reserve(self.tables(), guards, owner)?;
        }
        if inputs && self.hand == NONE {
            self.hand = self.take_spare()?;
        }
        Ok(())
    }

    /// Step 1.
    #[inline]
    fn write_table(&mut self, guards: &[Guard]) {
        let tables = self.tables();
        let mut place = 0;
        // The length is raised first: `offer` below looks at no more than that many places. All old entries are
        // unlinked.
        self.context.length.store(guards.len() as u32, Ordering::Release);
        for (number, guard) in guards.iter().enumerate() {
            let (channel, block, output) = match *guard {
                Guard::Input { channel, extended: false } => (channel, self.hand, 0),
                Guard::Input { channel, extended: true } => (channel, self.hand, EXTENDED),
                Guard::Output { channel, block } => (channel, block, OUTPUT),
                Guard::Barrier { channel } => (channel, NONE, 0),
                Guard::Timer { .. } | Guard::Skip => continue,
            };
            let Some(offer) = self.context.offer(tables, place) else { break };
            offer.channel.store(channel.index, Ordering::Relaxed);
            offer.generation.store(channel.generation, Ordering::Relaxed);
            offer.block.store(block, Ordering::Relaxed);
            offer.flags.store(output | (number as u32) << 16, Ordering::Relaxed);
            place += 1;
        }
        self.context.length.store(place as u32, Ordering::Release);
    }

    /// Step 2. The reaper knows the channels from the table.
    #[inline]
    fn lock_all(&mut self, guards: &[Guard]) {
        self.locked.clear();
        for guard in guards {
            if let Some(channel) = guard.channel()
                && channel.index < self.tables().channels.capacity()
            {
                self.locked.push(channel.index);
            }
        }
        if self.locked.len() > 1 {
            self.locked.sort_unstable();
            self.locked.dedup();
        }
        for index in &self.locked {
            if let Some(channel) = self.tables().channels.get(*index) {
                self.take_lock(*index, channel);
            }
        }
    }

    #[inline]
    fn unlock_all(&mut self) {
        for index in &self.locked {
            if let Some(channel) = self.tables().channels.get(*index) {
                channel.lock.release();
            }
        }
    }

    /// Steps 3 and 4: what is ready now, and whom to wake once the locks are released.
    #[inline]
    fn look(&mut self, guards: &[Guard], order: Order) -> Option<(Fired, Option<u32>)> {
        if let [guard] = guards {
            return self.look_at(0, guard);
        }
        self.arrange(guards.len(), order);
        let scan = std::mem::take(&mut self.scan);
        let mut found = scan.iter().map(|number| usize::from(*number)).find_map(|number| match &guards[number] {
            Guard::Skip => None,
            guard => self.look_at(number, guard),
        });
        if found.is_none() {
            let skip = |number: &u16| matches!(guards[usize::from(*number)], Guard::Skip);
            found = scan.iter().find(|number| skip(number)).map(|number| (Fired::bare(usize::from(*number)), None));
        }
        self.scan = scan;
        found
    }

    fn arrange(&mut self, count: usize, order: Order) {
        let mut scan = std::mem::take(&mut self.scan);
        scan.clear();
        let first = match order {
            Order::From(first) => first % count,
            Order::Priority | Order::Random => 0,
        };
        scan.extend((first..count).chain(0..first).map(|number| number as u16));
        if order == Order::Random {
            // Fisher and Yates.
            for place in (1..count).rev() {
                scan.swap(place, (self.roll() % (place as u64 + 1)) as usize);
            }
        }
        self.scan = scan;
    }

    #[inline]
    fn look_at(&mut self, number: usize, guard: &Guard) -> Option<(Fired, Option<u32>)> {
        match *guard {
            Guard::Input { channel, extended } => self.meet(number, channel, self.hand, Side::Input { extended }),
            Guard::Output { channel, block } => self.meet(number, channel, block, Side::Output),
            Guard::Barrier { channel } => {
                let fired = self.meet_at_barrier(number, channel)?;
                self.owes = true;
                Some((fired, None))
            }
            Guard::Timer { deadline } => deadline.is_past().then(|| (Fired::bare(number), None)),
            Guard::Skip => Some((Fired::bare(number), None)),
        }
    }

    /// Looks for a message in the buffer, or for a partner on one channel, and commits to the first that still waits.
    #[inline]
    fn meet(&mut self, number: usize, name: ChannelName, giving: Block, side: Side) -> Option<(Fired, Option<u32>)> {
        let tables = self.tables();
        let ended = |fate| Some((Fired { index: number, outcome: Err(fate), held: None }, None));
        let Some(channel) = tables.channel(name) else {
            return ended(Fate::Retired);
        };
        let output = side == Side::Output;
        // Before the fate: what a writer that is gone has left is read first.
        if !output && channel.head.load(Ordering::Relaxed) != NONE {
            let (block, wake) = self.take_stored(name.index, channel)?;
            return Some((Fired { index: number, outcome: Ok(block), held: None }, wake));
        }
        if let Some(fate) = channel.fate() {
            return ended(fate);
        }
        let opposite = match channel.queue(!output) {
            empty if mutant!("a reader meets a reader") && empty.first(tables).is_none() => channel.queue(output),
            opposite => opposite,
        };
        while let Some((partner, offer)) = opposite.first(tables) {
            let (guard, taking) = (offer.guard(), offer.block.load(Ordering::Relaxed));
            let extended = match side {
                Side::Output => offer.is_extended(),
                Side::Input { extended } => extended,
            };
            if !mutant!("a partner is removed after the commit") {
                opposite.remove(tables, offer);
            }
            let Some(context) = tables.contexts.get(partner.context()) else { continue };
            self.context.announce_exchange(giving, taking, partner.context());
            let sync = if extended && !channel.is_buffered() {
                self.sync_extended(context, guard, giving, output)
            } else {
                if extended && output {
                    // From a buffered channel nobody is held.
                    tables.arena.block(giving).back().store(0, Ordering::Relaxed);
                }
                self.insist(|| context.word.sync(guard, giving))
            };
            if mutant!("a partner is removed after the commit") {
                opposite.remove(tables, offer);
            }
            if let Sync::Committed { parked } = sync {
                self.received(taking);
                if !output {
                    self.hand = NONE;
                }
                let held = match side {
                    Side::Input { extended: true } => self.held_by_commit(partner.context(), context),
                    _ => None,
                };
                // A writer that is held sleeps on.
                let wake = (parked && held.is_none()).then(|| partner.context());
                return Some((Fired { index: number, outcome: Ok(taking), held }, wake));
            }
            // Taken back at once: the block stays ours, and its tag will change when somebody else gets it.
            self.context.exchange_done();
            if !mutant!("the mark stays after a failed commit") {
                offer.set_linked(false);
            }
        }
        if output && channel.is_buffered() && self.store(name.index, channel, giving) == Stored::Yes {
            self.owes |= !self.doomed.is_empty();
            return Some((Fired { index: number, outcome: Ok(NONE), held: None }, None));
        }
        None
    }

    /// Commits a waiting context; one that the last party of a barrier has just claimed is asked again until that is
    /// settled.
    #[inline]
    pub(super) fn insist(&mut self, sync: impl Fn() -> Sync) -> Sync {
        match sync() {
            Sync::Claimed { barrier } => self.insist_on_claimed(barrier, &sync),
            settled => settled,
        }
    }

    #[cold]
    fn insist_on_claimed(&mut self, barrier: u32, sync: &dyn Fn() -> Sync) -> Sync {
        let mut barrier = barrier;
        for round in 0_u32.. {
            if round < 100 && self.spin.processors() > 1 {
                spin_loop();
            } else if self.is_reaper {
                // The claimer may be dead, and then nobody else would settle its claims.
                self.settle_claims_of_the_dead(barrier);
                yield_now();
            } else if round < 1000 {
                yield_now();
            } else {
                // The claimer is stopped, or has no processor: nobody rings when it goes on, but looking all the time
                // would keep a processor busy for as long as somebody looks at it with a debugger.
                let nobody_rings = AtomicU32::new(0);
                wait(&nobody_rings, 0, Some(&Deadline::at(Instant::now() + CLAIM_CHECK)));
            }
            match sync() {
                Sync::Claimed { barrier: now } => barrier = now,
                settled => return settled,
            }
        }
        Sync::Stale
    }

    /// The block came with a commit: from now on it is ours.
    #[inline]
    pub(super) fn received(&self, block: Block) {
        if block != NONE && block != FATE {
            self.tables().arena.block(block).set_owner(self.owner());
        }
    }

    /// Steps 5 to 9.
    fn queue_and_wait(&mut self, guards: &[Guard]) -> Fired {
        let tables = self.tables();
        let offers = self.own_offers();
        let queue = |(place, offer): (usize, &'static Offer)| {
            if let Some(channel) = tables.channel(offer.channel()) {
                let ticket = channel.ticket.load(Ordering::Relaxed);
                channel.ticket.store(ticket + 1, Ordering::Relaxed);
                offer.ticket.store(ticket, Ordering::Relaxed);
                channel.queue(offer.is_output()).push(tables, OfferName::new(self.index, place), offer);
            }
        };
        if self.locked.len() == offers.len() {
            offers.iter().enumerate().for_each(queue);
        } else {
            // Some are on the same channel, where a partner will take the first: the order of the look decides which
            // that is, or else a random choice would always fall on the same.
            let place = |number: &u16| offers.binary_search_by_key(number, Offer::guard).ok();
            self.scan.iter().filter_map(place).map(|place| (place, &offers[place])).for_each(queue);
        }
        let timer = earliest(guards);
        self.context.timed.store(u32::from(timer.is_some()), Ordering::Relaxed);
        let allowance = self.allowance();
        if mutant!("an offer is queued before it waits") {
            self.unlock_all();
            self.context.wait(allowance.is_none());
        } else {
            self.context.wait(allowance.is_none());
            self.unlock_all();
        }

        match self.wait_until_synced(allowance, timer.as_ref().map(|(_, deadline)| deadline)) {
            Waited::Synced(now) => self.finish(guards, now),
            Waited::Withdrawn => {
                self.unlink_rest(None);
                let first = timer.map_or(0, |(index, _)| index);
                Fired::bare(self.first_due(guards).unwrap_or(first))
            }
        }
    }

    /// Of the timers that are due by now, the one that the order of the look puts first: it decides between timers as
    /// between all other guards, whether the context has slept or not.
    #[cold]
    fn first_due(&self, guards: &[Guard]) -> Option<usize> {
        self.scan
            .iter()
            .map(|number| usize::from(*number))
            .find(|number| matches!(guards.get(*number), Some(Guard::Timer { deadline }) if deadline.is_past()))
    }

    fn own_offers(&self) -> &'static [Offer] {
        self.context.offers(self.tables())
    }

    /// Steps 8 and 9, for a context that a partner has committed.
    fn finish(&mut self, guards: &[Guard], now: Snapshot) -> Fired {
        match self.own_offers() {
            // The partner has taken it out of the queue; the mark is ours to clear, before the word is IDLE.
            [offer] => offer.set_linked(false),
            _ => self.unlink_rest(Some(now.guard())),
        }
        let index = now.guard().min(guards.len() - 1);
        let mut held = None;
        let outcome = match (now.block(), &guards[index]) {
            (FATE, guard) => {
                let fate = guard.channel().and_then(|channel| self.tables().channel_fate(channel));
                Err(fate.unwrap_or(Fate::Retired))
            }
            (block, guard) => {
                self.received(block);
                match guard {
                    Guard::Input { extended, .. } => {
                        self.hand = NONE;
                        if *extended {
                            held = self.held_by_message(block);
                        }
                    }
                    _ if now.phase() == Phase::Failed => {
                        self.keep_block(block);
                        return self.abandoned(index);
                    }
                    _ => (),
                }
                Ok(block)
            }
        };
        self.context.word.idle();
        Fired { index, outcome, held }
    }

    /// Step 8: takes the offers that did not fire out of their queues.
    fn unlink_rest(&mut self, fired: Option<usize>) {
        let tables = self.tables();
        for offer in self.own_offers() {
            if fired == Some(usize::from(offer.guard())) {
                offer.set_linked(false);
                continue;
            }
            if !offer.is_linked() {
                continue;
            }
            let index = offer.channel().index;
            if let Some(channel) = tables.channels.get(index) {
                self.take_lock(index, channel);
                // Whoever had the lock may have unlinked it.
                if offer.is_linked() {
                    channel.queue(offer.is_output()).unlink(tables, offer);
                }
                channel.lock.release();
            }
        }
    }
}

impl Channel {
    /// Reaper, under the lock: takes one offer of a dead context out.
    pub(super) fn unlink_dead(&self, tables: super::tables::Tables, offer: &Offer) {
        if offer.is_linked() {
            self.queue(offer.is_output()).unlink(tables, offer);
        }
    }
}

/// Which side of a channel a guard is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Input { extended: bool },
    Output,
}

impl Guard {
    fn channel(&self) -> Option<ChannelName> {
        match self {
            Guard::Input { channel, .. } | Guard::Output { channel, .. } | Guard::Barrier { channel } => Some(*channel),
            Guard::Timer { .. } | Guard::Skip => None,
        }
    }
}

/// The timer that fires first.
fn earliest(guards: &[Guard]) -> Option<(usize, Deadline)> {
    let timers = guards.iter().enumerate().filter_map(|(index, guard)| match guard {
        Guard::Timer { deadline } => Some((index, *deadline)),
        _ => None,
    });
    timers.min_by_key(|(_, deadline)| deadline.instant())
}
