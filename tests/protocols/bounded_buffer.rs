//! A buffer with room for so many messages, as a process between a producer and a consumer (Dijkstra, 1965).
//!
//! Knows nothing of the buffers that channels have.

use super::search::smallest_without;
use csproc::prelude::*;
use csproc::testing::{Event, Run, schedule};

const ROOM: usize = 2;
const MESSAGES: u32 = 3;

#[process]
fn produces(to: Writer<u32>) -> csproc::Result<()> {
    (0..MESSAGES).try_for_each(|number| to.write(number))?;
    Ok(())
}

/// A ring of places. It takes a message while there is room, and offers the oldest one while there is one.
#[process]
fn keeps(from: Reader<u32>, to: Writer<u32>, counts_right: bool) -> csproc::Result<()> {
    let (mut places, mut first, mut count) = ([0; ROOM], 0, 0);
    let most = if counts_right { ROOM } else { ROOM + 1 };
    let (mut left, mut owed) = (MESSAGES, MESSAGES);
    while owed > 0 {
        AltSelect! {
            message = from.read() if left > 0 && count < most => {
                places[(first + count) % ROOM] = message;
                count += 1;
                left -= 1;
            }
            to.write(places[first]) if count > 0 => {
                first = (first + 1) % ROOM;
                count -= 1;
                owed -= 1;
            }
        }?;
    }
    Ok(())
}

#[process]
fn consumes(from: Reader<u32>) -> Vec<u32> {
    from.into_iter().collect()
}

type Line = Network<(csproc::Result<()>, csproc::Result<()>, Vec<u32>)>;

fn line(counts_right: bool) -> Line {
    let channel = |name| Channel::builder().name(name).build().unwrap();
    let (put, taken) = (channel("put"), channel("taken"));
    network!(produces(put.writer()), keeps(put.reader(), taken.writer(), counts_right), consumes(taken.reader()))
}

type Came = (csproc::Result<()>, csproc::Result<()>, Vec<u32>);

fn keeps_order(run: &Run<Came>) -> bool {
    run.completed() && run.result().is_some_and(|(.., got)| got.iter().copied().eq(0..MESSAGES))
}

/// How many messages it has at most.
fn most_kept(trace: &[Event]) -> i32 {
    let change = |event: &Event| if event.channel() == "put" { 1 } else { -1 };
    let counts = trace.iter().scan(0, |count, event| {
        *count += change(event);
        Some(*count)
    });
    counts.max().unwrap_or(0)
}

#[test]
fn all_messages_come_in_order_and_no_more_are_kept_than_there_is_room_for() {
    let bad = smallest_without(
        500,
        &schedule(),
        || line(true),
        |run| keeps_order(run) && most_kept(run.trace()) <= ROOM as i32,
    );
    assert!(bad.is_none(), "{}", bad.unwrap());
}

#[test]
fn the_room_is_used_up_and_not_used_up() {
    for most in 1..=ROOM as i32 {
        let other = smallest_without(500, &schedule(), || line(true), |run| most_kept(run.trace()) != most);
        assert!(other.is_some(), "never {most}");
    }
}

#[test]
fn who_counts_one_place_too_many_writes_over_a_message() {
    let bad = smallest_without(500, &schedule(), || line(false), keeps_order).expect("there is one message too many");
    // Each of the three is put before any is taken.
    assert_eq!(bad.trace().len(), 6, "{bad}");
    assert_eq!(most_kept(bad.trace()), 3, "{bad}");
}
