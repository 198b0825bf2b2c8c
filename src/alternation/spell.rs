//! The guards as the three macros spell them: one function for each form of an arm.
//!
//! Knows nothing of how arms work. A wrong end is an error of the bound of its function, drawn at the user's token.

use super::arms::{ExtendedArm, SkipArm, SyncArm, WriteArm};
use super::guard::{Extend, Guard, Input, Output, Synced};
use super::timer::TimerArm;
use crate::channel::Message;
use std::time::{Duration, Instant};

/// `end.read()`
pub fn read<G: Input + ?Sized>(end: &G) -> G::Arm<'_> {
    end.arm()
}

/// `end.read_extended()`
pub fn read_extended<'a, T: Message + 'a, G: Extend<T> + ?Sized>(end: &'a G) -> ExtendedArm<'a, T> {
    ExtendedArm::new(end.reader())
}

/// `end.write(value)`; the value is serialized now.
pub fn write<'a, T: Message + 'a, W: Output<T> + ?Sized>(end: &'a W, value: T) -> WriteArm<'a> {
    WriteArm::new(end.writer(), &value)
}

/// `barrier.sync()`
pub fn sync<G: Synced + ?Sized>(barrier: &G) -> SyncArm<'_> {
    SyncArm::new(barrier.barrier())
}

/// A value that is a guard.
pub fn guard<G: Guard + ?Sized>(guard: &G) -> G::Arm<'_> {
    guard.arm()
}

/// `after(duration)`
pub fn after(duration: Duration) -> TimerArm {
    TimerArm::after(duration)
}

/// `at(instant)`
pub fn at(instant: Instant) -> TimerArm {
    TimerArm::at(instant)
}

/// `skip`
pub fn skip() -> SkipArm {
    SkipArm::new()
}
