//! The door: what the layers above may ask of the engine, whatever world the actor is in.
//!
//! Knows nothing of how a world does it: each method is one question to it. Facts of a channel, an end or a process are
//! asked by name (`named`).
//!
//! Closing, poisoning and releasing have no error: without a context nothing can be done now, and the reaper does it
//! when the process ends.

use super::actor::{Actor, World};
use super::live::{Local, Member, NewProcess, Passed, Phase};
#[cfg(feature = "testing")]
use super::sim;
use super::view::View;
use super::{
    ArenaError, Cell, ChannelKind, ChannelName, Closing, Delivered, Direction, EndName, EventOf, ExtendedWriter, Fired,
    Guard, Holder, MemberName, Order, Outcome, Packet, Patience, Short, Unfinished,
};
use std::panic::Location;

/// Asks the simulated world instead, if the actor is the side of one of its tasks. Or first does what somebody who is
/// driven does in the live one, if it is one.
macro_rules! simulated {
    ($actor:expr, $task:pat => $answer:expr) => {
        #[cfg(feature = "testing")]
        if let Some($task) = $actor.task() {
            return $answer;
        }
    };
    ($actor:expr, $task:pat => $answer:expr, $side:ident => $first:expr) => {
        #[cfg(feature = "testing")]
        if !$actor.is_live() {
            if let Some($task) = $actor.task() {
                return $answer;
            }
            if let Some($side) = $actor.side() {
                $first;
            }
        }
    };
    // It has nothing to do then.
    ($actor:expr) => {
        #[cfg(feature = "testing")]
        if $actor.task().is_some() {
            return;
        }
    };
}

/// A message in its block, and its writer, if that is held.
type Taken = (Option<Packet>, Option<ExtendedWriter>);

impl Actor {
    /// Waits until one of the guards fires, and fires exactly that one.
    ///
    /// # Errors
    /// There are too many guards, or no room to offer them; nothing was offered then.
    #[inline]
    pub(crate) fn offer(
        &self,
        guards: &[Guard],
        order: Order,
        location: &'static Location<'static>,
    ) -> Result<Fired, ArenaError> {
        simulated!(
            self,
            me => sim::offer(me, guards, order, location),
            side => return side.offer(self, guards, order, location)
        );
        self.with(|local| local.offer(guards, order, location))?
    }

    /// Waits until the one guard fires, which hands over `message`: it leaves its slot if a reader has it.
    ///
    /// # Errors
    /// As for [`Actor::offer`].
    #[inline]
    pub(crate) fn give(
        &self,
        message: &mut Option<Packet>,
        guard: Guard,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<Outcome<()>, ArenaError> {
        simulated!(self, me => {
            let fired = patience.among(guard, |guards| sim::offer(me, guards, Order::Priority, location))?;
            if fired.index == 0 {
                Packet::settle(message, &fired.outcome);
            }
            Ok(fired.alone(drop))
        }, side => {
            let fired = patience.among(guard, |guards| side.offer(self, guards, Order::Priority, location))?;
            return self.with(|local| fired.given(local, message));
        });
        self.with(|local| Ok(local.communicate(&guard, patience, location)?.given(local, message)))?
    }

    /// Waits until all parties of a barrier are there.
    ///
    /// # Errors
    /// As for [`Actor::offer`].
    pub(crate) fn attend(
        &self,
        channel: ChannelName,
        location: &'static Location<'static>,
    ) -> Result<Outcome<()>, ArenaError> {
        simulated!(
            self,
            me => Ok(sim::offer(me, &[Guard::Barrier { channel }], Order::Priority, location)?.alone(drop)),
            side => return Ok(side.offer(self, &[Guard::Barrier { channel }], Order::Priority, location)?.alone(drop))
        );
        self.with(|local| local.attend(channel, location).of(local, |_, _| ()))
    }

    /// Whether a message may be handed over in nobody's block: where all that happens is told, it has one.
    #[inline]
    pub(crate) fn gives_short(&self) -> bool {
        #[cfg(feature = "testing")]
        return self.is_live();
        #[cfg(not(feature = "testing"))]
        return true;
    }

    /// As [`Actor::give`], for a message in nobody's block: where [`Actor::gives_short`] says so, and into no buffer.
    ///
    /// # Errors
    /// As for [`Actor::offer`].
    #[inline]
    pub(crate) fn give_short(
        &self,
        message: &Short,
        channel: ChannelName,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<Outcome<()>, ArenaError> {
        self.with(|local| {
            let guard = Guard::Output { channel, block: local.say(message) };
            Ok(local.communicate(&guard, patience, location)?.given(local, &mut None))
        })?
    }

    /// Waits until the one guard fires, which takes a message.
    ///
    /// # Errors
    /// As for [`Actor::offer`].
    #[inline]
    pub(crate) fn receive(
        &self,
        guard: Guard,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<Outcome<Option<Delivered>>, ArenaError> {
        simulated!(self, me => {
            let fired = patience.among(guard, |guards| sim::offer(me, guards, Order::Priority, location))?;
            Ok(fired.alone(Delivered::of))
        }, side => {
            let fired = patience.among(guard, |guards| side.offer(self, guards, Order::Priority, location))?;
            return Ok(fired.alone(Delivered::of));
        });
        self.with(|local| {
            let met = local.communicate(&guard, patience, location)?;
            Ok(met.of(local, |local, came| local.heard(came).map(Delivered::Short).or_else(|| Delivered::of(came))))
        })?
    }

    /// The same, where the message is wanted in a block, and its writer may be held.
    ///
    /// # Errors
    /// As for [`Actor::offer`].
    pub(crate) fn take(
        &self,
        guard: Guard,
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Result<Outcome<Taken>, ArenaError> {
        simulated!(self, me => {
            let fired = patience.among(guard, |guards| sim::offer(me, guards, Order::Priority, location))?;
            Ok(fired.alone(|came| (Packet::from_raw(came), fired.writer())))
        }, side => {
            let fired = patience.among(guard, |guards| side.offer(self, guards, Order::Priority, location))?;
            return Ok(fired.alone(|came| (Packet::from_raw(came), fired.writer())));
        });
        self.with(|local| {
            let (met, writer) = local.take(&guard, patience, location)?;
            Ok(met.of(local, |_, came| (Packet::from_raw(came), writer)))
        })?
    }

    /// A packet with room for so many bytes.
    ///
    /// # Errors
    /// The arena is full.
    pub(crate) fn draft(&self, bytes: usize) -> Result<Packet, ArenaError> {
        self.with(|local| local.draft(bytes))?
    }

    /// Gives a packet back, and closes the ends in it as `closing` says.
    pub(crate) fn take_back(&self, packet: Packet, closing: Closing) {
        simulated!(self, _me => sim::take_back(packet, closing));
        let _ = self.with(|local| local.take_back(packet, closing));
    }

    /// Puts a message that was just taken out of a channel back before all others. To be said before anything else is
    /// offered.
    pub(crate) fn put_back(&self, channel: ChannelName, reader: EndName, packet: Packet) {
        simulated!(self, me => sim::put_back(me, channel, reader, packet), side => side.settle(self));
        let _ = self.with(|local| local.put_back(channel, reader, packet.into_raw()));
    }

    /// Who has left tasks behind was named, and is not needed any more.
    pub(crate) fn forget_leaver(&self) {
        simulated!(self);
        let _ = self.with(Local::forget_leaver);
    }

    /// One message that the holder of an end has read is done with. `false` if none is open.
    pub(crate) fn task_done(&self, reader: EndName) -> bool {
        simulated!(self, me => sim::task_done(me, reader), side => side.let_others_go_first(self));
        self.with(|local| local.task_done(reader)).unwrap_or(false)
    }

    /// Lets the writer of an extended rendezvous go on, with the reason if its reader did not finish.
    pub(crate) fn release(&self, writer: ExtendedWriter, unfinished: Option<Unfinished>) {
        simulated!(self, me => sim::release(me, writer, unfinished), side => side.settle(self));
        let _ = self.with(|local| {
            local.note_release();
            local.release(writer, unfinished);
        });
    }

    /// The same with a reply, which the writer gets. A writer that is gone gets none, and the reply is dropped.
    pub(crate) fn reply(&self, writer: ExtendedWriter, reply: Packet) {
        simulated!(self, me => sim::reply(me, writer, reply), side => side.settle(self));
        let mut reply = Some(reply);
        let _ = self.with(|local| local.reply(writer, &mut reply));
    }

    /// As [`Actor::give`] with one guard, for a message whose reader replies: gives the reply.
    pub(crate) fn call(
        &self,
        message: &mut Option<Packet>,
        guard: Guard,
        location: &'static Location<'static>,
    ) -> Result<Outcome<Option<Packet>>, ArenaError> {
        simulated!(self, me => {
            let fired = sim::offer(me, &[guard], Order::Priority, location)?;
            Packet::settle(message, &fired.outcome);
            Ok(fired.alone(Packet::from_raw))
        }, side => {
            let fired = side.offer(self, &[guard], Order::Priority, location)?;
            Packet::settle(message, &fired.outcome);
            return Ok(fired.alone(Packet::from_raw));
        });
        self.with(|local| {
            let met = local.communicate(&guard, Patience::ForEver, location)?;
            Ok(met.handed_over(local, message, |_, reply| Packet::from_raw(reply)))
        })?
    }

    /// One more message of an extended read is kept, until [`Actor::keeps_no_more`]: a thread that ends with one has
    /// forgotten it.
    pub(crate) fn keeps_message(&self) {
        simulated!(self);
        let _ = self.with(Local::keeps_message);
    }

    /// The counterpart of [`Actor::keeps_message`].
    pub(crate) fn keeps_no_more(&self) {
        simulated!(self);
        let _ = self.with(Local::keeps_no_more);
    }

    /// Makes a channel, with one handle for the process that the actor acts for.
    ///
    /// # Errors
    /// There is no room for it.
    pub(crate) fn create_channel(&self, name: &str, kind: ChannelKind) -> Result<(ChannelName, EndName), ArenaError> {
        let holder = self.as_holder()?;
        simulated!(self, _me => sim::create_channel(name, kind, holder), side => {
            let made = self.with(|local| local.create_channel(name, kind, holder))?;
            made.iter().for_each(|(channel, _)| side.note_channel(*channel));
            return made;
        });
        self.with(|local| local.create_channel(name, kind, holder))?
    }

    /// Makes a gate of one permit that keeps a cell of so many bytes, with one handle for the process that the actor
    /// acts for. `begin` writes what is in the cell.
    ///
    /// # Errors
    /// There is no room for it.
    pub(crate) fn create_cell(
        &self,
        bytes: usize,
        begin: impl FnOnce(Cell<'_>),
    ) -> Result<(ChannelName, EndName), ArenaError> {
        let holder = self.as_holder()?;
        simulated!(self, _me => sim::create_cell(bytes, begin, holder), side => {
            let made = self.with(|local| local.create_cell(bytes, begin, holder))?;
            made.iter().for_each(|(gate, _)| side.note_channel(*gate));
            return made;
        });
        self.with(|local| local.create_cell(bytes, begin, holder))?
    }

    /// Makes a gate that keeps an area of so many bytes, which `begin` writes, with one handle for the process that the
    /// actor acts for.
    ///
    /// # Errors
    /// There is no room for it.
    pub(crate) fn create_area(&self, bytes: usize, begin: Option<&[u8]>) -> Result<(ChannelName, EndName), ArenaError> {
        let holder = self.as_holder()?;
        simulated!(self, _me => Err(ArenaError::Simulated { what: "a `Region`" }));
        self.with(|local| local.create_area(bytes, begin, holder))?
    }

    /// Whether this gate, of which the caller has a handle, has no other end.
    pub(crate) fn has_one_end(&self, gate: ChannelName) -> bool {
        simulated!(self, _me => false);
        self.with(|local| local.has_one_end(gate)).unwrap_or(false)
    }

    /// Makes one more end of a channel, for the process that the actor acts for.
    ///
    /// # Errors
    /// There is no room for it. Boxed, so that a name comes in registers: read from memory as a whole, where it was
    /// written in pieces, it would stall.
    pub(crate) fn request_end(&self, channel: ChannelName, direction: Direction) -> Result<EndName, Box<ArenaError>> {
        let holder = self.as_holder()?;
        simulated!(self, me => Ok(sim::request_end(me, channel, direction, holder)?), side => side.settle(self));
        Ok(self.with(|local| local.request_end(channel, direction, holder))??)
    }

    /// Makes one more end of a channel, which travels with a packet.
    ///
    /// # Errors
    /// There is no room for it.
    #[inline]
    pub(crate) fn send_end(
        &self,
        channel: ChannelName,
        direction: Direction,
        packet: Holder,
    ) -> Result<EndName, ArenaError> {
        simulated!(self, me => sim::request_end(me, channel, direction, packet), side => side.settle(self));
        self.with(|local| local.request_end(channel, direction, packet))?
    }

    /// An end has arrived with a packet: from now on the process that the actor acts for holds it. `false` if the
    /// packet does not carry it.
    ///
    /// # Errors
    /// There is no context to do it with.
    #[inline]
    pub(crate) fn receive_end(&self, end: EndName, packet: Holder) -> Result<bool, ArenaError> {
        let holder = self.as_holder()?;
        simulated!(self, _me => Ok(sim::move_end(end, packet, holder)));
        self.with(|local| local.move_end(end, packet, holder))
    }

    /// From now on the process of the operating system has an end, and not the one that the actor acts for, which may
    /// be one of its threads: the end is there as long as what stands for it is, in whichever thread.
    pub(crate) fn entrust_to_host(&self, end: EndName) {
        simulated!(self);
        let _ = self.with(|local| {
            let tables = local.tables();
            if let (Ok(mine), Ok(host)) = (self.member_in(tables), tables.host())
                && mine != host
            {
                local.move_end(end, Holder::Member(mine), Holder::Member(host));
            }
        });
    }

    /// Closes an end. Closing it twice is closing it once.
    pub(crate) fn close_end(&self, end: EndName, closing: Closing) {
        simulated!(self, me => sim::close_end(me, end, closing), side => return side.close(self, end, closing));
        let _ = self.with(|local| local.close_end(end, closing));
    }

    /// Closes all ends that a process holds.
    ///
    /// # Errors
    /// There is no context to do it with.
    pub(crate) fn close_held(&self, member: u32, closing: Closing) -> Result<(), ArenaError> {
        simulated!(self, me => {
            sim::close_held(me, member, closing);
            Ok(())
        }, side => {
            side.close_held(self, member, closing);
            return Ok(());
        });
        self.with(|local| local.close_held(member, closing))
    }

    /// Tells the writers of messages that were forgotten in an extended read.
    pub(crate) fn abandon_writers(&self, crashed: bool) {
        simulated!(self, me => sim::abandon_writers(me, crashed));
        let _ = self.with(|local| local.abandon_writers(crashed));
    }

    /// Poisons a channel from the side of an end.
    pub(crate) fn poison(&self, channel: ChannelName, direction: Direction) {
        simulated!(
            self,
            me => sim::poison(me, channel, direction),
            side => return side.owe(self, sim::Effect::Poison(channel, direction))
        );
        let _ = self.with(|local| local.poison(channel, direction));
    }

    /// From now on nobody writes to a channel, whoever has an end of it. What is in its buffer is still read.
    pub(crate) fn end_writing(&self, channel: ChannelName) {
        simulated!(
            self,
            me => sim::end_writing(me, channel),
            side => return side.owe(self, sim::Effect::EndWriting(channel))
        );
        let _ = self.with(|local| local.end_writing(channel));
    }

    /// One more party of a barrier, or one less.
    pub(crate) fn change_parties(&self, barrier: ChannelName, change: i32) {
        simulated!(self, me => sim::change_parties(me, barrier, change), side => side.settle(self));
        let _ = self.with(|local| local.change_parties(barrier, change));
    }

    /// Passes a gate at which nobody waits, if enough permits are free, for the process that the actor acts for; or
    /// does nothing, and then the one guard is to be offered.
    #[inline(never)]
    pub(crate) fn pass_at_once(
        &self,
        gate: ChannelName,
        weight: u32,
        location: &'static Location<'static>,
    ) -> Option<Passed> {
        // It is decided who passes: that takes an offer.
        simulated!(self, _me => None, _side => return None);
        let pass = |local: &mut Local| {
            let member = self.member_in(local.tables()).ok()?;
            let passed = local.pass_at_once(gate, weight, member, location)?;
            local.note_pass(gate, location);
            Some(passed)
        };
        self.with(pass).ok()?
    }

    /// The same, but looks again for a moment while somebody has the permits.
    pub(crate) fn pass_soon(
        &self,
        gate: ChannelName,
        weight: u32,
        location: &'static Location<'static>,
    ) -> Option<Passed> {
        simulated!(self, _me => None, _side => return None);
        let member = self.member().ok()?;
        let pass = |local: &mut Local| {
            let passed = local.pass_soon(gate, weight, member, location)?;
            local.note_pass(gate, location);
            Some(passed)
        };
        self.with(pass).ok()?
    }

    /// Gives permits of a gate back.
    #[inline(never)]
    pub(crate) fn give_back(&self, unit: EndName) {
        simulated!(
            self,
            me => sim::close_end(me, unit, Closing::Resign),
            side => return side.close(self, unit, Closing::Resign)
        );
        let _ = self.with(|local| {
            local.note_giving_back(unit);
            local.give_back(unit);
        });
    }

    /// Changes how many permits a gate has. Never waits.
    pub(crate) fn change_permits(&self, gate: ChannelName, change: impl FnOnce(u32) -> u32) {
        simulated!(self, me => sim::change_permits(me, gate, change), side => side.let_others_go_first(self));
        let _ = self.with(|local| local.change_permits(gate, change));
    }

    /// Lets in the one who waits longest at a gate that opens in turns.
    pub(crate) fn notify(&self, gate: ChannelName) {
        simulated!(self, me => sim::notify(me, gate), side => side.let_others_go_first(self));
        let _ = self.with(|local| local.notify(gate));
    }

    /// Who has left a gate without giving its permits back, as `look` sees it; `None` if that is dealt with.
    pub(crate) fn look_at_abandoner<R>(&self, gate: ChannelName, look: impl FnOnce(u32) -> R) -> Option<R> {
        simulated!(self, _me => sim::look_at_permits(gate, |gate| gate.abandoner).flatten().map(look));
        let member = self.with(|local| local.abandoner(gate)).ok()??;
        let seen = look(member);
        let _ = self.with(Local::forget_leaver);
        Some(seen)
    }

    /// What the abandoner of a gate has left behind is dealt with.
    pub(crate) fn recover(&self, gate: ChannelName) {
        simulated!(self, _me => sim::recover(gate));
        let _ = self.with(|local| local.recover(gate));
    }

    /// Something that whoever runs here does on its own is recorded, if anything is.
    pub(crate) fn note(&self, event: EventOf<'_>) {
        simulated!(self);
        if self.tables().arena.control().is_on() {
            let _ = self.with(|local| local.note(event));
        }
    }

    /// A new process, which the one that the actor acts for is about to start; with the record of what it needs.
    ///
    /// # Errors
    /// There is no room for it.
    pub(crate) fn create_process(&self, on_thread: bool, launch: &[u8]) -> Result<NewProcess, ArenaError> {
        let parent = self.member()?;
        simulated!(self, _me => sim::create_process(parent, launch), side => {
            let made = self.with(|local| local.create_process(parent, on_thread, launch))?;
            made.iter().for_each(|made| side.note_channel(made.exit));
            return made;
        });
        self.with(|local| local.create_process(parent, on_thread, launch))?
    }

    /// A process is over, or will never begin: gives up what it still holds, and tells those who wait for its end.
    pub(crate) fn leave(&self, name: MemberName, member: &Member) {
        simulated!(self, me => sim::leave(me, name), side => if side.is(name) {
            return self.end_if_driven(Some(name));
        });
        let _ = self.with(|local| local.leave(name.index, member));
    }

    /// A process has come to this phase, as whoever waits for that learns.
    pub(crate) fn enter_phase(&self, member: &Member, phase: Phase) {
        simulated!(self, _me => member.come_to(phase));
        member.enter(phase);
    }

    /// Nobody will ask for the outcome of a process, or for the report of a deadlock, any more.
    pub(crate) fn disown(&self, name: MemberName) {
        simulated!(self, _me => sim::disown(name));
        let _ = self.with(|local| local.disown(name));
    }

    /// Makes sure that it has a context.
    ///
    /// # Errors
    /// There is no room for one.
    pub(crate) fn prepare(&self) -> Result<(), ArenaError> {
        simulated!(self, _me => Ok(()));
        self.with(|_| ())
    }

    /// From now on it acts for nobody, and does not count as active.
    pub(crate) fn stand_aside(&self) {
        simulated!(self);
        let _ = self.with(|local| local.stand_aside());
    }

    /// Poisons channels because of a deadlock, of which there may be a record.
    pub(crate) fn poison_all(&self, channels: impl IntoIterator<Item = ChannelName>, record: Option<u32>) {
        let _ = self.with(|local| local.poison_all(channels, record));
    }

    /// A process is in a deadlock, whose record it keeps from now on.
    pub(crate) fn note_deadlock(&self, process: MemberName, record: u32) {
        let _ = self.with(|local| local.note_deadlock(process, record));
    }

    /// What there is, and what everybody does.
    pub(crate) fn view(&self) -> View {
        match &self.world {
            World::Live { .. } => self.tables().view(),
        }
    }

    /// The same of the channels that somebody waits for.
    pub(crate) fn view_of_waits(&self) -> View {
        match &self.world {
            World::Live { .. } => self.tables().view_of_waits(),
        }
    }

    /// Who holds the ends that it requests.
    pub(crate) fn as_holder(&self) -> Result<Holder, ArenaError> {
        self.member().map(Holder::Member)
    }
}
