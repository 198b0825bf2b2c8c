//! What must be true of the tables when nothing is going on, and how much of everything is in use.
//!
//! Knows nothing of how it came to be true.

use super::super::Tables;
use super::super::audit::Census;
use super::super::channel::Channel;
use crate::engine::{ChannelName, tables};
use std::fmt::Write;
use std::sync::atomic::Ordering;

pub(super) fn census() -> Census {
    tables().census()
}

/// The context that holds the lock of a channel.
pub(super) fn lock_holder(index: u32) -> Option<u32> {
    tables().channels.get(index)?.lock.holder()
}

/// The contexts in a queue of a channel, first come first.
pub(super) fn queue(channel: &Channel, output: bool) -> Vec<u32> {
    let tables = tables();
    let mut row = Vec::new();
    let mut at = channel.queue(output).first(tables);
    while let Some((name, offer)) = at {
        assert!(row.len() < 100_000, "the queue is a ring");
        row.push(name.context());
        let next = offer.next.load(Ordering::Relaxed);
        at = next.checked_sub(1).map(super::super::context::OfferName::from_raw).and_then(|name| {
            let offer = tables.contexts.get(name.context())?.offer(tables, name.place())?;
            Some((name, offer))
        });
    }
    row
}

/// The context that waits first on a channel, once it does wait.
pub(super) fn first_waiting(name: ChannelName, output: bool) -> Option<u32> {
    let tables = tables();
    let channel = tables.channel(name)?;
    let (first, _) = channel.queue(output).first(tables)?;
    let context = tables.contexts.get(first.context())?;
    context.word.read().is_waiting().then(|| first.context())
}

/// Everything that is wrong with the tables, and stays so: the process server may still be at a burial of which all has
/// been told. Empty when all is well.
pub(super) fn faults() -> Vec<String> {
    crate::audit().findings().to_vec()
}

/// All that is going on, for a watchdog.
pub(super) fn picture(tables: Tables) -> String {
    let mut text = format!("{:?}\n", tables.census());
    for (index, _, context) in tables.contexts.taken() {
        let _ = writeln!(
            text,
            "context {index} of {:?}: {:?}, sleeping {:?}, offers {:?}",
            context.host.load(Ordering::Acquire),
            context.word.read(),
            context.sleeping.load(Ordering::Acquire),
            context
                .offers(tables)
                .iter()
                .map(|offer| (offer.channel().index, offer.is_output(), offer.is_linked()))
                .collect::<Vec<_>>(),
        );
    }
    for (index, generation, channel) in tables.channels.taken() {
        let holder = lock_holder(index);
        let (inputs, outputs) = (queue(channel, false), queue(channel, true));
        if holder.is_some() || !inputs.is_empty() || !outputs.is_empty() {
            let _ = writeln!(
                text,
                "channel {index}.{generation}: held by {holder:?}, {inputs:?} / {outputs:?}, {:?}",
                channel.fate()
            );
        }
    }
    text
}
