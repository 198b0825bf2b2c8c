//! Components that choose are fair, or have the priority that they promise; and those that keep a value keep the
//! latest.
//!
//! Knows nothing of chance: what is ready at the choice is in a buffer before it.

use crate::stage::{Component, streams};
use csproc::plug::*;
use csproc::prelude::*;
use std::collections::BTreeMap;

/// An input that is always ready: it has so many values at once, and then ends.
fn ready(count: u64) -> Reader<u64> {
    let c = Channel::buffered(Buffer::Unbounded);
    let w = c.writer();
    (0..count).try_for_each(|value| w.write(value)).unwrap();
    c.reader()
}

fn heard(
    inputs: Vec<Reader<u64>>,
    multiplex: impl FnOnce(Vec<Reader<u64>>, Writer<(usize, u64)>) -> Component,
) -> Vec<(usize, u64)> {
    let (w, r) = csproc::channel();
    let child = Spawn!(multiplex(inputs, w)).unwrap();
    let heard = r.read_all().unwrap();
    child.join().unwrap().unwrap();
    heard
}

/// A subscriber who takes some values, and then leaves, or crashes.
#[process]
fn subscriber(subscribe: Writer<Writer<u64>>, count: usize, crashes: bool) -> csproc::Result<Vec<u64>> {
    let (w, r) = csproc::channel();
    subscribe.write(w)?;
    let values = r.iter().take(count).collect();
    assert!(!crashes, "with the reader in hand");
    Ok(values)
}

over_both! {
    fn a_multiplexer_hears_all_that_are_ready_in_turn(placement) {
        let inputs: Vec<Reader<u64>> = (0..5).map(|_| ready(40)).collect();
        let order = heard(inputs, |ins, out| multiplex(ins, out).on(placement));
        let mut counts = BTreeMap::new();
        for (place, value) in order {
            let count = counts.entry(place).or_insert(0);
            assert_eq!(value, *count, "each keeps its order");
            *count += 1;
            let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
            assert!(counts.len() < 5 || most - least <= 1, "{counts:?}");
        }
        assert_eq!(counts.values().sum::<u64>(), 200);
    }

    fn a_shorter_stream_does_not_cut_the_others_off(placement) {
        let inputs: Vec<Reader<u64>> = (0..5).map(|place| ready(10 * place)).collect();
        let order = heard(inputs, |ins, out| multiplex(ins, out).on(placement));
        for place in 0..5 {
            let of_one = order.iter().filter(|(of, _)| *of == place as usize).map(|(_, value)| *value);
            assert!(of_one.eq(0..10 * place));
        }
    }

    fn with_priority_the_first_that_is_ready_is_heard(placement) {
        let inputs: Vec<Reader<u64>> = (0..5).map(|_| ready(20)).collect();
        let order = heard(inputs, |ins, out| priority_multiplex(ins, out).on(placement));
        assert!(order.into_iter().eq((0..5).flat_map(|place| (0..20).map(move |value| (place, value)))));
    }

    fn a_plexer_hears_everybody_and_tells_nobody_where(placement) {
        let values: Vec<Vec<u64>> = (0..4).map(|place| (0..25).map(|x| 100 * place + x).collect()).collect();
        let out = streams(values.clone(), 1, |ins, mut outs| vec![plex(ins, outs.remove(0)).on(placement)]).remove(0);
        for stream in &values {
            assert!(out.iter().filter(|x| stream.contains(x)).eq(stream));
        }
        assert_eq!(out.len(), 100);
    }

    fn no_reader_of_a_delta_waits_for_another(placement) {
        type Delta = fn(Reader<u64>, Vec<Writer<u64>>) -> Component;
        for delta in [delta::<u64> as Delta, delta_parallel] {
            let (a, b, c) = (Channel::new(), Channel::new(), Channel::new());
            let (w, one, other) = (a.writer(), b.reader(), c.reader());
            let child = Spawn!(delta(a.reader(), vec![b.writer(), c.writer()]).on(placement)).unwrap();
            for value in 0..10 {
                w.write(value).unwrap();
                // In the one order and in the other.
                let (first, second) = if value % 2 == 0 { (&one, &other) } else { (&other, &one) };
                assert_eq!((first.read(), second.read()), (Ok(value), Ok(value)));
            }
            drop(w);
            child.join().unwrap().unwrap();
        }
    }

    fn a_parallel_delta_gives_what_it_has_to_all_that_are_left(placement) {
        for gone in 0..3 {
            let a = Channel::new();
            let outs: Vec<Channel<u64>> = (0..3).map(|_| Channel::buffered(Buffer::Unbounded)).collect();
            let mut readers: Vec<_> = outs.iter().map(Channel::reader).collect();
            let writers = outs.iter().map(Channel::writer).collect();
            let child = Spawn!(delta_parallel(a.reader(), writers).on(placement)).unwrap();
            let w = a.writer();
            w.write(1).unwrap();
            w.write(2).unwrap();
            // It reads the second value when all have the first, and the third when all have the second.
            drop(readers.remove(gone));
            let _ = w.write(3);
            let error = child.join().unwrap().unwrap_err();
            assert!(error.channel_error().unwrap().is_retired());
            let had: Vec<Vec<u64>> = readers.iter().map(|reader| reader.read_all().unwrap()).collect();
            assert!(had[0] == had[1] && (had[0] == [1, 2] || had[0] == [1, 2, 3]), "{had:?}");
        }
    }

    fn subscribers_come_and_go(placement) {
        let (a, outs) = (Channel::new(), Channel::new());
        let (w, subscribe) = (a.writer(), outs.writer());
        let fan = Spawn!(dynamic_delta(a.reader(), outs.reader()).on(placement)).unwrap();
        w.write(0_u64).unwrap();
        let (first, all) = csproc::channel::<u64>();
        let all = std::thread::spawn(move || all.read_all().unwrap());
        subscribe.write(first).unwrap();
        let leaving = Spawn!(for count in 1..6 => subscriber(outs.writer(), count, false).on(placement)).unwrap();
        let mut next = 1;
        // Values until all have left.
        while !leaving.is_finished() {
            w.write(next).unwrap();
            next += 1;
        }
        for (count, values) in leaving.join().values().unwrap().into_iter().enumerate() {
            let start = values[0];
            assert!(values.into_iter().eq(start..=start + count as u64), "what comes after the first is without a gap");
        }
        drop(w);
        assert!(all.join().unwrap().into_iter().eq(1..next));
        fan.join().unwrap().unwrap();
    }

    fn a_fan_whose_last_reader_has_left_ends_when_none_can_come(placement) {
        let (a, outs) = (Channel::new(), Channel::new());
        let (w, subscribe) = (a.writer(), outs.writer());
        let fan = Spawn!(dynamic_delta(a.reader(), outs.reader()).on(placement)).unwrap();
        let (out, r) = csproc::channel::<u64>();
        subscribe.write(out).unwrap();
        drop(subscribe);
        let reader = std::thread::spawn(move || r.read());
        w.write(1).unwrap();
        assert_eq!(reader.join().unwrap(), Ok(1));
        while w.write(2).is_ok() {}
        fan.join().unwrap().unwrap();
    }

    fn poison_of_a_subscriber_ends_everybody(placement) {
        let (a, outs) = (Channel::new(), Channel::new());
        let (w, subscribe) = (a.writer(), outs.writer());
        let fan = Spawn!(dynamic_delta(a.reader(), outs.reader()).on(placement)).unwrap();
        let (one, r) = csproc::channel::<u64>();
        let (other, s) = csproc::channel::<u64>();
        subscribe.write(one).unwrap();
        subscribe.write(other).unwrap();
        r.poison();
        let _ = w.write(1);
        assert!(fan.join().unwrap().unwrap_err().channel_error().unwrap().is_poisoned());
        assert!(s.iter().count() <= 1 && s.read().unwrap_err().is_poisoned());
        assert!(w.write(2).unwrap_err().is_poisoned());
        assert!(subscribe.write(csproc::channel().0).unwrap_err().is_poisoned());
    }

    fn a_subscriber_that_crashes_takes_nobody_along(placement) {
        // Whether it takes along the channel on which others could subscribe, or gives its end of it up.
        for on_crash in [OnCrash::Poison, OnCrash::Retire] {
            let (a, outs) = (Channel::new(), Channel::new());
            let (w, subscribe) = (a.writer(), outs.writer());
            let fan = Spawn!(dynamic_delta(a.reader(), outs.reader()).on(placement)).unwrap();
            let (mine, r) = csproc::channel::<u64>();
            subscribe.write(mine).unwrap();
            let crashing = Spawn!(subscriber(outs.writer(), 2, true).on(placement).on_crash(on_crash)).unwrap();
            let values = std::thread::spawn(move || r.read_all().unwrap());
            let mut next = 0;
            while !crashing.is_finished() {
                w.write(next).unwrap();
                next += 1;
            }
            assert!(crashing.join().is_err());
            w.write(next).unwrap();
            let can_subscribe = subscribe.write(csproc::channel().0).is_ok();
            assert_eq!(can_subscribe, on_crash == OnCrash::Retire);
            w.write(next + 1).unwrap();
            drop(w);
            assert!(values.join().unwrap().into_iter().eq(0..=next + 1));
            fan.join().unwrap().unwrap();
        }
    }

    fn a_store_gives_the_latest_value_and_keeps_nobody_waiting(placement) {
        let (a, b) = (Channel::new(), Channel::new());
        let (w, r) = (a.writer(), b.reader());
        let store = Spawn!(hold(a.reader(), b.writer()).on(placement)).unwrap();
        for value in 0..20 {
            (0..=value).try_for_each(|x| w.write(100 * value + x)).unwrap();
            assert_eq!((r.read(), r.read()), (Ok(101 * value), Ok(101 * value)));
        }
        drop(w);
        store.join().unwrap().unwrap();
        assert_eq!(r.read(), Err(ChannelError::Retired));
    }

    fn a_sampler_answers_each_question_with_the_latest_value(placement) {
        let (a, asks, b) = (Channel::new(), Channel::new(), Channel::new());
        let (w, ask, r) = (a.writer(), asks.writer(), b.reader());
        let sampler = Spawn!(sampler(a.reader(), asks.reader(), b.writer()).on(placement)).unwrap();
        assert!(ask.try_write(()).is_err(), "there is no value yet");
        for value in 0..20 {
            (0..=value).try_for_each(|x| w.write(100 * value + x)).unwrap();
            for _ in 0..2 {
                ask.write(()).unwrap();
                assert_eq!(r.read(), Ok(101 * value));
            }
        }
        drop(ask);
        sampler.join().unwrap().unwrap();
        assert!(w.write(0).unwrap_err().is_retired());
    }

    fn streams_go_in_step_at_a_barrier(placement) {
        let barrier = Barrier::new(3);
        let outs: Vec<Channel<u64>> = (0..3).map(|_| Channel::buffered(Buffer::Unbounded)).collect();
        let ins: Vec<Channel<u64>> = (0..3).map(|_| Channel::new()).collect();
        let (writers, readers): (Vec<_>, Vec<_>) = ins.iter().zip(&outs).map(|(i, o)| (i.writer(), o.reader())).unzip();
        let steps: Vec<_> = ins.iter().zip(&outs)
            .map(|(i, o)| Spawn!(barrier_sync(barrier.clone(), i.reader(), o.writer()).on(placement)).unwrap())
            .collect();
        for value in 0..10 {
            writers[0].write(value).unwrap();
            writers[1].write(value).unwrap();
            assert!(readers.iter().all(Reader::is_empty), "nobody passes before the third is there");
            writers[2].write(value).unwrap();
            assert!(readers.iter().all(|reader| reader.read() == Ok(value)));
        }
        // Whose stream is over is no party any more.
        let mut writers = writers.into_iter();
        drop(writers.next());
        let left: Vec<_> = writers.collect();
        left.iter().for_each(|w| w.write(10).unwrap());
        assert!(readers[1..].iter().all(|reader| reader.read() == Ok(10)));
        drop(left);
        steps.into_iter().for_each(|step| step.join().unwrap().unwrap());
    }
}
