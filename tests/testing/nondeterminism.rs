//! A network that does something else each time is found, and the reason named where it can be seen.
//!
//! Knows nothing of schedules: whatever they decide, such a network is not the same.

use super::cast::{find, named, read_once};
use csproc::prelude::*;
use csproc::testing::{Outcome, schedule};
use std::cell::Cell;
use std::collections::HashSet;
use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Runs a test in a program of its own, in which no other test changes statics or starts threads.
fn alone(test: &str, body: impl FnOnce()) {
    if std::env::var_os("CSPROC_ALONE").is_some() {
        return body();
    }
    let name = format!("nondeterminism::{test}");
    let mut program = std::process::Command::new(std::env::current_exe().unwrap());
    let output = program.args(["--exact", &name]).env("CSPROC_ALONE", "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// What is told of a network that is not the same when it runs again.
fn told<N: csproc::testing::Runnable>(network: impl Fn() -> N) -> String {
    let failed = find(64, &schedule(), network, |run| !matches!(run.outcome(), Outcome::Nondeterministic(_)));
    let text = failed.expect("two runs are compared now and then");
    text.lines().next().unwrap_or_default().to_owned()
}

fn sends(process: impl Fn(Writer<u32>) -> Process<csproc::Result<()>>) -> String {
    told(|| {
        let c = named("numbers");
        network!(process(c.writer()), read_once(c.reader()))
    })
}

static CALLS: AtomicU32 = AtomicU32::new(0);

#[process]
fn counts_calls(out: Writer<u32>) -> csproc::Result<()> {
    Ok(out.write(CALLS.fetch_add(1, Ordering::Relaxed))?)
}

#[test]
fn a_static_that_changes_is_named() {
    alone("a_static_that_changes_is_named", || {
        let text = sends(counts_calls);
        assert!(text.contains("`counts_calls → read_once on numbers`, brought another message"), "{text}");
        assert!(text.contains("the static `testing::nondeterminism::CALLS` changes in each run"), "{text}");
        assert!(!text.contains("LAST") && !text.contains("reads") && !text.contains("HashMap"), "{text}");
    });
}

static KEPT: Mutex<Vec<u32>> = Mutex::new(Vec::new());

#[process]
fn keeps_more(out: Writer<u32>) -> csproc::Result<()> {
    let mut kept = KEPT.lock().expect("nobody panics with it");
    kept.push(0);
    let count = kept.len() as u32;
    drop(kept);
    Ok(out.write(count)?)
}

#[test]
fn a_list_in_a_static_is_named() {
    alone("a_list_in_a_static_is_named", || {
        let text = sends(keeps_more);
        assert!(text.contains("the static `testing::nondeterminism::KEPT` changes in each run"), "{text}");
    });
}

thread_local! {
    static LAST: Cell<u32> = const { Cell::new(0) };
}

#[process]
fn remembers(out: Writer<u32>) -> csproc::Result<()> {
    LAST.set(LAST.get() + 1);
    Ok(out.write(LAST.get())?)
}

#[test]
fn a_thread_local_variable_that_changes_is_named() {
    alone("a_thread_local_variable_that_changes_is_named", || {
        let text = sends(remembers);
        assert!(
            text.contains("the thread-local variable `testing::nondeterminism::LAST` changes in each run"),
            "{text}"
        );
    });
}

#[process]
fn reads_random_numbers(out: Writer<u32>) -> csproc::Result<()> {
    let mut number = [0; 4];
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut number)).expect("random numbers");
    Ok(out.write(u32::from_ne_bytes(number))?)
}

#[test]
fn that_it_reads_from_outside_is_told() {
    alone("that_it_reads_from_outside_is_told", || {
        let text = sends(reads_random_numbers);
        assert!(text.contains("each run reads from a file, a pipe or a socket"), "{text}");
        assert!(!text.contains("changes in each run"), "{text}");
    });
}

#[process]
fn goes_through_a_set(out: Writer<Vec<u32>>) -> csproc::Result<()> {
    let set: HashSet<u32> = (0..50).collect();
    Ok(out.write(set.into_iter().collect())?)
}

#[process]
fn reads_list(input: Reader<Vec<u32>>) -> csproc::Result<Vec<u32>> {
    Ok(input.read()?)
}

#[process]
fn sends_a_set(out: Writer<u32>) -> csproc::Result<()> {
    let set: HashSet<u32> = (0..50).collect();
    set.into_iter().try_for_each(|number| out.write(number))?;
    Ok(())
}

#[process]
fn sums(input: Reader<u32>) -> u32 {
    input.into_iter().sum()
}

#[test]
fn the_order_of_a_set_is_told_in_one_message_or_in_many() {
    alone("the_order_of_a_set_is_told_in_one_message_or_in_many", || {
        let in_one = told(|| {
            let c = named("list");
            network!(goes_through_a_set(c.writer()), reads_list(c.reader()))
        });
        let in_many = told(|| {
            let c = named("numbers");
            network!(sends_a_set(c.writer()), sums(c.reader()))
        });
        for text in [in_one, in_many] {
            assert!(text.contains("the same contents in another order, as a `HashMap`"), "{text}");
            assert!(!text.contains("changes in each run") && !text.contains("reads from"), "{text}");
        }
    });
}

#[process]
fn starts_a_thread(out: Writer<u32>) -> csproc::Result<()> {
    let start = Instant::now();
    // It is there until the program ends.
    std::thread::spawn(|| {
        loop {
            std::thread::park();
        }
    });
    Ok(out.write(start.elapsed().subsec_nanos())?)
}

#[test]
fn a_thread_that_is_left_behind_is_told() {
    alone("a_thread_that_is_left_behind_is_told", || {
        let text = sends(starts_a_thread);
        assert!(text.contains("each run leaves a thread behind"), "{text}");
    });
}

#[process]
fn looks_at_a_clock(out: Writer<u32>, start: u64) -> csproc::Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Ok(out.write((now.as_nanos() as u64 - start) as u32)?)
}

#[test]
fn a_clock_is_not_seen_and_what_to_look_for_is_told() {
    alone("a_clock_is_not_seen_and_what_to_look_for_is_told", || {
        let text = sends(|out| looks_at_a_clock(out, 0));
        assert!(text.contains("nothing was seen that could be the reason; look for random numbers, clocks"), "{text}");
    });
}
