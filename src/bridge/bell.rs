//! The bell of a bridge: what its thread rings and an alternation reads.
//!
//! Knows nothing of what the ringing means. A bell is a channel with room for one ring, so that ringing never waits; a
//! ring too many is dropped.
//!
//! It belongs to the process of the operating system, not to the one that runs on the calling thread: a bridge may go
//! from thread to thread, and no process waits at its end for a bell.

use crate::engine::{
    Actor, ArenaError, ChannelKind, ChannelName, Closing, Direction, EndName, Packet, Patience, Store, actor,
};
use std::panic::Location;

/// A channel, and what keeps it in existence.
pub(super) struct Bell {
    channel: ChannelName,
    handle: EndName,
    /// Holds the writing end. A writing end in a packet counts as on its way to somebody: whoever looks for processes
    /// that wait in vain does not take an alternation over a bridge for one.
    #[expect(dead_code, reason = "kept for the writing end in it, which closes when it is dropped")]
    rope: Packet,
}

impl Bell {
    pub(super) fn new() -> Result<Bell, ArenaError> {
        let mut rope = Packet::draft(0)?;
        rope.set_length(0);
        rope.entrust_to_host()?;
        // For the process of the operating system, whoever runs on this thread.
        let aside = Actor::aside();
        let (channel, handle) = aside.create_channel("bridge", ChannelKind::Channel(Store::DropNewest(1)))?;
        if let Err(error) = aside.send_end(channel, Direction::Writer, rope.as_holder()) {
            aside.close_end(handle, Closing::Retire);
            return Err(error);
        }
        Ok(Bell { channel, handle, rope })
    }

    pub(super) fn channel(&self) -> ChannelName {
        self.channel
    }
}

/// Rings, if the bell is still there.
///
/// With a context for this one call: a thread that only rings now and then takes no room among those that communicate,
/// and is not counted as busy while it sleeps.
pub(super) fn ring(bell: ChannelName) -> Result<(), ArenaError> {
    let aside = Actor::aside();
    let packet = aside.draft(0)?;
    let guard = packet.guard(bell);
    let mut message = Some(packet);
    let rung = aside.give(&mut message, guard, Patience::ForEver, Location::caller());
    // When there is no bell any more, the message is still ours.
    if let Some(left) = message {
        aside.take_back(left, Closing::Retire);
    }
    rung.map(drop)
}

impl Drop for Bell {
    fn drop(&mut self) {
        actor(|actor| actor.close_end(self.handle, Closing::Retire));
    }
}
