//! The tests of crossbeam-channel's rendezvous channel (`zero.rs`), by their behaviour, with plain operations and in
//! alternations.
//!
//! Knows nothing of crossbeam's implementation. What is disconnected there is retired here. The tests of its
//! `select!` are in `crossbeam_select`.

use crate::harness::place::Place;
use crate::policy::{POLICIES, Policy, channels, readers, writers};
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);

/// How a party communicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Way {
    Plain,
    Select,
}

const WAYS: [Way; 2] = [Way::Plain, Way::Select];

fn read_within(input: &Reader<u64>, way: Way, patience: Duration) -> Result<u64, ChannelError> {
    match way {
        Way::Plain => input.read_timeout(patience),
        Way::Select => AltSelect! {
            v = input.read() => Ok(v),
            after(patience) => Err(ChannelError::TimedOut),
        }?,
    }
}

fn write_within(out: &Writer<u64>, value: u64, way: Way, patience: Duration) -> Result<(), ChannelError> {
    match way {
        Way::Plain => Ok(out.write_timeout(value, patience)?),
        Way::Select => AltSelect! {
            out.write(value) => Ok(()),
            after(patience) => Err(ChannelError::TimedOut),
        }?,
    }
}

/// Reads three times: before there is a value, while there is one, and after the last.
#[process]
fn read_three_times(input: Reader<u64>, go: Writer<()>, way: Way) -> csproc::Result<Vec<Result<u64, ChannelError>>> {
    let start = Instant::now();
    let first = read_within(&input, way, Duration::from_millis(2));
    assert!(start.elapsed() >= Duration::from_millis(2));
    go.write(())?;
    Ok(vec![first, read_within(&input, way, HOUR), read_within(&input, way, HOUR)])
}

#[process]
fn write_three_times(out: Writer<u64>, go: Writer<()>, way: Way) -> csproc::Result<Vec<Result<(), ChannelError>>> {
    let start = Instant::now();
    let first = write_within(&out, 7, way, Duration::from_millis(2));
    assert!(start.elapsed() >= Duration::from_millis(2));
    go.write(())?;
    Ok(vec![first, write_within(&out, 8, way, HOUR), write_within(&out, 9, way, HOUR)])
}

#[process]
fn wait_to_read(ready: Writer<Place>, input: Reader<u64>, way: Way) -> Result<u64, ChannelError> {
    Place::announce(&ready);
    read_within(&input, way, HOUR)
}

#[process]
fn wait_to_write(ready: Writer<Place>, out: Writer<u64>, way: Way) -> Result<(), ChannelError> {
    Place::announce(&ready);
    write_within(&out, 7, way, HOUR)
}

/// Reads once from each channel that comes.
#[process]
fn read_each(fresh: Reader<Reader<u64>>, way: Way) -> csproc::Result<Vec<u64>> {
    fresh.into_iter().map(|input| Ok(read_within(&input, way, HOUR)?)).collect()
}

/// Comes too late for every other value, and tries again when the other one was not there in time.
#[process]
fn write_impatiently(out: Writer<u64>, count: u64, way: Way) -> csproc::Result<()> {
    for value in 0..count {
        if value % 2 == 0 {
            std::thread::sleep(Duration::from_micros(500));
        }
        while let Err(error) = write_within(&out, value, way, Duration::from_micros(100)) {
            if !error.is_timed_out() {
                return Err(error.into());
            }
        }
    }
    Ok(())
}

#[process]
fn read_impatiently(input: Reader<u64>, count: u64, way: Way) -> csproc::Result<Vec<u64>> {
    let mut read = Vec::new();
    while (read.len() as u64) < count {
        if read.len() % 2 == 1 {
            std::thread::sleep(Duration::from_micros(500));
        }
        match read_within(&input, way, Duration::from_micros(100)) {
            Err(ChannelError::TimedOut) => {}
            value => read.push(value?),
        }
    }
    Ok(read)
}

/// Waits for all of them, so many times; gives how often each fired.
#[process]
fn count_hits(inputs: Vec<Reader<u64>>, rounds: u64, policy: Policy) -> csproc::Result<Vec<u64>> {
    let mut alt = Alternation::new();
    for input in &inputs {
        alt.read(input);
    }
    let mut hits = vec![0; inputs.len()];
    for _ in 0..rounds {
        hits[policy.select(&mut alt)?.index()] += 1;
    }
    Ok(hits)
}

/// Writes to any of them, so many times; gives how often each fired.
#[process]
fn spread(outs: Vec<Writer<u64>>, rounds: u64, policy: Policy) -> csproc::Result<Vec<u64>> {
    let mut alt = Alternation::new();
    let tokens: Vec<_> = outs.iter().map(|out| alt.write(out, 0)).collect();
    let mut hits = vec![0; outs.len()];
    for round in 1..=rounds {
        let fired = policy.select(&mut alt)?.index();
        hits[fired] += 1;
        alt.set(tokens[fired], round);
    }
    Ok(hits)
}

/// Sends the way to the next message with each message.
#[process]
fn send_channels(out: Writer<Link>, silent: Reader<u64>, count: u64) -> csproc::Result<()> {
    let mut out = out;
    for number in 0..count {
        let next = Channel::new();
        let link = Link { number, next: Some(next.reader()) };
        out = AltSelect! {
            out.write(link) => next.writer(),
            v = silent.read() => panic!("nobody has written {v}"),
        }?;
    }
    Ok(out.write(Link { number: count, next: None })?)
}

#[process]
fn follow_channels(input: Reader<Link>) -> csproc::Result<u64> {
    let mut input = input;
    for number in 0.. {
        let link = AltSelect! { link = input.read() => link }?;
        assert_eq!(link.number, number);
        match link.next {
            Some(next) => input = next,
            None => return Ok(number),
        }
    }
    Ok(0)
}

#[derive(Debug, Serialize, Deserialize)]
struct Link {
    number: u64,
    next: Option<Reader<Link>>,
}

over_both! {
    fn recv_timeout_in_time_too_late_and_after_the_last(placement) {
        for way in WAYS {
            let (c, go) = (Channel::new(), Channel::new());
            let (w, r) = (c.writer(), go.reader());
            let reader = Spawn!(read_three_times(c.reader(), go.writer(), way).on(placement)).unwrap();
            r.read().unwrap();
            w.write(7).unwrap();
            drop(w);
            let read = reader.join().unwrap().unwrap();
            assert_eq!(read, [Err(ChannelError::TimedOut), Ok(7), Err(ChannelError::Retired)]);
        }
    }

    fn send_timeout_in_time_too_late_and_after_the_last(placement) {
        for way in WAYS {
            let (c, go) = (Channel::new(), Channel::new());
            let (r, at) = (c.reader(), go.reader());
            let writer = Spawn!(write_three_times(c.writer(), go.writer(), way).on(placement)).unwrap();
            at.read().unwrap();
            assert_eq!(r.read(), Ok(8), "the value of a write that timed out was read");
            drop(r);
            let written = writer.join().unwrap().unwrap();
            assert_eq!(written, [Err(ChannelError::TimedOut), Ok(()), Err(ChannelError::Retired)]);
        }
    }

    fn disconnect_wakes_sender_and_receiver(placement) {
        for way in WAYS {
            let (c, d, ready) = (Channel::new(), Channel::new(), Channel::new());
            let (r, w, announced) = (c.reader(), d.writer(), ready.reader());
            let writer = Spawn!(wait_to_write(ready.writer(), c.writer(), way).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            let reader = Spawn!(wait_to_read(ready.writer(), d.reader(), way).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            drop((r, w));
            assert_eq!(writer.join().unwrap(), Err(ChannelError::Retired));
            assert_eq!(reader.join().unwrap(), Err(ChannelError::Retired));
        }
    }

    /// `cloning1`, `cloning2`: as long as there is a clone, a waiting alternation waits.
    fn cloning_an_end_keeps_the_channel(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let (w, announced) = (c.writer(), ready.reader());
        let reader = Spawn!(wait_to_read(ready.writer(), c.reader(), Way::Select).on(placement)).unwrap();
        let place = announced.read().unwrap();
        place.until_asleep();
        drop(w.clone());
        let other = w.clone();
        drop(w);
        place.until_asleep();
        assert!(reader.try_join().is_none());
        other.write(5).unwrap();
        assert_eq!(reader.join().unwrap(), Ok(5));
    }

    /// `stress_oneshot`: many channels, a message each.
    fn stress_oneshot_a_channel_for_each_message(placement) {
        for way in WAYS {
            let fresh = Channel::new();
            let w = fresh.writer();
            let reader = Spawn!(read_each(fresh.reader(), way).on(placement)).unwrap();
            for value in 0..500 {
                let c = Channel::new();
                w.write(c.reader()).unwrap();
                write_within(&c.writer(), value, way, HOUR).unwrap();
            }
            drop(w);
            assert!(reader.join().unwrap().unwrap().into_iter().eq(0..500));
        }
    }

    fn stress_timeout_two_threads_every_value_arrives_once_and_in_order(placement) {
        for (writes, reads) in WAYS.into_iter().flat_map(|writes| WAYS.map(|reads| (writes, reads))) {
            let c = Channel::new();
            let (sent, read) = Parallel!(
                write_impatiently(c.writer(), 100, writes).on(placement),
                read_impatiently(c.reader(), 100, reads).on(placement),
            )
            .unwrap();
            sent.unwrap();
            assert!(read.unwrap().into_iter().eq(0..100));
        }
    }

    /// `fairness`: two alternations that face each other use all their channels.
    fn fairness_all_guards_have_a_share(placement) {
        const ROUNDS: u64 = 2000;
        for (writes, reads) in [Policy::Random, Policy::Fair].into_iter().flat_map(|w| POLICIES.map(|r| (w, r))) {
            let c = channels(2);
            let (spread, hits) = Parallel!(
                spread(writers(&c), ROUNDS, writes).on(placement),
                count_hits(readers(&c), ROUNDS, reads).on(placement),
            )
            .unwrap();
            let (spread, hits) = (spread.unwrap(), hits.unwrap());
            assert_eq!(spread, hits);
            // Where the reader prefers the first, it has its way whenever the writer waits.
            if reads != Policy::Priority {
                assert!(hits.iter().all(|count| *count >= ROUNDS / 4), "{hits:?}, {writes:?} {reads:?}");
            }
        }
    }

    /// `fairness_duplicates`, `duplicate_operations`: guards over one and the same channel have a share each.
    fn fairness_duplicates_guards_over_one_channel_have_a_share(placement) {
        const ROUNDS: u64 = 2000;
        for policy in [Policy::Random, Policy::Fair] {
            let c = Channel::new();
            let (spread, hits) = Parallel!(
                spread((0..3).map(|_| c.writer()).collect(), ROUNDS, policy).on(placement),
                count_hits((0..5).map(|_| c.reader()).collect(), ROUNDS, policy).on(placement),
            )
            .unwrap();
            let (spread, hits) = (spread.unwrap(), hits.unwrap());
            assert!(spread.iter().all(|count| *count >= ROUNDS / 3 / 2), "{spread:?}, {policy:?}");
            assert!(hits.iter().all(|count| *count >= ROUNDS / 5 / 2), "{hits:?}, {policy:?}");
        }
    }

    fn channel_through_channel_through_channel(placement) {
        let (c, silent) = (Channel::new(), Channel::new());
        let _silent = silent.writer();
        let (sent, followed) = Parallel!(
            send_channels(c.writer(), silent.reader(), 200).on(placement),
            follow_channels(c.reader()).on(placement),
        )
        .unwrap();
        sent.unwrap();
        assert_eq!(followed.unwrap(), 200);
    }
}

once! {
    /// `recv_in_send`: the value of a guard may come from a channel itself.
    fn recv_in_send_the_value_may_be_read() {
        let (c, d) = (Channel::buffered(Buffer::Fifo(1)), Channel::buffered(Buffer::Fifo(1)));
        let (w, r, out) = (c.writer(), c.reader(), d.writer());
        w.write(6).unwrap();
        let written = PriSelect! {
            out.write(r.read().unwrap() + 1) => true,
            v = r.read() => panic!("{v} was read twice"),
        };
        assert_eq!(written, Ok(true));
        assert_eq!(d.reader().read(), Ok(7));
    }
}
