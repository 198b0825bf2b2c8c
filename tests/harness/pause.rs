//! A process stands still for as long as a test wants, and the test knows that it does.
//!
//! Knows nothing of what the process was about.

use super::system::seen;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;

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
