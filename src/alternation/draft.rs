//! `Draft`: the message of an output guard: none, one on offer, or the reason why there cannot be one.
//!
//! Knows nothing of the guard's end. What no reader has is freed with the draft.

use crate::channel::{ChannelError, End, Loan, Message, Outgoing, Plain, check_lends};
use crate::engine::{ChannelName, Fate, Guard, Packet, Unsent};

/// A message that is to be written, or the reason why it cannot be.
pub(super) struct Draft(Result<Outgoing, ChannelError>);

impl Default for Draft {
    fn default() -> Draft {
        Draft(Ok(Outgoing::Plain(Unsent::default())))
    }
}

impl Draft {
    /// Puts another value in place.
    pub(super) fn stage<T: Message>(&mut self, end: &End, value: &T) {
        self.withdraw();
        self.0 = end.check().and_then(|()| Ok(Outgoing::pack(end, value)?));
    }

    /// Puts a loan in place.
    pub(super) fn lend<T: Plain>(&mut self, end: &End, loan: Loan<T>) {
        self.withdraw();
        let lends = end.check().and_then(|()| check_lends(end));
        self.0 = lends.map(|()| Outgoing::Plain(Unsent::of(loan.into_packet())));
    }

    /// Takes the message back, if nobody has it.
    pub(super) fn take_back(&mut self) -> Option<Packet> {
        self.0.as_mut().ok()?.packet().take()
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

    /// The message, if there is one.
    #[cfg(feature = "async")]
    pub(super) fn into_message(self) -> Option<Outgoing> {
        self.0.ok()
    }

    /// Frees the message.
    pub(super) fn withdraw(&mut self) {
        *self = Draft::default();
    }
}
