//! Decisions: what may happen next, and who decides which of it does.
//!
//! Knows nothing of how whoever decides comes to it.

use super::touch::{Touch, Wants};
use std::fmt;

/// What can happen in a simulated world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A writer and a reader meet.
    Communication = 0,
    /// A message is put into a buffer.
    Put = 1,
    /// A message is taken out of a buffer.
    Take = 2,
    /// Somebody who waits is told that the channel has ended.
    Told = 3,
    /// All parties of a barrier go on.
    Sync = 4,
    /// Somebody passes a gate.
    Pass = 5,
    /// A timer fires.
    Timer = 6,
    /// Nothing is ready, as far as an alternation with `skip` can see.
    Skip = 7,
    /// What a process has closed or poisoned since its last communication takes effect, one thing after the other.
    Effect = 8,
    /// Time passes although somebody polls.
    Time = 9,
    /// A process is killed.
    Crash = 10,
    /// Somebody looks at memory that others share, or changes it.
    Look = 11,
    /// A process panics where it waits.
    Panic = 12,
    /// A channel is poisoned.
    Poison = 13,
    /// A process comes late: not before time has passed, or nobody else can go on.
    Delay = 14,
    /// A message is written and nobody gets it.
    Lose = 15,
    /// A message is read, and will be read once more.
    Double = 16,
    /// A message is written, and kept back until others have gone by.
    Hold = 17,
    /// One that was kept back arrives.
    Arrive = 18,
}

impl Kind {
    const ALL: [Kind; 19] = [
        Kind::Communication,
        Kind::Put,
        Kind::Take,
        Kind::Told,
        Kind::Sync,
        Kind::Pass,
        Kind::Timer,
        Kind::Skip,
        Kind::Effect,
        Kind::Time,
        Kind::Crash,
        Kind::Look,
        Kind::Panic,
        Kind::Poison,
        Kind::Delay,
        Kind::Lose,
        Kind::Double,
        Kind::Hold,
        Kind::Arrive,
    ];

    /// The kind of this number.
    pub(crate) fn of(number: u8) -> Option<Kind> {
        Kind::ALL.get(usize::from(number)).copied()
    }

    /// Whether it is done to the processes, not by them.
    pub(crate) fn is_fault(self) -> bool {
        matches!(self, Kind::Crash | Kind::Panic | Kind::Poison | Kind::Delay) || self.is_of_a_line()
    }

    /// Whether it is a fault of a channel that is lossy: of these there may be so many together as may be lost.
    pub(crate) fn is_of_a_line(self) -> bool {
        matches!(self, Kind::Lose | Kind::Double | Kind::Hold)
    }

    /// Whether it moves a message, or several processes together.
    pub(crate) fn is_communication(self) -> bool {
        matches!(self, Kind::Communication | Kind::Put | Kind::Take | Kind::Sync | Kind::Pass)
    }
}

/// Who is not there.
pub(crate) const NOBODY: u32 = u32::MAX;

/// One thing that may happen. It is the same thing, by this value, in any other run of the same network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Choice {
    pub(crate) kind: Kind,
    /// The process that does it; of a communication, the one that writes.
    pub(crate) who: u32,
    /// The process that reads.
    pub(crate) with: u32,
    /// The channel, numbered in the order in which channels were made.
    pub(crate) channel: u32,
}

impl Choice {
    pub(super) fn new(kind: Kind, who: u32, with: u32, channel: u32) -> Choice {
        Choice { kind, who, with, channel }
    }

    /// Whether a process takes part in it.
    pub(crate) fn involves(&self, task: u32) -> bool {
        task != NOBODY && (self.who == task || self.with == task)
    }
}

/// No decision: the run is of no interest any more.
pub(crate) const STOP: usize = usize::MAX;

/// Nobody can go on, and nothing is done to anybody either.
pub(crate) const END: usize = usize::MAX - 1;

/// Decides which of several things happens.
pub(crate) trait Scheduler {
    /// The number of the one that happens. There is at least one. Faults stand behind all others.
    /// [`STOP`] ends the run.
    fn decide(&mut self, options: &[Choice]) -> usize;

    /// Whether there may be another fault of any kind.
    fn allows_any(&self) -> bool;

    /// This happens without being decided.
    fn pass_over(&mut self, _choice: Choice) {}

    /// Whether there may be another fault of this kind.
    fn allows(&self, fault: Kind) -> bool;

    /// Whether there may be a fault although nobody can go on. Then [`END`] is a decision, too.
    fn goes_on(&self) -> bool {
        false
    }

    /// Whether faults meet a process of this name.
    fn meets(&self, process: &str) -> bool;

    /// Whether a channel of this name loses messages, doubles them, and lets others overtake them.
    fn is_lossy(&self, channel: &str) -> bool;

    /// Whether no message overtakes another one on a lossy channel of this name.
    fn is_in_order(&self, channel: &str) -> bool {
        let _ = channel;
        false
    }
    /// Whether the order of what happens on channels of this name matters, beside other such channels.
    fn orders(&self, _channel: &str) -> bool {
        false
    }

    /// Whether it wants to know what the next step reads and changes: asked before each.
    fn watches(&self) -> bool {
        false
    }

    /// What was read and changed since the last decision, and what tasks wait for now; before each decision.
    fn watch(&mut self, _touched: &[Touch], _wants: &dyn Fn(u32) -> Wants) {}
}

impl fmt::Debug for dyn Scheduler + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scheduler")
    }
}
