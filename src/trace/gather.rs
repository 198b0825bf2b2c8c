//! From rings to events: names, partners, how long somebody waited, and what must have come before what.
//!
//! Knows nothing of how events are printed.
//!
//! **What comes before what** is known by more than the numbers, which only agree with it: it is
//! ```text
//!     the order of one context          both sides of a communication, and all parties of a barrier, at once
//!     a write, and its read from a buffer        the end of a channel, and whoever is told of it
//!     a start, and all that the process does     all that a process has done, and whoever joins it
//! ```
//! and what comes of that is searched for when somebody asks.

use super::event::{Event, Outcome, What};
use super::order::{Order, Tie};
use crate::cause::{begins_with_name, name_of};
use crate::engine::{
    BUFFERED, CONTINUED, Came, ChannelName, EventKind, EventRecord, Member, ProcessId, Program, Recording,
};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// What was recorded.
pub(super) struct Gathered {
    /// In an order that agrees with what comes before what.
    pub(super) events: Vec<Event>,
    /// The two sides of each communication, the writer first.
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) order: Order,
    pub(super) lost: u64,
}

/// A record, and where it stands.
struct Found {
    record: EventRecord,
    ring: usize,
    waited: Option<u64>,
    text: String,
}

impl Found {
    /// The order of those with one number: what is read from a buffer was written before.
    fn rank(&self) -> u8 {
        match self.record.kind {
            EventKind::Read if self.record.has(BUFFERED) => 1,
            EventKind::Wait => 2,
            _ => 0,
        }
    }
}

/// All that the rings say by now.
pub(super) fn gather() -> Gathered {
    let rings = Program::recordings();
    let lost = rings.iter().map(|ring| ring.lost).sum::<u64>() + u64::from(Program::unrecorded());
    let mut names = Names::of(&rings);
    let mut found: Vec<Found> = Vec::new();
    for (number, ring) in rings.iter().enumerate() {
        read_ring(number, ring, &mut names, &mut found);
    }
    // Whoever could say it itself is not said to have crashed by the server, too.
    let told: HashSet<u64> = found
        .iter()
        .filter(|found| found.record.kind == EventKind::Crash && found.record.subject().is_none())
        .map(|found| rings[found.ring].serial)
        .collect();
    let is_told = |record: &EventRecord| record.subject().is_some_and(|serial| told.contains(&serial));
    found.retain(|found| found.record.kind != EventKind::Crash || !is_told(&found.record));
    // Within a ring numbers rise but for a last wait, so this agrees with the order there.
    found.sort_by_key(|found| (found.record.number, found.rank(), found.record.time));
    let ties = Ties::of(&found, &rings);
    let numbers = found.iter().map(|found| found.record.number).collect();
    let order = Order::of(&found.iter().map(|found| found.ring).collect::<Vec<_>>(), numbers, &ties.before);
    let partner_of = |place: usize| ties.partner.get(&place).copied();
    let events = (0..found.len()).map(|place| {
        let Found { record, ring, waited, text } = &found[place];
        let partner = partner_of(place).map(|partner| &found[partner]);
        let other = partner.map(|partner| names.process(rings[partner.ring].serial));
        let committed = || Some(names.process(serial_of(&rings, record.partner()?, record.number)?));
        let subject = || record.subject().map(|serial| names.process(serial));
        // What the process server has seen of a process is that process's.
        let of_subject = matches!(record.kind, EventKind::Crash | EventKind::Deadlock) && record.subject().is_some();
        let serial = record.subject().filter(|_| of_subject).unwrap_or(rings[*ring].serial);
        let place_of = |record: &EventRecord| record.place.location().map(ToString::to_string);
        Event {
            number: record.number,
            at: place,
            context: rings[*ring].context,
            time: Duration::from_nanos(Program::time_of(record.time)),
            process: names.process(serial),
            process_id: ProcessId(serial),
            what: what(record.kind),
            outcome: outcome(record.came),
            channel: record.channel().filter(|_| has_channel(record.kind, record)).map(|name| names.channel(name)),
            partner: other.or_else(committed).or_else(|| subject().filter(|_| !of_subject)),
            place: place_of(record),
            partner_place: partner.and_then(|partner| place_of(&partner.record)),
            bytes: match (record.kind, partner) {
                (EventKind::Wait, _) => 0,
                (EventKind::Write, Some(partner)) => partner.record.bytes(),
                _ => record.bytes(),
            },
            waited: waited.map(|since| {
                Duration::from_nanos(Program::time_of(record.time).saturating_sub(Program::time_of(since)))
            }),
            guards: record.guards(),
            text: text.clone(),
        }
    });
    Gathered { events: events.collect(), pairs: ties.pairs, order, lost }
}

/// Of a ring, what is an event by itself: a wait is part of what it came to, and is one only if it goes on.
fn read_ring(number: usize, ring: &Recording, names: &mut Names, found: &mut Vec<Found>) {
    let mut since = None;
    let mut text = Vec::new();
    for (place, record) in ring.records.iter().enumerate() {
        match record.kind {
            EventKind::Wait if place + 1 < ring.records.len() => {
                since = Some(record.time);
                continue;
            }
            EventKind::Mark | EventKind::Span | EventKind::SpanEnd | EventKind::Gone => {
                text.extend(record.text());
                if record.has(CONTINUED) {
                    continue;
                }
            }
            _ => (),
        }
        let said = String::from_utf8_lossy(&std::mem::take(&mut text)).into_owned();
        if let (EventKind::Gone, Some(channel)) = (record.kind, record.channel()) {
            names.channels.insert(channel, said);
            continue;
        }
        let text = if record.kind == EventKind::Wait { waits_for(record) } else { said };
        found.push(Found { record: *record, ring: number, waited: since.take(), text });
    }
}

fn waits_for(record: &EventRecord) -> String {
    let what = match record.what() {
        Some(EventKind::Write) => "write",
        Some(EventKind::Read) => "read",
        Some(EventKind::Sync) => "meet the others at",
        Some(EventKind::Pass) => "pass",
        Some(EventKind::Finish) => "see the tasks done of",
        Some(EventKind::Join) => "see the end of",
        Some(EventKind::Release) => "see its reader finish with",
        _ => "see the time pass",
    };
    match record.guards() {
        0 | 1 => String::from(what),
        more => format!("choose among {more}, first to {what}"),
    }
}

/// The process that a context acted for when it did this.
fn serial_of(rings: &[Recording], context: u32, number: u64) -> Option<u64> {
    let begins = |ring: &&Recording| ring.records.first().map_or(0, |record| record.number) <= number;
    let its = rings.iter().filter(|ring| ring.context == context);
    let last = its.clone().filter(begins).max_by_key(|ring| ring.records.first().map_or(0, |record| record.number));
    last.or_else(|| its.clone().next()).map(|ring| ring.serial)
}

fn has_channel(kind: EventKind, record: &EventRecord) -> bool {
    let joins = kind == EventKind::Join || kind == EventKind::Wait && record.what() == Some(EventKind::Join);
    !joins && !matches!(kind, EventKind::Time)
}

fn what(kind: EventKind) -> What {
    match kind {
        EventKind::Begin => What::Began,
        EventKind::Return => What::Ended,
        EventKind::Crash => What::Crashed,
        EventKind::Spawn => What::Spawned,
        EventKind::Join => What::Joined,
        EventKind::Wait => What::Waits,
        EventKind::Write => What::Wrote,
        EventKind::Read => What::Read,
        EventKind::Sync => What::Synchronized,
        EventKind::Time => What::Timer,
        EventKind::Pass => What::Passed,
        EventKind::GiveBack => What::GaveBack,
        EventKind::Release => What::Released,
        EventKind::Poison => What::Poisoned,
        EventKind::Close | EventKind::Gone => What::Retired,
        EventKind::Mark => What::Marked,
        EventKind::Span => What::SpanBegan,
        EventKind::SpanEnd => What::SpanEnded,
        EventKind::Deadlock => What::Deadlocked,
        EventKind::Finish => What::Finished,
    }
}

fn outcome(came: Came) -> Outcome {
    match came {
        Came::Done => Outcome::Done,
        Came::Poisoned => Outcome::Poisoned,
        Came::Retired => Outcome::Retired,
        Came::Lost => Outcome::Lost,
        Came::Late => Outcome::TimedOut,
        Came::NotAtOnce => Outcome::WouldBlock,
        Came::Abandoned | Came::Refused => Outcome::Abandoned,
    }
}

/// What processes and channels are called.
struct Names {
    processes: HashMap<u64, String>,
    channels: HashMap<ChannelName, String>,
}

impl Names {
    fn of(rings: &[Recording]) -> Names {
        let mut processes: HashMap<u64, String> =
            Member::all().map(|(_, member)| (member.serial(), name_of(member))).collect();
        let servers = Member::all().filter(|(_, member)| !member.is_process() && !member.is_program());
        for (_, server) in servers {
            processes.insert(server.serial(), String::from("the process server"));
        }
        for ring in rings.iter().filter(|ring| !ring.launch.is_empty()) {
            processes.entry(ring.serial).or_insert_with(|| begins_with_name(&ring.launch));
        }
        Names { processes, channels: HashMap::new() }
    }

    fn process(&self, serial: u64) -> String {
        self.processes.get(&serial).cloned().unwrap_or_else(|| format!("process #{serial}"))
    }

    fn channel(&self, name: ChannelName) -> String {
        let known = name.facts().name().filter(|known| !known.is_empty());
        let known = known.or_else(|| self.channels.get(&name).cloned());
        known.unwrap_or_else(|| format!("{}.{}", name.index, name.generation))
    }
}

/// Events that have to do with each other.
struct Ties {
    /// The other side of a communication.
    partner: HashMap<usize, usize>,
    pairs: Vec<(usize, usize)>,
    /// For each event, those that come before it by more than the order of its context, and those that happen with it.
    before: Vec<Vec<Tie>>,
}

impl Ties {
    fn of(found: &[Found], rings: &[Recording]) -> Ties {
        let mut ties = Ties { partner: HashMap::new(), pairs: Vec::new(), before: vec![Vec::new(); found.len()] };
        // Of what has a smaller number, something may be missing.
        let incomplete = rings.iter().filter(|ring| ring.lost > 0);
        let complete_from = incomplete.filter_map(|ring| Some(ring.records.first()?.number)).max().unwrap_or(0);
        let mut met: HashMap<(ChannelName, u64), Vec<usize>> = HashMap::new();
        let mut buffered: HashMap<(ChannelName, u64), usize> = HashMap::new();
        let mut ends: HashMap<ChannelName, Vec<usize>> = HashMap::new();
        let mut spawned: HashMap<u64, usize> = HashMap::new();
        let mut begun: Vec<bool> = vec![false; rings.len()];
        let mut latest: Vec<Option<usize>> = vec![None; rings.len()];
        for (place, Found { record, ring, .. }) in found.iter().enumerate() {
            let serial = rings[*ring].serial;
            if !std::mem::replace(&mut begun[*ring], true)
                && let Some(spawn) = spawned.get(&serial)
            {
                ties.before[place].push(Tie::After(*spawn));
            }
            latest[*ring] = Some(place);
            match (record.kind, record.channel(), record.subject()) {
                (EventKind::Spawn, _, Some(child)) => {
                    spawned.insert(child, place);
                }
                (EventKind::Join | EventKind::Crash, _, Some(child)) => {
                    let its =
                        (0..rings.len()).filter(|ring| rings[*ring].serial == child).filter_map(|ring| latest[ring]);
                    ties.before[place].extend(its.filter(|last| *last != place).map(Tie::After));
                }
                (EventKind::Poison | EventKind::Close, Some(channel), _) => {
                    ends.entry(channel).or_default().push(place)
                }
                (EventKind::Write | EventKind::Read | EventKind::Sync, Some(channel), _) => {
                    if record.came != Came::Done {
                        let told = !matches!(record.came, Came::Late | Came::NotAtOnce);
                        let by = ends.get(&channel).into_iter().flatten().filter(|_| told);
                        ties.before[place].extend(by.copied().map(Tie::After));
                        continue;
                    }
                    let here = met.entry((channel, record.number)).or_default();
                    if let Some(first) = here.first().copied() {
                        // A writer does not wait for a reader that has been waiting at a buffer.
                        let tie = if record.has(BUFFERED) { Tie::After(first) } else { Tie::With(first) };
                        ties.before[place].push(tie);
                        ties.pair(found, first, place);
                    }
                    here.push(place);
                    if record.has(BUFFERED) && record.message != 0 {
                        let message = (channel, record.message);
                        if record.kind == EventKind::Write {
                            buffered.insert(message, place);
                        } else if here.len() == 1
                            && let Some(write) = buffered.remove(&message)
                            && found[write].record.number >= complete_from
                            && found[write].record.number < record.number
                        {
                            ties.before[place].push(Tie::After(write));
                            ties.pair(found, write, place);
                        }
                    }
                }
                _ => (),
            }
        }
        ties
    }

    fn pair(&mut self, found: &[Found], one: usize, other: usize) {
        let kinds = [one, other].map(|place| found[place].record.kind);
        let pair = match kinds {
            [EventKind::Write, EventKind::Read] => (one, other),
            [EventKind::Read, EventKind::Write] => (other, one),
            _ => return,
        };
        self.pairs.push(pair);
        self.partner.insert(one, other);
        self.partner.insert(other, one);
    }
}
