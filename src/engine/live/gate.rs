//! A gate: permits, some of which whoever passes has from then on, and gives back.
//!
//! Knows nothing of what is behind it: a lock is a gate of one permit, a semaphore one of several. A gate is a channel
//! without messages. `capacity` is how many permits there are, its inputs are those who wait for some. What somebody
//! has is a *unit*, an end as others are: it is held by a process or by a message, keeps the gate in existence, and
//! is given back with its holder, however that ends.
//!
//! Whoever gives back does not leave the permits lying for anybody to take. He hands them on, under the gate's lock, to
//! those who wait longest, as long as enough are left, and commits each by its word. So nobody is overtaken, and a
//! wait for many permits is not prevented for ever by those who take few.
//!
//! **A waiter brings its unit**, as a reader brings a block: it lies in the hand of the context from before the offer.
//! So a commit needs no memory, and nothing is owed after it but that the waiter says whose the unit is.
//! ```text
//!     the unit         the word        the permits
//!     in hand          WAITING         free
//!     in hand          COMMITTED       in use           the commit, under the gate's lock
//!     held             COMMITTED       in use           the waiter, without a lock
//!     held             IDLE            in use
//!     in hand          IDLE            free             giving back, under the gate's lock
//! ```
//! **The invariant:** permits in use are those of units that are held, and of units in the hand of a context whose word
//! says that it was let in with them. So they can be counted again whoever is killed, and wherever:
//! - with the gate's lock: the reaper breaks it and counts, as it counts ends ([`reaper`](super::reaper));
//! - in COMMITTED, before the unit is held: its word is DEAD by then, so the unit counts no more. It is freed like any
//!   end in the hands of the dead, the gate is counted again, and those who wait longest are let in;
//! - with the unit: it is closed as any end of the dead. Then the gate is *abandoned* by that process, which whoever is
//!   next is told, if the unit was all permits: others may have been in the middle of something, too, but they shared.
//!
//! Whoever waits without a holder takes nothing: he only waits until so many permits are free. The permits of a gate
//! that opens in turns count its turns, and a wait for the next turn is one until that many are there. Turns go on for
//! ever, so permits are compared modulo 2³².
//!
//! **A deadlock** is told to those who wait at the gate then, and to nobody else: the gate stays as it is.

use super::channel::{COUNTING, Channel, GATE, TURNS};
use super::context::{Context, Offer, OfferName};
use super::end::{End, Keeping, Taken};
use super::local::Local;
use super::sync::{AtomicU32, Ordering, fence};
use super::tables::Tables;
use super::tasks::Leaver;
use super::word::Attempt;
use crate::engine::{ChannelName, Direction, Fate, Fired, Guard, Holder, Opened};
use crate::memory::{FATE, NONE};

impl Channel {
    /// Permits that somebody has. A gate has no buffer, whose word this is otherwise.
    fn in_use(&self) -> &AtomicU32 {
        &self.tail
    }

    /// How many permits somebody has.
    pub(super) fn permits_in_use(&self) -> u32 {
        if self.is_gate() { self.in_use().load(Ordering::Acquire) } else { 0 }
    }

    /// Whether so many permits are free.
    #[inline]
    pub(super) fn has_free(&self, weight: u32) -> bool {
        let permits = self.capacity.load(Ordering::Relaxed);
        let left = permits.wrapping_sub(self.in_use().load(Ordering::Relaxed)).wrapping_sub(weight);
        left.cast_signed() >= 0
    }

    /// Whether one unit has all that there is, and the lock would say so. To be asked before a unit occupies it.
    #[inline]
    pub(super) fn may_be_occupied(&self) -> bool {
        let is_of_holders = self.flags.load(Ordering::Relaxed) & (GATE | COUNTING | TURNS) == GATE;
        self.lock.is_free() && is_of_holders && self.capacity.load(Ordering::Relaxed) == 1 && self.has_nobody()
    }

    /// Whether no permit is in use, and nobody has left without giving one back.
    #[inline]
    pub(super) fn has_nobody(&self) -> bool {
        self.in_use().load(Ordering::Relaxed) == 0 && self.abandoner.load(Ordering::Relaxed).is_none()
    }

    /// Under the lock: so many permits more are in use, or less, by so many units.
    pub(super) fn change_units(&self, permits: u32, units: i32) {
        self.change_count(Direction::Unit, units);
        self.in_use().store(self.in_use().load(Ordering::Relaxed).wrapping_add(permits), Ordering::Release);
    }

    /// Whether those who come now wait behind others. A turn that has come is nobody else's, so nobody waits for it
    /// behind somebody who waits for a later one: that one has seen this turn already.
    fn has_queue(&self) -> bool {
        !self.inputs.is_empty() && self.opened() != Opened::InTurns
    }

    pub(super) fn opened(&self) -> Opened {
        match self.flags.load(Ordering::Relaxed) {
            flags if flags & TURNS != 0 => Opened::InTurns,
            flags if flags & COUNTING != 0 => Opened::ByAnybody,
            _ => Opened::ByHolders,
        }
    }
}

impl Offer {
    /// How many permits it waits for.
    fn weight(&self, tables: Tables) -> u32 {
        let unit_or_weight = self.block.load(Ordering::Relaxed);
        if self.keeps() { tables.ends.get(unit_or_weight).map_or(0, End::weight) } else { unit_or_weight }
    }
}

impl Tables {
    /// Whether the permits of a unit are in use. Exact under the lock of its gate: nobody else makes it so, or frees
    /// one that is.
    ///
    /// Without the lock, a waiter that was let in may hold its unit at any moment. It does so before its word leaves
    /// COMMITTED; so it was seen in hand with that word, or it is seen to be held afterwards.
    pub(super) fn is_in_use(self, index: u32, generation: u32, unit: &End) -> bool {
        let keeping = Keeping(unit.keeping.load(Ordering::Acquire));
        let let_in = |hand: u32| self.contexts.get(hand).is_some_and(|context| self.was_let_in(context, index));
        keeping.is_of(generation) && keeping.hand().is_none_or(let_in) || unit.holder(generation).is_some()
    }

    /// Whether the word of a context says that it was let in with this unit. Its table belongs to the word that was
    /// read only if the word is still the same afterwards.
    fn was_let_in(self, context: &'static Context, unit: u32) -> bool {
        loop {
            let word = context.word.read();
            let let_in = word.is_committed() && word.block() != FATE && {
                let mut offers = context.offers(self).iter().filter(|offer| usize::from(offer.guard()) == word.guard());
                offers.any(|offer| offer.keeps() && offer.block.load(Ordering::Relaxed) == unit)
            };
            fence(Ordering::SeqCst);
            if context.word.read() == word {
                return let_in;
            }
        }
    }

    /// The weight of all units of a gate that are in use.
    pub(super) fn weigh(self, gate: ChannelName) -> u32 {
        self.weigh_among(&self.ends_of(gate))
    }

    /// The same of a gate that has these ends.
    pub(super) fn weigh_among(self, ends: &[Taken]) -> u32 {
        let units = ends.iter().filter(|(index, generation, end)| {
            end.direction() == Direction::Unit && self.is_in_use(*index, *generation, end)
        });
        units.map(|(_, _, end)| end.weight()).fold(0, u32::wrapping_add)
    }
}

impl Local {
    /// Under the lock of a gate: passes, if nobody waits and enough permits are free.
    pub(super) fn meet_at_gate(&mut self, number: usize, guard: &Guard) -> Option<Fired> {
        let Guard::Pass { gate: name, weight, holder } = *guard else { return None };
        let tables = self.tables();
        let Some(gate) = tables.channel(name) else { return Some(Fired::ended(number, Fate::Retired)) };
        if gate.has_queue() || !gate.has_free(weight) {
            return None;
        }
        self.count(gate);
        if let Some((holder, unit)) = holder.zip(self.unit_for(number)) {
            gate.change_units(weight, 1);
            self.hold(unit, holder);
        }
        Some(Fired::bare(number))
    }

    /// Under the lock of a gate: lets in those who wait longest, as long as enough permits are free.
    /// [`Local::after_unlock`] is owed afterwards.
    pub(super) fn admit(&mut self, gate: &Channel) {
        let tables = self.tables();
        while let Some((name, offer)) = gate.inputs.first(tables)
            && gate.has_free(offer.weight(tables))
        {
            self.let_in(gate, name, offer);
        }
    }

    /// Under the lock: commits one waiter, if it still waits.
    fn let_in(&mut self, gate: &Channel, name: OfferName, offer: &Offer) -> bool {
        let tables = self.tables();
        let (keeps, weight) = (offer.keeps(), offer.weight(tables));
        gate.inputs.remove(tables, offer);
        offer.set_number(gate.next_number(self.context.number()));
        let Some(context) = tables.contexts.get(name.context()) else { return false };
        // Not looked at after the commit: its owner may use its table again.
        let guard = offer.guard();
        let Attempt::Committed { parked } = self.insist(|| context.word.commit(guard, NONE)) else {
            offer.set_linked(false);
            return false;
        };
        if keeps {
            gate.change_units(weight, 1);
        }
        if parked {
            self.wakes.push(name.context());
        }
        true
    }

    /// Under the lock: a unit is gone.
    pub(super) fn give_permits_back(&mut self, gate: &Channel, weight: u32) {
        gate.change_units(weight.wrapping_neg(), 0);
        self.admit(gate);
    }

    /// Under the lock: somebody ends with a unit that he has not given back.
    pub(super) fn note_abandoned(&mut self, gate: &Channel, unit: &End, generation: u32) {
        let all = gate.capacity.load(Ordering::Relaxed) == unit.weight();
        if all && let Some(Holder::Member(member)) = unit.holder(generation) {
            self.retain_member(member);
            self.set_abandoner(gate, Some(member));
        }
    }

    pub(super) fn set_abandoner(&mut self, gate: &Channel, member: Option<u32>) {
        self.owe_release(gate.abandoner.load(Ordering::Relaxed));
        gate.abandoner.store(member, Ordering::Release);
    }

    /// Under a lock that was taken over from the dead, or after units of the dead have gone: what there is counts.
    pub(super) fn count_again(&mut self, name: ChannelName, gate: &Channel) {
        let units = self.tables().count_ends(name)[Direction::Unit as usize];
        gate.count(Direction::Unit).store(units, Ordering::Relaxed);
        gate.in_use().store(self.tables().weigh(name), Ordering::Release);
        self.admit(gate);
    }

    /// Reaper: units in the hands of the dead have gone, and with them, perhaps, permits.
    pub(super) fn count_gate_again(&mut self, name: ChannelName) {
        if let Some(locked) = self.lock(name) {
            locked.local.count_again(name, locked.channel);
            locked.local.free_if_unused(name, locked.channel);
        }
    }

    /// Reaper: who died was told that it was its turn, and had not done anything about it: somebody else has it.
    pub(super) fn pass_on_turn(&mut self, name: ChannelName) {
        if self.tables().channel(name).is_some_and(|gate| gate.opened() == Opened::InTurns) {
            self.notify(name);
        }
    }

    /// So many permits from now on. Never waits.
    pub(crate) fn change_permits(&mut self, name: ChannelName, change: impl FnOnce(u32) -> u32) {
        if let Some(locked) = self.lock(name) {
            let (me, gate) = (&mut *locked.local, locked.channel);
            me.count(gate);
            gate.capacity.store(change(gate.capacity.load(Ordering::Relaxed)), Ordering::Release);
            me.admit(gate);
        }
    }

    /// Lets in the one who waits longest, whatever it waits for; without one, whoever is about to wait for the turn
    /// that comes now need not. Never waits.
    pub(crate) fn notify(&mut self, name: ChannelName) {
        if let Some(locked) = self.lock(name) {
            let (me, gate) = (&mut *locked.local, locked.channel);
            me.count(gate);
            while let Some((name, offer)) = gate.inputs.first(me.tables()) {
                if me.let_in(gate, name, offer) {
                    return;
                }
            }
            gate.capacity.store(gate.capacity.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
        }
    }

    /// The process that has left the gate without giving its permits back, if there is one that nobody has dealt with.
    /// It is kept until [`Local::forget_leaver`].
    pub(crate) fn abandoner(&mut self, name: ChannelName) -> Option<u32> {
        let locked = self.lock(name)?;
        let member = locked.abandoner.load(Ordering::Relaxed)?;
        locked.local.give_verdict(locked.local.context, Leaver { member, crashed: false });
        Some(member)
    }

    /// Somebody has dealt with what that process has left behind.
    pub(crate) fn recover(&mut self, name: ChannelName) {
        if let Some(locked) = self.lock(name) {
            locked.local.set_abandoner(locked.channel, None);
        }
    }
}
