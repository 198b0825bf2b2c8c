//! Waiting until the own word is SYNCED: spin while it pays, then sleep.
//!
//! Knows nothing of channels. On two idle processors a commit reaches a spinning waiter in about a tenth of a
//! microsecond and a sleeping one in 20 to 60 (measured, November 2026); on one processor a spinning waiter keeps its partner
//! from running and makes everything fifty times slower. So the budget of a wait adapts:
//!
//! - one usable processor, or more active contexts than processors: no spinning at all;
//! - it doubles when the partner came while spinning, halves when it did not, and never exceeds [`MOST`];
//! - every [`PROBE`]th wait gets the full budget, so that a phase of slow partners does not end spinning for ever.

use super::local::Local;
use super::sync::{Ordering, Woken, spin_loop};
use super::word::{Own, Snapshot};
use crate::sys::clock::Deadline;

/// Rounds of the spin loop: about as long as a sleep and a wake-up take.
const MOST: u32 = 4000;
const LEAST: u32 = 16;
const PROBE: u32 = 32;
/// The number of processors is asked again after so many waits: it changes with `taskset` and cgroups.
const ASK_AGAIN: u32 = 4096;

#[derive(Debug)]
pub(super) struct Spin {
    budget: u32,
    processors: u32,
    waits: u32,
}

impl Spin {
    pub(super) fn new() -> Spin {
        Spin { budget: MOST, processors: crate::sys::cpu::usable(), waits: 0 }
    }

    pub(super) fn processors(&self) -> u32 {
        self.processors
    }

    /// Rounds to spin in the next wait, when so many contexts are active.
    fn allowance(&mut self, active: i32) -> u32 {
        self.waits = self.waits.wrapping_add(1);
        if self.waits.is_multiple_of(ASK_AGAIN) {
            self.processors = crate::sys::cpu::usable();
        }
        if self.processors == 1 || i64::from(active) > i64::from(self.processors) {
            0
        } else if self.waits.is_multiple_of(PROBE) {
            MOST
        } else {
            self.budget
        }
    }

    fn learn(&mut self, allowance: u32, came: bool) {
        if allowance == 0 {
            return;
        }
        self.budget = if came { (self.budget * 2).min(MOST) } else { (self.budget / 2).max(LEAST) };
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waited {
    Synced(Snapshot),
    /// The deadline passed, and the offer is withdrawn.
    Withdrawn,
}

impl Local {
    /// How long the coming wait may spin. Zero means: declare yourself parked at once.
    pub(super) fn allowance(&mut self) -> u32 {
        let active = self.tables().arena.shared().active.load(Ordering::Relaxed);
        self.spin.allowance(active)
    }

    /// Waits until a partner has committed this context, or until the deadline.
    ///
    /// The word is WAITING, or PARKED if `allowance` is zero.
    pub(super) fn wait_until_synced(&mut self, allowance: u32, deadline: Option<&Deadline>) -> Waited {
        let word = &self.context.word;
        for _ in 0..allowance {
            let now = word.read();
            if !now.is_waiting() {
                self.spin.learn(allowance, true);
                return Waited::Synced(now);
            }
            spin_loop();
        }
        self.spin.learn(allowance, false);
        if allowance > 0 && word.park() == Own::Synced {
            return Waited::Synced(word.read());
        }
        let active = &self.tables().arena.shared().active;
        self.context.active.store(0, Ordering::Relaxed);
        active.fetch_sub(1, Ordering::Relaxed);
        let waited = loop {
            let woken = word.sleep(deadline);
            let now = word.read();
            if !now.is_waiting() {
                break Waited::Synced(now);
            }
            if woken == Woken::TimedOut || deadline.is_some_and(Deadline::is_past) {
                break match word.withdraw() {
                    Own::Done => Waited::Withdrawn,
                    Own::Synced => Waited::Synced(word.read()),
                };
            }
        };
        active.fetch_add(1, Ordering::Relaxed);
        self.context.active.store(1, Ordering::Relaxed);
        waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(processors: u32) -> Spin {
        Spin { budget: MOST, processors, waits: 0 }
    }

    #[test]
    fn nobody_spins_on_one_processor_or_when_there_are_more_contexts_than_processors() {
        assert_eq!(on(1).allowance(1), 0);
        assert_eq!(on(2).allowance(3), 0);
        assert_eq!(on(2).allowance(2), MOST);
    }

    #[test]
    fn the_budget_falls_when_spinning_is_in_vain_and_recovers() {
        let mut spin = on(2);
        for _ in 0..20 {
            spin.learn(1, false);
        }
        assert_eq!(spin.budget, LEAST);
        let most = (0..PROBE).map(|_| spin.allowance(1)).max();
        assert_eq!(most, Some(MOST), "one wait in {PROBE} probes with the full budget");
        for _ in 0..20 {
            spin.learn(1, true);
        }
        assert_eq!(spin.budget, MOST);
    }
}
