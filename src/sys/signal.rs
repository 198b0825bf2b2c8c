//! Signal masks and dispositions of the process server and of its children.
//!
//! Knows nothing of what the signals mean to a network.
#![expect(unsafe_code, reason = "signal dispositions have no safe wrapper; listed in the architecture page")]

use rustix::io::Errno;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// What [`Watch::children`] changed, as it was before.
#[derive(Clone, Copy)]
pub(crate) struct Mask {
    blocked: libc::sigset_t,
    /// Whether the deaths of children are ignored, as whoever started the program may have arranged.
    ignores_children: bool,
    on_continue: libc::sighandler_t,
}

/// A descriptor that becomes readable when a child changes state.
pub(crate) struct Watch {
    descriptor: OwnedFd,
}

impl Watch {
    /// Blocks every signal but `SIGCONT`, which calls `continued`, and opens a descriptor for `SIGCHLD`; gives back
    /// what to restore in children.
    ///
    /// Blocking also keeps out what a terminal or a service manager sends to a whole process group: the server ends
    /// with its root. A mask is restored by one call, and a blocked signal that waits for the server does not wait for
    /// its children.
    ///
    /// Where `SIGCHLD` is ignored the kernel neither sends it nor keeps what there is to know of a dead child, so it is
    /// ignored no more.
    pub(crate) fn children(continued: extern "C" fn(i32)) -> Result<(Watch, Mask), Errno> {
        let set = only(libc::SIGCHLD);
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `sigfillset` initialises the set it is given.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: initialised by the line before.
        unsafe { libc::sigdelset(all.as_mut_ptr(), libc::SIGCONT) };
        let mut before = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `all` is initialised; the kernel writes the previous mask into `before`.
        let changed = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr()) };
        if changed != 0 {
            return Err(Errno::from_raw_os_error(changed));
        }
        // SAFETY: `pthread_sigmask` succeeded and has written it.
        let before = unsafe { before.assume_init() };
        // SAFETY: `set` is a valid signal set; -1 asks for a new descriptor.
        let raw = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if raw < 0 {
            return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::MFILE));
        }
        // SAFETY: `signalfd` returned a fresh descriptor that nobody else owns.
        let descriptor = unsafe { OwnedFd::from_raw_fd(raw) };
        let ignores_children = disposition(libc::SIGCHLD, libc::SIG_DFL) == libc::SIG_IGN;
        let on_continue = disposition(libc::SIGCONT, continued as *const () as libc::sighandler_t);
        Ok((Watch { descriptor }, Mask { blocked: before, ignores_children, on_continue }))
    }

    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }

    /// Empties the descriptor. Which children ended is asked of the kernel: signals merge.
    pub(crate) fn acknowledge(&self) {
        let mut buffer = [0_u8; 1024];
        while rustix::io::read(&self.descriptor, &mut buffer).is_ok_and(|read| read == buffer.len()) {}
    }
}

/// Restores what [`Watch::children`] changed.
pub(crate) fn restore(mask: &Mask) {
    if mask.ignores_children {
        disposition(libc::SIGCHLD, libc::SIG_IGN);
    }
    disposition(libc::SIGCONT, mask.on_continue);
    // SAFETY: the mask came from the kernel; the previous one is not wanted.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask.blocked, std::ptr::null_mut()) };
}

fn only(signal: i32) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigemptyset` initialises the set it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialised by the line before.
    let mut set = unsafe { set.assume_init() };
    // SAFETY: the set is initialised and the signal number is valid.
    unsafe { libc::sigaddset(&raw mut set, signal) };
    set
}

/// Makes a write to a closed pipe an error instead of a signal.
pub(crate) fn ignore_broken_pipe() {
    disposition(libc::SIGPIPE, libc::SIG_IGN);
}

/// What a terminal sends to a whole process group is for the program; its processes end with it, or go on with it. The
/// same signal sent by a process ends this one, as it would without a handler. A handler of the user's stays.
///
/// A handler, because programs that the process executes get the default back, unlike with an ignored signal.
pub(crate) fn leave_terminal_signals_to_the_program() {
    for signal in [libc::SIGINT, libc::SIGQUIT] {
        handle_if_default(signal, unless_from_the_terminal);
    }
}

extern "C" fn unless_from_the_terminal(signal: i32, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel passes the information about the signal to a handler that asked for it.
    let by_kernel = unsafe { (*info).si_code } == libc::SI_KERNEL;
    if !by_kernel {
        disposition(signal, libc::SIG_DFL);
        // SAFETY: `raise` may be called in a signal handler; the signal is delivered when the handler returns.
        unsafe { libc::raise(signal) };
    }
}

/// The descriptor that [`quit`] rings, plus one.
static BELL: AtomicI32 = AtomicI32::new(0);
static QUIT: AtomicBool = AtomicBool::new(false);

/// From now on `SIGQUIT` rings this bell, unless the program handles it.
pub(crate) fn answer_quit(bell: RawFd) {
    BELL.store(bell + 1, Ordering::Release);
    handle_if_default(libc::SIGQUIT, quit);
}

/// Whether `SIGQUIT` came since this was asked last.
pub(crate) fn quit_was_asked() -> bool {
    QUIT.swap(false, Ordering::AcqRel)
}

extern "C" fn quit(_: i32, _: *mut libc::siginfo_t, _: *mut c_void) {
    QUIT.store(true, Ordering::Release);
    let one = 1_u64.to_ne_bytes();
    // SAFETY: eight bytes of this function's own; `write` may be called in a signal handler. `errno` stays as it is
    // unless the bell rings already, which it hardly does.
    unsafe { libc::write(BELL.load(Ordering::Acquire) - 1, one.as_ptr().cast(), one.len()) };
}

type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void);

/// Puts a handler in place if there is none, which runs on the thread's alternate stack if the thread has one.
pub(super) fn handle_on_other_stack(signal: i32, handler: Handler) {
    handle_if_default_with(signal, handler, libc::SA_ONSTACK);
}

/// Takes a handler away.
pub(super) fn reset(signal: i32) {
    disposition(signal, libc::SIG_DFL);
}

/// Puts a handler in place if there is none.
fn handle_if_default(signal: i32, handler: Handler) {
    handle_if_default_with(signal, handler, 0);
}

/// Interrupted calls go on.
fn handle_if_default_with(signal: i32, handler: Handler, flags: i32) {
    let Some(mut action) = action_of(signal).filter(|action| action.sa_sigaction == libc::SIG_DFL) else { return };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO | flags;
    // SAFETY: a valid signal number, and an action with a handler that may be called at any time.
    unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
}

/// Whether a function is a handler of this file's, which has its say only where the program does not handle the signal.
pub(super) fn is_ours(handler: usize) -> bool {
    [unless_from_the_terminal as *const () as usize, quit as *const () as usize].contains(&handler)
}

/// What happens when a signal comes.
pub(super) fn action_of(signal: i32) -> Option<libc::sigaction> {
    let mut now = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: the kernel writes the present action, or refuses the number.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr()) };
    // SAFETY: `sigaction` succeeded and has written it.
    (asked == 0).then(|| unsafe { now.assume_init() })
}

/// From now on the system keeps how a child has ended until it is asked for that; where `SIGCHLD` is ignored it does
/// not.
pub(crate) fn keep_what_children_leave() {
    let Some(mut action) = action_of(libc::SIGCHLD) else { return };
    let is_ignored = action.sa_sigaction == libc::SIG_IGN;
    if !is_ignored && action.sa_flags & libc::SA_NOCLDWAIT == 0 {
        return;
    }
    if is_ignored {
        action.sa_sigaction = libc::SIG_DFL;
    }
    action.sa_flags &= !libc::SA_NOCLDWAIT;
    // SAFETY: a valid signal number, and the action that was there, or none.
    unsafe { libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()) };
}

/// Sets a disposition, and gives back the one before.
fn disposition(signal: i32, action: libc::sighandler_t) -> libc::sighandler_t {
    // SAFETY: a valid signal number, and a disposition that is no handler, or one that may interrupt anything.
    unsafe { libc::signal(signal, action) }
}

/// Runs `write`, in which writing to a closed pipe is an error and no signal, whatever the program does with the
/// signal: before `main` it would end the program.
pub(crate) fn without_broken_pipe(write: impl FnOnce()) {
    let pipe = only(libc::SIGPIPE);
    let is_pending = || {
        let mut pending = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the kernel writes the set.
        let asked = unsafe { libc::sigpending(pending.as_mut_ptr()) };
        // SAFETY: `sigpending` succeeded and has written the set.
        asked == 0 && unsafe { libc::sigismember(pending.as_ptr(), libc::SIGPIPE) } == 1
    };
    let was_pending = is_pending();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `pipe` is initialised; the kernel writes the previous mask into `before`.
    if unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const pipe, before.as_mut_ptr()) } != 0 {
        return write();
    }
    write();
    if !was_pending && is_pending() {
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the set and the time are initialised; what is known of the signal is not wanted.
        unsafe { libc::sigtimedwait(&raw const pipe, std::ptr::null_mut(), &raw const now) };
    }
    // SAFETY: `pthread_sigmask` succeeded above and has written the mask.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fork::{Forked, exit_now, fork};
    use rustix::process::{WaitOptions, WaitStatus, waitpid};

    /// How a process ends in which a write to a closed pipe is a signal; it is given such a write.
    fn end_of(child: impl FnOnce(&dyn Fn())) -> WaitStatus {
        // SAFETY: the child takes no lock and allocates nothing.
        let forked = unsafe { fork() }.unwrap();
        let Forked::Parent(pid) = forked else {
            disposition(libc::SIGPIPE, libc::SIG_DFL);
            // Made here: a process that another test forks in the meantime could have the other end.
            let writer = rustix::pipe::pipe().map(|(_closed, writer)| writer);
            let write = |writer| rustix::io::write(writer, b"!");
            child(&|| match writer.as_ref().map(write) {
                Ok(Err(Errno::PIPE)) => (),
                _ => exit_now(2),
            });
            exit_now(1);
        };
        waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap().1
    }

    #[test]
    fn writing_to_a_closed_pipe_is_an_error_only_within_the_work() {
        let ended = end_of(|write| {
            without_broken_pipe(write);
            exit_now(7);
        });
        assert_eq!(ended.exit_status(), Some(7), "{ended:?}");
        let ended = end_of(|write| {
            without_broken_pipe(write);
            write();
        });
        assert_eq!(ended.terminating_signal(), Some(libc::SIGPIPE), "{ended:?}");
    }

    #[test]
    fn a_signal_of_the_programs_own_is_not_taken_for_that_of_a_closed_pipe() {
        let ended = end_of(|write| {
            let pipe = only(libc::SIGPIPE);
            let mask = |how| {
                // SAFETY: the set is initialised; the mask before is not asked for.
                unsafe { libc::pthread_sigmask(how, &raw const pipe, std::ptr::null_mut()) };
            };
            mask(libc::SIG_BLOCK);
            // SAFETY: the signal is blocked, so it waits.
            unsafe { libc::raise(libc::SIGPIPE) };
            without_broken_pipe(write);
            mask(libc::SIG_UNBLOCK);
        });
        assert_eq!(ended.terminating_signal(), Some(libc::SIGPIPE), "{ended:?}");
    }
}
