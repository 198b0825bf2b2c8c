//! Measures pools against Python's `multiprocessing.Pool`, in one run: `map` of empty tasks, as it comes and one by
//! one, with texts, and tried again, and a call that waits for its result.
//!
//! Knows nothing of the library's inside. Python measures itself, with its own clock; where there is no `python3`, its
//! rows are left out. Every figure is taken in turn with its peers (A B A B …) and is the median of the rounds; what
//! counts is the ratio.

mod python;
mod table;

use csproc::prelude::*;
use python::python;
use std::time::Instant;
use table::{Row, nanoseconds, suite, table};

const WORKERS: usize = 2;

/// Prints the nanoseconds for each of so many tasks; both arguments come from the command line.
const PYTHON: &str = r#"
import sys, time
from multiprocessing import get_context
what, count = sys.argv[1], int(sys.argv[2])

def nothing(item):
    pass

texts = [f"text {item}" for item in range(count)]
with get_context("fork").Pool(2) as pool:
    run = {
        "map": lambda: pool.map(nothing, range(count)),
        "texts": lambda: pool.map(len, texts),
        "one": lambda: pool.map(nothing, range(count), chunksize=1),
        "apply": lambda: [pool.apply(nothing, (item,)) for item in range(count)],
    }[what]
    pool.map(nothing, range(100))
    start = time.perf_counter()
    run()
    print((time.perf_counter() - start) / count * 1e9)
"#;

/// What Python measures; `None` where there is none.
fn measured_by_python(what: &str, count: u64) -> Option<f64> {
    python(PYTHON, &[what, &count.to_string()])
}

fn nothing(_: u64) {}

fn pool(placement: Placement, retries: u32) -> Pool {
    let pool = Pool::builder().workers(WORKERS).on(placement).retries(retries).build().expect("the workers start");
    pool.map(nothing, 0..100).expect("nothing fails");
    pool
}

/// What a task of a job costs, in chunks of this size if it is said.
fn job(placement: Placement, retries: u32, count: u64, chunk: Option<usize>) -> f64 {
    let pool = pool(placement, retries);
    let start = Instant::now();
    let job = pool.job(nothing, 0..count);
    let job = match chunk {
        Some(chunk) => job.chunk(chunk),
        None => job,
    };
    job.collect().expect("nothing fails");
    let time = nanoseconds(start, count);
    pool.join().expect("the workers end");
    time
}

/// What a task costs whose argument is a text, and whose result is a number.
fn texts(placement: Placement, count: u64) -> f64 {
    let pool = pool(placement, 0);
    let texts: Vec<String> = (0..count).map(|item| format!("text {item}")).collect();
    let start = Instant::now();
    pool.map(|text: String| text.len(), texts).expect("nothing fails");
    let time = nanoseconds(start, count);
    pool.join().expect("the workers end");
    time
}

fn apply(placement: Placement, count: u64) -> f64 {
    let pool = pool(placement, 0);
    let start = Instant::now();
    for item in 0..count {
        pool.apply(nothing, item).expect("nothing fails");
    }
    let time = nanoseconds(start, count);
    pool.join().expect("the workers end");
    time
}

fn main() {
    suite("pool", measure_all);
}

fn measure_all(scale: u64) {
    let has_python = measured_by_python("map", 10).is_some();
    if !has_python {
        eprintln!("no python3: its rows are left out");
    }
    let with = |mut rows: Vec<Row<'static>>, what: &'static str, count: u64| {
        if has_python {
            let measure = move || measured_by_python(what, count).expect("Python has measured before");
            rows.push(("Python `Pool`, processes", Box::new(measure)));
        }
        rows
    };
    let rows = |measure: fn(Placement) -> f64| -> Vec<Row<'static>> {
        vec![
            ("csproc, processes", Box::new(move || measure(Placement::Process))),
            ("csproc, threads", Box::new(move || measure(Placement::Thread))),
        ]
    };
    let few = 20_000 / scale;
    table("`map` of empty tasks", "ns per task", &with(rows(|on| job(on, 0, 200_000, None)), "map", 10 * few));
    table("`map` of short texts", "ns per task", &with(rows(|on| texts(on, 200_000)), "texts", 10 * few));
    let mut one = rows(|on| job(on, 0, 20_000, Some(1)));
    one.push(("csproc, processes, one retry", Box::new(|| job(Placement::Process, 1, 20_000, Some(1)))));
    table("`map`, one task a chunk", "ns per task", &with(one, "one", few));
    table("`apply`", "ns per call", &with(rows(|on| apply(on, 5_000)), "apply", few / 10));
}
