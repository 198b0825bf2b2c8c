//! Law 12: a context is proved to stand still only by two readings of one and the same wait.
//!
//! Knows nothing of reports. The looks are made by hand, by a thread that stands aside, so that nothing depends on
//! time.

use super::super::word::{GENERATION, State};
use super::audit::first_waiting;
use super::watch::{alone, found, until};
use super::wire::{Wire, here, read, write};
use crate::engine::view::{Standstill, Suspects};
use crate::engine::{ChannelName, host, tables};
use std::sync::atomic::{AtomicU32, Ordering};

/// The context that waits to read, once it sleeps.
fn asleep(name: ChannelName) -> u32 {
    let reader = found(|| first_waiting(name, false));
    until(|| tables().contexts.get(reader).is_some_and(|context| context.word.read().state() == State::Parked));
    reader
}

/// This thread looks, and nobody else acts on what there is to see: on a busy machine the program's own watcher would
/// find the deadlock that a test is about.
pub(super) struct ByHand(u32);

impl ByHand {
    /// `Deadlock::Ignore`, which layers above this one know by name.
    const IGNORE: u32 = 2;

    pub(super) fn begin() -> ByHand {
        here(|local| local.stand_aside());
        ByHand(ByHand::policy().swap(ByHand::IGNORE, Ordering::AcqRel))
    }

    fn policy() -> &'static AtomicU32 {
        &tables().members.get(host().unwrap()).unwrap().on_deadlock
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        ByHand::policy().store(self.0, Ordering::Release);
    }
}

fn look(before: &Suspects) -> Standstill {
    tables().view_of_waits().standstill(before)
}

/// Looks until somebody is suspected; tests that run beside this one may act for a while.
fn suspected() -> Suspects {
    found(|| Some(look(&Suspects::default()).suspects).filter(|suspects| !suspects.is_empty()))
}

/// Suspects that nobody moves are proved, so a look that proves nothing has seen a move.
fn is_proved_after_all() {
    let groups = found(|| Some(look(&suspected()).groups).filter(|groups| !groups.is_empty()));
    assert_eq!(groups.len(), 1);
}

#[test]
fn law_12_a_word_that_comes_round_again_proves_nothing() {
    alone("law_12_a_word_that_comes_round_again_proves_nothing", || {
        let rounds = GENERATION + 1;
        let wire = Wire::new();
        let _by_hand = ByHand::begin();
        std::thread::scope(|threads| {
            threads.spawn(|| (0..=rounds).for_each(|_| _ = read(wire.name)));
            let reader = tables().contexts.get(asleep(wire.name)).unwrap();
            let word = || reader.word.read().raw();
            let first = word();
            let suspects = suspected();
            for round in 0..rounds {
                write(wire.name, round).unwrap();
                asleep(wire.name);
            }
            let again = word();
            let Standstill { groups, .. } = look(&suspects);
            is_proved_after_all();
            write(wire.name, rounds).unwrap();
            // Now that nobody waits any more.
            assert_eq!(again, first, "the word is to be the same again");
            assert!(groups.is_empty(), "{groups:?}");
        });
    });
}

#[test]
fn law_12_another_thread_with_the_same_context_has_not_waited_before() {
    alone("law_12_another_thread_with_the_same_context_has_not_waited_before", || {
        let wire = Wire::new();
        let _by_hand = ByHand::begin();
        let mut suspects = Suspects::default();
        let mut contexts = Vec::new();
        for value in 0..3 {
            std::thread::scope(|threads| {
                let reader = threads.spawn(|| read(wire.name));
                contexts.push(asleep(wire.name));
                let Standstill { groups, .. } = look(&suspects);
                suspects = suspected();
                write(wire.name, value).unwrap();
                // By hand: a scope does not wait until the thread has given its context back.
                assert_eq!(reader.join().unwrap(), Ok(value));
                assert!(groups.is_empty(), "{groups:?}");
            });
        }
        assert!(contexts.iter().all(|context| *context == contexts[0]), "the slot is to be the same: {contexts:?}");
    });
}

#[test]
fn law_12_whoever_spins_is_no_suspect() {
    alone("law_12_whoever_spins_is_no_suspect", || {
        let wire = Wire::new();
        let _by_hand = ByHand::begin();
        std::thread::scope(|threads| {
            threads.spawn(|| read(wire.name));
            let reader = tables().contexts.get(asleep(wire.name)).unwrap();
            // As it was before it gave up spinning.
            reader.word.unpark();
            assert!(look(&Suspects::default()).suspects.is_empty());
            assert_eq!(reader.word.park(), super::super::word::Own::Done);
            suspected();
            write(wire.name, 1).unwrap();
        });
    });
}

#[test]
fn law_12_who_serves_is_at_rest_and_no_part_of_a_deadlock() {
    alone("law_12_who_serves_is_at_rest_and_no_part_of_a_deadlock", || {
        let (calls, wire) = (Wire::new(), Wire::new());
        calls.name.is_served();
        let _by_hand = ByHand::begin();
        std::thread::scope(|threads| {
            threads.spawn(|| read(calls.name));
            asleep(calls.name);
            let alone = look(&Suspects::default());
            threads.spawn(|| read(wire.name));
            asleep(wire.name);
            let groups = found(|| Some(look(&suspected()).groups).filter(|groups| !groups.is_empty()));
            write(calls.name, 1).unwrap();
            write(wire.name, 1).unwrap();
            // Now that nobody waits any more.
            assert!(alone.suspects.is_empty() && alone.groups.is_empty(), "alone it serves: {alone:?}");
            let waits: Vec<_> = groups.iter().flatten().flat_map(|stuck| &stuck.guards).collect();
            assert_eq!(waits.iter().map(|guard| guard.channel).collect::<Vec<_>>(), [wire.name], "{groups:?}");
        });
    });
}

/// Who closes the last end has none any more, and those who wait are not told yet.
#[test]
fn law_12_at_a_channel_that_somebody_works_on_nobody_waits_for_ever() {
    alone("law_12_at_a_channel_that_somebody_works_on_nobody_waits_for_ever", || {
        let wire = Wire::new();
        let _by_hand = ByHand::begin();
        std::thread::scope(|threads| {
            threads.spawn(|| read(wire.name));
            asleep(wire.name);
            suspected();
            let channel = tables().channel(wire.name).unwrap();
            here(|local| local.lock_and_stay(wire.name));
            assert!(look(&Suspects::default()).suspects.is_empty());
            here(|_| channel.lock.release());
            suspected();
            write(wire.name, 1).unwrap();
        });
    });
}

/// The word of a context lies in memory that is shared with other processes.
#[test]
fn law_12_whoever_sleeps_in_shared_memory_may_be_woken_from_elsewhere() {
    alone("law_12_whoever_sleeps_in_shared_memory_may_be_woken_from_elsewhere", || {
        let wire = Wire::new();
        let _by_hand = ByHand::begin();
        std::thread::scope(|threads| {
            threads.spawn(|| read(wire.name));
            let reader = tables().contexts.get(asleep(wire.name)).unwrap();
            suspected();
            let thread = reader.thread.load(Ordering::Acquire);
            let stat = format!("/proc/self/task/{thread}/stat");
            until(|| std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") S ")));
            // Of all threads only this one, as if it were no context and slept in memory of the user's.
            let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
            let tasks = tasks.map(|task| task.file_name().to_str().unwrap().parse::<u32>().unwrap());
            let others: Vec<u32> = tasks.filter(|task| *task != thread).collect();
            let rest = |known: &[u32]| crate::sys::threads::rest(std::process::id(), known, &[]);
            let seen = (rest(&others), rest(&[&others[..], &[thread]].concat()));
            write(wire.name, 1).unwrap();
            assert_eq!(seen, (None, Some(Vec::new())));
        });
    });
}
