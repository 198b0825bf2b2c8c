//! Every test ends, and leaves nothing behind: a test that hangs is aborted with its name, and when nobody else runs,
//! neither a process nor a zombie nor a descriptor may be left.
//!
//! Knows nothing of what is tested. Tests run beside each other, except those that count something of the whole
//! program: they run alone.

use super::cast::nothing;
use super::system::{descriptors_between_looks, picture, processes_left};
use csproc::prelude::*;
use parking_lot::RwLock;
use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

/// Held shared by tests that run beside others, exclusively by those that run alone.
static GATE: RwLock<()> = RwLock::new(());

/// How long a test may take; the long versions of some take an hour.
fn patience() -> Duration {
    Duration::from_secs(if std::env::var_os("CSPROC_LONG").is_some() { 7200 } else { 60 })
}

/// Runs a test beside others; if it is the last one at work, checks that no process is left.
pub(crate) fn watched(test: &str, body: impl FnOnce()) {
    {
        let _beside_others = GATE.read();
        guarded(test, body);
    }
    if let Some(_nobody_else) = GATE.try_write() {
        assert_eq!(processes_left(), Vec::<String>::new(), "after `{test}` processes are left");
    }
}

/// Runs a test while no other runs; checks that neither a process nor a descriptor nor a thread is left.
pub(crate) fn watched_alone(test: &str, body: impl FnOnce()) {
    let _nobody_else = GATE.write();
    guarded(test, || {
        // What the library opens once and keeps is no leak.
        Parallel!(nothing(), nothing().on(Placement::Thread)).unwrap();
        let before = descriptors_between_looks();
        body();
        assert_eq!(processes_left(), Vec::<String>::new(), "processes are left");
        assert_eq!(descriptors_between_looks(), before, "descriptors have changed");
    });
}

/// Aborts the program when `body` takes too long; checks that everything in shared memory fits together afterwards.
pub(crate) fn guarded(test: &str, body: impl FnOnce()) {
    let (over, watch) = mpsc::channel::<()>();
    let (name, patience) = (String::from(test), patience());
    let dog = std::thread::Builder::new().name(String::from("watchdog")).spawn(move || {
        csproc::stand_aside();
        if watch.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Not `eprintln!`, which the test harness would swallow.
            let _ = writeln!(
                std::io::stderr(),
                "\nwatchdog: the test `{name}` has not ended within {patience:?}; what is running:\n{}",
                picture()
            );
            std::process::abort();
        }
    });
    body();
    let audit = csproc::audit();
    assert!(audit.is_clean(), "after `{test}`: {audit}");
    drop(over);
    dog.unwrap().join().unwrap();
}
/// Makes of `fn name(placement) { … }` a module with two tests: over processes, and over threads. After `alone:` they
/// run while no other does: where other tests could still act, nobody is sure of a deadlock.
macro_rules! over_both {
    (@by $watched:ident: $($(#[$attribute:meta])* fn $name:ident($placement:ident) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;

            fn body($placement: csproc::Placement) $body

            #[test]
            fn over_processes() {
                let name = concat!(module_path!(), "::over_processes");
                crate::harness::watchdog::$watched(name, || body(csproc::Placement::Process));
            }

            #[test]
            fn over_threads() {
                let name = concat!(module_path!(), "::over_threads");
                crate::harness::watchdog::$watched(name, || body(csproc::Placement::Thread));
            }
        }
    )*};
    (alone: $($tests:tt)*) => { over_both! { @by watched_alone: $($tests)* } };
    ($($tests:tt)*) => { over_both! { @by watched: $($tests)* } };
}

/// Makes of `fn name() { … }` a test with a watchdog.
macro_rules! once {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        #[test]
        $(#[$attribute])*
        fn $name() {
            crate::harness::watchdog::watched(concat!(module_path!(), "::", stringify!($name)), || $body);
        }
    )*};
}

/// Makes of `fn name() { … }` a test with a watchdog that runs while no other does.
macro_rules! alone {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        #[test]
        $(#[$attribute])*
        fn $name() {
            crate::harness::watchdog::watched_alone(concat!(module_path!(), "::", stringify!($name)), || $body);
        }
    )*};
}
