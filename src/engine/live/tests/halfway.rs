//! Processes killed between two steps of the protocol: others go on as if the step had been made, or as if it had not.
//!
//! Knows nothing of chance: each test takes the protocol's own pieces and dies at one chosen place.

use super::audit::{faults, first_waiting, lock_holder};
use super::watch::{alone, found, until};
use super::wire::{Wire, here, keep, message, name_of, offer, output, read, signal, stop, write};
use crate::engine::{ChannelKind, Closing, Direction, Holder, Order, Owner, Store, host, member, tables};
use crate::memory::Slot;
use crate::{Channel, OnCrash, Reader, Spawn, Writer, process};
use rustix::process::Signal;
use std::sync::atomic::Ordering;

/// Stays where it is until it is killed.
fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

#[process]
fn stay_with(_reader: Reader<u8>, _writer: Writer<u8>) {
    stay()
}

#[process]
fn stay_with_lock(writer: Writer<u8>) {
    let name = name_of(&writer);
    here(|local| local.lock_and_stay(name));
    stay()
}

/// A burial needs the lock of a channel, whose holder dies meanwhile: nobody but the reaper can break it.
#[test]
fn a_holder_that_dies_while_a_burial_waits_for_its_lock_does_not_stop_the_reaper() {
    alone("a_holder_that_dies_while_a_burial_waits_for_its_lock_does_not_stop_the_reaper", || {
        let c = Channel::<u8>::new();
        let reader = c.reader();
        let name = name_of(&reader);
        let first = Spawn!(stay_with(c.reader(), Channel::new().writer())).unwrap();
        let second = Spawn!(stay_with_lock(c.writer())).unwrap();
        found(|| lock_holder(name.index));
        signal(first.pid().unwrap(), Signal::KILL);
        // The reaper waits for the lock, in the first one's burial.
        until(|| tables().channels.get(name.index).is_some_and(|channel| channel.lock.is_slept_on()));
        signal(second.pid().unwrap(), Signal::KILL);
        first.join().unwrap_err();
        second.join().unwrap_err();
        assert!(reader.read().unwrap_err().is_lost());
        assert_eq!(faults(), Vec::<String>::new());
    });
}

#[process]
fn stop_with_lock(writer: Writer<u8>) -> crate::Result<()> {
    let channel = here(|local| local.lock_and_stay(name_of(&writer)));
    // Not by `kill`: another thread of the process may take that, and this one go on for a moment.
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP).unwrap();
    channel.lock.release();
    Ok(writer.write(1)?)
}

/// A holder that is only stopped may come back, so its lock is nobody else's: they sleep until it goes on, or is
/// killed.
#[test]
fn a_holder_that_is_stopped_holds_others_up_until_it_goes_on_or_is_killed() {
    alone("a_holder_that_is_stopped_holds_others_up_until_it_goes_on_or_is_killed", || {
        for (way, wanted) in [(Signal::CONT, Some(1)), (Signal::KILL, None)] {
            let c = Channel::<u8>::new();
            let reader = c.reader();
            let name = name_of(&reader);
            let holder = Spawn!(stop_with_lock(c.writer())).unwrap();
            found(|| lock_holder(name.index));
            let other = std::thread::spawn(move || reader.read());
            until(|| {
                let mut contexts = tables().contexts.taken();
                contexts.any(|(_, _, context)| context.sleeping.load(Ordering::Acquire) == Some(name.index))
            });
            stop(holder.pid().unwrap());
            signal(holder.pid().unwrap(), way);
            assert_eq!(holder.join().is_ok(), wanted.is_some());
            let got = other.join().unwrap();
            assert!(got.as_ref().err().is_none_or(|error| error.is_lost()), "{got:?}");
            assert_eq!(got.ok(), wanted);
        }
        assert_eq!(faults(), Vec::<String>::new());
    });
}

#[process]
fn start_another(writer: Writer<u8>, ready: Writer<u8>) {
    let _child = Spawn!(stay_with(Channel::new().reader(), writer)).unwrap();
    ready.write(1).unwrap();
    stay()
}

#[test]
fn the_children_of_a_killed_process_are_buried_too() {
    alone("the_children_of_a_killed_process_are_buried_too", || {
        let (c, d) = (Channel::<u8>::new(), Channel::<u8>::new());
        let (reader, ready) = (c.reader(), d.reader());
        let starter = Spawn!(start_another(c.writer(), d.writer())).unwrap();
        ready.read().unwrap();
        starter.kill().unwrap();
        starter.join().unwrap_err();
        assert!(reader.read().unwrap_err().is_lost());
        assert_eq!(faults(), Vec::<String>::new());
    });
}

#[process]
fn choose_where_to_write(first: Writer<u8>, second: Writer<u8>) -> (bool, bool) {
    let (left, right) = (message(1), message(2));
    let fired = offer(&[output(name_of(&first), left), output(name_of(&second), right)], Order::Priority);
    keep(fired.outcome.unwrap());
    let kept = tables().arena.block(left).owner() == here(|local| local.owner());
    if kept {
        keep(left);
    }
    (fired.index == 1, kept)
}

#[process]
fn read_raw(reader: Reader<u8>) {
    let _ = read(name_of(&reader));
    stay()
}

/// Who commits takes the offer out of the queue and leaves its mark to the owner; the owner dies before it has cleared
/// it.
#[test]
fn an_offer_that_was_answered_is_not_taken_out_twice_when_its_owner_dies() {
    alone("an_offer_that_was_answered_is_not_taken_out_twice_when_its_owner_dies", || {
        let c = Channel::<u8>::new();
        let _ends = (c.reader(), c.writer());
        let name = name_of(&c.reader());
        let answered = Spawn!(read_raw(c.reader()).on_crash(OnCrash::Retire)).unwrap();
        found(|| first_waiting(name, false));
        stop(answered.pid().unwrap());
        assert_eq!(write(name, 1), Ok(()));
        let other = std::thread::spawn(move || read(name));
        found(|| first_waiting(name, false));
        signal(answered.pid().unwrap(), Signal::KILL);
        answered.join().unwrap_err();
        assert!(first_waiting(name, false).is_some(), "somebody who waits was lost from the queue");
        assert_eq!(write(name, 2), Ok(()));
        assert_eq!(other.join().unwrap(), Ok(2));
        assert_eq!(faults(), Vec::<String>::new());
    });
}

/// The reader R meets the stale offer of the writer X first and announces that exchange; then it waits, is committed,
/// and killed.
#[test]
fn an_exchange_that_failed_is_not_settled_when_its_author_dies() {
    alone("an_exchange_that_failed_is_not_settled_when_its_author_dies", || {
        let (c, d) = (Channel::<u8>::new(), Channel::<u8>::new());
        let _ends = (c.reader(), c.writer(), d.reader(), d.writer());
        let (left, right) = (name_of(&c.reader()), name_of(&d.reader()));
        let chooser = Spawn!(choose_where_to_write(c.writer(), d.writer())).unwrap();
        let waiting = found(|| first_waiting(right, true));
        stop(chooser.pid().unwrap());
        assert_eq!(read(right), Ok(2));
        let block = tables().contexts.get(waiting).unwrap().offer(tables(), 0).unwrap().block.load(Ordering::Acquire);
        assert_eq!(tables().arena.block(block).owner(), Owner::Context(waiting).tag());
        let author = Spawn!(read_raw(c.reader())).unwrap();
        found(|| first_waiting(left, false));
        stop(author.pid().unwrap());
        assert_eq!(write(left, 3), Ok(()));
        signal(author.pid().unwrap(), Signal::KILL);
        author.join().unwrap_err();
        let owner = tables().arena.block(block).owner();
        signal(chooser.pid().unwrap(), Signal::CONT);
        assert_eq!(chooser.join().unwrap(), (true, true), "the loser's block was freed under its owner");
        assert_eq!(owner, Owner::Context(waiting).tag());
        assert_eq!(faults(), Vec::<String>::new());
    });
}

#[process]
fn free_a_channel_and_die_with_its_lock() {
    here(|local| {
        let (name, _) =
            local.create_channel("", ChannelKind::Channel(Store::Fifo(0)), Holder::Member(member().unwrap())).unwrap();
        let channel = local.lock_and_stay(name);
        channel.handles.store(0, Ordering::Relaxed);
        tables().channels.give_back(name.index, name.generation);
        // Somebody else makes a channel of the slot, and waits for the lock.
        until(|| {
            let mut contexts = tables().contexts.taken();
            contexts.any(|(_, _, context)| context.sleeping.load(Ordering::Acquire) == Some(name.index))
        });
        std::process::abort();
    });
}

#[test]
fn a_channel_made_in_the_slot_of_one_that_a_corpse_was_freeing_exists() {
    alone("a_channel_made_in_the_slot_of_one_that_a_corpse_was_freeing_exists", || {
        let process = Spawn!(free_a_channel_and_die_with_its_lock()).unwrap();
        // Locked, but free.
        let slot = found(|| {
            let mut slots = tables().channels.used();
            slots.find_map(|(index, channel)| {
                (channel.lock.holder().is_some() && channel.state().taken().is_none()).then_some(index)
            })
        });
        let wire = Wire::new();
        process.join().unwrap_err();
        assert_eq!(wire.name.index, slot, "the free slots are a stack");
        assert!(tables().channel(wire.name).is_some(), "the reaper freed a channel that was just made");
        assert_eq!(faults(), Vec::<String>::new());
    });
}

#[test]
fn an_end_asked_of_a_channel_that_is_gone_can_be_closed() {
    alone("an_end_asked_of_a_channel_that_is_gone_can_be_closed", || {
        let gone = Wire::new().name;
        let before = tables().ends.taken().count();
        here(|local| {
            let holder = Holder::Member(member().unwrap());
            for _ in 0..100 {
                let end = local.request_end(gone, Direction::Reader, holder).unwrap();
                local.close_end(end, Closing::Retire);
            }
        });
        assert_eq!(tables().ends.taken().count(), before);
    });
}

#[process]
fn release_without_waking(_needed: Reader<u8>, locked: Reader<u8>) {
    let name = name_of(&locked);
    let channel = here(|local| local.lock_and_stay(name));
    until(|| {
        let mut contexts = tables().contexts.taken();
        contexts.any(|(_, _, context)| context.sleeping.load(Ordering::Acquire) == Some(name.index))
    });
    channel.lock.release_and_die();
}

/// The sleeper that the dead one owes a wake-up holds the lock that the burial needs before it wakes everybody.
#[test]
fn a_burial_that_needs_the_lock_of_somebody_who_was_not_woken_comes_to_its_end() {
    alone("a_burial_that_needs_the_lock_of_somebody_who_was_not_woken_comes_to_its_end", || {
        let (first, second) = (Channel::<u8>::new(), Channel::<u8>::new());
        let (left, right) = (first.reader(), second.reader());
        let _writers = (first.writer(), second.writer());
        let names = [name_of(&left), name_of(&right)];
        assert!(names[0].index != names[1].index);
        // Locks are taken in the order of the channels.
        let (low, high) = if names[0].index < names[1].index { (first, second) } else { (second, first) };
        let high_name = name_of(&high.reader());
        let dead = release_without_waking(low.reader(), high.reader()).on_crash(OnCrash::Retire);
        let dead = Spawn!(dead).unwrap();
        found(|| lock_holder(high_name.index));
        let chooser = std::thread::spawn(move || {
            crate::PriSelect! { value = left.read() => value, value = right.read() => value }
        });
        dead.join().unwrap_err();
        high.writer().write(7).unwrap();
        assert_eq!(chooser.join().unwrap(), Ok(7));
        assert_eq!(faults(), Vec::<String>::new());
    });
}

#[process]
fn let_a_thread_come_and_go(ready: Writer<u32>) {
    let index = std::thread::spawn(|| here(|local| local.index)).join().unwrap();
    ready.write(index).unwrap();
    stay()
}

/// A context slot names its new host from the moment at which it is taken, never the one that used it before.
#[test]
fn a_burial_spares_a_context_whose_slot_the_dead_had_used_before() {
    alone("a_burial_spares_a_context_whose_slot_the_dead_had_used_before", || {
        let c = Channel::<u32>::new();
        let reader = c.reader();
        let process = Spawn!(let_a_thread_come_and_go(c.writer())).unwrap();
        let left = reader.read().unwrap();
        let own = host().unwrap();
        let (index, generation, context) =
            tables().contexts.take(|_, context| context.host.store(Some(own), Ordering::Release)).unwrap();
        assert_eq!(index, left, "the free slots are a stack");
        process.kill().unwrap();
        process.join().unwrap_err();
        assert!(context.state().is(generation), "the burial gave away a context that has just been taken");
        tables().contexts.give_back(index, generation);
    });
}
