//! The answer of a task as a guard of an alternation, which fires however the task has ended.
//!
//! Knows nothing of the tasks. An end of the channel is an answer, too, and not a failure of the alternation.

use super::failure::TaskFailure;
use super::work::Answer;
use crate::alternation::{Arm, Content, Guard, Offered, Outcome, ReadArm, Stowed, Take, Verdict};
use crate::channel::{ChannelError, Message, Reader};
use std::fmt;

/// Fires when there is an answer, or will never be one.
pub(super) struct Awaited<'a, R>(pub(super) &'a Reader<Answer<R>>);

impl<R: Message> Guard for Awaited<'_, R> {
    type Output = Result<Answer<R>, TaskFailure>;
    type Arm<'a>
        = AnswerArm<'a, R>
    where
        Self: 'a;

    fn arm(&self) -> AnswerArm<'_, R> {
        AnswerArm::new(self.0)
    }
}

/// Waits for an answer.
pub(super) struct AnswerArm<'a, R: Message> {
    read: ReadArm<'a, Answer<R>>,
    ended: Option<TaskFailure>,
}

impl<'a, R: Message> AnswerArm<'a, R> {
    pub(super) fn new(answer: &'a Reader<Answer<R>>) -> AnswerArm<'a, R> {
        AnswerArm { read: answer.arm(), ended: None }
    }

    /// It has fired although nothing came.
    pub(super) fn end(&mut self, failure: TaskFailure) {
        self.ended = Some(failure);
    }
}

impl<R: Message> Arm for AnswerArm<'_, R> {
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

impl<R: Message> Take for AnswerArm<'_, R> {
    type Output = Result<Answer<R>, TaskFailure>;

    fn unpack(mut stowed: Stowed) -> Result<Self::Output, ChannelError> {
        if matches!(stowed.0, Content::Value(_)) {
            return Ok(Err(stowed.value()));
        }
        Ok(ReadArm::unpack(stowed).map_err(TaskFailure::of_channel))
    }
}

impl<R: Message> fmt::Debug for AnswerArm<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerArm")
    }
}
