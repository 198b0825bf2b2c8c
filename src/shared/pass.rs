//! Passing a gate, and waiting at one, as guards of an alternation.
//!
//! Knows nothing of what the permits mean: what has them says what it makes of its unit.

use crate::alternation::{Arm, Content, Offered, Outcome, Stowed, Take, Verdict, no_value};
use crate::channel::{ChannelError, Gate, Unit};
use std::fmt;
use std::marker::PhantomData;

/// What is made of the permits that were taken.
#[doc(hidden)]
pub trait FromUnit {
    #[doc(hidden)]
    fn from_unit(unit: Taken) -> Self;
}

/// Permits on their way.
#[doc(hidden)]
#[derive(Debug)]
pub struct Taken(pub(super) Unit);

/// Waits for permits of a gate.
pub struct PassArm<'a, V> {
    gate: &'a Gate,
    weight: u32,
    unit: Option<Unit>,
    values: PhantomData<fn() -> V>,
}

impl<'a, V> PassArm<'a, V> {
    pub(super) fn new(gate: &'a Gate, weight: u32) -> PassArm<'a, V> {
        PassArm { gate, weight, unit: None, values: PhantomData }
    }
}

impl<V> Arm for PassArm<'_, V> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        Ok(Offered(Some(self.gate.taking(self.weight)?)))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        let unit = outcome.passed()?;
        self.unit = unit.map(|unit| Unit::new(self.gate.channel(), unit));
        Ok(Verdict::Done)
    }

    fn stow(&mut self) -> Stowed {
        self.unit.take().map_or(Stowed::NOTHING, |unit| Stowed(Content::Value(Box::new(unit))))
    }
}

impl<V: FromUnit> Take for PassArm<'_, V> {
    type Output = V;

    fn unpack(mut stowed: Stowed) -> Result<V, ChannelError> {
        Ok(V::from_unit(Taken(stowed.value())))
    }

    fn take(&mut self) -> Result<V, ChannelError> {
        Ok(V::from_unit(Taken(self.unit.take().unwrap_or_else(|| no_value()))))
    }
}

/// Waits until so many permits of a gate are free, and takes none.
pub struct WaitArm<'a> {
    gate: &'a Gate,
    weight: u32,
}

impl<'a> WaitArm<'a> {
    pub(super) fn new(gate: &'a Gate, weight: u32) -> WaitArm<'a> {
        WaitArm { gate, weight }
    }
}

impl Arm for WaitArm<'_> {
    fn offer(&mut self) -> Result<Offered, ChannelError> {
        Ok(Offered(Some(self.gate.waiting(self.weight)?)))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        outcome.passed().map(|_| Verdict::Done)
    }
}

impl Take for WaitArm<'_> {
    type Output = ();

    fn unpack(_: Stowed) -> Result<(), ChannelError> {
        Ok(())
    }
}

impl fmt::Debug for WaitArm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaitArm")
    }
}

impl<V> fmt::Debug for PassArm<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassArm")
    }
}
