//! A forked process beside this one: where peers run that are not made of csproc.
//!
//! Knows nothing of what they do.

/// Runs `child` in a forked process while `parent` runs here; this program has one thread at that moment.
pub(crate) fn beside(child: impl FnOnce(), parent: impl FnOnce() -> f64) -> f64 {
    // SAFETY: the benchmark starts no threads of its own before, and the child only runs `child` and exits.
    match unsafe { libc::fork() } {
        0 => {
            child();
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(0) }
        }
        pid => {
            let time = parent();
            // SAFETY: waits for the child forked above.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
            time
        }
    }
}
