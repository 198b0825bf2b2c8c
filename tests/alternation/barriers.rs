//! Barriers: all parties go on or none does, alone and in alternations, whoever comes, resigns or dies.
//!
//! Knows nothing of how the last party finds the others.

use crate::harness::cast::{collect, source};
use crate::harness::place::Place;
use crate::policy::{POLICIES, Policy};
use csproc::prelude::*;
use std::time::Duration;

/// So many phases; gives the number of each phase to `log`, and is at the next one only after all others.
#[process]
fn in_phases(barrier: Barrier, log: Writer<u64>, phases: u64) -> csproc::Result<()> {
    for phase in 0..phases {
        log.write(phase)?;
        barrier.sync()?;
    }
    Ok(())
}

/// Syncs until the barrier is no more, and counts.
#[process]
fn sync_times(ready: Writer<Place>, barrier: Barrier, times: u64) -> csproc::Result<()> {
    Place::announce(&ready);
    for _ in 0..times {
        barrier.sync()?;
    }
    Ok(())
}

/// A barrier beside a channel and a timer: gives how often the barrier, the channel and the timer fired.
#[process]
fn choose(barrier: Barrier, input: Reader<u64>, policy: Policy, syncs: u64) -> csproc::Result<[u64; 3]> {
    let mut alt = Alternation::new();
    let sync = alt.guard(&barrier);
    let read = alt.read(&input);
    alt.after(Duration::from_micros(200));
    let mut counts = [0; 3];
    while counts[0] < syncs {
        match policy.select(&mut alt) {
            Ok(fired) => {
                counts[fired.index()] += 1;
            }
            Err(ChannelError::Retired) => alt.enable(read, false),
            Err(other) => return Err(other.into()),
        }
    }
    let _ = sync;
    Ok(counts)
}

/// Two barriers in one alternation, in one order or the other: both must agree on which.
#[process]
fn either_barrier(a: Barrier, b: Barrier, turned: bool, rounds: u64, policy: Policy) -> csproc::Result<String> {
    let mut alt = Alternation::new();
    if turned {
        alt.guard(&b);
        alt.guard(&a);
    } else {
        alt.guard(&a);
        alt.guard(&b);
    }
    let mut history = String::new();
    for _ in 0..rounds {
        let first = policy.select(&mut alt)?.index() == 0;
        history.push(if first == turned { 'b' } else { 'a' });
    }
    Ok(history)
}

#[process]
fn join_late(barrier: Barrier, more: Reader<Barrier>) -> csproc::Result<()> {
    barrier.sync()?;
    let other = more.read()?;
    other.sync()?;
    barrier.sync()?;
    Ok(())
}

/// Waits at the barrier, or for a word, whatever comes.
#[process]
fn sync_or_word(ready: Writer<Place>, barrier: Barrier, word: Reader<u64>) -> csproc::Result<bool> {
    Place::announce(&ready);
    Ok(PriSelect! {
        barrier.sync() => true,
        _v = word.read() => false,
    }?)
}

over_both! {
    /// C++CSP2's `barrier_test`: nobody is a phase ahead.
    fn nobody_enters_a_phase_before_all_have_left_the_one_before(placement) {
        let (barrier, log) = (Barrier::new(4), Channel::new());
        let (done, phases) = Parallel!(
            for _ in 0..4 => in_phases(barrier.clone(), log.writer(), 50).on(placement),
            collect(log.reader()).on(placement),
        )
        .unwrap();
        done.into_iter().for_each(Result::unwrap);
        assert!(phases.is_sorted(), "{phases:?}");
        assert_eq!(phases.len(), 200);
    }

    fn a_barrier_waits_for_the_last_party(placement) {
        let (barrier, ready) = (Barrier::new(3), Channel::new());
        let announced = ready.reader();
        let others = Spawn!(for _ in 0..2 => sync_times(ready.writer(), barrier.clone(), 1).on(placement)).unwrap();
        for _ in 0..2 {
            announced.read().unwrap().until_asleep();
        }
        assert!(others.try_join().is_none());
        barrier.sync().unwrap();
        others.join().unwrap().into_iter().for_each(Result::unwrap);
    }

    fn a_party_that_resigns_lets_the_others_go(placement) {
        let (barrier, ready) = (Barrier::new(3), Channel::new());
        let announced = ready.reader();
        let others = Spawn!(for _ in 0..2 => sync_times(ready.writer(), barrier.clone(), 5).on(placement)).unwrap();
        for _ in 0..2 {
            announced.read().unwrap().until_asleep();
        }
        barrier.resign();
        others.join().unwrap().into_iter().for_each(Result::unwrap);
        assert!(barrier.sync().unwrap_err().is_retired());
        assert_eq!(barrier.parties(), 0);
        barrier.enroll();
        assert_eq!(barrier.parties(), 1);
        barrier.sync().unwrap();
    }

    fn a_party_that_returns_or_drops_its_seat_resigns(placement) {
        let (barrier, ready) = (Barrier::new(3), Channel::new());
        let announced = ready.reader();
        let short = sync_times(ready.writer(), barrier.clone(), 10).on(placement);
        let others = Spawn!(for _ in 0..2 => sync_times(ready.writer(), barrier.clone(), 100).on(placement)).unwrap();
        let one = Spawn!(short).unwrap();
        for _ in 0..3 {
            announced.read().unwrap();
        }
        one.join().unwrap().unwrap();
        others.join().unwrap().into_iter().for_each(Result::unwrap);
        assert_eq!(barrier.parties(), 0);
    }

    fn poison_reaches_the_parties_that_wait_and_those_that_come_later(placement) {
        let (barrier, ready, words) = (Barrier::new(4), Channel::new(), Channel::new());
        let announced = ready.reader();
        let others = Spawn!(for _ in 0..2 => sync_times(ready.writer(), barrier.clone(), 1).on(placement)).unwrap();
        // This one waits in an alternation.
        let (word, chooser) = (words.writer(), sync_or_word(ready.writer(), barrier.clone(), words.reader()));
        let chooser = Spawn!(chooser.on(placement)).unwrap();
        for _ in 0..3 {
            announced.read().unwrap().until_asleep();
        }
        poison!(barrier);
        let ends: Vec<csproc::Result<()>> = others.join().unwrap();
        let is_poisoned = |end: &csproc::Error| end.channel_error().is_some_and(ChannelError::is_poisoned);
        assert!(ends.iter().all(|end| end.as_ref().is_err_and(is_poisoned)), "{ends:?}");
        assert!(chooser.join().unwrap().is_err_and(|end| is_poisoned(&end)));
        assert_eq!(barrier.sync(), Err(ChannelError::Poisoned));
        assert_eq!(barrier.clone().sync(), Err(ChannelError::Poisoned));
        // Each of them has returned poison, and so has poisoned what it was given.
        assert!(word.write(1).unwrap_err().is_poisoned());
        assert!(announced.read().unwrap_err().is_poisoned());
    }

    fn a_barrier_that_was_passed_is_not_poisoned_afterwards(placement) {
        for _ in 0..50 {
            let (barrier, ready) = (Barrier::new(2), Channel::new());
            let announced = ready.reader();
            let other = Spawn!(sync_times(ready.writer(), barrier.clone(), 2).on(placement)).unwrap();
            announced.read().unwrap();
            barrier.sync().unwrap();
            barrier.poison();
            let end = other.join().unwrap().unwrap_err();
            assert!(end.channel_error().unwrap().is_poisoned());
        }
    }

    fn a_seat_that_is_sent_is_a_seat_there(placement) {
        let (a, b, more) = (Barrier::new(2), Barrier::new(2), Channel::new());
        let w = more.writer();
        let other = Spawn!(join_late(a.clone(), more.reader()).on(placement)).unwrap();
        a.sync().unwrap();
        w.write(b.clone()).unwrap();
        b.sync().unwrap();
        a.sync().unwrap();
        other.join().unwrap().unwrap();
        assert_eq!((a.parties(), b.parties()), (1, 1));
    }

    /// The barrier fires for all or for none: the counts of all parties agree, whatever channels and timers do
    /// meanwhile.
    fn barriers_beside_channels_and_timers_fire_for_all_or_none(placement) {
        for policy in POLICIES {
            let (barrier, c) = (Barrier::new(3), Channel::new());
            let (counts, sent) = Parallel!(
                for _ in 0..3 => choose(barrier.clone(), c.reader(), policy, 100).on(placement),
                source(c.writer(), 0..200).on(placement),
            )
            .unwrap();
            let counts: Vec<[u64; 3]> = counts.into_iter().map(Result::unwrap).collect();
            assert!(counts.iter().all(|[syncs, ..]| *syncs == 100));
            let read: u64 = counts.iter().map(|[_, read, _]| read).sum();
            // Whoever reads last may leave before the source is done.
            assert!(if sent.is_ok() { read == 200 } else { read < 200 }, "{counts:?}");
        }
    }

    fn parties_of_two_barriers_in_opposite_orders_agree(placement) {
        for policy in POLICIES {
            let (a, b) = (Barrier::new(3), Barrier::new(3));
            let histories = Parallel!(
                for i in 0..3 => either_barrier(a.clone(), b.clone(), i % 2 == 1, 100, policy).on(placement),
            )
            .unwrap();
            let histories: Vec<String> = histories.into_iter().map(Result::unwrap).collect();
            assert!(histories.iter().all(|history| *history == histories[0]), "{histories:?}");
        }
    }

    fn one_that_chose_a_word_leaves_the_others_at_the_barrier(placement) {
        let (barrier, ready, word) = (Barrier::new(3), Channel::new(), Channel::new());
        let (announced, w) = (ready.reader(), word.writer());
        let others = Spawn!(for _ in 0..2 =>
            sync_or_word(ready.writer(), barrier.clone(), word.reader()).on(placement))
        .unwrap();
        let fast = announced.read().unwrap();
        let slow = announced.read().unwrap();
        fast.until_asleep();
        slow.until_asleep();
        w.write(1).unwrap();
        // One has gone with the word, and gave its seat up as it ended: the other one and we are two.
        barrier.sync().unwrap();
        let mut went = others.join().unwrap().into_iter().map(Result::unwrap).collect::<Vec<_>>();
        went.sort_unstable();
        assert_eq!(went, [false, true]);
    }
}

once! {
    fn a_party_that_is_killed_resigns() {
        for placement in [Placement::Process, Placement::Thread] {
            for victims in 1..3_u64 {
                let (barrier, ready) = (Barrier::new(4), Channel::new());
                let announced = ready.reader();
                let doomed: Vec<_> = (0..victims)
                    .map(|_| Spawn!(sync_times(ready.writer(), barrier.clone(), 1_000_000)).unwrap())
                    .collect();
                let live = Spawn!(for _ in victims..4 => sync_times(ready.writer(), barrier.clone(), 50).on(placement));
                let live = live.unwrap();
                for _ in 0..4 {
                    announced.read().unwrap();
                }
                for doomed in doomed {
                    doomed.kill().unwrap();
                    doomed.join().unwrap_err();
                }
                live.join().unwrap().into_iter().for_each(Result::unwrap);
            }
        }
    }

    fn one_party_is_enough_for_itself_and_none_waits_for_nobody() {
        let barrier = Barrier::new(1);
        for policy in POLICIES {
            let mut alt = Alternation::new();
            let sync = alt.guard(&barrier);
            alt.skip();
            assert_eq!(policy.select(&mut alt).unwrap().index(), sync.index());
        }
        assert!(Barrier::new(0).sync().is_ok());
    }

    fn a_barrier_that_is_not_ready_loses_to_a_timer_and_is_not_left_waiting() {
        let barrier = Barrier::new(2);
        let other = barrier.clone();
        for _ in 0..20 {
            PriSelect! {
                barrier.sync() => panic!("the other one is not here"),
                after(Duration::from_micros(50)) => (),
            }
            .unwrap();
            PriSelect! {
                other.sync() => panic!("the first one is not here any more"),
                skip => (),
            }
            .unwrap();
        }
    }
}

/// Says how many parties there are before anybody has come, and after all have.
#[process]
fn counts_parties(barrier: Barrier, ballast: Vec<String>) -> csproc::Result<(usize, usize)> {
    let before = barrier.parties();
    barrier.sync()?;
    Ok((before, ballast.len()))
}

over_both! {
    // Arguments that do not fit at the first try are serialized once more, and what was requested before goes.
    fn a_seat_that_was_requested_in_vain_is_nobodys(placement) {
        for words in [0, 10, 1000, 100_000] {
            let barrier = Barrier::new(2);
            let ballast = vec![String::from("ballast"); words];
            let party = || counts_parties(barrier.clone(), ballast.clone()).on(placement);
            let counted = Parallel!(party(), party()).values().unwrap();
            assert_eq!(counted, ((2, words), (2, words)));
            // And so is one in a message that nobody takes, by a write or by an alternation.
            let c = Channel::<(Barrier, Vec<String>)>::new();
            let (w, _r) = (c.writer(), c.reader());
            assert!(w.try_write((barrier.clone(), ballast.clone())).is_err());
            let chosen = PriSelect! {
                w.write((barrier.clone(), ballast.clone())) => true,
                skip => false,
            };
            assert_eq!(chosen, Ok(false));
            let parties = Barrier::new(3);
            assert!(w.try_write((parties.clone(), ballast)).is_err());
            assert_eq!(parties.parties(), 3);
        }
    }
}
