//! Waiting until the own word is COMMITTED: look again for a while, then sleep.
//!
//! Knows nothing of channels. On two idle processors a commit reaches a spinning waiter in about a tenth of a
//! microsecond and a sleeping one in 20 to 60 (measured, November 2026). Where a partner cannot run at the same time
//! (one usable processor, or more active contexts than processors), spinning keeps it from running; then the waiter
//! *yields* the processor instead: the partner runs, finds the offer, commits without a wake-up, and yields in turn.
//! That halves the context switches of a ping-pong on one processor, because a futex wake-up would run the waiter
//! before the waker has made its own next offer.
//!
//! Both are bounded, and adapt to what they bring:
//! - the budget follows what the partner took when it came in time, halves when it did not, and has a maximum
//!   ([`SPINS`], [`YIELDS`]);
//! - a yield that took longer than a sleep and a wake-up counts as failed: somebody else has work for the processor;
//! - every [`PROBE`]th wait gets the full budget, so that a phase of slow partners does not end it for ever.
//!
//! A sleeper counts itself as active again, once it runs. Its waker could do that sooner (rayon's does, under a lock),
//! but here a sleeper that its deadline wakes may have gone on by then and given its context back; the waker would
//! count somebody who is no more, for good.

use super::super::local::Local;
use super::super::sync::{Ordering, Woken, mutant, spin_loop, yield_now};
use super::super::word::{Own, Snapshot};
use super::{Wait, Waited};
use crate::sys::clock::{Deadline, Instant};
use crate::sys::cpu::{SPINS, YIELDS};
use crate::sys::lasting;
use std::time::Duration;

const PROBE: u32 = 32;
/// What a sleep and a wake-up take.
const WORTHWHILE: Duration = Duration::from_micros(100);
/// The number of processors is asked again after so many waits: it changes with `taskset` and cgroups.
const ASK_AGAIN: u32 = 4096;

/// How a wait may look again before it sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allowance {
    Spin(u32),
    Yield(u32),
}

impl Allowance {
    /// Whether to sleep at once.
    fn is_none(self) -> bool {
        matches!(self, Allowance::Spin(0) | Allowance::Yield(0))
    }
}

/// How long a thread looks again, by what that has brought it.
#[derive(Debug)]
pub(crate) struct Spin {
    /// Of the wait that is under way.
    allowance: Allowance,
    spins: u32,
    yields: u32,
    processors: u32,
    waits: u32,
}

impl Spin {
    pub(crate) fn new() -> Spin {
        Spin {
            allowance: Allowance::Spin(0),
            spins: SPINS,
            yields: YIELDS,
            processors: crate::sys::cpu::usable(),
            waits: 0,
        }
    }

    pub(crate) fn processors(&self) -> u32 {
        self.processors
    }

    /// What the next wait may do, when so many contexts are active.
    fn allowance(&mut self, active: i32) -> Allowance {
        self.waits = self.waits.wrapping_add(1);
        if self.waits.is_multiple_of(ASK_AGAIN) {
            self.processors = crate::sys::cpu::usable();
        }
        let probe = self.waits.is_multiple_of(PROBE);
        if self.processors == 1 || i64::from(active) > i64::from(self.processors) {
            Allowance::Yield(if probe { YIELDS } else { self.yields })
        } else {
            Allowance::Spin(if probe { SPINS } else { self.spins })
        }
    }

    /// `came` is the number of rounds after which the partner came, if it did.
    fn learn(&mut self, allowance: Allowance, came: Option<u32>) {
        let (budget, most) = match allowance {
            Allowance::Spin(_) => (&mut self.spins, SPINS),
            Allowance::Yield(_) => (&mut self.yields, YIELDS),
        };
        *budget = match came {
            // Jump to four times what was needed, plus a margin. Doubling from a budget of zero would not recover
            // before the next probe.
            Some(rounds) => (rounds.saturating_mul(4) + 16).max(*budget).min(most),
            None => *budget / 2,
        };
    }
}

/// The calling thread waits itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnThread;

impl Wait for OnThread {
    #[inline]
    fn sleeps_at_once(&mut self, local: &mut Local) -> bool {
        let active = local.tables().arena.shared().active.load(Ordering::Relaxed);
        local.spin.allowance = local.spin.allowance(active);
        local.spin.allowance.is_none()
    }
}

impl Local {
    /// Waits until a partner has committed this context, or until the deadline.
    ///
    /// The word is WAITING, or PARKED if there is no allowance.
    pub(in super::super) fn wait_until_committed(&mut self, deadline: Option<&Deadline>) -> Waited {
        let allowance = self.spin.allowance;
        if let Some(now) = self.look_again(allowance) {
            return Waited::Committed(now);
        }
        let word = &self.context.word;
        if !allowance.is_none() && word.park() == Own::Committed && !word.read().is_pending() {
            return Waited::Committed(word.read());
        }
        let active = &self.tables().arena.shared().active;
        self.context.active.store(0, Ordering::Relaxed);
        active.fetch_sub(1, Ordering::Relaxed);
        let mut unseen = lasting::patience().map(|patience| Deadline::at(Instant::now() + patience));
        let waited = loop {
            let first = [deadline, unseen.as_ref()].into_iter().flatten().min_by_key(|deadline| deadline.instant());
            let woken = word.sleep(first);
            let now = word.read();
            if !now.is_pending() {
                break Waited::Committed(now);
            }
            if unseen.take_if(|unseen| unseen.is_past()).is_some() {
                lasting::tell();
                continue;
            }
            let late = woken == Woken::TimedOut || deadline.is_some_and(Deadline::is_past);
            if late && (word.withdraw() == Own::Done || mutant!("a deadline beats a commit")) {
                break Waited::Withdrawn;
            }
        };
        active.fetch_add(1, Ordering::Relaxed);
        self.context.active.store(1, Ordering::Relaxed);
        waited
    }

    /// Looks at the own word as long as the allowance goes.
    fn look_again(&mut self, allowance: Allowance) -> Option<Snapshot> {
        let word = &self.context.word;
        let committed = || Some(word.read()).filter(|now| !now.is_pending());
        let (found, worthwhile) = match allowance {
            Allowance::Spin(rounds) => {
                let found = (0..rounds).find_map(|round| {
                    let now = committed();
                    if now.is_none() {
                        spin_loop();
                    }
                    now.map(|now| (round, now))
                });
                (found, true)
            }
            Allowance::Yield(0) => (None, true),
            Allowance::Yield(times) => {
                let start = Instant::now();
                let found = (0..times).find_map(|round| {
                    yield_now();
                    committed().map(|now| (round, now))
                });
                (found, start.elapsed() < WORTHWHILE)
            }
        };
        self.spin.learn(allowance, found.filter(|_| worthwhile).map(|(rounds, _)| rounds));
        found.map(|(_, now)| now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(processors: u32) -> Spin {
        Spin { allowance: Allowance::Spin(0), spins: SPINS, yields: YIELDS, processors, waits: 0 }
    }

    #[test]
    fn nobody_spins_on_one_processor_or_when_there_are_more_contexts_than_processors() {
        assert_eq!(on(1).allowance(1), Allowance::Yield(YIELDS));
        assert_eq!(on(2).allowance(3), Allowance::Yield(YIELDS));
        assert_eq!(on(2).allowance(2), Allowance::Spin(SPINS));
    }

    #[test]
    fn a_budget_falls_to_nothing_when_it_is_spent_in_vain_and_recovers() {
        for (processors, most) in [(2, Allowance::Spin(SPINS)), (1, Allowance::Yield(YIELDS))] {
            let mut spin = on(processors);
            for _ in 0..20 {
                spin.learn(most, None);
            }
            assert!(spin.allowance(1).is_none());
            let probes = (1..PROBE).filter(|_| spin.allowance(1) == most).count();
            assert_eq!(probes, 1, "one wait in {PROBE} probes with the full budget");
            // One probe that brings the partner is enough to trust in it again.
            spin.learn(most, Some(100));
            assert!(!spin.allowance(1).is_none());
            spin.learn(most, Some(SPINS));
            assert_eq!(spin.allowance(1), most);
        }
    }
}
