//! Signal masks and dispositions of the process server and of its children.
//!
//! Knows nothing of what the signals mean to a network.
#![expect(unsafe_code, reason = "signal dispositions have no safe wrapper; listed in the architecture page")]

use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};

/// The signal mask a process had before [`Watch::children`] changed it.
#[derive(Clone, Copy)]
pub(crate) struct Mask(libc::sigset_t);

/// A descriptor that becomes readable when a child changes state.
pub(crate) struct Watch {
    descriptor: OwnedFd,
}

impl Watch {
    /// Blocks every signal and opens a descriptor for `SIGCHLD`; gives back the mask to restore in children.
    ///
    /// Blocking also keeps out what a terminal or a service manager sends to a whole process group: the server ends with its root.
    /// A mask is restored by one call, and a blocked signal that waits for the server does not wait for its children.
    pub(crate) fn children() -> Result<(Watch, Mask), Errno> {
        let set = only(libc::SIGCHLD);
        let mut all = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `sigfillset` initialises the set it is given.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
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
        Ok((Watch { descriptor }, Mask(before)))
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

/// Restores a mask kept by [`Watch::children`].
pub(crate) fn restore(mask: &Mask) {
    // SAFETY: the mask came from the kernel; the previous one is not wanted.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask.0, std::ptr::null_mut()) };
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

fn disposition(signal: i32, action: libc::sighandler_t) {
    // SAFETY: a valid signal number, and a disposition that is no handler.
    unsafe { libc::signal(signal, action) };
}
