//! One guard of an `Alternation`: its arm, borrowed or owned, and whether it is enabled.
//!
//! Knows nothing of the types of values: a token remembers them.

use super::arm::{Arm, Offered, Outcome, Stowed, Verdict, no_value};
use super::arms::{EndRef, ReadArm, WriteArm};
use super::guard::Guard;
use super::select::Arms;
use crate::channel::{ChannelError, End};
use std::any::Any;
use std::fmt;

/// One guard.
pub(super) struct Entry<'a> {
    /// In the order in which the guards were added. No number is used twice.
    pub(super) number: usize,
    pub(super) kind: Kind<'a>,
    pub(super) enabled: bool,
}

pub(super) enum Kind<'a> {
    /// The token knows the type of the values.
    Read(ReadArm<'a, ()>),
    Write(WriteArm<'a>),
    Own(Box<dyn Own>),
    Other(Box<dyn Arm + 'a>),
}

/// What the alternation owned, without its type.
#[doc(hidden)]
pub enum Returned {
    Nothing,
    #[expect(private_interfaces, reason = "only tokens look inside")]
    End(End),
    Guard(Box<dyn Any>),
}

impl Returned {
    /// The end of a reader or a writer.
    pub(super) fn end(self) -> End {
        match self {
            Returned::End(end) => end,
            _ => no_value(),
        }
    }

    /// Another guard.
    pub(super) fn guard<G: 'static>(self) -> G {
        match self {
            Returned::Guard(guard) => guard.downcast().map_or_else(|_| no_value(), |guard| *guard),
            _ => no_value(),
        }
    }
}

impl From<EndRef<'_>> for Returned {
    fn from(end: EndRef<'_>) -> Returned {
        match end {
            EndRef::Owned(end) => Returned::End(end),
            EndRef::Borrowed(_) => Returned::Nothing,
        }
    }
}

impl fmt::Debug for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Returned")
    }
}

/// A guard that the alternation owns.
pub(super) trait Own: Arm {
    fn give_back(self: Box<Self>) -> Box<dyn Any>;
}

/// Makes an arm of the guard whenever one is asked for.
pub(super) struct Owned<G> {
    guard: G,
    value: Stowed,
}

impl<G> Owned<G> {
    pub(super) fn new(guard: G) -> Owned<G> {
        Owned { guard, value: Stowed::NOTHING }
    }
}

impl<G: Guard> Arm for Owned<G> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        self.guard.arm().offer()
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        let mut arm = self.guard.arm();
        let verdict = arm.fire(outcome)?;
        self.value = arm.stow();
        Ok(verdict)
    }

    fn stow(&mut self) -> Stowed {
        std::mem::replace(&mut self.value, Stowed::NOTHING)
    }
}

impl<G: Guard + 'static> Own for Owned<G> {
    fn give_back(self: Box<Self>) -> Box<dyn Any> {
        Box::new(self.guard)
    }
}

impl Entry<'_> {
    fn inner(&mut self) -> &mut dyn Arm {
        match &mut self.kind {
            Kind::Read(arm) => arm,
            Kind::Write(arm) => arm,
            Kind::Own(arm) => &mut **arm,
            Kind::Other(arm) => &mut **arm,
        }
    }

    /// What the alternation owned.
    pub(super) fn give_back(self) -> Returned {
        match self.kind {
            Kind::Read(arm) => arm.into_end().into(),
            Kind::Write(arm) => arm.into_end().into(),
            Kind::Own(arm) => Returned::Guard(arm.give_back()),
            Kind::Other(_) => Returned::Nothing,
        }
    }
}

impl Arm for Entry<'_> {
    fn begin(&mut self) {
        self.inner().begin();
    }

    fn offer(&mut self) -> Result<Offered, ChannelError> {
        if self.enabled { self.inner().offer() } else { Ok(Offered(None)) }
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        self.inner().fire(outcome)
    }

    fn stow(&mut self) -> Stowed {
        self.inner().stow()
    }
}

impl<'a> Arms for Vec<Entry<'a>> {
    fn count(&self) -> usize {
        self.len()
    }

    fn arm(&mut self, number: usize) -> &mut dyn Arm {
        &mut self[number]
    }

    /// A reader that was not given up: whoever did that is told when it is asked.
    #[inline]
    fn is_steady(&self, number: usize) -> bool {
        let Entry { kind, enabled, .. } = &self[number];
        *enabled && matches!(kind, Kind::Read(arm) if arm.is_open())
    }
}
