//! Laws 1 and 3: a write and a read meet or nothing has happened, and whoever came first is served first.
//!
//! Knows nothing of poison and retirement beyond using them to end.

use crate::harness::cast::{announce_and_read, announce_and_write, collect, source};
use crate::harness::place::Place;
use csproc::prelude::*;
use std::time::Duration;

/// Nanoseconds of a clock that is the same in all processes.
fn now() -> i128 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

/// A little work that takes a different time each time, from nothing to some microseconds.
fn dawdle(seed: u64) {
    for _ in 0..(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) {
        std::hint::spin_loop();
    }
    if seed.is_multiple_of(7) {
        std::thread::yield_now();
    }
}

#[process]
fn note_when_written(out: Writer<u64>, count: u64) -> csproc::Result<Vec<i128>> {
    let mut times = Vec::new();
    for i in 0..count {
        dawdle(i);
        out.write(i)?;
        times.push(now());
    }
    Ok(times)
}

#[process]
fn note_before_reading(input: Reader<u64>, count: u64) -> csproc::Result<Vec<i128>> {
    let mut times = Vec::new();
    for i in 0..count {
        dawdle(i + 3);
        times.push(now());
        assert_eq!(input.read()?, i);
    }
    Ok(times)
}

#[process]
fn write_with_little_patience(out: Writer<u64>, count: u64) -> Vec<u64> {
    let mut written = Vec::new();
    for i in 0..count {
        match out.write_timeout(i, Duration::from_micros(i % 40)) {
            Ok(()) => written.push(i),
            Err(error) => {
                assert!(error.fate.is_timed_out(), "{error:?}");
                assert_eq!(error.value, i);
            }
        }
    }
    written
}

#[process]
fn read_with_little_patience(input: Reader<u64>) -> Vec<u64> {
    let mut read = Vec::new();
    for round in 0.. {
        match input.read_timeout(Duration::from_micros(round % 50)) {
            Ok(value) => read.push(value),
            Err(ChannelError::TimedOut) => {}
            Err(ChannelError::Retired) => break,
            Err(other) => panic!("{other}"),
        }
    }
    read
}

#[process]
fn try_to_write(out: Writer<u64>, count: u64) -> Vec<u64> {
    (0..count)
        .filter(|i| match out.try_write(*i) {
            Ok(()) => true,
            Err(error) => {
                assert!(error.fate.is_would_block(), "{error:?}");
                assert_eq!(error.value, *i);
                dawdle(*i);
                false
            }
        })
        .collect()
}

#[process]
fn try_to_read(input: Reader<u64>) -> Vec<u64> {
    let mut read = Vec::new();
    loop {
        match input.try_read() {
            Ok(value) => read.push(value),
            Err(ChannelError::WouldBlock) => std::thread::yield_now(),
            Err(ChannelError::Retired) => return read,
            Err(other) => panic!("{other}"),
        }
    }
}

#[process]
fn write_unless_late(ready: Writer<Place>, out: Writer<u64>, value: u64) -> bool {
    Place::announce(&ready);
    out.write_timeout(value, Duration::from_millis(30)).is_ok()
}

over_both! {
    fn law_1_a_write_returns_only_after_a_reader_is_committed(placement) {
        let c = Channel::new();
        let (written, read) = Parallel!(
            note_when_written(c.writer(), 2000).on(placement),
            note_before_reading(c.reader(), 2000).on(placement),
        )
        .unwrap();
        let (written, read) = (written.unwrap(), read.unwrap());
        for (i, (written, read)) in written.into_iter().zip(read).enumerate() {
            assert!(written >= read, "write {i} returned {} ns before its reader came", read - written);
        }
    }

    fn law_1_a_timed_out_write_was_seen_by_nobody(placement) {
        let c = Channel::new();
        let (written, read) = Parallel!(
            write_with_little_patience(c.writer(), 4000).on(placement),
            read_with_little_patience(c.reader()).on(placement),
        )
        .unwrap();
        assert_eq!(written, read);
    }

    fn law_1_a_write_that_would_block_was_seen_by_nobody(placement) {
        let c = Channel::new();
        let (written, read) = Parallel!(
            try_to_write(c.writer(), 20_000).on(placement),
            collect(c.reader()).on(placement),
        )
        .unwrap();
        assert_eq!(written, read);
    }

    fn law_1_a_read_that_would_block_takes_nothing(placement) {
        let c = Channel::new();
        let (sent, read) =
            Parallel!(source(c.writer(), 0..500).on(placement), try_to_read(c.reader()).on(placement)).unwrap();
        sent.unwrap();
        assert_eq!(read, (0..500).collect::<Vec<_>>());
    }

    fn law_3_values_of_one_writer_keep_their_order(placement) {
        let c = Channel::new();
        let (sent, read) =
            Parallel!(source(c.writer(), 0..20_000).on(placement), collect(c.reader()).on(placement)).unwrap();
        sent.unwrap();
        assert!(read.into_iter().eq(0..20_000));
    }

    fn law_3_waiting_writers_are_served_in_order_of_arrival(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let (r, announced) = (c.reader(), ready.reader());
        let mut writers = Vec::new();
        for value in 0..8 {
            writers.push(Spawn!(announce_and_write(ready.writer(), c.writer(), value).on(placement)).unwrap());
            announced.read().unwrap().until_asleep();
        }
        let read: Vec<u64> = (0..8).map(|_| r.read().unwrap()).collect();
        assert_eq!(read, (0..8).collect::<Vec<_>>());
        writers.into_iter().for_each(|writer| writer.join().unwrap().unwrap());
    }

    fn law_3_waiting_readers_are_served_in_order_of_arrival(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let (w, announced) = (c.writer(), ready.reader());
        let mut readers = Vec::new();
        for _ in 0..8 {
            readers.push(Spawn!(announce_and_read(ready.writer(), c.reader()).on(placement)).unwrap());
            announced.read().unwrap().until_asleep();
        }
        (0..8).for_each(|value| w.write(value).unwrap());
        let read: Vec<u64> = readers.into_iter().map(|reader| reader.join().unwrap().unwrap()).collect();
        assert_eq!(read, (0..8).collect::<Vec<_>>());
    }

    fn law_3_a_writer_that_gave_up_leaves_the_order_of_the_others(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let (r, announced) = (c.reader(), ready.reader());
        let mut patient = Vec::new();
        let mut impatient = Vec::new();
        for value in 0..9 {
            if value % 3 == 1 {
                impatient.push(Spawn!(write_unless_late(ready.writer(), c.writer(), value).on(placement)).unwrap());
                announced.read().unwrap();
            } else {
                patient.push(Spawn!(announce_and_write(ready.writer(), c.writer(), value).on(placement)).unwrap());
                announced.read().unwrap().until_asleep();
            }
        }
        assert!(impatient.into_iter().all(|writer| !writer.join().unwrap()));
        let read: Vec<u64> = (0..6).map(|_| r.read().unwrap()).collect();
        assert_eq!(read, [0, 2, 3, 5, 6, 8]);
        assert!(r.try_read().unwrap_err().is_would_block() || r.try_read().unwrap_err().is_retired());
        patient.into_iter().for_each(|writer| writer.join().unwrap().unwrap());
    }

    fn four_writers_and_four_readers_share_every_value_exactly_once(placement) {
        let c = Channel::new();
        let (sent, read) = Parallel!(
            for i in 0..4 => source(c.writer(), i * 2500..(i + 1) * 2500).on(placement),
            collect(c.reader()).on(placement) * 4,
        )
        .unwrap();
        sent.into_iter().for_each(|sent| sent.unwrap());
        for reader in &read {
            for writer in 0..4 {
                let of_one: Vec<_> = reader.iter().filter(|value| **value / 2500 == writer).collect();
                assert!(of_one.is_sorted(), "values of one writer overtook each other on their way to one reader");
            }
        }
        let mut all = read.concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..10_000));
    }
}

once! {
    fn law_1_nothing_is_taken_from_a_channel_without_a_reader() {
        let c = Channel::<u8>::new();
        let w = c.writer();
        assert!(w.try_write(1).unwrap_err().fate.is_would_block());
        assert!(w.write_timeout(2, Duration::from_millis(2)).unwrap_err().fate.is_timed_out());
        let r = c.reader();
        assert!(r.try_read().unwrap_err().is_would_block(), "a write that failed has left its value behind");
        assert_eq!(w.try_write(3).unwrap_err().value, 3);
    }

    fn law_3_a_writer_that_was_killed_leaves_the_order_of_the_others() {
        let (c, ready) = (Channel::new(), Channel::new());
        let (r, announced) = (c.reader(), ready.reader());
        let mut writers = Vec::new();
        for value in 0..7 {
            let writer = announce_and_write(ready.writer(), c.writer(), value).on_crash(OnCrash::Retire);
            writers.push(Spawn!(writer).unwrap());
            announced.read().unwrap().until_asleep();
        }
        for at in [6, 3, 0] {
            let writer = writers.remove(at);
            writer.kill().unwrap();
            writer.join().unwrap_err();
        }
        let read: Vec<u64> = (0..4).map(|_| r.read().unwrap()).collect();
        assert_eq!(read, [1, 2, 4, 5]);
        writers.into_iter().for_each(|writer| writer.join().unwrap().unwrap());
    }

    fn processes_and_threads_share_one_channel() {
        let c = Channel::new();
        let (sent, read) = Parallel!(
            source(c.writer(), 0..500).on(Placement::Thread),
            source(c.writer(), 500..1000),
            collect(c.reader()).on(Placement::Thread),
            collect(c.reader()),
        )
        .map(|(a, b, c, d)| ((a, b), [c, d].concat()))
        .unwrap();
        sent.0.and(sent.1).unwrap();
        let mut read = read;
        read.sort_unstable();
        assert!(read.into_iter().eq(0..1000));
    }

    fn threads_of_the_program_need_not_be_processes() {
        let c = Channel::<u64>::new();
        let (w, r) = (c.writer(), c.reader());
        drop(c);
        let writers: Vec<_> = (0..4)
            .map(|i| {
                let w = w.clone();
                std::thread::spawn(move || (0..100).try_for_each(|n| w.write(i * 100 + n)).is_ok())
            })
            .collect();
        drop(w);
        let mut read: Vec<u64> = r.into_iter().collect();
        read.sort_unstable();
        assert!(read.into_iter().eq(0..400));
        assert!(writers.into_iter().all(|writer| writer.join().unwrap()));
    }
}
