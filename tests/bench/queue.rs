//! Measures queues and pipes against Python's `multiprocessing`, in one run: a round trip through a pipe, a stream of
//! items through a queue, many who put and many who get.
//!
//! Knows nothing of the library's inside. Python measures itself, with its own clock, between its own processes; where
//! there is no `python3`, its rows are left out. Every figure is taken in turn with its peers (A B A B …) and is the
//! median of the rounds; what counts is the ratio.

mod python;
mod table;

use csproc::prelude::*;
use python::python;
use std::time::Instant;
use table::{Row, nanoseconds, suite, table};

/// Prints the nanoseconds for each of so many round trips or items; both arguments come from the command line.
const PYTHON: &str = r#"
import sys, time
from multiprocessing import get_context
mp = get_context("fork")
what, count = sys.argv[1], int(sys.argv[2])

def echo(conn):
    try:
        while True:
            conn.send(conn.recv())
    except EOFError:
        pass

def pipe():
    mine, theirs = mp.Pipe()
    child = mp.Process(target=echo, args=(theirs,))
    child.start()
    theirs.close()
    for value in range(count // 10):
        mine.send(value)
        mine.recv()
    start = time.perf_counter()
    for value in range(count):
        mine.send(value)
        assert mine.recv() == value
    elapsed = time.perf_counter() - start
    child.kill()
    child.join()
    return elapsed

def put(queue, count):
    for value in range(count):
        queue.put(value)

def get(queue, done):
    got = 0
    while queue.get() is not None:
        got += 1
    done.put(got)

def crowd(queue, parties):
    done = mp.SimpleQueue()
    start = time.perf_counter()
    producers = [mp.Process(target=put, args=(queue, count // parties)) for _ in range(parties)]
    consumers = [mp.Process(target=get, args=(queue, done)) for _ in range(parties)]
    for process in producers + consumers:
        process.start()
    for process in producers:
        process.join()
    for _ in consumers:
        queue.put(None)
    assert sum(done.get() for _ in consumers) == count // parties * parties
    for process in consumers:
        process.join()
    return time.perf_counter() - start

run = {
    "pipe": pipe,
    "stream": lambda: crowd(mp.Queue(), 1),
    "simple": lambda: crowd(mp.SimpleQueue(), 1),
    "crowd": lambda: crowd(mp.Queue(), 4),
}
print(run[what]() / count * 1e9)
"#;

/// What Python measures; `None` where there is none.
fn measured_by_python(what: &str, count: u64) -> Option<f64> {
    python(PYTHON, &[what, &count.to_string()])
}

#[process]
fn echo(conn: PipeEnd<u64, u64>) -> csproc::Result<()> {
    while let Ok(value) = conn.recv() {
        conn.send(value)?;
    }
    Ok(())
}

#[process]
fn ask(conn: PipeEnd<u64, u64>, trips: u64) -> csproc::Result<f64> {
    for value in 0..trips / 10 {
        conn.send(value)?;
        conn.recv()?;
    }
    let start = Instant::now();
    for value in 0..trips {
        conn.send(value)?;
        assert_eq!(conn.recv()?, value);
    }
    Ok(nanoseconds(start, trips))
}

fn pipe_round_trip(placement: Placement, trips: u64) -> f64 {
    let (mine, theirs) = pipe();
    let (_, time) =
        Parallel!(echo(theirs).on(placement), ask(mine, trips).on(placement)).values().expect("the echo answers");
    time
}

#[process]
fn put(queue: Queue<u64>, count: u64) -> csproc::Result<()> {
    (0..count).try_for_each(|value| queue.put(value))?;
    Ok(())
}

#[process]
fn get(queue: Queue<u64>) -> u64 {
    queue.iter().count() as u64
}

/// So many who put and so many who get; with their start and their end, as in Python.
fn crowd(placement: Placement, parties: u64, items: u64) -> f64 {
    let queue = Queue::new();
    let start = Instant::now();
    let consumers = network!(for _ in 0..parties => get(queue.clone()).on(placement)).spawn().expect("they start");
    Parallel!(for _ in 0..parties => put(queue.clone(), items / parties).on(placement)).values().expect("all put");
    queue.close();
    let got: u64 = consumers.join().expect("all get").into_iter().sum();
    assert_eq!(got, items / parties * parties);
    nanoseconds(start, items)
}

fn main() {
    suite("queue", measure_all);
}

fn measure_all(scale: u64) {
    let there = measured_by_python("pipe", 10).is_some();
    if !there {
        eprintln!("no python3: its rows are left out");
    }
    let compare = |title: &str, unit: &str, ours: Vec<Row<'_>>, theirs: Vec<Row<'_>>| {
        let rows: Vec<Row<'_>> = ours.into_iter().chain(theirs.into_iter().filter(|_| there)).collect();
        table(title, unit, &rows);
    };
    let measured =
        |what: &'static str, count: u64| move || measured_by_python(what, count).expect("Python has measured before");
    let trips = 10_000 / scale;
    compare(
        "a pipe, one `u64` there and back",
        "ns per round trip",
        vec![
            ("csproc `pipe`, processes", Box::new(|| pipe_round_trip(Placement::Process, trips * 5))),
            ("csproc `pipe`, threads", Box::new(|| pipe_round_trip(Placement::Thread, trips * 5))),
        ],
        vec![("Python `Pipe`, processes", Box::new(measured("pipe", trips)))],
    );
    let items = 20_000 / scale;
    compare(
        "a queue, one puts and one gets, with their start and end",
        "ns per item",
        vec![
            ("csproc `Queue`, processes", Box::new(|| crowd(Placement::Process, 1, items * 5))),
            ("csproc `Queue`, threads", Box::new(|| crowd(Placement::Thread, 1, items * 5))),
        ],
        vec![
            ("Python `Queue`, processes", Box::new(measured("stream", items))),
            ("Python `SimpleQueue`, processes", Box::new(measured("simple", items))),
        ],
    );
    compare(
        "a queue, 4 put and 4 get, with their start and end",
        "ns per item",
        vec![
            ("csproc `Queue`, processes", Box::new(|| crowd(Placement::Process, 4, items * 5))),
            ("csproc `Queue`, threads", Box::new(|| crowd(Placement::Thread, 4, items * 5))),
        ],
        vec![("Python `Queue`, processes", Box::new(measured("crowd", items)))],
    );
}
