//! What `audit` says about tables that are damaged by hand, one thing at a time: each kind of finding is made, and each
//! is gone with the damage.
//!
//! Knows nothing of how such damage could come about; that it does not is what all other tests say.

use super::super::channel::NO_WRITERS;
use super::super::context::Context;
use super::super::word::Attempt;
use super::audit::first_waiting;
use super::watch::{apart, found, until};
use super::wire::{Wire, here, keep, message, offer, read, write};
use crate::audit;
use crate::engine::{ChannelKind, Closing, Guard, Holder, Opened, Order, Owner, along, member, tables};
use std::sync::atomic::Ordering;

/// Neither a process nor a context has this number.
const NOBODY: u32 = 2_000_000;

/// Does damage, lets the audit look at it, and repairs it.
#[track_caller]
fn says(damage: impl FnOnce(), finding: &str, repair: impl FnOnce()) {
    let before = audit();
    assert!(before.is_clean(), "{before}");
    damage();
    let found = audit();
    repair();
    assert_eq!(found.findings(), [finding]);
    assert!(!found.is_clean() && found.to_string().ends_with(&format!("; 1 findings:\n  {finding}")), "{found}");
    let after = audit();
    assert!(after.is_clean(), "{after}");
}

/// Runs while a reader waits on the wire.
fn while_a_reader_waits(wire: &Wire, work: impl FnOnce(u32, &'static Context)) {
    let name = wire.name;
    std::thread::scope(|threads| {
        let reader = threads.spawn(along(move || read(name)));
        let waiting = found(|| first_waiting(name, false));
        work(waiting, tables().contexts.get(waiting).unwrap());
        write(name, 1).unwrap();
        assert_eq!(reader.join().unwrap(), Ok(1));
    });
}

#[test]
fn a_lock_that_stays() {
    apart("a_lock_that_stays", || {
        let wire = Wire::new();
        let (channel, me) = (tables().channel(wire.name).unwrap(), here(|local| local.index));
        says(
            || _ = here(|local| local.lock_and_stay(wire.name)),
            &format!("the lock of channel {} is held by context {me}", wire.name.index),
            || here(|_| channel.lock.release()),
        );
    });
}

/// What is so only for a moment is somebody at work.
#[test]
fn a_lock_that_is_given_back_is_no_finding() {
    apart("a_lock_that_is_given_back_is_no_finding", || {
        let wire = Wire::new();
        let channel = here(|local| local.lock_and_stay(wire.name));
        let looked = std::thread::scope(|threads| {
            let (say, said) = std::sync::mpsc::channel();
            let looking = threads.spawn(along(move || {
                say.send(crate::sys::threads::current()).unwrap();
                audit()
            }));
            // An audit sleeps only when it has a finding, between the readings in which that must be found again.
            let stat = format!("/proc/self/task/{}/stat", said.recv().unwrap());
            until(|| std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") S ")));
            here(|_| channel.lock.release());
            looking.join().unwrap()
        });
        assert!(looked.is_clean(), "{looked}");
    });
}

#[test]
fn ends_that_are_not_there() {
    apart("ends_that_are_not_there", || {
        let wire = Wire::new();
        let index = wire.name.index;
        let channel = tables().channel(wire.name).unwrap();
        for (count, said) in
            [(&channel.readers, [2, 1, 1]), (&channel.writers, [1, 2, 1]), (&channel.handles, [1, 1, 2])]
        {
            says(
                || _ = count.fetch_add(1, Ordering::AcqRel),
                &format!("channel {index} says it has {said:?} ends, and has [1, 1, 1]"),
                || _ = count.fetch_sub(1, Ordering::AcqRel),
            );
        }
    });
}

#[test]
fn permits_that_nobody_has() {
    apart("permits_that_nobody_has", || {
        let wire = Wire::of("", ChannelKind::Gate { permits: 3, opened: Opened::ByHolders });
        let holder = Some(Holder::Member(member().unwrap()));
        let guard = Guard::Pass { gate: wire.name, weight: 2, holder };
        let unit = offer(&[guard], Order::Priority).unit().unwrap();
        // A gate has no buffer, whose word this is otherwise.
        let in_use = &tables().channel(wire.name).unwrap().tail;
        says(
            || in_use.store(3, Ordering::Release),
            &format!("gate {} says that 3 permits are in use, and 2 are", wire.name.index),
            || in_use.store(2, Ordering::Release),
        );
        here(|local| local.close_end(unit, Closing::Resign));
        assert_eq!(in_use.load(Ordering::Acquire), 0);
    });
}

#[test]
fn messages_that_are_not_there() {
    apart("messages_that_are_not_there", || {
        let wire = Wire::new();
        let length = &tables().channel(wire.name).unwrap().length;
        says(
            || length.store(1, Ordering::Release),
            &format!("channel {} says it keeps 1 messages, and keeps 0", wire.name.index),
            || length.store(0, Ordering::Release),
        );
    });
}

#[test]
fn an_offer_that_is_queued_and_not_marked() {
    apart("an_offer_that_is_queued_and_not_marked", || {
        let wire = Wire::new();
        while_a_reader_waits(&wire, |_, context| {
            let offer = context.offer(tables(), 0).unwrap();
            says(
                || offer.set_linked(false),
                &format!("channel {}: 1 offers are queued, but marked are []", wire.name.index),
                || offer.set_linked(true),
            );
        });
    });
}

#[test]
fn somebody_who_waits_where_nothing_will_come() {
    apart("somebody_who_waits_where_nothing_will_come", || {
        let wire = Wire::new();
        let flags = &tables().channel(wire.name).unwrap().flags;
        while_a_reader_waits(&wire, |_, _| {
            says(
                || _ = flags.fetch_or(NO_WRITERS, Ordering::AcqRel),
                &format!("channel {} has retired, and somebody waits", wire.name.index),
                || _ = flags.fetch_and(!NO_WRITERS, Ordering::AcqRel),
            );
        });
    });
}

#[test]
fn a_context_of_a_process_that_is_gone() {
    apart("a_context_of_a_process_that_is_gone", || {
        let wire = Wire::new();
        while_a_reader_waits(&wire, |waiting, context| {
            let host = context.host.load(Ordering::Acquire);
            says(
                || context.host.store(Some(NOBODY), Ordering::Release),
                &format!("context {waiting} belongs to process {NOBODY}, which is gone"),
                || context.host.store(host, Ordering::Release),
            );
        });
    });
}

#[test]
fn an_end_of_a_process_that_is_gone() {
    apart("an_end_of_a_process_that_is_gone", || {
        let wire = Wire::new();
        let (end, own) = (wire.ends[0], Holder::Member(member().unwrap()));
        says(
            || assert!(here(|local| local.move_end(end, own, Holder::Member(NOBODY)))),
            &format!("end {} is held by Some(Member({NOBODY})), which is gone", end.index),
            || assert!(here(|local| local.move_end(end, Holder::Member(NOBODY), own))),
        );
    });
}

#[test]
fn a_block_that_nobody_has() {
    apart("a_block_that_nobody_has", || {
        let wire = Wire::new();
        let block = message(1);
        let header = tables().arena.block(block);
        let own = header.owner();
        for gone in [Owner::Context(NOBODY), Owner::Member(NOBODY), Owner::Channel(wire.name.index)] {
            says(
                || header.set_owner(gone.tag()),
                &format!("block {block} is owned by {:?}, which is gone", Some(gone)),
                || header.set_owner(own),
            );
        }
        keep(block);
    });
}

#[test]
fn a_writer_that_waits_for_a_reader_that_is_gone() {
    apart("a_writer_that_waits_for_a_reader_that_is_gone", || {
        let block = message(1);
        let (me, context) = here(|local| (local.index, local.context));
        let header = tables().arena.block(block);
        let own = header.owner();
        says(
            || {
                // As if the reader had died with it and the block been given back.
                header.set_owner(0);
                context.lend(block);
            },
            &format!("context {me} waits for a reader that is gone"),
            || {
                context.word.idle();
                header.set_owner(own);
            },
        );
        keep(block);
    });
}

#[test]
fn a_party_that_was_claimed_and_forgotten() {
    apart("a_party_that_was_claimed_and_forgotten", || {
        let wire = Wire::new();
        let (me, context) = here(|local| (local.index, local.context));
        let barrier = wire.name.index;
        says(
            || {
                context.wait(true);
                assert_eq!(context.word.claim(0, barrier), Attempt::Committed { parked: true });
            },
            &format!("context {me} is claimed for barrier {barrier}, whose lock is free"),
            || {
                assert!(context.word.commit_claimed(barrier));
                context.word.idle();
            },
        );
    });
}

/// Two channels, each with all ends in the message that the other one keeps. One end outside makes both reachable.
#[test]
fn channels_whose_ends_lie_in_messages_of_each_other() {
    apart("channels_whose_ends_lie_in_messages_of_each_other", || {
        let wires = [Wire::buffered(1), Wire::buffered(1)];
        let kept = wires.each_ref().map(|wire| {
            write(wire.name, 1).unwrap();
            Holder::Block(tables().channel(wire.name).unwrap().stored(tables())[0])
        });
        let [mut low, mut high] = wires.each_ref().map(|wire| wire.name.index);
        if low > high {
            (low, high) = (high, low);
        }
        let me = Holder::Member(member().unwrap());
        let moves = |ends: &[_], from, to| ends.iter().for_each(|end| assert!(here(|l| l.move_end(*end, from, to))));
        moves(&wires[0].ends, me, kept[1]);
        moves(&wires[1].ends[1..], me, kept[0]);
        let found = audit();
        assert!(found.is_clean(), "one end is still held: {found}");
        moves(&wires[1].ends[..1], me, kept[0]);
        let found = audit();
        moves(&wires[0].ends, kept[1], me);
        moves(&wires[1].ends, kept[0], me);
        let says =
            |lost, keeper| format!("channel {lost} can be reached by nobody: its ends lie in messages of {{{keeper}}}");
        assert_eq!(found.findings(), [says(low, high), says(high, low)]);
        for wire in &wires {
            assert_eq!(read(wire.name), Ok(1));
        }
    });
}
