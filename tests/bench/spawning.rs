//! Measures what a process costs: start, run nothing, join; against `std::process::Command` of this same program and
//! against `fork`.
//!
//! Knows nothing of the library's inside. Every figure is taken in turn with its peers; what counts is the ratio.
#![expect(unsafe_code, reason = "a peer is plain fork")]

mod go;
mod python;
mod table;

use csproc::prelude::*;
use python::python;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use table::{Row, nanoseconds, suite, table};

const LEAVE: &str = "CSPROC_BENCH_LEAVE";

#[process]
fn empty() {}

fn csproc(rounds: usize, processes: usize, placement: Placement) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        Parallel!(for _ in 0..processes => empty().on(placement)).expect("empty processes return");
    }
    nanoseconds(start, (rounds * processes) as u64)
}

fn command(program: impl AsRef<Path>, rounds: usize, server: bool) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        let mut command = Command::new(program.as_ref());
        if !server {
            command.env("CSPROC_FORKSERVER", "0");
        }
        let status = command.env(LEAVE, "1").status().expect("this program can be executed");
        assert!(status.success());
    }
    nanoseconds(start, rounds as u64)
}

fn fork(rounds: usize) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        // SAFETY: the child does nothing but end.
        match unsafe { libc::fork() } {
            // SAFETY: ends the child without running exit handlers.
            0 => unsafe { libc::_exit(0) },
            // SAFETY: waits for the child forked above.
            pid => unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) },
        };
    }
    nanoseconds(start, rounds as u64)
}

/// A program that does nothing, and does not link the library: the one that was built last.
fn bare() -> PathBuf {
    let here = std::env::current_exe().expect("this program");
    let all = here.parent().expect("a directory").read_dir().expect("what was built").flatten();
    let is_it = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("bare-") && !name.contains('.')
    };
    let built = |path: &PathBuf| path.metadata().and_then(|about| about.modified()).ok();
    all.map(|entry| entry.path()).filter(is_it).max_by_key(built).expect("`cargo bench` builds it")
}

/// Starts and joins so many of Python's processes, one after the other; it prints nanoseconds for each.
const PYTHON: &str = "
import sys, time
from multiprocessing import get_context
context = get_context('fork')

def empty(): pass

rounds = int(sys.argv[1])
start = time.perf_counter()
for _ in range(rounds):
    process = context.Process(target=empty)
    process.start()
    process.join()
print((time.perf_counter() - start) * 1e9 / rounds)
";

fn measured_by_python(rounds: u64) -> Option<f64> {
    python(PYTHON, &[&rounds.to_string()])
}

fn main() {
    if std::env::var_os(LEAVE).is_none() {
        suite("spawning", measure_all);
    }
}

fn measure_all(_: u64) {
    let rows = || -> Vec<Row<'_>> {
        vec![
            ("`Command` of this program", Box::new(|| command("/proc/self/exe", 8, true))),
            ("csproc, 1 process", Box::new(|| csproc(20, 1, Placement::Process))),
            ("csproc, 8 at once, each", Box::new(|| csproc(4, 8, Placement::Process))),
            ("csproc, 64 at once, each", Box::new(|| csproc(1, 64, Placement::Process))),
            ("csproc, 1 thread", Box::new(|| csproc(20, 1, Placement::Thread))),
            ("fork and wait", Box::new(|| fork(10))),
        ]
    };
    let go = go::go();
    let mut small = rows();
    if measured_by_python(1).is_some() {
        let measure = || measured_by_python(20).expect("Python has done it before");
        small.push(("Python `Process`", Box::new(measure)));
    }
    small.extend(go::row(go.as_ref(), "spawn", &[1_000, 8]));
    table("start and join, small parent", "ns per process", &small);
    drop(small);
    table(
        "start and join, 512 at once",
        "ns per process",
        &[
            ("`Command` of this program", Box::new(|| command("/proc/self/exe", 8, true))),
            ("csproc, each", Box::new(|| csproc(1, 512, Placement::Process))),
        ],
    );
    let ballast = vec![1_u8; 1 << 30];
    table("start and join, parent with 1 GiB", "ns per process", &rows());
    assert_eq!(std::hint::black_box(&ballast)[1 << 29], 1);
    drop(ballast);
    let bare = bare();
    table(
        "a program that leaves at once",
        "ns each time",
        &[
            ("without the library", Box::new(|| command(&bare, 20, true))),
            ("with it", Box::new(|| command("/proc/self/exe", 20, true))),
            ("with it and `CSPROC_FORKSERVER=0`", Box::new(|| command("/proc/self/exe", 20, false))),
        ],
    );
}
