//! What threads do to a state word and to a lock, and what may come of it.
//!
//! Knows nothing of how executions are found. Payloads are relaxed: only the orderings of the two words keep them from
//! being stale.

use super::lock::{Lock, LockHolder, Taking};
use super::sync::Woken;
use super::word::{Attempt, Own, Snapshot, State, StateWord};
use crate::fault::is_skipped;
use crate::memory::Block;
use crate::sys::clock::{Deadline, Instant};
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread::{self, JoinHandle};
use std::sync::Arc;

/// Something that threads do, with assertions about what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// What it shows.
    pub name: &'static str,
    pub(crate) run: fn(),
}

macro_rules! scenarios {
    ($($name:ident: $run:expr),* $(,)?) => {
        /// All scenarios.
        pub const ALL: &[&Scenario] = &[$(&$name),*];

        $(
            #[expect(missing_docs, reason = "the name says it")]
            pub const $name: Scenario = Scenario { name: stringify!($name), run: $run };
        )*
    };
}

scenarios! {
    COMMIT_OF_WAITING: || commit(false),
    COMMIT_OF_PARKED: || commit(true),
    RENDEZVOUS_UNDER_A_LOCK: rendezvous,
    TWO_PARTNERS: two_partners,
    DEADLINE_AGAINST_COMMIT: deadline_against_commit,
    EXTENDED_FINISHED: || extended(true),
    EXTENDED_UNFINISHED: || extended(false),
    EXTENDED_WRITER_SECOND: writer_second,
    DEATH_AGAINST_COMMIT: death_against_commit,
    DEATH_AGAINST_RELEASE: death_against_release,
    DEATH_AGAINST_SETTLING: death_against_settling,
    CLAIM_SETTLED: || claim(true),
    CLAIM_TAKEN_BACK: || claim(false),
    BARRIER_OF_THREE: barrier,
    LOCK_OF_TWO: || lock(2, 2),
    LOCK_OF_THREE: || lock(3, 1),
    LOCK_OF_THE_DEAD: lock_of_the_dead,
    LOCK_OF_THE_LIVING: lock_of_the_living,
    LOCK_RUNG_BY_THE_REAPER: lock_rung,
    LOCK_OCCUPIED: occupied,
}

/// A payload that may be read stale.
#[derive(Debug, Default)]
struct Relaxed(AtomicU32);

impl Relaxed {
    fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, value: u32) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// A context: its word, its table, and what others leave for it.
#[derive(Debug, Default)]
struct Context {
    word: StateWord,
    offer: Relaxed,
    given: [Relaxed; 2],
}

impl Context {
    fn offer(&self, what: u32, parked: bool) {
        self.offer.set(what);
        self.word.wait(parked);
    }

    /// As `Local::wait_until_synced` does it, looking again once. `None` when the deadline came first.
    fn wait(&self, parked: bool, deadline: Option<&Deadline>) -> Option<Snapshot> {
        if !parked {
            let now = self.word.read();
            if !now.is_pending() {
                return Some(now);
            }
            if self.word.park() == Own::Committed && !self.word.read().is_pending() {
                return Some(self.word.read());
            }
        }
        loop {
            let woken = self.word.sleep(deadline);
            let now = self.word.read();
            if !now.is_pending() {
                return Some(now);
            }
            if woken == Woken::TimedOut && self.word.withdraw() == Own::Done {
                return None;
            }
        }
    }

    /// Tries until the owner waits, and until no claim is undecided.
    fn insist(&self, mut attempt: impl FnMut() -> Attempt) -> bool {
        loop {
            match attempt() {
                Attempt::Committed { parked } => {
                    if parked && !is_skipped("a commit wakes nobody") {
                        self.word.wake();
                    }
                    return true;
                }
                Attempt::Stale if matches!(self.word.read().state(), State::Committed | State::Dead) => return false,
                Attempt::Stale | Attempt::Claimed { .. } => thread::yield_now(),
            }
        }
    }

    /// As a partner: leaves a payload and commits.
    fn give(&self, number: u16, value: u32) -> bool {
        self.given[usize::from(number)].set(value);
        self.insist(|| self.word.commit(number, Block::from(number) + 10))
    }
}

fn at_once() -> Deadline {
    Deadline::at(Instant::now())
}

fn spawn<T: 'static>(with: &Arc<Context>, run: impl FnOnce(&Context) -> T + 'static) -> JoinHandle<T> {
    let context = Arc::clone(with);
    thread::spawn(move || run(&context))
}

fn end<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("a panic ends the execution")
}

/// Two rounds: the offer is seen by the partner, the payload by the waiter, and no wake-up is lost.
fn commit(parked: bool) {
    let context = Arc::new(Context::default());
    let partner = spawn(&context, |context| {
        for round in 1..=2 {
            // In the second round the word may still be that of the first one.
            while context.word.read().is_committed() {
                thread::yield_now();
            }
            assert!(context.give(0, round));
            // Once it is committed, the owner may go on to the next round.
            assert!(context.offer.get() >= round, "the offer of this round");
        }
    });
    for round in 1..=2 {
        context.offer(round, parked);
        let now = context.wait(parked, None).expect("without a deadline");
        assert_eq!((now.state(), now.guard(), now.block()), (State::Committed, 0, 10));
        assert_eq!(context.given[0].get(), round, "the payload of this round");
        context.word.idle();
    }
    end(partner);
}

/// Whoever comes first to the channel waits in its queue; the other one commits it.
fn rendezvous() {
    #[derive(Default)]
    struct Channel {
        lock: Lock,
        /// Who waits, plus one.
        first: Relaxed,
        parties: [Context; 2],
    }

    impl Channel {
        fn meet(&self, me: usize) {
            let context = &self.parties[me];
            assert_eq!(self.lock.take(LockHolder::new(me as u32, 1), false, |_| ()), None);
            if let Some(other) = self.first.get().checked_sub(1) {
                let partner = &self.parties[other as usize];
                assert_eq!(partner.offer.get(), other + 100, "the offer under the lock");
                partner.given[0].set(me as u32 + 200);
                let Attempt::Committed { parked } = partner.word.commit(0, 1) else { panic!("nobody else commits it") };
                self.first.set(0);
                self.lock.release();
                if parked {
                    partner.word.wake();
                }
            } else {
                context.offer(me as u32 + 100, false);
                self.first.set(me as u32 + 1);
                self.lock.release();
                context.wait(false, None);
                assert_eq!(context.given[0].get(), 1 - me as u32 + 200, "the payload");
                context.word.idle();
            }
        }
    }

    let channel = Arc::new(Channel::default());
    let other = Arc::clone(&channel);
    let other = thread::spawn(move || other.meet(1));
    channel.meet(0);
    end(other);
    assert_eq!(channel.first.get(), 0);
    assert_eq!(channel.lock.holder(), None);
}

/// Two partners that hold different locks: one of them commits.
fn two_partners() {
    let context = Arc::new(Context::default());
    context.offer(1, true);
    let partners = [0, 1].map(|number| spawn(&context, move |context| context.give(number, 7 + u32::from(number))));
    let now = context.wait(true, None).expect("without a deadline");
    let winner = now.guard();
    assert_eq!(now.block(), 10 + winner as u32);
    assert_eq!(context.given[winner].get(), 7 + winner as u32, "the payload of the winner");
    // The word stays COMMITTED, so that the other one need not look for ever.
    let committed = partners.map(end);
    assert!(committed[winner] && !committed[1 - winner], "{committed:?}, {now:?}");
}

/// The owner withdraws, or the partner commits.
fn deadline_against_commit() {
    let context = Arc::new(Context::default());
    context.offer(5, false);
    let partner = spawn(&context, |context| {
        context.given[0].set(9);
        match context.word.commit(0, 10) {
            Attempt::Committed { parked } => {
                if parked {
                    context.word.wake();
                }
                true
            }
            _ => false,
        }
    });
    let came = context.wait(false, Some(&at_once()));
    if came.is_some() {
        assert_eq!(context.given[0].get(), 9, "the payload");
    }
    assert_eq!(end(partner), came.is_some(), "{came:?}");
}

/// The reader that commits keeps its writer waiting, and leaves a verdict.
fn extended(finished: bool) {
    let context = Arc::new(Context::default());
    let reader = spawn(&context, move |context| {
        while !context.word.read().is_waiting() {
            thread::yield_now();
        }
        assert!(matches!(context.word.commit_extended(3, 4), Attempt::Committed { .. }), "nobody else commits it");
        assert_eq!(context.offer.get(), 6, "the message");
        let held = context.word.read();
        context.given[1].set(8);
        assert!(context.word.release(held, finished), "nobody else releases it");
        if !is_skipped("a release wakes nobody") {
            context.word.wake();
        }
    });
    context.offer(6, false);
    let now = context.wait(false, None).expect("without a deadline");
    assert_eq!(now.state(), if finished { State::Committed } else { State::Failed });
    assert_eq!((now.guard(), now.block()), (3, 4));
    assert_eq!(context.given[1].get(), 8, "the verdict");
    context.word.idle();
    end(reader);
}

/// The writer finds an extended reader waiting: it holds itself before it commits the reader.
fn writer_second() {
    let (reader, writer) = (Arc::new(Context::default()), Arc::new(Context::default()));
    reader.offer(1, true);
    let committed = Arc::clone(&reader);
    let thread = spawn(&writer, move |writer| {
        writer.offer.set(6);
        writer.word.lend(21);
        assert!(committed.give(0, 5));
        let now = writer.wait(true, None).expect("without a deadline");
        assert_eq!(now.state(), State::Committed);
        assert!(!now.names_block());
        assert_eq!(writer.given[1].get(), 8, "the verdict");
    });
    reader.wait(true, None);
    assert_eq!(reader.given[0].get(), 5, "the payload");
    let held = writer.word.read();
    assert_eq!((held.state(), held.block()), (State::Extended, 21), "whoever commits a reader is held");
    assert_eq!(writer.offer.get(), 6, "the message");
    writer.given[1].set(8);
    assert!(writer.word.release(held, true));
    writer.word.wake();
    end(thread);
}

/// The owner is dead: the reaper finds what its partner has given, or the partner finds that it is too late.
fn death_against_commit() {
    let context = Arc::new(Context::default());
    context.offer(6, true);
    let partner = spawn(&context, |context| context.give(1, 9));
    let before = context.word.bury();
    if before.is_committed() {
        assert_eq!((before.guard(), before.block()), (1, 11));
        assert_eq!(context.given[1].get(), 9, "what was given to the dead");
    } else {
        assert!(before.is_waiting());
    }
    assert_eq!(end(partner), before.is_committed());
    assert_eq!(context.word.read().state(), State::Dead);
}

/// The writer is dead while it is held: the reaper finds the verdict, or the reader finds that nobody needs it.
fn death_against_release() {
    let context = Arc::new(Context::default());
    context.offer(6, true);
    assert!(matches!(context.word.commit_extended(3, 4), Attempt::Committed { .. }));
    let held = context.word.read();
    let reader = spawn(&context, move |context| {
        context.given[1].set(8);
        context.word.release(held, true)
    });
    let before = context.word.bury();
    let released = before.state() == State::Committed;
    assert_eq!((before.guard(), before.block()), (3, 4));
    if released {
        assert_eq!(context.given[1].get(), 8, "the verdict");
    }
    assert_eq!(end(reader), released);
}

/// A party of a barrier dies while it is claimed.
fn death_against_settling() {
    let context = Arc::new(Context::default());
    context.offer(6, true);
    let claimer = spawn(&context, |context| {
        context.given[0].set(8);
        match context.word.claim(2, 9) {
            Attempt::Committed { .. } => (true, context.word.commit_claimed(9)),
            _ => (false, false),
        }
    });
    let before = context.word.bury();
    if before.state() == State::Committed || before.state() == State::Claimed {
        assert_eq!(context.given[0].get(), 8, "what came before the claim");
    }
    let expected = match before.state() {
        State::Committed => (true, true),
        State::Claimed => (true, false),
        _ => (false, false),
    };
    assert_eq!(end(claimer), expected, "{before:?}");
    assert_eq!(context.word.read().state(), State::Dead);
}

/// The last party of a barrier claims what another partner wants to commit.
fn claim(complete: bool) {
    let context = Arc::new(Context::default());
    context.offer(6, false);
    let claimer = spawn(&context, move |context| {
        context.given[0].set(8);
        let Attempt::Committed { parked } = context.word.claim(0, 9) else { return false };
        if !complete {
            context.word.unclaim(9);
            return false;
        }
        assert!(context.word.commit_claimed(9), "nobody else touches it");
        // It may have parked before the claim only.
        if parked {
            context.word.wake();
        }
        true
    });
    let partner = spawn(&context, move |context| {
        context.given[1].set(7);
        // Two that look again and again would leave the claimer no turn, once there are no more preemptions.
        let first = context.word.commit(1, 11);
        let claimed = end(claimer);
        let last = if matches!(first, Attempt::Claimed { .. }) { context.word.commit(1, 11) } else { first };
        match last {
            Attempt::Committed { parked } => {
                if parked {
                    context.word.wake();
                }
                (claimed, true)
            }
            Attempt::Stale => (claimed, false),
            Attempt::Claimed { barrier } => panic!("the claim of {barrier} stands for ever"),
        }
    });
    let now = context.wait(false, None).expect("without a deadline");
    assert_eq!(now.state(), State::Committed);
    assert_eq!(context.given[now.guard()].get(), 8 - now.guard() as u32, "the payload of the winner");
    let (claimed, committed) = end(partner);
    assert_eq!((claimed, committed), (now.guard() == 0, now.guard() == 1), "{now:?}");
    assert!(complete || committed);
}

/// The last party claims two others, the second of which a partner may take away: all of them go on, or none.
fn barrier() {
    let parties = Arc::new([Context::default(), Context::default()]);
    parties.iter().for_each(|party| party.offer(6, true));
    let last = Arc::clone(&parties);
    let last = thread::spawn(move || {
        let [first, second] = &*last;
        first.given[0].set(8);
        assert!(matches!(first.word.claim(0, 9), Attempt::Committed { .. }), "nobody else wants it yet");
        if !matches!(second.word.claim(0, 9), Attempt::Committed { .. }) {
            first.word.unclaim(9);
            return false;
        }
        for party in [first, second] {
            assert!(party.word.commit_claimed(9), "nobody else touches it");
            party.word.wake();
        }
        true
    });
    let partner = Arc::clone(&parties);
    let partner = thread::spawn(move || {
        let [first, second] = &*partner;
        let taken = matches!(second.word.commit(1, 11), Attempt::Committed { .. });
        let complete = end(last);
        assert!(taken != complete, "one of them has the second party");
        if taken {
            assert!(first.give(1, 7), "it waits again");
        }
        complete
    });
    let [first, second] = &*parties;
    let now = first.wait(true, None).expect("without a deadline");
    let complete = end(partner);
    assert_eq!(now.guard(), usize::from(!complete));
    assert_eq!(first.given[now.guard()].get(), if complete { 8 } else { 7 }, "the payload of the winner");
    assert_eq!(second.word.read().guard(), now.guard(), "all or none");
}

/// Read, give way, write: nothing is lost, and whoever sleeps is woken.
fn lock(threads: u32, times: u32) {
    let shared = Arc::new((Lock::default(), Relaxed::default()));
    let work = |me: u32| {
        let shared = Arc::clone(&shared);
        move || {
            let (lock, count) = &*shared;
            for _ in 0..times {
                assert_eq!(lock.take(LockHolder::new(me, 1), false, |_| ()), None);
                let before = count.get();
                thread::yield_now();
                count.set(before + 1);
                lock.release();
            }
        }
    };
    let others: Vec<_> = (1..threads).map(|me| thread::spawn(work(me))).collect();
    work(0)();
    others.into_iter().for_each(end);
    assert_eq!(shared.1.get(), threads * times, "no increment is lost");
    assert_eq!(shared.0.holder(), None);
}

/// Takes the lock as a reaper does, whose patience ends whenever loom chooses.
fn as_reaper(lock: &Lock, is_dead: impl Fn(LockHolder) -> bool) -> Taking {
    loop {
        match lock.take_from_the_dead(LockHolder::new(2, 1), &is_dead, |_| ()) {
            Taking::Late => lock.ring(),
            taken => return taken,
        }
    }
}

/// A holder stops for ever; the reaper repairs, and whoever sleeps on the lock goes on.
fn lock_of_the_dead() {
    let shared = Arc::new((Lock::default(), Relaxed::default()));
    assert_eq!(shared.0.take(LockHolder::new(0, 1), false, |_| ()), None);
    let dead = Arc::clone(&shared);
    let dead = thread::spawn(move || dead.1.set(1));
    let reaper = Arc::clone(&shared);
    let reaper = thread::spawn(move || {
        // The word of the kernel, which orders memory: that of somebody killed in the middle cannot.
        end(dead);
        let (lock, change) = &*reaper;
        assert_eq!(as_reaper(lock, |holder| holder.context() == 0), Taking::FromTheDead(0));
        assert_eq!(change.get(), 1, "the half-made change");
        change.set(2);
        lock.release();
    });
    let (lock, change) = &*shared;
    assert_eq!(lock.take(LockHolder::new(1, 1), false, |_| ()), None);
    assert_eq!(change.get(), 2, "repaired");
    lock.release();
    end(reaper);
    assert_eq!(lock.holder(), None);
}

/// The reaper asks for a lock whose holder lives: it gets it as anybody does.
fn lock_of_the_living() {
    let shared = Arc::new((Lock::default(), Relaxed::default()));
    let holder = Arc::clone(&shared);
    let holder = thread::spawn(move || {
        let (lock, count) = &*holder;
        assert_eq!(lock.take(LockHolder::new(0, 1), false, |_| ()), None);
        count.set(count.get() + 1);
        lock.release();
    });
    let (lock, count) = &*shared;
    assert_eq!(as_reaper(lock, |_| false), Taking::Free);
    count.set(count.get() + 1);
    lock.release();
    end(holder);
    assert_eq!(count.get(), 2, "no increment is lost");
}

/// Somebody releases and dies; should it have woken nobody, the reaper does.
fn lock_rung() {
    let shared = Arc::new((Lock::default(), Relaxed::default()));
    assert_eq!(shared.0.take(LockHolder::new(0, 1), false, |_| ()), None);
    let dead = Arc::clone(&shared);
    let dead = thread::spawn(move || {
        dead.1.set(1);
        dead.0.release();
    });
    let reaper = Arc::clone(&shared);
    let reaper = thread::spawn(move || {
        end(dead);
        reaper.0.ring();
    });
    let (lock, change) = &*shared;
    assert_eq!(lock.take(LockHolder::new(1, 1), false, |_| ()), None);
    assert_eq!(change.get(), 1, "the change");
    lock.release();
    end(reaper);
}

/// One occupies the lock, and another one wants it: it comes before or afterwards, or it takes it from the unit, which
/// is described by then, and whose owner finds out.
fn occupied() {
    #[derive(Default)]
    struct Gate {
        lock: Lock,
        unit: Relaxed,
        written_down: Relaxed,
        inside: Relaxed,
    }

    const UNIT: u32 = 5;
    let gate = Arc::new(Gate::default());
    let other = Arc::clone(&gate);
    let other = thread::spawn(move || {
        let unit = other.lock.take(LockHolder::new(1, 1), false, |_| ());
        match unit {
            Some(unit) => {
                assert_eq!((unit, other.unit.get()), (UNIT, 1), "the unit is described");
                other.written_down.set(1);
            }
            None => other.inside.set(other.inside.get() + 1),
        }
        other.lock.release();
        u32::from(unit.is_none())
    });
    gate.unit.set(1);
    while !gate.lock.occupy(UNIT, 1) {
        thread::yield_now();
    }
    gate.inside.set(gate.inside.get() + 1);
    if !gate.lock.vacate(UNIT, 1) {
        assert_eq!(gate.lock.take(LockHolder::new(0, 1), false, |_| ()), None);
        assert_eq!(gate.written_down.get(), 1, "whose the permit is");
        gate.lock.release();
    }
    let entered = other.join().expect("it ends");
    assert_eq!(gate.inside.get(), 1 + entered, "no increment is lost");
}
