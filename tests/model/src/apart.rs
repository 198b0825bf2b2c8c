//! A test that searches has a process of its own, so that several search at once.
//!
//! Knows nothing of what is searched. One arena serves all executions of a program, one after the other.

use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Set in a process that runs one test.
const APART: &str = "CSPROC_MODEL_APART";

static TURN: Mutex<()> = Mutex::new(());

/// To be said first by a test that searches: whoever gets the turn goes on. In the program of the tests nobody does,
/// for the test is run by a process of its own meanwhile, and has passed when this comes back.
///
/// # Panics
/// The test has failed there.
pub fn apart() -> Option<MutexGuard<'static, ()>> {
    match thread::current().name() {
        Some(test) if test != "main" && std::env::var_os(APART).is_none() => {
            run(test);
            None
        }
        // Tests that are run one after the other are on the main thread. A search that has failed does not stop the
        // others: an execution begins by wiping everything.
        _ => Some(TURN.lock().unwrap_or_else(PoisonError::into_inner)),
    }
}

fn run(test: &str) {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(APART, "1");
    let output = command.output().expect("this program can be started again");
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    assert!(output.status.success() && said.contains("1 passed"), "in a process of its own, {}: {told}", output.status);
}
