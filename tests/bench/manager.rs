//! Measures managers against Python's `multiprocessing.Manager`, in one run: an item of a dictionary set, looked up and
//! counted up, by one process and by two at once, and a dictionary made.
//!
//! Knows nothing of the library's inside. Python measures itself, with its own clock; where there is no `python3`, its
//! rows are left out. Every figure is taken in turn with its peers (A B A B …) and is the median of the rounds; what
//! counts is the ratio.

mod python;
mod table;

use csproc::prelude::*;
use csproc::shared::Dict;
use python::python;
use std::time::Instant;
use table::{Row, nanoseconds, scale, table};

/// How many keys there are.
const KEYS: u64 = 100;

/// Prints the nanoseconds of each of so many calls; all arguments come from the command line.
const PYTHON: &str = r#"
import sys, time
from multiprocessing import get_context
context = get_context("fork")

def repeat(what, count, items, start):
    start.wait()
    if what == "Set":
        for i in range(count):
            items[i % 100] = i
    elif what == "Get":
        for i in range(count):
            items[i % 100]
    else:
        for i in range(count):
            items[i % 100] += 1

what, processes, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with context.Manager() as manager:
    if what == "Make":
        start = time.perf_counter()
        for _ in range(count):
            manager.dict()
    else:
        items, meet = manager.dict({i: i for i in range(100)}), context.Barrier(processes)
        arguments = (what, count, items, meet)
        others = [context.Process(target=repeat, args=arguments) for _ in range(1, processes)]
        for other in others: other.start()
        start = time.perf_counter()
        repeat(*arguments)
        for other in others: other.join()
    print((time.perf_counter() - start) / count * 1e9)
"#;

/// What is done again and again.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
enum Work {
    Set,
    Get,
    Update,
}

#[process]
fn repeat(work: Work, count: u64, items: Dict<u64, u64>, start: Barrier) -> csproc::Result<()> {
    start.sync()?;
    for i in 0..count {
        let key = i % KEYS;
        match work {
            Work::Set => drop(items.insert(key, i)?),
            Work::Get => drop(items.get(&key)?),
            Work::Update => items.update(key, 0, |value| *value += 1)?,
        }
    }
    Ok(())
}

/// Nanoseconds of one of so many processes for each call. One of them is the program itself, as in Python's rows.
fn call(work: Work, processes: usize, count: u64) -> f64 {
    let manager = Manager::new().expect("it starts");
    let items = manager.dict_from((0..KEYS).map(|key| (key, 0))).expect("there is room");
    let meet = Barrier::new(processes);
    let same = || repeat(work, count, items.clone(), meet.clone());
    let others = Spawn!(for _ in 1..processes => same()).expect("processes start");
    let start = Instant::now();
    same().on(Placement::Thread).run().expect("it ends").expect("nobody dies");
    others.join().expect("they end").into_iter().for_each(|result| result.expect("nobody dies"));
    let time = nanoseconds(start, count);
    if matches!(work, Work::Update) {
        assert_eq!(items.values().expect("it is there").into_iter().sum::<u64>(), count * processes as u64);
    }
    time
}

fn make(count: u64) -> f64 {
    let manager = Manager::new().expect("it starts");
    let start = Instant::now();
    for _ in 0..count {
        drop(manager.dict::<u64, u64>().expect("there is room"));
    }
    nanoseconds(start, count)
}

fn measured_by_python(what: &str, processes: usize, count: u64) -> Option<f64> {
    python(PYTHON, &[what, &processes.to_string(), &count.to_string()])
}

fn main() {
    let Some(scale) = scale() else { return };
    let has_python = measured_by_python("Get", 1, 10).is_some();
    if !has_python {
        println!("no python3: its rows are left out");
    }
    let compare = |title: &str, csproc: Box<dyn Fn() -> f64>, what: &'static str, processes, count| {
        let mut rows: Vec<Row<'static>> = vec![("csproc, `Manager`", csproc)];
        if has_python {
            let measure = move || measured_by_python(what, processes, count).expect("Python has measured before");
            rows.push(("Python `Manager`", Box::new(measure)));
        }
        table(title, "ns per call", &rows);
    };
    let few = 10_000 / scale;
    for (processes, by) in [(1, "one process"), (2, "two processes")] {
        for (title, work, what) in [
            ("a key of a dictionary set", Work::Set, "Set"),
            ("looked up", Work::Get, "Get"),
            // Python reads and sets, and loses what others add meanwhile.
            ("counted up", Work::Update, "Update"),
        ] {
            let csproc = Box::new(move || call(work, processes, 10 * few));
            compare(&format!("{title}, {by}"), csproc, what, processes, few);
        }
    }
    compare("a dictionary made", Box::new(move || make(few / 10)), "Make", 1, few / 50);
}
