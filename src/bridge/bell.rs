//! The bell of a bridge: what its thread rings and an alternation reads.
//!
//! Knows nothing of what the ringing means. A bell is a channel with room for one ring, so that ringing never waits; a
//! ring too many is dropped.
//!
//! It belongs to the process of the operating system, not to the one that runs on the calling thread: a bridge may go
//! from thread to thread, and no process waits at its end for a bell.

use crate::engine::live::{ChannelKind, Closing, Direction, EndName, Holder, Local, Owner, host, with_local};
use crate::engine::{ArenaError, ChannelName, Order, Packet, Store};
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
        let (channel, handle) = with_local(|local| {
            let host = host()?;
            let kind = ChannelKind::Channel(Store::DropNewest(1));
            let (channel, handle) = local.create_channel("bridge", kind, Holder::Member(host))?;
            if let Err(error) = local.request_end(channel, Direction::Writer, rope.as_holder()) {
                local.close_end(handle, Closing::Retire);
                return Err(error);
            }
            rope.hand_to(Owner::Member(host));
            Ok((channel, handle))
        })??;
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
    let mut local = Local::new()?;
    let packet = local.draft(0)?;
    let guard = packet.guard(bell);
    let mut message = Some(packet);
    let rung = local.offer(&[guard], Order::Priority, Location::caller()).map(|fired| {
        // When there is no bell any more, the message is still ours.
        let _ = fired.settle(&mut local, &mut message);
    });
    if let Some(left) = message {
        local.take_back(left, Closing::Retire);
    }
    rung
}

impl Drop for Bell {
    fn drop(&mut self) {
        // Without a context: the reaper closes it with this process, and frees the rope.
        let _ = with_local(|local| local.close_end(self.handle, Closing::Retire));
    }
}
