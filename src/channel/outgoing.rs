//! `Outgoing`: a message on offer, from the moment it is serialized to the moment a reader has it.
//!
//! Knows nothing of who offers it. What no reader has is freed with it.

use super::carrier::Staged;
use super::codec::{Message, encode};
use super::end::End;
use super::error::MessageError;
use crate::engine::{Packet, Unsent};

/// A message that is to be written.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Plain(Unsent),
    /// The value travels beside its packet.
    Carried(Staged),
}

impl Outgoing {
    /// Serializes a value as the channel of this end wants it.
    pub(crate) fn pack<T: Message>(end: &End, value: &T) -> Result<Outgoing, MessageError> {
        Ok(if end.is_carried() {
            Outgoing::Carried(Staged::pack(value)?)
        } else {
            Outgoing::Plain(Unsent::of(encode(value)?))
        })
    }

    /// The packet to offer; a reader may take it out.
    pub(crate) fn packet(&mut self) -> &mut Option<Packet> {
        match self {
            Outgoing::Plain(unsent) => unsent.packet(),
            Outgoing::Carried(staged) => staged.packet(),
        }
    }

    /// After a write that failed: the value as it was.
    #[cfg(feature = "async")]
    pub(super) fn restore<T: Message>(self, original: T) -> T {
        match self {
            Outgoing::Plain(_) => original,
            Outgoing::Carried(staged) => staged.restore(original),
        }
    }
}
