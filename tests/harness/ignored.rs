//! Signals that these tests were started to ignore: a shell lets a program that it starts beside itself ignore those of
//! its terminal, and `nohup` that of a closed one.
//!
//! Knows nothing of what the signals are for. What is executed ignores them, too, unless it is executed by `env`. With
//! handlers here it would not, but a program that has handlers is not told of deadlocks.

use std::process::Command;

/// Whether a process ignores a signal.
pub(crate) fn ignores(process: &str, signal: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() >> (signal - 1) & 1 == 1
}

/// This program, to be executed as if somebody did so at a terminal.
pub(crate) fn this_program() -> Command {
    let own = std::env::current_exe().unwrap();
    if ![libc::SIGHUP, libc::SIGINT, libc::SIGQUIT].iter().any(|signal| ignores("self", *signal)) {
        return Command::new(own);
    }
    let mut command = Command::new("env");
    command.arg("--default-signal=HUP,INT,QUIT").arg(own);
    command
}
