//! The simulated engine: the same questions as to the live one, answered by a small world on one thread, in which each
//! communication, choice, timer and crash is a decision.
//!
//! Knows nothing of who decides. Processes are coroutines. They run, one after the other, until all of them wait; then
//! what may happen next is enumerated ([`possible`]), one of it is decided, and it happens ([`commit`]). Virtual time
//! passes when nothing else can happen. Nothing of it is shared with the live engine but blocks, in which messages lie,
//! and the slots of processes, in which their arguments, results and endings lie: its matching is the reference
//! semantics of each law, and is kept small and obvious.

mod channel;
mod commit;
mod coroutine;
mod decision;
mod faults;
mod holding;
mod offers;
mod outside;
mod possible;
mod record;
mod run;
mod script;
mod standing;
mod stirring;
mod task;
mod tasks;
mod touch;
mod world;

pub(crate) use channel::Channel;
pub(crate) use decision::{Choice, END, Kind, NOBODY, STOP, Scheduler};
pub(crate) use faults::PANIC;
pub(crate) use offers::{Curiosity, Offered, Wish};
pub(crate) use record::{Ended, Happening, Linked, Record};
pub(crate) use run::{is_end, offer, run, start, tear_down};
pub(crate) use script::{Answer, Note};
pub(crate) use standing::stuck;
pub(crate) use touch::{Object, Part, Touch, Wants, What};

use super::actor::actor;
use super::{
    ArenaError, Cell, ChannelKind, ChannelName, Closing, Direction, EndName, ExtendedWriter, Fate, Guard, Holder,
    Member, MemberName, NewProcess, Opened, Order, Packet, Record as SlotRecord, Unfinished, tables, with_local,
};
use crate::memory::{Block, NONE};
use crate::sys::atomic::Ordering;
use crate::sys::clock::Instant;
use std::panic::Location;
use std::sync::Arc;
pub(crate) use task::Effect;
use world::{Simulation, ask};

/// How long a run may become, and how the layer above notes that a process was killed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) events: usize,
    pub(crate) killed: u32,
    pub(crate) purpose: Purpose,
}

/// What a run is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To see what it comes to.
    First,
    /// It is the last run of this thread once more, with the same names: what is sent of them has the same bytes.
    Again,
    /// To be done in the same way outside of the simulation. There a process that was killed is buried at once.
    Script,
}

/// A simulated world on the calling thread. Dropped, it is gone, with everybody in it.
#[derive(Debug)]
pub(crate) struct World {
    main: MemberName,
}

impl World {
    /// A new one, with a main process, which has this slot.
    ///
    /// # Errors
    /// There is one on this thread already, or no room for a context.
    pub(crate) fn begin(limits: Limits, launch: &[u8]) -> Result<World, ArenaError> {
        actor(super::Actor::prepare)?;
        let parent = actor(super::Actor::member)?;
        let (main, slot) = tables().create_member_beside(parent)?;
        let _ = tables().keep_record(main.index, slot, SlotRecord::Launch, launch);
        slot.come_to(super::Phase::Running);
        let mut simulation = Simulation::new(limits);
        simulation.add_task(main, Arc::from("main"), false, parent);
        if let Err(error) = world::begin(simulation) {
            give_up_slot(main, slot);
            return Err(error);
        }
        Ok(World { main })
    }

    /// The main process.
    pub(crate) fn main(&self) -> MemberName {
        self.main
    }

    /// Does some work as the main process, before it runs. It may not wait.
    pub(crate) fn as_main<R>(&self, work: impl FnOnce() -> R) -> R {
        let _as_main = AsMain::begin();
        work()
    }

    /// From now on the main process runs `work` on a stack of so many bytes.
    ///
    /// # Errors
    /// There is no room for the stack.
    pub(crate) fn start_main(&self, stack: usize, work: Box<dyn FnOnce()>) -> Result<(), ArenaError> {
        run::start_main(stack, work)
    }

    /// What has happened.
    pub(crate) fn record(&self) -> Record {
        ask(Simulation::take_record)
    }
}

/// While it lives, the thread acts for the main process.
struct AsMain(Option<Box<super::Actor>>);

impl AsMain {
    fn begin() -> AsMain {
        let side = ask(|world| world.tasks[0].actor.take());
        if let Some(side) = &side {
            actor(|actor| actor.exchange(side));
        }
        AsMain(side)
    }
}

impl Drop for AsMain {
    fn drop(&mut self) {
        if let Some(side) = self.0.take() {
            actor(|actor| actor.exchange(&side));
            ask(|world| world.tasks[0].actor = Some(side));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        tear_down();
        ask(|world| world.disown_children(self.main.index));
        for member in world::end() {
            let _ = with_local(|local| local.release_member(member));
        }
        if let Some(slot) = self.main.slot() {
            give_up_slot(self.main, slot);
        }
    }
}

fn give_up_slot(name: MemberName, slot: &'static Member) {
    slot.come_to(super::Phase::Gone);
    let _ = with_local(|local| {
        local.release_own(name.index);
        local.disown(name);
    });
}

/// The main process has what it has waited for; what is left is to wait for those that nobody has joined.
pub(crate) fn network_is_over() {
    ask(|world| world.network_is_over = true);
}

/// The serial numbers of everybody who was started and has a slot.
pub(crate) fn serials() -> Vec<u64> {
    ask(|world| {
        let mut serials = Vec::with_capacity(world.tasks.len());
        serials.extend(world.tasks.iter().filter_map(|task| task.member.slot()).map(Member::serial));
        serials
    })
}

/// The virtual time.
pub(super) fn now() -> Instant {
    ask(|world| world.now())
}

pub(super) fn is_simulated(name: ChannelName) -> bool {
    world::is_simulated(name.index)
}

/// Looks at a channel; `None` if it is gone.
pub(super) fn look<R>(name: ChannelName, look: impl FnOnce(&Channel) -> R) -> Option<R> {
    ask(|world| {
        world.asks_for(name);
        world.touch_all(name, false);
        world.channel(name).map(look)
    })
}

/// Looks at what changes with the permits of a gate only.
pub(super) fn look_at_permits<R>(gate: ChannelName, look: impl FnOnce(&Channel) -> R) -> Option<R> {
    ask(|world| {
        world.asks_for(gate);
        world.touch_part(gate, Part::Permits, false);
        world.channel(gate).map(look)
    })
}

/// Why a channel cannot be used any more.
pub(super) fn fate(name: ChannelName) -> Option<Fate> {
    ask(|world| {
        world.touch_fate(name);
        world.fate(name)
    })
}

/// Looks at what never changes of a channel.
pub(super) fn nature<R>(name: ChannelName, look: impl FnOnce(&Channel) -> R) -> Option<R> {
    ask(|world| world.channel(name).map(look))
}

/// As [`nature`], for who takes the answer for the truth.
pub(super) fn own_nature<R>(name: ChannelName, look: impl FnOnce(&Channel) -> R) -> Option<R> {
    ask(|world| world.asks_for(name));
    nature(name, look)
}

/// Describes a channel that is not in use yet.
pub(super) fn describe(name: ChannelName, change: impl FnOnce(&mut Channel)) {
    ask(|world| {
        world.asks_for(name);
        world.touch_all(name, true);
        world.channel_mut(name).map(change)
    });
}

/// Where nothing of the user's is known to be.
pub(super) const HERE: &str = file!();

/// Where a task communicated last.
fn place_of(me: u32) -> &'static Location<'static> {
    ask(|world| world.tasks[me as usize].place).unwrap_or_else(Location::caller)
}

/// What a task has done takes effect before it goes on: by decisions, as far as it can wait for them.
#[inline]
pub(super) fn settle(me: u32) {
    if ask(|world| !world.tasks[me as usize].effects.is_empty()) {
        let_others_go_first(me);
    }
}

/// Others may do something before what a task does next: that is decided. Where nobody can wait, it does it at once.
#[cold]
fn let_others_go_first(me: u32) {
    if run::offer(me, &[Guard::Skip], Order::Priority, place_of(me)).is_err() {
        ask(|world| world.settle(me));
    }
}

/// As [`look`], at something that others change without waiting: it is decided when somebody looks.
pub(super) fn look_in_turn<R>(name: ChannelName, look_at: impl FnOnce(&Channel) -> R) -> Option<R> {
    actor(super::Actor::task).into_iter().for_each(let_others_go_first);
    look(name, look_at)
}

/// One message that was read is done with. `false` if none is open.
pub(super) fn task_done(me: u32, reader: EndName) -> bool {
    let_others_go_first(me);
    ask(|world| {
        world.asks_for_end(reader);
        world.task_done(reader)
    })
}

pub(super) fn create_channel(
    label: &str,
    kind: ChannelKind,
    holder: Holder,
) -> Result<(ChannelName, EndName), ArenaError> {
    ask(|world| world.create_channel(label, kind, holder))
}

/// Makes a gate of one permit that keeps a cell of so many bytes.
pub(super) fn create_cell(
    bytes: usize,
    begin: impl FnOnce(Cell<'_>),
    holder: Holder,
) -> Result<(ChannelName, EndName), ArenaError> {
    let block = with_local(|local| tables().arena.take_cell(bytes, local.claimant()))??;
    begin(tables().arena.cell(block).1);
    let kind = ChannelKind::Gate { permits: 1, opened: Opened::ByHolders };
    ask(|world| {
        let made = world.create_channel("", kind, holder)?;
        if let Some(gate) = world.channel_mut(made.0) {
            gate.buffer.push_back(block);
        }
        Ok(made)
    })
}

/// Looks at the cell that a gate keeps. Others may do so before, or change it: it is decided when somebody looks.
pub(super) fn look_at_cell<R>(gate: ChannelName, look: impl FnOnce(usize, Cell<'_>) -> R) -> Option<R> {
    actor(super::Actor::task).into_iter().for_each(let_others_go_first);
    let block = ask(|world| {
        world.asks_for(gate);
        world.touch_part(gate, Part::Memory, true);
        world.channel(gate).filter(|gate| gate.is_gate())?.buffer.front().copied()
    })?;
    let (bytes, cell) = tables().arena.cell(block);
    Some(look(bytes, cell))
}

pub(super) fn request_end(
    me: u32,
    channel: ChannelName,
    direction: Direction,
    holder: Holder,
) -> Result<EndName, ArenaError> {
    loop {
        // Nearly always nothing is to be settled.
        let made = ask(|world| {
            let is_settled = world.tasks[me as usize].effects.is_empty();
            is_settled.then(|| world.request_end(channel, direction, holder))
        });
        match made {
            Some(made) => return made,
            None => let_others_go_first(me),
        }
    }
}

#[inline]
pub(super) fn move_end(end: EndName, from: Holder, to: Holder) -> bool {
    ask(|world| world.move_end(end, from, to))
}

/// Hands all ends from one holder to another.
pub(super) fn move_ends(from: Holder, to: Holder) {
    ask(|world| {
        world.each_held_by(from, |world, end| _ = world.move_end(end, from, to));
    });
}

/// Closes an end. One of the live world is closed there.
#[inline]
pub(super) fn close_end(me: u32, end: EndName, closing: Closing) {
    if world::is_simulated(end.index) {
        ask(|world| {
            world.close(me, end, closing);
            world.free_doomed();
        });
    } else {
        let _ = with_local(|local| local.close_end(end, closing));
    }
}

pub(super) fn close_held(me: u32, member: u32, closing: Closing) {
    ask(|world| {
        world.each_held_by(Holder::Member(member), |world, end| world.close(me, end, closing));
        world.free_doomed();
    });
}

pub(super) fn held_by(holder: Holder) -> Vec<EndName> {
    ask(|world| world.held_by(holder))
}

/// The channel and the side of an end.
#[inline]
pub(super) fn end(name: EndName) -> Option<(ChannelName, Direction)> {
    ask(|world| world.end(name).map(|number| (world.ends[number].channel, world.ends[number].direction)))
}

pub(super) fn holder(name: EndName) -> Option<Holder> {
    ask(|world| world.end(name).and_then(|number| world.ends[number].holder))
}

/// Whether ends travel in a block, which somebody owns or names.
fn carries_ends(block: Block) -> bool {
    block != NONE && tables().arena.block(block).ends().load(Ordering::Acquire) != 0
}

/// Closes the ends that travel in a block, which is about to be given back.
pub(super) fn close_travelling(block: Block, closing: Closing) {
    if !carries_ends(block) {
        return;
    }
    ask(|world| {
        world.close_travelling(block, closing);
        world.free_doomed();
    });
}

/// Gives a packet back, and closes the ends in it.
pub(super) fn take_back(packet: Packet, closing: Closing) {
    let block = packet.into_raw();
    close_travelling(block, closing);
    drop(Packet::from_raw(block));
}

pub(super) fn poison(me: u32, channel: ChannelName, direction: Direction) {
    ask(|world| {
        world.asks_for(channel);
        world.owe(me, Effect::Poison(channel, direction));
    });
}

pub(super) fn end_writing(me: u32, channel: ChannelName) {
    ask(|world| {
        world.asks_for(channel);
        world.owe(me, Effect::EndWriting(channel));
    });
}

pub(super) fn change_parties(me: u32, barrier: ChannelName, change: i32) {
    settle(me);
    ask(|world| {
        world.asks_for(barrier);
        world.touch_part(barrier, Part::Fate, true);
        if let Some(barrier) = world.channel_mut(barrier) {
            barrier.capacity = barrier.capacity.saturating_add_signed(change);
        }
    });
}

pub(super) fn change_permits(me: u32, gate: ChannelName, change: impl FnOnce(u32) -> u32) {
    let_others_go_first(me);
    ask(|world| {
        world.asks_for(gate);
        world.touch_part(gate, Part::Permits, true);
        if let Some(gate) = world.channel_mut(gate) {
            gate.capacity = change(gate.capacity);
        }
        world.tell_settled(gate);
    });
}

pub(super) fn notify(me: u32, gate: ChannelName) {
    let_others_go_first(me);
    ask(|world| {
        world.asks_for(gate);
        world.notify(gate);
    });
}

pub(super) fn recover(gate: ChannelName) {
    describe(gate, |gate| gate.abandoner = None);
}

/// Puts a message back before all others.
pub(super) fn put_back(me: u32, channel: ChannelName, reader: EndName, packet: Packet) {
    settle(me);
    ask(|world| {
        world.task_was_put_back(channel, reader);
        let block = packet.into_raw();
        world.touch_all(channel, true);
        match world.channel_mut(channel).filter(|channel| !channel.no_readers) {
            Some(channel) => channel.buffer.push_front(block),
            None => world.doomed.push(block),
        }
        world.free_doomed();
    });
}

/// Lets the writer of an extended rendezvous go on.
pub(super) fn release(me: u32, writer: ExtendedWriter, unfinished: Option<Unfinished>) {
    let outcome = match unfinished {
        Some(Unfinished { member, crashed }) => Err(Fate::Abandoned { member, crashed }),
        None => Ok(NONE),
    };
    settle(me);
    ask(|world| {
        world.release(writer, outcome);
    });
}

/// The same with a reply, which is dropped if the writer is gone.
pub(super) fn reply(me: u32, writer: ExtendedWriter, reply: Packet) {
    let block = reply.into_raw();
    settle(me);
    ask(|world| {
        if !world.release(writer, Ok(block)) {
            world.doomed.push(block);
            world.free_doomed();
        }
    });
}

pub(super) fn abandon_writers(me: u32, crashed: bool) {
    ask(|world| world.abandon_writers(me, crashed));
}

/// A new process, and the channel that tells of its end.
pub(super) fn create_process(parent: u32, launch: &[u8]) -> Result<NewProcess, ArenaError> {
    let (name, member) = tables().create_member_beside(parent)?;
    if let Err(error) = tables().keep_record(name.index, member, SlotRecord::Launch, launch) {
        give_up_slot(name, member);
        return Err(error);
    }
    let exit = ask(|world| {
        let (exit, _) = world.create_channel("", ChannelKind::End, Holder::Exit(name.index))?;
        world.exits.insert(name.index, exit);
        Ok::<_, ArenaError>(exit)
    })?;
    Ok(NewProcess { name, member, exit, parent })
}

/// A process is over: it leaves when that is decided.
pub(super) fn leave(me: u32, name: MemberName) {
    let is_own = ask(|world| world.tasks[me as usize].member == name && world.tasks[me as usize].is_process);
    if is_own {
        ask(|world| world.owe(me, Effect::Leave(name)));
    } else {
        ask(|world| world.leave(name));
    }
}

pub(super) fn disown(name: MemberName) {
    ask(|world| world.disown(name));
}

/// Kills the process of this name, and notes of what it has died.
pub(crate) fn kill(name: MemberName, note: u32) {
    ask(|world| {
        let place = world.tasks.iter().position(|task| task.is_process && task.member == name);
        if let Some(number) = place {
            world.kill(number as u32, Some(note));
        }
    });
}

/// Whether the task that runs now was killed, and is to do nothing more.
pub(crate) fn is_killed() -> bool {
    actor(super::Actor::task).is_some_and(|me| ask(|world| world.tasks[me as usize].is_killed))
}

/// The member of the task that runs now, for whoever writes down panics.
pub(crate) fn running_member() -> Option<u32> {
    let me = actor(super::Actor::task)?;
    ask(|world| world.tasks.get(me as usize).filter(|task| task.is_process).map(|task| task.member.index))
}
