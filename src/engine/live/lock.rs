//! The lock of a channel: one word that names its holder, so that the reaper can break it.
//!
//! Knows nothing of what it protects. The word is 0 when free, else the holder's name, doubled, plus one when somebody
//! may sleep on it (Drepper's three-state mutex with a name in it). The name is the number of a context and nine bits
//! of its generation: a number alone comes back, and whoever breaks a lock decides that its holder is dead some time
//! before it takes the word over:
//!
//! ```text
//!     one reaper                     another reaper                living
//!     context 7 holds: it is dead
//!                                    breaks the lock, frees 7
//!                                                                  is given 7, takes the lock
//!     7 holds still: takes it over   ✗                             works under the lock
//! ```
//!
//! Holders never make a system call or run user code while they hold it, so it is free again within a microsecond
//! unless the holder is preempted, stopped or killed. Waiters spin for a bounded time, then sleep. When the holder was
//! killed, the reaper takes the word over, repairs what the lock protects, and releases it.
//!
//! If a holder is killed after it released the word and before it woke a sleeper, the reaper wakes that sleeper: every
//! sleeper notes its channel in its context. The reaper does so after each burial, and whenever it waits too long for a
//! lock itself, because a sleeper may hold that one. And as the one whom a sleeper waits for may be dead and not buried
//! yet, the reaper breaks each such lock first:
//!
//! ```text
//!     dead                        living, over two channels            reaper
//!     holds b                     holds a, sleeps on b
//!     b := free; killed           (nobody wakes it)                    needs a for an end of the dead,
//!                                                                      and then would wake all
//!
//!     holds b; killed             holds a, sleeps on b                 needs a for an end of another one
//!                                                                      that died before, and then would
//!                                                                      bury this one
//! ```
//!
//! **An occupied lock.** Instead of a holder the word may name a unit, which then has all that the lock protects, a
//! gate with one permit, without a word about it anywhere else ([`unit`](super::unit)). Nobody works under the lock
//! then, so whoever wants it takes it at once, and first writes down what the unit has. Between the two it says from
//! which unit it takes the lock, in its context: killed there, it leaves that to whoever takes the lock over. The word
//! has the generation of the unit in it, so that nobody vacates the lock for the next unit with its number.
//! ```text
//!     the one whose unit it is          another one                        the word
//!     occupies                                                             the unit
//!                                       says that it takes it from there   the unit
//!                                       takes it                           the other one
//!                                       writes down whose the permit is    the other one
//!                                       releases it                        free
//!     cannot vacate it: gives the unit back under the lock
//! ```

use super::sync::{AtomicU32, Ordering, Woken, spin_loop, wait, wake, wake_all};
use crate::sys::clock::{Deadline, Instant};
use std::time::Duration;

/// The name of a holder, as it stands in the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LockHolder(u32);

impl LockHolder {
    pub(super) fn new(context: u32, generation: u32) -> LockHolder {
        // A taken slot has an odd generation, so the lowest bit says nothing.
        LockHolder((generation >> 1) << GENERATION & !OCCUPIED | (context + 1) << 1)
    }

    pub(super) fn context(self) -> u32 {
        (self.0 & NUMBER) / 2 - 1
    }
}

const SLEEPERS: u32 = 1;
/// The word names a unit, and no holder.
const OCCUPIED: u32 = 1 << 31;
/// Where the generation stands; below it there is room for the numbers of 2²⁰ contexts, plus one.
const GENERATION: u32 = 22;
const NUMBER: u32 = (1 << GENERATION) - 2;
/// Where the generation of a unit stands; below it there is room for the numbers of 2²² units.
const GENERATION_OF_UNIT: u32 = 23;
const UNIT: u32 = (1 << GENERATION_OF_UNIT) - 2;
const SPINS: u32 = 100;

#[repr(transparent)]
#[derive(Debug, Default)]
pub(super) struct Lock(AtomicU32);

/// What whoever takes a lock says on the way, for a reaper to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It is about to sleep, or sleeps no more.
    Sleeps(bool),
    /// It is about to take the lock from this unit.
    FromUnit(u32),
    /// It is about to take the lock from this context, which is dead and may have said that, too.
    FromTheDead(u32),
    /// It did not take it.
    InVain,
}

/// What became of a reaper's attempt to take a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Taking {
    /// Taken: nobody had it.
    Free,
    /// Taken from this unit, of which nothing is written down yet.
    FromUnit(u32),
    /// Taken from this context, which is dead, and whose half-made change is to be repaired.
    FromTheDead(u32),
    /// Not taken: its holder lives, but has not gone on for longer than it should.
    Late,
}

impl Lock {
    /// Takes the lock, and tells `said` on the way. Gives the unit that it was taken from, if there was one: that is to
    /// be written down before anything else.
    #[inline]
    pub(super) fn take(&self, me: LockHolder, spin: bool, said: impl Fn(Said)) -> Option<u32> {
        if self.take_at_once(me) { None } else { self.take_slow(me, spin, said) }
    }

    /// Takes the lock if nobody has it.
    #[inline]
    pub(super) fn take_at_once(&self, me: LockHolder) -> bool {
        self.0.compare_exchange(0, me.0, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Nobody works under the lock, and its word was `now`: makes it `word`. Gives the unit that it was taken from, if
    /// there was one; or does nothing.
    fn take_idle(&self, now: u32, word: u32, said: &impl Fn(Said)) -> Option<Option<u32>> {
        let unit = unit_in(now);
        if let Some(unit) = unit {
            said(Said::FromUnit(unit));
        } else if now != 0 {
            return None;
        }
        if self.0.compare_exchange(now, word, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            return Some(unit);
        }
        if unit.is_some() {
            said(Said::InVain);
        }
        None
    }

    #[cold]
    fn take_slow(&self, me: LockHolder, spin: bool, said: impl Fn(Said)) -> Option<u32> {
        if spin {
            for _ in 0..SPINS {
                spin_loop();
                if let Some(unit) = self.take_idle(self.0.load(Ordering::Relaxed), me.0, &said) {
                    return unit;
                }
            }
        }
        said(Said::Sleeps(true));
        let unit = loop {
            let now = self.0.load(Ordering::Relaxed);
            // Others may still sleep: whoever has slept once keeps the mark.
            if let Some(unit) = self.take_idle(now, me.0 | SLEEPERS, &said) {
                break unit;
            }
            if is_idle(now) {
                continue;
            }
            let marked = now | SLEEPERS;
            if now == marked || self.0.compare_exchange(now, marked, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                wait(&self.0, marked, None);
            }
        };
        said(Said::Sleeps(false));
        unit
    }

    /// Reaper: like [`take`](Lock::take), but asks `is_dead` about the holder again and again, and gives up after a
    /// moment.
    pub(super) fn take_from_the_dead(
        &self,
        me: LockHolder,
        is_dead: impl Fn(LockHolder) -> bool,
        said: impl Fn(Said),
    ) -> Taking {
        loop {
            let now = self.0.load(Ordering::Relaxed);
            if let Some(unit) = self.take_idle(now, me.0 | SLEEPERS, &said) {
                return unit.map_or(Taking::Free, Taking::FromUnit);
            }
            if is_idle(now) {
                continue;
            }
            if let Some(dead) = self.take_over_if(me, &is_dead, &said) {
                return Taking::FromTheDead(dead);
            }
            let marked = now | SLEEPERS;
            if now == marked || self.0.compare_exchange(now, marked, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                // Holders that live are gone within a microsecond; then this was a matter of death.
                let soon = Deadline::at(Instant::now() + Duration::from_millis(1));
                if wait(&self.0, marked, Some(&soon)) == Woken::TimedOut {
                    return Taking::Late;
                }
            }
        }
    }

    /// Reaper: takes the lock over if its holder is dead, and says which context that was; never waits.
    pub(super) fn take_over_if(
        &self,
        me: LockHolder,
        is_dead: impl Fn(LockHolder) -> bool,
        said: impl Fn(Said),
    ) -> Option<u32> {
        let now = self.0.load(Ordering::Acquire);
        let holder = LockHolder(now & !SLEEPERS);
        if is_idle(now) || !is_dead(holder) {
            return None;
        }
        said(Said::FromTheDead(holder.context()));
        if self.take_over(holder, me) {
            return Some(holder.context());
        }
        said(Said::InVain);
        None
    }

    /// Reaper: takes the lock from the unit that occupies it, if one does; never waits.
    pub(super) fn take_from_unit(&self, me: LockHolder, said: impl Fn(Said)) -> Option<u32> {
        let now = self.0.load(Ordering::Relaxed);
        unit_in(now)?;
        self.take_idle(now, me.0 | SLEEPERS, &said).flatten()
    }

    /// Whether nobody has it just now.
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// From now on this unit occupies the lock, if nobody has it.
    #[inline]
    pub(super) fn occupy(&self, unit: u32, generation: u32) -> bool {
        self.0.compare_exchange(0, occupied_by(unit, generation), Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// The lock is free again, if this unit still occupies it, and not the next one with its number.
    #[inline]
    pub(super) fn vacate(&self, unit: u32, generation: u32) -> bool {
        self.0.compare_exchange(occupied_by(unit, generation), 0, Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// Whether this unit occupies it.
    #[inline]
    pub(super) fn is_occupied_by(&self, unit: u32, generation: u32) -> bool {
        self.0.load(Ordering::Relaxed) == occupied_by(unit, generation)
    }

    /// The unit that occupies it.
    pub(super) fn occupant(&self) -> Option<u32> {
        unit_in(self.0.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn release(&self) {
        if self.0.swap(0, Ordering::Release) & SLEEPERS != 0 {
            wake(&self.0, 1);
        }
    }

    /// As a holder that is killed before it wakes anybody.
    #[cfg(test)]
    pub(super) fn release_and_die(&self) -> ! {
        self.0.store(0, Ordering::Release);
        std::process::abort()
    }

    /// The context that holds it.
    pub(super) fn holder(&self) -> Option<u32> {
        let holder = LockHolder(self.0.load(Ordering::Acquire) & !SLEEPERS);
        (!is_idle(holder.0)).then(|| holder.context())
    }

    #[cfg(test)]
    pub(super) fn is_held_by(&self, holder: LockHolder) -> bool {
        self.0.load(Ordering::Acquire) & !SLEEPERS == holder.0
    }

    /// Reaper: takes the lock over from a holder that is dead.
    pub(super) fn take_over(&self, dead: LockHolder, me: LockHolder) -> bool {
        let mut now = self.0.load(Ordering::Acquire);
        while now & !SLEEPERS == dead.0 {
            match self.0.compare_exchange(now, me.0 | SLEEPERS, Ordering::Acquire, Ordering::Acquire) {
                Ok(_) => return true,
                Err(seen) => now = seen,
            }
        }
        false
    }

    /// Whether somebody may sleep on it.
    #[cfg(test)]
    pub(super) fn is_slept_on(&self) -> bool {
        self.0.load(Ordering::Acquire) & SLEEPERS != 0
    }

    /// Reaper: wakes whoever sleeps on the lock; they look again.
    pub(super) fn ring(&self) {
        wake_all(&self.0);
    }
}

/// Whether nobody works under a lock whose word this is.
fn is_idle(word: u32) -> bool {
    word == 0 || word & OCCUPIED != 0
}

fn occupied_by(unit: u32, generation: u32) -> u32 {
    // A taken slot has an odd generation, so the lowest bit says nothing.
    OCCUPIED | (generation >> 1) << GENERATION_OF_UNIT & !OCCUPIED | unit << 1
}

fn unit_in(word: u32) -> Option<u32> {
    (word & OCCUPIED != 0).then_some((word & UNIT) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_of_the_dead_can_be_taken_over_once() {
        let lock = Lock::default();
        let (dead, reaper) = (LockHolder::new(3, 5), LockHolder::new(9, 1));
        assert_eq!(lock.take(dead, false, |_| ()), None);
        assert!(lock.is_held_by(dead));
        assert!(!lock.take_over(LockHolder::new(4, 5), reaper));
        assert!(!lock.take_over(LockHolder::new(3, 7), reaper), "the number belongs to somebody else by now");
        assert_eq!(lock.holder(), Some(3));
        assert!(lock.take_over(dead, reaper));
        assert!(!lock.take_over(dead, reaper));
        lock.release();
        assert_eq!(lock.take(dead, false, |_| panic!("a free lock needs no sleep")), None);
    }

    #[test]
    fn a_holder_that_was_dead_is_not_the_living_one_with_its_number() {
        let lock = Lock::default();
        assert!(lock.take_at_once(LockHolder::new(7, 1)));
        let looked = std::cell::Cell::new(false);
        // Between the look and the takeover another reaper breaks the lock, and a new thread is given the number.
        let is_dead = |holder: LockHolder| {
            let dead = holder == LockHolder::new(7, 1);
            if dead && !looked.replace(true) {
                lock.release();
                assert!(lock.take_at_once(LockHolder::new(7, 3)));
            }
            dead
        };
        assert_eq!(lock.take_over_if(LockHolder::new(9, 1), is_dead, |_| ()), None);
        assert!(lock.is_held_by(LockHolder::new(7, 3)));
    }

    #[test]
    fn the_name_of_a_holder_keeps_its_parts_apart() {
        for (context, generation) in [(0, 1), (u32::from(u16::MAX), u32::MAX), (7, 32769)] {
            let holder = LockHolder::new(context, generation);
            assert_eq!((holder.context(), unit_in(holder.0)), (context, None));
        }
        assert_ne!(LockHolder::new(0, 1), LockHolder::new(0, 3));
    }

    #[test]
    fn a_lock_that_a_unit_occupies_is_taken_from_it_once() {
        let lock = Lock::default();
        let (one, other) = (LockHolder::new(3, 5), LockHolder::new(4, 1));
        assert!(lock.occupy(7, 1) && !lock.occupy(8, 1));
        assert_eq!((lock.holder(), lock.occupant()), (None, Some(7)));
        assert!(!lock.vacate(8, 1) && lock.vacate(7, 1));
        assert!(lock.occupy(8, 1) && !lock.take_at_once(one));
        let said = std::cell::RefCell::new(Vec::new());
        assert_eq!(lock.take(one, true, |word| said.borrow_mut().push(word)), Some(8));
        assert_eq!(said.into_inner(), [Said::FromUnit(8)]);
        assert!(!lock.vacate(8, 1) && !lock.take_over(LockHolder::new(8, 1), other));
        assert_eq!((lock.holder(), lock.occupant()), (Some(3), None));
        lock.release();
        assert_eq!(lock.take_from_unit(other, |_| panic!("there is none")), None);
        let last = (1 << 22) - 1;
        assert!(lock.occupy(last, u32::MAX));
        assert_eq!(lock.take_from_unit(other, |_| ()), Some(last));
    }

    #[test]
    fn whoever_had_a_unit_before_does_not_vacate_for_the_next_one_with_its_number() {
        let lock = Lock::default();
        assert!(lock.occupy(7, 5));
        assert!(!lock.vacate(7, 3) && !lock.is_occupied_by(7, 3));
        assert!(lock.is_occupied_by(7, 5) && lock.vacate(7, 5));
    }
}
