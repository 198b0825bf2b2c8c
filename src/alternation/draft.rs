//! `Draft`: the message of an output guard, from the moment it is serialized to the moment a reader has it.
//!
//! Knows nothing of the guard. What no reader has is freed with the draft.

use crate::channel::{ChannelError, End, Message, Staged, discard, encode, keep};
use crate::engine::Fate;
use crate::memory::{Block, NONE};

/// A message that is to be written, or the reason why it cannot be.
pub(super) struct Draft {
    staged: Result<Block, ChannelError>,
    /// What the staged block stands for, when the value travels beside it.
    carried: Option<Staged>,
}

impl Default for Draft {
    fn default() -> Draft {
        Draft { staged: Ok(NONE), carried: None }
    }
}

impl Draft {
    /// Puts another value in place.
    pub(super) fn stage<T: Message>(&mut self, end: &End, value: &T) {
        self.withdraw();
        self.staged = end.check().and_then(|()| {
            if !end.is_carried() {
                return Ok(encode(value)?);
            }
            let mut staged = Staged::pack(value)?;
            let block = staged.lend();
            self.carried = Some(staged);
            Ok(block)
        });
    }

    /// The block to offer, unless there is no message.
    pub(super) fn block(&self) -> Result<Option<Block>, ChannelError> {
        let block = self.staged.clone()?;
        Ok((block != NONE).then_some(block))
    }

    /// The block was offered, and this became of it.
    pub(super) fn settle(&mut self, outcome: Result<Block, Fate>) -> Result<(), Fate> {
        if matches!(outcome, Ok(_) | Err(Fate::Abandoned { .. })) {
            // The reader has it.
            self.staged = Ok(NONE);
            self.carried = None;
        }
        keep(outcome?);
        Ok(())
    }

    /// Frees the message.
    pub(super) fn withdraw(&mut self) {
        if let Ok(block) = std::mem::replace(&mut self.staged, Ok(NONE)) {
            discard(block);
        }
        self.carried = None;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.withdraw();
    }
}
