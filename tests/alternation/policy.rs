//! Which of several ready guards is chosen, as a value that can be sent to a process.
//!
//! Knows nothing of what the guards are for.

use csproc::Fired;
use csproc::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Policy {
    Random,
    Priority,
    Fair,
}

pub(crate) const POLICIES: [Policy; 3] = [Policy::Random, Policy::Priority, Policy::Fair];

impl Policy {
    pub(crate) fn select(self, alt: &mut Alternation<'_>) -> Result<Fired, ChannelError> {
        match self {
            Policy::Random => alt.select(),
            Policy::Priority => alt.pri_select(),
            Policy::Fair => alt.fair_select(),
        }
    }
}

/// Reads from all of them until each has retired; gives the values and where they came from.
pub(crate) fn read_all<T: Message>(readers: &[Reader<T>], policy: Policy) -> csproc::Result<Vec<(usize, T)>> {
    let mut alt = Alternation::new();
    let tokens: Vec<_> = readers.iter().map(|reader| alt.read(reader)).collect();
    let mut read = Vec::new();
    loop {
        match policy.select(&mut alt) {
            Ok(fired) => {
                let from = fired.index();
                read.push((from, fired.take(tokens[from])));
            }
            Err(ChannelError::Retired) => alt.enable(tokens[alt.failed().unwrap()], false),
            Err(ChannelError::NoGuards) => return Ok(read),
            Err(other) => return Err(other.into()),
        }
    }
}

/// So many channels.
pub(crate) fn channels<T>(count: usize) -> Vec<Channel<T>> {
    (0..count).map(|_| Channel::new()).collect()
}

/// One reading end of each.
pub(crate) fn readers<T>(channels: &[Channel<T>]) -> Vec<Reader<T>> {
    channels.iter().map(Channel::reader).collect()
}

/// One writing end of each.
pub(crate) fn writers<T>(channels: &[Channel<T>]) -> Vec<Writer<T>> {
    channels.iter().map(Channel::writer).collect()
}
