//! What a process notes and says when it dies of itself: of its stack's end, or of `abort` while it panics.
//!
//! Knows nothing of members: what a note is, the caller says. Processes are forked before
//! the standard library's runtime starts, so its own handler of stack overflows is not there.
#![expect(unsafe_code, reason = "signal handlers and the bounds of a thread's stack; listed in the architecture page")]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What a process dies of, as it sees it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dying {
    /// Its stack has no room left.
    OfOverflow,
    /// It aborts while it panics.
    OfPanic,
}

type Note = Box<dyn Fn(Dying) + Send + Sync>;

struct Watched {
    note: Note,
    guard: Range<usize>,
    text: String,
}

static WATCHED: OnceLock<Watched> = OnceLock::new();

/// Where the handlers run when the stack has no room left, and how many bytes that has. Its pages are made when they
/// are used, so one that was made before a fork costs nothing after it.
static OTHER_STACK: OnceLock<(AtomicPtr<u8>, usize)> = OnceLock::new();

/// Puts the handlers in place, for this process and those forked from it, where the program has none.
pub(crate) fn listen() {
    other_stack();
    super::signal::handle_on_other_stack(libc::SIGSEGV, fault);
    super::signal::handle_on_other_stack(libc::SIGBUS, fault);
    super::signal::handle_on_other_stack(libc::SIGABRT, abort);
}

/// From now on, an overflow of the calling thread's stack prints the text, and is noted. Once in a process. `note` is
/// called in a signal handler.
pub(crate) fn watch_over(note: impl Fn(Dying) + Send + Sync + 'static, text: String) {
    let Some(guard) = guard_of_this_thread() else { return };
    give_another_stack();
    let _ = WATCHED.set(Watched { note: Box::new(note), guard, text });
}

/// Has the C library find now what [`watch_over`] calls, for this process and those forked from it.
pub(crate) fn rehearse() {
    guard_of_this_thread();
}

fn other_stack() -> &'static (AtomicPtr<u8>, usize) {
    OTHER_STACK.get_or_init(|| {
        // SAFETY: reads the auxiliary vector; no preconditions.
        let least = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) };
        let size = usize::try_from(least).unwrap_or(0) + 4 * libc::SIGSTKSZ;
        (AtomicPtr::new(Vec::<u8>::leak(Vec::with_capacity(size)).as_mut_ptr()), size)
    })
}

/// A thread without room on its stack needs another one for the handler.
fn give_another_stack() {
    let (memory, size) = other_stack();
    let stack = libc::stack_t { ss_sp: memory.load(Ordering::Relaxed).cast(), ss_flags: 0, ss_size: *size };
    // SAFETY: the memory has that size and is never freed, and no other thread of this process is given it.
    unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) };
}

/// Where nothing may be touched, below the stack of the calling thread.
fn guard_of_this_thread() -> Option<Range<usize>> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: no preconditions.
    let this = unsafe { libc::pthread_self() };
    // SAFETY: the thread exists, for it is this one; the call initialises the attributes when it succeeds.
    if unsafe { libc::pthread_getattr_np(this, attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut bottom, mut size, mut guard) = (std::ptr::null_mut(), 0, 0);
    // SAFETY: initialised by the call above.
    let stack = unsafe { libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut bottom, &raw mut size) };
    // SAFETY: as above.
    let guarded = unsafe { libc::pthread_attr_getguardsize(attributes.as_ptr(), &raw mut guard) };
    // SAFETY: as above; they are not used any more.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    let bottom = bottom.addr();
    // C libraries differ in whether the guard is part of the stack.
    (stack == 0 && guarded == 0 && guard != 0).then(|| bottom.saturating_sub(guard)..bottom + guard)
}

extern "C" fn fault(signal: i32, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel passes the information about the signal to a handler that asked for it.
    let info = unsafe { &*info };
    let was_sent = info.si_code <= 0;
    // SAFETY: both signals bring an address; of one that was sent, it is not looked at.
    let address = unsafe { info.si_addr() }.addr();
    super::signal::reset(signal);
    let Some(watched) = WATCHED.get().filter(|watched| !was_sent && watched.guard.contains(&address)) else {
        if was_sent {
            // SAFETY: `raise` may be called in a signal handler; the signal is delivered when the handler returns.
            unsafe { libc::raise(signal) };
        }
        // Otherwise the instruction runs again, and the process dies of the signal.
        return;
    };
    (watched.note)(Dying::OfOverflow);
    // SAFETY: the text lives as long as the process; `write` may be called in a signal handler, unlike the standard
    // library's locks.
    unsafe { libc::write(2, watched.text.as_ptr().cast(), watched.text.len()) };
    // As the standard library's own handler does.
    std::process::abort()
}

/// Comes back; the C library's `abort` then ends the process.
extern "C" fn abort(signal: i32, _: *mut libc::siginfo_t, _: *mut c_void) {
    if let Some(watched) = WATCHED.get()
        && std::thread::panicking()
    {
        (watched.note)(Dying::OfPanic);
    }
    super::signal::reset(signal);
    // SAFETY: `raise` may be called in a signal handler; the signal is delivered when the handler returns.
    unsafe { libc::raise(signal) };
}
