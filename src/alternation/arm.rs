//! One guard of one alternation, from the moment it is evaluated to the moment it has fired or lost.
//!
//! Knows nothing of the other guards, nor of what an arm waits for. An arm is asked what it offers, told what became of
//! it, and gives its value.

use crate::channel::{ChannelError, Hold};
use crate::engine::{self, EndName, ExtendedWriter, Fate, Fired, Packet};
use std::any::Any;

/// What an arm offers to the engine: nothing when it is absent.
#[derive(Clone, Copy, Debug)]
pub struct Offered(pub(crate) Option<engine::Guard>);

/// What the engine says of an arm that fired.
#[derive(Debug)]
pub struct Outcome {
    /// The message that came with it, if any.
    pub(crate) came: Result<Option<Packet>, Fate>,
    /// The writer that an extended read holds.
    pub(crate) held: Option<ExtendedWriter>,
    /// The permits that were taken.
    pub(crate) unit: Option<EndName>,
}

impl Outcome {
    /// Of a guard that has fired.
    pub(super) fn of(fired: Fired) -> Outcome {
        Outcome { came: fired.packet(), held: fired.writer(), unit: fired.unit() }
    }

    /// Of a guard that brings nothing.
    #[cfg(feature = "async")]
    pub(super) fn bare() -> Outcome {
        Outcome { came: Ok(None), held: None, unit: None }
    }
}

/// Whether an arm that fired stands by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It has fired.
    Done,
    /// The occasion has passed: the alternation looks again.
    Again,
}

/// A value on its way out of an arm, without its type.
#[derive(Debug)]
pub struct Stowed(pub(crate) Content);

/// The kinds of values on their way.
#[derive(Debug)]
pub(crate) enum Content {
    Nothing,
    /// A message that is still serialized.
    Message(Packet),
    /// The same, with its writer waiting.
    Held(Hold),
    Value(Box<dyn Any + Send>),
}

impl Stowed {
    pub(crate) const NOTHING: Stowed = Stowed(Content::Nothing);

    /// Takes out what is inside, and leaves nothing.
    pub(crate) fn open(&mut self) -> Content {
        std::mem::replace(&mut self.0, Content::Nothing)
    }

    /// The value of an arm that brought one of this type.
    pub(crate) fn value<V: 'static>(&mut self) -> V {
        match self.open() {
            Content::Value(value) => value.downcast().map_or_else(|_| no_value(), |value| *value),
            _ => no_value(),
        }
    }
}

/// One guard at work.
pub trait Arm {
    /// A selection begins.
    fn begin(&mut self) {}

    /// What it offers now.
    fn offer(&mut self) -> Result<Offered, ChannelError>;

    /// It fired.
    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError>;

    /// Another one fired, and this one is not needed again.
    fn lose(&mut self) {}

    /// What it brought when it fired, without its type: once.
    fn stow(&mut self) -> Stowed {
        Stowed::NOTHING
    }
}

/// An arm whose value has a type.
pub trait Take: Arm {
    /// The type of the value.
    type Output;

    /// The value that an arm of this type has stowed.
    fn unpack(stowed: Stowed) -> Result<Self::Output, ChannelError>;

    /// The value, once the arm has fired.
    fn take(&mut self) -> Result<Self::Output, ChannelError> {
        Self::unpack(self.stow())
    }
}

/// A guard whose precondition was false is absent.
impl<A: Arm> Arm for Option<A> {
    fn begin(&mut self) {
        if let Some(arm) = self {
            arm.begin();
        }
    }

    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.as_mut().map_or(Ok(Offered(None)), Arm::offer)
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        self.as_mut().map_or(Ok(Verdict::Done), |arm| arm.fire(outcome))
    }

    fn lose(&mut self) {
        if let Some(arm) = self {
            arm.lose();
        }
    }

    fn stow(&mut self) -> Stowed {
        self.as_mut().map_or(Stowed::NOTHING, Arm::stow)
    }
}

impl<A: Take> Take for Option<A> {
    type Output = A::Output;

    fn unpack(stowed: Stowed) -> Result<A::Output, ChannelError> {
        A::unpack(stowed)
    }
}

/// Asked for the value of an arm that has not fired, or for the value of another arm: the alternation itself is wrong.
#[cold]
pub(crate) fn no_value() -> ! {
    unreachable!("an arm gives its value once, after it has fired")
}
