//! A value at rest in the arena: the arguments of a process that has not started, or the result of one that has ended.
//!
//! Knows nothing of processes. A parcel belongs to the process that holds it; ends inside are held by the parcel and go
//! with it.

use super::codec::{Message, decode, encode};
use super::error::MessageError;
use crate::engine::live::{Closing, Direction, EndName, Holder, Owner, member, tables, with_local};
use crate::memory::{Block, NONE};

/// A serialized value in a block of its own.
#[derive(Debug)]
pub(crate) struct Parcel {
    block: Block,
    type_name: &'static str,
}

impl Parcel {
    /// Serializes a value; ends inside are requested again for the parcel.
    pub(crate) fn pack<T: Message>(value: &T) -> Result<Parcel, MessageError> {
        let parcel = Parcel { block: encode(value)?, type_name: std::any::type_name::<T>() };
        tables().arena.block(parcel.block).set_owner(Owner::Member(member()?).tag());
        Ok(parcel)
    }

    /// A block that already belongs to the calling process.
    pub(crate) fn of_block(block: Block, type_name: &'static str) -> Parcel {
        Parcel { block, type_name }
    }

    /// Makes the value, and says which ends came with it.
    pub(crate) fn open<T: Message>(self) -> Result<(T, Vec<EndName>), MessageError> {
        decode(self.block)
    }

    /// Makes the value if it is a `T`. Ends inside can be taken out once.
    pub(crate) fn peek<T: Message>(&self) -> Option<T> {
        (self.type_name == std::any::type_name::<T>())
            .then(|| decode(self.block).ok())
            .flatten()
            .map(|(value, _)| value)
    }

    /// The type of the value.
    pub(crate) fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The block has become the calling process's: from now on the parcel goes when this process does.
    pub(crate) fn adopted(self) -> Parcel {
        if let Ok(member) = member() {
            tables().arena.block(self.block).set_owner(Owner::Member(member).tag());
        }
        self
    }

    /// Hands the block over to a member.
    pub(crate) fn hand_to(mut self, member: u32) -> Block {
        let block = std::mem::replace(&mut self.block, NONE);
        tables().arena.block(block).set_owner(Owner::Member(member).tag());
        block
    }

    /// Gives the parcel up, and the ends inside as `closing` says.
    pub(crate) fn discard(mut self, closing: Closing) {
        let block = std::mem::replace(&mut self.block, NONE);
        // Without a context: the reaper frees it with this process.
        let _ = with_local(|local| local.discard(block, closing));
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if self.block != NONE {
            // As above.
            let _ = with_local(|local| local.discard(self.block, Closing::Retire));
        }
    }
}

/// The channels of the ends inside a parcel: identity, name, and whether the end is a writer.
pub(crate) fn describe_ends(parcel: &Parcel) -> Vec<((u32, u32), String, bool)> {
    let tables = tables();
    let ends = tables.held_by(Holder::Block(parcel.block)).into_iter().filter_map(|end| tables.end(end));
    ends.filter(|(_, direction)| *direction != Direction::Handle)
        .map(|(channel, direction)| {
            let id = (channel.index, channel.generation);
            (id, super::end::label(channel), direction == Direction::Writer)
        })
        .collect()
}
