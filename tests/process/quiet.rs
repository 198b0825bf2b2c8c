//! What waits costs nothing, and what talks while both are awake needs no system call.
//!
//! Knows nothing of absolute speed, which benchmarks measure. A busy machine can make any single measurement look bad,
//! so the best of several is judged.

use crate::harness::place::Place;
use crate::harness::system::{seen, server};
use csproc::prelude::*;
use std::time::Duration;

#[process]
fn wait_to_read(ready: Writer<Place>, input: Reader<u64>) {
    Place::announce(&ready);
    input.read().unwrap_err();
}

#[process]
fn wait_to_write(ready: Writer<Place>, out: Writer<u64>) {
    Place::announce(&ready);
    out.write(1).unwrap_err();
}

#[process]
fn wait_for_long(ready: Writer<Place>, input: Reader<u64>) {
    Place::announce(&ready);
    input.read_timeout(Duration::from_secs(3600)).unwrap_err();
}

#[process]
fn wait_for_a_child(ready: Writer<Place>, input: Reader<u64>) -> csproc::Result<()> {
    let inner = Channel::new();
    let r = inner.reader();
    let child = Spawn!(wait_to_read(inner.writer(), input))?;
    r.read()?.until_asleep();
    Place::announce(&ready);
    Ok(child.join()?)
}

/// How often the calling thread has gone to sleep so far.
fn sleeps() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches:")).unwrap();
    line.split_ascii_whitespace().next_back().unwrap().parse().unwrap()
}

#[process]
fn ping(out: Writer<u64>, input: Reader<u64>, count: u64) -> csproc::Result<u64> {
    // The first messages find out whether spinning pays.
    for i in 0..1000 {
        out.write(i)?;
        input.read()?;
    }
    let before = sleeps();
    for i in 0..count {
        out.write(i)?;
        assert_eq!(input.read()?, i);
    }
    Ok(sleeps() - before)
}

#[process]
fn pong(input: Reader<u64>, out: Writer<u64>, count: u64) -> csproc::Result<u64> {
    for _ in 0..1000 {
        out.write(input.read()?)?;
    }
    let before = sleeps();
    for _ in 0..count {
        out.write(input.read()?)?;
    }
    Ok(sleeps() - before)
}

/// Waits in every way there is, and gives the places.
fn waiting(
    placement: Placement,
    ready: &Channel<Place>,
    c: &Channel<u64>,
    d: &Channel<u64>,
) -> (Vec<Place>, impl FnOnce() + use<>) {
    let announced = ready.reader();
    let network = network!(
        wait_to_read(ready.writer(), c.reader()).on(placement) * 3,
        wait_to_write(ready.writer(), d.writer()).on(placement) * 3,
        wait_for_long(ready.writer(), c.reader()).on(placement),
        wait_for_a_child(ready.writer(), c.reader()).on(placement),
    );
    let network = network.spawn().unwrap();
    let places = (0..8).map(|_| announced.read().unwrap()).collect();
    (places, move || drop(network.join().unwrap()))
}

fn ticks_of(pids: &[u32]) -> Vec<u64> {
    pids.iter().map(|pid| seen(&format!("/proc/{pid}/stat")).expect("it still waits").ticks).collect()
}

alone! {
    fn a_network_that_waits_uses_no_processor() {
        for placement in [Placement::Process, Placement::Thread] {
            let (ready, c, d) = (Channel::new(), Channel::new(), Channel::new());
            let (w, r) = (c.writer(), d.reader());
            let (places, join) = waiting(placement, &ready, &c, &d);
            let mut pids: Vec<u32> = places.iter().map(|place| place.pid).collect();
            places.iter().for_each(|place| place.until_asleep());
            pids.push(server().unwrap().pid);
            pids.push(std::process::id());
            let before = ticks_of(&pids);
            // The time is what is measured here: how much of it is used.
            std::thread::sleep(Duration::from_millis(300));
            let after = ticks_of(&pids);
            for ((pid, before), after) in pids.iter().zip(before).zip(after) {
                assert!(after - before <= 2, "process {pid} used {} ticks while it waited", after - before);
            }
            drop((w, r));
            join();
        }
    }

    fn who_is_awake_on_both_sides_needs_no_system_call() {
        const COUNT: u64 = 1_000;
        if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
            // On one processor somebody has to sleep.
            return;
        }
        for placement in [Placement::Process, Placement::Thread] {
            // Other programs may take a processor away at any time; then somebody has to sleep. The watchdog ends this
            // if it never happens that both are awake.
            loop {
                let (there, back) = (Channel::new(), Channel::new());
                let (ping, pong) = Parallel!(
                    ping(there.writer(), back.reader(), COUNT).on(placement),
                    pong(there.reader(), back.writer(), COUNT).on(placement),
                )
                .unwrap();
                // Four operations a round trip, each of which could sleep.
                if ping.unwrap() + pong.unwrap() < COUNT / 5 {
                    break;
                }
            }
        }
    }
}
