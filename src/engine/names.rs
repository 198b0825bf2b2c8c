//! What the engine and the layers above call things: channels, ends, processes, and what becomes of them.
//!
//! Knows nothing of where these things lie.

use crate::memory::Block;

/// The name of a channel: its slot and the generation of that slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ChannelName {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// The name of an end: its slot and the generation of that slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EndName {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl EndName {
    /// The name of no end.
    pub(crate) const NONE: EndName = EndName { index: u32::MAX, generation: 0 };
}

/// The name of a member: its slot and the generation of that slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct MemberName {
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

/// The longest name of a channel, in bytes.
pub(crate) const NAME_LIMIT: usize = 55;

/// What a channel is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelKind {
    Channel(Store),
    /// A rendezvous whose blocks say where the value can be fetched.
    Carried,
    Barrier {
        parties: u32,
    },
    /// Nobody writes to it: by retiring, it tells that something has ended.
    End,
    /// No messages, but so many permits: whoever wants to pass takes some of them, or waits.
    Gate {
        permits: u32,
        opened: Opened,
    },
}

/// Who can let somebody through a gate that waits there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Who has permits, by giving them back.
    ByHolders,
    /// Also anybody else who has the gate, by adding permits.
    ByAnybody,
    /// Anybody: the permits count the turns, and whoever waits does so for the turn after the one it has seen.
    InTurns,
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

/// Which side of a channel an end is on; a handle keeps a channel in existence without being on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    Reader,
    Writer,
    Handle,
    /// A seat at a barrier.
    Party,
    /// Permits of a gate that somebody has; how many is its weight.
    Unit,
}

/// Who holds an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Member(u32),
    Block(Block),
    /// The end whose retirement tells that this member is gone.
    Exit(u32),
}

/// Who may touch the bytes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Context(u32),
    Member(u32),
    /// It lies in the buffer of a channel.
    Channel(u32),
}

/// How an end goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closing {
    /// The end is no longer needed.
    Retire,
    /// The channel must not be used any more.
    Poison,
    /// A party of a barrier leaves it, whoever else has a seat; permits of a gate are given back in order.
    Resign,
    /// It was requested for a message that has never been one: nobody is to notice that it was there.
    Void,
    /// The member died, and its policy is to poison.
    Lost { member: u32 },
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

/// Who left an extended rendezvous before its end, and whether by crashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    pub(crate) member: u32,
    pub(crate) crashed: bool,
}
