//! Processes that tests of many kinds put on, and what runs a network under many schedules.
//!
//! Knows nothing of the plays.

use csproc::prelude::*;
use csproc::testing::{Run, Runnable, Schedules, simulate};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

#[process]
pub(crate) fn source(out: Writer<u32>, count: u32) -> csproc::Result<()> {
    for value in 0..count {
        out.write(value)?;
    }
    Ok(())
}

#[process]
pub(crate) fn relay(input: Reader<u32>, out: Writer<u32>) -> csproc::Result<()> {
    for value in input {
        out.write(value)?;
    }
    Ok(())
}

#[process]
pub(crate) fn sink(input: Reader<u32>) -> Vec<u32> {
    input.into_iter().collect()
}

/// Reads once.
#[process]
pub(crate) fn read_once(input: Reader<u32>) -> Result<u32, ChannelError> {
    input.read()
}

/// Writes once.
#[process]
pub(crate) fn write_once(out: Writer<u32>, value: u32) -> Result<(), ChannelError> {
    out.write(value).map_err(ChannelError::from)
}

pub(crate) fn named<T: Message>(name: &str) -> Channel<T> {
    Channel::builder().name(name).build().unwrap()
}

/// Runs a network under so many schedules; what a check says of one of them ends the test.
pub(crate) fn always<N: Runnable>(
    cases: u32,
    schedules: &Schedules,
    network: impl Fn() -> N,
    check: impl Fn(&Run<N::Output>) -> bool,
) {
    let failed = find(cases, schedules, network, check);
    assert!(failed.is_none(), "{}", failed.unwrap_or_default());
}

/// The smallest run that does not pass the check, in words.
pub(crate) fn find<N: Runnable>(
    cases: u32,
    schedules: &Schedules,
    network: impl Fn() -> N,
    check: impl Fn(&Run<N::Output>) -> bool,
) -> Option<String> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 100_000, ..Config::default() };
    let result = TestRunner::new(config).run(schedules, |schedule| {
        let run = simulate(&schedule, &network);
        if check(&run) { Ok(()) } else { Err(TestCaseError::fail(run.to_string())) }
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(reason, _)) => Some(reason.to_string()),
        Err(abort) => panic!("{abort}"),
    }
}

/// Every outcome that the check tells apart comes under some schedule.
pub(crate) fn sees_all<N: Runnable, T: std::fmt::Debug + Ord>(
    cases: u32,
    schedules: &Schedules,
    network: impl Fn() -> N,
    seen: impl Fn(&Run<N::Output>) -> T,
) -> std::collections::BTreeSet<T> {
    let all = std::cell::RefCell::new(std::collections::BTreeSet::new());
    always(cases, schedules, network, |run| {
        all.borrow_mut().insert(seen(run));
        true
    });
    all.into_inner()
}
