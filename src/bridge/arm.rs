//! A bridge as a guard of one alternation.
//!
//! Knows nothing of what the bridge leads to. The arm looks before it offers. What is there, or has ended, is offered
//! as a time that has come: ready in its turn, so that priorities hold. If nothing is there, the arm offers to read the
//! bell of the bridge's thread. A message is taken when the arm fires, not before. Should there be none then, the
//! alternation looks again; and as for this arm, the attempt was the look: it offers to read the bell, so that a source
//! whose look cannot tell whether taking will succeed keeps no other guard from firing.

use super::end::Bridge;
use super::source::Source;
use crate::alternation::{Arm, Content, Guard, Input, Offered, Outcome, Stowed, Take, Verdict, no_value};
use crate::channel::ChannelError;
use crate::engine;
use crate::sys::clock::Deadline;
use std::fmt;
use std::time::Instant;

impl<S: Source> Guard for Bridge<S> {
    type Output = S::Value;
    type Arm<'a>
        = BridgeArm<'a, S>
    where
        S: 'a;

    fn arm(&self) -> BridgeArm<'_, S> {
        BridgeArm { bridge: self, value: None, took_in_vain: false }
    }
}

impl<S: Source> Input for Bridge<S> {}

/// A bridge at work.
#[doc(hidden)]
pub struct BridgeArm<'a, S: Source> {
    bridge: &'a Bridge<S>,
    value: Option<S::Value>,
    /// There was nothing a moment ago.
    took_in_vain: bool,
}

impl<S: Source> Arm for BridgeArm<'_, S> {
    fn begin(&mut self) {
        self.took_in_vain = false;
    }

    fn offer(&mut self) -> Result<Offered, ChannelError> {
        let Bridge { source, watcher } = self.bridge;
        let guard = if !std::mem::take(&mut self.took_in_vain) && source.is_ready() {
            engine::Guard::Timer { deadline: Deadline::at(Instant::now()) }
        } else {
            engine::Guard::Input { channel: watcher.ask(source)?, extended: false, reader: engine::EndName::NONE }
        };
        Ok(Offered(Some(guard)))
    }

    fn fire(&mut self, outcome: Outcome) -> Result<Verdict, ChannelError> {
        // Nothing, or a ring of the bell.
        drop(outcome.came?);
        self.value = self.bridge.source.take()?;
        self.took_in_vain = self.value.is_none();
        Ok(if self.value.is_some() { Verdict::Done } else { Verdict::Again })
    }

    fn stow(&mut self) -> Stowed {
        self.value.take().map_or(Stowed::NOTHING, |value| Stowed(Content::Value(Box::new(value))))
    }
}

impl<S: Source> Take for BridgeArm<'_, S> {
    type Output = S::Value;

    fn unpack(mut stowed: Stowed) -> Result<S::Value, ChannelError> {
        Ok(stowed.value())
    }

    fn take(&mut self) -> Result<S::Value, ChannelError> {
        Ok(self.value.take().unwrap_or_else(|| no_value()))
    }
}

impl<S: Source> fmt::Debug for BridgeArm<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BridgeArm")
    }
}
