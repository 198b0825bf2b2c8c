//! What a channel brings as a guard of an alternation that fires when the channel has ended, too.
//!
//! Knows nothing of tasks. The end of the channel of an answer is an answer, and not a failure of the alternation.

use super::failure::TaskFailure;
use crate::alternation::{Arm, Content, Guard, Offered, Outcome, ReadArm, Stowed, Take, Verdict};
use crate::channel::{ChannelError, Message, Reader};
use std::fmt;

/// Fires when there is an answer, or will never be one.
pub(super) struct Awaited<'a, T>(pub(super) &'a Reader<T>);

impl<T: Message> Guard for Awaited<'_, T> {
    type Output = Result<T, TaskFailure>;
    type Arm<'a>
        = AnswerArm<'a, T>
    where
        Self: 'a;

    fn arm(&self) -> AnswerArm<'_, T> {
        AnswerArm::new(self.0)
    }
}

/// Waits for an answer.
pub(super) struct AnswerArm<'a, T: Message> {
    read: ReadArm<'a, T>,
    ended: Option<TaskFailure>,
}

impl<'a, T: Message> AnswerArm<'a, T> {
    pub(super) fn new(answer: &'a Reader<T>) -> AnswerArm<'a, T> {
        AnswerArm { read: answer.arm(), ended: None }
    }

    /// It has fired although nothing came.
    pub(super) fn end(&mut self, failure: TaskFailure) {
        self.ended = Some(failure);
    }
}

impl<T: Message> Arm for AnswerArm<'_, T> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.read.offer()
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        self.ended = self.read.fire(outcome).err().map(TaskFailure::of_channel);
        Ok(Verdict::Done)
    }

    fn stow(&mut self) -> Stowed {
        match self.ended.take() {
            Some(failure) => Stowed(Content::Value(Box::new(failure))),
            None => self.read.stow(),
        }
    }
}

impl<T: Message> Take for AnswerArm<'_, T> {
    type Output = Result<T, TaskFailure>;

    fn unpack(mut stowed: Stowed) -> Result<Self::Output, ChannelError> {
        if matches!(stowed.0, Content::Value(_)) {
            return Ok(Err(stowed.value()));
        }
        Ok(ReadArm::unpack(stowed).map_err(TaskFailure::of_channel))
    }
}

impl<T: Message> fmt::Debug for AnswerArm<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerArm")
    }
}
