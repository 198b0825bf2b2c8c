//! Measures what it costs that much exists: channels made and processes started beside a hundred thousand channels, a
//! thousand processes at once, and the memory of a channel.
//!
//! Knows nothing of the library's inside.

mod table;

use csproc::prelude::*;
use std::fs;
use std::time::Instant;
use table::{nanoseconds, suite, table};

const MANY: usize = 100_000;

#[process]
fn empty() {}

type Ends = (Writer<u64>, Reader<u64>);

fn ends() -> Ends {
    let c = Channel::new();
    (c.writer(), c.reader())
}

fn make(count: u64) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| drop(ends()));
    nanoseconds(start, count)
}

fn make_crossbeam(count: u64) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| drop(crossbeam::channel::bounded::<u64>(0)));
    nanoseconds(start, count)
}

fn start(rounds: u64, processes: usize) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        Parallel!(for _ in 0..processes => empty()).expect("empty processes return");
    }
    nanoseconds(start, rounds * processes as u64)
}

/// How many bytes this process has in memory, with what it shares.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the system says so");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it has memory");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") * 1024.0
}

/// How many bytes each of so many takes, beside what names it in a vector.
fn memory_of<T>(make: impl Fn() -> T) -> f64 {
    let mut all = Vec::with_capacity(MANY);
    let before = resident();
    all.extend((0..MANY).map(|_| make()));
    (resident() - before) / MANY as f64
}

/// The same beside many channels.
fn beside_many(measure: impl Fn() -> f64) -> f64 {
    let _others: Vec<Ends> = (0..MANY).map(|_| ends()).collect();
    measure()
}

fn main() {
    suite("scale", measure_all);
}

fn measure_all(scale: u64) {
    let few = 10_000 / scale;
    // What was in memory once is not given back at once: so it is measured once, and before everything else. So is what
    // a process costs before there were so many channels.
    let fresh = start(20, 1);
    make(1);
    let memory = [memory_of(ends), memory_of(|| crossbeam::channel::bounded::<u64>(0))];
    table(
        "memory of a channel with a writer and a reader",
        "bytes",
        &[("csproc", Box::new(|| memory[0])), ("crossbeam bounded(0)", Box::new(|| memory[1]))],
    );
    table(
        "a channel made and dropped",
        "ns each time",
        &[
            ("csproc, alone", Box::new(|| make(few))),
            ("csproc, beside 100 000 others", Box::new(|| beside_many(|| make(few)))),
            ("crossbeam bounded(0)", Box::new(|| make_crossbeam(few))),
        ],
    );
    table(
        "a process started and joined",
        "ns each time",
        &[
            ("csproc, before there were 100 000 channels", Box::new(|| fresh)),
            ("csproc, beside 100 000 channels", Box::new(|| beside_many(|| start(20, 1)))),
            ("csproc, when they are gone", Box::new(|| start(20, 1))),
            ("csproc, of 1000 at once", Box::new(|| start(1, 1000))),
        ],
    );
}
