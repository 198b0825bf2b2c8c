//! What the layers above may know of a channel: facts, and no atomics.
//!
//! Knows nothing of why they ask. Each answer is true at the moment of the look, and others may change it at once. A
//! name whose channel is gone answers, too.

use super::channel::{CARRIED, Channel};
use super::sync::Ordering;
use super::tables::Tables;
use crate::engine::{ChannelName, Fate, Opened};

/// One look at a channel. Each fact is read when it is asked for: a write asks for one of them only, and a name is
/// text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelFacts(Option<&'static Channel>);

impl Tables {
    /// A look at the channel of this name.
    #[inline]
    pub(crate) fn facts(self, name: ChannelName) -> ChannelFacts {
        ChannelFacts(self.channel(name))
    }
}

impl ChannelFacts {
    /// Why the channel can no longer be used, if so. One that is gone has retired.
    #[inline]
    pub(crate) fn fate(self) -> Option<Fate> {
        self.0.map_or(Some(Fate::Retired), Channel::fate)
    }

    /// Why somebody who waited there was told that there will be no answer. One that is gone has retired.
    pub(crate) fn told(self) -> Option<Fate> {
        self.0.map_or(Some(Fate::Retired), Channel::told)
    }

    /// What it was called; `None` when it is gone.
    pub(crate) fn name(self) -> Option<String> {
        self.0.map(Channel::name)
    }

    /// Whether its values travel beside its blocks. It is so for the whole life of the channel.
    pub(crate) fn is_carried(self) -> bool {
        self.0.is_some_and(|channel| channel.flags.load(Ordering::Relaxed) & CARRIED != 0)
    }

    /// Whether messages go from a writer to a reader there, and into no buffer; for its whole life, too.
    pub(crate) fn is_plain(self) -> bool {
        self.0.is_some_and(Channel::is_plain)
    }

    /// How many messages lie in its buffer.
    pub(crate) fn buffered(self) -> usize {
        self.0.map_or(0, |channel| channel.length.load(Ordering::Acquire) as usize)
    }

    /// Whether somebody has left a gate without giving its permits back. Exact for whoever has permits: then nobody
    /// else can have had all of them.
    #[inline]
    pub(crate) fn is_abandoned(self) -> bool {
        self.0.is_some_and(|gate| gate.abandoner.load(Ordering::Acquire).is_some())
    }

    /// How many permits a gate has, and how many of them are in use.
    pub(crate) fn permits(self, tables: Tables) -> (u32, u32) {
        self.0.map_or((0, 0), |gate| {
            // Looked at first: a unit is written down before nobody says any more that it occupies the gate. If it is
            // seen in both, it is one.
            let occupied = u32::from(tables.is_occupied(gate));
            (gate.capacity.load(Ordering::Acquire), gate.permits_in_use().max(occupied))
        })
    }

    /// Who can let somebody through a gate; `None` if it is none, or is gone.
    pub(crate) fn opened(self) -> Option<Opened> {
        self.0.filter(|gate| gate.is_gate()).map(Channel::opened)
    }

    /// How many messages may lie in its buffer; `None` when there is no limit but the arena.
    pub(crate) fn room(self) -> Option<usize> {
        let capacity = self.0.map_or(0, |channel| channel.capacity.load(Ordering::Relaxed));
        (capacity != u32::MAX).then_some(capacity as usize)
    }

    /// How many parties a barrier has.
    pub(crate) fn parties(self) -> usize {
        self.0.map_or(0, |channel| channel.capacity.load(Ordering::Acquire) as usize)
    }
}
