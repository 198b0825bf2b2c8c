//! Simulated networks: how many runs a second, how long an event takes, and how long all schedules take.
//!
//! Knows nothing of what the runs come to. All of it is on one thread; what counts is five philosophers, who are what
//! the field measures itself by. `cargo bench --bench simulation --features testing`

use csproc::prelude::*;
use csproc::testing::{Runnable, Schedule, explore, schedule, simulate};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

/// Picks two forks up and puts them down.
#[process]
fn philosopher(first: Writer<()>, second: Writer<()>) -> csproc::Result<()> {
    first.write(())?;
    second.write(())?;
    first.write(())?;
    second.write(())?;
    Ok(())
}

/// Is picked up, and put down by the same philosopher.
#[process]
fn fork(holders: [Reader<()>; 2]) -> csproc::Result<()> {
    loop {
        let (who, ()) = select_read(&holders)?;
        holders[who].read()?;
    }
}

#[process]
fn nothing() {}

type Dinner = Network<(Vec<csproc::Result<()>>, Vec<csproc::Result<()>>)>;

fn over_channels(count: usize, one_is_left_handed: bool) -> Dinner {
    let left: Vec<Channel<()>> = (0..count).map(|_| Channel::new()).collect();
    let right: Vec<Channel<()>> = (0..count).map(|_| Channel::new()).collect();
    let philosopher = |i: usize| {
        let (mine, next) = (left[i].writer(), right[(i + 1) % count].writer());
        if i == 0 && one_is_left_handed { philosopher(next, mine) } else { philosopher(mine, next) }
    };
    network!(
        for i in 0..count => philosopher(i),
        for i in 0..count => fork([left[i].reader(), right[i].reader()])
    )
}

#[process]
fn eats(first: Lock, second: Lock) -> csproc::Result<()> {
    let _first = first.acquire()?;
    let _second = second.acquire()?;
    Ok(())
}

fn over_locks(count: usize, one_is_left_handed: bool) -> Network<Vec<csproc::Result<()>>> {
    let forks: Vec<Lock> = (0..count).map(|_| Lock::new()).collect();
    let eats = |i: usize| {
        let (mine, next) = (forks[i].clone(), forks[(i + 1) % count].clone());
        if i == 0 && one_is_left_handed { eats(next, mine) } else { eats(mine, next) }
    };
    network!(for i in 0..count => eats(i))
}

#[process]
fn source(out: Writer<u64>, count: u64) -> csproc::Result<()> {
    (0..count).try_for_each(|value| out.write(value))?;
    Ok(())
}

#[process]
fn sink(input: Reader<u64>) -> u64 {
    input.into_iter().sum()
}

fn stream(count: u64) -> Network<(csproc::Result<()>, u64)> {
    let c = Channel::new();
    network!(source(c.writer(), count), sink(c.reader()))
}

/// How long it takes to run a network under each of the schedules.
fn measure<N: Runnable>(schedules: &[Schedule], network: impl Fn() -> N) -> Duration {
    let start = Instant::now();
    for schedule in schedules {
        drop(simulate(schedule, &network));
    }
    start.elapsed()
}

/// Whether a row was asked for, or none was.
fn is_wanted(name: &str) -> bool {
    let mut wanted = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    wanted.peek().is_none() || wanted.any(|wanted| name.contains(&wanted))
}

/// One row of the table.
fn row<N: Runnable>(name: &str, schedules: &[Schedule], network: impl Fn() -> N) {
    if !is_wanted(name) {
        return;
    }
    // The events that are told: what is closed, and who hears of it, is not among them.
    let (mut stood_still, mut events) = (0_u32, 0);
    for schedule in schedules {
        let run = simulate(schedule, &network);
        stood_still += u32::from(!run.is_deadlock_free());
        events += run.trace().len();
    }
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| measure(schedules, &network)).collect();
    times.sort();
    let (runs, seconds) = (schedules.len() as f64, times[ROUNDS / 2].as_secs_f64());
    println!(
        "| {name} | {:.0} | {:.1} | {:.1} % | {:.0} |",
        runs / seconds,
        events as f64 / runs,
        f64::from(stood_still) * 100.0 / runs,
        seconds * 1e9 / events as f64,
    );
}

/// One row of the table of every schedule: it is gone through so often.
fn explored<N: Runnable>(name: &str, times: usize, network: impl Fn() -> N + Sync) {
    if !is_wanted(name) {
        return;
    }
    let mut all = Vec::new();
    for _ in 0..times {
        let explored = explore().check_only(&network, |_| true).unwrap_or_else(|found| panic!("{found}"));
        all.push((explored.time, explored.executions, explored.blocked));
    }
    all.sort();
    let (time, executions, blocked) = all[times / 2];
    let each = time.as_secs_f64() * 1e6 / (executions + blocked) as f64;
    println!("| {name} | {executions} | {blocked} | {:.2} | {each:.1} |", time.as_secs_f64() * 1e3);
}

fn main() {
    let is_test = std::env::args().any(|argument| argument == "--test");
    let count = if is_test { 1 } else { 5000 };
    let mut runner = TestRunner::deterministic();
    let strategy = schedule();
    let mut some = |count: usize| -> Vec<Schedule> {
        (0..count).map(|_| strategy.new_tree(&mut runner).expect("a schedule").current()).collect()
    };
    println!("| simulated (median of {ROUNDS}) | executions a second | events each | stand still | ns per event |");
    println!("|---|---|---|---|---|");
    row("five over channels", &some(count), || over_channels(5, false));
    row("five over channels, one left-handed", &some(count), || over_channels(5, true));
    row("five over locks", &some(count), || over_locks(5, false));
    row("five over locks, one left-handed", &some(count), || over_locks(5, true));
    row("one process that does nothing", &some(count), nothing);
    row("9000 messages from one to another", &some(count.div_ceil(500)), || stream(9000));
    let times = if is_test { 1 } else { 501 };
    println!("\n| every schedule (median of {times}) | executions | given up | ms | µs per execution |");
    println!("|---|---|---|---|---|");
    explored("every schedule of five over locks", times, || over_locks(5, false));
    explored("every schedule of five over locks, one left-handed", times, || over_locks(5, true));
}
