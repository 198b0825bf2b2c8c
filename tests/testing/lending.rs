//! What is lent, under every schedule that is tried: it keeps the laws of messages there, too.
//!
//! Knows nothing of where it lies.

use super::cast::always;
use csproc::prelude::*;
use csproc::testing::schedule;
use csproc::{Flat, View};
use std::time::Duration;

#[process]
fn lend(out: Writer<Flat<u32>>, count: u32) -> csproc::Result<()> {
    for value in 0..count {
        out.send(out.loan_from(&[value; 3])?)?;
    }
    Ok(())
}

#[process]
fn pass_on(input: Reader<Flat<u32>>, out: Writer<Flat<u32>>) -> csproc::Result<()> {
    loop {
        match input.read_loan() {
            Ok(mut view) => {
                view[0] += 100;
                out.send(view.into_loan())?;
            }
            Err(ChannelError::Retired) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

#[process]
fn gather(input: Reader<Flat<u32>>, other: Reader<Flat<u32>>) -> csproc::Result<Vec<Vec<u32>>> {
    let mut came = Vec::new();
    loop {
        let view: Result<View<u32>, ChannelError> = FairSelect! {
            view = input.read() => Ok(view),
            view = other.read() => Ok(view),
        }
        .flatten();
        match view {
            Ok(view) => came.push(view.into_vec()),
            Err(ChannelError::Retired) => return Ok(came),
            Err(error) => return Err(error.into()),
        }
    }
}

#[process]
fn take(input: Reader<Flat<u32>>) -> csproc::Result<Vec<Vec<u32>>> {
    let mut came = Vec::new();
    loop {
        match input.read_loan() {
            Ok(view) => came.push(view.into_vec()),
            Err(ChannelError::Retired) => return Ok(came),
            Err(error) => return Err(error.into()),
        }
    }
}

#[process]
fn give_up(out: Writer<Flat<u32>>) -> csproc::Result<u32> {
    let error = out.send_timeout(out.loan_from(&[7])?, Duration::from_secs(1)).unwrap_err();
    Ok(if error.is_timed_out() { error.value[0] } else { 0 })
}

#[test]
fn what_is_passed_on_keeps_its_order_whoever_goes_first() {
    let pipeline = || {
        let (c, d) = (Channel::new(), Channel::buffered(Buffer::Fifo(1)));
        network!(lend(c.writer(), 3), pass_on(c.reader(), d.writer()), take(d.reader()))
    };
    always(200, &schedule(), pipeline, |run| {
        let all = [[100, 0, 0], [101, 1, 1], [102, 2, 2]];
        run.completed() && run.result().is_some_and(|(.., got)| got.as_ref().is_ok_and(|got| *got == all))
    });
}

#[test]
fn an_alternation_takes_from_each_in_order() {
    let network = || {
        let (c, d) = (Channel::new(), Channel::new());
        network!(lend(c.writer(), 2), lend(d.writer(), 2), gather(c.reader(), d.reader()))
    };
    always(200, &schedule(), network, |run| {
        // Until the first of them has retired.
        let came = |got: &Vec<Vec<u32>>| {
            let count = |value| got.iter().filter(|view| **view == [value; 3]).count();
            count(0) + count(1) == got.len() && count(0) <= 2 && count(1) <= count(0) && got.len() >= 2
        };
        run.result().is_some_and(|(.., got)| got.as_ref().is_ok_and(came))
    });
}

#[test]
fn a_loan_that_nobody_takes_in_time_comes_back() {
    let network = || {
        let c = Channel::new();
        let reader = c.reader();
        network!(give_up(c.writer()), wait_and_leave(reader))
    };
    always(50, &schedule(), network, |run| {
        run.result().is_some_and(|(value, ())| value.as_ref().is_ok_and(|value| *value == 7))
    });
}

#[process]
fn wait_and_leave(_input: Reader<Flat<u32>>) {
    csproc::time::sleep(Duration::from_secs(2));
}
