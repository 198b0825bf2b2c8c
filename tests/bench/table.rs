//! What benchmarks print: a table for each thing that is measured, with all processors and with one; and the same as
//! JSON, in `target/bench.json`.
//!
//! Knows nothing of what is measured. All figures of a table are taken in turn (A B A B …), in one process that may use
//! all processors and in one that may use only one; what counts is the ratio of their medians to that of the first row.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime};

const ROUNDS: usize = 7;

/// In a process that measures: where it writes what it has measured.
const INTO: &str = "CSPROC_BENCH_INTO";

/// One row of a table: what is measured, and how.
pub(crate) type Row<'a> = (&'a str, Box<dyn Fn() -> f64 + 'a>);

/// What was measured of a row: the median of all rounds, and how far they lie apart.
#[derive(Debug, Serialize, Deserialize)]
struct Figure {
    name: String,
    median: f64,
    least: f64,
    most: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Table {
    title: String,
    unit: String,
    rows: Vec<Figure>,
}

/// What a program has measured, by how many processors it could use.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Suite {
    /// In seconds since 1970.
    measured: u64,
    machine: String,
    rounds: usize,
    tables: BTreeMap<usize, Vec<Table>>,
}

thread_local! {
    static TABLES: RefCell<Vec<Table>> = const { RefCell::new(Vec::new()) };
}

/// Measures with all processors and with one, and prints and writes what came of it. `measure` is told by what it may
/// divide its work. Arguments say what titles have in them that are wanted; `--test` only wants to see it start.
pub(crate) fn suite(name: &str, measure: impl FnOnce(u64)) {
    if env::args().any(|argument| argument == "--test") {
        return;
    }
    if let Some(into) = env::var_os(INTO) {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        measure(if processors > 1 { 1 } else { 2 });
        let tables = TABLES.take();
        return fs::write(into, serde_json::to_string(&tables).expect("a table")).expect("the table is written");
    }
    let all = sched_getaffinity(None).expect("the processors that may be used");
    let first = (0..CpuSet::MAX_CPU).find(|cpu| all.is_set(*cpu)).expect("at least one");
    let mut one = CpuSet::new();
    one.set(first);
    let measured = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut suite = Suite { measured, machine: machine(), rounds: ROUNDS, tables: BTreeMap::new() };
    for processors in [all, one] {
        let count = processors.count() as usize;
        suite.tables.entry(count).or_insert_with(|| measured_with(name, &processors));
    }
    sched_setaffinity(None, &all).expect("what was allowed before");
    print(&suite);
    keep(name, suite);
}

/// What the same program measures with these processors.
fn measured_with(name: &str, processors: &CpuSet) -> Vec<Table> {
    let into = target().join(format!("{name}-{}.json", processors.count()));
    sched_setaffinity(None, processors).expect("processors that may be used");
    let program = env::current_exe().expect("this program");
    let status = Command::new(program).args(env::args_os().skip(1)).env(INTO, &into).status();
    assert!(status.is_ok_and(|status| status.success()), "{name} did not come to its end");
    let tables = fs::read_to_string(&into).expect("what it has measured");
    fs::remove_file(&into).expect("it was there");
    serde_json::from_str(&tables).expect("tables")
}

/// A directory for what is written.
fn target() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

fn machine() -> String {
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{count} processors, {}", model.unwrap_or("of an unknown kind"))
}

/// One table for each title, with a pair of columns for each number of processors.
fn print(suite: &Suite) {
    println!("{}; medians of {} rounds; ratios to the first row", suite.machine, suite.rounds);
    let mut kinds = suite.tables.values().rev();
    let Some(first) = kinds.next() else { return };
    for (number, table) in first.iter().enumerate() {
        let per = table.unit.strip_prefix("ns ");
        let columns = suite.tables.keys().rev().map(|count| match count {
            1 => String::from("one processor | ratio"),
            count => format!("{count} processors | ratio"),
        });
        println!("\n| {}, {} | {} |", table.title, per.unwrap_or(&table.unit), columns.collect::<Vec<_>>().join(" | "));
        println!("|---{}|", "|---|---".repeat(suite.tables.len()));
        for (place, Figure { name, .. }) in table.rows.iter().enumerate() {
            let cells = suite.tables.values().rev().map(|tables| {
                let rows = &tables[number].rows;
                let (median, base) = (rows[place].median, rows[0].median);
                format!("{} | {:.2}", if per.is_some() { time(median) } else { format!("{median:.0}") }, median / base)
            });
            println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }
}

/// So many nanoseconds, with two digits that count.
fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        less if less < 1e3 => (less, "ns"),
        less if less < 1e6 => (less / 1e3, "µs"),
        less if less < 1e9 => (less / 1e6, "ms"),
        more => (more / 1e9, "s"),
    };
    if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

/// Writes a suite beside those of the other programs.
fn keep(name: &str, suite: Suite) {
    let path = target().with_file_name("bench.json");
    let read = |path: &Path| serde_json::from_str(&fs::read_to_string(path).ok()?).ok();
    let mut all: BTreeMap<String, Suite> = read(&path).unwrap_or_default();
    all.insert(String::from(name), suite);
    let text = serde_json::to_string_pretty(&all).expect("suites");
    fs::write(&path, text).expect("a file in the directory of what is built");
    println!("\nin {}", path.display());
}

pub(crate) fn nanoseconds(start: Instant, count: u64) -> f64 {
    start.elapsed().as_nanos() as f64 / count as f64
}

/// Measures all rows in turn, for a table of this title, if that is wanted.
pub(crate) fn table(title: &str, unit: &str, rows: &[Row<'_>]) {
    let mut wanted = env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    if wanted.peek().is_some() && !wanted.any(|wanted| title.contains(&wanted)) {
        return;
    }
    eprintln!("measures {title}");
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        for (row, times) in rows.iter().zip(&mut times) {
            times.push(row.1());
        }
    }
    let figures = rows.iter().zip(times).map(|(row, mut times)| {
        times.sort_by(f64::total_cmp);
        let (least, median, most) = (times[0], times[ROUNDS / 2], times[ROUNDS - 1]);
        Figure { name: String::from(row.0), median, least, most }
    });
    let table = Table { title: String::from(title), unit: String::from(unit), rows: figures.collect() };
    TABLES.with_borrow_mut(|tables| tables.push(table));
}
