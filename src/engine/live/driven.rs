//! Offers of somebody who is driven: made when it is told to, and told of when they have come to something.
//!
//! Knows nothing of who drives, or why. It is a third way of waiting, beside that of a thread and that of a future: the
//! offer is made by [`Local::begin`] and finished by [`Local::finish`], as any other; it sleeps at once, and wakes when
//! a partner has committed its word, or when it is told to give up.

use super::local::Local;
use super::offer::Begun;
use super::stand::{Said, Stand, Told};
use super::sync::Ordering;
use super::tables::Tables;
use super::wait::{Wait, Waited};
use super::word::{Own, State};
use crate::engine::{ArenaError, Closing, Direction, EndName, Fired, Guard, Kept, Order, Unfinished};
use crate::sys::clock::{Deadline, Instant};
use std::panic::Location;
use std::time::Duration;

/// Whoever sleeps looks so often whether it was told something, in case it was told just before it slept.
const GLANCE: Duration = Duration::from_millis(5);

/// It sleeps at once, and so is always woken.
#[derive(Clone, Copy, Debug)]
struct Asleep;

impl Wait for Asleep {
    fn sleeps_at_once(&mut self, _local: &mut Local) -> bool {
        true
    }
}

/// What came of an offer of somebody who is driven.
#[derive(Debug)]
pub(in crate::engine) enum Came {
    Fired(Fired),
    /// The same, and it is not driven any more.
    Freed(Fired),
    /// It was told something else, and has nothing on offer any more.
    Told(Told),
}

impl Local {
    /// Makes an offer, and says on the stand that it waits, until it has come to something. `guards` are asked for
    /// again when a timer is said to be due. Who is free waits as anybody else, until it is told to come to its end.
    ///
    /// # Errors
    /// It cannot be made.
    pub(in crate::engine) fn offer_driven(
        &mut self,
        stand: &Stand,
        guards: impl Fn() -> Vec<Guard>,
        order: Order,
        location: &'static Location<'static>,
        is_free: bool,
    ) -> Result<Came, ArenaError> {
        let mut offered = guards();
        let pending = match self.begin(&mut Asleep, &offered, order, location)? {
            Begun::Fired(fired) => return Ok(Came::Fired(fired)),
            Begun::Pending(pending) => pending,
        };
        let timed = self.context.timed.load(Ordering::Acquire);
        if !is_free {
            // Nobody who is driven waits in vain as long as somebody drives.
            self.context.timed.store(1, Ordering::Release);
        }
        stand.waits_with(Some(self.index));
        stand.say(Said::Waits);
        let word = &self.context.word;
        let mut told = is_free.then_some((Told::Free, 0));
        let waited = loop {
            let now = word.read();
            if !now.is_pending() {
                break Waited::Committed(now);
            }
            if let Some(new) = stand.is_told() {
                told = Some(new);
                if new.0 == Told::Free {
                    // It may still be brought to an end.
                    stand.say(Said::Waits);
                }
            }
            match told {
                Some((Told::Free, _)) => {
                    self.context.timed.store(timed, Ordering::Release);
                    let is_due = pending.deadline().is_some_and(Deadline::is_past);
                    if is_due && word.withdraw() == Own::Done {
                        break Waited::Withdrawn;
                    }
                }
                // Who is held is let go by its reader.
                Some((Told::End, _)) if now.state() == State::Extended => (),
                Some(_) if word.withdraw() == Own::Done => break Waited::Withdrawn,
                _ => (),
            }
            let _ = word.sleep(Some(&Deadline::at(Instant::now() + GLANCE)));
        };
        stand.waits_with(None);
        if matches!(waited, Waited::Withdrawn) {
            offered = guards();
        }
        let fired = self.finish(&offered, pending, waited);
        Ok(match told {
            Some((Told::Free, _)) => Came::Freed(fired),
            Some((told, _)) if told != Told::Withdraw => {
                self.give_up_driven(&offered, fired);
                Came::Told(told)
            }
            _ => Came::Fired(fired),
        })
    }

    /// What an offer has brought is not wanted any more.
    fn give_up_driven(&mut self, guards: &[Guard], fired: Fired) {
        match fired.kept {
            Kept::Writer(writer) => {
                self.release(writer, Some(Unfinished { member: self.context.acts_for(), crashed: true }))
            }
            Kept::Unit(unit) => self.give_back(unit),
            Kept::Nothing => (),
        }
        if let (Some(Guard::Input { .. }), Ok(block)) = (guards.get(fired.index), fired.outcome) {
            self.discard(block, Closing::Retire);
        }
    }
}

impl Tables {
    /// Whether anybody notices that an end is closed in this way; `None` if it is closed. The rule is that of the
    /// simulation: who closes an end that others notice does so when that is decided.
    pub(in crate::engine) fn notices(self, end: EndName, closing: Closing) -> Option<bool> {
        let record = self.ends.named(end.index, end.generation)?;
        record.holder(end.generation)?;
        let direction = record.direction();
        let Some(channel) = self.channel(record.channel()) else { return Some(false) };
        let left = match direction {
            Direction::Reader => channel.readers.load(Ordering::Acquire),
            Direction::Writer => channel.writers.load(Ordering::Acquire),
            Direction::Handle => return Some(false),
            Direction::Party if closing == Closing::Void => return Some(false),
            Direction::Party | Direction::Unit => return Some(true),
        };
        let leaves_tasks = direction == Direction::Reader && record.weight() > 0;
        Some(leaves_tasks || left == 1 || !matches!(closing, Closing::Retire | Closing::Resign | Closing::Void))
    }
}
