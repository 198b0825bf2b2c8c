//! The offer: lock, look, commit or queue; and, when a partner has come or the time is up, clean up.
//!
//! Knows nothing of values; a message is a block. Nor of how a context waits between [`Local::begin`] and
//! [`Local::finish`]: a thread does it one way, a task another ([`wait`](super::wait),
//! [`task`](super::task)). The algorithm is Go's
//! `selectgo` (runtime/select.go) with the commit of Reppy, Russo and Xiao's parallel CML (ICFP 2009), made safe
//! against death.
//!
//! ```text
//!  1 write   the table of offers (word IDLE)                        nobody looks at it yet
//!  2 lock    the guarded channels, in order of index                so two offers never wait for each other
//!            (if one looks ready before that, its channel alone, and the table has only that)
//!  3 look    at the guards in the order asked for: a channel with a fate is ready; else take the first offer of the
//!            opposite queue, REMOVE it, announce the exchange, and COMMIT its word ([`pairing`](super::pairing)).
//!            Not waiting any more (another commit, a deadline, death): look at the next one.
//!            An expired timer is ready in its turn.
//!  4 decide  nothing ready: `skip`, if there is one                 still under all locks: one instant
//!  5 queue   on every channel, in the order of 3; word := WAITING   the table is frozen from here
//!  6 unlock  everything
//!  7 wait    until COMMITTED, or withdraw at the deadline
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
//! **Remove before the commit, and leave the mark.** The waiter may run on the instant its word is COMMITTED and use
//! its table again, so a partner must not touch the offer after a commit:
//! ```text
//!     partner                         waiter (spinning)
//!     commit(word)  ───────────────►  COMMITTED: takes the block, IDLE, next offer: writes table[0]
//!     remove(table[0])  ✗ tears the queue of another channel
//! ```
//! So the partner takes the offer out of the queue first, but leaves its LINKED mark. If the commit fails, the partner
//! clears the mark; if it succeeds, the waiter clears it (it knows which offer fired). In between, a waiter that was
//! committed elsewhere sees the mark and comes for the lock: it cannot go on and reuse the table while the partner
//! still looks at it. And if the partner dies in between, the mark tells the reaper that this offer belongs into the
//! queue it rebuilds.
//!
//! **Who owns which block.** Both parties stage a block: the writer its message, unless that needs none
//! ([`short`](super::short)), the reader a spare. The commit exchanges them. A block belongs to the context whose tag
//! it carries, except that a block named in a COMMITTED word belongs to that word's context. Killed after the commit
//! and before it tagged the block it received, a partner leaves that block with the waiter's tag and nobody to free
//! it: it had announced the exchange, so the reaper finds it.

use super::channel::Channel;
use super::commit::Side;
use super::context::{EXTENDED, JOINS, KEEPS, MOST_GUARDS, OUTPUT, Offer, OfferName, PASSES};
use super::local::Local;
use super::short::is_short;
use super::sync::Ordering;
use super::wait::{OnThread, Wait, Waited};
use super::word::{Snapshot, State};
use crate::engine::{ChannelName, Fate, Fired, Guard, Kept, Order};
use crate::memory::{ArenaError, FATE, NONE, is_block};
use crate::sys::clock::Deadline;
use std::panic::Location;

/// What an offer came to without waiting.
#[derive(Debug)]
#[must_use]
pub(super) enum Begun {
    Fired(Fired),
    Pending(Pending),
}

/// An offer that waits: whoever has it finishes it or takes it back, with the same guards.
#[derive(Debug)]
#[must_use]
pub(super) enum Pending {
    /// It is queued on all its channels. The timer is the one that ends the wait.
    Queued { timer: Option<(usize, Deadline)> },
    /// The message was handed to a reader in an extended rendezvous, who has not finished.
    Lent { fired: Fired },
}

impl Pending {
    /// When the wait ends without a partner.
    pub(super) fn deadline(&self) -> Option<&Deadline> {
        match self {
            Pending::Queued { timer } => timer.as_ref().map(|(_, deadline)| deadline),
            Pending::Lent { .. } => None,
        }
    }
}

impl Local {
    /// Waits until one of the guards fires, and fires exactly that one.
    ///
    /// # Errors
    /// Too many guards, or no room for their table or for the block that a reader gives for a message: then nothing has
    /// been offered.
    #[inline]
    pub(crate) fn offer(
        &mut self,
        guards: &[Guard],
        order: Order,
        location: &'static Location<'static>,
    ) -> Result<Fired, ArenaError> {
        if self.is_traced() {
            return self.offer_and_record(guards, order, location);
        }
        self.offer_silently(guards, order, location)
    }

    /// The same, and nobody wants to know.
    #[inline]
    pub(super) fn offer_silently(
        &mut self,
        guards: &[Guard],
        order: Order,
        location: &'static Location<'static>,
    ) -> Result<Fired, ArenaError> {
        match self.begin(&mut OnThread, guards, order, location)? {
            Begun::Fired(fired) => Ok(fired),
            Begun::Pending(pending) => Ok(self.wait_on_thread(guards, pending)),
        }
    }

    pub(super) fn wait_on_thread(&mut self, guards: &[Guard], pending: Pending) -> Fired {
        if let Pending::Lent { fired } = &pending
            && self.is_traced()
        {
            self.record_being_held(&guards[fired.index]);
        }
        let waited = self.wait_until_committed(pending.deadline());
        self.finish(guards, pending, waited)
    }

    /// Steps 1 to 6.
    #[inline]
    pub(super) fn begin(
        &mut self,
        wait: &mut impl Wait,
        guards: &[Guard],
        order: Order,
        location: &'static Location<'static>,
    ) -> Result<Begun, ArenaError> {
        self.prepare(guards)?;
        self.context.set_location(location);
        let mut found = match guards {
            [guard] => {
                self.write_table(guards);
                self.look_at_one(guard)
            }
            guards => self.look_at_all(guards, order),
        };
        // Moved at the end: what was written in pieces is not read as a whole at once.
        let Some(fired) = &mut found else { return Ok(Begun::Pending(self.queue(wait, guards))) };
        if !self.units.is_empty() {
            self.settle_units_of(guards, fired);
        }
        if let Ok(came) = &mut fired.outcome {
            *came = self.in_a_block(*came);
        }
        Ok(if self.conclude(wait) { Begun::Fired(*fired) } else { Begun::Pending(Pending::Lent { fired: *fired }) })
    }

    /// What is to be done when a guard has fired at once, and no lock is held any more. `false` if the reader of the
    /// message has not finished with it.
    #[inline]
    pub(super) fn conclude(&mut self, wait: &mut impl Wait) -> bool {
        if let Some(partner) = self.partner.take() {
            partner.wake(self.tables);
        }
        self.context.exchange_done();
        if self.owes {
            self.owes = false;
            self.after_unlock();
        }
        if self.context.word.read().state() == State::Idle {
            return true;
        }
        let _ = wait.sleeps_at_once(self);
        false
    }

    /// Steps 8 and 9.
    #[inline]
    pub(super) fn finish(&mut self, guards: &[Guard], pending: Pending, waited: Waited) -> Fired {
        match (pending, waited) {
            (Pending::Queued { .. }, Waited::Committed(now)) => {
                let mut fired = self.take_over(guards, now);
                if let Ok(came) = &mut fired.outcome {
                    *came = self.in_a_block(*came);
                }
                fired
            }
            (Pending::Queued { timer }, Waited::Withdrawn) => {
                self.unlink_rest(None);
                self.settle_units(guards, None);
                let first = timer.map_or(0, |(index, _)| index);
                Fired::bare(self.first_due(guards).unwrap_or(first))
            }
            (Pending::Lent { fired }, Waited::Committed(now)) => self.released(fired, now),
            (Pending::Lent { .. }, Waited::Withdrawn) => unreachable!("there is no deadline to withdraw at"),
        }
    }

    /// Makes sure that an offer of these guards can be made: room in the table, and a block to give for a message.
    #[inline]
    pub(crate) fn prepare(&mut self, guards: &[Guard]) -> Result<(), ArenaError> {
        assert!(!guards.is_empty(), "an offer of nothing would never come to anything");
        if guards.len() > 1 {
            if guards.len() > MOST_GUARDS {
                return Err(ArenaError::Guards { count: guards.len(), limit: MOST_GUARDS });
            }
            self.context.reserve(self.tables(), guards.len(), self.claimant())?;
        }
        if self.hand == NONE {
            guards.iter().try_for_each(|guard| self.take_hand_for(guard))?;
        }
        if guards.iter().any(|guard| matches!(guard, Guard::Pass { .. })) {
            self.take_units(guards)?;
        }
        Ok(())
    }

    /// A block to give for a message, or to put one into.
    fn take_hand_for(&mut self, guard: &Guard) -> Result<(), ArenaError> {
        let needs_one = match *guard {
            Guard::Input { .. } => true,
            Guard::Output { block, .. } => is_short(block),
            _ => false,
        };
        if needs_one && self.hand == NONE {
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
                Guard::Input { channel, extended: false, .. } => (channel, self.hand, 0),
                Guard::Input { channel, extended: true, .. } => (channel, self.hand, EXTENDED),
                Guard::Output { channel, block } => {
                    self.claim(block);
                    (channel, block, OUTPUT)
                }
                Guard::Barrier { channel } => (channel, NONE, 0),
                Guard::Join { queue } => (queue, NONE, JOINS),
                Guard::Pass { gate, weight, .. } => match self.unit_for(number) {
                    Some(unit) => (gate, unit.index, PASSES | KEEPS),
                    None => (gate, weight, PASSES),
                },
                Guard::Timer { .. } | Guard::Skip => continue,
            };
            let Some(offer) = self.context.offer(tables, place) else {
                unreachable!("`prepare` has made room for every guard");
            };
            offer.write(channel, block, output | (number as u32) << 16);
            place += 1;
        }
        self.context.length.store(place as u32, Ordering::Release);
    }

    /// Steps 2 to 4, and 6 if the guard is ready. The reaper knows the channel from the table.
    #[inline]
    fn look_at_one(&mut self, guard: &Guard) -> Option<Fired> {
        self.locked.clear();
        let name = guard.channel();
        let channel = name.and_then(|name| Some((name.index, self.tables().channels.get(name.index)?)));
        let Some((index, channel)) = channel else { return self.look_at(0, guard) };
        self.locked.push(index);
        self.take_lock(index, channel);
        let found = self.look_at(0, guard);
        if found.is_some() {
            channel.lock.release();
        }
        found
    }

    /// As [`look_at_one`](Local::look_at_one), for several guards: unless one is ready at once, all channels are locked
    /// before the first is looked at.
    fn look_at_all(&mut self, guards: &[Guard], order: Order) -> Option<Fired> {
        self.arrange(guards.len(), order);
        if let Some(fired) = self.glance(guards, order) {
            return Some(fired);
        }
        self.write_table(guards);
        self.lock_all(guards);
        let scan = std::mem::take(&mut self.scan);
        let mut found = scan.iter().map(|number| usize::from(*number)).find_map(|number| match &guards[number] {
            Guard::Skip => None,
            guard => self.look_at(number, guard),
        });
        if found.is_none() {
            let skip = |number: &u16| matches!(guards[usize::from(*number)], Guard::Skip);
            found = scan.iter().find(|number| skip(number)).map(|number| Fired::bare(usize::from(*number)));
        }
        self.scan = scan;
        if found.is_some() {
            self.unlock_all();
        }
        found
    }

    /// Before step 2: fires a guard whose channel looks ready, under the lock of that channel alone.
    ///
    /// The context is IDLE and stands in no queue, so nobody can commit it meanwhile; the table, which has this alone,
    /// tells the reaper of the one lock. Who chooses by priority may take no guard but the first in this way: that one
    /// before it is not ready at the same instant takes all locks to know. In any other order the first that is seen to
    /// be ready is the one. Only channels and timers can be seen to be ready; with other guards among them, whose turn
    /// would never come, nothing is fired here.
    #[inline]
    fn glance(&mut self, guards: &[Guard], order: Order) -> Option<Fired> {
        let is_plain =
            |guard: &Guard| matches!(guard, Guard::Input { .. } | Guard::Output { .. } | Guard::Timer { .. });
        let looks = match order {
            Order::Priority => 1,
            _ if guards.iter().all(is_plain) => guards.len(),
            _ => 0,
        };
        let scan = std::mem::take(&mut self.scan);
        let found = scan.iter().take(looks).find_map(|number| self.take_if_ready(*number, guards));
        self.scan = scan;
        found
    }

    fn take_if_ready(&mut self, number: u16, guards: &[Guard]) -> Option<Fired> {
        let number = usize::from(number);
        let guard = &guards[number];
        let (name, block, flags) = match *guard {
            Guard::Input { channel, extended, .. } => (channel, self.hand, if extended { EXTENDED } else { 0 }),
            Guard::Output { channel, block } => (channel, block, OUTPUT),
            Guard::Timer { .. } => return self.look_at(number, guard),
            _ => return None,
        };
        let is_output = flags & OUTPUT != 0;
        let channel = self.tables().channels.get(name.index).filter(|channel| channel.looks_ready(is_output))?;
        if is_output {
            self.claim(block);
        }
        self.only_offer().write(name, block, flags | (number as u32) << 16);
        self.take_lock(name.index, channel);
        let found = self.look_at(number, guard);
        channel.lock.release();
        found
    }

    /// Step 2.
    fn lock_all(&mut self, guards: &[Guard]) {
        self.locked.clear();
        let channels = guards.iter().filter_map(Guard::channel).map(|channel| channel.index);
        self.locked.extend(channels.filter(|index| *index < self.tables.channels.capacity()));
        self.locked.sort_unstable();
        self.locked.dedup();
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
    fn look_at(&mut self, number: usize, guard: &Guard) -> Option<Fired> {
        match *guard {
            Guard::Input { channel, extended, reader } => {
                self.reader = reader;
                self.meet(number, channel, self.hand, Side::Input { extended })
            }
            Guard::Output { channel, block } => self.meet(number, channel, block, Side::Output),
            Guard::Barrier { channel } => self.meet_at_barrier(number, channel),
            Guard::Pass { .. } => self.meet_at_gate(number, guard),
            Guard::Join { queue } => self.meet_at_queue(number, queue),
            Guard::Timer { deadline } => deadline.is_past().then(|| Fired::bare(number)),
            Guard::Skip => Some(Fired::bare(number)),
        }
    }

    /// Steps 5 and 6.
    #[inline]
    fn queue(&mut self, wait: &mut impl Wait, guards: &[Guard]) -> Pending {
        match self.own_offers() {
            [offer] => self.append(0, offer),
            offers if self.locked.len() == offers.len() => {
                offers.iter().enumerate().for_each(|(place, offer)| self.append(place, offer));
            }
            // Some are on the same channel, where a partner will take the first: the order of the look decides which
            // that is, or else a random choice would always fall on the same.
            offers => {
                let place = |number: &u16| offers.binary_search_by_key(number, Offer::guard).ok();
                self.scan.iter().filter_map(place).for_each(|place| self.append(place, &offers[place]));
            }
        }
        let timer = earliest(guards);
        self.publish(wait, timer.is_some());
        self.unlock_all();
        if self.is_traced() {
            self.record_wait(guards);
        }
        Pending::Queued { timer }
    }

    /// From here on the table is frozen, and the word is WAITING, or PARKED.
    #[inline]
    pub(super) fn publish(&mut self, wait: &mut impl Wait, timed: bool) {
        self.context.timed.store(u32::from(timed), Ordering::Relaxed);
        let parked = wait.sleeps_at_once(self);
        self.context.wait(parked);
    }

    /// Puts an offer of the table into the queue of its channel.
    #[inline]
    fn append(&self, place: usize, offer: &Offer) {
        let tables = self.tables();
        if let Some(channel) = tables.channel(offer.channel()) {
            self.append_at(channel, place, offer);
        }
    }

    #[inline]
    pub(super) fn append_at(&self, channel: &Channel, place: usize, offer: &Offer) {
        if is_short(offer.block.load(Ordering::Relaxed)) {
            offer.put_beside(self.short);
        }
        offer.ticket.store(channel.next_number(self.context.number()), Ordering::Relaxed);
        channel.queue_of(offer).push(self.tables(), OfferName::new(self.index, place), offer);
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
    #[inline]
    pub(super) fn take_over(&mut self, guards: &[Guard], now: Snapshot) -> Fired {
        let number = now.guard();
        let guard = guards.get(number).unwrap_or_else(|| panic!("{now:?} names none of {} guards", guards.len()));
        if let Guard::Input { channel, reader, .. } = *guard
            && is_block(now.block())
        {
            self.take_task_over(channel, reader, number);
        }
        if is_short(now.block())
            && let Some(offer) = self.own_offers().iter().find(|offer| usize::from(offer.guard()) == number)
        {
            self.short = offer.beside();
        }
        match self.own_offers() {
            // The partner has taken it out of the queue; the mark is ours to clear, before the word is IDLE.
            [offer] => {
                self.learn_of(offer);
                offer.set_linked(false);
            }
            _ => self.unlink_rest(Some(now.guard())),
        }
        let mut fired = match now.block() {
            FATE => Fired::ended(number, self.fate_of(guard)),
            short if is_short(short) => Fired::with(number, short),
            block => {
                let block = if is_block(block) { block } else { NONE };
                self.received(block);
                let mut fired = Fired::with(number, block);
                if now.state() == State::Failed {
                    return self.released(fired, now);
                }
                if let Guard::Input { extended, .. } = guard {
                    self.hand = NONE;
                    if *extended {
                        fired.kept = self.held_by_message(block).map_or(Kept::Nothing, Kept::Writer);
                    }
                }
                fired
            }
        };
        if !self.units.is_empty() {
            self.settle_units_of(guards, &mut fired);
        }
        self.context.word.idle();
        fired
    }

    /// Why the channel of a guard that was told its fate has ended.
    #[cold]
    fn fate_of(&self, guard: &Guard) -> Fate {
        match guard {
            Guard::Join { queue } => self.fate_of_join(*queue),
            guard => guard.channel().and_then(|channel| self.tables().facts(channel).told()).unwrap_or(Fate::Retired),
        }
    }

    /// Step 8: takes the offers that did not fire out of their queues.
    pub(super) fn unlink_rest(&mut self, fired: Option<usize>) {
        let tables = self.tables();
        for offer in self.own_offers() {
            if fired == Some(usize::from(offer.guard())) {
                self.learn_of(offer);
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
                    channel.queue_of(offer).unlink(tables, offer);
                    // Those behind it may pass now.
                    if channel.is_gate() {
                        self.admit(channel);
                    }
                }
                channel.lock.release();
            }
        }
        if !self.wakes.is_empty() {
            self.after_unlock();
        }
    }
}

impl Channel {
    /// Reaper, under the lock: takes one offer of a dead context out.
    pub(super) fn unlink_dead(&self, tables: super::tables::Tables, offer: &Offer) {
        if offer.is_linked() {
            self.queue_of(offer).unlink(tables, offer);
        }
    }
}

impl Guard {
    fn channel(&self) -> Option<ChannelName> {
        match self {
            Guard::Input { channel, .. } | Guard::Output { channel, .. } | Guard::Barrier { channel } => Some(*channel),
            Guard::Pass { gate, .. } => Some(*gate),
            Guard::Join { queue } => Some(*queue),
            Guard::Timer { .. } | Guard::Skip => None,
        }
    }
}

/// The timer that fires first.
#[inline]
fn earliest(guards: &[Guard]) -> Option<(usize, Deadline)> {
    let timers = guards.iter().enumerate().filter_map(|(index, guard)| match guard {
        Guard::Timer { deadline } => Some((index, *deadline)),
        _ => None,
    });
    timers.min_by_key(|(_, deadline)| deadline.instant())
}
