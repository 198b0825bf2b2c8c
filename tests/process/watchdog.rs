//! Every test ends, and leaves nothing behind: a test that hangs is aborted with its name, and when nobody else runs,
//! neither a process nor a zombie nor a descriptor may be left.
//!
//! Knows nothing of what is tested. Tests run beside each other, except those that count something of the whole
//! program: they run alone.

use csproc::prelude::*;
use parking_lot::RwLock;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs;
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
        let before = descriptors();
        body();
        assert_eq!(processes_left(), Vec::<String>::new(), "processes are left");
        assert_eq!(descriptors(), before, "descriptors have changed");
    });
}

#[process]
fn nothing() {}

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

/// A process of the operating system, as `/proc/PID/stat` shows it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) state: char,
    pub(crate) parent: u32,
    /// Processor time used so far, in clock ticks.
    pub(crate) ticks: u64,
}

/// Reads a `stat` file of a process or of a thread.
pub(crate) fn seen(stat: &str) -> Option<Seen> {
    let text = fs::read_to_string(stat).ok()?;
    let (head, tail) = (text.get(..text.rfind(')')?)?, text.get(text.rfind(')')? + 2..)?);
    let (pid, name) = head.split_once(" (")?;
    let fields: Vec<&str> = tail.split_ascii_whitespace().collect();
    Some(Seen {
        pid: pid.parse().ok()?,
        name: String::from(name),
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        ticks: fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?,
    })
}

/// All processes of the system.
pub(crate) fn everybody() -> Vec<Seen> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|entry| seen(&entry.path().join("stat").to_string_lossy()))
        .collect()
}

/// The process server of this program.
pub(crate) fn server() -> Option<Seen> {
    everybody().into_iter().find(|process| process.parent == std::process::id() && process.name == "csproc-server")
}

/// The processes that the server has started for this program, zombies included.
pub(crate) fn children() -> Vec<Seen> {
    let server = server().map(|server| server.pid);
    everybody().into_iter().filter(|process| Some(process.parent) == server).collect()
}

/// Descendants of this program that should not exist when nothing runs.
fn processes_left() -> Vec<String> {
    let own = std::process::id();
    let server = server().map(|server| server.pid);
    everybody()
        .into_iter()
        .filter(|process| Some(process.pid) != server && (process.parent == own || Some(process.parent) == server))
        .map(|process| format!("{} {} ({})", process.pid, process.name, process.state))
        .collect()
}

/// Open descriptors, and what each refers to.
pub(crate) fn descriptors() -> BTreeMap<u32, String> {
    descriptors_of("self")
}

/// The open descriptors of a process.
pub(crate) fn descriptors_of(process: &str) -> BTreeMap<u32, String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else { return BTreeMap::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_string_lossy().parse().ok()?;
            let target = fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned();
            Some((number, target))
        })
        // The directory that is being read.
        .filter(|(_, target)| !(target.starts_with("/proc/") && target.ends_with("/fd")))
        .collect()
}

/// The state of every process and thread below this one, for the message of a test that hangs.
fn picture() -> String {
    let own = std::process::id();
    let everybody = everybody();
    let mut family = vec![own];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(everybody.iter().filter(|process| process.parent == parent).map(|process| process.pid));
        next += 1;
    }
    let mut text = String::new();
    for pid in family {
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for task in tasks.flatten() {
            let path = task.path();
            let read = |file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
            if let Some(seen) = seen(&path.join("stat").to_string_lossy()) {
                text += &format!("  {pid}/{} {} {} {}\n", seen.pid, seen.name, seen.state, read("syscall").trim());
            }
        }
    }
    text
}

/// Where a process is, so that others can look whether it sleeps.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Place {
    pub(crate) pid: u32,
    pub(crate) thread: u32,
}

impl Place {
    pub(crate) fn here() -> Place {
        let thread = rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
        Place { pid: std::process::id(), thread }
    }

    /// Tells `to` where the caller is, without ever going to sleep: if the caller is seen asleep afterwards, then in
    /// its next operation.
    pub(crate) fn announce(to: &Writer<Place>) {
        while let Err(error) = to.try_write(Place::here()) {
            assert!(error.fate.is_would_block(), "{error:?}");
            std::thread::yield_now();
        }
    }

    /// Comes back once the announced thread sleeps in its next operation.
    pub(crate) fn until_asleep(self) {
        let stat = format!("/proc/{}/task/{}/stat", self.pid, self.thread);
        while seen(&stat).expect("the thread to be watched is alive").state != 'S' {
            std::thread::yield_now();
        }
    }
}

/// Stops a process, and comes back once it has stopped.
pub(crate) fn stop(pid: u32) {
    send(pid, Signal::STOP);
    until_stopped(pid);
}

/// Comes back once every thread of a process has stopped: the signal is for one of them, and that one stops the others
/// when it gets a processor.
pub(crate) fn until_stopped(pid: u32) {
    let has_stopped = |task: fs::DirEntry| {
        seen(&task.path().join("stat").to_string_lossy()).is_none_or(|thread| matches!(thread.state, 'T' | 'Z'))
    };
    let tasks = || fs::read_dir(format!("/proc/{pid}/task")).expect("the process to be watched is alive");
    while !tasks().flatten().all(has_stopped) {
        std::thread::yield_now();
    }
}

/// Lets a process go on that has stopped.
pub(crate) fn go_on(pid: u32) {
    send(pid, Signal::CONT);
}

fn send(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
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
                crate::watchdog::$watched(name, || body(csproc::Placement::Process));
            }

            #[test]
            fn over_threads() {
                let name = concat!(module_path!(), "::over_threads");
                crate::watchdog::$watched(name, || body(csproc::Placement::Thread));
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
            crate::watchdog::watched(concat!(module_path!(), "::", stringify!($name)), || $body);
        }
    )*};
}

/// Makes of `fn name() { … }` a test with a watchdog that runs while no other does.
macro_rules! alone {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        #[test]
        $(#[$attribute])*
        fn $name() {
            crate::watchdog::watched_alone(concat!(module_path!(), "::", stringify!($name)), || $body);
        }
    )*};
}
