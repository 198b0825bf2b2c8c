//! Channels, numbers as messages, and offers, each in one word.
//!
//! Knows nothing of what is tested.

use super::super::Local;
use crate::channel::ChannelEnd;
use crate::engine::{
    ChannelKind, ChannelName, Closing, Direction, EndName, Fate, Fired, Guard, Holder, Order, Store, member, tables,
    with_local,
};
use crate::memory::Block;
use rustix::process::{Pid, Signal, kill_process};
use std::panic::Location;

/// Runs with the calling thread's side of the engine.
pub(super) fn here<R>(work: impl FnOnce(&mut Local) -> R) -> R {
    with_local(work).unwrap()
}

/// A channel with a reader and a writer that the process of the calling thread holds.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) name: ChannelName,
    pub(super) ends: [EndName; 3],
}

impl Wire {
    pub(super) fn new() -> Wire {
        Wire::buffered(0)
    }

    pub(super) fn buffered(capacity: u32) -> Wire {
        Wire::of("", ChannelKind::Channel(Store::Fifo(capacity)))
    }

    pub(super) fn of(name: &str, kind: ChannelKind) -> Wire {
        here(|local| {
            let holder = Holder::Member(member().unwrap());
            let (name, handle) = local.create_channel(name, kind, holder).unwrap();
            let reader = local.request_end(name, Direction::Reader, holder).unwrap();
            let writer = local.request_end(name, Direction::Writer, holder).unwrap();
            Wire { name, ends: [reader, writer, handle] }
        })
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        here(|local| {
            for end in self.ends {
                local.close_end(end, Closing::Retire);
            }
        });
    }
}

/// The engine's name of the channel that a typed end belongs to.
pub(super) fn name_of(end: &impl ChannelEnd) -> ChannelName {
    let text = end.channel_id().to_string();
    let (index, generation) = text.split_once('.').unwrap();
    ChannelName { index: index.parse().unwrap(), generation: generation.parse().unwrap() }
}

pub(super) fn input(channel: ChannelName) -> Guard {
    Guard::Input { channel, extended: false, reader: EndName::NONE }
}

pub(super) fn output(channel: ChannelName, block: Block) -> Guard {
    Guard::Output { channel, block }
}

/// Writes a number into a fresh block.
#[expect(unsafe_code, reason = "fills a block that the calling thread has just taken")]
pub(super) fn message(value: u64) -> Block {
    here(|local| {
        let block = local.take_block(8).unwrap();
        // SAFETY: the block was just taken by this thread, and the slice does not outlive this function.
        let bytes = unsafe { tables().arena.bytes_mut(block) };
        bytes[..8].copy_from_slice(&value.to_le_bytes());
        tables().arena.block(block).set_length(8);
        block
    })
}

/// The number in a block that the calling thread owns.
#[expect(unsafe_code, reason = "reads a block that the calling thread owns")]
pub(super) fn peek(block: Block) -> u64 {
    assert_eq!(tables().arena.block(block).owner(), here(|local| local.owner()), "a block of somebody else");
    // SAFETY: the calling thread owns the block, and the slice does not outlive the statement.
    let bytes = unsafe { tables().arena.bytes(block) };
    u64::from_le_bytes(bytes.try_into().unwrap())
}

/// The number in a block, which goes back.
pub(super) fn value(block: Block) -> u64 {
    let value = peek(block);
    keep(block);
    value
}

/// Puts a block back.
pub(super) fn keep(block: Block) {
    here(|local| local.keep_block(block));
}

/// The call that is tested, with everything it needs.
#[track_caller]
pub(super) fn offer(guards: &[Guard], order: Order) -> Fired {
    let location = Location::caller();
    here(|local| local.offer(guards, order, location).unwrap())
}

/// Reads a number.
#[track_caller]
pub(super) fn read(channel: ChannelName) -> Result<u64, Fate> {
    offer(&[input(channel)], Order::Priority).outcome.map(value)
}

/// Writes a number.
#[track_caller]
pub(super) fn write(channel: ChannelName, number: u64) -> Result<(), Fate> {
    let block = message(number);
    match offer(&[output(channel, block)], Order::Priority).outcome {
        Ok(spare) => {
            keep(spare);
            Ok(())
        }
        Err(fate) => {
            keep(block);
            Err(fate)
        }
    }
}

/// Sends a signal to a process that has not been joined.
pub(super) fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

/// Stops a process, and waits until every thread of it stands still.
pub(super) fn stop(pid: u32) {
    signal(pid, Signal::STOP);
    super::watch::until(|| {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        tasks.flatten().all(|task| {
            let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['T', 'Z']))
        })
    });
}
