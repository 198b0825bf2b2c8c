//! Forking, reaping, and dying with the parent.
//!
//! Knows nothing of what a child does. `fork` is called only where one thread exists (before `main`, and in the
//! process server), so the child may allocate and lock like any other program.
#![expect(unsafe_code, reason = "fork and waitid are unsafe by nature; listed in the architecture page")]

use rustix::io::Errno;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// Which side of a fork the caller is on.
#[derive(Debug)]
pub(crate) enum Forked {
    Parent(Pid),
    Child,
}

/// Duplicates this process.
///
/// # Safety
/// The process must be single-threaded: in the child only the calling thread exists, and a lock held by
/// another thread would never be released.
pub(crate) unsafe fn fork() -> Result<Forked, Errno> {
    // SAFETY: single-threaded by this function's contract.
    match unsafe { libc::fork() } {
        -1 => Err(last_error()),
        0 => Ok(Forked::Child),
        pid => Pid::from_raw(pid).map(Forked::Parent).ok_or(Errno::CHILD),
    }
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::AGAIN)
}

/// Arranges that the kernel kills this process when its parent dies.
///
/// The signal follows the *thread* that forked, so this is only for children of the main thread, of the single-threaded
/// server, and of a thread that stays until its child has ended. Returns `false` when the parent was already gone.
pub(crate) fn die_with_parent(parent: Pid) -> bool {
    set_parent_process_death_signal(Some(Signal::KILL)).is_ok() && getppid() == Some(parent)
}

/// Arranges that the kernel lets this process go on, should it be stopped, and sends it `SIGCONT` when its parent dies.
///
/// As [`die_with_parent`] otherwise.
pub(crate) fn hear_of_the_parents_death(parent: Pid) -> bool {
    set_parent_process_death_signal(Some(Signal::CONT)).is_ok() && getppid() == Some(parent)
}

/// Kills a child that has not been collected yet; the number of any other process does no harm. May be called in a
/// signal handler.
pub(crate) fn kill_child(pid: Pid) {
    use rustix::process::{WaitId, WaitIdOptions, kill_process, waitid};
    // Nobody else collects it, so the number stays the child's until the next line.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    if waitid(WaitId::Pid(pid), options).is_ok() {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Whether this process has exactly one thread.
pub(crate) fn is_single_threaded() -> bool {
    // The link count of a task directory is two plus the number of threads: one `stat`, no allocation.
    match rustix::fs::stat(c"/proc/self/task") {
        Ok(status) => status.st_nlink <= 3,
        // Without /proc there is no cheap answer; before `main` nearly every program has one thread.
        Err(_) => true,
    }
}

/// Whether a process has ended, reaped or not. A process that cannot be asked counts as alive.
pub(crate) fn is_dead(pid: u32) -> bool {
    let Some(pid) = Pid::from_raw(pid.cast_signed()) else { return false };
    match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        Ok(process) => {
            let mut ended = [rustix::event::PollFd::new(&process, rustix::event::PollFlags::IN)];
            matches!(rustix::event::poll(&mut ended, Some(&rustix::time::Timespec::default())), Ok(1))
        }
        Err(error) => error == Errno::SRCH,
    }
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Exited(i32),
    Killed(i32),
}

/// Collects one child that has ended, without waiting.
pub(crate) fn reap() -> Option<(Pid, Ended)> {
    loop {
        return match rustix::process::wait(rustix::process::WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => {
                let ended = match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => Ended::Exited(code),
                    (None, Some(signal)) => Ended::Killed(signal),
                    (None, None) => continue,
                };
                Some((pid, ended))
            }
            Err(Errno::INTR) => continue,
            Ok(None) | Err(_) => None,
        };
    }
}

/// Ends this process at once, without running exit handlers.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions and does not return.
    unsafe { libc::_exit(code) }
}

/// Calls `handler` in the child of every `fork` of this process.
pub(crate) fn after_fork_in_child(handler: extern "C" fn()) {
    // SAFETY: the handler is a function of this image that lives for ever, as `pthread_atfork` asks. The only
    // failure is lack of memory at start; then the check it serves is missing, nothing else.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(as_atfork(handler))) };
}

fn as_atfork(handler: extern "C" fn()) -> unsafe extern "C" fn() {
    handler
}
