//! The recorder: what a context does, written into its ring, while somebody wants to know.
//!
//! Knows nothing of who reads it. While nobody does, an operation pays for one look at a word that never changes. While
//! somebody does, it goes another way, which is the same with a record behind it: no lock is held, a partner has been
//! woken, and what the operation came to is in the [notes](super::notes).
//!
//! **The number of a record** is the engine's own ([`number`](super::number)), so both sides of a rendezvous have the
//! same one, and the two records find each other by it and by the channel. A message that lay in a buffer is known by
//! its block, which lies in one buffer once at a time: it was written by the last one who put this block into this
//! channel. What the context does on its own (it begins, it marks something) has the next number; so all that a process
//! does has a larger one than what its starter did before.
//!
//! A context that waits says so before: who is dead or stuck is seen to have waited, and how long somebody has waited
//! is the time between two records.

use super::channel::{Channel, END};
use super::local::Local;
use super::member::Member;
use super::ring::Owner;
use super::short::{is_short, length_of};
use super::single::{Met, WRITES};
use super::sync::Ordering;
use super::tables::Tables;
use crate::engine::record::{BUFFERED, COMMITTED, EXTENDED, TIMED};
use crate::engine::{
    Came, ChannelName, Direction, EndName, EventKind, EventOf, EventRecord, Fate, Fired, Guard, Order, Patience, Place,
};
use crate::memory::{ArenaError, Block, NONE, is_block};
use std::panic::Location;

impl Local {
    /// Whether somebody wants to know.
    #[inline(always)]
    pub(super) fn is_traced(&self) -> bool {
        self.tables.arena.control().is_on()
    }

    /// The offer of one guard, with a record.
    #[cold]
    #[inline(never)]
    pub(super) fn alone_and_record<const KIND: u8>(
        &mut self,
        guard: &Guard,
        says: (ChannelName, Block, u32),
        patience: Patience,
        location: &'static Location<'static>,
    ) -> Met {
        let giving = says.1;
        let given = if KIND == WRITES { self.bytes_of(giving) } else { 0 };
        self.begin_note();
        let met = self.alone_silently::<KIND>(guard, says, patience, location);
        let (came, message) = match met {
            Met::Came(block) => {
                (Came::Done, if KIND == WRITES { (giving, given) } else { (block, self.bytes_of(block)) })
            }
            Met::Ended => (came_of(self.fate), (NONE, 0)),
            Met::Late if matches!(patience, Patience::Not) => (Came::NotAtOnce, (NONE, 0)),
            Met::Late => (Came::Late, (NONE, 0)),
        };
        let timed = matches!(patience, Patience::Until(_));
        self.record_communication(guard, (0, 1), came, message, timed, Place::of(location));
        met
    }

    /// As [`offer`](Local::offer), with a record.
    ///
    /// # Errors
    /// As for that.
    #[cold]
    #[inline(never)]
    pub(super) fn offer_and_record(
        &mut self,
        guards: &[Guard],
        order: Order,
        location: &'static Location<'static>,
    ) -> Result<Fired, ArenaError> {
        self.begin_note();
        let fired = self.offer_silently(guards, order, location);
        if let Ok(fired) = &fired {
            self.record_fired(guards, fired);
        }
        fired
    }

    /// An operation begins that will be recorded.
    pub(super) fn begin_note(&mut self) {
        self.notes.begin(self.context.number());
    }

    /// What the offer of these guards came to, which was begun with [`begin_note`](Local::begin_note).
    #[cold]
    #[inline(never)]
    pub(super) fn record_fired(&mut self, guards: &[Guard], fired: &Fired) {
        let Some(guard) = guards.get(fired.index) else { return };
        let (came, bytes) = match fired.outcome {
            Ok(block) if matches!(guard, Guard::Input { .. }) => (Came::Done, self.bytes_of(block)),
            Ok(_) => (Came::Done, 0),
            Err(fate) => (came_of(fate), 0),
        };
        let timed = guards.iter().any(|guard| matches!(guard, Guard::Timer { .. }));
        let place = Place::at(self.context.location());
        let message = match (guard, fired.outcome) {
            (Guard::Output { block, .. }, _) => *block,
            (_, Ok(block)) => block,
            _ => NONE,
        };
        self.record_communication(guard, (fired.index, guards.len()), came, (message, bytes), timed, place);
    }

    /// The offer is queued, and the context is about to wait.
    #[cold]
    #[inline(never)]
    pub(super) fn record_wait(&mut self, guards: &[Guard]) {
        let first = guards.first().map_or((EventKind::Time, None), |guard| self.meaning(guard));
        let mut record = EventRecord::new(EventKind::Wait, self.context.number(), Place::at(self.context.location()));
        let timed = guards.iter().any(|guard| matches!(guard, Guard::Timer { .. }));
        record.flags = if timed { TIMED } else { 0 };
        record = record.for_what(first.0).by(0, guards.len(), 0);
        record = first.1.map_or(record, |channel| record.at(channel));
        if first.0 == EventKind::Join {
            record =
                first.1.and_then(|exit| self.tables.whose_exit(exit)).map_or(record, |serial| record.about(serial));
        }
        self.record(record);
    }

    /// Its reader has the message, and the context waits until that has finished.
    #[cold]
    #[inline(never)]
    pub(super) fn record_being_held(&mut self, guard: &Guard) {
        let place = Place::at(self.context.location());
        let record = EventRecord::new(EventKind::Wait, self.context.number(), place).for_what(EventKind::Release);
        let (_, channel) = self.meaning(guard);
        self.record(channel.map_or(record, |channel| record.at(channel)));
    }

    fn record_communication(
        &mut self,
        guard: &Guard,
        (index, of): (usize, usize),
        came: Came,
        (message, bytes): (Block, usize),
        timed: bool,
        place: Place,
    ) {
        let (kind, channel) = self.meaning(guard);
        let slot = channel.and_then(|name| self.tables.channel(name));
        let number = self.notes.number().unwrap_or_else(|| self.tick());
        let mut record = EventRecord::new(kind, number, place);
        record.came = came;
        record.flags = if timed { TIMED } else { 0 };
        if let Guard::Input { extended: true, .. } = guard {
            record.flags |= EXTENDED;
        }
        let met = self.notes.met();
        if met.is_some() {
            record.flags |= COMMITTED;
        }
        let mut buffered = 0;
        if let Some(slot) = slot.filter(|slot| slot.is_buffered()) {
            record.flags |= BUFFERED;
            record.message = u64::from(message);
            buffered = slot.length.load(Ordering::Relaxed);
        }
        record = record.with(met, bytes).by(index, of, buffered);
        if let Some(name) = channel {
            record = record.at(name);
            if kind == EventKind::Join
                && let Some(serial) = self.tables.whose_exit(name)
            {
                record = record.about(serial);
            }
        }
        self.record(record);
    }

    /// The next number, for something that is no communication.
    fn tick(&self) -> u64 {
        let number = self.context.number() + 1;
        self.context.number.store(number, Ordering::Relaxed);
        number
    }

    /// Something that the context does on its own, which has the next number unless it was given one.
    #[cold]
    #[inline(never)]
    pub(crate) fn note(&mut self, event: EventOf<'_>) {
        if !self.is_traced() {
            return;
        }
        let number = event.number.unwrap_or_else(|| self.tick());
        let place = event.location.map_or(Place::default(), Place::of);
        let mut record = EventRecord::new(event.kind, number, place);
        record.came = event.came;
        if let Some(channel) = event.channel {
            record = record.at(channel);
        }
        if let Some(serial) = event.subject {
            record = record.about(serial);
        }
        match event.text {
            Some(text) => record.texts(text).for_each(|record| self.record(record)),
            None => self.record(record),
        }
    }

    /// From now on a channel has this fate, by something that was done to it from one side.
    #[cold]
    #[inline(never)]
    pub(super) fn note_fate(&mut self, channel: ChannelName, direction: Direction, fate: Option<Fate>) {
        let is_exit = self.tables.channel(channel).is_some_and(|slot| slot.flags.load(Ordering::Relaxed) & END != 0);
        if let Some(fate) = fate
            && !is_exit
            && matches!(direction, Direction::Reader | Direction::Writer)
        {
            let kind = if fate == Fate::Retired { EventKind::Close } else { EventKind::Poison };
            // Whoever is told has a larger one.
            let number = Some(self.context.number());
            self.note(EventOf { number, came: came_of(fate), channel: Some(channel), ..EventOf::new(kind) });
        }
    }

    /// A channel that has a name is no more: whoever reads of it learns that name.
    #[cold]
    #[inline(never)]
    pub(super) fn note_gone(&mut self, name: ChannelName, channel: &Channel) {
        let text = channel.name();
        if !text.is_empty() {
            self.note(EventOf { channel: Some(name), text: Some(&text), ..EventOf::new(EventKind::Gone) });
        }
    }

    /// It is about to start this process.
    #[cold]
    #[inline(never)]
    pub(super) fn note_spawn(&mut self, member: &Member) {
        self.note(EventOf { subject: Some(member.serial()), ..EventOf::new(EventKind::Spawn) });
    }

    /// It passed a gate without an offer.
    #[inline]
    pub(in crate::engine) fn note_pass(&mut self, gate: ChannelName, location: &'static Location<'static>) {
        if self.is_traced() {
            let here = EventOf { channel: Some(gate), location: Some(location), ..EventOf::new(EventKind::Pass) };
            self.note(here);
        }
    }

    /// It is about to give back what it has taken of a gate.
    #[inline]
    pub(in crate::engine) fn note_giving_back(&mut self, unit: EndName) {
        if self.is_traced() {
            let channel = self.tables.end(unit).map(|(gate, _)| gate);
            self.note(EventOf { channel, ..EventOf::new(EventKind::GiveBack) });
        }
    }

    /// It is about to let the writer of an extended rendezvous go on.
    #[inline]
    pub(in crate::engine) fn note_release(&mut self) {
        if self.is_traced() {
            self.note(EventOf::new(EventKind::Release));
        }
    }

    /// Reaper: these processes were killed. What they have recorded stays.
    #[cold]
    #[inline(never)]
    pub(super) fn note_dead(&mut self, host: u32, serials: impl Iterator<Item = u64>) {
        let now = self.tables.arena.control().setting().counter().now();
        self.tables.bury_rings_of(host, now);
        for serial in serials {
            self.note(EventOf { subject: Some(serial), ..EventOf::new(EventKind::Crash) });
        }
    }

    /// Writes one record down, now.
    fn record(&mut self, mut record: EventRecord) {
        let setting = self.tables.arena.control().setting();
        let slot = self.tables.members.get(self.context.acts_for());
        let serial = slot.map_or(u64::MAX, Member::serial);
        if !self.notes.ring.is_some_and(|ring| ring.is_for(setting.epoch(), serial)) {
            self.take_ring(slot, serial);
        }
        record.time = setting.counter().now();
        if let Some(ring) = &self.notes.ring {
            ring.write(&self.tables.arena, record);
        }
    }

    /// A ring of this epoch; that of the one before is left.
    #[cold]
    fn take_ring(&mut self, slot: Option<&'static Member>, serial: u64) {
        self.leave_ring();
        let tables = self.tables;
        let host = self.context.host.load(Ordering::Relaxed).unwrap_or_else(|| self.context.acts_for());
        let take = |launch: &[u8]| {
            let context = self.index;
            tables.take_ring(&Owner { context, host, serial, launch })
        };
        let launched = slot.and_then(|slot| tables.record(slot, super::process::Record::Launch, take));
        self.notes.ring = launched.unwrap_or_else(|| take(&[]));
    }

    /// The context ends, or another epoch has begun.
    pub(super) fn leave_ring(&mut self) {
        if let Some(ring) = self.notes.ring.take() {
            ring.leave(self.tables.arena.control().setting().counter().now());
        }
    }

    fn meaning(&self, guard: &Guard) -> (EventKind, Option<ChannelName>) {
        match *guard {
            Guard::Input { channel, .. } => {
                let slot = self.tables.channel(channel);
                let is_exit = slot.is_some_and(|slot| slot.flags.load(Ordering::Relaxed) & END != 0);
                (if is_exit { EventKind::Join } else { EventKind::Read }, Some(channel))
            }
            Guard::Output { channel, .. } => (EventKind::Write, Some(channel)),
            Guard::Barrier { channel } => (EventKind::Sync, Some(channel)),
            Guard::Pass { gate, .. } => (EventKind::Pass, Some(gate)),
            Guard::Join { queue } => (EventKind::Finish, Some(queue)),
            Guard::Timer { .. } | Guard::Skip => (EventKind::Time, None),
        }
    }

    fn bytes_of(&self, block: Block) -> usize {
        match block {
            short if is_short(short) => length_of(short),
            block if is_block(block) => self.tables.arena.block(block).length(),
            _ => 0,
        }
    }
}

impl Tables {
    /// The serial number of the process whose end this channel tells.
    fn whose_exit(self, channel: ChannelName) -> Option<u64> {
        let members = self.members.taken();
        let its = |member: &Member| self.exit_of(member) == Some(channel);
        members.map(|(_, _, member)| member).find(|member| its(member)).map(Member::serial)
    }
}

impl Place {
    fn at(location: Option<&'static Location<'static>>) -> Place {
        location.map_or(Place::default(), Place::of)
    }
}

fn came_of(fate: Fate) -> Came {
    match fate {
        Fate::Poisoned => Came::Poisoned,
        Fate::Retired => Came::Retired,
        Fate::Lost { .. } => Came::Lost,
        Fate::Abandoned { .. } => Came::Abandoned,
    }
}
