//! Standstill: contexts that wait for each other and for nobody else.
//!
//! Knows nothing of reports or of what is done about it. Nothing is kept for this while processes run; whoever looks
//! reads the tables that the protocol has anyway: what each context offers, and who holds which ends.
//!
//! The set is a greatest fixed point. It begins with all contexts that sleep and have no timer. A context leaves it
//! when one of its guards could be answered from outside: an end of the other side is held by somebody who is not in
//! the set, or is on its way in a message. What remains when nobody leaves any more waits for ever (a partial deadlock,
//! or a total one if it is everybody).
//!
//! **Who stands behind an end.** An end, and a `Channel` value (a handle), is held by a process, and any thread of that
//! process may use it: a Rust value moves between threads without anybody's knowledge. So an end counts as unable to
//! act only if every context of its process that has something on offer is in the set, and every other thread of it
//! waits for another thread of its own. A thread that runs an executor is such a thread; the contexts of its futures
//! are in the set, and so the thread that attends to their bell has to sleep, too. An executor that waits for the
//! system, for descriptors or a time, is never taken to stand still. Behind a process on a thread stand that thread and
//! the threads of the program that act for no process, for it may have made some of them.
//!
//! **What is believed.** A reading without locks may see a moment that never was, and with much traffic hardly one
//! reading is without such a ghost. So what a reading finds is only suspected. The next one, a while later, begins its
//! fixed point with those that were suspected and have not moved since. Only a context that sleeps (PARKED, or HELD by
//! its reader) is suspected at all; it has not moved if it still sleeps and the count of its waits is the same, and a
//! thread without a context has not moved if the system has not run it since.
//! ```text
//!     first reading      A sleeps, n-th wait     B sleeps, m-th wait     C of the process of A has run k times
//!     second reading     A sleeps, n-th wait     B sleeps, m-th wait     C has run k times
//! ```
//! Each of them slept from its place in the first reading to its place in the second: between the two readings all of
//! them slept at once, and nobody was left to wake any of them. The generation in a word would not do for this: it has
//! so few bits that a busy context shows the same again, and while a context spins nobody can tell that it waits.
//!
//! What is believed falls into groups that have nothing to do with each other; each is a deadlock of its own.

use super::channel::{BARRIER, Channel, END};
use super::context::Context;
use super::sync::{Ordering, fence};
use super::tables::Tables;
use super::word::{Snapshot, State};
use crate::engine::{ChannelName, Direction, EndName, Holder, Owner};
use crate::memory::Block;
use crate::sys::threads::{Rest, rest};
use std::collections::{HashMap, HashSet};
use std::panic::Location;

/// What a context does at a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Read,
    Write,
    /// Waits for the other parties of a barrier.
    Sync,
    /// Waits for the end of a process.
    Join,
    /// Has written, and waits for its reader to finish an extended rendezvous.
    Release,
}

impl Action {
    /// The ends that can answer it; `None` if it waits for one process, not for a channel.
    pub(crate) fn answered_by(self) -> Option<Direction> {
        match self {
            Action::Read | Action::Join => Some(Direction::Writer),
            Action::Write => Some(Direction::Reader),
            Action::Sync => Some(Direction::Party),
            Action::Release => None,
        }
    }
}

/// One guard of a context that stands still, and the members that could answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StuckGuard {
    pub(crate) action: Action,
    pub(crate) channel: ChannelName,
    pub(crate) partners: Vec<u32>,
}

/// A context that stands still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stuck {
    pub(crate) member: u32,
    pub(crate) location: Option<&'static Location<'static>>,
    pub(crate) guards: Vec<StuckGuard>,
    context: u32,
}

/// Those who stand still if a reading is right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suspects {
    /// Contexts, and the numbers of their waits.
    contexts: HashSet<(u32, u64)>,
    /// Processes whose threads without a context only wait for others, and those threads.
    hosts: HashMap<u32, Rest>,
}

impl Suspects {
    pub(crate) fn is_empty(&self) -> bool {
        self.contexts.is_empty()
    }
}

/// What one look has found.
#[derive(Debug, Default)]
pub(crate) struct Standstill {
    /// Those who are suspected, without those who have been proved to stand still.
    pub(crate) suspects: Suspects,
    /// Those who do, in groups that wait for each other, in order.
    pub(crate) groups: Vec<Vec<Stuck>>,
}

/// A waiting context, as one reading finds it.
struct Waiting {
    member: u32,
    /// The number of the wait.
    count: u64,
    word: u64,
    guards: Vec<(Action, ChannelName)>,
}

/// One end of a channel, as one reading finds it.
struct Seen {
    direction: Direction,
    holder: Holder,
}

/// One reading of the tables.
struct Reading {
    tables: Tables,
    waiting: HashMap<u32, Waiting>,
    /// Contexts by member, waiting or not.
    contexts: HashMap<u32, Vec<u32>>,
    ends: HashMap<(u32, u32), Vec<Seen>>,
    /// The threads of a process that have no context, if all of them only wait for others.
    idle: HashMap<u32, Option<Rest>>,
    /// In a proof: the same in the reading before.
    ran_before: Option<HashMap<u32, Rest>>,
}

impl Tables {
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

    /// Whether any context sleeps until somebody comes.
    pub(crate) fn anybody_sleeps(self) -> bool {
        self.contexts.taken().any(|(_, _, context)| {
            let timed = context.timed.load(Ordering::Acquire) == 1;
            matches!(context.word.read().state(), State::Extended | State::Parked) && !timed
        })
    }

    /// The contexts that stand still now; they are proved to if they were suspected `before`.
    pub(crate) fn standstill(self, before: &Suspects) -> Standstill {
        let mut reading = Reading::of(self);
        let all = reading.waiting.keys().copied().collect();
        let suspected = reading.fixed_point(all);
        // Somebody who only waits for the end of others is part of it, but is no standstill by itself.
        if suspected.iter().all(|context| reading.only_joins(*context)) {
            return Standstill::default();
        }
        let contexts = reading.suspects(&suspected);
        let hosts = reading.idle.iter().filter_map(|(host, rest)| Some((*host, rest.clone()?))).collect();
        let mut suspects = Suspects { contexts, hosts };
        let known = suspected.into_iter().filter(|context| {
            reading.waiting.get(context).is_some_and(|waiting| before.contexts.contains(&(*context, waiting.count)))
        });
        let known: HashSet<u32> = known.collect();
        reading.ran_before = Some(before.hosts.clone());
        let proved = reading.fixed_point(known);
        let groups = reading.groups(&proved).into_iter();
        let groups = groups.filter(|group| !group.iter().all(|context| reading.only_joins(*context)));
        let groups = groups.map(|group| group.iter().filter_map(|context| reading.describe(*context)).collect());
        suspects.contexts = &suspects.contexts - &reading.suspects(&proved);
        Standstill { suspects, groups: groups.collect() }
    }
}

impl Reading {
    fn of(tables: Tables) -> Reading {
        let mut waiting = HashMap::new();
        let exits = tables.exits();
        let mut contexts: HashMap<u32, Vec<u32>> = HashMap::new();
        for (index, _, context) in tables.contexts.taken() {
            let Some(member) = context.member.load(Ordering::Acquire).checked_sub(1) else { continue };
            // Who has nothing on offer is looked at by its thread.
            if context.is_idle() {
                continue;
            }
            contexts.entry(member).or_default().push(index);
            if let Some(found) = Waiting::read(tables, &exits, member, context) {
                waiting.insert(index, found);
            }
        }
        let mut ends: HashMap<(u32, u32), Vec<Seen>> = HashMap::new();
        for (end, seen) in tables.all_ends() {
            ends.entry((end.index, end.generation)).or_default().push(seen);
        }
        Reading { tables, waiting, contexts, ends, idle: HashMap::new(), ran_before: None }
    }

    /// The largest part of `set` in which nobody can be answered from outside of it.
    fn fixed_point(&mut self, mut set: HashSet<u32>) -> HashSet<u32> {
        loop {
            let answered: Vec<u32> =
                set.iter().copied().filter(|context| self.can_be_answered(*context, &set)).collect();
            if answered.is_empty() {
                return set;
            }
            for context in answered {
                set.remove(&context);
            }
        }
    }

    fn suspects(&self, set: &HashSet<u32>) -> HashSet<(u32, u64)> {
        let waits = set.iter().filter_map(|context| Some((*context, self.waiting.get(context)?.count)));
        waits.collect()
    }

    fn only_joins(&self, context: u32) -> bool {
        let waiting = self.waiting.get(&context);
        waiting.is_none_or(|waiting| waiting.guards.iter().all(|(action, _)| *action == Action::Join))
    }

    /// Parts of the set that have nothing to do with each other, each in order of its members.
    fn groups(&self, set: &HashSet<u32>) -> Vec<Vec<u32>> {
        let mut beside: HashMap<u32, HashSet<u32>> = HashMap::new();
        for context in set {
            for other in self.depends_on(*context).into_iter().filter(|other| set.contains(other)) {
                beside.entry(*context).or_default().insert(other);
                beside.entry(other).or_default().insert(*context);
            }
        }
        let mut left: Vec<u32> = set.iter().copied().collect();
        left.sort_unstable_by_key(|context| (self.waiting.get(context).map(|waiting| waiting.member), *context));
        let mut placed = HashSet::new();
        let mut groups = Vec::new();
        for first in &left {
            let mut open = vec![*first];
            let mut group = HashSet::new();
            while let Some(context) = open.pop() {
                if placed.insert(context) {
                    group.insert(context);
                    open.extend(beside.get(&context).into_iter().flatten());
                }
            }
            if !group.is_empty() {
                groups.push(left.iter().copied().filter(|context| group.contains(context)).collect());
            }
        }
        groups
    }

    /// The contexts that could answer it. Who could make an end that does is left out: whoever only keeps channels for
    /// others would join everything that it has to do with.
    fn depends_on(&self, context: u32) -> HashSet<u32> {
        let Some(waiting) = self.waiting.get(&context) else { return HashSet::new() };
        let answers = waiting.guards.iter().flat_map(|(action, channel)| match action.answered_by() {
            None => self.reader_of(waiting.word).into_iter().collect::<Vec<u32>>(),
            Some(wanted) => {
                let seen = self.ends.get(&(channel.index, channel.generation)).into_iter().flatten();
                let holders = seen.filter(|end| end.direction == wanted).filter_map(|end| match end.holder {
                    Holder::Member(member) | Holder::Exit(member) => Some(member),
                    Holder::Block(block) => self.keeper(block),
                });
                holders.filter_map(|holder| self.contexts.get(&holder)).flatten().copied().collect()
            }
        });
        answers.collect()
    }

    /// The process that keeps a block for itself: arguments for a process that may have to be started again, say. A
    /// message has none: it may be anywhere between two processes.
    fn keeper(&self, block: Block) -> Option<u32> {
        match Owner::of(self.tables.arena.block(block).owner())? {
            Owner::Member(member) => Some(member),
            Owner::Context(_) | Owner::Channel(_) => None,
        }
    }

    /// Whether somebody outside the set could answer one of its guards.
    fn can_be_answered(&mut self, context: u32, set: &HashSet<u32>) -> bool {
        let Some(waiting) = self.waiting.get(&context) else { return true };
        let guards = waiting.guards.clone();
        let (member, word) = (waiting.member, waiting.word);
        guards.iter().any(|(action, channel)| match action {
            Action::Release => self.reader_of(word).is_none_or(|reader| !set.contains(&reader)),
            Action::Sync => self.barrier_may_complete(*channel, set),
            action => self.partner_outside(member, *action, *channel, set),
        })
    }

    fn partner_outside(&mut self, member: u32, action: Action, name: ChannelName, set: &HashSet<u32>) -> bool {
        let Some(channel) = self.tables.channel(name) else { return true };
        if channel.fate().is_some() || channel.length.load(Ordering::Acquire) > 0 && action == Action::Read {
            return true;
        }
        let Some(seen) = self.ends.remove(&(name.index, name.generation)) else { return false };
        let wanted = action.answered_by().unwrap_or(Direction::Writer);
        let outside = seen.iter().any(|end| match (end.direction, end.holder) {
            // A handle could become any end.
            (direction, _) if direction != wanted && direction != Direction::Handle => false,
            (_, Holder::Member(holder)) => !self.is_at_rest(holder, set),
            (_, Holder::Exit(dying)) => dying == member || !self.is_at_rest(dying, set),
            // On its way to somebody, or in the arguments of a process that has not begun; else it goes nowhere without
            // its keeper.
            (_, Holder::Block(block)) => self.keeper(block).is_none_or(|keeper| !self.is_at_rest(keeper, set)),
        });
        self.ends.insert((name.index, name.generation), seen);
        outside
    }

    /// Whether nobody who may use an end of this member can act.
    fn is_at_rest(&mut self, member: u32, set: &HashSet<u32>) -> bool {
        let all_wait =
            |member: u32| self.contexts.get(&member).map(|contexts| contexts.iter().all(|it| set.contains(it)));
        if all_wait(member) != Some(true) {
            return false;
        }
        let Some(slot) = self.tables.members.get(member) else { return false };
        let host = slot.host.load(Ordering::Acquire);
        // Threads that a process on a thread has made act for the program.
        if host != member && all_wait(host) == Some(false) {
            return false;
        }
        self.others_only_wait(host)
    }

    /// Whether the threads of a process that have no context only wait for others. In a proof, they must not have run
    /// since the reading before either.
    fn others_only_wait(&mut self, host: u32) -> bool {
        if !self.idle.contains_key(&host) {
            let rest = self.look_at_others(host);
            self.idle.insert(host, rest);
        }
        let rest = self.idle.get(&host).and_then(Option::as_ref);
        match &self.ran_before {
            Some(before) => rest.is_some() && rest == before.get(&host),
            None => rest.is_some(),
        }
    }

    fn look_at_others(&self, host: u32) -> Option<Rest> {
        let slot = self.tables.members.get(host)?;
        let contexts = self.tables.contexts.taken().map(|(_, _, context)| context);
        let contexts = contexts.filter(|context| context.host.load(Ordering::Acquire) == host + 1);
        let (futures, threads): (Vec<_>, Vec<_>) =
            contexts.partition(|context| context.tolls.load(Ordering::Acquire) == 1);
        // One that acts for nobody has said that it does not count.
        let counts = |context: &&Context| context.member.load(Ordering::Acquire) != 0;
        let threads = threads.into_iter().filter(|context| !(context.is_idle() && counts(context)));
        let number = |context: &Context| context.thread.load(Ordering::Acquire);
        let known: Vec<u32> = threads.map(number).collect();
        let at_bells: Vec<u32> = futures.into_iter().map(number).collect();
        rest(slot.pid.load(Ordering::Acquire), &known, &at_bells)
    }

    /// Whether the barrier could complete by what somebody outside does.
    fn barrier_may_complete(&mut self, name: ChannelName, set: &HashSet<u32>) -> bool {
        let Some(channel) = self.tables.channel(name) else { return true };
        if channel.fate().is_some() {
            return true;
        }
        let here: HashSet<u32> = self
            .waiting
            .values()
            .filter(|waiting| waiting.guards.contains(&(Action::Sync, name)))
            .map(|waiting| waiting.member)
            .collect();
        let Some(seen) = self.ends.remove(&(name.index, name.generation)) else { return false };
        let missing = |end: &&Seen| !matches!(end.holder, Holder::Member(holder) if here.contains(&holder));
        let seats: Vec<&Seen> = seen.iter().filter(|end| end.direction == Direction::Party).collect();
        let stuck = seats.iter().filter(|end| missing(end)).any(|end| match end.holder {
            Holder::Member(holder) => self.is_at_rest(holder, set),
            _ => false,
        });
        let enough = seats.len() >= channel.capacity.load(Ordering::Acquire) as usize;
        // A party that has not taken its seat yet is a handle, in the hands of any thread of its process: not only of
        // the one that made it, and other threads of that process may wait here already.
        let handles_outside = seen.iter().any(|end| match (end.direction, end.holder) {
            (Direction::Handle, Holder::Member(holder)) => !self.is_at_rest(holder, set),
            _ => false,
        });
        self.ends.insert((name.index, name.generation), seen);
        !stuck && (enough || handles_outside)
    }

    /// The context that keeps a writer waiting, whose word is this; `None` while it has not taken the message over, for
    /// then it is about to run:
    /// ```text
    ///     writer                              reader (stopped, or without a processor)
    ///     HELD(its message), syncs reader ──► COMMITTED(message); has not tagged it
    /// ```
    /// If we took the writer for its own reader, it would seem to wait for itself, and a deadlock would be reported
    /// that does not exist.
    fn reader_of(&self, word: u64) -> Option<u32> {
        let block = Snapshot::from_raw(word).block();
        let Some(Owner::Context(reader)) = Owner::of(self.tables.arena.block(block).owner()) else { return None };
        let is_writer = self.tables.contexts.get(reader).is_some_and(|context| context.word.read().raw() == word);
        (!is_writer).then_some(reader)
    }

    fn describe(&self, context: u32) -> Option<Stuck> {
        let waiting = self.waiting.get(&context)?;
        let location = self.tables.contexts.get(context).and_then(Context::location);
        let guards = waiting.guards.iter().map(|(action, channel)| StuckGuard {
            action: *action,
            channel: *channel,
            partners: self.partners(waiting, *action, *channel),
        });
        Some(Stuck { member: waiting.member, location, guards: guards.collect(), context })
    }

    fn partners(&self, waiting: &Waiting, action: Action, name: ChannelName) -> Vec<u32> {
        let mut partners: Vec<u32> = match action {
            Action::Release => {
                let reader = self.reader_of(waiting.word).and_then(|reader| self.tables.contexts.get(reader));
                reader.and_then(|reader| reader.member.load(Ordering::Acquire).checked_sub(1)).into_iter().collect()
            }
            action => {
                let seen = self.ends.get(&(name.index, name.generation)).into_iter().flatten();
                seen.filter(|end| Some(end.direction) == action.answered_by())
                    .filter_map(|end| match end.holder {
                        Holder::Member(member) | Holder::Exit(member) => Some(member),
                        Holder::Block(_) => None,
                    })
                    .filter(|partner| *partner != waiting.member)
                    .collect()
            }
        };
        partners.sort_unstable();
        partners.dedup();
        partners
    }
}

/// What one context does, for people.
#[derive(Clone, Debug)]
pub(crate) struct ContextSeen {
    pub(crate) member: u32,
    pub(crate) state: &'static str,
    pub(crate) location: Option<&'static Location<'static>>,
    pub(crate) guards: Vec<(Action, ChannelName)>,
}

impl Tables {
    /// What all contexts do now.
    pub(crate) fn scene(self) -> Vec<ContextSeen> {
        let exits = self.exits();
        let members = self.contexts.taken().map(|(_, _, context)| (context, context.member.load(Ordering::Acquire)));
        members
            .filter_map(|(context, member)| {
                let phase = context.word.read().state();
                let waits = matches!(phase, State::Waiting | State::Parked | State::Claimed);
                let offers = if waits || phase == State::Extended { context.offers(self) } else { &[] };
                Some(ContextSeen {
                    member: member.checked_sub(1)?,
                    state: match phase {
                        _ if waits && context.timed.load(Ordering::Acquire) == 1 => "waits, with a timer",
                        _ if waits => "waits",
                        State::Extended => "waits for its reader to finish",
                        State::Dead => "is dead",
                        _ => "runs; last communicated",
                    },
                    location: context.location(),
                    guards: offers
                        .iter()
                        .map(|offer| (Waiting::action(self, &exits, offer), offer.channel()))
                        .collect(),
                })
            })
            .collect()
    }

    /// All channels, but those that tell of the end of a process.
    pub(crate) fn describe_channels(self) -> Vec<(ChannelName, String)> {
        let exits = self.exits();
        let names =
            self.channels.taken().map(|(index, generation, channel)| (ChannelName { index, generation }, channel));
        let is_end = |channel: &Channel| channel.flags.load(Ordering::Acquire) & END != 0;
        let names = names.filter(|(name, channel)| !exits.contains(name) && !is_end(channel));
        names.map(|(name, channel)| (name, channel.describe(self))).collect()
    }

    fn exits(self) -> HashSet<ChannelName> {
        self.members.taken().filter_map(|(_, _, member)| member.exit()).collect()
    }
}

impl Waiting {
    /// `None` when the context does not sleep, or a timer will end its sleep.
    fn read(tables: Tables, exits: &HashSet<ChannelName>, member: u32, context: &'static Context) -> Option<Waiting> {
        let count = context.waits();
        let word = context.word.read();
        let mut guards: Vec<(Action, ChannelName)> = match word.state() {
            State::Extended => {
                let offers = context.offers(tables);
                let fired = offers.iter().find(|offer| usize::from(offer.guard()) == word.guard());
                let output = || offers.iter().find(|offer| offer.is_output());
                vec![(Action::Release, fired.or_else(output)?.channel())]
            }
            State::Parked if context.timed.load(Ordering::Acquire) == 0 => context
                .offers(tables)
                .iter()
                .map(|offer| (Waiting::action(tables, exits, offer), offer.channel()))
                .collect(),
            _ => return None,
        };
        guards.dedup();
        // The table and the word belong to this wait only if neither has changed since.
        fence(Ordering::Acquire);
        let same = context.word.read() == word && context.waits() == count;
        (same && !guards.is_empty()).then(|| Waiting { member, count, word: word.raw(), guards })
    }

    fn action(tables: Tables, exits: &HashSet<ChannelName>, offer: &super::context::Offer) -> Action {
        let flags = tables.channel(offer.channel()).map_or(0, |channel| channel.flags.load(Ordering::Acquire));
        match (flags & BARRIER != 0, offer.is_output()) {
            (true, _) => Action::Sync,
            (false, true) => Action::Write,
            (false, false) if flags & END != 0 || exits.contains(&offer.channel()) => Action::Join,
            (false, false) => Action::Read,
        }
    }
}

impl Tables {
    fn all_ends(self) -> Vec<(ChannelName, Seen)> {
        let name = |(index, generation)| EndName { index, generation };
        self.ends
            .taken()
            .map(|(index, generation, _)| name((index, generation)))
            .filter_map(|end| {
                let (channel, direction) = self.end(end)?;
                Some((channel, Seen { direction, holder: self.holder(end)? }))
            })
            .collect()
    }
}
