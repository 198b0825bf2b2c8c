//! The thread that looks after a program while it runs processes: it finds deadlocks, and prints the state when `SIGQUIT` asks for it.
//!
//! Knows nothing of what a deadlock is or what is printed. It sleeps for ever while there are no processes.

use super::audit::picture;
use super::deadlock::Watcher;
use crate::engine::live::{Phase, host, tables};
use crate::sys::signal::{answer_quit, quit_was_asked};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Rung when processes are started, and by the signal.
static BELL: OnceLock<Option<OwnedFd>> = OnceLock::new();

/// Processes are about to be started: from now on somebody looks after them. Only the program itself does; it sees everybody.
pub(super) fn look_after_processes() {
    let Some(own) = host().ok().and_then(|host| tables().members.get(host)) else { return };
    if own.parent.load(Ordering::Acquire) != u32::MAX {
        return;
    }
    if let Some(bell) = BELL.get_or_init(begin) {
        // A failure would mean that the bell rings already.
        let _ = rustix::io::write(bell, &1_u64.to_ne_bytes());
    }
}

/// Without the thread, deadlocks are not found; everything else works.
fn begin() -> Option<OwnedFd> {
    let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?;
    let copy = rustix::io::fcntl_dupfd_cloexec(&bell, 0).ok()?;
    let thread = std::thread::Builder::new().name(String::from("csproc-deadlock")).stack_size(512 << 10);
    thread.spawn(move || look_for_ever(&copy)).ok()?;
    answer_quit(bell.as_raw_fd());
    Some(bell)
}

fn look_for_ever(bell: &OwnedFd) {
    crate::sys::threads::does_not_count();
    let mut watcher = Watcher::new();
    loop {
        let pause = anybody().then(|| watcher.pause()).and_then(|pause| Timespec::try_from(pause).ok());
        let rung = poll(&mut [PollFd::new(bell, PollFlags::IN)], pause.as_ref()).is_ok_and(|ready| ready > 0);
        if rung {
            let mut count = [0_u8; 8];
            let _ = rustix::io::read(bell, &mut count);
        }
        if quit_was_asked() {
            eprint!("{}", picture());
        }
        // A start rang the bell, not the timeout. Nobody can be stuck yet, and the interval between two looks must not shrink.
        if rung && pause.is_some() {
            std::thread::sleep(watcher.pause().min(Duration::from_millis(5)));
        }
        watcher.look();
    }
}

/// Whether there is any process but the program itself.
fn anybody() -> bool {
    tables()
        .members
        .taken()
        .filter(|(_, _, member)| member.parent.load(Ordering::Acquire) != u32::MAX)
        .any(|(_, _, member)| member.phase() != Phase::Gone)
}
