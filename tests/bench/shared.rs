//! Shared values: an increment under a lock, and a look without one, by one process and by two at once. Python's
//! `multiprocessing` does the same beside them, where there is a `python3`.
//!
//! Knows nothing of what the numbers should be.

mod python;
mod table;

use csproc::prelude::*;
use csproc::shared::Atomic;
use python::python;
use std::hint::black_box;
use std::time::Instant;
use table::{Row, nanoseconds, suite, table};

/// What is done again and again.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
enum Work {
    Increment,
    Add,
    Get,
    GetElement,
    SetElement,
}

type Objects = (Value<u64>, Atomic<u64>, Array<u64>);

#[process]
fn repeat(work: Work, times: u64, objects: Objects, start: Barrier) -> csproc::Result<()> {
    let (value, atomic, array) = objects;
    start.sync()?;
    for i in 0..times {
        match work {
            Work::Increment => value.with_lock(|value| *value += 1)?,
            Work::Add => drop(atomic.fetch_add(1)),
            Work::Get => drop(black_box(value.get())),
            Work::GetElement => drop(black_box(array.get(i as usize % 1000))),
            Work::SetElement => array.set(i as usize % 1000, i)?,
        }
    }
    Ok(())
}

/// Nanoseconds of one of so many processes for each time. One of them is the program itself, as in Python's rows.
fn csproc(work: Work, processes: usize, times: u64) -> f64 {
    let objects = (Value::new(0), Atomic::new(0).expect("there is room"), Array::zeroed(1000));
    let meet = Barrier::new(processes);
    let same = || repeat(work, times, objects.clone(), meet.clone());
    let others = Spawn!(for _ in 1..processes => same()).expect("processes start");
    let start = Instant::now();
    let here = same().on(Placement::Thread);
    here.run().expect("it ends").expect("nobody dies");
    others.join().expect("they end").into_iter().for_each(|result| result.expect("nobody dies"));
    let time = nanoseconds(start, times);
    let done = times * processes as u64;
    let expected = |is: bool| if is { done } else { 0 };
    assert_eq!(objects.0.get(), expected(matches!(work, Work::Increment)));
    assert_eq!(objects.1.load(), expected(matches!(work, Work::Add)));
    time
}

/// The same in Python, which prints nanoseconds.
const PYTHON: &str = "
import sys, time
from multiprocessing import get_context
context = get_context('fork')

def repeat(work, times, value, array, start):
    start.wait()
    if work == 'Increment':
        for _ in range(times):
            with value.get_lock():
                value.value += 1
    elif work == 'Get':
        for _ in range(times):
            value.value
    elif work == 'GetElement':
        for i in range(times):
            array[i % 1000]
    else:
        for i in range(times):
            array[i % 1000] = i

work, processes, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
value, array, start = context.Value('L', 0), context.Array('L', 1000), context.Barrier(processes)
arguments = (work, times, value, array, start)
others = [context.Process(target=repeat, args=arguments) for _ in range(1, processes)]
for other in others: other.start()
begin = time.perf_counter()
repeat(*arguments)
for other in others: other.join()
print((time.perf_counter() - begin) * 1e9 / times)
assert work != 'Increment' or value.value == processes * times
";

fn measured_by_python(work: &str, processes: usize, times: u64) -> Option<f64> {
    python(PYTHON, &[work, &processes.to_string(), &times.to_string()])
}

fn main() {
    suite("shared", measure_all);
}

fn measure_all(scale: u64) {
    let times = 200_000 / scale;
    let few = times / 10;
    let has_python = measured_by_python("Get", 1, 1).is_some();
    for processes in [1, 2] {
        let csproc = |name, work| -> Row<'static> { (name, Box::new(move || csproc(work, processes, times))) };
        let python = |work: &'static str| -> Option<Row<'static>> {
            let measure = move || measured_by_python(work, processes, few).expect("Python has done it before");
            has_python.then(|| ("Python `multiprocessing`", Box::new(measure) as Box<dyn Fn() -> f64>))
        };
        let with = |rows: Vec<Row<'static>>, work| rows.into_iter().chain(python(work)).collect::<Vec<_>>();
        let by = if processes == 1 { "one process" } else { "two processes" };
        let rows = vec![csproc("csproc, `Value::with_lock`", Work::Increment), csproc("csproc, `Atomic`", Work::Add)];
        table(&format!("an increment, {by}"), "ns each time", &with(rows, "Increment"));
        let rows = vec![csproc("csproc, `Value::get`", Work::Get)];
        table(&format!("a look, {by}"), "ns each time", &with(rows, "Get"));
        let rows = vec![csproc("csproc, `Array::get`", Work::GetElement)];
        table(&format!("a look at an element, {by}"), "ns each time", &with(rows, "GetElement"));
        let rows = vec![csproc("csproc, `Array::set`", Work::SetElement)];
        table(&format!("an element set, {by}"), "ns each time", &with(rows, "SetElement"));
    }
}
