//! A value at rest in the arena: the arguments of a process that has not started, or the result of one that has ended.
//!
//! Knows nothing of processes. A parcel belongs to the process that holds it; ends inside are held by the parcel and go
//! with it.

use super::codec::{Message, decode, encode};
use super::error::MessageError;
use crate::engine::{Closing, Direction, EndName, Holder, Owner, Packet, member};

/// A serialized value in a packet of its own.
#[derive(Debug)]
pub(crate) struct Parcel {
    packet: Packet,
    type_name: &'static str,
}

impl Parcel {
    /// Serializes a value; ends inside are requested again for the parcel.
    pub(crate) fn pack<T: Message>(value: &T) -> Result<Parcel, MessageError> {
        let packet = encode(value)?;
        packet.hand_to(Owner::Member(member()?));
        Ok(Parcel { packet, type_name: std::any::type_name::<T>() })
    }

    /// A packet that holds a value of this type.
    pub(crate) fn of(packet: Packet, type_name: &'static str) -> Parcel {
        Parcel { packet, type_name }
    }

    /// Makes the value, and says which ends came with it.
    pub(crate) fn open<T: Message>(self) -> Result<(T, Vec<EndName>), MessageError> {
        decode(&self.packet)
    }

    /// Makes the value if it is a `T`. Ends inside can be taken out once.
    pub(crate) fn peek<T: Message>(&self) -> Option<T> {
        (self.type_name == std::any::type_name::<T>())
            .then(|| decode(&self.packet).ok())
            .flatten()
            .map(|(value, _)| value)
    }

    /// Who holds the ends inside.
    pub(crate) fn as_holder(&self) -> Holder {
        self.packet.as_holder()
    }

    /// Whether there are ends inside.
    pub(crate) fn has_ends(&self) -> bool {
        self.packet.has_ends()
    }

    /// The type of the value.
    pub(crate) fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// Hands the packet over to a member, whose slot is to keep it.
    pub(crate) fn hand_to(self, member: u32) -> Packet {
        self.packet.hand_to(Owner::Member(member));
        self.packet
    }

    /// Gives the parcel up, and the ends inside as `closing` says.
    pub(crate) fn discard(self, closing: Closing) {
        self.packet.discard(closing);
    }
}

/// The same value once more, by way of its serialized form; ends inside are requested again.
pub(crate) fn duplicate<T: Message>(value: &T) -> Result<T, MessageError> {
    Ok(Parcel::pack(value)?.open()?.0)
}

/// The channels of the ends inside a parcel: identity, name, and what the end is.
pub(crate) fn describe_ends(parcel: &Parcel) -> Vec<((u32, u32), String, Direction)> {
    let ends = parcel.packet.ends().into_iter().filter_map(EndName::place);
    ends.map(|(channel, direction)| ((channel.index, channel.generation), super::end::label(channel), direction))
        .collect()
}
