//! Each fault is found by a driven run, in few events; and without one nothing is.
//!
//! Knows nothing of the engine. A fault is put in place by the environment, so each test runs this program again.

extern crate csproc_mutated as csproc;

use csproc::prelude::*;
use csproc::testing::{Outcome, real, schedule};
use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::TestRunner;
use std::process::Command;
use std::time::Duration;

/// What a schedule is found in is not longer than this.
const MOST: usize = 10;

#[process]
fn writes(out: Writer<u8>, value: u8) -> csproc::Result<()> {
    Ok(out.write(value)?)
}

#[process]
fn chooses(one: Reader<u8>, two: Reader<u8>) -> Vec<Option<u8>> {
    let chooses = |_| AltSelect!(v = one.read() => v, v = two.read() => v).ok();
    let got = (0..2).map(chooses).collect();
    // Whoever still waits learns it.
    one.poison();
    got
}

/// Waits when the channel is poisoned.
#[process]
fn waits(input: Reader<u8>) -> bool {
    input.read_timeout(Duration::from_secs(3600)).is_err_and(|error| error.is_poisoned())
}

#[process]
fn poisons(out: Writer<u8>) {
    csproc::time::sleep(Duration::from_secs(1));
    out.poison();
}

fn network() -> impl csproc::testing::Runnable {
    let (one, two, three) = (Channel::new(), Channel::new(), Channel::new());
    network!(
        writes(one.writer(), 1),
        writes(one.writer(), 2),
        writes(two.writer(), 3),
        chooses(one.reader(), two.reader()),
        waits(three.reader()),
        poisons(three.writer())
    )
}

/// The search itself, with the fault that the environment names: it prints the first short run that parts.
#[test]
fn search() {
    if std::env::var_os("CSPROC_FAULT").is_none() {
        return;
    }
    let (schedules, mut runner) = (schedule(), TestRunner::default());
    let schedules = (0..30).map(|_| schedules.new_tree(&mut runner).expect("a schedule").current());
    let runs = schedules.map(|schedule| real(&schedule, network));
    let mut parted = runs.filter(|run| matches!(run.outcome(), Outcome::Parted(_)));
    match parted.find(|run| run.trace().len() < MOST) {
        Some(run) => println!("found after {} events: {run}", run.trace().len()),
        None => println!("nothing was found"),
    }
}

fn found_with(fault: &str) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let output = command.args(["--exact", "search", "--nocapture"]).env("CSPROC_FAULT", fault).output();
    let output = output.expect("this program runs again");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn is_found(fault: &str) {
    let told = found_with(fault);
    let events = told.split_once("found after ").and_then(|(_, rest)| rest.split(' ').next()?.parse::<usize>().ok());
    assert!(events.is_some(), "{fault}: {told}");
}

#[test]
fn a_commit_that_names_the_first_guard_is_found() {
    is_found("a commit names the first guard");
}

#[test]
fn a_commit_that_gives_the_reader_its_own_block_is_found() {
    is_found("a commit gives the reader its own block");
}

#[test]
fn poison_that_is_not_told_is_found() {
    is_found("who waits is not told of poison");
}

#[test]
fn without_a_fault_nothing_is_found() {
    let told = found_with("none");
    assert!(told.contains("nothing was found"), "{told}");
}
