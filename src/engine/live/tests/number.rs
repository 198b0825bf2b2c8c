//! Numbers tell which communication came before which: both sides of one have the same, and whatever one can have heard
//! of has a smaller one.
//!
//! Knows nothing of who asks for them.

use super::watch::{alone, until};
use super::wire::{Wire, here, input, keep, message, offer, output, read, value, write};
use crate::engine::{ChannelKind, ChannelName, Closing, Direction, EndName, Fate, Guard, Order};
use crate::{Placement, process};
use std::thread;

/// The number of what this thread did last.
fn number() -> u64 {
    here(|local| local.context.number())
}

fn until_queued(channel: ChannelName, output: bool) {
    until(|| super::audit::first_waiting(channel, output).is_some());
}

#[test]
fn both_sides_of_a_rendezvous_have_one_number_whoever_comes_first() {
    alone("both_sides_of_a_rendezvous_have_one_number_whoever_comes_first", || {
        let (wire, other) = (Wire::new(), Wire::new());
        for reader_first in [true, false] {
            thread::scope(|threads| {
                let before = number();
                let reader = threads.spawn(|| {
                    if !reader_first {
                        until_queued(wire.name, true);
                    }
                    // One guard, and two with a table of their own.
                    let guards = [input(other.name), input(wire.name)];
                    let guards = if reader_first { &guards[..] } else { &guards[1..] };
                    keep(offer(guards, Order::Priority).outcome.unwrap());
                    number()
                });
                if reader_first {
                    until_queued(wire.name, false);
                }
                write(wire.name, 1).unwrap();
                let after = number();
                assert_eq!(reader.join().unwrap(), after, "reader first: {reader_first}");
                assert!(after > before);
            });
        }
    });
}

#[test]
fn a_read_from_a_buffer_has_a_larger_number_than_the_write() {
    alone("a_read_from_a_buffer_has_a_larger_number_than_the_write", || {
        let wire = Wire::buffered(2);
        let writes = [1, 2].map(|value| {
            write(wire.name, value).unwrap();
            number()
        });
        assert!(writes[0] < writes[1]);
        let reads = thread::scope(|threads| {
            threads.spawn(|| [(); 2].map(|()| (read(wire.name).unwrap(), number()))).join().unwrap()
        });
        assert!(reads[0].1 > writes[0] && reads[1].1 > writes[1] && reads[0].1 < reads[1].1, "{writes:?} {reads:?}");
    });
}

#[test]
fn all_parties_of_a_barrier_have_one_number() {
    alone("all_parties_of_a_barrier_have_one_number", || {
        let barrier = Wire::of("", ChannelKind::Barrier { parties: 3 });
        let sync = || {
            offer(&[Guard::Barrier { channel: barrier.name }], Order::Priority).outcome.unwrap();
            number()
        };
        let numbers = thread::scope(|threads| {
            let parties = [(); 3].map(|()| threads.spawn(sync));
            parties.map(|party| party.join().unwrap())
        });
        assert!(numbers[0] > 0 && numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
    });
}

#[test]
fn whoever_is_told_a_fate_is_above_the_one_that_caused_it() {
    alone("whoever_is_told_a_fate_is_above_the_one_that_caused_it", || {
        let (busy, wire) = (Wire::buffered(8), Wire::new());
        thread::scope(|threads| {
            let waits = threads.spawn(|| (read(wire.name), number()));
            until_queued(wire.name, false);
            (0..8).for_each(|value| write(busy.name, value).unwrap());
            let cause = number();
            here(|local| local.poison(wire.name, Direction::Writer));
            let (told, waited) = waits.join().unwrap();
            let (found, came_later) = threads.spawn(|| (read(wire.name), number())).join().unwrap();
            assert_eq!((told, found), (Err(Fate::Poisoned), Err(Fate::Poisoned)));
            assert!(waited > cause && came_later > cause, "{waited} and {came_later}, {cause}");
        });
        here(|local| local.close_end(busy.ends[0], Closing::Retire));
    });
}

#[test]
fn a_writer_that_was_held_is_above_all_that_its_reader_did_meanwhile() {
    alone("a_writer_that_was_held_is_above_all_that_its_reader_did_meanwhile", || {
        for writer_first in [true, false] {
            let (busy, wire) = (Wire::buffered(8), Wire::new());
            thread::scope(|threads| {
                let writer = threads.spawn(|| {
                    if !writer_first {
                        until_queued(wire.name, false);
                    }
                    write(wire.name, 1).unwrap();
                    number()
                });
                if writer_first {
                    until_queued(wire.name, true);
                }
                let guard = Guard::Input { channel: wire.name, extended: true, reader: EndName::NONE };
                let fired = offer(&[guard], Order::Priority);
                (0..8).for_each(|value| write(busy.name, value).unwrap());
                let before = number();
                here(|local| local.release(fired.writer().unwrap(), None));
                keep(fired.outcome.unwrap());
                assert!(writer.join().unwrap() >= before, "writer first: {writer_first}");
            });
        }
    });
}

#[process]
fn has_a_past(on_another_thread: bool) -> (u64, u64) {
    let begun = number();
    let past = || {
        let wire = Wire::buffered(8);
        (0..8).for_each(|value| write(wire.name, value).unwrap());
        number()
    };
    (begun, if on_another_thread { thread::spawn(past).join().unwrap() } else { past() })
}

#[test]
fn a_process_is_above_what_came_before_its_start_and_below_what_comes_after_its_end() {
    alone("a_process_is_above_what_came_before_its_start_and_below_what_comes_after_its_end", || {
        let busy = Wire::buffered(8);
        (0..8).for_each(|value| write(busy.name, value).unwrap());
        // A thread that a process on a thread starts is one of the program.
        for (placement, aside) in [(Placement::Process, true), (Placement::Process, false), (Placement::Thread, false)]
        {
            let before = number();
            let (begun, past) = has_a_past(aside).on(placement).run().unwrap();
            assert!(begun >= before && past > begun, "{placement:?}: {before}, {begun}, {past}");
            assert!(number() > past, "{placement:?}: {} after {past}", number());
        }
    });
}

/// One side of a communication: the channel, the message, and the number that its thread had afterwards.
#[derive(Clone, Copy, Debug)]
struct Event {
    channel: usize,
    message: u64,
    number: u64,
    extended: bool,
}

/// A small generator (xorshift, Marsaglia 2003), so that a failure can be had again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn writes(wires: &[Wire], mut dice: Dice, writer: u64, rounds: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for round in 0..rounds {
        let before = number();
        let message_number = writer << 32 | round;
        let first = dice.roll(wires.len() as u64) as usize;
        let chosen = &wires[first..=first + dice.roll((wires.len() - first) as u64) as usize];
        let guards: Vec<Guard> = chosen.iter().map(|wire| output(wire.name, message(message_number))).collect();
        let fired = offer(&guards, Order::Random);
        keep(fired.outcome.unwrap());
        for (_, guard) in guards.iter().enumerate().filter(|(place, _)| *place != fired.index) {
            if let Guard::Output { block, .. } = guard {
                keep(*block);
            }
        }
        assert!(number() > before, "the numbers of one context rise: {} after {before}", number());
        let channel = first + fired.index;
        events.push(Event { channel, message: message_number, number: number(), extended: false });
    }
    events
}

/// Until all channels have retired. Gives the number at which the last end was told, too.
fn reads(wires: &[Wire], mut dice: Dice) -> (Vec<Event>, u64) {
    let mut events = Vec::new();
    let mut open: Vec<usize> = (0..wires.len()).collect();
    while !open.is_empty() {
        let before = number();
        let extended = dice.roll(4) == 0;
        let guard = |place: &usize| Guard::Input { channel: wires[*place].name, extended, reader: EndName::NONE };
        let guards: Vec<Guard> = open.iter().map(guard).collect();
        let fired = offer(&guards, Order::Random);
        assert!(number() > before, "the numbers of one context rise: {} after {before}", number());
        match fired.outcome {
            Ok(block) => {
                let channel = open[fired.index];
                let event =
                    Event { channel, message: value(block), number: number(), extended: fired.writer().is_some() };
                events.push(event);
                if let Some(writer) = fired.writer() {
                    here(|local| local.release(writer, None));
                }
            }
            Err(fate) => {
                assert_eq!(fate, Fate::Retired);
                open.remove(fired.index);
            }
        }
    }
    (events, number())
}

/// What happens at a channel has an order by the way the channel works; the numbers say the same.
fn check(capacity: u32, mut writes: Vec<Event>, mut reads: Vec<Event>) {
    for side in [&mut writes, &mut reads] {
        side.sort_by_key(|event| event.number);
    }
    assert_eq!(writes.len(), reads.len());
    for (place, (write, read)) in writes.iter().zip(&reads).enumerate() {
        if capacity == 0 && !read.extended {
            assert_eq!((write.message, write.number), (read.message, read.number));
        } else if capacity > 0 {
            // The same if the reader waited.
            assert!(write.message == read.message && write.number <= read.number, "{write:?} {read:?}");
            if let Some(later) = writes.get(place + capacity as usize) {
                assert!(read.number < later.number, "{read:?} made room for {later:?}");
            }
        }
    }
}

#[test]
fn in_random_networks_the_numbers_agree_with_every_order_there_is() {
    alone("in_random_networks_the_numbers_agree_with_every_order_there_is", || {
        for seed in 1..=24_u64 {
            let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let capacities: Vec<u32> = (0..=dice.roll(4)).map(|_| dice.roll(4) as u32).collect();
            let wires: Vec<Wire> = capacities.iter().map(|capacity| Wire::buffered(*capacity)).collect();
            let (writers, readers, rounds) = (1 + dice.roll(4), 1 + dice.roll(3), 200);
            let mut seeds: Vec<Dice> = (0..writers + readers).map(|_| Dice(dice.roll(u64::MAX) | 1)).collect();
            let (written, read) = thread::scope(|threads| {
                let wires = &wires;
                let mut start = |_| seeds.pop().unwrap();
                let write = |writer| {
                    let dice = start(writer);
                    threads.spawn(move || writes(wires, dice, writer, rounds))
                };
                let write: Vec<_> = (0..writers).map(write).collect();
                let read: Vec<_> = seeds.drain(..).map(|dice| threads.spawn(move || reads(wires, dice))).collect();
                let written: Vec<Event> = write.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
                let before = number();
                wires.iter().for_each(|wire| here(|local| local.close_end(wire.ends[1], Closing::Retire)));
                let mut all = Vec::new();
                for thread in read {
                    let (events, told) = thread.join().unwrap();
                    assert!(told > before, "seed {seed}: told {told} of what came after {before}");
                    all.extend(events);
                }
                (written, all)
            });
            for (channel, capacity) in capacities.iter().enumerate() {
                let at = |events: &[Event]| events.iter().copied().filter(|event| event.channel == channel).collect();
                check(*capacity, at(&written), at(&read));
            }
            let largest = written.iter().chain(&read).map(|event| event.number).max();
            assert!(largest.is_some_and(|number| number >= rounds), "seed {seed}: {largest:?}");
        }
    });
}
