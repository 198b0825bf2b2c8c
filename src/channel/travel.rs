//! Ends on their way: what makes a `Reader` inside a message arrive as a `Reader`.
//!
//! Knows nothing of formats. While a value is being serialized, the thread knows the block it goes into, and an end
//! inside the value requests one more end of its channel for that block. While it is deserialized, the end changes
//! hands from the block to the process. So ends are counted wherever they are, and die with the block if the message
//! never arrives.

use crate::engine::ChannelName;
use crate::engine::live::{Direction, EndName, Holder, member, tables, with_local};
use crate::memory::{Block, NONE};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Heading {
    Nowhere,
    Into(Block),
    OutOf(Block),
}

thread_local! {
    static HEADING: Cell<Heading> = const { Cell::new(Heading::Nowhere) };
    static ARRIVED: RefCell<Vec<EndName>> = const { RefCell::new(Vec::new()) };
    static REASON: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// While it lives, ends of the calling thread travel with a block.
pub(super) struct Journey {
    before: Heading,
}

impl Journey {
    pub(super) fn into_block(block: Block) -> Journey {
        Journey { before: HEADING.replace(Heading::Into(block)) }
    }

    pub(super) fn out_of_block(block: Block) -> Journey {
        Journey { before: HEADING.replace(Heading::OutOf(block)) }
    }

    /// The ends that came out of the block.
    pub(super) fn arrived(self) -> Vec<EndName> {
        ARRIVED.take()
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        HEADING.set(self.before);
    }
}

/// Postcard keeps no text of a custom error, so it is kept here on the side.
pub(super) fn take_reason() -> Option<String> {
    REASON.take()
}

fn complain(reason: String) -> String {
    REASON.set(Some(reason.clone()));
    reason
}

/// What stands in a message for an end.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Ticket {
    index: u32,
    generation: u32,
}

/// An end departs: one more end of its channel, held by the block.
pub(super) fn depart<S: serde::Serializer>(
    channel: ChannelName,
    direction: Direction,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    use serde::ser::Error;
    let Heading::Into(block) = HEADING.get() else {
        let reason =
            "the end of a channel can only travel in a csproc message, argument or result, not into a file or a socket";
        return Err(S::Error::custom(complain(String::from(reason))));
    };
    let requested = with_local(|local| local.request_end(channel, direction, Holder::Block(block)));
    let end = requested.and_then(|end| end).map_err(|error| S::Error::custom(complain(error.to_string())))?;
    Ticket { index: end.index, generation: end.generation }.serialize(serializer)
}

/// An end arrives: from the block to the process that the calling thread acts for.
pub(super) fn arrive<'de, D: serde::Deserializer<'de>>(
    direction: Direction,
    deserializer: D,
) -> Result<(ChannelName, EndName), D::Error> {
    use serde::de::Error;
    let Heading::OutOf(block) = HEADING.get() else {
        let reason = "the end of a channel can only arrive in a csproc message, argument or result";
        return Err(D::Error::custom(complain(String::from(reason))));
    };
    debug_assert!(block != NONE);
    let ticket = Ticket::deserialize(deserializer)?;
    let end = EndName { index: ticket.index, generation: ticket.generation };
    let unknown = || D::Error::custom(complain(String::from("it names an end of a channel that does not exist")));
    let (channel, _) = tables().end(end).filter(|(_, side)| *side == direction).ok_or_else(unknown)?;
    let moved = with_local(|local| {
        let holder = Holder::Member(member()?);
        Ok(local.move_end(end, Holder::Block(block), holder))
    });
    match moved.and_then(|moved| moved) {
        Ok(true) => {
            ARRIVED.with_borrow_mut(|arrived| arrived.push(end));
            Ok((channel, end))
        }
        Ok(false) => Err(unknown()),
        Err(error) => Err(D::Error::custom(complain(error.to_string()))),
    }
}
