//! The one call that can wait: `offer`, which takes guards and comes back with the one that fired.
//!
//! Knows nothing of the types of messages: a message is a block of bytes. A write is one output guard, a read one input
//! guard, an alternation several; timers and `skip` are guards too, and joining a child is an input guard on the
//! channel that retires when the child has ended.

pub(crate) mod live;

use crate::memory::Block;
use crate::sys::clock::Deadline;
use std::panic::Location;

/// The name of a channel: its slot and the generation of that slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ChannelName {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// One alternative of an offer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    /// Take a message from a channel.
    Input { channel: ChannelName },
    /// Hand the message in `block` to a channel. The block stays the caller's unless this guard fires.
    Output { channel: ChannelName, block: Block },
    /// Fire when the deadline has passed and no other guard fired before.
    Timer { deadline: Deadline },
    /// Fire when nothing else is ready.
    Skip,
}

/// In which order the guards of an offer are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// From the first to the last.
    Priority,
    /// From this index on, around to the one before it: fair when the index is the one after the guard chosen last.
    #[cfg_attr(not(test), expect(dead_code, reason = "constructed by the alternation macros"))]
    From(usize),
    /// In random order.
    Random,
}

/// Why a channel can no longer be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Poisoned,
    Retired,
    /// A process died and took the channel with it; the member slot keeps who and why.
    Lost {
        member: u32,
    },
}

/// What an offer came to.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Fired {
    /// The guard that fired.
    pub(crate) index: usize,
    /// For a channel guard the block received in exchange (for an input guard it holds the message), or the reason why
    /// there was no communication. For a timer or `skip`, no block.
    pub(crate) outcome: Result<Block, Fate>,
}

/// What runs processes: the live engine over shared memory, and later a simulated one.
pub(crate) trait Engine {
    /// Waits until one of the guards fires, and fires exactly that one.
    fn offer(&mut self, guards: &[Guard], order: Order, location: &'static Location<'static>) -> Fired;
}
