//! Waiting until the own word is COMMITTED: look again for a while, then sleep.
//!
//! Knows nothing of channels. The protocol asks one thing before it publishes an offer: whether the context sleeps at
//! once, because whoever commits a context that is PARKED wakes it, and whoever commits one that is WAITING does not.
//! What this file does about it is the way of a thread; the way of a future is in [`task`](super::task).
//!
//! On two idle processors a commit reaches a spinning waiter in about a tenth of a
//! microsecond and a sleeping one in 20 to 60 (measured, November 2026). Where a partner cannot run at the same time
//! (one usable processor, or more active contexts than processors), spinning keeps it from running; then the waiter
//! *yields* the processor instead: the partner runs, finds the offer, commits without a wake-up, and yields in turn.
//! That halves the context switches of a ping-pong on one processor, because a futex wake-up would run the waiter
//! before the waker has made its own next offer.
//!
//! A sleeper counts itself as active again, once it runs. Its waker could do that sooner (rayon's does, under a lock),
//! but here a sleeper that its deadline wakes may have gone on by then and given its context back; the waker would
//! count somebody who is no more, for good.

use super::local::Local;
use super::spin::Allowance;
use super::sync::{Ordering, Woken, spin_loop, yield_now};
use super::word::{Own, Snapshot};
use crate::sys::clock::{Deadline, Instant};
use crate::sys::lasting;
use std::time::Duration;

/// What a sleep and a wake-up take.
const WORTHWHILE: Duration = Duration::from_micros(100);

/// A way of waiting.
pub(super) trait Wait {
    /// Whether the wait that is about to begin sleeps at once, without looking again.
    fn sleeps_at_once(&mut self, local: &mut Local) -> bool;
}

/// How a wait ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waited {
    Committed(Snapshot),
    /// The deadline passed, and the offer is withdrawn.
    Withdrawn,
}

/// The calling thread waits itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnThread;

impl Wait for OnThread {
    #[inline]
    fn sleeps_at_once(&mut self, local: &mut Local) -> bool {
        let active = local.tables().arena.shared().active.load(Ordering::Relaxed);
        local.spin.allowance = local.spin.allowance(active);
        local.spin.allowance.is_none()
    }
}

impl Local {
    /// As [`wait_until_committed`](Local::wait_until_committed), for somebody who does not know yet whether the time is
    /// up.
    pub(super) fn wait_until(&mut self, deadline: &Deadline) -> Waited {
        if deadline.is_past() && self.context.word.withdraw() == Own::Done {
            return Waited::Withdrawn;
        }
        self.wait_until_committed(Some(deadline))
    }

    /// Waits until a partner has committed this context, or until the deadline.
    ///
    /// The word is WAITING, or PARKED if there is no allowance.
    pub(super) fn wait_until_committed(&mut self, deadline: Option<&Deadline>) -> Waited {
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
            if late && word.withdraw() == Own::Done {
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
