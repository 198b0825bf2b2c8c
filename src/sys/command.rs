//! A command of the system that dies with the thread that started it.
//!
//! Knows nothing of what the command does, nor of what it reads and writes.
#![expect(unsafe_code, reason = "runs code between fork and exec; listed in the architecture page")]

use super::fork::{die_with_parent, exit_now};
use rustix::process::getpid;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Whatever is started by this command is killed by the kernel when the thread ends that started it, and is not started
/// if the process of that thread has ended meanwhile.
///
/// The kernel forgets this when the command changes its user or gains capabilities by what is executed.
pub(crate) fn die_with_starter(command: &mut Command) {
    let starter = getpid();
    let tie = move || {
        if !die_with_parent(starter) {
            // Nobody is left to be told: the standard library would abort over that, and say so.
            exit_now(1);
        }
        Ok(())
    };
    // SAFETY: the closure makes two or three system calls. It allocates nothing and takes no lock, so it may run in the
    // copy that a fork makes of one of several threads.
    unsafe { command.pre_exec(tie) };
}
