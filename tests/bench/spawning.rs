//! Measures what a process costs: start, run nothing, join; against `std::process::Command` of this same program and
//! against `fork`.
//!
//! Knows nothing of the library's inside. Every figure is taken in turn with its peers and is the median of the rounds;
//! what counts is the ratio. Run it with free cores, and pinned to one (`taskset -c 0 cargo bench --bench spawning`).
#![expect(unsafe_code, reason = "a peer is plain fork")]

use csproc::prelude::*;
use std::process::Command;
use std::time::Instant;

const ROUNDS: usize = 15;
const LEAVE: &str = "CSPROC_BENCH_LEAVE";

#[process]
fn empty() {}

fn microseconds(start: Instant, count: usize) -> f64 {
    start.elapsed().as_nanos() as f64 / 1000.0 / count as f64
}

fn csproc(rounds: usize, processes: usize, placement: Placement) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        Parallel!(for _ in 0..processes => empty().on(placement)).expect("empty processes return");
    }
    microseconds(start, rounds * processes)
}

fn command(rounds: usize, server: bool) -> f64 {
    let start = Instant::now();
    for _ in 0..rounds {
        let mut command = Command::new("/proc/self/exe");
        if !server {
            command.env("CSPROC_FORKSERVER", "0");
        }
        let status = command.env(LEAVE, "1").status().expect("this program can be executed");
        assert!(status.success());
    }
    microseconds(start, rounds)
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
    microseconds(start, rounds)
}

type Row<'a> = (&'a str, Box<dyn Fn() -> f64 + 'a>);

fn table(title: &str, rows: &[Row<'_>]) {
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        for (row, times) in rows.iter().zip(&mut times) {
            times.push(row.1());
        }
    }
    println!("\n| {title} | µs (median of {ROUNDS}) | ratio to the last row |");
    println!("|---|---|---|");
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    let last = times.last().map_or(1.0, |times| times[times.len() / 2]);
    for (row, times) in rows.iter().zip(&times) {
        let median = times[times.len() / 2];
        println!("| {} | {median:.0} | {:.2} |", row.0, median / last);
    }
}

fn main() {
    if std::env::var_os(LEAVE).is_some() || std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("usable cores: {}", std::thread::available_parallelism().map_or(1, usize::from));
    let rows = || -> Vec<Row<'_>> {
        vec![
            ("csproc, 1 process", Box::new(|| csproc(20, 1, Placement::Process))),
            ("csproc, 8 at once, each", Box::new(|| csproc(4, 8, Placement::Process))),
            ("csproc, 64 at once, each", Box::new(|| csproc(1, 64, Placement::Process))),
            ("csproc, 1 thread", Box::new(|| csproc(20, 1, Placement::Thread))),
            ("fork and wait", Box::new(|| fork(10))),
            ("`Command` of this program", Box::new(|| command(8, true))),
        ]
    };
    table("start and join, small parent", &rows());
    table(
        "start and join, 512 at once",
        &[
            ("csproc, each", Box::new(|| csproc(1, 512, Placement::Process))),
            ("`Command` of this program", Box::new(|| command(8, true))),
        ],
    );
    let ballast = vec![1_u8; 1 << 30];
    table("start and join, parent with 1 GiB", &rows());
    assert_eq!(std::hint::black_box(&ballast)[1 << 29], 1);
    drop(ballast);
    table(
        "a program that links the library and leaves at once",
        &[
            ("with the process server", Box::new(|| command(20, true))),
            ("CSPROC_FORKSERVER=0", Box::new(|| command(20, false))),
        ],
    );
}
