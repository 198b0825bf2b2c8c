//! The one call that can wait: an offer, which takes guards and comes back with the one that fired.
//!
//! Knows nothing of the types of messages: a message is a block of bytes. A write is one output guard, a read one input
//! guard, an alternation several; timers and `skip` are guards too, and joining a child is an input guard on the
//! channel that retires when the child has ended.

mod actor;
mod deferral;
mod door;
mod journey;
pub(crate) mod live;
mod packet;

pub(crate) use crate::memory::ArenaError;
pub(crate) use actor::{Actor, Selection, actor, forget_after_fork, member, with_local};
pub(crate) use journey::{Arrival, Journey, Stranded};
pub(crate) use live::{ChannelKind, Closing, Direction, EndName, Holder, NAME_LIMIT, Owner, Unfinished, host};
pub(crate) use packet::Packet;

use crate::memory::Block;
use crate::sys::clock::Deadline;

/// The name of a channel: its slot and the generation of that slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ChannelName {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// Identifies a process among all that a program ever runs; never used twice.
///
/// It is not the number that the operating system gives (see [`Child::pid`](crate::Child::pid)), which is used again
/// and again.
///
/// # Examples
/// ```
/// let id = csproc::current().id();
/// assert_eq!(id, csproc::current().id());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ProcessId(pub(crate) u64);

impl std::fmt::Display for ProcessId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// One alternative of an offer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    /// Take a message from a channel. With `extended`, the writer goes on only when its [`ExtendedWriter`] is released.
    Input { channel: ChannelName, extended: bool },
    /// Hand the message in `block` to a channel. The block stays the caller's unless this guard fires.
    Output { channel: ChannelName, block: Block },
    /// Fire when all parties of a barrier are there.
    Barrier { channel: ChannelName },
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
    /// The reader has taken the message, but did not finish its extended rendezvous.
    Abandoned {
        member: u32,
        crashed: bool,
    },
}

/// What a channel keeps when no reader waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// Up to so many messages; then writers wait. None is a rendezvous channel.
    Fifo(u32),
    /// Up to so many messages; then the oldest one makes room.
    OverwriteOldest(u32),
    /// Up to so many messages; then the newest one makes room.
    OverwriteNewest(u32),
    /// Up to so many messages; then what is written is dropped.
    DropNewest(u32),
}

/// A writer that waits until its extended rendezvous is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct ExtendedWriter {
    /// Its context, and the word it waits with.
    pub(crate) context: u32,
    pub(crate) word: u64,
}

/// What an offer came to.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Fired {
    /// The number of the guard that fired.
    pub(crate) index: usize,
    /// For a channel guard the block received in exchange (for an input guard it holds the message), or the reason why
    /// there was no communication. For a timer or `skip`, no block.
    pub(crate) outcome: Result<Block, Fate>,
    /// After an extended input: the writer to release.
    pub(crate) writer: Option<ExtendedWriter>,
}

impl Fired {
    /// A communication that brought this block.
    pub(crate) fn with(index: usize, block: Block) -> Fired {
        Fired { index, outcome: Ok(block), writer: None }
    }

    /// A guard that moves no message.
    pub(crate) fn bare(index: usize) -> Fired {
        Fired::with(index, crate::memory::NONE)
    }

    /// A guard whose channel has ended.
    pub(crate) fn ended(index: usize, fate: Fate) -> Fired {
        Fired { index, outcome: Err(fate), writer: None }
    }
}
