//! The engine: what communicates, and the one call that can wait, an offer of guards of which one fires.
//!
//! Knows nothing of the types of messages: a message is a block of bytes. A write is one output guard, a read one input
//! guard, an alternation several; timers and `skip` are guards too, and joining a child is an input guard on the
//! channel that retires when the child has ended. The layers above ask through the [`Actor`] of their thread.
//!
//! One word for each thing:
//!
//! | word | is |
//! |---|---|
//! | actor | what runs on a thread; the door to the engine |
//! | member | a process of a program, as all others see it; its *host* is the operating-system process it runs in |
//! | context | one thread, or one future, that can wait; its *word* is what others commit |
//! | offer | guards, of which one is to fire; in the arena, one of these guards in the queue of its channel |
//! | commit | the compare-and-swap on the word of a waiting context, by which its offer is answered |
//! | extended | a rendezvous whose writer, with the word EXTENDED, waits until its reader has finished |
//! | end | one counted share of a channel: reader, writer, handle, seat of a party of a barrier, or unit of a gate |
//! | gate | a channel without messages, but with permits, which some have and others wait for |
//! | unit | permits of a gate that somebody has; its *weight* is how many |
//! | holder | who has an end: a member, a block that it travels in, or the record of an exit |
//! | owner | who may touch the bytes of a block: a context, a member, or a channel in whose buffer it lies; its *tag* |
//! | packet | a block in somebody's hands |
//! | deferred | an end that was dropped, and is closed when it is known in which way |
//! | fate | why a channel cannot be used any more: poisoned, retired, lost, abandoned |
//! | burial | what is undone and told when a process of the operating system has died |

mod actor;
#[cfg(feature = "async")]
mod bell;
mod deferral;
mod door;
#[cfg(feature = "testing")]
pub(crate) mod drive;
mod facts;
mod journey;
pub(crate) mod live;
mod named;
mod names;
#[cfg(feature = "async")]
mod offering;
mod packet;
mod record;
mod short;
#[cfg(feature = "testing")]
pub(crate) mod sim;
mod undertaker;
pub(crate) mod view;

pub(crate) use crate::memory::{Area, ArenaError, Cell, MARGIN, Warmth, Word};
#[cfg(test)]
pub(crate) use actor::within;
pub(crate) use actor::{
    Actor, Selection, actor, along, become_host, forget_after_fork, host, member, share_world, tables, with_local,
};
pub(crate) use journey::{Journey, Stranded};
pub(crate) use live::{Functions, Member, NewProcess, Passed, Phase, Record, Recording, become_server, is_foreign};
pub(crate) use named::{DeadlockSlot, Program};
pub use names::ProcessId;
pub(crate) use names::{
    ChannelKind, ChannelName, Closing, Direction, EndName, Fate, Holder, MemberName, NAME_LIMIT, Opened, Owner, Store,
    Unfinished,
};
#[cfg(feature = "async")]
pub(crate) use offering::{Offering, Stage};
pub(crate) use packet::{Packet, Unsent};
pub(crate) use record::{BUFFERED, CONTINUED, Came, EventKind, EventOf, EventRecord, Place};
pub(crate) use short::{Delivered, Short};
pub(crate) use undertaker::Undertaker;

use crate::memory::Block;
use crate::sys::clock::{Deadline, Instant};

/// The time: of the system, or of the simulated world that the calling thread is in.
pub(crate) fn now() -> Instant {
    #[cfg(feature = "testing")]
    if let Some(now) = actor(Actor::virtual_time) {
        return now;
    }
    Instant::now()
}

/// Whether what runs on the calling thread is part of a simulated world.
#[inline]
pub(crate) fn is_simulated() -> bool {
    #[cfg(feature = "testing")]
    return actor(Actor::task).is_some();
    #[cfg(not(feature = "testing"))]
    return false;
}

/// Whether what runs on the calling thread goes by somebody's decisions, in a simulated world or outside of it: what
/// becomes of it is told by a run.
pub(crate) fn is_decided() -> bool {
    #[cfg(feature = "testing")]
    return !actor(Actor::is_live);
    #[cfg(not(feature = "testing"))]
    return false;
}

/// Refuses what a simulated world does not have, if the calling thread is in one.
///
/// # Errors
/// It is.
pub(crate) fn refuse_in_simulation(what: &'static str) -> Result<(), ArenaError> {
    #[cfg(feature = "testing")]
    if is_simulated() {
        return Err(ArenaError::Simulated { what });
    }
    let _ = what;
    Ok(())
}

/// How long an operation may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    ForEver,
    Until(Instant),
    Not,
}

impl Patience {
    /// The guards of an operation that waits so long.
    #[inline]
    pub(crate) fn among<R>(self, guard: Guard, offer: impl FnOnce(&[Guard]) -> R) -> R {
        match self {
            Patience::ForEver => offer(&[guard]),
            Patience::Not => offer(&[guard, Guard::Skip]),
            Patience::Until(instant) => offer(&[guard, Guard::Timer { deadline: Deadline::at(instant) }]),
        }
    }
}

/// What an operation on one end of a channel came to.
#[derive(Debug)]
#[must_use]
pub(crate) enum Outcome<T> {
    /// The communication, and what it brought.
    Took(T),
    Ended(Fate),
    /// Nobody came in time.
    Late,
}

/// One alternative of an offer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guard {
    /// Take a message from a channel, with this end. With `extended`, the writer goes on only when its
    /// [`ExtendedWriter`] is released.
    Input { channel: ChannelName, extended: bool, reader: EndName },
    /// Hand the message in `block` to a channel. The block stays the caller's unless this guard fires.
    Output { channel: ChannelName, block: Block },
    /// Fire when all parties of a barrier are there.
    Barrier { channel: ChannelName },
    /// Fire when so many permits of a gate are free, and it is this one's turn. They are the holder's then, if there is
    /// one; without a holder nothing is taken.
    Pass { gate: ChannelName, weight: u32, holder: Option<Holder> },
    /// Fire when every message of a queue that counts tasks was read, and its reader has said that it is done.
    Join { queue: ChannelName },
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
    pub(crate) kept: Kept,
}

/// What whoever made an offer keeps beside a block, and gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Nothing,
    /// After an extended input: the writer to release.
    Writer(ExtendedWriter),
    /// After a gate was passed with a holder: the permits.
    Unit(EndName),
}

impl Fired {
    /// A communication that brought this block.
    pub(crate) fn with(index: usize, block: Block) -> Fired {
        Fired { index, outcome: Ok(block), kept: Kept::Nothing }
    }

    /// A guard that moves no message.
    pub(crate) fn bare(index: usize) -> Fired {
        Fired::with(index, crate::memory::NONE)
    }

    /// A guard whose channel has ended.
    pub(crate) fn ended(index: usize, fate: Fate) -> Fired {
        Fired { index, outcome: Err(fate), kept: Kept::Nothing }
    }

    /// What it means to somebody who offered one guard, and what the time is up with behind it.
    pub(crate) fn alone<T>(&self, took: impl FnOnce(Block) -> T) -> Outcome<T> {
        match self.outcome {
            _ if self.index != 0 => Outcome::Late,
            Ok(came) => Outcome::Took(took(came)),
            Err(fate) => Outcome::Ended(fate),
        }
    }

    /// The writer that is held until it is released.
    pub(crate) fn writer(&self) -> Option<ExtendedWriter> {
        if let Kept::Writer(writer) = self.kept { Some(writer) } else { None }
    }

    /// The permits that were taken.
    pub(crate) fn unit(&self) -> Option<EndName> {
        if let Kept::Unit(unit) = self.kept { Some(unit) } else { None }
    }
}
