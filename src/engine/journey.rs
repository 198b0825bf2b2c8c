//! Ends on their way: which packet the ends inside a value go into, or come out of.
//!
//! Knows nothing of formats. While a value is being serialized, the actor knows the packet it goes into, and an end
//! inside the value requests one more end of its channel for that packet. While it is deserialized, the end changes
//! hands from the packet to the process. So ends are counted wherever they are, and close with the packet if the
//! message never arrives.

use super::actor::{Actor, actor};
use super::{ArenaError, ChannelName, Direction, EndName, Holder};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy)]
enum Heading {
    Nowhere,
    Into {
        packet: Holder,
        /// So many of the last that are known went into it.
        departed: u32,
    },
    OutOf {
        packet: Holder,
        /// So many of the last that are known came out of it.
        arrived: u32,
    },
}

/// Where an actor's ends travel.
pub(super) struct Journeys {
    heading: Cell<Heading>,
    /// The ends that went into packets or came out of them: of the journey that is under way, before them those of the
    /// one it interrupts, and so on.
    known: RefCell<Vec<EndName>>,
    /// Rooms for such lists. They stay with the thread.
    rooms: RefCell<Vec<Vec<EndName>>>,
}

/// So many rooms are kept.
const ROOMS: usize = 16;

impl Journeys {
    pub(super) const fn new() -> Journeys {
        Journeys {
            heading: Cell::new(Heading::Nowhere),
            known: RefCell::new(Vec::new()),
            rooms: RefCell::new(Vec::new()),
        }
    }

    /// Exchanges what is under way with another one.
    #[cfg(feature = "testing")]
    pub(super) fn exchange(&self, other: &Journeys) {
        other.heading.set(self.heading.replace(other.heading.get()));
        // Nearly always nothing has; empty rooms stay where they are.
        if !(self.known.borrow().is_empty() && other.known.borrow().is_empty()) {
            self.known.swap(&other.known);
        }
    }

    /// Nothing is under way.
    #[cfg(feature = "testing")]
    pub(super) fn renew(&self) {
        self.heading.set(Heading::Nowhere);
        self.known.borrow_mut().clear();
    }

    /// The thread has ended.
    pub(super) fn give_up(&self) {
        drop((self.known.take(), self.rooms.take()));
    }

    /// How many ends the journey that is under way has moved.
    #[inline]
    fn count(&self) -> u32 {
        match self.heading.get() {
            Heading::Nowhere => 0,
            Heading::Into { departed: count, .. } | Heading::OutOf { arrived: count, .. } => count,
        }
    }

    /// The journey that is under way has moved one more.
    fn note(&self, end: EndName) {
        let mut known = self.known.borrow_mut();
        if known.capacity() == 0 {
            *known = self.rooms.borrow_mut().pop().unwrap_or_default();
        }
        known.push(end);
        let heading = match self.heading.get() {
            Heading::Into { packet, departed } => Heading::Into { packet, departed: departed + 1 },
            Heading::OutOf { packet, arrived } => Heading::OutOf { packet, arrived: arrived + 1 },
            Heading::Nowhere => Heading::Nowhere,
        };
        self.heading.set(heading);
    }

    /// Takes the ends of the journey that is under way off the list.
    #[cold]
    fn take(&self) -> Vec<EndName> {
        let heading = match self.heading.get() {
            Heading::Into { packet, .. } => Heading::Into { packet, departed: 0 },
            Heading::OutOf { packet, .. } => Heading::OutOf { packet, arrived: 0 },
            Heading::Nowhere => Heading::Nowhere,
        };
        let count = self.count() as usize;
        self.heading.set(heading);
        let mut all = self.known.borrow_mut();
        let before = all.len().saturating_sub(count);
        if before == 0 { std::mem::take(&mut *all) } else { all.split_off(before) }
    }

    /// The journey that is under way is over, and nobody asks for its ends.
    #[cold]
    fn forget(&self) {
        let mut all = self.known.borrow_mut();
        let before = all.len().saturating_sub(self.count() as usize);
        all.truncate(before);
    }
}

/// While it lives, ends of the calling actor travel with a packet. One that begins while another is under way, in a
/// user's `Serialize` or `Deserialize`, interrupts it and shares nothing with it.
pub(crate) struct Journey {
    before: Heading,
}

impl Journey {
    /// A value is about to be serialized into this packet.
    #[inline]
    pub(crate) fn into_packet(packet: Holder) -> Journey {
        let heading = Heading::Into { packet, departed: 0 };
        Journey { before: actor(|actor| actor.journeys.heading.replace(heading)) }
    }

    /// A value is about to be serialized into no packet: an end inside does not travel.
    #[inline]
    pub(crate) fn nowhere() -> Journey {
        Journey { before: actor(|actor| actor.journeys.heading.replace(Heading::Nowhere)) }
    }

    /// A value is about to be deserialized out of this packet.
    #[inline]
    pub(crate) fn out_of_packet(packet: Holder) -> Journey {
        let heading = Heading::OutOf { packet, arrived: 0 };
        Journey { before: actor(|actor| actor.journeys.heading.replace(heading)) }
    }

    /// The ends that went into the packet or came out of it.
    #[inline]
    pub(crate) fn ends(self) -> Vec<EndName> {
        actor(|actor| if actor.journeys.count() == 0 { Vec::new() } else { actor.journeys.take() })
    }
}

impl Drop for Journey {
    #[inline]
    fn drop(&mut self) {
        actor(|actor| {
            if actor.journeys.count() != 0 {
                actor.journeys.forget();
            }
            actor.journeys.heading.set(self.before);
        });
    }
}

/// Why an end does not travel.
#[derive(Debug)]
pub(crate) enum Stranded {
    /// No message is being written or read here.
    NoJourney,
    /// The message names an end that does not exist, or that does not travel with it.
    Unknown,
    Refused(ArenaError),
}

impl Actor {
    /// Nobody needs this list of ends any more: its room is for the next journey.
    pub(crate) fn keep_room(&self, mut ends: Vec<EndName>) {
        let mut rooms = self.journeys.rooms.borrow_mut();
        if ends.capacity() > 0 && rooms.len() < ROOMS {
            ends.clear();
            rooms.push(ends);
        }
    }

    /// An end departs: one more end of its channel, held by the packet.
    pub(crate) fn depart(&self, channel: ChannelName, direction: Direction) -> Result<EndName, Stranded> {
        let end = self.send_end(channel, direction, self.travels_into()?).map_err(Stranded::Refused)?;
        self.journeys.note(end);
        Ok(end)
    }

    /// The packet that ends go into now.
    pub(crate) fn travels_into(&self) -> Result<Holder, Stranded> {
        match self.journeys.heading.get() {
            Heading::Into { packet, .. } => Ok(packet),
            _ => Err(Stranded::NoJourney),
        }
    }

    /// Whether ends come out of a packet now.
    pub(crate) fn travels_out(&self) -> bool {
        matches!(self.journeys.heading.get(), Heading::OutOf { .. })
    }

    /// An end arrives: from the packet to the process that the actor acts for.
    pub(crate) fn arrive(&self, end: EndName, direction: Direction) -> Result<ChannelName, Stranded> {
        let Heading::OutOf { packet, .. } = self.journeys.heading.get() else {
            return Err(Stranded::NoJourney);
        };
        let place = end.place().filter(|(_, side)| *side == direction);
        let (channel, _) = place.ok_or(Stranded::Unknown)?;
        if !self.receive_end(end, packet).map_err(Stranded::Refused)? {
            return Err(Stranded::Unknown);
        }
        self.journeys.note(end);
        Ok(channel)
    }
}
