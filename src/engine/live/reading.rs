//! The reading: what the tables show while everybody goes on, taken without a lock.
//!
//! Knows nothing of what is done with it. It is the only place that makes a [`View`]; only the audit looks at the
//! tables as they are, for it looks for what a view could not show.
//!
//! ```text
//!     1  contexts    number of the wait, word, table; and once more the word and the number: the table is that of
//!                    this wait only if both are the same
//!     2  ends        of all channels, or of those that somebody waits for: who holds them, and who keeps the blocks
//!                    that others travel in
//!     3  processes
//!     4  channels    after the ends: one whose end has just gone shows its fate, or is locked still
//!     5  contexts    whoever does not wait any more, or waits again, is shown as answered
//! ```
//! Between 1 and 5 whoever is shown as waiting was in one and the same wait.

use super::channel::{BARRIER, CARRIED, Channel, DROP_NEWEST, END, GATE, OVERWRITE_NEWEST, OVERWRITE_OLDEST, SERVED};
use super::context::Context;
use super::sync::{Ordering, fence};
use super::tables::{LAYOUT, Tables};
use super::word::{Snapshot, State};
use crate::engine::view::{Action, ChannelView, ContextView, Doing, EndView, OfferView, ProcessView, View};
use crate::engine::{ChannelKind, ChannelName, EndName, Holder, MemberName, Owner, ProcessId, Store};
use crate::memory::Slot;
use std::collections::BTreeSet;

impl Tables {
    /// What there is, and what everybody does.
    pub(crate) fn view(self) -> View {
        self.read(|_| None)
    }

    /// The same without channels at which nobody waits, and their ends: it takes as long as there are processes, and
    /// offers of theirs, however many channels there are.
    pub(crate) fn view_of_waits(self) -> View {
        self.read(|seen| Some(seen.iter().flat_map(|seen| &seen.offers).map(|offer| offer.channel).collect()))
    }

    /// Reads everything but channels that do not matter; those that do are chosen when it is known who waits where.
    fn read(self, matter: impl FnOnce(&[Seen]) -> Option<BTreeSet<ChannelName>>) -> View {
        let mut seen: Vec<Seen> = self
            .contexts
            .taken()
            .map(|(index, generation, context)| self.context(index, generation, context))
            .collect();
        let matter = matter(&seen);
        let ends = match &matter {
            None => self.ends.taken().collect(),
            Some(names) => self.ends_of_any(names),
        };
        let ends = ends.into_iter();
        let mut ends: Vec<EndView> =
            ends.filter_map(|(index, generation, _)| self.seen_end(EndName { index, generation })).collect();
        for end in &mut ends {
            end.keeper = self.keeper_of_block(end.holder);
        }
        let mut view = View {
            identity: self.arena.identity(LAYOUT),
            processes: self.seen_processes(),
            contexts: Vec::new(),
            channels: self.seen_channels(matter.as_ref()),
            ends,
        };
        // Whatever was read above was read before this look.
        fence(Ordering::SeqCst);
        seen.retain(|seen| seen.context.state().is(seen.generation));
        for seen in &mut seen {
            seen.check(self, &view);
        }
        view.contexts = seen.into_iter().map(|seen| seen.view).collect();
        view
    }

    /// A number that changes when a context begins or ends an operation.
    pub(crate) fn signature(self) -> u64 {
        let words = self.contexts.taken().map(|(index, _, context)| {
            // The phase, too: it changes within a wait.
            [u64::from(index), context.waits(), context.word.read().raw()]
        });
        // FNV-1a, over words instead of bytes.
        words.fold(0xcbf2_9ce4_8422_2325, |hash, parts| {
            parts.iter().fold(hash, |hash, part| (hash ^ part).wrapping_mul(0x0100_0000_01b3))
        })
    }

    /// One more look at everybody has begun and ended.
    pub(crate) fn note_look(self) {
        self.arena.shared().looks.fetch_add(1, Ordering::Release);
    }

    /// How many looks have begun and ended.
    pub(crate) fn looks(self) -> u64 {
        self.arena.shared().looks.load(Ordering::Acquire)
    }

    /// Whether any context sleeps until somebody comes.
    pub(crate) fn anybody_sleeps(self) -> bool {
        self.contexts.taken().any(|(_, _, context)| {
            let timed = context.timed.load(Ordering::Acquire) == 1;
            matches!(context.word.read().state(), State::Extended | State::Parked) && !timed
        })
    }

    /// Step 1, for one context.
    fn context(self, index: u32, generation: u32, context: &'static Context) -> Seen {
        loop {
            let waits = context.waits();
            let word = context.word.read();
            let doing = match word.state() {
                State::Waiting | State::Parked | State::Claimed => {
                    let timed = context.timed.load(Ordering::Acquire) == 1;
                    Doing::Waits { timed, asleep: word.state() == State::Parked }
                }
                State::Extended => Doing::Held { reader: None },
                State::Dead => Doing::Dead,
                State::Committed | State::Failed => Doing::Answered,
                State::Idle => Doing::Runs,
            };
            let offers: Vec<RawOffer> = match doing {
                Doing::Waits { .. } => context.offers(self).iter().map(RawOffer::read).collect(),
                Doing::Held { .. } => self.lent(context, word).into_iter().collect(),
                Doing::Runs | Doing::Answered | Doing::Dead => Vec::new(),
            };
            let view = ContextView {
                index,
                member: context.member.load(Ordering::Acquire),
                host: context.host.load(Ordering::Acquire),
                thread: context.thread.load(Ordering::Acquire),
                is_future: context.tolls.load(Ordering::Acquire) == 1,
                doing,
                waits,
                number: context.number(),
                location: context.location(),
                offers: Vec::new(),
            };
            // The table and the word belong to this wait only if neither has changed since.
            fence(Ordering::Acquire);
            if offers.is_empty() || context.word.read() == word && context.waits() == waits {
                return Seen { context, generation, word, view, offers };
            }
        }
    }

    /// The offer that a writer is held with.
    fn lent(self, context: &'static Context, word: Snapshot) -> Option<RawOffer> {
        let offers = context.offers(self);
        let fired = offers.iter().find(|offer| usize::from(offer.guard()) == word.guard());
        fired.or_else(|| offers.iter().find(|offer| offer.is_output())).map(RawOffer::read)
    }

    /// Step 2, for one end.
    fn seen_end(self, name: EndName) -> Option<EndView> {
        let (channel, direction) = self.end(name)?;
        let weight = self.ends.named(name.index, name.generation)?.weight();
        Some(EndView { name, channel, direction, weight, holder: self.holder(name)?, keeper: None })
    }

    fn keeper_of_block(self, holder: Holder) -> Option<u32> {
        let Holder::Block(block) = holder else { return None };
        match Owner::of(self.arena.block(block).owner())? {
            Owner::Member(member) => Some(member),
            Owner::Context(_) | Owner::Channel(_) => None,
        }
    }

    /// Step 3.
    pub(super) fn seen_processes(self) -> Vec<ProcessView> {
        let processes = self.members.taken().filter_map(|(index, generation, member)| {
            let view = ProcessView {
                name: MemberName { index, generation },
                id: ProcessId(member.serial.load(Ordering::Acquire)),
                role: member.role(),
                phase: member.phase(),
                host: member.host.load(Ordering::Acquire),
                pid: member.pid.load(Ordering::Acquire),
                disowned: member.is_disowned(),
                exit: self.exit_of(member),
            };
            member.state().is(generation).then_some(view)
        });
        processes.collect()
    }

    /// Step 4.
    fn seen_channels(self, matter: Option<&BTreeSet<ChannelName>>) -> Vec<ChannelView> {
        let channels: Vec<_> = match matter {
            None => self.channels.taken().collect(),
            Some(names) => {
                let named = names.iter().map(|name| Some((name.index, name.generation, self.channel(*name)?)));
                named.flatten().collect()
            }
        };
        let channels = channels.into_iter().filter_map(|(index, generation, channel)| {
            let [readers, writers, handles, messages] =
                [&channel.readers, &channel.writers, &channel.handles, &channel.length]
                    .map(|count| count.load(Ordering::Acquire));
            let view = ChannelView {
                name: ChannelName { index, generation },
                label: channel.name(),
                kind: channel.kind(),
                // Those who were told of one do not wait at the gate any more.
                fate: channel.fate().filter(|_| !channel.is_gate()),
                in_use: channel.permits_in_use(),
                locked: channel.lock.holder().is_some(),
                readers,
                writers,
                handles,
                messages,
                served: channel.flags.load(Ordering::Acquire) & SERVED != 0,
                number: channel.number.load(Ordering::Relaxed),
            };
            // Another channel may have got the slot meanwhile.
            channel.state().is(generation).then_some(view)
        });
        channels.collect()
    }

    /// The context that keeps a writer waiting, whose word is this; `None` while it has not taken the message over, for
    /// then it is about to run:
    /// ```text
    ///     writer                              reader (stopped, or without a processor)
    ///     HELD(its message), syncs reader ──► COMMITTED(message); has not tagged it
    /// ```
    /// If we took the writer for its own reader, it would seem to wait for itself, and a deadlock would be reported
    /// that does not exist.
    fn reader_of(self, word: Snapshot) -> Option<u32> {
        let Some(Owner::Context(reader)) = self.holder_of(word) else { return None };
        let is_writer = self.contexts.get(reader).is_some_and(|context| context.word.read() == word);
        (!is_writer).then_some(reader)
    }
}

/// A context, between steps 1 and 5.
struct Seen {
    context: &'static Context,
    generation: u32,
    word: Snapshot,
    view: ContextView,
    offers: Vec<RawOffer>,
}

/// An offer whose channel has not been read yet.
#[derive(Clone, Copy)]
struct RawOffer {
    channel: ChannelName,
    is_output: bool,
    joins: bool,
}

impl RawOffer {
    fn read(offer: &super::context::Offer) -> RawOffer {
        RawOffer { channel: offer.channel(), is_output: offer.is_output(), joins: offer.joins() }
    }

    /// What it means; `None` when its channel is gone.
    fn meaning(self, held: bool, view: &View) -> Option<OfferView> {
        let channel = view.channel(self.channel)?;
        let action = match (held, channel.kind, self.is_output) {
            (true, ..) => Action::Release,
            (_, ChannelKind::Barrier { .. }, _) => Action::Sync,
            (_, ChannelKind::Gate { .. }, _) => Action::Pass,
            _ if self.joins => Action::Finish,
            (.., true) => Action::Write,
            (_, ChannelKind::End, false) => Action::Join,
            (.., false) if channel.served => Action::Serve,
            (.., false) => Action::Read,
        };
        Some(OfferView { action, channel: self.channel })
    }
}

impl Seen {
    /// Step 5.
    fn check(&mut self, tables: Tables, view: &View) {
        let held = matches!(self.view.doing, Doing::Held { .. });
        if held {
            self.view.doing = Doing::Held { reader: tables.reader_of(self.word) };
        } else if !matches!(self.view.doing, Doing::Waits { .. }) {
            return;
        }
        let mut offers: Vec<OfferView> = self.offers.iter().filter_map(|offer| offer.meaning(held, view)).collect();
        // Somebody who has been told that a channel is gone does not wait any more.
        let complete = offers.len() == self.offers.len() && (!held || !offers.is_empty());
        offers.dedup();
        self.view.offers = offers;
        if !complete || !self.waits_still() {
            self.view.doing = Doing::Answered;
            self.view.offers.clear();
        }
    }

    fn waits_still(&self) -> bool {
        fence(Ordering::Acquire);
        let now = self.context.word.read();
        // Another phase of the same wait will do.
        let same = now.is_pending() && (now.state() == State::Extended) == (self.word.state() == State::Extended);
        same && self.context.waits() == self.view.waits
    }
}

impl Channel {
    /// What it was made for.
    fn kind(&self) -> ChannelKind {
        let flags = self.flags.load(Ordering::Acquire);
        let capacity = self.capacity.load(Ordering::Acquire);
        let has = |bit| flags & bit != 0;
        match capacity {
            parties if has(BARRIER) => ChannelKind::Barrier { parties },
            permits if has(GATE) => ChannelKind::Gate { permits, opened: self.opened() },
            _ if has(END) => ChannelKind::End,
            _ if has(CARRIED) => ChannelKind::Carried,
            capacity if has(OVERWRITE_OLDEST) => ChannelKind::Channel(Store::OverwriteOldest(capacity)),
            capacity if has(OVERWRITE_NEWEST) => ChannelKind::Channel(Store::OverwriteNewest(capacity)),
            capacity if has(DROP_NEWEST) => ChannelKind::Channel(Store::DropNewest(capacity)),
            capacity => ChannelKind::Channel(Store::Fifo(capacity)),
        }
    }
}
