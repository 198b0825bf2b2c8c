//! The election of a leader in a ring (Chang and Roberts, 1979).
//!
//! Knows nothing of who is to lead.

use super::search::smallest_without;
use csproc::prelude::*;
use csproc::testing::schedule;

/// Passes on what is larger than its own number; the number that comes round is the leader's.
#[process]
fn stands(
    number: u32,
    from: Reader<(bool, u32)>,
    to: Writer<(bool, u32)>,
    passes_smaller: bool,
) -> csproc::Result<u32> {
    to.write((false, number))?;
    loop {
        let (is_elected, other) = from.read()?;
        if is_elected {
            // The one who was elected has told all; nobody needs to be told by the last.
            let _ = to.write((true, other));
            return Ok(other);
        }
        if other == number {
            to.write((true, number))?;
            let _ = from.read();
            return Ok(number);
        }
        if other > number || passes_smaller {
            to.write((false, other))?;
        }
    }
}

fn ring(numbers: &[u32], passes_smaller: bool) -> Network<Vec<csproc::Result<u32>>> {
    let count = numbers.len();
    let channels: Vec<Channel<(bool, u32)>> = (0..count).map(|_| Channel::buffered(Buffer::Fifo(4))).collect();
    network!(
        for (place, number) in numbers.iter().copied().enumerate() =>
            stands(number, channels[place].reader(), channels[(place + 1) % count].writer(), passes_smaller)
    )
}

#[test]
fn all_agree_on_the_largest_number() {
    for numbers in [&[3, 1, 2][..], &[1, 2, 3, 4], &[4, 3, 2, 1], &[7]] {
        let largest = numbers.iter().max();
        let bad = smallest_without(
            150,
            &schedule(),
            || ring(numbers, false),
            |run| {
                run.completed() && run.result().is_some_and(|all| all.iter().all(|seen| seen.as_ref().ok() == largest))
            },
        );
        assert!(bad.is_none(), "{}", bad.unwrap());
    }
}

#[test]
fn who_passes_on_smaller_numbers_elects_several() {
    let bad = smallest_without(
        500,
        &schedule(),
        || ring(&[2, 1], true),
        |run| run.result().is_none_or(|all| all.iter().all(|seen| seen.as_ref().map_or(true, |seen| *seen == 2))),
    );
    let bad = bad.expect("it passes on what it should not");
    // Both numbers go round, and both winners tell it.
    assert_eq!(bad.trace().len(), 12, "{bad}");
}
