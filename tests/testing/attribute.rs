//! `#[csproc::test]`: the body of a test under drawn schedules, or under all of them.
//!
//! Knows nothing of how a schedule is shrunk.

use super::cast::{sink, source};
use csproc::OnCrash;
use csproc::prelude::*;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, process};

#[process]
fn transfer(from: Lock, to: Lock) -> csproc::Result<()> {
    let _from = from.acquire()?;
    let _to = to.acquire()?;
    Ok(())
}

fn transfers(is_broken: bool) -> csproc::Result<()> {
    let (a, b) = (Lock::new(), Lock::new());
    let first = transfer(a.clone(), b.clone());
    Parallel!(first, if is_broken { transfer(b, a) } else { transfer(a, b) }).values().map(drop)
}

#[csproc::test]
fn what_never_goes_wrong_passes() {
    transfers(false).unwrap();
}

#[csproc::test(exhaustive)]
fn what_never_goes_wrong_passes_under_every_schedule() -> csproc::Result<()> {
    transfers(false)
}

#[csproc::test]
#[should_panic(expected = "fails under a schedule: deadlock after 2 events")]
fn a_deadlock_is_found_and_shrunk() {
    transfers(true).unwrap();
}

#[csproc::test(exhaustive)]
#[should_panic(expected = "fails under a schedule: deadlock after 2 events")]
fn a_deadlock_is_found_among_all_schedules() {
    transfers(true).unwrap();
}

#[csproc::test(exhaustive, schedules = 2)]
#[should_panic(expected = "was tried under not every schedule: 2 executions")]
fn more_schedules_than_are_allowed_are_a_failure() {
    let c = Channel::new();
    let write = || source(c.writer(), 1);
    let _ = Parallel!(write(), write(), write(), sink(c.reader()));
}

mod kinds {
    use super::*;

    pub(super) static ORDERS: Mutex<BTreeSet<[u32; 2]>> = Mutex::new(BTreeSet::new());

    /// The body itself takes part.
    #[csproc::test(schedules = 64)]
    pub(super) fn the_body_reads_what_others_write() -> csproc::Result<()> {
        let c = Channel::new();
        let children = [1, 2].map(|value| Spawn!(super::super::cast::write_once(c.writer(), value)));
        let order = [c.reader().read()?, c.reader().read()?];
        for child in children {
            child?.join()??;
        }
        ORDERS.lock().unwrap().insert(order);
        Ok(())
    }

    pub(super) static KILLED: AtomicU32 = AtomicU32::new(0);

    /// It is one of those who cope.
    #[csproc::test(schedules = 300, crashes = 1, processes("source"))]
    pub(super) fn the_body_asserts_what_a_crash_leaves() {
        let c = Channel::new();
        match Parallel!(source(c.writer(), 2), sink(c.reader())) {
            Ok((_, got)) => assert_eq!(got, [0, 1]),
            Err(error) => {
                KILLED.fetch_add(1, Ordering::Relaxed);
                assert_eq!(error.failures()[0].process(), "source");
            }
        }
    }
}

#[test]
fn the_body_sees_others_in_each_order() {
    kinds::the_body_reads_what_others_write();
    assert_eq!(*kinds::ORDERS.lock().unwrap(), BTreeSet::from([[1, 2], [2, 1]]));
}

#[test]
fn who_is_named_is_killed_and_that_is_no_failure_by_itself() {
    kinds::the_body_asserts_what_a_crash_leaves();
    assert!(kinds::KILLED.load(Ordering::Relaxed) > 0);
}

#[csproc::test(schedules = 300, crashes = 1, processes("sink"))]
#[should_panic(expected = "process `main` panicked at tests/testing/attribute.rs")]
fn a_crash_that_the_body_does_not_expect_is_one() {
    let c = Channel::new();
    let _ = Parallel!(source(c.writer(), 2), sink(c.reader())).unwrap();
}

#[csproc::test(exhaustive, crashes = 1, processes("source"))]
fn whoever_is_started_again_after_each_crash_does_its_work() {
    let c = Channel::new();
    let again = OnCrash::Restart { max: 1, within: Duration::from_secs(10) };
    let (_, got) = Parallel!(source(c.writer(), 2).on_crash(again), sink(c.reader())).unwrap();
    // What it wrote before it was killed, and all of it again.
    assert!(got.ends_with(&[0, 1]) && got.len() <= 4, "{got:?}");
}

#[csproc::test]
#[should_panic(expected = "[2, 1]")]
fn what_the_body_asserts_is_looked_for() {
    let c = Channel::new();
    let one = Spawn!(super::cast::write_once(c.writer(), 1)).unwrap();
    let two = Spawn!(super::cast::write_once(c.writer(), 2)).unwrap();
    let order = [c.reader().read().unwrap(), c.reader().read().unwrap()];
    assert_eq!(order, [1, 2], "{order:?}");
    one.join().unwrap().unwrap();
    two.join().unwrap().unwrap();
}

#[csproc::test(lossy("data", 1), in_order("data"))]
#[should_panic(expected = "returns an error under a schedule: \"0 came\"")]
fn an_error_is_a_failure() -> Result<(), String> {
    let c = Channel::builder().name("data").build().unwrap();
    let (_, got) = Parallel!(source(c.writer(), 1), sink(c.reader())).unwrap();
    if got.is_empty() { Err(format!("{} came", got.len())) } else { Ok(()) }
}

#[process]
fn waits_for_ever(input: Reader<u32>, _own: Writer<u32>) -> csproc::Result<u32> {
    Ok(input.read()?)
}

#[csproc::test]
#[should_panic(expected = "left somebody behind")]
fn who_is_left_behind_is_a_failure() {
    let c = Channel::new();
    let _ = Spawn!(waits_for_ever(c.reader(), c.writer()));
}

#[csproc::test]
#[should_panic(expected = "fails under a schedule: the network failed after 0 events:\n    process `main` panicked")]
fn a_panic_of_the_body_is_told_rather_than_who_is_left_behind() {
    let c = Channel::new();
    let _child = Spawn!(waits_for_ever(c.reader(), c.writer()));
    panic!("before it is joined");
}

#[process]
fn writes_for_ever(out: Writer<u32>) -> csproc::Result<()> {
    loop {
        out.write(0)?;
    }
}

#[csproc::test]
#[should_panic(expected = "livelock")]
fn what_never_ends_is_a_failure() {
    let c = Channel::new();
    let _ = Parallel!(writes_for_ever(c.writer()), sink(c.reader()));
}

#[csproc::test]
#[should_panic(expected = "the same decisions gave another run")]
fn a_body_that_does_something_else_each_time_is_a_failure() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let c = Channel::new();
    let _ = Parallel!(source(c.writer(), RUNS.fetch_add(1, Ordering::Relaxed) % 5), sink(c.reader()));
}

/// Run by the test below, in a process of its own.
#[csproc::test]
fn victim() {
    transfers(env::var("CSPROC_VICTIM").is_ok_and(|how| how == "broken")).unwrap();
}

/// Run by the test below, in a process of its own.
#[csproc::test(exhaustive)]
fn victim_of_all() {
    transfers(env::var("CSPROC_VICTIM").is_ok_and(|how| how == "broken")).unwrap();
}

/// What a test program says, and whether it fails, in a directory that looks like that of the sources.
fn watch(directory: &PathBuf, test: &str, program: &str) -> (String, bool) {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("attribute::{test}")])
        .env("CSPROC_VICTIM", program)
        .current_dir(directory)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    (text, output.status.success())
}

#[test]
fn a_failure_is_kept_beside_the_source_and_tried_first() {
    for test in ["victim", "victim_of_all"] {
        let directory = env::temp_dir().join(format!("csproc-attribute-{}-{test}", process::id()));
        let source = directory.join(file!());
        fs::create_dir_all(source.parent().unwrap()).unwrap();
        fs::write(&source, "").unwrap();
        let kept = source.with_file_name("csproc-regressions").join(format!("testing.attribute.{test}.txt"));

        let (text, passes) = watch(&directory, test, "broken");
        assert!(!passes && text.contains(&format!("`testing::attribute::{test}` fails under")), "{text}");
        assert!(text.contains("deadlock after 2 events") && text.contains(", and shrunk"), "{text}");
        assert!(text.contains(&format!("csproc: the failure is kept in {}", kept.display())), "{text}");
        let first = fs::read_to_string(&kept).unwrap();
        let token = first.lines().find_map(|line| line.strip_prefix("failure ")).expect("a token");
        assert!(text.contains(&format!("again: #[csproc::test(replay = \"{token}\")]")), "{text}");
        assert!(!first.contains("proptest"), "{first}");

        let (text, passes) = watch(&directory, test, "broken");
        assert!(!passes && text.contains("found after 1 schedules, and shrunk"), "{text}");
        assert_eq!(fs::read_to_string(&kept).unwrap().matches("failure csp1:").count(), 1);

        let (text, passes) = watch(&directory, test, "mended");
        assert!(passes && text.contains(":4 passes now\n"), "{text}");
        let (text, passes) = watch(&directory, test, "mended");
        assert!(passes && !text.contains("csproc:"), "{text}");
        fs::remove_dir_all(&directory).unwrap();
    }
}

#[csproc::test(replay = "csp1:020502000105030002")]
#[should_panic(expected = "fails under a schedule: deadlock after 2 events")]
fn a_token_is_run_again() {
    transfers(true).unwrap();
}

#[csproc::test(replay = "csp1:020502000105030002")]
fn a_token_of_what_is_mended_passes() {
    transfers(false).unwrap();
}

/// Run by the test below, in a process of its own.
#[csproc::test]
fn panicking_victim() {
    let is_broken = env::var("CSPROC_VICTIM").is_ok_and(|how| how == "broken");
    let c = Channel::new();
    let (_, got) =
        Parallel!(for value in 0..2 => super::cast::write_once(c.writer(), value), sink(c.reader())).unwrap();
    assert!(!is_broken || got == [0, 1], "the order is {got:?}");
}

#[test]
fn a_report_is_not_drowned_in_what_panicked_on_the_way() {
    let directory = env::temp_dir();
    let (text, passes) = watch(&directory, "panicking_victim", "broken");
    assert!(!passes && text.contains("the order is [1, 0]"), "{text}");
    // Once by the smallest run, as it would be elsewhere, and once by the report.
    assert_eq!(text.matches("' (").count(), 2, "{text}");
}

/// Accepted forms: a name that is a keyword, options by expressions, a renamed library, a body that another macro
/// passes on, an attribute that leaves the test out, and the attribute under its plain name, beside the standard one.
mod forms {
    use super::{sink, source};
    use csproc as renamed;
    use csproc::prelude::{Channel, Parallel};
    use csproc::test;

    const SCHEDULES: u32 = 8;

    #[test]
    fn r#type() -> Result<(), csproc::NetworkError> {
        let c = Channel::new();
        Parallel!(source(c.writer(), 1), sink(c.reader())).map(drop)
    }

    #[renamed::test(crate = renamed, schedules = 2 * SCHEDULES, panics = 0, poisons = 0, delays = 1)]
    fn renamed_and_counted() {}

    macro_rules! completes {
        ($name:ident, $schedules:expr, $body:block) => {
            #[csproc::test(schedules = $schedules)]
            fn $name() {
                $body
            }
        };
    }

    completes!(by_a_macro, 4 + 4, { assert!(Parallel!(source(Channel::new().writer(), 0)).is_ok()) });

    #[csproc::test]
    #[cfg(any())]
    fn left_out() {
        compile_error!("is not there")
    }

    #[core::prelude::v1::test]
    fn who_calls_one_runs_it() {
        renamed_and_counted();
    }
}
