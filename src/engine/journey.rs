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
    Into(Holder),
    OutOf {
        packet: Holder,
        /// So many of the last that have arrived came out of it.
        arrived: u32,
    },
}

/// Where an actor's ends travel.
pub(super) struct Journeys {
    heading: Cell<Heading>,
    /// The ends that came out of packets: of the journey that is under way, before them those of the one it interrupts,
    /// and so on.
    arrived: RefCell<Vec<EndName>>,
}

impl Journeys {
    pub(super) const fn new() -> Journeys {
        Journeys { heading: Cell::new(Heading::Nowhere), arrived: RefCell::new(Vec::new()) }
    }

    /// Exchanges what is under way with another one.
    #[cfg(feature = "testing")]
    pub(super) fn exchange(&self, other: &Journeys) {
        other.heading.set(self.heading.replace(other.heading.get()));
        // Nearly always nothing has; empty rooms stay where they are.
        if !(self.arrived.borrow().is_empty() && other.arrived.borrow().is_empty()) {
            self.arrived.swap(&other.arrived);
        }
    }

    /// Nothing is under way.
    #[cfg(feature = "testing")]
    pub(super) fn renew(&self) {
        self.heading.set(Heading::Nowhere);
        self.arrived.borrow_mut().clear();
    }

    /// The thread has ended.
    pub(super) fn give_up(&self) {
        drop(self.arrived.take());
    }

    /// Takes the ends that came out of the packet of the journey that is under way off the list.
    #[cold]
    fn take_arrived(&self) -> Vec<EndName> {
        let Heading::OutOf { packet, arrived } = self.heading.get() else { return Vec::new() };
        self.heading.set(Heading::OutOf { packet, arrived: 0 });
        let mut all = self.arrived.borrow_mut();
        let before = all.len().saturating_sub(arrived as usize);
        all.split_off(before)
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
        Journey { before: actor(|actor| actor.journeys.heading.replace(Heading::Into(packet))) }
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

    /// The ends that came out of the packet.
    #[inline]
    pub(crate) fn arrived(self) -> Vec<EndName> {
        actor(|actor| match actor.journeys.heading.get() {
            Heading::OutOf { arrived: 0, .. } => Vec::new(),
            _ => actor.journeys.take_arrived(),
        })
    }
}

impl Drop for Journey {
    #[inline]
    fn drop(&mut self) {
        actor(|actor| {
            if let Heading::OutOf { arrived: 1.., .. } = actor.journeys.heading.get() {
                drop(actor.journeys.take_arrived());
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
    /// An end departs: one more end of its channel, held by the packet.
    pub(crate) fn depart(&self, channel: ChannelName, direction: Direction) -> Result<EndName, Stranded> {
        self.send_end(channel, direction, self.travels_into()?).map_err(Stranded::Refused)
    }

    /// The packet that ends go into now.
    pub(crate) fn travels_into(&self) -> Result<Holder, Stranded> {
        match self.journeys.heading.get() {
            Heading::Into(packet) => Ok(packet),
            _ => Err(Stranded::NoJourney),
        }
    }

    /// Whether ends come out of a packet now.
    pub(crate) fn travels_out(&self) -> bool {
        matches!(self.journeys.heading.get(), Heading::OutOf { .. })
    }

    /// An end arrives: from the packet to the process that the actor acts for.
    pub(crate) fn arrive(&self, end: EndName, direction: Direction) -> Result<ChannelName, Stranded> {
        let Heading::OutOf { packet, arrived } = self.journeys.heading.get() else {
            return Err(Stranded::NoJourney);
        };
        let place = end.place().filter(|(_, side)| *side == direction);
        let (channel, _) = place.ok_or(Stranded::Unknown)?;
        if !self.receive_end(end, packet).map_err(Stranded::Refused)? {
            return Err(Stranded::Unknown);
        }
        self.journeys.arrived.borrow_mut().push(end);
        self.journeys.heading.set(Heading::OutOf { packet, arrived: arrived + 1 });
        Ok(channel)
    }
}
