//! Queues keep their laws: first in, first out, each item to one consumer, whoever closes the queue and whoever is
//! killed.
//!
//! Knows nothing of the channels that queues are made of; they are tested in `tests/channel`.

#[macro_use]
#[path = "harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
#[path = "queue/killed.rs"]
mod killed;
#[path = "queue/model.rs"]
mod model;
#[path = "queue/tasks.rs"]
mod tasks;

use csproc::prelude::*;
use harness::place::Place;
use harness::scenario::{Scenario, play_in_small_arena};
use std::time::{Duration, Instant};

const SCENARIOS: &[Scenario] = &[("a full arena", a_full_arena), ("no room for a queue", no_room_for_a_queue)];

#[test]
fn play_scenario() {
    harness::scenario::play(&[SCENARIOS]);
}

/// A queue of queues of queues.
#[derive(serde::Serialize, serde::Deserialize)]
struct Inside(Queue<Inside>);

#[process]
fn put_all(queue: Queue<u64>, first: u64, count: u64) -> csproc::Result<()> {
    for item in first..first + count {
        queue.put(item)?;
    }
    Ok(())
}

#[process]
fn put_large(queue: Queue<Vec<u64>>) -> csproc::Result<()> {
    Ok(queue.put((0..100_000).collect())?)
}

/// All items until the queue ends.
#[process]
fn get_all(queue: Queue<u64>) -> Vec<u64> {
    queue.into_iter().collect()
}

#[process]
fn announce_and_get(place: Writer<Place>, queue: Queue<u64>) -> Result<u64, ChannelError> {
    Place::announce(&place);
    queue.get()
}

#[process]
fn announce_and_put(place: Writer<Place>, queue: Queue<u64>, item: u64) -> Result<(), ChannelError> {
    Place::announce(&place);
    Ok(queue.put(item)?)
}

#[process]
fn announce_and_choose(place: Writer<Place>, one: Queue<u64>, other: Queue<u64>) -> Result<u64, ChannelError> {
    Place::announce(&place);
    AltSelect! {
        item = one => item,
        other.write(7) => 0,
    }
}

#[process]
fn get_and_end(queue: Queue<u64>, how: String) -> csproc::Result<u64> {
    let item = queue.get()?;
    match how.as_str() {
        "panic" => panic!("with a queue in hand"),
        "exit" => std::process::exit(3),
        _ => Ok(item),
    }
}

/// Passes items on, in one alternation: gets as long as it has room, puts as long as it has an item.
#[process]
fn relay(from: Queue<u64>, to: Queue<u64>) -> csproc::Result<()> {
    let mut held = std::collections::VecDeque::new();
    let mut open = true;
    while open || !held.is_empty() {
        let next = held.front().copied().unwrap_or(0);
        let passed = FairSelect! {
            item = from if open && held.len() < 3 => held.push_back(item),
            to.write(next) if !held.is_empty() => drop(held.pop_front()),
        };
        match passed {
            Err(error) if error.is_retired() => open = false,
            passed => passed?,
        }
    }
    Ok(())
}

#[process]
fn close_it(queue: Queue<u64>) {
    queue.close();
}

#[process]
fn get_from_the_first(queues: Reader<Queue<u64>>) -> csproc::Result<u64> {
    Ok(queues.read()?.get()?)
}

#[process]
fn return_poison(_queue: Queue<u64>, trigger: Reader<u8>) -> csproc::Result<()> {
    trigger.read()?;
    Ok(())
}

over_both! {
    fn what_is_put_first_is_got_first(placement) {
        for queue in [Queue::new(), Queue::bounded(3), Queue::bounded(0)] {
            let consumer = Spawn!(get_all(queue.clone()).on(placement)).unwrap();
            Parallel!(put_all(queue.clone(), 0, 500).on(placement)).values().unwrap();
            queue.close();
            assert!(consumer.join().unwrap().into_iter().eq(0..500));
        }
    }

    fn each_item_goes_from_one_producer_to_one_consumer(placement) {
        for queue in [Queue::new(), Queue::bounded(2), Queue::bounded(0)] {
            let consumers = network!(for _ in 0..3 => get_all(queue.clone()).on(placement)).spawn().unwrap();
            Parallel!(for part in 0..3 => put_all(queue.clone(), part * 1000, 300).on(placement)).values().unwrap();
            queue.close();
            let got = consumers.join().unwrap();
            for part in &got {
                for producer in 0..3 {
                    let of_one: Vec<&u64> = part.iter().filter(|item| **item / 1000 == producer).collect();
                    assert!(of_one.is_sorted(), "what one producer puts keeps its order");
                }
            }
            let mut all = got.concat();
            all.sort_unstable();
            assert!(all.into_iter().eq((0..3).flat_map(|part| part * 1000..part * 1000 + 300)));
        }
    }

    fn items_outlive_their_producers_however_large(placement) {
        let (small, large) = (Queue::new(), Queue::new());
        let producers = (put_all(small.clone(), 0, 1000), put_large(large.clone()));
        Parallel!(producers.0.on(placement), producers.1.on(placement)).values().unwrap();
        assert_eq!((small.len(), large.len()), (1000, 1));
        small.close();
        assert!(small.iter().eq(0..1000));
        assert!(large.get().unwrap().into_iter().eq(0..100_000));
    }

    fn closing_tells_everybody_who_waits(placement) {
        let (empty, full) = (Queue::new(), Queue::bounded(1));
        full.put(1).unwrap();
        let places = Channel::<Place>::new();
        let there = places.reader();
        let consumers = network!(
            for _ in 0..2 => announce_and_get(places.writer(), empty.clone()).on(placement)
        ).spawn().unwrap();
        let producers = network!(
            for _ in 0..2 => announce_and_put(places.writer(), full.clone(), 2).on(placement)
        ).spawn().unwrap();
        let chooser = Spawn!(
            announce_and_choose(places.writer(), empty.clone(), full.clone()).on(placement)
        ).unwrap();
        for _ in 0..5 {
            there.read().unwrap().until_asleep();
        }
        Parallel!(close_it(empty.clone()).on(placement), close_it(full.clone()).on(placement)).unwrap();
        assert_eq!(consumers.join().unwrap(), [Err(ChannelError::Retired), Err(ChannelError::Retired)]);
        assert_eq!(producers.join().unwrap(), [Err(ChannelError::Retired), Err(ChannelError::Retired)]);
        assert_eq!(chooser.join().unwrap(), Err(ChannelError::Retired));
        assert_eq!((full.get(), full.get()), (Ok(1), Err(ChannelError::Retired)), "what was in it is got");
    }

    fn whoever_crashes_leaves_the_others_alone(placement) {
        let queue = Queue::new();
        (0..3).for_each(|item| queue.put(item).unwrap());
        let crashed = Parallel!(get_and_end(queue.clone(), "panic".to_string()).on(placement));
        assert!(crashed.is_err());
        queue.put(3).unwrap();
        queue.close();
        assert_eq!(queue.results().collect::<Result<Vec<_>, _>>().unwrap(), [1, 2, 3], "one has gone with the crash");
    }

    fn queues_are_guards_on_both_sides(placement) {
        for size in [0, 1, 5] {
            let queues: Vec<Queue<u64>> = (0..4).map(|_| Queue::bounded(size)).collect();
            let relays: Vec<_> = (0..3)
                .map(|i| Spawn!(relay(queues[i].clone(), queues[i + 1].clone()).on(placement)).unwrap())
                .collect();
            let consumer = Spawn!(get_all(queues[3].clone()).on(placement)).unwrap();
            Parallel!(put_all(queues[0].clone(), 0, 200).on(placement)).values().unwrap();
            for (queue, relay) in queues.iter().zip(relays) {
                queue.close();
                relay.join().unwrap().unwrap();
            }
            queues[3].close();
            assert!(consumer.join().unwrap().into_iter().eq(0..200));
        }
    }

    fn a_process_that_returns_poison_poisons_its_queue(placement) {
        let queue = Queue::new();
        queue.put(1).unwrap();
        let (w, r) = csproc::channel::<u8>();
        let child = Spawn!(return_poison(queue.clone(), r).on(placement)).unwrap();
        w.poison();
        assert!(child.join().unwrap().is_err());
        assert_eq!(queue.get(), Err(ChannelError::Poisoned));
        assert!(queue.put(1).unwrap_err().is_poisoned());
    }

    fn a_handle_travels_in_a_message_and_keeps_the_queue(placement) {
        let (to, queues) = csproc::channel();
        let child = Spawn!(get_from_the_first(queues).on(placement)).unwrap();
        let queue = Queue::new();
        queue.put(7).unwrap();
        to.write(queue).unwrap();
        assert_eq!(child.join().unwrap().unwrap(), 7);
    }
}

once! {
    fn who_exits_leaves_the_others_alone() {
        let queue = Queue::new();
        (0..2).for_each(|item| queue.put(item).unwrap());
        assert!(Parallel!(get_and_end(queue.clone(), "exit".to_string())).is_err());
        assert_eq!(queue.get(), Ok(1));
        queue.put(2).unwrap();
        assert_eq!(queue.get(), Ok(2));
    }

    fn a_timeout_is_over_when_the_time_is_and_not_before() {
        let queue = Queue::bounded(1);
        for micros in [0, 1, 700, 20_000] {
            let timeout = Duration::from_micros(micros);
            let start = Instant::now();
            assert!(queue.get_timeout(timeout).unwrap_err().is_timed_out() && start.elapsed() >= timeout);
            let start = Instant::now();
            assert!(queue.get_deadline(start + timeout).unwrap_err().is_timed_out() && start.elapsed() >= timeout);
            queue.put(1).unwrap();
            let start = Instant::now();
            assert!(queue.put_timeout(2, timeout).unwrap_err().is_timed_out() && start.elapsed() >= timeout);
            let start = Instant::now();
            assert!(queue.put_deadline(2, start + timeout).unwrap_err().is_timed_out() && start.elapsed() >= timeout);
            assert_eq!(queue.get_timeout(Duration::MAX), Ok(1));
        }
    }

    fn a_queue_lies_in_a_queue() {
        let outer = Queue::<Queue<u64>>::new();
        let inner = Queue::new();
        inner.put(1).unwrap();
        outer.put(inner.clone()).unwrap();
        inner.put(2).unwrap();
        drop(inner);
        let inner = outer.get().unwrap();
        assert_eq!((inner.get(), inner.get()), (Ok(1), Ok(2)));
        // With the outer one goes what nobody has got.
        outer.put(inner).unwrap();
    }

    fn a_queue_goes_with_whatever_is_in_it_however_many_and_however_deep() {
        let small = std::thread::Builder::new().stack_size(256 << 10);
        let thread = small.spawn(|| {
            let (wide, inner) = (Queue::new(), Queue::<u64>::new());
            (0..5_000).for_each(|_| wide.put(inner.clone()).unwrap());
            drop(wide);
            inner.put(1).unwrap();

            let mut deep = Queue::<Inside>::new();
            for _ in 0..1_000 {
                let outer = Queue::new();
                outer.put(Inside(deep)).unwrap();
                deep = outer;
            }
            drop(deep);
        });
        thread.unwrap().join().unwrap();
    }

    fn an_owned_iteration_keeps_the_queue_until_it_is_dropped() {
        let queue = Queue::new();
        (0..3).for_each(|item| queue.put(item).unwrap());
        let other = queue.clone();
        let mut items = queue.into_iter();
        assert_eq!(items.next(), Some(0));
        other.close();
        assert_eq!(items.collect::<Vec<u64>>(), [1, 2]);
    }

    fn poison_is_the_last_item_of_the_results() {
        let queue = Queue::<u64>::new();
        queue.put(1).unwrap();
        poison!(queue);
        assert_eq!(queue.results().collect::<Vec<_>>(), [Err(ChannelError::Poisoned)]);
    }

    fn a_full_arena_refuses_what_is_put_and_can_be_drained() {
        play_in_small_arena("a full arena");
    }

    fn a_queue_that_has_no_room_says_so() {
        play_in_small_arena("no room for a queue");
    }
}

alone! {
    fn those_who_all_wait_for_an_item_are_a_deadlock_with_names() {
        let queue = Queue::<u64>::new().named("jobs");
        let places = Channel::buffered(Buffer::Unbounded);
        let network = network!(for _ in 0..2 => announce_and_get(places.writer(), queue.clone()));
        drop(queue);
        let error = network.run().unwrap_err().to_string();
        assert!(error.contains("deadlock") && error.contains("jobs"), "{error}");
    }
}

fn a_full_arena() {
    let queue = Queue::<(u64, [u64; 4])>::new();
    let mut count = 0;
    let error = loop {
        match queue.put((count, [7; 4])) {
            Ok(()) => count += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error.fate, ChannelError::Invalid(_)) && error.to_string().contains("CSPROC_ARENA"), "{error}");
    assert_eq!(error.value, (count, [7; 4]));
    for number in 0..count {
        assert_eq!(queue.get(), Ok((number, [7; 4])));
    }
    queue.put((0, [0; 4])).unwrap();
    assert_eq!(queue.get(), Ok((0, [0; 4])));
}

fn no_room_for_a_queue() {
    let mut kept = Vec::new();
    let error = loop {
        match Queue::<u8>::try_new(Buffer::Unbounded) {
            Ok(queue) => kept.push(queue),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("of the arena are in use"), "{error}");
    // What else is made of a channel: a lock may need less of it than a queue.
    let mut locks = Vec::new();
    let error = loop {
        match Lock::try_new() {
            Ok(lock) => locks.push(lock),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("of the arena are in use"), "{error}");
    drop(locks);
    for queue in [Queue::<u8>::new(), Queue::bounded(3).clone(), kept[0].clone().named(&"x".repeat(56))] {
        queue.close();
        for error in [queue.put(1).unwrap_err().fate, queue.try_get().unwrap_err()] {
            assert!(matches!(error, ChannelError::Invalid(_)), "{error}");
        }
    }
    drop(kept);
    let queue = Queue::<u8>::new();
    queue.put(1).unwrap();
    assert_eq!(queue.get(), Ok(1));
}
