//! What must be true of the tables when nothing is going on, and how much of everything is in use.
//!
//! Knows nothing of how it came to be true.

use super::super::channel::{Channel, NO_READERS, NO_WRITERS};
use super::super::context::{Context, Offer};
use super::super::lock::LockHolder;
use super::super::member::Phase;
use super::super::tables;
use super::super::tables::Owner;
use crate::engine::ChannelName;
use std::fmt::Write;
use std::sync::atomic::Ordering;

/// How much is taken of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) members: usize,
    pub(super) contexts: usize,
    pub(super) channels: usize,
    pub(super) ends: usize,
    /// Blocks that somebody owns.
    pub(super) blocks: usize,
    pub(super) active: i32,
}

pub(super) fn census() -> Census {
    let tables = tables();
    Census {
        members: tables.members.taken().count(),
        contexts: tables.contexts.taken().count(),
        channels: tables.channels.taken().count(),
        ends: tables.ends.taken().count(),
        blocks: tables.arena.blocks().filter(|(_, header)| header.owner() != 0).count(),
        active: tables.arena.shared().active.load(Ordering::Acquire),
    }
}

/// The context that holds the lock of a channel.
pub(super) fn lock_holder(index: u32) -> Option<u32> {
    let tables = tables();
    let channel = tables.channels.get(index)?;
    (0..tables.contexts.capacity().min(4096)).find(|context| channel.lock.is_held_by(LockHolder::new(*context)))
}

/// All offers that stand in the table of a context.
pub(super) fn linked(context: &'static Context) -> Vec<&'static Offer> {
    context.offers(tables()).iter().filter(|offer| offer.is_linked()).collect()
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

/// Everything that is wrong with the tables while nobody is inside an operation. Empty when all is well.
pub(super) fn faults() -> Vec<String> {
    let tables = tables();
    let mut faults = Vec::new();
    let alive: Vec<u32> = tables
        .members
        .taken()
        .filter(|(_, _, member)| member.phase() != Phase::Gone)
        .map(|(index, _, _)| index)
        .collect();
    for (index, _, context) in tables.contexts.taken() {
        // Kept plus one, so that zero is nobody.
        let host = context.host.load(Ordering::Acquire).wrapping_sub(1);
        if !alive.contains(&host) {
            faults.push(format!("context {index} belongs to member {host}, who is gone"));
        }
    }
    for (index, generation, channel) in tables.channels.taken() {
        let name = ChannelName { index, generation };
        if let Some(holder) = lock_holder(index) {
            faults.push(format!("the lock of channel {index} is held by context {holder}"));
        }
        let [readers, writers, handles, seats] = tables.count_ends(name);
        let counted = [readers + seats, writers, handles];
        let said = [&channel.readers, &channel.writers, &channel.handles].map(|count| count.load(Ordering::Acquire));
        if counted != said {
            faults.push(format!("channel {index} says it has {said:?} ends, and has {counted:?}"));
        }
        for output in [false, true] {
            let queue = queue(channel, output);
            let queued = queue.iter().filter(|context| tables.contexts.get(**context).is_some()).count();
            let marked: usize = tables
                .contexts
                .taken()
                .map(|(_, _, context)| {
                    let mine = |offer: &&&Offer| offer.channel() == name && offer.is_output() == output;
                    linked(context).iter().filter(mine).count()
                })
                .sum();
            if queued != marked {
                faults.push(format!("channel {index}: {queued} offers are queued, {marked} are marked"));
            }
            if !queue.is_empty() && channel.flags.load(Ordering::Acquire) & (NO_READERS | NO_WRITERS) != 0 {
                faults.push(format!("channel {index} has retired, and somebody waits"));
            }
        }
    }
    for (block, header) in tables.arena.blocks() {
        let owned = match Owner::of(header.owner()) {
            None => header.owner() == 0,
            Some(Owner::Context(index)) => {
                tables.contexts.get(index).is_some_and(|context| crate::memory::Slot::state(context).taken().is_some())
            }
            Some(Owner::Channel(index)) => {
                let stored = |channel: &super::super::channel::Channel| channel.stored(tables).contains(&block);
                tables.channels.get(index).is_some_and(stored)
            }
            Some(Owner::Member(index)) => {
                tables.members.get(index).is_some_and(|member| member.phase() != Phase::Gone || member.keeps(block))
            }
        };
        if !owned {
            faults.push(format!("block {block} is owned by {:?}, who is gone", Owner::of(header.owner())));
        }
    }
    faults
}

/// All that is going on, for a watchdog.
pub(super) fn picture() -> String {
    let tables = tables();
    let mut text = format!("{:?}\n", census());
    for (index, _, context) in tables.contexts.taken() {
        let _ = writeln!(
            text,
            "context {index} of {}: {:?}, locking {}, sleeping {}, offers {:?}",
            context.host.load(Ordering::Acquire),
            context.word.read(),
            context.locking.load(Ordering::Acquire),
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
