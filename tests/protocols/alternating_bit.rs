//! The alternating bit protocol over channels that lose messages and double them (Bartlett, Scantlebury and Wilkinson,
//! 1969).
//!
//! Knows nothing of why messages are lost.

use super::search::smallest_without;
use csproc::prelude::*;
use csproc::testing::{Schedules, schedule};
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

type Transfer = Network<(csproc::Result<()>, csproc::Result<Vec<u8>>)>;

fn transfer(looks_at_bit: bool) -> Transfer {
    let data = Channel::builder().name("data").build().unwrap();
    let acknowledged = Channel::builder().name("acknowledged").buffer(Buffer::Unbounded).build().unwrap();
    network!(
        sends(vec![1, 2, 3], data.writer(), acknowledged.reader()),
        receives(data.reader(), acknowledged.writer(), looks_at_bit)
    )
}

fn over_bad_lines() -> Schedules {
    schedule().lossy("data", 3).lossy("acknowledged", 3)
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

#[test]
fn a_receiver_that_does_not_look_at_the_bit_takes_a_doubled_message_twice() {
    let bad = smallest_without(
        500,
        &schedule().lossy("data", 1),
        || transfer(false),
        |run| run.result().is_none_or(|(_, got)| got.as_ref().map_or(true, |got| *got == [1, 2, 3])),
    );
    let bad = bad.expect("it does not look");
    let faults = bad.trace().iter().filter(|event| event.kind().is_fault()).count();
    assert_eq!(faults, 1, "{bad}");
    // Ten if it is the last message, of which nobody has to be told any more; a fault is left out or stays where it is.
    assert!(matches!(bad.trace().len(), 10..=12), "{bad}");
}
