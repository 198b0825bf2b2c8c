//! This process of the operating system, as the live engine knows it: which member it is, and whether it may act at
//! all.
//!
//! Knows nothing of threads.

use super::member::{Phase, Role};
use super::tables::Tables;
use crate::memory::ArenaError;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set in the child of a fork that this library did not make.
static FOREIGN: AtomicBool = AtomicBool::new(false);
/// Set in the process server.
static SERVER: AtomicBool = AtomicBool::new(false);

/// This process was made by a fork: what it knows is its parent's.
pub(crate) fn become_foreign() {
    FOREIGN.store(true, Ordering::Relaxed);
}

/// Whether this process was made by a fork that this library did not make.
pub(crate) fn is_foreign() -> bool {
    FOREIGN.load(Ordering::Relaxed)
}

impl Tables {
    /// The member that is this operating-system process; the root makes its own at the first call.
    #[inline]
    pub(crate) fn host(self) -> Result<u32, ArenaError> {
        match self.host.load(Ordering::Acquire).checked_sub(1) {
            Some(host) => Ok(host),
            None => self.create_host(),
        }
    }

    #[cold]
    fn create_host(self) -> Result<u32, ArenaError> {
        let role = if SERVER.load(Ordering::Relaxed) { Role::Server } else { Role::Program };
        let (name, member) = self.create_root(role)?;
        member.set_pid(std::process::id());
        member.enter(Phase::Running);
        match self.host.compare_exchange(0, name.index + 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Ok(name.index),
            Err(other) => {
                // Nothing can refer to it yet, so giving the slot back is enough.
                self.members.give_back(name.index, name.generation);
                Ok(other - 1)
            }
        }
    }

    /// This process was just forked by the server, with one thread: everything the parent kept is not ours.
    pub(crate) fn become_host(self, member: u32) {
        self.host.store(member + 1, Ordering::Release);
        // The program looks after its processes.
        crate::sys::lasting::is_seen(true);
        // Not a bare fork. The server keeps its context outside the thread-local slot, so there is none to forget.
        FOREIGN.store(false, Ordering::Relaxed);
    }
}

/// This process is the process server, which has no member yet.
pub(crate) fn become_server() {
    SERVER.store(true, Ordering::Relaxed);
}
