//! A simulated channel and its ends: plain data.
//!
//! Knows nothing of who waits there.

use super::super::{ChannelKind, ChannelName, Closing, Direction, Fate, Holder, Opened, Store};
use super::tasks::Tasks;
use crate::memory::Block;
use std::collections::VecDeque;

/// One channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) label: String,
    pub(super) kind: ChannelKind,
    pub(super) is_poisoned: bool,
    /// The member whose death took it along.
    pub(super) lost: Option<u32>,
    pub(super) no_readers: bool,
    pub(super) no_writers: bool,
    pub(super) readers: u32,
    pub(super) writers: u32,
    pub(super) handles: u32,
    /// Of the readers, and of the writers: a crash retires them.
    pub(super) may_crash: [bool; 2],
    /// Its readers serve: to wait there is to be at rest.
    pub(super) serves: bool,
    pub(super) is_end: bool,
    /// Its last end is gone.
    pub(super) is_gone: bool,
    pub(crate) buffer: VecDeque<Block>,
    /// What a line that is lossy keeps back, and whether others have gone by since.
    pub(super) kept_back: Option<(Block, bool)>,
    /// So many messages have come out of the buffer.
    pub(super) taken: u32,
    /// The offers that wait here: whose, and the number of the guard.
    pub(super) offers: Vec<(u32, usize)>,
    /// Room of a buffer, parties of a barrier, permits of a gate.
    pub(crate) capacity: u32,
    /// Permits that somebody has.
    pub(crate) in_use: u32,
    pub(crate) abandoner: Option<u32>,
    /// Whoever reads says when it is done with a message.
    pub(super) tasks: Option<Box<Tasks>>,
    /// Something has changed since it was looked at what may happen here.
    pub(super) is_stirred: bool,
}

/// The rooms of a channel that is gone with its world, for the next one.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    buffer: VecDeque<Block>,
    offers: Vec<(u32, usize)>,
}

impl Channel {
    pub(super) fn new(label: &str, kind: ChannelKind, rooms: Rooms) -> Channel {
        let Rooms { buffer, offers } = rooms;
        let capacity = match kind {
            ChannelKind::Channel(
                Store::Fifo(capacity)
                | Store::OverwriteOldest(capacity)
                | Store::OverwriteNewest(capacity)
                | Store::DropNewest(capacity),
            ) => capacity,
            ChannelKind::Barrier { parties } => parties,
            ChannelKind::Gate { permits, .. } => permits,
            ChannelKind::Carried | ChannelKind::End => 0,
        };
        Channel {
            label: String::from(label),
            kind,
            is_poisoned: false,
            lost: None,
            no_readers: false,
            no_writers: false,
            readers: 0,
            writers: 0,
            handles: 0,
            may_crash: [false; 2],
            serves: false,
            is_end: kind == ChannelKind::End,
            is_gone: false,
            buffer,
            taken: 0,
            kept_back: None,
            offers,
            capacity,
            in_use: 0,
            abandoner: None,
            tasks: None,
            is_stirred: false,
        }
    }

    /// It is gone with its world.
    pub(super) fn into_rooms(self) -> Rooms {
        let Channel { mut buffer, mut offers, .. } = self;
        buffer.clear();
        offers.clear();
        Rooms { buffer, offers }
    }

    /// Why it cannot be used any more. Poison outranks retirement.
    pub(crate) fn fate(&self) -> Option<Fate> {
        match self.lost {
            Some(member) if self.is_poisoned => Some(Fate::Lost { member }),
            _ if self.is_poisoned => Some(Fate::Poisoned),
            _ => (self.no_readers || self.no_writers).then_some(Fate::Retired),
        }
    }

    pub(crate) fn call(&mut self, name: &str) {
        self.label = String::from(name);
    }

    pub(crate) fn bear_crashes_of(&mut self, direction: Direction) {
        match direction {
            Direction::Reader => self.may_crash[0] = true,
            Direction::Writer => self.may_crash[1] = true,
            _ => (),
        }
    }

    pub(crate) fn tells_of_an_end(&mut self) {
        self.is_end = true;
    }

    pub(crate) fn count_tasks(&mut self) {
        self.tasks = Some(Box::default());
    }

    pub(crate) fn is_served(&mut self) {
        self.serves = true;
    }

    pub(crate) fn opened(&self) -> Option<Opened> {
        match self.kind {
            ChannelKind::Gate { opened, .. } => Some(opened),
            _ => None,
        }
    }

    pub(crate) fn room(&self) -> Option<usize> {
        (self.capacity != u32::MAX).then_some(self.capacity as usize)
    }

    pub(super) fn is_gate(&self) -> bool {
        matches!(self.kind, ChannelKind::Gate { .. })
    }

    /// Whether it keeps messages when no reader waits.
    pub(super) fn is_buffered(&self) -> bool {
        matches!(self.kind, ChannelKind::Channel(store) if store != Store::Fifo(0))
    }

    /// Whether a message can be put into the buffer now; into one that makes room by itself, always.
    pub(super) fn takes(&self) -> bool {
        match self.kind {
            ChannelKind::Channel(Store::Fifo(capacity)) => self.buffer.len() < capacity as usize,
            ChannelKind::Channel(_) => true,
            _ => false,
        }
    }

    /// Whether so many permits of a gate are free. Turns go on for ever, so they are compared modulo 2³².
    pub(super) fn has_free(&self, weight: u32) -> bool {
        self.capacity.wrapping_sub(self.in_use).wrapping_sub(weight).cast_signed() >= 0
    }

    /// How many ends of a side there are.
    pub(super) fn count(&mut self, direction: Direction) -> &mut u32 {
        match direction {
            Direction::Reader | Direction::Party | Direction::Unit => &mut self.readers,
            Direction::Writer => &mut self.writers,
            Direction::Handle => &mut self.handles,
        }
    }

    /// How an end of this side goes whose process closes it like this.
    pub(super) fn closing(&self, direction: Direction, closing: Closing) -> Closing {
        match (closing, direction) {
            (Closing::Lost { .. }, Direction::Reader) if self.may_crash[0] => Closing::Retire,
            (Closing::Lost { .. }, Direction::Writer) if self.may_crash[1] => Closing::Retire,
            (Closing::Poison, Direction::Writer) if self.serves => Closing::Retire,
            (closing, _) => closing,
        }
    }

    /// Puts a message into the buffer as its policy says; gives the one that nobody will read then.
    pub(super) fn put(&mut self, block: Block) -> Option<Block> {
        let is_full = self.buffer.len() >= self.capacity as usize;
        let dropped = match self.kind {
            ChannelKind::Channel(Store::OverwriteOldest(1..)) if is_full => self.buffer.pop_front(),
            ChannelKind::Channel(Store::OverwriteNewest(1..)) if is_full => self.buffer.pop_back(),
            ChannelKind::Channel(Store::Fifo(_)) => None,
            _ if is_full => return Some(block),
            _ => None,
        };
        self.buffer.push_back(block);
        dropped
    }

    /// Nobody writes any more: what is on its way arrives before the end.
    pub(super) fn end_writing(&mut self) {
        self.no_writers = true;
        self.arrive();
    }

    /// What was kept back has arrived, behind all others.
    pub(super) fn arrive(&mut self) {
        self.buffer.extend(self.kept_back.take().map(|(block, _)| block));
    }

    /// Whether it keeps messages.
    #[inline]
    pub(super) fn keeps_messages(&self) -> bool {
        !self.buffer.is_empty() || self.kept_back.is_some()
    }

    /// Takes out all that nobody will read.
    #[inline]
    pub(super) fn drain_into(&mut self, doomed: &mut Vec<Block>) {
        if self.keeps_messages() {
            self.arrive();
            doomed.extend(self.buffer.drain(..));
        }
    }

    pub(super) fn is_unused(&self) -> bool {
        self.readers == 0 && self.writers == 0 && self.handles == 0
    }
}

/// One end.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) channel: ChannelName,
    pub(super) direction: Direction,
    /// Nobody, once it is closed.
    pub(super) holder: Option<Holder>,
    /// Permits of a unit; messages that were read with a reader's end, and are not done.
    pub(super) weight: u32,
}

impl End {
    pub(super) fn is_held_by(&self, member: u32) -> bool {
        self.holder == Some(Holder::Member(member))
    }
}
