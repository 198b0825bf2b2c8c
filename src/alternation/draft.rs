//! `Draft`: the message of an output guard, from the moment it is serialized to the moment a reader has it.
//!
//! Knows nothing of the guard's end but what a message to it looks like. What no reader has is freed with the draft.

use crate::channel::{ChannelError, End, Message, Staged, encode};
use crate::engine::{ChannelName, Fate, Guard, Packet};

/// A message that is to be written, or the reason why it cannot be.
pub(super) struct Draft(Result<Content, ChannelError>);

enum Content {
    /// Nothing before a value was put in place, and after a reader has taken it.
    Plain(Option<Packet>),
    /// The value travels beside its packet.
    Carried(Staged),
}

impl Content {
    fn packet(&mut self) -> &mut Option<Packet> {
        match self {
            Content::Plain(packet) => packet,
            Content::Carried(staged) => staged.packet(),
        }
    }
}

impl Default for Draft {
    fn default() -> Draft {
        Draft(Ok(Content::Plain(None)))
    }
}

impl Draft {
    /// Puts another value in place.
    pub(super) fn stage<T: Message>(&mut self, end: &End, value: &T) {
        self.withdraw();
        self.0 = end.check().and_then(|()| {
            Ok(if end.is_carried() {
                Content::Carried(Staged::pack(value)?)
            } else {
                Content::Plain(Some(encode(value)?))
            })
        });
    }

    /// The guard that offers the message, unless there is none.
    pub(super) fn guard(&mut self, channel: ChannelName) -> Result<Option<Guard>, ChannelError> {
        match &mut self.0 {
            Ok(content) => Ok(content.packet().as_ref().map(|packet| packet.guard(channel))),
            Err(error) => Err(error.clone()),
        }
    }

    /// The message was offered, and this became of it.
    pub(super) fn settle(&mut self, outcome: Result<Option<Packet>, Fate>) -> Result<(), Fate> {
        if let Ok(content) = &mut self.0 {
            Packet::settle(content.packet(), &outcome);
        }
        outcome.map(drop)
    }

    /// Frees the message.
    pub(super) fn withdraw(&mut self) {
        *self = Draft::default();
    }
}
