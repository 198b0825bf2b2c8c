//! Standstill: contexts that wait for each other and for nobody else.
//!
//! Knows nothing of reports, of what is done about it, or of the tables. Nothing is kept for this while processes run;
//! a [`View`] shows all it takes: what each context offers, and who holds which ends.
//!
//! The set is a greatest fixed point. It begins with all contexts that sleep and have no timer. A context leaves it
//! when one of its guards could be answered from outside: an end of the other side is held by somebody who is not in
//! the set, or is on its way in a message; or one of the same side, for whoever has that may poison the channel. What
//! remains when nobody leaves any more waits for ever (a partial deadlock, or a total one if it is everybody).
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
//! **Who is in the middle.** Somebody may be about to answer who has no end any more: he is closing it, under the
//! channel's lock, and was interrupted there, or killed and is not buried yet. So at a channel that is locked nobody is
//! taken to wait for ever:
//! ```text
//!     closing                                  the finder
//!     lock; the end has no holder
//!     killed                                   A sleeps, and there is no end that could answer it  ✗
//!                                              (the server is about to break the lock, and to tell A)
//! ```
//!
//! What is believed falls into groups that have nothing to do with each other; each is a deadlock of its own. Whoever
//! only attends to others, by waiting for their end or for their calls, is at rest when they are: alone it is no
//! deadlock, and whoever only serves is no part of one either.

use super::{Action, ChannelView, ContextView, Doing, EndView, View};
use crate::engine::{ChannelKind, ChannelName, Direction, Holder, MemberName};
use crate::sys::threads::{Rest, rest};
use std::collections::{HashMap, HashSet};
use std::panic::Location;

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
    /// Whom it acts for. The view has seen that this process keeps its slot while its context waits.
    pub(crate) member: MemberName,
    pub(crate) location: Option<&'static Location<'static>>,
    pub(crate) guards: Vec<StuckGuard>,
}

impl Stuck {
    /// Whether it only attends to others: then it is part of a standstill, but is none by itself.
    pub(crate) fn only_attends(&self) -> bool {
        self.guards.iter().all(|guard| guard.action.attends())
    }
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

/// One search for a standstill in a view.
struct Search<'v> {
    view: &'v View,
    /// The contexts that sleep until somebody comes.
    sleeping: HashMap<u32, &'v ContextView>,
    /// Contexts that have something on offer by member, sleeping or not.
    contexts: HashMap<u32, Vec<u32>>,
    ends: HashMap<ChannelName, Vec<&'v EndView>>,
    /// The threads of a process that have no context, if all of them only wait for others.
    idle: HashMap<u32, Option<Rest>>,
    /// In a proof: the same in the reading before.
    ran_before: Option<&'v HashMap<u32, Rest>>,
}

impl View {
    /// The contexts that stand still; they are proved to if they were suspected `before`.
    pub(crate) fn standstill(&self, before: &Suspects) -> Standstill {
        let mut search = Search::of(self);
        let all = search.sleeping.keys().copied().collect();
        let suspected = search.fixed_point(all);
        if suspected.iter().all(|context| search.only(*context, Action::attends)) {
            return Standstill::default();
        }
        let contexts = search.suspects(&suspected);
        let hosts = search.idle.iter().filter_map(|(host, rest)| Some((*host, rest.clone()?))).collect();
        let mut suspects = Suspects { contexts, hosts };
        let known = suspected.into_iter().filter(|context| {
            search.sleeping.get(context).is_some_and(|seen| before.contexts.contains(&(*context, seen.waits)))
        });
        let known: HashSet<u32> = known.collect();
        search.ran_before = Some(&before.hosts);
        let proved = search.fixed_point(known);
        let groups = search.groups(&proved).into_iter();
        let groups = groups.filter(|group| !group.iter().all(|context| search.only(*context, Action::attends)));
        let groups = groups.map(|group| group.iter().filter_map(|context| search.describe(*context)).collect());
        let groups = groups.collect();
        suspects.contexts = &suspects.contexts - &search.suspects(&proved);
        Standstill { suspects, groups }
    }
}

impl<'v> Search<'v> {
    fn of(view: &'v View) -> Search<'v> {
        let (mut sleeping, mut contexts) = (HashMap::new(), HashMap::<u32, Vec<u32>>::new());
        for context in &view.contexts {
            let Some(member) = context.member else { continue };
            // Who has nothing on offer is looked at by its thread.
            if context.doing == Doing::Runs {
                continue;
            }
            contexts.entry(member).or_default().push(context.index);
            if context.sleeps_until_somebody_comes() {
                sleeping.insert(context.index, context);
            }
        }
        let mut ends = HashMap::<ChannelName, Vec<&EndView>>::new();
        for end in &view.ends {
            ends.entry(end.channel).or_default().push(end);
        }
        Search { view, sleeping, contexts, ends, idle: HashMap::new(), ran_before: None }
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
        let waits = set.iter().filter_map(|context| Some((*context, self.sleeping.get(context)?.waits)));
        waits.collect()
    }

    /// Whether all that it waits for is like this.
    fn only(&self, context: u32, is_such: impl Fn(Action) -> bool) -> bool {
        let seen = self.sleeping.get(&context);
        seen.is_none_or(|seen| seen.offers.iter().all(|offer| is_such(offer.action)))
    }

    /// Parts of the set that have nothing to do with each other, each in order of its members. Who only serves is in
    /// none: it is at rest when those are whom it serves, and there is nothing to be done about it.
    fn groups(&self, set: &HashSet<u32>) -> Vec<Vec<u32>> {
        let set: HashSet<u32> =
            set.iter().copied().filter(|context| !self.only(*context, |action| action == Action::Serve)).collect();
        let mut beside: HashMap<u32, HashSet<u32>> = HashMap::new();
        for context in &set {
            for other in self.depends_on(*context).into_iter().filter(|other| set.contains(other)) {
                beside.entry(*context).or_default().insert(other);
                beside.entry(other).or_default().insert(*context);
            }
        }
        let mut left: Vec<u32> = set.iter().copied().collect();
        left.sort_unstable_by_key(|context| (self.sleeping.get(context).map(|seen| seen.member), *context));
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
        let Some(seen) = self.sleeping.get(&context) else { return HashSet::new() };
        let offers = seen.offers.iter().filter(|offer| offer.action != Action::Serve);
        let answers = offers.flat_map(|offer| match offer.action.answered_by() {
            None => seen.reader().into_iter().collect::<Vec<u32>>(),
            Some(wanted) => {
                let ends = self.ends_of(offer.channel).iter();
                let holders = ends.filter(|end| end.direction == wanted).filter_map(|end| match end.holder {
                    Holder::Member(member) | Holder::Exit(member) => Some(member),
                    Holder::Block(_) => end.keeper,
                });
                holders.filter_map(|holder| self.contexts.get(&holder)).flatten().copied().collect()
            }
        });
        answers.collect()
    }

    fn ends_of(&self, channel: ChannelName) -> &[&'v EndView] {
        self.ends.get(&channel).map_or(&[], Vec::as_slice)
    }

    /// Whether somebody outside the set could answer one of its guards.
    fn can_be_answered(&mut self, context: u32, set: &HashSet<u32>) -> bool {
        let Some(&seen) = self.sleeping.get(&context) else { return true };
        seen.offers.iter().any(|offer| match offer.action {
            Action::Release => seen.reader().is_none_or(|reader| !set.contains(&reader)),
            Action::Sync => self.barrier_may_complete(offer.channel, set),
            action => self.partner_outside(seen.member, action, offer.channel, set),
        })
    }

    fn partner_outside(&mut self, member: Option<u32>, action: Action, name: ChannelName, set: &HashSet<u32>) -> bool {
        let Some(channel) = self.view.channel(name) else { return true };
        if channel.is_about_to_answer_to(action) || channel.messages > 0 && action == Action::Read {
            return true;
        }
        let Some(ends) = self.ends.remove(&name) else { return false };
        let units = ends.iter().filter(|end| end.direction == Direction::Unit);
        if units.map(|unit| unit.weight).fold(0, u32::wrapping_add) != channel.in_use {
            // Permits are changing hands.
            self.ends.insert(name, ends);
            return true;
        }
        // A handle could become any end, but no permit.
        let by_handles = action != Action::Pass || channel.is_opened_by_anybody();
        let outside = ends.iter().any(|end| match (end.direction, end.holder) {
            (Direction::Handle, _) if !by_handles => false,
            (direction, _) if !action.may_be_ended_by(direction) => false,
            (_, Holder::Member(holder)) => !self.is_at_rest(holder, set),
            (_, Holder::Exit(dying)) => Some(dying) == member || !self.is_at_rest(dying, set),
            // On its way to somebody, or in the arguments of a process that has not begun; else it goes nowhere without
            // its keeper.
            (_, Holder::Block(_)) => end.keeper.is_none_or(|keeper| !self.is_at_rest(keeper, set)),
        });
        self.ends.insert(name, ends);
        outside
    }

    /// Whether nobody who may use an end of this member can act.
    fn is_at_rest(&mut self, member: u32, set: &HashSet<u32>) -> bool {
        let all_wait =
            |member: u32| self.contexts.get(&member).map(|contexts| contexts.iter().all(|it| set.contains(it)));
        if all_wait(member) != Some(true) {
            return false;
        }
        let Some(process) = self.view.process(member) else { return false };
        // Threads that a process on a thread has made act for the program.
        if !process.is_host() && all_wait(process.host) == Some(false) {
            return false;
        }
        self.others_only_wait(process.host)
    }

    /// Whether the threads of a process that have no context only wait for others. In a proof, they must not have run
    /// since the reading before either.
    fn others_only_wait(&mut self, host: u32) -> bool {
        if !self.idle.contains_key(&host) {
            let rest = self.look_at_others(host);
            self.idle.insert(host, rest);
        }
        let rest = self.idle.get(&host).and_then(Option::as_ref);
        match self.ran_before {
            Some(before) => rest.is_some() && rest == before.get(&host),
            None => rest.is_some(),
        }
    }

    /// Asks the system: the tables do not know threads without a context.
    fn look_at_others(&self, host: u32) -> Option<Rest> {
        let process = self.view.process(host)?;
        let own = self.view.contexts.iter().filter(|context| context.host == Some(host));
        let (futures, threads): (Vec<_>, Vec<_>) = own.partition(|context| context.is_future);
        // One that acts for nobody has said that it does not count.
        let threads = threads.into_iter().filter(|context| context.doing != Doing::Runs || context.member.is_none());
        let known: Vec<u32> = threads.map(|context| context.thread).collect();
        let at_bells: Vec<u32> = futures.into_iter().map(|context| context.thread).collect();
        rest(process.pid, &known, &at_bells)
    }

    /// Whether the barrier could complete by what somebody outside does.
    fn barrier_may_complete(&mut self, name: ChannelName, set: &HashSet<u32>) -> bool {
        let Some(channel) = self.view.channel(name) else { return true };
        let ChannelKind::Barrier { parties } = channel.kind else { return true };
        if channel.is_about_to_answer() {
            return true;
        }
        let syncs = |seen: &&&ContextView| {
            seen.offers.iter().any(|offer| offer.action == Action::Sync && offer.channel == name)
        };
        let here: HashSet<u32> = self.sleeping.values().filter(syncs).filter_map(|seen| seen.member).collect();
        let Some(ends) = self.ends.remove(&name) else { return false };
        let missing = |end: &&&EndView| !matches!(end.holder, Holder::Member(holder) if here.contains(&holder));
        let seats: Vec<&EndView> = ends.iter().copied().filter(|end| end.direction == Direction::Party).collect();
        // A seat that is kept for whoever may have to be started again is nobody's until then.
        let mut never_come = |end: &&&EndView| match end.holder {
            Holder::Member(holder) => self.is_at_rest(holder, set),
            Holder::Block(_) => end.keeper.is_some_and(|keeper| self.is_at_rest(keeper, set)),
            Holder::Exit(_) => false,
        };
        let stuck = seats.iter().filter(missing).filter(|end| never_come(end)).count();
        let enough = seats.len() >= parties as usize;
        // A party that has not taken its seat yet is a handle, in the hands of any thread of its process: not only of
        // the one that made it, and other threads of that process may wait here already.
        let handles_outside = ends.iter().any(|end| match (end.direction, end.holder) {
            (Direction::Handle, Holder::Member(holder)) => !self.is_at_rest(holder, set),
            _ => false,
        });
        self.ends.insert(name, ends);
        if enough { seats.len() - stuck >= parties as usize } else { stuck == 0 && handles_outside }
    }

    fn describe(&self, context: u32) -> Option<Stuck> {
        let seen = self.sleeping.get(&context)?;
        let guards = seen.offers.iter().map(|offer| StuckGuard {
            action: offer.action,
            channel: offer.channel,
            partners: self.partners(seen, offer.action, offer.channel),
        });
        let member = self.view.process(seen.member?)?.name;
        Some(Stuck { member, location: seen.location, guards: guards.collect() })
    }

    fn partners(&self, seen: &ContextView, action: Action, name: ChannelName) -> Vec<u32> {
        let mut partners: Vec<u32> = match action {
            Action::Release => {
                let reader = seen.reader().and_then(|reader| self.view.context(reader));
                reader.and_then(|reader| reader.member).into_iter().collect()
            }
            action => {
                let gate = self.view.channel(name).filter(|_| action == Action::Pass);
                let by_handles = gate.is_some_and(ChannelView::is_opened_by_anybody);
                let answers = |end: &&&EndView| {
                    Some(end.direction) == action.answered_by() || by_handles && end.direction == Direction::Handle
                };
                let ends = self.ends_of(name).iter().filter(answers);
                // Who has tasks open, if anybody has.
                let open = action == Action::Finish && ends.clone().any(|end| end.weight > 0);
                ends.filter(|end| !open || end.weight > 0)
                    .filter_map(|end| match end.holder {
                        // Who waits for permits, or tasks, that it has itself is told so.
                        Holder::Member(member) | Holder::Exit(member)
                            if Some(member) == seen.member && end.direction != Direction::Unit && !open =>
                        {
                            None
                        }
                        Holder::Member(member) | Holder::Exit(member) => Some(member),
                        Holder::Block(_) => None,
                    })
                    .collect()
            }
        };
        partners.sort_unstable();
        partners.dedup();
        partners
    }
}

impl ContextView {
    fn sleeps_until_somebody_comes(&self) -> bool {
        matches!(self.doing, Doing::Held { .. } | Doing::Waits { timed: false, asleep: true })
            && !self.offers.is_empty()
    }

    /// The context that it is held by.
    fn reader(&self) -> Option<u32> {
        match self.doing {
            Doing::Held { reader } => reader,
            _ => None,
        }
    }
}
