//! How long a thread looks again before it sleeps, by what that has brought it.
//!
//! Knows nothing of contexts and words. Where a partner can run at the same time, looking again is spinning; where it
//! cannot, it is yielding the processor.
//!
//! Both are bounded, and adapt to what they bring:
//! - the budget follows what the partner took when it came in time, halves when it did not, and has a maximum
//!   ([`SPINS`], [`YIELDS`]);
//! - a yield that took longer than a sleep and a wake-up counts as failed: somebody else has work for the processor;
//! - every [`PROBE`]th wait gets the full budget, so that a phase of slow partners does not end it for ever.

use crate::sys::cpu::{SPINS, YIELDS};

const PROBE: u32 = 32;
/// The number of processors is asked again after so many waits: it changes with `taskset` and cgroups.
const ASK_AGAIN: u32 = 4096;

/// How a wait may look again before it sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    Spin(u32),
    Yield(u32),
}

impl Allowance {
    /// Whether to sleep at once.
    pub(super) fn is_none(self) -> bool {
        matches!(self, Allowance::Spin(0) | Allowance::Yield(0))
    }
}

/// How long a thread looks again, by what that has brought it.
#[derive(Debug)]
pub(crate) struct Spin {
    /// Of the wait that is under way.
    pub(super) allowance: Allowance,
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
    pub(super) fn allowance(&mut self, active: i32) -> Allowance {
        self.waits = self.waits.wrapping_add(1);
        if self.waits.is_multiple_of(ASK_AGAIN) {
            self.processors = crate::sys::cpu::usable();
        }
        let probe = self.waits.is_multiple_of(PROBE);
        if self.can_spin(active) {
            Allowance::Spin(if probe { SPINS } else { self.spins })
        } else {
            Allowance::Yield(if probe { YIELDS } else { self.yields })
        }
    }

    /// Whether a partner can run at the same time, when so many contexts are active.
    pub(super) fn can_spin(&self, active: i32) -> bool {
        self.processors > 1 && i64::from(active) <= i64::from(self.processors)
    }

    /// `came` is the number of rounds after which the partner came, if it did.
    pub(super) fn learn(&mut self, allowance: Allowance, came: Option<u32>) {
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
