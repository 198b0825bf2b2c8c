//! Messages of every size arrive whole: empty ones, those at the borders of the size classes, and hundreds of
//! megabytes.
//!
//! Knows nothing of how large the arena is, except where a program of its own makes it small.

use crate::harness::cast::{identity, relay};
use crate::harness::scenario::{Scenario, command, output};
use csproc::prelude::*;
use csproc::{Failure, MessageError, StartError};
use serde::{Deserialize, Serialize};

pub(crate) const SCENARIOS: &[Scenario] =
    &[("a small arena", small_arena), ("a tiny arena", tiny_arena), ("memory comes back", memory_comes_back)];

const MEBIBYTE: usize = 1 << 20;

fn pattern(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    for (place, chunk) in bytes.chunks_mut(4093).enumerate() {
        chunk.fill(place as u8);
    }
    if let Some(last) = bytes.last_mut() {
        *last = 0xa5;
    }
    bytes
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nested {
    name: String,
    inner: Option<Box<Nested>>,
    samples: Vec<(f32, i64)>,
    kind: Kind,
    unit: (),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Empty,
    Pair(u8, char),
    Map(std::collections::BTreeMap<String, Vec<Option<bool>>>),
}

/// Sends each value there and back, and compares.
fn round_trips<T: Message + PartialEq + Clone>(placement: Placement, values: impl IntoIterator<Item = T>) {
    let (there, back) = (Channel::new(), Channel::new());
    let (w, r) = (there.writer(), back.reader());
    let echo = Spawn!(relay::<T>(there.reader(), back.writer()).on(placement)).unwrap();
    for (place, value) in values.into_iter().enumerate() {
        w.write(value.clone()).unwrap();
        assert!(r.read().unwrap() == value, "value {place} was changed");
    }
    drop(w);
    echo.join().unwrap().unwrap();
}

/// Some are short enough to need no block, some are not, and some hold an end.
#[derive(Debug, Serialize, Deserialize)]
struct Mixed {
    bytes: Vec<u8>,
    end: Option<Writer<usize>>,
}

/// Lengths around that of the longest short message, which has its own length before it, and the option behind it.
fn length_of(number: usize) -> usize {
    number * 7 % 31
}

/// Every fifth holds an end, and the next one none: what the last message was says nothing of the next.
#[process]
fn write_mixed(output: Writer<Mixed>, answers: Writer<usize>, count: usize) -> csproc::Result<()> {
    for number in 0..count {
        let end = (number % 5 == 0).then(|| answers.clone());
        let mixed = Mixed { bytes: vec![number as u8; length_of(number)], end };
        match number % 3 {
            0 => output.write(mixed)?,
            1 => output.write_timeout(mixed, std::time::Duration::from_secs(60))?,
            _ => PriSelect! { output.write(mixed) => () }?,
        }
    }
    Ok(())
}

over_both! {
    fn a_message_is_the_same_whether_it_needs_a_block_or_not_and_whoever_takes_it(placement) {
        const COUNT: usize = 31 * 5 * 6;
        let (c, idle, answers) = (Channel::new(), Channel::<Mixed>::new(), Channel::buffered(Buffer::Fifo(1)));
        let (r, quiet, heard) = (c.reader(), idle.reader(), answers.reader());
        let _held = idle.writer();
        let writer = Spawn!(write_mixed(c.writer(), answers.writer(), COUNT).on(placement)).unwrap();
        drop(c);
        let mut set = Alternation::new();
        let mixed = set.read(&r);
        set.read(&quiet);
        for number in 0..COUNT {
            let message = match number % 6 {
                0 => r.read().unwrap(),
                1 => r.read_timeout(std::time::Duration::from_secs(60)).unwrap(),
                2 => r.extended().unwrap().finish(),
                3 => AltSelect! { message = r.read() => message, message = quiet.read() => message }.unwrap(),
                4 => set.fair_select().unwrap().take(mixed),
                _ => loop {
                    match r.try_read() {
                        Err(error) if error.is_would_block() => std::thread::yield_now(),
                        message => break message.unwrap(),
                    }
                },
            };
            assert_eq!(message.bytes, vec![number as u8; length_of(number)]);
            assert_eq!(message.end.is_some(), number % 5 == 0);
            if let Some(end) = message.end {
                end.write(number).unwrap();
                assert_eq!(heard.read(), Ok(number));
            }
        }
        assert!(r.read().unwrap_err().is_retired());
        writer.join().unwrap().unwrap();
    }
}

over_both! {
    fn bytes_of_every_small_size_arrive_whole(placement) {
        round_trips(placement, (0..300).map(pattern));
    }

    fn bytes_around_every_size_class_arrive_whole(placement) {
        let sizes = (6..17).flat_map(|bits| {
            let class = 1_usize << bits;
            // The header of a block takes some bytes of its class.
            // From 4 KiB on, a message of the class fits beside it.
            (class - 26..class - 20).chain(class - 2..class + 2).chain(class + 38..class + 44)
        });
        round_trips(placement, sizes.map(pattern));
    }

    fn large_bytes_arrive_whole(placement) {
        round_trips(placement, [64 << 10, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 64 * MEBIBYTE].map(pattern));
    }

    fn texts_arrive_whole(placement) {
        let sizes = [0, 1, 38, 39, 40, 41, 42, 63, 64, 65, 4096, 65_536, MEBIBYTE];
        round_trips(placement, sizes.map(|size| "å€".repeat(size / 5) + &"x".repeat(size % 5)));
    }

    fn numbers_arrive_whole(placement) {
        let floats =
            [0, 1, 4, 5, 8192, 131_072].map(|count| (0..count).map(|i| f64::from(i) / 3.0).collect::<Vec<_>>());
        round_trips(placement, floats);
        round_trips(placement, [vec![u128::MAX, 0, 1], vec![]]);
        round_trips(placement, [vec![i16::MIN, -1, i16::MAX]]);
    }

    fn numbers_inside_a_value_arrive_whole(placement) {
        let floats = |count| (0..count).map(|i| f64::from(i) / 3.0).collect::<Vec<_>>();
        let sizes = [0, 1, 4, 5, 254, 255, 256, 8192, 131_072];
        round_trips(placement, sizes.map(|count| (1_u8, Some(floats(count)), vec![floats(count), floats(3)])));
        round_trips(placement, sizes.map(|count| ("text".to_string(), floats(count).into_boxed_slice(), 'x')));
    }

    fn nested_values_arrive_whole(placement) {
        let leaf = Nested {
            name: String::from("leaf"),
            inner: None,
            samples: vec![(1.5, -7), (f32::MAX, i64::MIN)],
            kind: Kind::Pair(7, '\u{1f600}'),
            unit: (),
        };
        let map = [(String::from("a"), vec![Some(true), None]), (String::new(), vec![])].into_iter().collect();
        let deep = (0..100).fold(leaf.clone(), |inner, depth| Nested {
            name: format!("level {depth}"),
            inner: Some(Box::new(inner)),
            samples: vec![(0.0, depth); depth as usize],
            kind: Kind::Empty,
            unit: (),
        });
        round_trips(placement, [leaf.clone(), Nested { kind: Kind::Map(map), ..leaf }, deep]);
        round_trips(placement, [(); 3]);
        round_trips(placement, [None, Some(Some(1_u8)), Some(None)]);
    }

    fn large_arguments_and_results_arrive_whole(placement) {
        let value = pattern(2 * MEBIBYTE + 1);
        assert!(Parallel!(identity(value.clone()).on(placement)).unwrap() == value);
        assert!(Parallel!(identity(Vec::<u8>::new()).on(placement)).unwrap().is_empty());
    }

    fn sizes_may_change_from_message_to_message(placement) {
        round_trips(placement, (0..2000_usize).map(|i| pattern(i.wrapping_mul(7919) % 3000)));
    }
}

alone! {
    fn a_message_of_three_hundred_mebibytes_arrives_whole() {
        let c = Channel::new();
        let r = c.reader();
        let value = pattern(300 * MEBIBYTE);
        let sum = Spawn!(send_large(c.writer(), 300 * MEBIBYTE)).unwrap();
        assert!(r.read().unwrap() == value);
        sum.join().unwrap().unwrap();
    }
}

once! {
    fn a_message_larger_than_the_arena_is_a_clear_error_and_harms_nothing() {
        let (mut command, _) = command("a small arena");
        command.env("CSPROC_ARENA", "32M");
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
    }
}

once! {
    fn slots_of_channels_ends_processes_and_threads_are_used_again() {
        let (mut command, _) = command("a tiny arena");
        command.env("CSPROC_ARENA", "4M");
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
    }
}

once! {
    fn the_memory_of_large_messages_comes_back_when_no_more_of_them_come() {
        let remains = output(command("memory comes back").0);
        assert!(remains.status.success(), "{remains:?}");
    }
}

/// Pages of shared memory that this process has in its tables, in bytes.
fn shared_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssShmem:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<usize>().unwrap() << 10
}

/// One of each size, so that each class has something warm; both sides are there until the end.
fn memory_comes_back() {
    let (there, back) = (Channel::new(), Channel::new());
    let (w, r) = (there.writer(), back.reader());
    let echo = Spawn!(relay::<Vec<u8>>(there.reader(), back.writer())).unwrap();
    let mut seen = 0;
    for size in [4, 16, 100].map(|size| size * MEBIBYTE) {
        w.write(pattern(size)).unwrap();
        assert!(r.read().unwrap() == pattern(size));
        seen = seen.max(shared_memory());
    }
    assert!(seen > 16 * MEBIBYTE, "{seen} bytes");
    while shared_memory() > 8 * MEBIBYTE {
        std::thread::yield_now();
    }
    drop(w);
    echo.join().unwrap().unwrap();
}

#[process]
fn send_large(out: Writer<Vec<u8>>, size: usize) -> csproc::Result<()> {
    Ok(out.write(pattern(size))?)
}

#[process]
fn send_often(out: Writer<Vec<u8>>, times: usize, size: usize) -> csproc::Result<()> {
    let value = vec![7; size];
    for _ in 0..times {
        out.write(value.clone())?;
    }
    Ok(())
}

#[process]
fn too_large(size: usize) -> Vec<u8> {
    vec![0; size]
}

fn small_arena() {
    for placement in [Placement::Process, Placement::Thread] {
        let (there, back) = (Channel::new(), Channel::new());
        let (w, r) = (there.writer(), back.reader());
        let echo = Spawn!(relay::<Vec<u8>>(there.reader(), back.writer()).on(placement)).unwrap();
        for size in [40 * MEBIBYTE, 2 << 30] {
            let error = w.write(vec![0; size]).unwrap_err();
            assert!(matches!(&error.fate, ChannelError::Invalid(MessageError::Memory { .. })), "{:?}", error.fate);
            let text = error.fate.to_string();
            assert!(text.contains("arena") || text.contains("one message"), "{text}");
            assert_eq!(error.into_value().len(), size);
            // The channel is unharmed.
            w.write(pattern(1000)).unwrap();
            assert!(r.read().unwrap() == pattern(1000));
        }
        drop(w);
        echo.join().unwrap().unwrap();

        // An argument that does not fit.
        let error = Parallel!(identity(vec![0_u8; 40 * MEBIBYTE]).on(placement)).unwrap_err();
        assert!(matches!(&error.failures()[0], Failure::Start { source: StartError::Arguments(_), .. }), "{error}");
        assert!(error.to_string().contains("CSPROC_ARENA"), "{error}");

        // A result that does not fit.
        let error = Parallel!(too_large(40 * MEBIBYTE).on(placement)).unwrap_err();
        assert!(matches!(&error.failures()[0], Failure::Crashed { .. }), "{error}");
        assert!(error.to_string().contains("CSPROC_ARENA"), "{error}");
    }

    // Far more than the arena holds at once.
    let c = Channel::new();
    let r = c.reader();
    let sender = Spawn!(send_often(c.writer(), 60, 4 * MEBIBYTE)).unwrap();
    assert_eq!(r.into_iter().map(|value| value.len()).sum::<usize>(), 60 * 4 * MEBIBYTE);
    sender.join().unwrap().unwrap();

    // Many small values that nobody takes fill the arena, too; when they go, there is room again.
    let c = Channel::<Vec<u8>>::new();
    let (w, r) = (c.writer(), c.reader());
    let kept: Vec<_> = (0..600).map(|_| identity(vec![0_u8; MEBIBYTE / 16])).collect();
    let refused = w.write(vec![0; 8 * MEBIBYTE]).unwrap_err();
    assert!(refused.fate.is_invalid(), "{:?}", refused.fate);
    drop(kept);
    let writer = std::thread::spawn(move || w.write(vec![0; MEBIBYTE / 16]).is_ok());
    assert_eq!(r.read().unwrap().len(), MEBIBYTE / 16);
    assert!(writer.join().unwrap());
}

/// An arena of four mebibytes has room for 512 processes, as many communicating threads, 2048 channels and 8192 ends.
fn tiny_arena() {
    for _ in 0..10_000 {
        let c = Channel::<u64>::builder().build().unwrap();
        let (w, r) = (c.writer(), c.reader());
        assert!(w.try_write(1).unwrap_err().is_would_block());
        drop(w);
        assert!(r.try_read().unwrap_err().is_retired());
    }
    for placement in [Placement::Process, Placement::Thread] {
        for round in 0..1200 {
            assert_eq!(Parallel!(identity::<u64>(round).on(placement)).unwrap(), round);
        }
    }
    for round in 0..1200_u64 {
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        let writer = std::thread::spawn(move || w.write(round).is_ok());
        assert_eq!(r.read(), Ok(round));
        assert!(writer.join().unwrap());
    }
    // When they are used up, that is said; when they are given back, all is well.
    let (mut channels, error) = {
        let mut channels = Vec::new();
        loop {
            match Channel::<u64>::builder().build() {
                Ok(channel) => channels.push(channel),
                Err(error) => break (channels, error),
            }
        }
    };
    assert!(error.to_string().contains("CSPROC_ARENA"), "{error}");
    let nowhere = Channel::<u64>::new();
    assert!(nowhere.reader().read().unwrap_err().is_invalid());
    assert!(nowhere.writer().write(1).unwrap_err().fate.is_invalid());
    let refused = Parallel!(identity::<u64>(1)).unwrap_err();
    assert!(matches!(&refused.failures()[0], Failure::Start { .. }), "{refused}");
    channels.truncate(1000);
    assert_eq!(Parallel!(identity::<u64>(2)).unwrap(), 2);
    let too_many = (0..3000).map(identity::<u64>).collect::<Vec<_>>();
    let (_, full) = (too_many, Channel::<u64>::builder().build());
    full.unwrap();
}

/// Serializes to more bytes each time, as ends do whose numbers have become longer meanwhile.
struct Growing {
    sizes: std::cell::Cell<&'static [usize]>,
}

impl Serialize for Growing {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (size, rest) = self.sizes.get().split_first().unwrap();
        if !rest.is_empty() {
            self.sizes.set(rest);
        }
        pattern(*size).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Growing {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Growing, D::Error> {
        assert!(Vec::<u8>::deserialize(deserializer)?.ends_with(&[0xa5]));
        Ok(Growing { sizes: std::cell::Cell::new(&[]) })
    }
}

once! {
    fn a_message_that_needs_a_little_more_than_was_counted_arrives() {
        // Size classes lie between any two of them.
        for sizes in [&[5000, 9000][..], &[100, 5000, 9000], &[4000, 4100, 4200, 17000]] {
            let c = Channel::new();
            let (w, r) = (c.writer(), c.reader());
            let reader = std::thread::spawn(move || r.read().map(drop));
            w.write(Growing { sizes: std::cell::Cell::new(sizes) }).map_err(|error| error.fate).unwrap();
            assert_eq!(reader.join().unwrap(), Ok(()));
        }
    }

    fn a_message_that_never_ends_growing_is_an_error() {
        let sizes: &[usize] =
            &[1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26];
        let c = Channel::new();
        let (w, _r) = (c.writer(), c.reader());
        let error = w.write(Growing { sizes: std::cell::Cell::new(sizes) }).map_err(|error| error.fate).unwrap_err();
        assert!(matches!(error, ChannelError::Invalid(MessageError::Encode { .. })), "{error:?}");
    }
}
