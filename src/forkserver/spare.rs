//! One process forked in advance, so that a request need not wait for the fork.
//!
//! Knows nothing of members beyond their names. The spare waits on a word in the arena; the server writes a member's name there, and the
//! spare becomes that member (Android's zygote keeps a pool of such processes). While the spare starts to work, the server forks the
//! next one. When nothing was asked for during [`KEEP`], the spare is sent away: an idle program has no idle processes. On one
//! processor there is nothing to gain, and no spare.
//!
//! A word is used again only when the member it named has left the phase REQUESTED: then the spare has read it, or is gone.

use crate::engine::live::{MemberName, Phase, tables};
use crate::memory::{SPARES, arena};
use crate::sys::futex::{wait_low, wake_low};
use rustix::process::{Pid, Signal, kill_process};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a spare is kept without work.
pub(super) const KEEP: Duration = Duration::from_millis(20);

/// The place in the arena where a spare looks for its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(usize);

/// What the server knows of spares.
#[derive(Debug, Default)]
pub(super) struct Spares {
    waiting: Option<(Pid, Place)>,
    /// The member that each word named last.
    named: [Option<MemberName>; SPARES],
}

impl Spares {
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// A place for the next spare, unless one waits already.
    pub(super) fn next_place(&self) -> Option<Place> {
        if self.is_waiting() || crate::sys::cpu::usable() < 2 {
            return None;
        }
        let read = |name: &Option<MemberName>| {
            name.and_then(|name| tables().member(name)).is_none_or(|member| member.phase() != Phase::Requested)
        };
        let place = Place(self.named.iter().position(read)?);
        word(place).store(0, Ordering::Release);
        Some(place)
    }

    /// Server, after the fork.
    pub(super) fn born(&mut self, pid: Pid, place: Place) {
        self.waiting = Some((pid, place));
    }

    /// Gives the waiting spare a name; says which process that is.
    pub(super) fn assign(&mut self, name: MemberName) -> Option<Pid> {
        let (pid, place) = self.waiting.take()?;
        self.named[place.0] = Some(name);
        word(place).store(u64::from(name.generation) << 32 | u64::from(name.index + 1), Ordering::Release);
        wake_low(word(place));
        Some(pid)
    }

    /// Sends the waiting spare away. It is reaped like any child.
    pub(super) fn dismiss(&mut self) {
        if let Some((pid, _)) = self.waiting.take() {
            // Not reaped yet, so the number is still its own.
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// A process is gone: the spare, perhaps.
    pub(super) fn died(&mut self, pid: Pid) {
        if self.waiting.is_some_and(|(spare, _)| spare == pid) {
            self.waiting = None;
        }
    }
}

fn word(place: Place) -> &'static AtomicU64 {
    &arena().shared().spares[place.0]
}

/// Spare: waits for a name.
pub(super) fn wait(place: Place) -> MemberName {
    let word = word(place);
    loop {
        let name = word.load(Ordering::Acquire);
        if let Some(index) = (name as u32).checked_sub(1) {
            return MemberName { index, generation: (name >> 32) as u32 };
        }
        wait_low(word, name, None);
    }
}
