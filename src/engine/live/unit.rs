//! Units: how permits come into the hand of a context, to their holder, and back.
//!
//! Knows nothing of who waits at a gate, nor in which order they pass; that is in [`gate`](super::gate), and so is the
//! law by which a unit counts.
//!
//! A context keeps one unit that it does not need in its hand, as it keeps a block: a *spare* for its next gate. So a
//! gate that nobody wants costs its lock twice and no other word that more than one may write:
//! ```text
//!     spare      in hand       free        names the gate that it was of last
//!     renewed    in hand       free        under the lock: names this gate; has another generation
//!     held       its holder    in use      under the lock, with the counts of the gate
//!     spare      in hand       free        under the lock, with the counts of the gate
//! ```
//! **A spare is renewed whenever it is used.** Whoever knows it by the name that it had before (an end is closed by its
//! holder, and by whoever sees to the end of that holder) must not give back what it is now:
//! ```text
//!     holder                                   closes all that its process holds
//!                                              sees unit 5 (generation 1)
//!     gives unit 5 back, keeps it
//!     takes another lock: unit 5 (generation 3)
//!                                              closes unit 5 (generation 1)  ✗
//! ```
//! The generation of the record comes first, and then the word that says who has it. So a process that is killed in
//! between leaves a record whose word is of the generation before, and by that word its burial finds it.
//!
//! **A gate with one permit can be occupied**, if nobody waits there and nothing is to be told: the word of its lock
//! names the unit ([`lock`](super::lock)), and that is all. Two compare-and-swaps pass a free lock and give it back:
//! ```text
//!     spare      in hand       free        names this gate already, renewed
//!     occupies   in hand       in use      the word of the lock names it: one compare-and-swap
//!     spare      in hand       free        the word is free again: one more
//! ```
//! Nobody else needs to know of it. Whoever takes the lock takes it from the unit, and writes down first what is true:
//! the unit is held by the member whose thread has it in hand, and the permit is in use. From then on it is a unit as
//! any other; its own thread learns of that when it cannot vacate the lock, and gives the unit back as any other. So
//! everything that happens under the lock sees held units only: who waits, who closes, the reaper, the finder of
//! deadlocks by those who wait. Those who look without the lock see a gate that is free and at which nobody waits.
//!
//! The thread writes its unit down itself before its process looks for what that holds, and at its own end.
//!
//! A pass like this has no [number](super::number) of its own. Whoever vacates tells the gate the number that it has
//! reached, and whoever takes the lock from a unit asks the thread whose it is: so what is done after a pass has a
//! larger number than what was done before it.

use super::channel::Channel;
use super::context::Context;
use super::end::{End, Keeping};
use super::local::Local;
use super::sync::{Ordering, spin_loop};
use super::tables::{Tables, take};
use crate::engine::{ChannelName, Closing, Direction, EndName, Fired, Guard, Holder, Kept};
use crate::memory::{ArenaError, Home, Slot};
use std::panic::Location;

/// So often a gate is looked at again before its permits are waited for.
const LOOKS: u32 = 40;

/// A gate was passed. Two words, so that it comes back in registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    unit: u64,
    /// Somebody has left the gate without giving its permits back.
    pub(crate) is_abandoned: bool,
}

impl Passed {
    #[inline]
    pub(crate) fn with(unit: EndName, is_abandoned: bool) -> Passed {
        Passed { unit: u64::from(unit.generation) << 32 | u64::from(unit.index), is_abandoned }
    }

    #[inline]
    pub(crate) fn unit(self) -> EndName {
        EndName { index: self.unit as u32, generation: (self.unit >> 32) as u32 }
    }
}

impl End {
    /// A unit in somebody's hand becomes one of so many permits of this gate.
    #[inline]
    fn describe(&self, gate: ChannelName, weight: u32) {
        self.channel.store(gate.index, Ordering::Relaxed);
        self.generation.store(gate.generation, Ordering::Relaxed);
        self.direction.store(Direction::Unit as u32, Ordering::Relaxed);
        self.weight.store(weight, Ordering::Relaxed);
    }
}

impl Tables {
    /// Whether a unit has all permits of a gate without a word about it in the gate: it occupies the lock, or somebody
    /// has just taken the lock from it, and is about to write that down.
    pub(super) fn is_occupied(self, gate: &Channel) -> bool {
        let is_its = |unit: &End| self.channel(unit.channel()).is_some_and(|its| std::ptr::eq(its, gate));
        let taken_from = || self.contexts.get(gate.lock.holder()?)?.occupant();
        gate.lock.occupant().or_else(taken_from).and_then(|unit| self.ends.get(unit)).is_some_and(is_its)
    }
}

impl Local {
    /// Passes a gate at which nobody waits, if enough permits are free, and gives the unit; or does nothing.
    ///
    /// It does what an offer of the one guard would, but nobody can come to wait for it meanwhile: so it needs no
    /// table, and nobody has to be told.
    #[inline]
    pub(crate) fn pass_at_once(
        &mut self,
        gate: ChannelName,
        weight: u32,
        member: u32,
        location: &'static Location<'static>,
    ) -> Option<Passed> {
        let index = self.spare?.index;
        let (channel, record) = (self.tables.channels.get(gate.index)?, self.tables.ends.get(index)?);
        if weight == 1 && channel.may_be_occupied() && !self.occupies() {
            let passed = self.occupy(gate, channel, record, index, member, location);
            if passed.is_some() || self.spare.is_none() {
                return passed;
            }
        }
        self.about_to_lock(gate.index);
        if !channel.lock.take_at_once(self.holder) {
            return None;
        }
        // The slot may be another channel's by now.
        if !(channel.state().is(gate.generation) && channel.inputs.is_empty() && channel.has_free(weight)) {
            channel.lock.release();
            return None;
        }
        self.spare = None;
        self.context.set_location(location);
        self.note_holder(index, Holder::Member(member));
        self.count(channel);
        record.describe(gate, weight);
        let unit = EndName { index, generation: record.state.renew() };
        channel.change_units(weight, 1);
        record.keeping.store(Keeping::held(Holder::Member(member), unit.generation).0, Ordering::Release);
        let is_abandoned = channel.abandoner.load(Ordering::Relaxed).is_some();
        channel.lock.release();
        Some(Passed::with(unit, is_abandoned))
    }

    /// Whether a unit in hand occupies a gate. If somebody has written it down, or another thread has given it back, it
    /// does no more.
    #[inline]
    fn occupies(&mut self) -> bool {
        if let Some((unit, gate)) = self.occupying
            && !gate.lock.is_occupied_by(unit.index, unit.generation)
        {
            self.occupying = None;
        }
        self.occupying.is_some()
    }

    /// Passes a gate by the word of its lock alone.
    #[inline]
    fn occupy(
        &mut self,
        gate: ChannelName,
        channel: &'static Channel,
        record: &End,
        index: u32,
        member: u32,
        location: &'static Location<'static>,
    ) -> Option<Passed> {
        // Whoever writes the unit down knows the holder by the context.
        if self.context.member.load(Ordering::Relaxed) != Some(member) {
            return None;
        }
        self.note_holder(index, Holder::Member(member));
        record.describe(gate, 1);
        let unit = EndName { index, generation: record.state.renew() };
        record.keeping.store(self.in_hand(unit.index, unit.generation).0, Ordering::Release);
        self.spare = Some(unit);
        if !channel.lock.occupy(index, unit.generation) {
            return None;
        }
        // Somebody may be there, or have left something to be told, or the slot may be another channel's by now.
        if !(channel.state().is(gate.generation) && channel.inputs.is_empty() && channel.has_nobody()) {
            self.vacate_in_vain(gate, channel, record, unit);
            return None;
        }
        self.context.set_location(location);
        self.context.learn(channel.number.load(Ordering::Relaxed));
        self.spare = None;
        self.occupying = Some((unit, channel));
        Some(Passed::with(unit, false))
    }

    /// The lock should not have been occupied. Whoever has taken it meanwhile may have written the unit down.
    #[cold]
    fn vacate_in_vain(&mut self, gate: ChannelName, channel: &Channel, record: &End, unit: EndName) {
        if channel.lock.vacate(unit.index, unit.generation) {
            return;
        }
        drop(self.lock(gate));
        if record.holder(unit.generation).is_some() {
            self.spare = None;
            self.close_end(unit, Closing::Resign);
        }
    }

    /// Frees the gate that this unit occupies, and keeps the unit; or does nothing, if it occupies none any more.
    #[inline]
    fn vacate(&mut self, unit: EndName) -> bool {
        let Some((_, channel)) = self.occupying.filter(|(occupying, _)| *occupying == unit) else { return false };
        self.occupying = None;
        channel.hear_of(self.context.number());
        if !channel.lock.vacate(unit.index, unit.generation) {
            return false;
        }
        self.lay_aside(unit);
        true
    }

    /// The unit that occupies a gate is held from now on, for whoever looks for what is held.
    pub(super) fn write_down(&mut self) {
        if let Some((unit, _)) = self.occupying.take()
            && let Some(record) = self.tables.ends.named(unit.index, unit.generation)
        {
            drop(self.lock(record.channel()));
        }
    }

    /// Under the lock of a channel that was just taken from this unit: it is held, and its permit is in use.
    #[cold]
    pub(super) fn write_down_occupant(&self, channel: &Channel, unit: u32) {
        if self.hold_occupant(channel, unit) {
            channel.change_units(1, 1);
        }
        self.context.occupant.store(None, Ordering::Release);
    }

    /// Under the lock of a channel: if this unit has occupied it, it is held by the member whose thread has it in hand.
    pub(super) fn hold_occupant(&self, channel: &Channel, unit: u32) -> bool {
        let tables = self.tables();
        let Some(record) = tables.ends.get(unit) else { return false };
        let Some(generation) = record.state.taken() else { return false };
        let keeping = Keeping(record.keeping.load(Ordering::Acquire));
        let hand = keeping.hand().filter(|_| keeping.is_of(generation)).and_then(|hand| tables.contexts.get(hand));
        let is_here = tables.channel(record.channel()).is_some_and(|gate| std::ptr::eq(gate, channel));
        let member = hand.and_then(|hand| hand.member.load(Ordering::Acquire).or(hand.host.load(Ordering::Acquire)));
        match member.filter(|_| is_here) {
            Some(member) => {
                channel.hear_of(hand.map_or(0, Context::number));
                record.keeping.store(Keeping::held(Holder::Member(member), generation).0, Ordering::Release);
                true
            }
            None => false,
        }
    }

    /// As [`pass_at_once`](Local::pass_at_once), and looks again for a moment, as long as somebody has the permits and
    /// nobody waits for them. Most holders give back within that moment, and to be let in by them costs two offers and
    /// a wake-up. Whoever waits longer is in the queue, and then nobody passes before it: so nobody is kept out for
    /// more than a moment by one who comes again and again.
    pub(crate) fn pass_soon(
        &mut self,
        gate: ChannelName,
        weight: u32,
        member: u32,
        location: &'static Location<'static>,
    ) -> Option<Passed> {
        // Whoever has one lock and wants another has none, and all looks would be in vain.
        self.spare?;
        let active = self.tables.arena.shared().active.load(Ordering::Relaxed);
        let channel = self.tables.channels.get(gate.index)?;
        let looks = if self.spin.can_spin(active) { LOOKS } else { 0 };
        for _ in 0..looks {
            spin_loop();
            if !channel.inputs.is_empty() {
                return None;
            }
            if channel.lock.is_free() && channel.has_free(weight) {
                let passed = self.pass_at_once(gate, weight, member, location);
                if passed.is_some() {
                    return passed;
                }
            }
        }
        None
    }

    /// Gives permits back in order.
    #[inline]
    pub(crate) fn give_back(&mut self, unit: EndName) {
        if !self.vacate(unit) && !self.give_back_at_once(unit) {
            self.close_end(unit, Closing::Resign);
        }
    }

    /// Gives permits back to a gate at which nobody waits, and keeps the record; or does nothing.
    #[inline]
    fn give_back_at_once(&mut self, unit: EndName) -> bool {
        let Some(record) = self.tables.ends.named(unit.index, unit.generation) else { return false };
        let gate = record.channel();
        let Some(channel) = self.tables.channels.get(gate.index) else { return false };
        if self.spare.is_some() {
            return false;
        }
        self.about_to_lock(gate.index);
        if !channel.lock.take_at_once(self.holder) {
            return false;
        }
        // Without a handle it may be the last end, with which the gate goes.
        let is_mine = channel.state().is(gate.generation)
            && record.holder(unit.generation).is_some()
            && channel.inputs.is_empty()
            && channel.handles.load(Ordering::Relaxed) != 0;
        if is_mine {
            self.count(channel);
            record.keeping.store(self.in_hand(unit.index, unit.generation).0, Ordering::Release);
            channel.change_units(record.weight().wrapping_neg(), -1);
            self.spare = Some(unit);
        }
        channel.lock.release();
        is_mine
    }

    /// Before an offer: takes a unit in hand for each guard that is to have one.
    ///
    /// # Errors
    /// There is no room for them; then none is taken.
    pub(super) fn take_units(&mut self, guards: &[Guard]) -> Result<(), ArenaError> {
        for (number, guard) in guards.iter().enumerate() {
            let Guard::Pass { gate, weight, holder: Some(_) } = *guard else { continue };
            let unit = self.take_unit(gate, weight).inspect_err(|_| _ = self.settle_units(guards, None))?;
            self.units.push((number, unit));
        }
        Ok(())
    }

    fn take_unit(&mut self, gate: ChannelName, weight: u32) -> Result<EndName, ArenaError> {
        if let Some(index) = self.spare.map(|spare| spare.index)
            && let Some(record) = self.tables.ends.get(index)
        {
            record.describe(gate, weight);
            let generation = record.state.renew();
            record.keeping.store(self.in_hand(index, generation).0, Ordering::Release);
            self.spare = None;
            return Ok(EndName { index, generation });
        }
        let (index, generation, _) = take(self.tables().ends, Home::Ends, |index, unit| {
            unit.describe(gate, weight);
            unit.keeping.store(self.in_hand(index, unit.state.coming()).0, Ordering::Release);
        })?;
        Ok(EndName { index, generation })
    }

    /// The unit that was taken for this guard. They were taken in order.
    pub(super) fn unit_for(&self, guard: usize) -> Option<EndName> {
        self.units.binary_search_by_key(&guard, |(number, _)| *number).ok().map(|place| self.units[place].1)
    }

    /// An offer is over: the unit of the guard that fired is its holder's from now on, the others are not needed.
    ///
    /// Who was let in by somebody else says so before its word leaves COMMITTED.
    pub(super) fn settle_units(&mut self, guards: &[Guard], fired: Option<usize>) -> Option<EndName> {
        let mut passed = None;
        while let Some((number, unit)) = self.units.pop() {
            match guards.get(number) {
                Some(Guard::Pass { holder: Some(holder), .. }) if fired == Some(number) => {
                    self.hold(unit, *holder);
                    passed = Some(unit);
                }
                _ => self.lay_aside(unit),
            }
        }
        passed
    }

    /// As [`settle_units`](Local::settle_units), by what the offer came to, which names the unit from now on.
    #[cold]
    pub(super) fn settle_units_of(&mut self, guards: &[Guard], fired: &mut Fired) {
        let passed = self.settle_units(guards, fired.outcome.is_ok().then_some(fired.index));
        fired.kept = passed.map_or(fired.kept, Kept::Unit);
    }

    /// A unit in hand is not needed: kept for the next gate, or given back.
    fn lay_aside(&mut self, unit: EndName) {
        match self.spare {
            None => self.spare = Some(unit),
            Some(_) => self.tables().ends.give_back(unit.index, unit.generation),
        }
    }

    /// The context ends: what it keeps in hand goes.
    pub(super) fn free_spare(&mut self) {
        if let Some(unit) = self.spare.take() {
            self.tables().ends.give_back(unit.index, unit.generation);
        }
    }

    /// From hand to holder; one that is held already stays so.
    pub(super) fn hold(&self, unit: EndName, holder: Holder) {
        let Some(record) = self.tables().ends.named(unit.index, unit.generation) else { return };
        if record.holder(unit.generation).is_none() {
            self.note_holder(unit.index, holder);
            record.keeping.store(Keeping::held(holder, unit.generation).0, Ordering::Release);
        }
    }

    /// Before somebody holds a unit: it is one who has held some. They are not counted, as other ends are.
    #[inline]
    fn note_holder(&self, unit: u32, holder: Holder) {
        self.note_end_of(holder, unit);
        if let Holder::Member(member) = holder
            && let Some(member) = self.tables.members.get(member)
            && member.has_held_units.load(Ordering::Relaxed) == 0
        {
            member.has_held_units.store(1, Ordering::Release);
        }
    }
}
