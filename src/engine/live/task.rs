//! Waiting without a thread: the offer of a future, and the bell by which its process is told that somebody has come.
//!
//! Knows nothing of futures, executors and wakers, nor of who looks after a ring. A task has a context of its own,
//! which is PARKED from the beginning; nobody sleeps on its word. Whoever would wake it rings the bell of its host
//! instead: one word for all tasks of a process of the operating system.
//!
//! ```text
//!     partner                                 whoever attends to the bell
//!     commit: the word is COMMITTED           heard := bell
//!     bell := bell + 1                        looks at the words of all tasks
//!     wakes who sleeps on the bell            sleeps while bell = heard
//! ```
//! **No ring is lost.** A commit that the look has not seen is followed by a ring that `heard` has not counted, so
//! there is no sleep. A partner that is killed between the commit and the ring leaves the ring to the reaper, as it
//! leaves a wake-up.
//!
//! **Taking an offer back.** A future may be dropped at any time. Its offer is withdrawn, unless a partner was faster.
//! Then what the partner has done stands, and its law is that of the side:
//! - a message that was taken is put back into the channel, and the next reader takes it ([`Local::put_back`]): nothing
//!   was read;
//! - a message that was given is with its reader: it was written;
//! - the writer of an extended read is told that the read was not finished, as by any reader that forgets its message;
//! - a writer that is held stays behind as a task without a future, until its reader has finished.

use super::context::Context;
use super::local::Local;
use super::offer::{Begun, Pending};
use super::sync::{Ordering, Woken};
use super::tables::Tables;
use super::wait::{Wait, Waited};
use super::word::{Own, State};
use crate::engine::{Closing, Fate, Fired, Guard, Order, Unfinished};
use crate::memory::ArenaError;
use crate::sys::clock::Deadline;
use std::panic::Location;

/// A task is told by the bell.
#[derive(Clone, Copy, Debug)]
struct ByBell;

impl Wait for ByBell {
    fn sleeps_at_once(&mut self, _: &mut Local) -> bool {
        true
    }
}

/// What shows, from outside, whether a task is to be looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    context: &'static Context,
    deadline: Option<Deadline>,
}

impl Watch {
    /// Whether the task need not wait any more.
    pub(crate) fn is_due(&self) -> bool {
        !self.context.word.read().is_pending() || self.deadline.is_some_and(|deadline| deadline.is_past())
    }

    /// When it is due without a partner.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }
}

/// What became of an offer that was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Withdrawn {
    /// Nothing has happened.
    Nothing,
    /// The message of this guard was written.
    Written(usize),
    /// The same, and its reader has not finished: the task is to be withdrawn again later.
    Held(usize),
}

/// An offer that waits without a thread.
#[derive(Debug, Default)]
pub(crate) struct Task {
    /// Away while it stands in for a thread's.
    pub(crate) local: Option<Box<Local>>,
    guards: Vec<Guard>,
    pending: Option<Pending>,
}

impl Task {
    /// One that acts for this member. `thread` attends to the bell.
    ///
    /// # Errors
    /// There is no room for a context.
    pub(crate) fn new(tables: Tables, member: u32, thread: u32) -> Result<Task, ArenaError> {
        let local = Box::new(Local::at_rest(tables, member, thread, true)?);
        Ok(Task { local: Some(local), guards: Vec::new(), pending: None })
    }

    /// From now on it acts for this member; `None` is nobody, while no future has it.
    pub(crate) fn act_for(&mut self, member: Option<u32>) {
        if let Some(local) = &self.local {
            local.context.member.store(member, Ordering::Release);
        }
    }

    /// The number of its context.
    pub(crate) fn number(&self) -> u32 {
        self.local.as_ref().map_or(u32::MAX, |local| local.index)
    }

    /// Offers, and comes back with the guard that fired, or without one; then the task waits.
    ///
    /// # Errors
    /// As for [`Local::offer`].
    pub(crate) fn begin(
        &mut self,
        guards: &[Guard],
        order: Order,
        location: &'static Location<'static>,
    ) -> Result<Option<Fired>, ArenaError> {
        let Some(local) = &mut self.local else { return Err(ArenaError::Foreign) };
        if local.is_traced() {
            local.begin_note();
        }
        match local.begin(&mut ByBell, guards, order, location)? {
            Begun::Fired(fired) => {
                if local.is_traced() {
                    local.record_fired(guards, &fired);
                }
                Ok(Some(fired))
            }
            Begun::Pending(pending) => {
                self.guards.clear();
                self.guards.extend_from_slice(guards);
                self.pending = Some(pending);
                Ok(None)
            }
        }
    }

    /// Whether it waits.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// How to see from outside that it is due; `None` if it does not wait.
    pub(crate) fn watch(&self) -> Option<Watch> {
        let deadline = self.pending.as_ref()?.deadline().copied();
        Some(Watch { context: self.local.as_ref()?.context, deadline })
    }

    /// The guard that has fired meanwhile.
    pub(crate) fn look(&mut self) -> Option<Fired> {
        let local = self.local.as_mut()?;
        let word = &local.context.word;
        let now = word.read();
        let late = self.pending.as_ref()?.deadline().is_some_and(Deadline::is_past);
        let waited = if !now.is_pending() {
            Waited::Committed(now)
        } else if late && word.withdraw() == Own::Done {
            Waited::Withdrawn
        } else {
            return None;
        };
        let fired = local.finish(&self.guards, self.pending.take()?, waited);
        if local.is_traced() {
            local.record_fired(&self.guards, &fired);
        }
        Some(fired)
    }

    /// Takes the offer back.
    pub(crate) fn withdraw(&mut self) -> Withdrawn {
        let Some(local) = &mut self.local else { return Withdrawn::Nothing };
        let Some(pending) = self.pending.take() else { return Withdrawn::Nothing };
        loop {
            let queued = matches!(pending, Pending::Queued { .. });
            if queued && local.context.word.withdraw() == Own::Done {
                local.unlink_rest(None);
                local.settle_units(&[], None);
                return Withdrawn::Nothing;
            }
            let now = local.context.word.read();
            match now.state() {
                State::Extended => {
                    let guard = match &pending {
                        Pending::Queued { .. } => now.guard(),
                        Pending::Lent { fired } => fired.index,
                    };
                    self.pending = Some(pending);
                    return Withdrawn::Held(guard);
                }
                // Until the last party of the barrier has decided, and it goes on at once.
                State::Claimed => {
                    let _: Woken = local.context.word.sleep(None);
                }
                State::Waiting | State::Parked => (),
                _ => {
                    let fired = local.finish(&self.guards, pending, Waited::Committed(now));
                    return local.undo(&self.guards, fired);
                }
            }
        }
    }
}

impl Local {
    /// What a partner has done before the offer could be taken back.
    fn undo(&mut self, guards: &[Guard], fired: Fired) -> Withdrawn {
        match (guards.get(fired.index), fired.outcome) {
            (Some(Guard::Input { channel, reader, .. }), Ok(block)) => {
                match fired.writer() {
                    Some(writer) => {
                        let member = self.context.member.load(Ordering::Acquire).unwrap_or(0);
                        self.release(writer, Some(Unfinished { member, crashed: false }));
                        self.discard(block, Closing::Retire);
                    }
                    None => self.put_back(*channel, *reader, block),
                }
                Withdrawn::Nothing
            }
            (Some(Guard::Pass { gate, .. }), Ok(_)) => {
                match fired.unit() {
                    Some(unit) => self.close_end(unit, Closing::Resign),
                    None => self.pass_on_turn(*gate),
                }
                Withdrawn::Nothing
            }
            (Some(Guard::Output { .. }), Ok(spare)) => {
                self.keep_block(spare);
                Withdrawn::Written(fired.index)
            }
            (Some(Guard::Output { .. }), Err(Fate::Abandoned { .. })) => Withdrawn::Written(fired.index),
            _ => Withdrawn::Nothing,
        }
    }
}
