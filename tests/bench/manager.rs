//! Measures managers against Python's `multiprocessing.Manager`, in one run: an item of a dictionary set, looked up and
//! counted up, by one process and by two at once, and a dictionary made; and what is asked for over a socket, as by
//! another program, against its `BaseManager`: a method called, an item put into a queue and got, and much at once.
//!
//! Knows nothing of the library's inside. Python measures itself, with its own clock; where there is no `python3`, its
//! rows are left out. Every figure is taken in turn with its peers (A B A B …) and is the median of the rounds; what
//! counts is the ratio.

mod python;
mod table;

use csproc::prelude::*;
use csproc::shared::Dict;
use python::python;
use std::path::PathBuf;
use std::time::Instant;
use table::{Row, nanoseconds, suite, table};

/// How many keys there are.
const KEYS: u64 = 100;

/// What lets clients in.
const KEY: &[u8] = b"key";

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

/// The same over a socket of the system, between two processes.
const PYTHON_REMOTE: &str = r#"
import os, sys, tempfile, time
from multiprocessing import get_context
from multiprocessing.managers import BaseManager
from queue import Queue

class Counter:
    count = 0
    def add(self, more):
        self.count += more
        return self.count

counter, jobs = Counter(), Queue()
class Manager(BaseManager): pass
Manager.register("counter", callable=lambda: counter)
Manager.register("jobs", callable=lambda: jobs)
what, count = sys.argv[1], int(sys.argv[2])
with tempfile.TemporaryDirectory() as directory:
    place = dict(address=os.path.join(directory, "socket"), authkey=b"key", ctx=get_context("fork"))
    server, client = Manager(**place), Manager(**place)
    server.start()
    client.connect()
    counter, jobs, much = client.counter(), client.jobs(), bytes(1 << 20)
    start = time.perf_counter()
    if what == "Call":
        for i in range(count):
            counter.add(1)
    else:
        for i in range(count):
            jobs.put(i if what == "Queue" else much)
            jobs.get()
    print((time.perf_counter() - start) / count * 1e9)
    server.shutdown()
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

/// What is asked for over a socket.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
enum Far {
    Call,
    Queue,
    Much,
}

/// What a manager has for other programs.
struct Counter(u64);

#[managed]
impl Counter {
    pub(crate) fn begin() -> Counter {
        Counter(0)
    }

    pub(crate) fn add(&mut self, more: u64) -> u64 {
        self.0 += more;
        self.0
    }
}

/// A process that reaches everything as another program does; nanoseconds of each step.
#[process]
fn ask(far: Far, count: u64, path: PathBuf) -> csproc::Result<f64> {
    let remote = Manager::connect(path, KEY)?;
    let (counter, jobs): (CounterProxy, Queue<u64>) = (remote.get("counter")?, remote.get("jobs")?);
    let (large, bytes): (Queue<Vec<u8>>, _) = (remote.get("large")?, vec![0; 1 << 20]);
    counter.add(0)?;
    jobs.put(0)?;
    jobs.get()?;
    let start = Instant::now();
    for i in 0..count {
        match far {
            Far::Call => drop(counter.add(1)?),
            Far::Queue => {
                jobs.put(i)?;
                jobs.get()?;
            }
            Far::Much => {
                large.put(bytes.clone())?;
                large.get()?;
            }
        }
    }
    Ok(nanoseconds(start, count))
}

fn far(far: Far, count: u64) -> f64 {
    let manager = Manager::new().expect("it starts");
    manager.share("counter", &CounterProxy::begin(&manager).expect("there is room")).expect("it is shared");
    manager.share("jobs", &Queue::<u64>::new()).expect("it is shared");
    manager.share("large", &Queue::<Vec<u8>>::new()).expect("it is shared");
    let path = std::env::temp_dir().join(format!("csproc-bench-{}/socket", std::process::id()));
    manager.serve(&path, KEY).expect("nobody else is there");
    Parallel!(ask(far, count, path)).values().expect("nobody dies")
}

fn measured_by_python(what: &str, processes: usize, count: u64) -> Option<f64> {
    python(PYTHON, &[what, &processes.to_string(), &count.to_string()])
}

fn main() {
    suite("manager", measure_all);
}

fn measure_all(scale: u64) {
    let has_python = measured_by_python("Get", 1, 10).is_some();
    if !has_python {
        eprintln!("no python3: its rows are left out");
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
    for (title, what, count) in [
        ("a method called over a socket", Far::Call, few),
        ("an item put into a queue and got, over a socket", Far::Queue, few / 2),
        ("a megabyte put into a queue and got, over a socket", Far::Much, few / 50),
    ] {
        let mut rows: Vec<Row<'static>> = vec![("csproc, `Remote`", Box::new(move || far(what, count)))];
        if has_python {
            let name = format!("{what:?}");
            let measure =
                move || python(PYTHON_REMOTE, &[&name, &count.to_string()]).expect("Python has measured before");
            rows.push(("Python `BaseManager`", Box::new(measure)));
        }
        table(title, "ns per step", &rows);
    }
    compare("a dictionary made", Box::new(move || make(few / 10)), "Make", 1, few / 50);
}
