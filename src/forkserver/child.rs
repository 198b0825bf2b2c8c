//! The first steps of a new process, from the fork to the member's function and to the exit.
//!
//! Knows nothing of arguments and results: the member's entry point does all that, on a thread named after the process.
#![expect(
    unsafe_code,
    reason = "turns the address of a function of this image back into it; listed in the architecture page"
)]

use super::environment::Launch;
use super::obituary::{note_failed_start, read_record};
use crate::engine::live::{Member, MemberName, Phase, tables};
use crate::sys::fork::exit_now;
use crate::sys::signal::{Mask, as_a_rust_program, restore};
use std::sync::atomic::Ordering;

/// The entry point of a member: runs its function, and says whether it returned.
pub(crate) type Entry = fn(MemberName) -> bool;

/// Room for the user's recursion: what the main thread of a program has on most systems.
const STACK: usize = 8 << 20;

/// What a panic leaves as the exit code of a Rust program.
const PANICKED: i32 = 101;

pub(super) fn run(name: MemberName, mask: &Mask) -> ! {
    as_a_rust_program();
    restore(mask);
    let Some(member) = tables().member(name) else { exit_now(0) };
    member.pid.store(std::process::id(), Ordering::Release);
    let launch = read_record::<Launch>(member.launch.load(Ordering::Acquire)).unwrap_or_default();
    if let Err(error) = launch.apply() {
        fail(member, &error);
    }
    let Some(entry) = entry_of(member) else { exit_now(0) };
    member.enter(Phase::Running);
    let thread = std::thread::Builder::new().name(launch.name).stack_size(STACK).spawn(move || entry(name));
    match thread {
        Err(error) => fail(member, &error),
        // `exit` and not `_exit`: standard output is flushed, exit handlers run.
        Ok(thread) => std::process::exit(if thread.join().unwrap_or(false) { 0 } else { PANICKED }),
    }
}

fn fail(member: &Member, error: &std::io::Error) -> ! {
    note_failed_start(member, error.raw_os_error().unwrap_or(libc::EINVAL));
    member.enter(Phase::Failed);
    exit_now(0)
}

/// The entry point that a member's slot names.
pub(crate) fn entry_of(member: &Member) -> Option<Entry> {
    let address = member.entry.load(Ordering::Acquire);
    // SAFETY: the address was taken from a function of this type, in a process of the same image at the same place; zero,
    // the only other value a slot can hold, is `None`.
    unsafe { std::mem::transmute::<usize, Option<Entry>>(address as usize) }
}
