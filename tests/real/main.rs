//! The same decisions on real processes: they come to the same, a process is killed where it was decided, and what does
//! something else is told.
//!
//! Knows nothing of how processes are driven. Each test runs a network in the simulation and as processes of the
//! operating system, or threads, by one schedule; what differs is told by the run.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, unused_macros, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
#[path = "../testing/networks.rs"]
#[expect(dead_code, reason = "shared with the tests of the simulation")]
mod networks;

mod ends;
mod faults;
mod law;
mod parting;

use csproc::prelude::*;
use csproc::testing::{Outcome, Run, Runnable, Schedule, Schedules, real, simulate};
use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::TestRunner;

/// So many schedules.
fn some(schedules: &Schedules, count: usize) -> Vec<Schedule> {
    let mut runner = TestRunner::default();
    (0..count).map(|_| schedules.new_tree(&mut runner).expect("a schedule").current()).collect()
}

/// Real processes have done what simulated ones do.
fn same<N: Runnable>(schedule: &Schedule, network: impl Fn() -> N) -> Run<N::Output> {
    let run = real(schedule, &network);
    assert!(!matches!(run.outcome(), Outcome::Parted(_)), "{run}\nsimulated: {}", simulate(schedule, &network));
    run
}

fn named<T: Message>(name: &str) -> Channel<T> {
    Channel::builder().name(name).build().unwrap()
}

#[process]
fn source(out: Writer<u32>, count: u32) -> csproc::Result<()> {
    Ok((0..count).try_for_each(|value| out.write(value))?)
}

#[process]
fn relay(input: Reader<u32>, out: Writer<u32>) -> csproc::Result<()> {
    for value in input {
        out.write(value)?;
    }
    Ok(())
}

#[process]
fn sink(input: Reader<u32>) -> Vec<u32> {
    input.into_iter().collect()
}
