//! The thread that looks after a program: it finds deadlocks, prints the state when `SIGQUIT` asks for it, and gives
//! the memory of large messages back to the system when no more of them come.
//!
//! Knows nothing of what a deadlock is or what is printed. It begins with the first process, or when a thread of the
//! program has slept in this library for a while; it sleeps for ever while there are no processes and nobody sleeps.
#![expect(unsafe_code, reason = "an ELF constructor; listed in the architecture page")]

use super::audit::picture;
use super::awaited;
use super::deadlock::Watcher;
use super::exit::speak_at_exit;
use super::untold;
use crate::engine::{Member, Phase, Program, Warmth, host};
use crate::sys::lasting::{is_seen, tell_by};
use crate::sys::signal::{answer_quit, quit_was_asked};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Rung when processes are started, when a thread of the program sleeps, and by the signal.
static BELL: OnceLock<Option<OwnedFd>> = OnceLock::new();

#[cfg(all(target_os = "linux", not(miri)))]
#[used]
// SAFETY: the section holds pointers to functions that the C runtime calls before `main`; this is one.
#[unsafe(link_section = ".init_array.00102")]
static CONSTRUCTOR: extern "C" fn() = listen;

/// From now on a thread that sleeps for long says so.
extern "C" fn listen() {
    tell_by(look_after_the_program);
}

/// Processes are about to be started, or somebody sleeps: from now on somebody looks after them. Only the program
/// itself does; it sees everybody.
pub(super) fn look_after_the_program() {
    let Some(own) = host().ok().and_then(Member::at) else { return };
    if !own.is_program() {
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
    speak_at_exit();
    Some(bell)
}

fn look_for_ever(bell: &OwnedFd) {
    crate::sys::threads::does_not_count();
    let mut watcher = Watcher::new();
    let mut wait_was_told = false;
    let mut cooling = Cooling { warmth: Warmth::default(), last: Instant::now() };
    loop {
        awaited::review(&mut wait_was_told);
        let untold = untold::review();
        let warm = cooling.review();
        let pause = pause(&watcher).or_else(|| (untold || warm).then_some(untold::PATIENCE));
        let until = pause.and_then(|pause| Timespec::try_from(pause).ok());
        let rung = poll(&mut [PollFd::new(bell, PollFlags::IN)], until.as_ref()).is_ok_and(|ready| ready > 0);
        if rung {
            let mut count = [0_u8; 8];
            let _ = rustix::io::read(bell, &mut count);
            watcher.be_alert();
        }
        if quit_was_asked() {
            crate::sys::standard::say(&picture());
        }
        // Rung by a start: nobody can be stuck yet, and the interval between two looks must not shrink.
        if rung && pause.is_some() {
            std::thread::sleep(watcher.pause().min(Duration::from_millis(5)));
        }
        watcher.look();
    }
}

/// When the memory of large messages was looked at last, and what was there.
struct Cooling {
    warmth: Warmth,
    last: Instant,
}

impl Cooling {
    /// What nobody has used for a second is given back. `true` while there may be some.
    fn review(&mut self) -> bool {
        if self.last.elapsed() < untold::PATIENCE {
            return true;
        }
        self.last = Instant::now();
        Program::cool(&mut self.warmth)
    }
}

/// How long to wait before the next look; `None` is until somebody rings.
fn pause(watcher: &Watcher) -> Option<Duration> {
    if anybody() {
        is_seen(true);
        return Some(watcher.pause());
    }
    // The program alone: soon after something has happened, then less and less often; who falls asleep then rings.
    let calm = Program::anybody_sleeps().then(|| watcher.calm_pause());
    is_seen(calm.is_some_and(|pause| pause == watcher.pause()));
    // Once more, for somebody who has fallen asleep and has been told that somebody looks.
    calm.or_else(|| (anybody() || Program::anybody_sleeps()).then(|| watcher.pause()))
}

/// Whether there is any process but the program itself.
fn anybody() -> bool {
    Member::all().any(|(_, member)| member.is_process() && member.phase() != Phase::Gone)
}
