//! The laws of choice, on threads of one process: exactly one guard fires, in the order asked for, and the others leave
//! no trace.
//!
//! Knows nothing of processes or of death.

use super::watch::{apart, until};
use super::wire::{Wire, here, input, keep, message, offer, output, read, value, write};
use crate::engine::{ChannelKind, ChannelName, Direction, Fate, Fired, Guard, Order, along, tables};
use crate::sys::clock::Deadline;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

/// Offers of all contexts that stand in a queue of these channels.
fn queued(wires: &[&Wire]) -> usize {
    let tables = tables();
    wires
        .iter()
        .filter_map(|wire| tables.channel(wire.name))
        .map(|channel| super::audit::queue(channel, true).len() + super::audit::queue(channel, false).len())
        .sum()
}

fn within(duration: Duration) -> Guard {
    Guard::Timer { deadline: Deadline::at(Instant::now() + duration) }
}

/// Waits until so many offers stand in the queues.
fn until_queued(wires: &[&Wire], count: usize) {
    until(|| queued(wires) == count);
}

#[test]
fn law_2_exactly_one_guard_fires_and_the_others_leave_no_trace() {
    apart("law_2_exactly_one_guard_fires", || {
        let (a, b, c) = (Wire::new(), Wire::new(), Wire::new());
        let (a, b, c) = (&a, &b, &c);
        thread::scope(|scope| {
            let chooser = scope.spawn(along(|| {
                let block = message(7);
                let fired = offer(&[input(a.name), output(b.name, block), input(c.name)], Order::Priority);
                assert_eq!(fired.index, 1);
                keep(fired.outcome.unwrap());
            }));
            until_queued(&[a, b, c], 3);
            assert_eq!(read(b.name), Ok(7));
            chooser.join().unwrap();
            assert_eq!(queued(&[a, b, c]), 0);
        });
    });
}

#[test]
fn law_2_an_alternation_never_meets_itself_but_meets_others() {
    apart("law_2_an_alternation_never_meets_itself", || {
        let wire = &Wire::new();
        let block = message(1);
        let both = [input(wire.name), output(wire.name, block), within(Duration::from_millis(5))];
        assert_eq!(offer(&both, Order::Random).index, 2);
        assert_eq!(queued(&[wire]), 0);
        thread::scope(|scope| {
            let other = scope.spawn(along(|| read(wire.name)));
            until_queued(&[wire], 1);
            let fired = offer(&[input(wire.name), output(wire.name, block)], Order::Priority);
            assert_eq!(fired.index, 1);
            keep(fired.outcome.unwrap());
            assert_eq!(other.join().unwrap(), Ok(1));
        });
    });
}

#[test]
fn law_4_order_decides_among_what_is_ready() {
    apart("law_4_order_decides", || {
        const COUNT: usize = 4;
        let wires: Vec<Wire> = (0..COUNT).map(|_| Wire::new()).collect();
        let names: Vec<ChannelName> = wires.iter().map(|wire| wire.name).collect();
        let all: Vec<&Wire> = wires.iter().collect();
        let guards: Vec<Guard> = names.iter().map(|name| input(*name)).collect();
        thread::scope(|scope| {
            for name in &names {
                scope.spawn(along(|| while write(*name, 1).is_ok() {}));
            }
            let choose = |order| {
                until_queued(&all, COUNT);
                let fired = offer(&guards, order);
                assert_eq!(value(fired.outcome.unwrap()), 1);
                fired.index
            };
            for _ in 0..20 {
                assert_eq!(choose(Order::Priority), 0);
            }
            let fair: Vec<usize> = (0..8)
                .scan(COUNT - 1, |last, _| {
                    *last = choose(Order::From(*last + 1));
                    Some(*last)
                })
                .collect();
            assert_eq!(fair, [0, 1, 2, 3, 0, 1, 2, 3]);
            let mut hits = [0; COUNT];
            (0..400).for_each(|_| hits[choose(Order::Random)] += 1);
            // Expected 100 each; fewer than 40 has a probability below one in a billion.
            assert!(hits.iter().all(|hits| *hits > 40), "{hits:?}");
            super::wire::here(|local| names.iter().for_each(|name| local.poison(*name, Direction::Writer)));
        });
    });
}

#[test]
fn law_4_skip_fires_when_nothing_is_ready_wherever_it_stands() {
    apart("law_4_skip_fires", || {
        let wire = &Wire::new();
        assert_eq!(offer(&[Guard::Skip, input(wire.name)], Order::Priority).index, 0);
        thread::scope(|scope| {
            scope.spawn(along(|| write(wire.name, 3).unwrap()));
            until_queued(&[wire], 1);
            let fired = offer(&[Guard::Skip, input(wire.name)], Order::Priority);
            assert_eq!((fired.index, value(fired.outcome.unwrap())), (1, 3));
        });
    });
}

#[test]
fn law_8_the_earliest_timer_fires_and_never_early() {
    apart("law_8_the_earliest_timer_fires", || {
        let wire = &Wire::new();
        let start = Instant::now();
        let guards = [input(wire.name), within(Duration::from_secs(600)), within(Duration::from_millis(10))];
        let Fired { index, .. } = offer(&guards, Order::Priority);
        assert_eq!(index, 2);
        assert!(start.elapsed() >= Duration::from_millis(10));
        assert_eq!(queued(&[wire]), 0);
        let past = Guard::Timer { deadline: Deadline::at(Instant::now()) };
        assert_eq!(offer(&[input(wire.name), past], Order::Priority).index, 1);
    });
}

#[test]
fn law_5_a_dead_channel_is_ready_with_its_fate_in_its_turn() {
    apart("law_5_a_dead_channel_is_ready", || {
        let (dead, alive) = (&Wire::new(), &Wire::new());
        super::wire::here(|local| local.poison(dead.name, Direction::Writer));
        thread::scope(|scope| {
            scope.spawn(along(|| write(alive.name, 5).unwrap()));
            until_queued(&[alive], 1);
            let fired = offer(&[input(alive.name), input(dead.name)], Order::Priority);
            assert_eq!((fired.index, value(fired.outcome.unwrap())), (0, 5));
        });
        let fired = offer(&[input(alive.name), input(dead.name)], Order::Priority);
        assert_eq!((fired.index, fired.outcome.unwrap_err()), (1, Fate::Poisoned));
        assert_eq!(queued(&[dead, alive]), 0);
    });
}

#[test]
fn two_alternations_that_face_each_other_in_opposite_orders_never_block() {
    apart("two_alternations_that_face_each_other", || {
        const TIMES: u64 = 20_000;
        let (a, b) = (&Wire::new(), &Wire::new());
        let party = |first: ChannelName, second: ChannelName, inputs_first: bool| {
            for number in 0..TIMES {
                let block = message(number);
                let guards = match inputs_first {
                    true => [input(first), output(second, block)],
                    false => [output(second, block), input(first)],
                };
                let fired = offer(&guards, Order::Priority);
                let is_input = matches!(guards[fired.index], Guard::Input { .. });
                let received = fired.outcome.unwrap();
                if is_input {
                    assert!(value(received) < TIMES);
                    keep(block);
                } else {
                    keep(received);
                }
            }
        };
        thread::scope(|scope| {
            scope.spawn(along(|| party(a.name, b.name, true)));
            scope.spawn(along(|| party(b.name, a.name, false)));
        });
        assert_eq!(queued(&[a, b]), 0);
    });
}

#[test]
fn three_alternations_in_a_circle_never_block() {
    apart("three_alternations_in_a_circle", || {
        const TIMES: u64 = 3 * 5_000;
        let wires = [Wire::new(), Wire::new(), Wire::new()];
        let done = Mutex::new(0_u64);
        thread::scope(|scope| {
            for place in 0..3 {
                let (from, to, done, wires) = (wires[place].name, wires[(place + 1) % 3].name, &done, &wires);
                scope.spawn(along(move || {
                    // Until all together have communicated so often: then everybody's channels are poisoned.
                    loop {
                        let block = message(0);
                        let fired = offer(&[input(from), output(to, block)], Order::Random);
                        match fired.outcome {
                            Ok(received) if fired.index == 0 => {
                                keep(received);
                                keep(block);
                            }
                            Ok(spare) => keep(spare),
                            Err(_) => return keep(block),
                        }
                        let mut done = done.lock().unwrap();
                        *done += 1;
                        if *done == TIMES {
                            super::wire::here(|local| {
                                wires.iter().for_each(|wire| local.poison(wire.name, Direction::Writer))
                            });
                        }
                    }
                }));
            }
        });
        assert!(*done.lock().unwrap() >= TIMES);
    });
}

#[test]
fn four_alternating_writers_and_four_alternating_readers_lose_and_double_nothing() {
    apart("four_alternating_writers_and_readers", || {
        const EACH: u64 = 2_000;
        let wires: Vec<Wire> = (0..4).map(|_| Wire::new()).collect();
        let names: Vec<ChannelName> = wires.iter().map(|wire| wire.name).collect();
        let seen = Mutex::new(vec![0_u8; 4 * EACH as usize]);
        thread::scope(|scope| {
            for writer in 0..4 {
                let names = &names;
                scope.spawn(along(move || {
                    for number in 0..EACH {
                        let blocks: Vec<_> = names.iter().map(|_| message(writer * EACH + number)).collect();
                        let guards: Vec<Guard> =
                            names.iter().zip(&blocks).map(|(name, block)| output(*name, *block)).collect();
                        let fired = offer(&guards, Order::Random);
                        keep(fired.outcome.unwrap());
                        for (place, block) in blocks.into_iter().enumerate() {
                            if place != fired.index {
                                keep(block);
                            }
                        }
                    }
                }));
            }
            for _ in 0..4 {
                scope.spawn(along(|| {
                    let guards: Vec<Guard> = names.iter().map(|name| input(*name)).collect();
                    for _ in 0..EACH {
                        let fired = offer(&guards, Order::Random);
                        let number = value(fired.outcome.unwrap());
                        seen.lock().unwrap()[number as usize] += 1;
                    }
                }));
            }
        });
        assert!(seen.into_inner().unwrap().iter().all(|times| *times == 1));
        assert_eq!(queued(&wires.iter().collect::<Vec<_>>()), 0);
    });
}

#[test]
fn a_thousand_guards_are_one_offer_and_cost_nothing_afterwards() {
    apart("a_thousand_guards", || {
        let wires: Vec<Wire> = (0..1000).map(|_| Wire::new()).collect();
        let all: Vec<&Wire> = wires.iter().collect();
        let guards: Vec<Guard> = wires.iter().map(|wire| input(wire.name)).collect();
        thread::scope(|scope| {
            for round in 0..20 {
                let target = wires[round * 50 + 7].name;
                let writer = scope.spawn(along(move || write(target, round as u64)));
                let fired = offer(&guards, Order::Random);
                assert_eq!((fired.index, value(fired.outcome.unwrap())), (round * 50 + 7, round as u64));
                writer.join().unwrap().unwrap();
            }
        });
        assert_eq!(queued(&all), 0);
    });
}

#[test]
fn memory_is_flat_after_a_hundred_thousand_alternations_with_losers() {
    apart("memory_is_flat", || {
        let (a, b) = (Wire::new(), Wire::new());
        let once = || {
            let block = message(1);
            let guards = [input(a.name), output(b.name, block), Guard::Skip];
            assert_eq!(offer(&guards, Order::Priority).index, 2);
            keep(block);
        };
        once();
        let before = super::audit::census();
        (0..100_000).for_each(|_| once());
        // Threads of the tests before may still be ending; what they hold becomes less, never more.
        let after = super::audit::census();
        assert!(after.contexts <= before.contexts && after.ends <= before.ends, "{before:?} became {after:?}");
        assert!(after.channels <= before.channels && after.blocks <= before.blocks, "{before:?} became {after:?}");
        assert_eq!(queued(&[&a, &b]), 0);
    });
}

#[test]
fn a_party_that_comes_to_a_poisoned_barrier_is_told_like_those_that_waited() {
    apart("a_party_that_comes_to_a_poisoned_barrier_is_told_like_those_that_waited", || {
        let barrier = Wire::of("", ChannelKind::Barrier { parties: 3 });
        let sync = || offer(&[Guard::Barrier { channel: barrier.name }], Order::Priority).outcome;
        std::thread::scope(|threads| {
            let waits = threads.spawn(along(sync));
            until_queued(&[&barrier], 1);
            here(|local| local.poison_all([barrier.name], None));
            assert_eq!(waits.join().unwrap(), Err(Fate::Poisoned));
        });
        assert_eq!(sync(), Err(Fate::Poisoned));
    });
}
