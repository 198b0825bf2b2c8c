//! The state word of a context: what it waits for, and what it was given.
//!
//! Knows nothing of queues or locks. Callers never touch bits: they ask for a transition and are told its outcome.
//!
//! ```text
//!                    wait                          park
//!      IDLE ───────────────────► WAITING ───────────────────► PARKED
//!       ▲  ▲                        │  │                       │  │
//!       │  └────────────────────────┘  └───────────┬───────────┘  │
//!       │          withdraw (deadline)             │ commit
//!       │                                          ▼              │ withdraw
//!       └────────────────────────────────────── COMMITTED ◄──────────┘
//!                         idle
//! ```
//! Two detours lead to COMMITTED. In an *extended* rendezvous the writer's word is EXTENDED between the commit and the
//! release, which makes it COMMITTED, or FAILED when the reader did not finish. And before a barrier completes, the
//! last party makes the words of the others CLAIMED, one by one: then all become COMMITTED, or, when one of them was
//! committed elsewhere meanwhile, the others PARKED again. Nobody else touches a claimed word; whoever meets one looks
//! again, for the claimer goes on at once (`barrier`).
//!
//! IDLE → WAITING, WAITING → PARKED, withdraw and idle are made by the owner alone; commit is made by a partner that
//! holds the lock of a channel on which the owner has an offer. Any state → DEAD is made by the reaper. Two partners
//! that hold two different locks may try to commit the same context: one compare-and-swap decides. The same holds for a
//! partner against the owner's withdrawal.
//!
//! Layout, from the low end: state (3 bits), dead (1), guard (16), generation (12), block handed over (32). The lower
//! half is the futex: every transition out of PARKED changes it. The bit of the dead leaves the rest of the word as it
//! was: whoever buries them needs it, and may die over that.

use super::sync::{AtomicU64, Ordering, Woken, wait_low, wake_low};
use crate::memory::{Block, NONE, is_block};
use crate::sys::clock::{Deadline, Instant};
use std::time::Duration;

/// How often the owner of a claimed word, and whoever wants to commit it, looks whether the claim was settled, should
/// that take longer than a moment.
pub(super) const CLAIM_CHECK: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Idle,
    Waiting,
    Parked,
    Committed,
    /// Committed, but the reader keeps its writer waiting.
    Extended,
    /// Committed, and the reader did not finish.
    Failed,
    /// About to be committed by the last party of a barrier, or to be left waiting.
    Claimed,
    Dead,
}

/// One reading of a state word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Snapshot(u64);

const STATE: u64 = 0b111;
/// The owner is dead; the rest is what the word said last.
const DEAD: u64 = 0b1000;
const GUARD_SHIFT: u32 = 4;
const GENERATION_SHIFT: u32 = 20;
/// How many waits a word tells apart: narrow on request, to show that nothing but the protocol relies on it.
pub(super) const GENERATION: u64 = if option_env!("CSPROC_NARROW").is_some() { 0b11 } else { 0xfff };

/// Stands in the guard field of an EXTENDED word whose owner is a writer that committed a waiting extended reader. The
/// block in such a word is the message it gave away: it identifies this rendezvous for the release, and it belongs to
/// the reader.
const LENT: u16 = u16::MAX;

impl Snapshot {
    fn new(state: State, guard: u16, generation: u64, block: Block) -> Snapshot {
        Snapshot(
            state as u64
                | u64::from(guard) << GUARD_SHIFT
                | (generation & GENERATION) << GENERATION_SHIFT
                | u64::from(block) << 32,
        )
    }

    #[inline]
    pub(super) fn state(self) -> State {
        match self.0 & (STATE | DEAD) {
            0 => State::Idle,
            1 => State::Waiting,
            2 => State::Parked,
            3 => State::Committed,
            4 => State::Extended,
            5 => State::Failed,
            6 => State::Claimed,
            _ => State::Dead,
        }
    }

    /// What the word of the dead said last.
    pub(super) fn in_life(self) -> Snapshot {
        Snapshot(self.0 & !DEAD)
    }

    pub(super) fn is_waiting(self) -> bool {
        matches!(self.state(), State::Waiting | State::Parked)
    }

    /// Whether the owner has to go on waiting.
    pub(super) fn is_pending(self) -> bool {
        matches!(self.state(), State::Waiting | State::Parked | State::Extended | State::Claimed)
    }

    /// Whether a block is named here that belongs to the owner of the word, whatever its tag says.
    pub(super) fn names_block(self) -> bool {
        self.has_fired() && is_block(self.block())
    }

    /// Whether the guard that is named here has fired.
    pub(super) fn has_fired(self) -> bool {
        self.is_committed() && self.guard() != usize::from(LENT)
    }

    pub(super) fn is_committed(self) -> bool {
        matches!(self.state(), State::Committed | State::Extended | State::Failed)
    }

    pub(super) fn guard(self) -> usize {
        usize::from((self.0 >> GUARD_SHIFT) as u16)
    }

    pub(super) fn block(self) -> Block {
        (self.0 >> 32) as Block
    }

    /// Whether the last party of this barrier has claimed the word.
    pub(super) fn is_claimed_for(self, barrier: u32) -> bool {
        self.state() == State::Claimed && self.block() == barrier
    }

    pub(super) fn raw(self) -> u64 {
        self.0
    }

    pub(super) fn from_raw(raw: u64) -> Snapshot {
        Snapshot(raw)
    }

    fn generation(self) -> u64 {
        (self.0 >> GENERATION_SHIFT) & GENERATION
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?}(guard {}, generation {}, block {})",
            self.state(),
            self.guard(),
            self.generation(),
            self.block()
        )
    }
}

/// What became of an attempt to commit a waiting context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Attempt {
    /// Committed; if it was parked, it must be woken once all locks are released.
    Committed { parked: bool },
    /// It is not waiting any more: somebody else committed it, its deadline passed, or it is dead.
    Stale,
    /// The last party of this barrier (the index of its channel) has claimed it and is about to decide: look again.
    Claimed { barrier: u32 },
}

/// What became of the owner's attempt to park or to withdraw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Own {
    Done,
    /// A partner was faster: the commit stands, or is being decided.
    Committed,
}

#[repr(transparent)]
#[derive(Debug, Default)]
pub(super) struct StateWord(AtomicU64);

impl StateWord {
    /// Sees everything the partner did before its commit.
    #[inline]
    pub(super) fn read(&self) -> Snapshot {
        Snapshot(self.0.load(Ordering::Acquire))
    }

    /// Owner: from IDLE to WAITING, or to PARKED at once. Publishes the offers written before.
    pub(super) fn wait(&self, parked: bool) {
        let now = self.read();
        assert!(now.state() == State::Idle, "{now:?}");
        let state = if parked { State::Parked } else { State::Waiting };
        self.0.store(Snapshot::new(state, 0, now.generation() + 1, NONE).0, Ordering::Release);
    }

    /// Owner: from WAITING to PARKED.
    pub(super) fn park(&self) -> Own {
        self.change(|now| now.is_waiting().then(|| Snapshot::new(State::Parked, 0, now.generation(), NONE)))
            .map_or(Own::Committed, |_| Own::Done)
    }

    /// For tests: from PARKED back to WAITING, as if the owner had not given up looking.
    #[cfg(test)]
    pub(super) fn unpark(&self) {
        self.change(|now| now.is_waiting().then(|| Snapshot::new(State::Waiting, 0, now.generation(), NONE)));
    }

    /// Owner: sleeps while PARKED, until the deadline; or while EXTENDED, when no deadline counts any more.
    pub(super) fn sleep(&self, deadline: Option<&Deadline>) -> Woken {
        let now = self.read();
        match now.state() {
            State::Parked => wait_low(&self.0, now.0, deadline),
            State::Extended => wait_low(&self.0, now.0, None),
            // A moment, unless the claimer was stopped in it; nobody rings when it ends.
            State::Claimed => {
                let _ = wait_low(&self.0, now.0, Some(&Deadline::at(Instant::now() + CLAIM_CHECK)));
                Woken::Look
            }
            _ => Woken::Look,
        }
    }

    /// Owner: from WAITING or PARKED back to IDLE, because a deadline passed.
    pub(super) fn withdraw(&self) -> Own {
        self.change(|now| now.is_waiting().then(|| Snapshot::new(State::Idle, 0, now.generation(), NONE)))
            .map_or(Own::Committed, |_| Own::Done)
    }

    /// Owner: from COMMITTED or FAILED to IDLE, after it has taken over what the word carried.
    pub(super) fn idle(&self) {
        let now = self.read();
        assert!(matches!(now.state(), State::Committed | State::Failed | State::Dead | State::Extended), "{now:?}");
        self.0.store(Snapshot::new(State::Idle, 0, now.generation(), NONE).0, Ordering::Release);
    }

    /// Owner: from IDLE to EXTENDED, before it commits an extended reader that it hands `block` to.
    pub(super) fn lend(&self, block: Block) {
        let now = self.read();
        assert!(now.state() == State::Idle, "{now:?}");
        self.0.store(Snapshot::new(State::Extended, LENT, now.generation() + 1, block).0, Ordering::Release);
    }

    /// Partner: THE COMMIT. From WAITING or PARKED to COMMITTED, handing over `block`.
    pub(super) fn commit(&self, guard: u16, block: Block) -> Attempt {
        self.attempt(State::Committed, guard, block)
    }

    /// Partner: the commit of an extended rendezvous; the owner goes on waiting until it is released.
    pub(super) fn commit_extended(&self, guard: u16, block: Block) -> Attempt {
        self.attempt(State::Extended, guard, block)
    }

    fn attempt(&self, state: State, guard: u16, block: Block) -> Attempt {
        let mut claimed = None;
        let before = self.change(|now| {
            claimed = (now.state() == State::Claimed).then(|| now.block());
            now.is_waiting().then(|| Snapshot::new(state, guard, now.generation(), block))
        });
        match (before, claimed) {
            (Some(before), _) => Attempt::Committed { parked: before.state() == State::Parked },
            (None, Some(barrier)) => Attempt::Claimed { barrier },
            (None, None) => Attempt::Stale,
        }
    }

    /// Reader, or the reaper for it: ends an extended rendezvous in which the word is still this one.
    pub(super) fn release(&self, held: Snapshot, finished: bool) -> bool {
        let state = if finished { State::Committed } else { State::Failed };
        self.end_extended(held, Snapshot::new(state, held.guard() as u16, held.generation(), held.block()))
    }

    /// Reader: the same with a block that the owner gets in the place of the one that the word names.
    pub(super) fn reply(&self, held: Snapshot, block: Block) -> bool {
        let guard = if held.has_fired() { held.guard() as u16 } else { 0 };
        self.end_extended(held, Snapshot::new(State::Committed, guard, held.generation(), block))
    }

    fn end_extended(&self, held: Snapshot, new: Snapshot) -> bool {
        held.state() == State::Extended
            && self.0.compare_exchange(held.0, new.0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Last party of a barrier: from WAITING or PARKED to CLAIMED.
    pub(super) fn claim(&self, guard: u16, barrier: u32) -> Attempt {
        self.attempt(State::Claimed, guard, barrier)
    }

    /// Last party of a barrier: leaves the owner waiting after all.
    pub(super) fn unclaim(&self, barrier: u32) {
        self.change(|now| now.is_claimed_for(barrier).then(|| Snapshot::new(State::Parked, 0, now.generation(), NONE)));
    }

    /// Last party of a barrier: commits what it has claimed. `false` when the owner has died meanwhile.
    pub(super) fn commit_claimed(&self, barrier: u32) -> bool {
        self.change(|now| {
            let guard = now.guard() as u16;
            now.is_claimed_for(barrier).then(|| Snapshot::new(State::Committed, guard, now.generation(), NONE))
        })
        .is_some()
    }

    /// Wakes the owner, if it sleeps.
    pub(super) fn wake(&self) {
        wake_low(&self.0);
    }

    /// Reaper: no commit can reach this context any more. Gives back what it was when it died, also to one who begins
    /// the burial again.
    pub(super) fn bury(&self) -> Snapshot {
        self.change(|now| Some(Snapshot(now.0 | DEAD))).unwrap_or(Snapshot(0)).in_life()
    }

    /// Reaper: what the word of the dead named belongs to the dead by its tag from now on.
    pub(super) fn settle(&self) {
        self.change(|now| Some(Snapshot(Snapshot::new(State::Idle, 0, now.generation(), NONE).0 | DEAD)));
    }

    /// A taken slot starts IDLE; the generation goes on.
    pub(super) fn start(&self) {
        let now = self.read();
        self.0.store(Snapshot::new(State::Idle, 0, now.generation() + 1, NONE).0, Ordering::Release);
    }

    /// The only compare-and-swap loop on this word: gives back the value before the change, or `None` when `next` says
    /// that there is nothing to change.
    fn change(&self, mut next: impl FnMut(Snapshot) -> Option<Snapshot>) -> Option<Snapshot> {
        let mut now = self.read();
        loop {
            let new = next(now)?;
            match self.0.compare_exchange_weak(now.0, new.0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(now),
                Err(seen) => now = Snapshot(seen),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_keeps_its_parts_apart() {
        for (guard, generation, block) in [(0, 0, 0), (u16::MAX, GENERATION, u32::MAX), (7, 2424, 99)] {
            let snapshot = Snapshot::new(State::Committed, guard, generation, block);
            assert_eq!(snapshot.state(), State::Committed);
            assert_eq!(snapshot.guard(), usize::from(guard));
            assert_eq!(snapshot.generation(), generation);
            assert_eq!(snapshot.block(), block);
        }
    }

    #[test]
    fn only_one_of_two_partners_commits() {
        let word = StateWord::default();
        word.wait(true);
        assert_eq!(word.commit(1, 10), Attempt::Committed { parked: true });
        assert_eq!(word.commit(2, 20), Attempt::Stale);
        assert_eq!(word.withdraw(), Own::Committed);
        assert_eq!((word.read().guard(), word.read().block()), (1, 10));
        word.idle();
        assert_eq!(word.commit(3, 30), Attempt::Stale);
    }

    #[test]
    fn nobody_commits_the_dead() {
        let word = StateWord::default();
        word.wait(false);
        assert!(word.bury().is_waiting());
        assert_eq!(word.commit(0, 1), Attempt::Stale);
    }
}
