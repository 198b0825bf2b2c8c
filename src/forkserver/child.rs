//! The first steps of a new process, from the fork to the member's function and to the exit.
//!
//! Knows nothing of arguments and results: the member's entry point does all that, on a thread named after the process.

use super::code::Code;
use super::environment::Launch;
use crate::cause::{Face, NotStarted, note_dying, note_failed_start, read_record};
use crate::engine::{Member, MemberName, Phase, Record, become_host};
use crate::sys::cpu::{CpuSet, roam, stay};
use crate::sys::fork::{die_with_parent, exit_now};
use crate::sys::image::read_header;
use crate::sys::last_words::{listen, rehearse, watch_over};
use crate::sys::signal::{Mask, restore};
use rustix::process::{Pid, Resource, Rlimit, setrlimit};

/// Room for the user's recursion: what the main thread of a program has on most systems.
pub(crate) const STACK: usize = 8 << 20;

/// What a panic leaves as the exit code of a Rust program.
const PANICKED: i32 = 101;

/// What a child has from the server and gives up.
pub(super) struct Inherited {
    /// The signals that were blocked before the server blocked all.
    pub(super) mask: Mask,
    /// The processors it may use, when the server has confined itself to one.
    pub(super) confined: Option<CpuSet>,
    /// How many files it may open, when the server may open more.
    pub(super) files: Option<Rlimit>,
    /// The process that it dies with.
    pub(super) server: Pid,
}

pub(super) fn run(name: MemberName, inherited: Inherited) -> ! {
    if !die_with_parent(inherited.server) {
        exit_now(0);
    }
    if let Some(files) = inherited.files {
        // What it may do less than the server; a failure leaves it more.
        let _ = setrlimit(Resource::Nofile, files);
    }
    become_host(name.index);
    restore(&inherited.mask);
    let Some(member) = name.slot() else { exit_now(0) };
    member.set_pid(std::process::id());
    let launch = read_record::<Launch>(member, Record::Launch).unwrap_or_default();
    match launch.take_on_credentials() {
        Ok(true) if !die_with_parent(inherited.server) => exit_now(0),
        Ok(_) => {}
        Err(error) => fail(member, &NotStarted::Credentials(error)),
    }
    // With the credentials of its starter: what the starter may not enter, this process does not enter either.
    if let Err(error) = launch.apply() {
        fail(member, &NotStarted::System(error));
    }
    let Ok(code) = Code::told_by(member) else { exit_now(0) };
    member.enter(Phase::Running);
    if let Ok(name) = std::ffi::CString::new(launch.face.name.replace('\0', "")) {
        // Seen in `ps`; the system keeps fifteen bytes. A failure changes nothing.
        let _ = rustix::thread::set_name(&name);
    }
    // The thread starts where its maker is, which then sleeps for ever.
    let processors = inherited.confined.or_else(stay);
    let thread = std::thread::Builder::new()
        .name(launch.face.name.replace('\0', ""))
        .stack_size(launch.face.stack)
        .spawn(move || {
            roam(processors.as_ref());
            watch_over(move |of| note_dying(member, of), overflow_of(&launch.face));
            // `exit` and not `_exit`: standard output is flushed, exit handlers run. Called on this thread because
            // waking the main thread for it would cost a context switch per process.
            let returned = super::set_up::run(name.index, member) && code.run(name);
            #[cfg(feature = "testing")]
            crate::engine::actor(|actor| actor.end_if_driven(Some(name)));
            std::process::exit(if returned { 0 } else { PANICKED })
        });
    roam(processors.as_ref());
    match thread {
        Err(error) => fail(member, &NotStarted::System(error)),
        Ok(thread) => {
            // Ends with the process.
            let _: std::thread::Result<()> = thread.join();
            exit_now(PANICKED)
        }
    }
}

/// Has the server do once what every child does: the C library then finds symbols, a stack and a heap for the thread
/// ready in each copy. Saves a fifth of a spawn (November 2026).
pub(super) fn warm_up() {
    super::panics::hook();
    listen();
    read_header();
    roam(stay().as_ref());
    // Twice: the second thread takes its stack from the C library's cache, as those of the children will.
    for _ in 0..2 {
        // Only a rehearsal: a failure will show in the children.
        if let Ok(thread) = std::thread::Builder::new().name(String::from("csproc")).stack_size(STACK).spawn(rehearse) {
            let _ = thread.join();
        }
    }
}

/// The words of the standard library, and the remedy.
fn overflow_of(face: &Face) -> String {
    let Face { name, stack } = face;
    format!(
        "\nthread '{name}' has overflowed its stack\nfatal runtime error: stack overflow, aborting\ncsproc: the stack \
         of process `{name}` has {stack} bytes; give it a larger one by `.stack(bytes)`\n"
    )
}

fn fail(member: &Member, reason: &NotStarted) -> ! {
    note_failed_start(member, reason);
    member.enter(Phase::Failed);
    exit_now(0)
}
