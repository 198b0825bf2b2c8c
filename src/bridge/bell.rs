//! The bell of a bridge: what its thread rings and an alternation reads.
//!
//! Knows nothing of what the ringing means. A bell is a channel with room for one ring, so that ringing never waits; a
//! ring too many is dropped.
//!
//! It belongs to the process of the operating system, not to the one that runs on the calling thread: a bridge may go
//! from thread to thread, and no process waits at its end for a bell.

use crate::engine::live::{ChannelKind, Closing, Direction, EndName, Holder, Local, Owner, host, tables, with_local};
use crate::engine::{ChannelName, Guard, Order, Store};
use crate::memory::{ArenaError, Block};
use std::panic::Location;

/// A channel, and what keeps it in existence.
pub(super) struct Bell {
    channel: ChannelName,
    handle: EndName,
    /// Holds the writing end. A writing end in a block counts as on its way to somebody: whoever looks for processes
    /// that wait in vain does not take an alternation over a bridge for one.
    rope: Block,
}

impl Bell {
    pub(super) fn new() -> Result<Bell, ArenaError> {
        with_local(|local| {
            let host = host()?;
            let kind = ChannelKind::Channel(Store::DropNewest(1));
            let (channel, handle) = local.create_channel("bridge", kind, Holder::Member(host))?;
            match hang(local, channel, host) {
                Ok(rope) => Ok(Bell { channel, handle, rope }),
                Err(error) => {
                    local.close_end(handle, Closing::Retire);
                    Err(error)
                }
            }
        })?
    }

    pub(super) fn channel(&self) -> ChannelName {
        self.channel
    }
}

/// A block with the writing end.
fn hang(local: &mut Local, channel: ChannelName, host: u32) -> Result<Block, ArenaError> {
    let rope = local.take_block(0)?;
    tables().arena.block(rope).set_length(0);
    match local.request_end(channel, Direction::Writer, Holder::Block(rope)) {
        Ok(_) => {
            tables().arena.block(rope).set_owner(Owner::Member(host).tag());
            Ok(rope)
        }
        Err(error) => {
            local.keep_block(rope);
            Err(error)
        }
    }
}

/// Rings, if the bell is still there.
///
/// With a context for this one call: a thread that only rings now and then takes no room among those that communicate,
/// and is not counted as busy while it sleeps.
pub(super) fn ring(bell: ChannelName) -> Result<(), ArenaError> {
    let mut local = Local::new()?;
    let block = local.take_block(0)?;
    tables().arena.block(block).set_length(0);
    let fired = local.offer(&[Guard::Output { channel: bell, block }], Order::Priority, Location::caller())?;
    // When there is no bell any more, the block is still ours.
    local.keep_block(fired.outcome.unwrap_or(block));
    Ok(())
}

impl Drop for Bell {
    fn drop(&mut self) {
        // Without a context: the reaper frees both with this process.
        let _ = with_local(|local| {
            local.discard(self.rope, Closing::Retire);
            local.close_end(self.handle, Closing::Retire);
        });
    }
}
