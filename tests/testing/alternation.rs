//! The laws of alternation, on both ends and in all three policies, under every schedule that is tried.
//!
//! Knows nothing of time.

use super::cast::{always, read_once, sees_all, write_once};
use csproc::prelude::*;
use csproc::testing::{Run, schedule};

#[process]
fn chooses(first: Reader<u32>, second: Reader<u32>) -> csproc::Result<Vec<u32>> {
    Ok(AltSelect! {
        v = first.read() => vec![v, second.read()?],
        v = second.read() => vec![v, first.read()?],
    }?)
}

#[test]
fn each_order_of_two_writers_comes_and_each_message_once() {
    let network = || {
        let (c, d) = (Channel::new(), Channel::new());
        network!(write_once(c.writer(), 1), write_once(d.writer(), 2), chooses(c.reader(), d.reader()))
    };
    let seen = sees_all(100, &schedule(), network, |run| {
        run.result().and_then(|(.., got)| got.as_ref().ok().cloned()).unwrap_or_else(|| panic!("{run}"))
    });
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [[1, 2], [2, 1]]);
}

#[process]
fn prefers(first: Reader<u32>, second: Reader<u32>, full: Reader<()>) -> csproc::Result<u32> {
    full.read()?;
    Ok(PriSelect! { v = first.read() => v, v = second.read() => v }?)
}

#[process]
fn fills(first: Writer<u32>, second: Writer<u32>, full: Writer<()>) -> csproc::Result<()> {
    second.write(2)?;
    first.write(1)?;
    Ok(full.write(())?)
}

#[test]
fn priority_takes_the_first_that_is_ready_when_it_looks() {
    let network = || {
        let (c, d, full) = (Channel::buffered(Buffer::Fifo(1)), Channel::buffered(Buffer::Fifo(1)), Channel::new());
        network!(fills(c.writer(), d.writer(), full.writer()), prefers(c.reader(), d.reader(), full.reader()))
    };
    always(100, &schedule(), network, |run| matches!(run.result(), Some((_, Ok(1)))));
}

#[process]
fn prefers_at_once(first: Reader<u32>, second: Reader<u32>) -> csproc::Result<u32> {
    Ok(PriSelect! { v = first.read() => v, v = second.read() => v }?)
}

#[test]
fn priority_binds_who_looks_and_not_who_waits() {
    let network = || {
        let (c, d) = (Channel::new(), Channel::new());
        network!(write_once(c.writer(), 1), write_once(d.writer(), 2), prefers_at_once(c.reader(), d.reader()))
    };
    let seen = sees_all(100, &schedule(), network, |run| match run.result() {
        Some((.., Ok(got))) => *got,
        _ => panic!("{run}"),
    });
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [1, 2]);
}

#[process]
fn fills_twice(first: Writer<u32>, second: Writer<u32>, full: Writer<()>) -> csproc::Result<()> {
    for value in [1, 2] {
        first.write(value)?;
        second.write(value + 10)?;
    }
    Ok(full.write(())?)
}

#[process]
fn fair_macro(first: Reader<u32>, second: Reader<u32>, full: Reader<()>) -> csproc::Result<Vec<u32>> {
    full.read()?;
    let mut got = Vec::new();
    for _ in 0..4 {
        got.push(FairSelect! { v = first.read() => v, v = second.read() => v }?);
    }
    Ok(got)
}

#[test]
fn fairness_takes_turns() {
    let network = || {
        let (c, d, full) = (Channel::buffered(Buffer::Fifo(2)), Channel::buffered(Buffer::Fifo(2)), Channel::new());
        network!(fills_twice(c.writer(), d.writer(), full.writer()), fair_macro(c.reader(), d.reader(), full.reader()))
    };
    always(100, &schedule(), network, |run: &Run<(csproc::Result<()>, csproc::Result<Vec<u32>>)>| {
        let Some((_, Ok(got))) = run.result() else { return false };
        *got == [1, 11, 2, 12] || *got == [11, 1, 12, 2]
    });
}

#[process]
fn offers_both(first: Writer<u32>, second: Writer<u32>) -> csproc::Result<u32> {
    Ok(AltSelect! { first.write(1) => 1, second.write(2) => 2 }?)
}

#[process]
fn takes_either(first: Reader<u32>, second: Reader<u32>) -> csproc::Result<u32> {
    Ok(AltSelect! { v = first.read() => v, v = second.read() => v }?)
}

#[test]
fn alternations_meet_on_both_ends_and_agree() {
    let network = || {
        let (c, d) = (Channel::new(), Channel::new());
        network!(offers_both(c.writer(), d.writer()), takes_either(c.reader(), d.reader()))
    };
    let seen = sees_all(100, &schedule(), network, |run| match run.result() {
        Some((Ok(wrote), Ok(read))) if wrote == read => *wrote,
        _ => panic!("{run}"),
    });
    // What both could do is one choice of two.
    assert!(!seen.is_empty());
}

#[process]
fn with_itself(input: Reader<u32>, out: Writer<u32>) -> csproc::Result<u32> {
    Ok(AltSelect! { v = input.read() => v, out.write(1) => 0 }?)
}

#[test]
fn an_alternation_never_meets_itself() {
    let network = || {
        let c = Channel::new();
        with_itself(c.reader(), c.writer())
    };
    always(20, &schedule(), network, |run| !run.is_deadlock_free());
    let pair = || {
        let c = Channel::new();
        network!(with_itself(c.reader(), c.writer()), with_itself(c.reader(), c.writer()))
    };
    always(50, &schedule(), pair, |run| match run.result() {
        Some((Ok(first), Ok(second))) => first + second == 1,
        _ => false,
    });
}

#[process]
fn reads_or_writes(input: Reader<u32>, out: Writer<u32>) -> csproc::Result<()> {
    Ok(PriSelect! { _ = input.read() => (), out.write(1) => () }?)
}

#[process]
fn reads_or_writes_or_polls(input: Reader<u32>, out: Writer<u32>) -> csproc::Result<String> {
    let said = PriSelect! { _ = input.read() => "reads", out.write(2) => "writes", skip => "finds nothing" }?;
    Ok(String::from(said))
}

#[test]
fn of_two_that_would_rather_read_none_writes_by_coming_second() {
    let network = || {
        let (c, d) = (Channel::new(), Channel::new());
        network!(reads_or_writes(c.reader(), d.writer()), reads_or_writes_or_polls(d.reader(), c.writer()))
    };
    // Who polls does not wait, and so is never the first one.
    let seen = sees_all(100, &schedule(), network, |run| match run.result() {
        Some((_, Ok(what))) => what.clone(),
        _ => panic!("{run}"),
    });
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["finds nothing", "reads"]);
}

#[process]
fn polls(input: Reader<u32>) -> Result<Option<u32>, ChannelError> {
    PriSelect! { v = input.read() => Some(v), skip => None }
}

#[test]
fn a_poll_may_come_before_the_writer_or_after_it() {
    let network = || {
        let c = Channel::new();
        network!(polls(c.reader()), write_once(c.writer(), 1), read_once(c.reader()))
    };
    let seen = sees_all(200, &schedule(), network, |run| match run.result() {
        Some((polled, ..)) => format!("{polled:?}"),
        _ => panic!("{run}"),
    });
    // And when the other reader has it, nothing comes any more.
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["Err(Retired)", "Ok(None)", "Ok(Some(1))"]);
}
