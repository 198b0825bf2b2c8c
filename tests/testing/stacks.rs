//! Stacks of simulated processes are used again, whether these return, panic or are killed.
//!
//! Knows nothing of what the networks come to. It is measured in a process of its own, in which no other test runs.

use super::cast::{relay, sink, source};
use csproc::prelude::*;
use csproc::testing::{Schedules, schedule, simulate};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

fn pipeline(count: u32) -> Network<(csproc::Result<()>, csproc::Result<()>, Vec<u32>)> {
    let (c, d) = (Channel::new(), Channel::new());
    network!(source(c.writer(), count), relay(c.reader(), d.writer()), sink(d.reader()))
}

/// How many mappings this process has, and how many KiB of memory.
fn footprint() -> (usize, usize) {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib = resident.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap();
    (maps.lines().count(), kib)
}

/// Simulates a network under so many schedules; says how often somebody went on after a communication, and how many
/// runs had a fault.
fn run(runner: &mut TestRunner, schedules: &Schedules, runs: usize, count: u32) -> (usize, usize) {
    let (mut switches, mut faults) = (0, 0);
    for _ in 0..runs {
        let run = simulate(&schedules.new_tree(runner).unwrap().current(), || pipeline(count));
        assert!(run.is_deadlock_free(), "{run}");
        // Both sides go on.
        switches += 2 * run.trace().iter().filter(|event| !event.kind().is_fault()).count();
        faults += usize::from(run.trace().iter().any(|event| event.kind().is_fault()));
    }
    (switches, faults)
}

/// What so many switches have left: mappings and KiB; and how many runs had a fault.
#[process]
fn switches_again_and_again(wanted: usize) -> (usize, usize, usize) {
    let mut runner = TestRunner::deterministic();
    let bad = schedule().crashes(2).panics(2);
    // A panic is told by the hook; here nobody wants to read it.
    std::panic::set_hook(Box::new(|_| ()));
    run(&mut runner, &bad, 300, 5);
    run(&mut runner, &schedule(), 2, 2000);
    let (mappings, kib) = footprint();
    let (mut switches, mut faults) = (0, 0);
    while switches < wanted {
        switches += run(&mut runner, &schedule(), 1, 2000).0;
        let (short, bad) = run(&mut runner, &bad, 100, 5);
        switches += short;
        faults += bad;
    }
    let (mappings_now, kib_now) = footprint();
    (mappings_now.saturating_sub(mappings), kib_now.saturating_sub(kib), faults)
}

#[test]
fn a_million_switches_leave_no_stack_behind() {
    let wanted = if std::env::var_os("CSPROC_LONG").is_some() { 1_000_000 } else { 100_000 };
    let (mappings, kib, faults) = switches_again_and_again(wanted).run().unwrap();
    assert!(faults > wanted / 500, "only {faults} runs had a fault");
    // A stack that is left behind is two mappings, and so are thousands of them: these are what the allocator takes.
    assert!(mappings <= 8, "{mappings} more mappings");
    assert!(kib <= 4 << 10, "{kib} KiB more");
}
