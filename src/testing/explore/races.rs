//! Which decisions are to be tried, too, because another one was made: source sets.
//!
//! Knows nothing of how they are tried.
//!
//! Two executions are equivalent if one becomes the other by exchanging neighbours that are independent
//! ([`crate::engine::sim`], `touch`; Mazurkiewicz 1977). One of each class is to be visited, and *sleep sets*
//! (Godefroid 1991) see to it that it is one: what was tried from a node sleeps below its later siblings until
//! something happens that depends on it. What is to be tried at all are *source sets* (Abdulla, Aronsson, Jonsson,
//! Sagonas, POPL 2014): at each node so many choices that each execution from there has an equivalent one that
//! begins with one of them. They are found by the races of the executions that were visited. In that paper an
//! event does not take away another one; here it does: a process that has read from one channel does not read from
//! the other one that it would have read from. So races are also looked for between what has happened and what
//! would have been possible if something had not, as in the conflicting extensions of an unfolding (Rodríguez,
//! Sousa, Sharma, Kroening, CONCUR 2015).
//!
//! **What is looked for.** An execution E was visited, whose event e was chosen at the node s. Let d be an event
//! that depends on e and could happen without it: after the events that d needs (its history H, none of which
//! depends on e), all of them events of E. Then at s something is to be tried that begins H·d: the first event of
//! H that lies behind s, or d itself if H does not reach behind s.
//!
//! What d needs is where its tasks come from. There may be more before d that it depends on, a poison that it meets
//! say, and that is not in e's way. To try d without that is enough: in the execution that comes of it the two have a
//! race. But if what is to be tried sleeps at s, that execution was visited from a node before s, and what their race
//! asks for does not lead here. Then all of what comes before d is in H, but for what depends on e.
//!
//! **Why that is enough.** Say that below s, with e as the first choice, for each sequence that can happen and
//! whose first events do not sleep an execution is visited that has it as a prefix, up to equivalence (by
//! induction: the tree is finite). Let w be a sequence that can happen at s. If e is in w and nothing before it
//! depends on it, or nothing in w depends on it, w is visited below e. Or else w = u·d·w', where d is the first
//! event that depends on e, and e is none of u. So e·u is a sequence that can happen at s, and a prefix E of a
//! visited execution has it. The history of d behind s lies in u. If e does not prevent d, take e·u·d: d happens
//! there, and has a race with e. If it does, d would be possible in E without e, by what the tasks wait for that
//! take part in it. In both cases d and its history are found in E, with e as the first event that is in the way,
//! and what is tried then at s begins w. It may be asleep; then w was visited before.
//!
//! **What stands aside.** Nothing new is tried if something is tried from s already that happens in E, too, and that
//! neither e nor d has to do with, nor anything that comes before it behind s: an initial of what happens in E
//! without e, as the paper asks. For say that f is such an event. It is none of u, or else it begins w; and as E has
//! e·u as a prefix, nothing of u depends on it. So more of w is independent of f than of e: u and d. What is to be
//! tried for the sake of w is found by the race of f with what is behind them, in an execution below f, and so on:
//! each time more of w stands aside, until something begins it, or can stand before all of it.
//!
//! **Where it is not exact**, more is tried than needed, and ends as a run that is blocked by a sleep set: of the
//! things that d needs beside its tasks (messages, permits, ends) it is not checked whether they are there when H
//! reaches behind s. If H does not, the options of s say whether d was possible; if it was not, whatever might
//! make it so is tried.
//!
//! **The passing of time** is possible when nothing else is but to poll: every step depends on it. At a node where
//! it is possible, all is tried. In a network with timers that polls, each poll that finds nothing is in the way
//! of everything, for it might have been made later. What a lossy line keeps back may arrive as time may pass: where
//! it may, all is tried.

use super::path::{Event, Events, Path, Stay};
use crate::engine::sim::{Choice, Kind, NOBODY, Object, Part, What};
use smallvec::{SmallVec, smallvec};

/// At this node, one of these is to be tried: what begins these events, or one of these choices.
pub(super) trait Insert {
    /// The events in their order, all of which can happen from the node on, without others between. Not if what stands
    /// aside is tried. Gives whether they are not tried because what begins them sleeps there.
    fn insert_events(&mut self, node: usize, events: &[usize], stands_aside: &dyn Fn(&Event) -> bool) -> bool;

    /// The same for a choice.
    fn insert_choice(&mut self, node: usize, choice: Choice, stands_aside: &dyn Fn(&Event) -> bool) -> bool;
}

/// Of an event that has happened: whatever has happened without what it has a race with stands aside.
fn anything(_: &Event) -> bool {
    true
}

/// Of something of which it is not known on what it depends.
fn nothing(_: &Event) -> bool {
    false
}

/// Some parts of the world.
type Objects = SmallVec<[Object; 8]>;

/// What might happen where some tasks are.
struct Candidate {
    tasks: [Option<(u32, Stay, Option<usize>)>; 2],
    /// What takes it away when it is changed.
    in_the_way: Objects,
    /// What makes it possible when it is changed.
    makes_possible: Objects,
    /// Which options it is.
    is_it: fn(&Candidate, Choice) -> bool,
    channel: u32,
    /// What it may be, if it needs no partner: what an alternation reads and what it writes at one channel are two
    /// things.
    kinds: &'static [Kind],
}

impl Candidate {
    fn is_solo(&self, option: Choice) -> bool {
        let Some((task, ..)) = self.tasks[0] else { return false };
        self.kinds.contains(&option.kind)
            && option.who == task
            && option.with == NOBODY
            && option.channel == self.channel
    }

    fn is_pair(&self, option: Choice) -> bool {
        let ([Some((writer, ..)), Some((reader, ..))], channel) = (&self.tasks, self.channel) else { return false };
        option.who == *writer && option.with == *reader && option.channel == channel
    }

    fn is_sync(&self, option: Choice) -> bool {
        option.kind == Kind::Sync && option.channel == self.channel
    }
}

/// Finds the races of a path in which an event from this number on has a part.
pub(super) fn find(path: &Path, new: usize, found: &mut impl Insert) {
    let search = Search { path, new };
    for number in new..path.len() {
        search.executed(number, found);
    }
    search.alternatives(found);
}

struct Search<'a> {
    path: &'a Path,
    new: usize,
}

impl Search<'_> {
    /// An event that has happened could have happened before another one that it depends on.
    fn executed(&self, number: usize, found: &mut impl Insert) {
        let event = self.path.event(number);
        let mut needed = Events::default();
        for touch in &*event.touches {
            let Some(task) = touch.object.as_task().filter(|_| touch.changes) else { continue };
            if self.path.tasks().contains(&task) {
                let before = self.path.stays(task).iter().filter_map(|stay| stay.from).rfind(|from| *from < number);
                if let Some(before) = before {
                    needed.add_all(&self.path.event(before).history);
                }
            }
        }
        // What it has a race with, and is not before another one.
        let mut races: SmallVec<[usize; 8]> = SmallVec::new();
        let mut through = needed.clone();
        let is_pass = |event: usize| self.path.event(event).choice.kind == Kind::Pass;
        let conflicts = event.touches.iter().flat_map(|touch| {
            let of = self.path.touching(touch.object).iter();
            of.filter(move |(_, changes)| *changes || touch.changes)
                .map(move |(other, changes)| (touch.object, *other, *changes))
        });
        let barriers = self.path.barriers().iter().map(|barrier| (Object::EVERYTHING, *barrier, true));
        let is_of_all = event.touches.first().is_some_and(|touch| touch.object == Object::EVERYTHING);
        let all = (0..if is_of_all { number } else { 0 }).map(|other| (Object::EVERYTHING, other, true));
        for (object, other, changes) in conflicts.chain(barriers).chain(all).filter(|(_, other, _)| *other < number) {
            if through.has(other) {
                continue;
            }
            // What comes before something that only makes it possible might be in its way all the same. Whoever has
            // only looked has made nothing possible.
            let only_makes_possible = object.is_place()
                || event.choice.kind == Kind::Told && self.is_first_end(event.choice.channel, object, other)
                || event.choice.kind == Kind::Pass && object.is_permits() && changes && !is_pass(other);
            if only_makes_possible {
                continue;
            }
            through.add_all(&self.path.event(other).history);
            races.retain(|race| !self.path.event(other).history.has(*race));
            races.push(other);
        }
        for race in races {
            if needed.has(race) {
                continue;
            }
            let sleeps = if needed.from(race).next().is_some() {
                found.insert_events(race, &needed.from(race).collect::<Vec<usize>>(), &anything)
            } else if self.path.nodes[race].options.contains(&event.choice) {
                found.insert_choice(race, event.choice, &anything)
            } else {
                let objects = enabling(event.choice.kind, event.choice.channel);
                self.what_makes_possible(race, &objects, &[], true, &nothing, found);
                false
            };
            if sleeps {
                let behind = event.history.from(race).filter(|other| *other != number);
                let behind: Vec<usize> = behind.filter(|other| !self.path.event(*other).history.has(race)).collect();
                if !behind.is_empty() {
                    found.insert_events(race, &behind, &anything);
                }
            }
        }
    }

    /// Whether this event has changed what has become of a channel, by this part of it, and was the first to do so.
    fn is_first_end(&self, channel: u32, object: Object, event: usize) -> bool {
        let fate = Part::FATE.map(|part| Object::of(channel, part));
        let mut touching = fate.iter().flat_map(|part| self.path.touching(*part));
        fate.contains(&object) && !touching.any(|(other, changes)| *changes && *other < event)
    }

    /// What was not decided, because something else was.
    fn alternatives(&self, found: &mut impl Insert) {
        let mut ends: SmallVec<[(u32, What, u32, usize); 16]> = SmallVec::new();
        for task in self.path.tasks() {
            for (number, stay) in self.path.stays(task).iter().enumerate() {
                let wants = self.path.wants(*stay);
                for want in &wants.list {
                    let paired = match want.what {
                        What::Read | What::Write => !want.is_buffered || !self.path.barriers().is_empty(),
                        What::Sync => true,
                        _ => false,
                    };
                    if paired && want.channel != NOBODY {
                        ends.push((want.channel, want.what, task, number));
                    }
                }
                self.alone(task, number, found);
            }
        }
        ends.sort_by_key(|(channel, ..)| *channel);
        for all in ends.chunk_by(|one, other| one.0 == other.0) {
            for (place, (channel, what, task, number)) in all.iter().enumerate() {
                for (_, other_what, other, other_number) in &all[place + 1..] {
                    let ends = match (what, other_what) {
                        _ if task == other => continue,
                        (What::Write, What::Read) | (What::Sync, What::Sync) => {
                            [(*task, *number), (*other, *other_number)]
                        }
                        (What::Read, What::Write) => [(*other, *other_number), (*task, *number)],
                        _ => continue,
                    };
                    self.pair(*channel, ends, *what == What::Sync, found);
                }
            }
        }
        self.poisons(found);
    }

    fn at(&self, task: u32, number: usize) -> (u32, Stay, Option<usize>) {
        let stays = self.path.stays(task);
        (task, stays[number], stays.get(number + 1).and_then(|next| next.from))
    }

    /// Whether anything that is in the way of tasks that are there may be new: what has taken one of them away comes
    /// last, and what has brought them there.
    fn is_new(&self, tasks: &[(u32, Stay, Option<usize>)]) -> bool {
        let ended = tasks.iter().filter_map(|(.., next)| *next).min();
        let is_new = |event: usize| event >= self.new;
        ended.is_none_or(is_new) || tasks.iter().filter_map(|(_, stay, _)| stay.from).any(is_new)
    }

    fn alone(&self, task: u32, number: usize, found: &mut impl Insert) {
        let at = self.at(task, number);
        if !self.is_new(&[at]) {
            return;
        }
        let wants = self.path.wants(at.1);
        let solo = |channel, kinds, in_the_way: Objects, makes_possible: Objects| Candidate {
            tasks: [Some(at), None],
            in_the_way,
            makes_possible,
            is_it: Candidate::is_solo,
            channel,
            kinds,
        };
        if wants.owes {
            self.candidate(&solo(NOBODY, &[Kind::Effect], Objects::new(), Objects::new()), found);
        }
        if wants.can_die {
            for kinds in [&[Kind::Crash], &[Kind::Panic]] {
                self.candidate(&solo(NOBODY, kinds, smallvec![Object::budget(kinds[0])], Objects::new()), found);
            }
        }
        for want in &wants.list {
            let of = |part| Object::of(want.channel, part);
            let (mut in_the_way, kinds): (Objects, &'static [Kind]) = match want.what {
                What::Read => (smallvec![of(Part::Head), of(Part::Waits)], &[Kind::Take, Kind::Told]),
                What::Write => (
                    smallvec![
                        of(Part::Tail),
                        of(Part::Fate),
                        of(Part::NoReaders),
                        of(Part::NoWriters),
                        of(Part::Waits)
                    ],
                    &[Kind::Put, Kind::Told, Kind::Lose, Kind::Hold],
                ),
                What::Pass => (smallvec![of(Part::Permits), of(Part::Waits)], &[Kind::Pass, Kind::Told]),
                What::Sync => (smallvec![of(Part::Fate)], &[Kind::Told]),
                What::Join => (Part::ALL.map(of).into_iter().collect(), &[Kind::Pass, Kind::Told]),
                What::Timer => (Objects::new(), &[Kind::Timer]),
                What::Skip => (Objects::new(), &[Kind::Skip]),
                What::Look => (Objects::new(), &[Kind::Look]),
            };
            let mut makes_possible = enabling(Kind::Told, want.channel);
            if want.what == What::Join {
                makes_possible.extend(Part::ALL.map(of));
            }
            if wants.is_ordered || want.what == What::Skip {
                let all = self.guards(&[at.1]);
                makes_possible.extend(all.iter().copied());
                in_the_way.extend(all);
            }
            if !want.is_buffered && matches!(want.what, What::Read | What::Write) {
                // Alone, it is only told of the end.
                in_the_way.clear();
            }
            let alone = solo(want.channel, kinds, in_the_way, makes_possible);
            self.candidate(&alone, found);
            if want.what == What::Sync {
                self.candidate(&Candidate { is_it: Candidate::is_sync, ..alone }, found);
            }
        }
    }

    /// What guards depend on: whether they are surely ready.
    fn guards(&self, stays: &[Stay]) -> Objects {
        let mut objects = Objects::new();
        for want in stays.iter().flat_map(|stay| &self.path.wants(*stay).list).filter(|want| want.channel != NOBODY) {
            if want.what == What::Join {
                objects.extend(Part::ALL.map(|part| Object::of(want.channel, part)));
            }
            objects.extend(
                [Part::Fate, Part::NoReaders, Part::NoWriters, Part::Waits].map(|part| Object::of(want.channel, part)),
            );
            if want.what == What::Pass {
                objects.push(Object::of(want.channel, Part::Permits));
            }
            if want.is_buffered {
                objects.extend([Part::Head, Part::Tail].map(|part| Object::of(want.channel, part)));
            }
        }
        objects
    }

    fn pair(&self, channel: u32, ends: [(u32, usize); 2], meets: bool, found: &mut impl Insert) {
        let [first, second] = ends.map(|(task, number)| self.at(task, number));
        if !self.is_new(&[first, second]) {
            return;
        }
        let has = |from: Option<usize>, next: Option<usize>| {
            from.zip(next).is_some_and(|(from, next)| self.path.event(from).history.has(next))
        };
        if has(first.1.from, second.2) || has(second.1.from, first.2) {
            return;
        }
        let is_single = |stay: Stay| self.path.wants(stay).list.len() == 1;
        let is_ordered = |stay: Stay| self.path.wants(stay).is_ordered;
        let (writer, reader) = (first.1, second.1);
        // As for what has happened: of the ways to come second, the one that depends on less, if it is always there.
        let looked_at: &[Stay] = match () {
            () if meets => &[writer, reader],
            () if is_single(writer) && !is_ordered(reader) || is_single(reader) && !is_ordered(writer) => &[],
            () if is_single(writer) => &[reader],
            () if is_single(reader) => &[writer],
            () => &[writer, reader],
        };
        let mut in_the_way = self.guards(looked_at);
        in_the_way
            .extend([Part::Fate, Part::NoReaders, Part::NoWriters, Part::Waits].map(|part| Object::of(channel, part)));
        let makes_possible = if meets || !looked_at.is_empty() { in_the_way.clone() } else { Objects::new() };
        let is_it = if meets { Candidate::is_sync } else { Candidate::is_pair };
        let tasks = [Some(first), Some(second)];
        self.candidate(&Candidate { tasks, in_the_way, makes_possible, is_it, channel, kinds: &[] }, found);
    }

    /// A channel may be poisoned before anything that finds it whole.
    fn poisons(&self, found: &mut impl Insert) {
        for node in self.new..self.path.len() {
            let options = &self.path.nodes[node].options;
            for poison in options.iter().filter(|option| option.kind == Kind::Poison) {
                let fate = Part::FATE.map(|part| Object::of(poison.channel, part));
                let budget = Object::budget(Kind::Poison);
                let event = self.path.event(node);
                let touches = event.touches.iter();
                if touches.clone().any(|touch| touch.object == budget || fate.contains(&touch.object))
                    || touches.clone().any(|touch| touch.object == Object::EVERYTHING)
                {
                    found.insert_choice(node, *poison, &nothing);
                }
            }
        }
    }

    fn candidate(&self, candidate: &Candidate, found: &mut impl Insert) {
        let mut needed = Events::default();
        let mut last = None;
        let mut end: Option<usize> = None;
        for (_, stay, next) in candidate.tasks.iter().flatten() {
            if let Some(from) = stay.from {
                needed.add_all(&self.path.event(from).history);
            }
            last = last.max(stay.from);
            end = [end, *next].into_iter().flatten().min();
        }
        let is_new = |event: usize| event >= self.new || last.is_some_and(|last| last >= self.new);
        // It may have happened all the same, later; then that is not in its way. Who was told of the end might have
        // done something else before.
        let has_happened = |end: &usize| {
            self.path.event(*end).choice.kind != Kind::Told
                && (candidate.is_it)(candidate, self.path.event(*end).choice)
                && candidate.tasks.iter().flatten().all(|(.., next)| *next == Some(*end))
        };
        let mut ways: SmallVec<[usize; 16]> = end.into_iter().filter(|end| !has_happened(end)).collect();
        let limit = end.unwrap_or(usize::MAX);
        let objects = candidate.in_the_way.iter();
        let touching = objects.flat_map(|object| self.path.touching(*object).iter().map(|by| (*object, *by)));
        // Who gives permits back is in nobody's way, unless somebody has them at once who surely waits.
        let gives = |object: Object, event: usize| {
            object.is_permits() && self.path.barriers().is_empty() && self.path.event(event).choice.kind == Kind::Effect
        };
        let changed = touching.filter(|(object, (event, changes))| *changes && !gives(*object, *event));
        let changed = changed.map(|(_, (event, _))| event);
        ways.extend(changed.chain(self.path.barriers().iter().copied()).filter(|event| *event < limit));
        ways.sort_unstable();
        ways.dedup();
        let stands_aside = |event: &Event| {
            !event.touches.iter().any(|touch| {
                let of = |task: &(u32, Stay, Option<usize>)| touch.object == Object::task(task.0);
                touch.object == Object::EVERYTHING
                    || candidate.tasks.iter().flatten().any(of)
                    || candidate.in_the_way.contains(&touch.object)
                    || candidate.makes_possible.contains(&touch.object)
            })
        };
        for event in ways {
            if needed.has(event) {
                continue;
            }
            let behind = || needed.from(event);
            if behind().next().is_some() {
                if is_new(event) {
                    found.insert_events(event, &behind().collect::<Vec<usize>>(), &stands_aside);
                }
                continue;
            }
            let mut was_possible = false;
            for option in &*self.path.nodes[event].options {
                if (candidate.is_it)(candidate, *option) {
                    was_possible = true;
                    if is_new(event) {
                        found.insert_choice(event, *option, &stands_aside);
                    }
                }
            }
            if !was_possible {
                let next: SmallVec<[usize; 2]> =
                    candidate.tasks.iter().flatten().filter_map(|(.., next)| *next).collect();
                let objects = &candidate.makes_possible;
                self.what_makes_possible(event, objects, &next, is_new(event), &stands_aside, found);
            }
        }
    }

    /// Something was not possible at a node, but might be without its event, after others that change these objects and
    /// before those.
    fn what_makes_possible(
        &self,
        event: usize,
        objects: &[Object],
        before: &[usize],
        is_new: bool,
        stands_aside: &dyn Fn(&Event) -> bool,
        found: &mut impl Insert,
    ) {
        for (other, _) in objects.iter().flat_map(|object| self.path.touching(*object)).filter(|(_, changes)| *changes)
        {
            let history = &self.path.event(*other).history;
            if *other <= event || history.has(event) || before.iter().any(|next| history.has(*next)) {
                continue;
            }
            if is_new || *other >= self.new {
                let behind: Vec<usize> = history.from(event).collect();
                found.insert_events(event, &behind, stands_aside);
            }
        }
    }
}

/// What makes something of this kind possible when it is changed.
fn enabling(kind: Kind, channel: u32) -> Objects {
    if channel == NOBODY {
        return Objects::new();
    }
    let parts: &[Part] = match kind {
        Kind::Communication | Kind::Double | Kind::Lose | Kind::Hold | Kind::Poison | Kind::Arrive => &[],
        Kind::Pass => &[Part::Permits],
        _ => &[Part::Fate, Part::NoReaders, Part::NoWriters, Part::Head, Part::Tail, Part::Permits],
    };
    parts.iter().map(|part| Object::of(channel, *part)).collect()
}
