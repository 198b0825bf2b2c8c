//! The cast: small processes that tests of many kinds put on.
//!
//! Knows nothing of the plays. A process stands here only if no test depends on the words it is written in; one whose
//! line a report is to tell stays with its test.

use super::place::Place;
use csproc::prelude::*;
use std::ops::Range;

#[process]
pub(crate) fn nothing() {}

#[process]
pub(crate) fn identity<T: Message>(value: T) -> T {
    value
}

/// Writes the values in order. What ends the channel earlier is its result.
#[process]
pub(crate) fn source(out: Writer<u64>, values: Range<u64>) -> csproc::Result<()> {
    for value in values {
        out.write(value)?;
    }
    Ok(())
}

/// A source that poisons the channel when it has written all.
#[process]
pub(crate) fn poisonous_source(out: Writer<u64>, count: u64) -> csproc::Result<()> {
    for value in 0..count {
        out.write(value)?;
    }
    out.poison();
    Ok(())
}

/// PyCSP's and the source documents' relay: iteration swallows how its input ended, `?` returns how its output did.
#[process]
pub(crate) fn relay<T: Message>(input: Reader<T>, out: Writer<T>) -> csproc::Result<()> {
    for value in input {
        out.write(value)?;
    }
    Ok(())
}

/// A relay whose result is how many values it has passed on.
#[process]
pub(crate) fn counting_relay(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<u64> {
    let mut count = 0;
    for value in input {
        out.write(value)?;
        count += 1;
    }
    Ok(count)
}

/// A relay that passes on how its input ended, too.
#[process]
pub(crate) fn strict_relay(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    loop {
        out.write(input.read()?)?;
    }
}

/// All values until the channel ends.
#[process]
pub(crate) fn collect<T: Message>(input: Reader<T>) -> Vec<T> {
    input.into_iter().collect()
}

/// The sum of all values until the channel ends.
#[process]
pub(crate) fn sum(input: Reader<u64>) -> u64 {
    input.into_iter().sum()
}

/// How many values came until the channel ended.
#[process]
pub(crate) fn count(input: Reader<u64>) -> usize {
    input.into_iter().count()
}

#[process]
pub(crate) fn read_one(input: Reader<u64>) -> csproc::Result<u64> {
    Ok(input.read()?)
}

/// A value, if there is one.
#[process]
pub(crate) fn hear(input: Reader<u64>) -> Option<u64> {
    input.read().ok()
}

#[process]
pub(crate) fn write_one<T: Message>(out: Writer<T>, value: T) -> csproc::Result<()> {
    Ok(out.write(value)?)
}

/// Reads one value. If it is seen asleep after it has announced itself, then in this read.
#[process]
pub(crate) fn announce_and_read(ready: Writer<Place>, input: Reader<u64>) -> csproc::Result<u64> {
    Place::announce(&ready);
    Ok(input.read()?)
}

/// Writes one value. If it is seen asleep after it has announced itself, then in this write.
#[process]
pub(crate) fn announce_and_write(ready: Writer<Place>, out: Writer<u64>, value: u64) -> csproc::Result<()> {
    Place::announce(&ready);
    Ok(out.write(value)?)
}

/// Says which process it is, and stays until the channel ends.
#[process]
pub(crate) fn tell_and_stay(ready: Writer<u32>, until: Reader<()>) -> csproc::Result<()> {
    ready.write(std::process::id())?;
    Ok(until.read()?)
}
