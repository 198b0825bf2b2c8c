//! A view: what there is in a network and what everybody does there, as one reading found it.
//!
//! Knows nothing of the tables it was read from, nor of words for people. It is plain data: what prints it or looks for
//! deadlocks in it does so while the network runs on.
//!
//! All contexts that are shown as waiting waited at one moment: the reading looks at each of them twice, and between
//! the first and the second look it reads everything else. So no view shows a reader and a writer that both wait on one
//! channel, or somebody who waits on a channel that does not exist. Everything else is true of some moment of the
//! reading, each fact of its own.

mod standstill;

use super::live::{Phase, Role};
use super::{ChannelKind, ChannelName, Direction, EndName, Fate, Holder, MemberName, Opened, ProcessId, Store};
use crate::memory::{Identity, Unreadable};
#[cfg(feature = "testing")]
pub(crate) use standstill::StuckGuard;
pub(crate) use standstill::{Standstill, Stuck, Suspects};
use std::fmt;
use std::panic::Location;

/// A network, as one reading found it.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Whose the arena is, and how it is laid out.
    pub(crate) identity: Result<Identity, Unreadable>,
    /// In order of their slots, as all the others.
    pub(crate) processes: Vec<ProcessView>,
    pub(crate) contexts: Vec<ContextView>,
    pub(crate) channels: Vec<ChannelView>,
    pub(crate) ends: Vec<EndView>,
}

/// One process, or what else has a slot among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessView {
    pub(crate) name: MemberName,
    pub(crate) id: ProcessId,
    pub(crate) role: Role,
    pub(crate) phase: Phase,
    /// The process of the operating system that it runs in: itself, unless it is a thread.
    pub(crate) host: u32,
    pub(crate) pid: u32,
    /// Nobody will join it.
    pub(crate) disowned: bool,
    /// The channel that tells of its end.
    pub(crate) exit: Option<ChannelName>,
}

/// One thread, or one future, that communicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContextView {
    pub(crate) index: u32,
    /// Whom it acts for; nobody, if it stands aside.
    pub(crate) member: Option<u32>,
    /// The process of the operating system that it belongs to.
    pub(crate) host: Option<u32>,
    /// The number of its thread; of a future, that of the thread that attends to its bell.
    pub(crate) thread: u32,
    pub(crate) is_future: bool,
    pub(crate) doing: Doing,
    /// How often it has begun to wait.
    pub(crate) waits: u64,
    /// The number of its last communication: what came before another has the smaller one.
    pub(crate) number: u64,
    /// Where it made its last offer.
    pub(crate) location: Option<&'static Location<'static>>,
    /// What it waits for, in the order of its guards; empty unless it waits.
    pub(crate) offers: Vec<OfferView>,
}

/// What a context does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Anything but to communicate: it has nothing on offer.
    Runs,
    /// Its offer has come to something, and it is about to go on.
    Answered,
    /// It waits for one of its offers. `asleep` is false while it still looks by itself.
    Waits { timed: bool, asleep: bool },
    /// It has written, and waits until the context that reads is done. The reader is unknown while it has not taken the
    /// message over, for then it is about to run.
    Held { reader: Option<u32> },
    /// Its process is gone, and is being buried.
    Dead,
}

/// One alternative of a context that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OfferView {
    pub(crate) action: Action,
    pub(crate) channel: ChannelName,
}

/// What a context does at a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Read,
    Write,
    /// Waits for the other parties of a barrier.
    Sync,
    /// Waits for the end of a process.
    Join,
    /// Waits for somebody to serve.
    Serve,
    /// Has written, and waits for its reader to finish an extended rendezvous.
    Release,
    /// Waits for permits of a gate.
    Pass,
    /// Waits until the tasks of a queue are done.
    Finish,
}

/// One channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChannelView {
    pub(crate) name: ChannelName,
    /// What it was called; empty if it was not.
    pub(crate) label: String,
    pub(crate) kind: ChannelKind,
    pub(crate) fate: Option<Fate>,
    /// Ends of either side; the seats of a barrier and the units of a gate count as readers.
    pub(crate) readers: u32,
    pub(crate) writers: u32,
    /// `Channel` values.
    pub(crate) handles: u32,
    /// Whoever reads from it serves its writers.
    pub(crate) served: bool,
    /// Messages in its buffer.
    pub(crate) messages: u32,
    /// Permits of a gate that somebody has.
    pub(crate) in_use: u32,
    /// Somebody is at work on it, under its lock, alive or killed there and not buried yet.
    pub(crate) locked: bool,
    /// The number of what happened there last; 0 if nothing has.
    pub(crate) number: u64,
}

/// One end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndView {
    pub(crate) name: EndName,
    pub(crate) channel: ChannelName,
    pub(crate) direction: Direction,
    /// Of a unit: how many permits it is. Of a reader of a queue: how many tasks are open that were read with it.
    pub(crate) weight: u32,
    pub(crate) holder: Holder,
    /// Of an end that travels in a block: the process that keeps the block for itself, arguments for one that may have
    /// to be started again, say. A message has none: it may be anywhere between two processes.
    pub(crate) keeper: Option<u32>,
}

impl View {
    /// The process in a slot.
    pub(crate) fn process(&self, index: u32) -> Option<&ProcessView> {
        let place = self.processes.binary_search_by_key(&index, |process| process.name.index);
        place.ok().map(|place| &self.processes[place])
    }

    pub(crate) fn context(&self, index: u32) -> Option<&ContextView> {
        let place = self.contexts.binary_search_by_key(&index, |context| context.index);
        place.ok().map(|place| &self.contexts[place])
    }

    pub(crate) fn channel(&self, name: ChannelName) -> Option<&ChannelView> {
        let place = self.channels.binary_search_by_key(&name.index, |channel| channel.name.index);
        place.ok().map(|place| &self.channels[place]).filter(|channel| channel.name == name)
    }

    /// The contexts that act for a process.
    pub(crate) fn contexts_of(&self, member: u32) -> impl Iterator<Item = &ContextView> {
        self.contexts.iter().filter(move |context| context.member == Some(member))
    }

    /// How many offers to do this wait at a channel.
    pub(crate) fn waiting(&self, channel: ChannelName, action: Action) -> usize {
        let offers = self.contexts.iter().flat_map(|context| &context.offers);
        offers.filter(|offer| **offer == OfferView { action, channel }).count()
    }
}

impl ProcessView {
    /// The program, or a process that lives, or one that has ended and was not joined yet. The process server and the
    /// record of a deadlock are neither.
    pub(crate) fn is_of_the_network(&self) -> bool {
        match self.role {
            Role::Process => self.phase != Phase::Gone || !self.disowned,
            Role::Program => true,
            Role::Server | Role::Deadlock => false,
        }
    }

    /// Whether it is a process of the operating system by itself.
    pub(crate) fn is_host(&self) -> bool {
        self.host == self.name.index
    }
}

impl ChannelView {
    /// Whether it is a gate that anybody who has a handle may open.
    pub(crate) fn is_opened_by_anybody(&self) -> bool {
        matches!(self.kind, ChannelKind::Gate { opened: Opened::ByAnybody | Opened::InTurns, .. })
    }

    /// Whether those who wait there have been told something, or may be about to be, whoever has an end.
    pub(crate) fn is_about_to_answer(&self) -> bool {
        self.fate.is_some() || self.locked
    }

    /// The same for this action. Whoever waits for tasks to be done does so in a queue that is closed, too.
    pub(crate) fn is_about_to_answer_to(&self, action: Action) -> bool {
        match (action, self.fate) {
            (Action::Finish, Some(Fate::Retired)) => self.locked || self.readers == 0,
            _ => self.is_about_to_answer(),
        }
    }

    /// Whether it keeps messages when no reader waits.
    pub(crate) fn is_buffered(&self) -> bool {
        matches!(self.kind, ChannelKind::Channel(store) if store != Store::Fifo(0))
    }
}

impl Action {
    /// Whether to wait for it is to attend to others: somebody who does nothing else may be part of a standstill, but
    /// is none by itself.
    pub(crate) fn attends(self) -> bool {
        matches!(self, Action::Join | Action::Serve)
    }

    /// The ends that can answer it; `None` if it waits for one process, not for a channel.
    pub(crate) fn answered_by(self) -> Option<Direction> {
        match self {
            Action::Read | Action::Join | Action::Serve => Some(Direction::Writer),
            Action::Write | Action::Finish => Some(Direction::Reader),
            Action::Sync => Some(Direction::Party),
            Action::Pass => Some(Direction::Unit),
            Action::Release => None,
        }
    }

    /// Whether whoever has such an end may answer it, or end the wait with poison. A handle can become any end.
    pub(crate) fn may_be_ended_by(self, direction: Direction) -> bool {
        let poisons = matches!(self, Action::Read | Action::Write | Action::Finish)
            && matches!(direction, Direction::Reader | Direction::Writer);
        poisons || direction == Direction::Handle || self.answered_by() == Some(direction)
    }
}

/// One word.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Read => "read",
            Action::Write => "write",
            Action::Sync => "sync",
            Action::Join => "join",
            Action::Finish => "finish",
            Action::Serve => "serve",
            Action::Release => "release",
            Action::Pass => "pass",
        })
    }
}
