//! What the layers above may know of a channel: facts, from whichever world it is of.
//!
//! Knows nothing of why they ask. Each fact is read when it is asked for.

use super::live;
#[cfg(feature = "testing")]
use super::sim;
use super::{ChannelName, Fate, Opened, tables};

/// One look at a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ChannelFacts {
    Live(live::ChannelFacts),
    #[cfg(feature = "testing")]
    Simulated(ChannelName),
}

/// One question to whichever world it is. What never changes is asked for by `sim::nature`, or by
/// `sim::own_nature` if an error does not say more of what is of the other world.
macro_rules! ask {
    ($facts:expr, $live:ident => $in_arena:expr, $channel:ident => $simulated:expr, $gone:expr) => {
        ask!($facts, $live => $in_arena, $channel => $simulated, $gone, sim::look)
    };
    ($facts:expr, $live:ident => $in_arena:expr, $channel:ident => $simulated:expr, $gone:expr, $look:path) => {
        match $facts {
            ChannelFacts::Live($live) => $in_arena,
            #[cfg(feature = "testing")]
            ChannelFacts::Simulated(name) => $look(name, |$channel| $simulated).unwrap_or($gone),
        }
    };
}

impl ChannelFacts {
    #[inline]
    pub(super) fn of(name: ChannelName) -> ChannelFacts {
        #[cfg(feature = "testing")]
        if !super::actor(super::Actor::is_live) {
            if let Some(task) = super::actor(super::Actor::task) {
                sim::settle(task);
                return ChannelFacts::Simulated(name);
            }
            super::actor(|actor| actor.side().into_iter().for_each(|side| side.settle(actor)));
        }
        ChannelFacts::Live(tables().facts(name))
    }

    /// Why the channel can no longer be used, if so. One that is gone has retired.
    #[inline]
    pub(crate) fn fate(self) -> Option<Fate> {
        match self {
            ChannelFacts::Live(live) => live.fate(),
            // An offer on one of the other world is refused with a better reason.
            #[cfg(feature = "testing")]
            ChannelFacts::Simulated(name) if !sim::is_simulated(name) => None,
            #[cfg(feature = "testing")]
            ChannelFacts::Simulated(name) => sim::fate(name),
        }
    }

    /// What it was called; `None` when it is gone.
    pub(crate) fn name(self) -> Option<String> {
        ask!(self, live => live.name(), channel => Some(channel.label.clone()), None, sim::nature)
    }

    /// Whether its values travel beside its blocks. It is so for the whole life of the channel.
    pub(crate) fn is_carried(self) -> bool {
        ask!(self, live => live.is_carried(), _channel => false, false, sim::nature)
    }

    /// Whether messages go from a writer to a reader there, and into no buffer; for its whole life, too. Not asked of a
    /// simulated one.
    pub(crate) fn is_plain(self) -> bool {
        ask!(self, live => live.is_plain(), _channel => false, false, sim::nature)
    }

    /// How many messages lie in its buffer.
    pub(crate) fn buffered(self) -> usize {
        ask!(self, live => in_turn(|| live.buffered()), channel => channel.buffer.len(), 0, sim::look_in_turn)
    }

    /// Whether somebody has left a gate without giving its permits back. Exact for whoever has permits: then nobody
    /// else can have had all of them.
    #[inline]
    pub(crate) fn is_abandoned(self) -> bool {
        ask!(
            self,
            live => live.is_abandoned(),
            channel => channel.abandoner.is_some(),
            false,
            sim::look_at_permits
        )
    }

    /// How many permits a gate has, and how many of them are in use.
    pub(crate) fn permits(self) -> (u32, u32) {
        ask!(
            self,
            live => in_turn(|| live.permits(tables())),
            channel => (channel.capacity, channel.in_use),
            (0, 0),
            sim::look_in_turn
        )
    }

    /// Who can let somebody through a gate; `None` if it is none, or is gone.
    pub(crate) fn opened(self) -> Option<Opened> {
        ask!(self, live => live.opened(), channel => channel.opened(), None, sim::own_nature)
    }

    /// How many messages may lie in its buffer; `None` when there is no limit but the arena.
    pub(crate) fn room(self) -> Option<usize> {
        ask!(self, live => live.room(), channel => channel.room(), Some(0), sim::own_nature)
    }

    /// How many parties a barrier has.
    pub(crate) fn parties(self) -> usize {
        ask!(self, live => live.parties(), channel => channel.capacity as usize, 0)
    }
}

/// Looks at something that others change without waiting: somebody who is driven does it when that is decided.
#[inline]
fn in_turn<R>(look: impl FnOnce() -> R) -> R {
    #[cfg(feature = "testing")]
    super::actor(|actor| actor.side().into_iter().for_each(|side| side.let_others_go_first(actor)));
    look()
}
