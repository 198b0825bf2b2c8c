//! What is marked `#[csproc::setup]` has run in every process before its function, once, in the documented order.
//!
//! Knows nothing of how set-ups are found. They are those of this whole test binary, so each does nothing but note that
//! it ran, unless a variable in the environment of one scenario asks for more.

use crate::harness::scenario::{Remains, Scenario, command, output};
use csproc::prelude::*;
use std::cell::Cell;
use std::sync::Mutex;
use std::time::Duration;

pub(crate) const SCENARIOS: &[Scenario] =
    &[("a set-up panics", fails), ("a set-up returns an error", fails), ("a set-up sets a panic hook", fails)];

/// Which of them have run in this process, in order.
static RAN: Mutex<Vec<&str>> = Mutex::new(Vec::new());

thread_local! {
    static ON_THIS_THREAD: Cell<bool> = const { Cell::new(false) };
}

fn is_asked(scenario: &str) -> bool {
    std::env::var("CSPROC_TEST_SCENARIO").is_ok_and(|played| played == scenario)
}

#[csproc::setup(order = 1)]
fn last() {
    RAN.lock().unwrap().push("last");
}

#[csproc::setup]
fn second() {
    RAN.lock().unwrap().push("second");
    if is_asked("a set-up panics") {
        panic!("there is no ground");
    }
}

#[csproc::setup]
fn third() -> Result<(), std::num::ParseIntError> {
    RAN.lock().unwrap().push("third");
    if is_asked("a set-up returns an error") {
        "ground".parse::<u8>()?;
    }
    ON_THIS_THREAD.set(true);
    Ok(())
}

mod before {
    #[csproc::setup(order = -1)]
    fn first() {
        super::RAN.lock().unwrap().push("first");
        if super::is_asked("a set-up sets a panic hook") {
            std::panic::set_hook(Box::new(|panic| println!("heard: {panic}")));
        }
    }
}

const ORDER: [&str; 4] = ["first", "second", "third", "last"];

#[process]
fn ran() -> Vec<String> {
    RAN.lock().unwrap().iter().map(|name| (*name).to_owned()).collect()
}

#[process]
fn parent() -> csproc::Result<(Vec<String>, Vec<String>)> {
    let child = ran().run()?;
    Ok((RAN.lock().unwrap().iter().map(|name| (*name).to_owned()).collect(), child))
}

#[process]
fn falls_twice(starts: Writer<Vec<String>>, turn: Reader<u8>) -> csproc::Result<()> {
    starts.write(RAN.lock().unwrap().iter().map(|name| (*name).to_owned()).collect())?;
    if turn.read()? < 2 {
        std::process::abort();
    }
    Ok(())
}

#[process]
fn panics() {
    panic!("the function panics");
}

#[process]
fn shares_its_thread() -> bool {
    ON_THIS_THREAD.get()
}

#[process]
fn holds(_output: Writer<u8>) {
    panic!("the function was run");
}

/// What a process that was to panic is said to have died of, and what its peer is told.
fn fails() {
    println!("died: {}", panics().run().unwrap_err());
    if !is_asked("a set-up sets a panic hook") {
        let c = Channel::<u8>::new();
        let failed = Spawn!(holds(c.writer())).unwrap();
        println!("peer: {}", c.reader().read().unwrap_err());
        failed.join().unwrap_err();
    }
}

fn played(scenario: &str) -> Remains {
    let remains = output(command(scenario).0);
    assert!(remains.status.success(), "{remains:?}");
    remains
}

once! {
    fn all_have_run_in_the_order_that_is_documented() {
        assert_eq!(ran().run().unwrap(), ORDER);
    }

    fn each_process_runs_them_once_whoever_starts_it() {
        let (own, child) = parent().run().unwrap().unwrap();
        assert_eq!((&own[..], &child[..]), (&ORDER.map(String::from)[..], &ORDER.map(String::from)[..]));
    }

    fn a_set_up_and_its_process_share_a_thread() {
        assert!(shares_its_thread().run().unwrap());
    }

    fn neither_main_nor_a_thread_runs_them() {
        assert_eq!(ran().on(Placement::Thread).run().unwrap(), [""; 0]);
        assert_eq!(*RAN.lock().unwrap(), [""; 0]);
    }

    fn a_process_that_is_started_again_runs_them_again() {
        let (starts, turns) = (Channel::new(), Channel::new());
        let again = OnCrash::Restart { max: 5, within: Duration::from_secs(60) };
        let child = Spawn!(falls_twice(starts.writer(), turns.reader()).on_crash(again)).unwrap();
        let (seen, turn) = (starts.reader(), turns.writer());
        for number in 0..3 {
            assert_eq!(seen.read().unwrap(), ORDER);
            turn.write(number).unwrap();
        }
        child.join().unwrap().unwrap();
    }

    fn a_panic_in_one_is_the_crash_of_the_process_with_its_place() {
        let remains = played("a set-up panics");
        assert!(remains.stdout.contains("process `panics` panicked at tests/process/setup.rs:"), "{remains:?}");
        assert_eq!(remains.stdout.matches("there is no ground").count(), 2, "{remains:?}");
        assert!(remains.stdout.contains("peer: ") && remains.stdout.contains("process `holds`"), "{remains:?}");
    }

    fn an_error_of_one_is_the_crash_of_the_process_with_its_name() {
        let remains = played("a set-up returns an error");
        let told = "failed in its set-up at tests/process/setup.rs:";
        assert_eq!(remains.stdout.matches(told).count(), 2, "{remains:?}");
        assert!(remains.stdout.contains("`third`: invalid digit found in string"), "{remains:?}");
    }

    fn a_panic_hook_of_one_is_used_and_the_place_is_known_all_the_same() {
        let remains = played("a set-up sets a panic hook");
        assert!(remains.stdout.contains("heard: panicked at tests/process/setup.rs:"), "{remains:?}");
        assert!(remains.stdout.contains("died: process `panics` panicked at tests/process/setup.rs:"), "{remains:?}");
        assert!(!remains.stderr.contains("the function panics"), "{remains:?}");
    }
}
