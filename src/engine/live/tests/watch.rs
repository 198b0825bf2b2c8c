//! Every test ends: one that hangs is aborted with its name. Most tests have a world of their own. One that
//! starts processes, or looks whether all threads of this one wait, runs while no other does.
//!
//! Knows nothing of what is tested.

use super::super::Tables;
use super::super::audit::Census;
use crate::engine::{host, tables, within};
use parking_lot::RwLock;
use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Tests that have a world of their own read; one that must be the only one writes.
static GATE: RwLock<()> = RwLock::new(());

/// Whether the long versions were asked for.
fn is_long() -> bool {
    std::env::var_os("CSPROC_LONG").is_some_and(|value| value == "1")
}

/// Runs a test while no other test of the engine runs.
///
/// It runs on a thread of its own, so that its context is given back before the next test begins; a thread that a scope
/// has joined by itself may still be about to give its context back.
pub(super) fn alone(test: &str, body: impl FnOnce() + Send) {
    let _gate = GATE.write();
    let own = host().unwrap();
    guarded(test, tables(), || {
        until(|| {
            let mut hosts = tables().contexts.taken().map(|(_, _, context)| context.host.load(Ordering::Acquire));
            hosts.all(|host| host.is_some_and(|host| host != own))
        });
        if let Err(panic) = std::thread::scope(|scope| scope.spawn(body).join()) {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Runs a test in a world of its own, beside others of that kind. Nothing may be left in it.
pub(super) fn apart(test: &str, body: impl FnOnce() + Send) {
    let _gate = GATE.read();
    let world = Tables::apart(256 << 20);
    guarded(test, world, || {
        if let Err(panic) = std::thread::scope(|scope| scope.spawn(within(world, body)).join()) {
            std::panic::resume_unwind(panic);
        }
        // A thread that a scope has joined by itself may still be about to give its context back.
        until(|| world.census().contexts == 0);
        let Census { channels, ends, blocks, active, .. } = world.census();
        assert_eq!((channels, ends, blocks, active), (0, 0, 0, 0), "channels, ends, blocks, active contexts");
        assert_eq!(world.faults(), Vec::<String>::new());
    });
}

pub(super) fn guarded(test: &str, world: Tables, body: impl FnOnce()) {
    let patience = Duration::from_secs(if is_long() { 900 } else { 60 });
    let (over, watch) = channel::<()>();
    let name = String::from(test);
    let dog = std::thread::spawn(move || {
        // Not `stand_aside`: tests count contexts.
        crate::sys::threads::does_not_count();
        if watch.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            // Not `eprintln!`, which the test harness would swallow.
            let picture = super::audit::picture(world);
            let _ = writeln!(std::io::stderr(), "\nwatchdog: `{name}` has not ended within {patience:?}\n{picture}");
            std::process::abort();
        }
    });
    body();
    drop(over);
    dog.join().unwrap();
}

/// Waits until something has come about; what never comes about is the watchdog's.
pub(super) fn until(mut come_about: impl FnMut() -> bool) {
    while !come_about() {
        std::thread::yield_now();
    }
}

/// As [`until`], for what has a value.
pub(super) fn found<T>(mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        match look() {
            Some(value) => return value,
            None => std::thread::yield_now(),
        }
    }
}
