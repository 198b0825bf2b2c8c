//! Ends on their way: what makes a `Reader` inside a message arrive as a `Reader`.
//!
//! Knows nothing of formats. While a value is being serialized, the thread knows the packet it goes into, and an end
//! inside the value requests one more end of its channel for that packet. While it is deserialized, the end changes
//! hands from the packet to the process. So ends are counted wherever they are, and close with the packet if the
//! message never arrives.

use super::end::{End, NO_END, NOWHERE};
use crate::engine::ChannelName;
use crate::engine::live::{Direction, EndName, Holder, member, with_local};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy)]
enum Heading {
    Nowhere,
    /// Into a packet, by the name under which it holds ends.
    Into(Holder),
    OutOf {
        packet: Holder,
        /// So many of the last in `ARRIVED` came out of it.
        arrived: u32,
        /// The value has been deserialized before, in vain: those ends are gone with it.
        again: bool,
    },
}

thread_local! {
    static HEADING: Cell<Heading> = const { Cell::new(Heading::Nowhere) };
    /// The ends that came out of packets: of the journey that is under way, before them those of the one it interrupts,
    /// and so on.
    static ARRIVED: RefCell<Vec<EndName>> = const { RefCell::new(Vec::new()) };
}

/// While it lives, ends of the calling thread travel with a packet. One that begins while another is under way, in a
/// user's `Serialize` or
/// `Deserialize`, interrupts it and shares nothing with it.
pub(super) struct Journey {
    before: Heading,
}

impl Journey {
    #[inline]
    pub(super) fn into_packet(packet: Holder) -> Journey {
        Journey { before: HEADING.replace(Heading::Into(packet)) }
    }

    #[inline]
    pub(super) fn out_of_packet(packet: Holder) -> Journey {
        Journey { before: HEADING.replace(Heading::OutOf { packet, arrived: 0, again: false }) }
    }

    /// The value is about to be deserialized once more, to learn why it could not be: ends that came out of the packet
    /// the first time are gone, and others that can do nothing stand for them.
    pub(super) fn again(&self) {
        if let Heading::OutOf { packet, arrived, .. } = HEADING.get() {
            HEADING.set(Heading::OutOf { packet, arrived, again: true });
        }
    }

    /// The ends that came out of the packet.
    #[inline]
    pub(super) fn arrived(self) -> Vec<EndName> {
        match HEADING.get() {
            Heading::OutOf { arrived: 0, .. } => Vec::new(),
            _ => take_arrived(),
        }
    }
}

impl Drop for Journey {
    #[inline]
    fn drop(&mut self) {
        if let Heading::OutOf { arrived: 1.., .. } = HEADING.get() {
            drop(take_arrived());
        }
        HEADING.set(self.before);
    }
}

/// Takes the ends that came out of the packet of the journey that is under way off the list.
#[cold]
fn take_arrived() -> Vec<EndName> {
    let Heading::OutOf { packet, arrived, again } = HEADING.get() else { return Vec::new() };
    HEADING.set(Heading::OutOf { packet, arrived: 0, again });
    ARRIVED.with_borrow_mut(|all| all.split_off(all.len().saturating_sub(arrived as usize)))
}

/// What stands in a message for an end.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Ticket {
    index: u32,
    generation: u32,
}

/// An end departs: one more end of its channel, held by the packet.
pub(super) fn depart<S: serde::Serializer>(end: &End, direction: Direction, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::Error;
    let Heading::Into(packet) = HEADING.get() else {
        let reason =
            "the end of a channel can only travel in a csproc message, argument or result, not into a file or a socket";
        return Err(S::Error::custom(reason));
    };
    if end.channel() == NOWHERE {
        return Err(S::Error::custom(end.refusal()));
    }
    let requested = with_local(|local| local.request_end(end.channel(), direction, packet));
    let end = requested.and_then(|end| end).map_err(S::Error::custom)?;
    Ticket { index: end.index, generation: end.generation }.serialize(serializer)
}

/// An end arrives: from the packet to the process that the calling thread acts for.
pub(super) fn arrive<'de, D: serde::Deserializer<'de>>(
    direction: Direction,
    deserializer: D,
) -> Result<(ChannelName, EndName), D::Error> {
    use serde::de::Error;
    let Heading::OutOf { packet, arrived, again } = HEADING.get() else {
        let reason = "the end of a channel can only arrive in a csproc message, argument or result";
        return Err(D::Error::custom(reason));
    };
    let ticket = Ticket::deserialize(deserializer)?;
    let end = EndName { index: ticket.index, generation: ticket.generation };
    if again && ARRIVED.with_borrow(|all| all[all.len() - arrived as usize..].contains(&end)) {
        return Ok((NOWHERE, NO_END));
    }
    let unknown = || D::Error::custom("it names an end of a channel that does not exist");
    let (channel, _) = end.place().filter(|(_, side)| *side == direction).ok_or_else(unknown)?;
    let moved = with_local(|local| {
        let holder = Holder::Member(member()?);
        Ok(local.move_end(end, packet, holder))
    });
    match moved.and_then(|moved| moved) {
        Ok(true) => {
            ARRIVED.with_borrow_mut(|all| all.push(end));
            HEADING.set(Heading::OutOf { packet, arrived: arrived + 1, again });
            Ok((channel, end))
        }
        Ok(false) => Err(unknown()),
        Err(error) => Err(D::Error::custom(error)),
    }
}
