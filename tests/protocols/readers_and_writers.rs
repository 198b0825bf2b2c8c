//! Readers and writers of a record (Courtois, Heymans and Parnas, 1971): many may read it at a time, and who writes is
//! alone.
//!
//! Knows nothing of the locks that the library has.

use super::search::smallest_without;
use csproc::prelude::*;
use csproc::testing::{Event, Run, schedule};
use serde::{Deserialize, Serialize};

/// A record of two halves, which are set and read one after the other; as a process, for processes share no memory.
#[process]
fn record(sets: Reader<(usize, u32)>, gets: Writer<[u32; 2]>, times: (usize, usize)) -> csproc::Result<()> {
    let (mut halves, (mut to_set, mut to_get)) = ([0, 0], times);
    while to_set + to_get > 0 {
        AltSelect! {
            (half, value) = sets.read() if to_set > 0 => {
                halves[half] = value;
                to_set -= 1;
            }
            gets.write(halves) if to_get > 0 => to_get -= 1,
        }?;
    }
    Ok(())
}

/// What a process says to whoever lets it in.
#[derive(Serialize, Deserialize)]
struct Door {
    comes: Writer<()>,
    goes: Writer<()>,
}

/// Lets in: a reader while nobody writes, a writer while nobody is in. So many of each will come.
#[process]
fn lets_in(
    read: [Reader<()>; 2],
    write: [Reader<()>; 2],
    visits: (usize, usize),
    waits_for_readers: bool,
) -> csproc::Result<()> {
    let (mut reading, mut is_writing, (mut readers, mut writers)) = (0, false, visits);
    while readers + writers + reading > 0 || is_writing {
        AltSelect! {
            read[0].read() if !is_writing && readers > 0 => {
                readers -= 1;
                reading += 1;
            }
            read[1].read() if reading > 0 => reading -= 1,
            write[0].read() if !is_writing && writers > 0 && (reading == 0 || !waits_for_readers) => {
                writers -= 1;
                is_writing = true;
            }
            write[1].read() if is_writing => is_writing = false,
        }?;
    }
    Ok(())
}

#[process]
fn writes(door: Door, sets: Writer<(usize, u32)>) -> csproc::Result<()> {
    door.comes.write(())?;
    for half in 0..2 {
        sets.write((half, 1))?;
    }
    door.goes.write(())?;
    Ok(())
}

/// Reads one half and then the other.
#[process]
fn reads(door: Door, gets: Reader<[u32; 2]>) -> csproc::Result<[u32; 2]> {
    door.comes.write(())?;
    let halves = [gets.read()?[0], gets.read()?[1]];
    door.goes.write(())?;
    Ok(halves)
}

type Seen = (csproc::Result<()>, csproc::Result<()>, Vec<csproc::Result<()>>, Vec<csproc::Result<[u32; 2]>>);

fn library(readers: usize, writers: usize, waits_for_readers: bool) -> Network<Seen> {
    let channel = |name| Channel::builder().name(name).build().unwrap();
    let [read, reads_no_more, write, writes_no_more] =
        ["read", "reads no more", "write", "writes no more"].map(channel);
    let sets = Channel::builder().name("set").build().unwrap();
    let gets = Channel::builder().name("get").build().unwrap();
    let door = |comes: &Channel<()>, goes: &Channel<()>| Door { comes: comes.writer(), goes: goes.writer() };
    network!(
        record(sets.reader(), gets.writer(), (2 * writers, 2 * readers)),
        lets_in(
            [read.reader(), reads_no_more.reader()],
            [write.reader(), writes_no_more.reader()],
            (readers, writers),
            waits_for_readers
        ),
        for _ in 0..writers => writes(door(&write, &writes_no_more), sets.writer()),
        for _ in 0..readers => reads(door(&read, &reads_no_more), gets.reader())
    )
}

fn sees_whole_records(run: &Run<Seen>) -> bool {
    let is_whole = |seen: &csproc::Result<[u32; 2]>| seen.as_ref().is_ok_and(|halves| halves[0] == halves[1]);
    run.completed() && run.result().is_some_and(|(.., seen)| seen.iter().all(is_whole))
}

/// How many are in at a time at most.
fn most_inside(trace: &[Event]) -> i32 {
    let counts = trace.iter().scan(0, |count, event| {
        *count += match event.channel() {
            "read" | "write" => 1,
            "reads no more" | "writes no more" => -1,
            _ => 0,
        };
        Some(*count)
    });
    counts.max().unwrap_or(0)
}

#[test]
fn whoever_reads_sees_a_whole_record() {
    for (readers, writers) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
        let bad = smallest_without(200, &schedule(), || library(readers, writers, true), sees_whole_records);
        assert!(bad.is_none(), "{}", bad.unwrap());
    }
}

#[test]
fn readers_read_at_the_same_time_and_writers_do_not_write() {
    let together = smallest_without(500, &schedule(), || library(2, 0, true), |run| most_inside(run.trace()) < 2);
    assert!(together.is_some());
    let bad = smallest_without(500, &schedule(), || library(0, 3, true), |run| most_inside(run.trace()) == 1);
    assert!(bad.is_none(), "{}", bad.unwrap());
}

#[test]
fn a_writer_who_does_not_wait_for_readers_tears_a_record() {
    let bad = smallest_without(500, &schedule(), || library(2, 2, false), sees_whole_records);
    let bad = bad.expect("it does not wait");
    // All do what they do, four events each: what was searched for is their order.
    assert_eq!(bad.trace().len(), 16, "{bad}");
    assert!(most_inside(bad.trace()) > 1, "{bad}");
}
