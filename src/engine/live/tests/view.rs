//! A view shows what is there: of a small network all of it, and of a busy one nothing that could not be.
//!
//! Knows nothing of what is printed of it.

use super::super::tables::LAYOUT;
use super::super::{Phase, Role};
use super::watch::{alone, apart, found, until};
use super::wire::{Wire, here, input, name_of, read, write};
use crate::engine::view::{Action, ChannelView, ContextView, Doing, OfferView, View};
use crate::engine::{
    Actor, ChannelKind, ChannelName, Direction, Fate, Guard, Holder, Order, Store, actor, along, host, tables,
};
use crate::{Channel, Reader, Spawn, Writer, process};
use std::collections::HashMap;
use std::panic::Location;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

fn view() -> View {
    actor(Actor::view)
}

/// The context that waits to do this at a channel.
fn waiting(view: &View, action: Action, channel: ChannelName) -> Option<ContextView> {
    let waits = |context: &&ContextView| context.offers.contains(&OfferView { action, channel });
    view.contexts.iter().find(waits).cloned()
}

#[process]
fn reads_with_a_line(input: Reader<u8>) -> crate::Result<()> {
    input.read()?;
    Ok(())
}
const LINE: u32 = line!() - 3;

#[test]
fn a_view_of_a_small_network_has_its_facts_and_no_others() {
    alone("a_view_of_a_small_network_has_its_facts_and_no_others", || {
        let own = host().unwrap();
        let before = view();
        let buffer = Wire::of("jobs", ChannelKind::Channel(Store::Fifo(3)));
        let barrier = Wire::of("all", ChannelKind::Barrier { parties: 3 });
        let poisoned = Wire::new();
        let asked = Channel::<u8>::builder().name("asked").build().unwrap();
        write(buffer.name, 1).unwrap();
        write(buffer.name, 2).unwrap();
        here(|local| local.poison(poisoned.name, Direction::Writer));
        let child = Spawn!(reads_with_a_line(asked.reader())).unwrap();
        let writer = asked.writer();
        let name = name_of(&writer);
        let index = std::thread::scope(|threads| {
            threads.spawn(|| {
                here(|local| {
                    local
                        .offer(&[Guard::Barrier { channel: barrier.name }], Order::Priority, Location::caller())
                        .unwrap()
                })
            });
            let both = |view: &View| waiting(view, Action::Sync, barrier.name).zip(waiting(view, Action::Read, name));
            let (seen, (party, reader)) = found(|| {
                let view = view();
                let both = both(&view)?;
                // Asleep, so that nothing changes any more.
                let asleep = Doing::Waits { timed: false, asleep: true };
                (both.0.doing == asleep && both.1.doing == asleep).then_some((view, both))
            });

            let identity = seen.identity.as_ref().unwrap();
            assert_eq!((identity.layout, identity.size), (LAYOUT, tables().arena.size() as u64));
            assert_eq!(identity.origin.pid, std::process::id(), "the program itself has mapped it");

            // Processes: the program and one child.
            let network: Vec<_> = seen.processes.iter().filter(|process| process.is_of_the_network()).collect();
            let [program, process] = network[..] else { panic!("{network:?}") };
            assert_eq!((program.name.index, program.role, program.pid), (own, Role::Program, std::process::id()));
            assert!(program.is_host() && process.is_host());
            assert_eq!((process.role, process.phase, process.disowned), (Role::Process, Phase::Running, false));
            assert_eq!((process.id, process.pid), (child.id(), child.pid().unwrap()));

            // Contexts: who waits, where, and for what.
            assert_eq!((party.member, party.host), (Some(own), Some(own)));
            assert_eq!(party.offers, [OfferView { action: Action::Sync, channel: barrier.name }]);
            assert_eq!((reader.member, reader.host), (Some(process.name.index), Some(process.name.index)));
            assert_eq!(reader.offers, [OfferView { action: Action::Read, channel: name }]);
            let location = reader.location.unwrap();
            assert_eq!((location.file(), location.line()), (file!(), LINE));
            let mine = seen.contexts_of(own).find(|context| context.thread == crate::sys::threads::current()).unwrap();
            assert_eq!((mine.doing, mine.offers.len()), (Doing::Runs, 0));

            // Channels: these four, and one that tells of the end of the child.
            let new = |channel: &&ChannelView| before.channel(channel.name).is_none();
            let new: Vec<&ChannelView> = seen.channels.iter().filter(new).collect();
            assert_eq!(new.len(), 5, "{new:?}");
            assert_eq!(new.iter().filter(|channel| channel.kind == ChannelKind::End).count(), 1);
            let expected = |name, label: &str, kind, fate, ends: [u32; 3], messages| {
                let [readers, writers, handles] = ends;
                let label = String::from(label);
                // Something has happened at each of them.
                let number = seen.channel(name).map_or(0, |channel| channel.number).max(1);
                ChannelView {
                    name,
                    label,
                    kind,
                    fate,
                    readers,
                    writers,
                    handles,
                    messages,
                    served: false,
                    in_use: 0,
                    locked: false,
                    number,
                }
            };
            let three = Store::Fifo(3);
            let none = ChannelKind::Channel(Store::Fifo(0));
            for channel in [
                expected(buffer.name, "jobs", ChannelKind::Channel(three), None, [1, 1, 1], 2),
                expected(barrier.name, "all", ChannelKind::Barrier { parties: 3 }, None, [1, 1, 1], 0),
                expected(poisoned.name, "", none, Some(Fate::Poisoned), [1, 1, 1], 0),
                expected(name, "asked", none, None, [1, 1, 1], 0),
            ] {
                assert_eq!(seen.channel(channel.name), Some(&channel));
            }
            assert!(seen.channel(buffer.name).unwrap().is_buffered() && !seen.channel(name).unwrap().is_buffered());
            assert_eq!((seen.waiting(name, Action::Read), seen.waiting(name, Action::Write)), (1, 0));

            // Ends: who has them.
            let held = |channel, direction| {
                let mut ends = seen.ends.iter().filter(|end| end.channel == channel && end.direction == direction);
                let holder = ends.next().unwrap().holder;
                assert_eq!(ends.next(), None);
                holder
            };
            assert_eq!(held(name, Direction::Reader), Holder::Member(process.name.index));
            assert_eq!(held(name, Direction::Writer), Holder::Member(own));
            assert_eq!(held(buffer.name, Direction::Handle), Holder::Member(own));

            here(|local| local.poison(barrier.name, Direction::Writer));
            process.name.index
        });
        writer.write(7).unwrap();
        child.join().unwrap().unwrap();
        // What is gone is not shown.
        until(|| view().process(index).is_none_or(|process| !process.is_of_the_network()));
        drop((buffer, barrier, poisoned, asked, writer));
        let channels = |view: &View| view.channels.iter().map(|channel| channel.name).collect::<Vec<_>>();
        until(|| channels(&view()) == channels(&before));
    });
}

/// From one channel to the next, by threads that know of each other only what they read.
#[test]
fn the_numbers_of_a_view_rise_along_a_chain_of_causes() {
    apart("the_numbers_of_a_view_rise_along_a_chain_of_causes", || {
        let [first, second, third, aside] = [(); 4].map(|()| Wire::buffered(8));
        let chain = [first.name, second.name, third.name];
        let number = |view: &View, channel| view.channel(channel).unwrap().number;
        assert!(chain.iter().all(|channel| number(&view(), *channel) == 0), "nothing has happened there");
        let (all_are_done, all_may_go) = (Barrier::new(4), Barrier::new(4));
        std::thread::scope(|threads| {
            let link = |from: Option<ChannelName>, to: ChannelName| {
                let (all_are_done, all_may_go) = (&all_are_done, &all_may_go);
                threads.spawn(along(move || {
                    from.iter().for_each(|from| assert_eq!(read(*from), Ok(1)));
                    write(to, 1).unwrap();
                    all_are_done.wait();
                    all_may_go.wait();
                    crate::sys::threads::current()
                }))
            };
            let links = [link(None, chain[0]), link(Some(chain[0]), chain[1]), link(Some(chain[1]), chain[2])];
            all_are_done.wait();
            let seen = view();
            all_may_go.wait();
            let [one, two, three] = links.map(|link| {
                let thread = link.join().unwrap();
                seen.contexts.iter().find(|context| context.thread == thread).unwrap().number
            });
            let numbers = chain.map(|channel| number(&seen, channel));
            // Who was read from may have been met, or its message found; nothing came after the last write.
            assert!(0 < one && one <= numbers[0] && numbers[0] < two, "{one}, {two}, {three}; {numbers:?}");
            assert!(two <= numbers[1] && numbers[1] < three && three == numbers[2], "{two}, {three}; {numbers:?}");
            // What has nothing to do with the chain has numbers of its own.
            let mut before = 0;
            for value in 0..8 {
                write(aside.name, value).unwrap();
                let now = view();
                assert!(number(&now, aside.name) > before);
                before = number(&now, aside.name);
                assert_eq!(chain.map(|channel| number(&now, channel)), numbers);
            }
        });
    });
}

#[process]
fn relay(input: Reader<u64>, output: Writer<u64>) -> crate::Result<()> {
    loop {
        output.write(input.read()?)?;
    }
}

/// What no moment of a network can look like.
fn check(view: &View) {
    let mut readers = HashMap::<ChannelName, usize>::new();
    for context in &view.contexts {
        match context.doing {
            Doing::Runs | Doing::Answered | Doing::Dead => assert_eq!(context.offers, [], "{context:?}"),
            Doing::Held { reader } => {
                assert_eq!(context.offers.len(), 1, "{context:?}");
                assert_ne!(reader, Some(context.index), "{context:?}");
            }
            Doing::Waits { .. } => (),
        }
        for offer in &context.offers {
            let channel = view.channel(offer.channel);
            let channel = channel.unwrap_or_else(|| panic!("{context:?} waits on a channel that is gone"));
            match (channel.kind, offer.action) {
                (ChannelKind::Barrier { parties }, Action::Sync) => {
                    let here = view.waiting(channel.name, Action::Sync);
                    assert!(here < parties as usize, "{here} parties wait for each other: {channel:?}");
                }
                (ChannelKind::End, Action::Join) | (ChannelKind::Gate { .. }, Action::Pass) => (),
                (ChannelKind::Channel(_), Action::Read) => {
                    assert_eq!(channel.messages, 0, "{context:?} waits to read what is there: {channel:?}");
                    *readers.entry(channel.name).or_default() += 1;
                }
                (ChannelKind::Channel(_), Action::Write | Action::Release) => (),
                impossible => panic!("{impossible:?} of {context:?}"),
            }
        }
    }
    for (channel, readers) in readers {
        let writers = view.waiting(channel, Action::Write);
        assert_eq!(writers, 0, "{readers} readers and {writers} writers wait for each other at {channel:?}");
    }
}

#[test]
fn views_of_a_busy_network_never_show_what_cannot_be() {
    alone("views_of_a_busy_network_never_show_what_cannot_be", || {
        let over = AtomicBool::new(false);
        let (rendezvous, buffer) = (Wire::new(), Wire::buffered(2));
        let barrier = Wire::of("", ChannelKind::Barrier { parties: 2 });
        let (c, d) = (Channel::<u64>::new(), Channel::<u64>::new());
        let child = Spawn!(relay(c.reader(), d.writer())).unwrap();
        let (to, from) = (c.writer(), d.reader());
        std::thread::scope(|threads| {
            // A value through the rendezvous, one through the buffer, and back.
            let wires = [rendezvous.name, buffer.name];
            threads.spawn(move || while wires.iter().all(|wire| write(*wire, 1).is_ok()) {});
            threads.spawn(move || {
                loop {
                    let fired = super::wire::offer(&wires.map(input), Order::Random);
                    match fired.outcome {
                        Ok(block) => super::wire::keep(block),
                        Err(_) => break,
                    }
                }
            });
            let sync = move || loop {
                let guard = Guard::Barrier { channel: barrier.name };
                if super::wire::offer(&[guard], Order::Priority).outcome.is_err() {
                    break;
                }
            };
            threads.spawn(sync);
            threads.spawn(sync);
            // Channels that come and go, each with somebody who waits at it.
            threads.spawn(|| {
                while !over.load(Ordering::Acquire) {
                    let wire = Wire::new();
                    std::thread::scope(|threads| {
                        threads.spawn(|| read(wire.name));
                        until(|| {
                            over.load(Ordering::Acquire) || super::audit::first_waiting(wire.name, false).is_some()
                        });
                        here(|local| local.poison(wire.name, Direction::Writer));
                    });
                }
            });
            threads.spawn(|| {
                while !over.load(Ordering::Acquire) {
                    to.write(1).unwrap();
                    assert_eq!(from.read().unwrap(), 1);
                }
            });
            let (mut waits, mut kinds) = (0, 0);
            for _ in 0..1000 {
                let view = view();
                check(&view);
                waits += view.contexts.iter().filter(|context| !context.offers.is_empty()).count();
                kinds += usize::from(waiting(&view, Action::Sync, barrier.name).is_some());
            }
            assert!(waits > 100 && kinds > 10, "nothing was seen: {waits} waits, {kinds} of them at the barrier");
            over.store(true, Ordering::Release);
            for wire in [&rendezvous, &buffer, &barrier] {
                here(|local| local.poison(wire.name, Direction::Reader));
            }
        });
        drop((to, from));
        child.join().unwrap().unwrap_err();
        drop((c, d));
    });
}
