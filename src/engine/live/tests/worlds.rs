//! Several worlds in one process: what happens in one of them does not concern the others.
//!
//! Knows nothing of processes of the operating system, which have the world of their program.

use super::super::Tables;
use super::watch::{apart, guarded, until};
use super::wire::{Wire, here, read, write};
use crate::ExitGuard;
use crate::engine::{ArenaError, ChannelKind, Holder, Member, Store, along, member, tables, within};
use crate::prelude::*;
use std::sync::Barrier;
use std::thread;

#[process(thread)]
fn double(input: Reader<u32>, output: Writer<u32>) -> crate::Result<()> {
    loop {
        output.write(input.read()? * 2)?;
    }
}

#[process(thread)]
fn feed(output: Writer<u32>) -> crate::Result<()> {
    (0..100).try_for_each(|value| output.write(value))?;
    Ok(())
}

#[process(thread)]
fn add(input: Reader<u32>) -> crate::Result<u32> {
    Ok(input.results().sum::<Result<u32, _>>()?)
}

#[test]
fn one_name_in_two_worlds_is_two_channels() {
    let worlds = [(); 2].map(|()| Tables::apart(64 << 20));
    guarded("one_name_in_two_worlds_is_two_channels", worlds[0], || {
        let both_are_there = Barrier::new(2);
        let names = thread::scope(|threads| {
            let running = [(worlds[0], 10), (worlds[1], 20)].map(|(world, value)| {
                let both_are_there = &both_are_there;
                threads.spawn(within(world, move || {
                    let wire = Wire::new();
                    both_are_there.wait();
                    let read = thread::scope(|threads| {
                        let reader = threads.spawn(along(|| [(); 100].map(|()| read(wire.name).unwrap())));
                        (0..100).for_each(|round| write(wire.name, value + round).unwrap());
                        reader.join().unwrap()
                    });
                    assert!(read.into_iter().eq(value..value + 100), "each is read where it was written");
                    wire.name
                }))
            });
            running.map(|running| running.join().unwrap())
        });
        assert_eq!(names[0], names[1], "the slots of a fresh world are given out in one order");
        for world in worlds {
            until(|| world.census().contexts == 0);
            assert_eq!(world.faults(), Vec::<String>::new());
        }
    });
}

#[process(thread)]
fn until_retired(input: Reader<u32>) {
    input.into_iter().for_each(drop);
}

/// In a world of its own the next process has the slot of the one before, so that both can be asked about it.
#[test]
fn a_guard_of_an_end_is_of_no_process_that_has_the_slot_by_now() {
    apart("a_guard_of_an_end_is_of_no_process_that_has_the_slot_by_now", || {
        let start = || {
            let (stays, until) = crate::channel();
            (Spawn!(until_retired(until)).unwrap(), stays)
        };
        let slot_of = |id| Member::all().find(|(_, slot)| slot.serial() == id).unwrap();
        let fires = |guard: ExitGuard| PriSelect! { guard => true, skip => false }.unwrap();
        let (first, stays) = start();
        let (old, (name, _)) = (first.id(), slot_of(first.id().0));
        let guard = first.exit_guard();
        assert!(!fires(old.exit_guard()));
        drop(stays);
        first.join().unwrap();
        let (second, stays) = start();
        let (now, slot) = slot_of(second.id().0);
        assert!(now.index == name.index && now.generation != name.generation);
        // Also for somebody who has found the slot a moment before it was given to another process.
        assert!(fires(guard) && fires(old.exit_guard()) && fires(old.exit_guard_in(slot)));
        assert!(!fires(second.exit_guard()) && !fires(second.id().exit_guard_in(slot)));
        drop(stays);
        second.join().unwrap();
    });
}

#[test]
fn a_world_that_is_full_leaves_others_alone() {
    apart("a_world_that_is_full_leaves_others_alone", || {
        let small = Tables::apart(4 << 20);
        thread::scope(|threads| {
            let fill = || {
                let holder = Holder::Member(member().unwrap());
                let kind = ChannelKind::Channel(Store::Fifo(0));
                let error = loop {
                    match here(|local| local.create_channel("", kind, holder)) {
                        Ok(_) => {}
                        Err(error) => break error,
                    }
                };
                assert!(matches!(error, ArenaError::Exhausted { .. }), "{error}");
            };
            threads.spawn(within(small, fill)).join().unwrap();
        });
        assert!(small.census().channels > 100);
        assert_eq!(tables().census().channels, 0);
        drop(Wire::new());
    });
}

#[test]
fn processes_on_threads_have_the_world_of_their_starter() {
    apart("processes_on_threads_have_the_world_of_their_starter", || {
        let (c, d) = (Channel::new(), Channel::new());
        let before = tables().census().members;
        let (fed, _, sum) = Parallel!(feed(c.writer()), double(c.reader(), d.writer()), add(d.reader())).unwrap();
        drop((c, d));
        fed.unwrap();
        assert_eq!(sum.unwrap(), 9900);
        assert_eq!(tables().census().members, before);
    });
}
