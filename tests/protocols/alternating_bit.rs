//! The alternating bit protocol over channels that lose messages and double them (Bartlett, Scantlebury and Wilkinson,
//! 1969).
//!
//! Knows nothing of why messages are lost.

use super::search::smallest_without;
use csproc::prelude::*;
use csproc::testing::{Run, Schedules, explore, schedule};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(1);

#[process]
fn sends(values: Vec<u8>, data: Writer<(bool, u8)>, acknowledged: Reader<bool>) -> csproc::Result<()> {
    let mut bit = false;
    for value in values {
        'again: loop {
            data.write((bit, value))?;
            loop {
                match acknowledged.read_timeout(PATIENCE) {
                    Ok(of) if of == bit => break 'again,
                    // Of one before.
                    Ok(_) => (),
                    Err(error) if error.is_timed_out() => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        bit = !bit;
    }
    Ok(())
}

#[process]
fn receives(data: Reader<(bool, u8)>, acknowledge: Writer<bool>, looks_at_bit: bool) -> csproc::Result<Vec<u8>> {
    let (mut expected, mut got) = (false, Vec::new());
    for (bit, value) in data {
        if bit == expected || !looks_at_bit {
            got.push(value);
            expected = !bit;
        }
        // The sender may have gone, when it has all it needs.
        if acknowledge.write(bit).is_err() {
            break;
        }
    }
    Ok(got)
}

type Came = (csproc::Result<()>, csproc::Result<Vec<u8>>);
type Transfer = Network<Came>;

fn transfer(looks_at_bit: bool) -> Transfer {
    let data = Channel::builder().name("data").build().unwrap();
    let acknowledged = Channel::builder().name("acknowledged").buffer(Buffer::Unbounded).build().unwrap();
    network!(
        sends(vec![1, 2, 3], data.writer(), acknowledged.reader()),
        receives(data.reader(), acknowledged.writer(), looks_at_bit)
    )
}

/// Lines on which no message overtakes another one: that is what the protocol is for.
fn over_bad_lines() -> Schedules {
    schedule().lossy("data", 3).lossy("acknowledged", 3).in_order("data").in_order("acknowledged")
}

fn is_as_sent(run: &Run<Came>) -> bool {
    run.result().is_none_or(|(_, got)| got.as_ref().map_or(true, |got| *got == [1, 2, 3]))
}

#[test]
fn everything_comes_once_and_in_order_whatever_is_lost_or_doubled() {
    let bad = smallest_without(
        500,
        &over_bad_lines(),
        || transfer(true),
        |run| run.completed() && run.result().is_some_and(|(_, got)| got.as_ref().is_ok_and(|got| *got == [1, 2, 3])),
    );
    assert!(bad.is_none(), "{}", bad.unwrap());
}

/// From several starts, the smallest run without the property has one fault, and so many events.
fn is_found_in(events: usize, schedules: &Schedules, looks_at_bit: bool) {
    for _ in 0..5 {
        let bad = smallest_without(5000, schedules, || transfer(looks_at_bit), is_as_sent).expect("it goes wrong");
        let faults = bad.trace().iter().filter(|event| event.kind().is_fault()).count();
        assert_eq!((faults, bad.trace().len()), (1, events), "{bad}");
    }
}

#[test]
fn a_receiver_that_does_not_look_at_the_bit_takes_a_doubled_message_twice() {
    // It is the last message, so that nobody has to be told of it twice.
    is_found_in(10, &schedule().lossy("data", 1).in_order("data"), false);
}

#[test]
fn one_bit_is_not_enough_where_messages_overtake_each_other() {
    // The first message is kept back, written again after a timeout, and comes when its bit is expected again.
    is_found_in(12, &schedule().lossy("data", 1), true);
}

fn short_transfer() -> Transfer {
    let data = Channel::builder().name("data").build().unwrap();
    let acknowledged = Channel::builder().name("acknowledged").buffer(Buffer::Unbounded).build().unwrap();
    network!(
        sends(vec![1, 2], data.writer(), acknowledged.reader()),
        receives(data.reader(), acknowledged.writer(), true)
    )
}

#[test]
fn every_schedule_brings_everything_once_whichever_message_is_lost_or_doubled() {
    let got_all = |got: &csproc::Result<Vec<u8>>| got.as_ref().is_ok_and(|got| *got == [1, 2]);
    let explored = explore()
        .lossy("data", 1)
        .in_order("data")
        .check_with(short_transfer, |run| run.result().is_some_and(|(_, got)| got_all(got)))
        .unwrap();
    assert!(explored.complete, "{explored}");
    println!("{explored}");
}

/// One bit does not tell a message from the one after the next.
#[test]
fn a_message_that_two_others_overtake_is_taken_for_a_new_one() {
    let holds = |run: &Run<_>| {
        run.result().is_some_and(|(_, got): &(_, csproc::Result<Vec<u8>>)| got.as_ref().is_ok_and(|got| *got == [1, 2]))
    };
    let found = explore().lossy("data", 1).check_with(short_transfer, holds).unwrap_err();
    assert_eq!(found.trace().len(), 9, "{found}");
}

#[test]
fn whoever_is_killed_of_the_alternating_bit_the_other_one_comes_to_an_end() {
    let explored = explore().max_crashes(1).check(short_transfer).unwrap();
    assert!(explored.complete, "{explored}");
    println!("{explored}");
}
