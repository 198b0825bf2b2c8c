//! A run as a path through the tree of decisions: which of its events come before which, and what each task waited for.
//!
//! Knows nothing of what is to be tried next.

use crate::engine::sim::{Choice, Object, Touch, Wants};
use parking_lot::{Condvar, Mutex};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// A set of events, by number. Most runs have few events, whose sets take no memory of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Events {
    first: u64,
    rest: Vec<u64>,
}

impl Events {
    pub(super) fn add(&mut self, event: usize) {
        let bit = 1 << (event % 64);
        let Some(word) = (event / 64).checked_sub(1) else {
            self.first |= bit;
            return;
        };
        if self.rest.len() <= word {
            self.rest.resize(word + 1, 0);
        }
        self.rest[word] |= bit;
    }

    pub(super) fn has(&self, event: usize) -> bool {
        let word = (event / 64).checked_sub(1).map_or(Some(&self.first), |word| self.rest.get(word));
        word.is_some_and(|word| word >> (event % 64) & 1 == 1)
    }

    pub(super) fn add_all(&mut self, other: &Events) {
        self.first |= other.first;
        if self.rest.len() < other.rest.len() {
            self.rest.resize(other.rest.len(), 0);
        }
        self.rest.iter_mut().zip(&other.rest).for_each(|(mine, other)| *mine |= other);
    }

    /// Those from a number on, in order.
    pub(super) fn from(&self, first: usize) -> impl Iterator<Item = usize> {
        let words = std::iter::once(&self.first).chain(&self.rest).enumerate().skip(first / 64);
        words
            .flat_map(|(number, word)| {
                let mut rest = *word;
                std::iter::from_fn(move || {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest.wrapping_sub(1);
                    (bit < 64).then_some(number * 64 + bit)
                })
            })
            .filter(move |event| *event >= first)
    }
}

/// What an event reads and changes, in order of the objects, each once.
pub(super) type Touches = Arc<[Touch]>;

/// In order, each object once; to change it is to read it as well.
pub(super) fn sorted(touched: &[Touch]) -> Touches {
    let mut touches: SmallVec<[Touch; 32]> = touched.into();
    // Changes first.
    touches.sort_unstable_by_key(|touch| (touch.object, !touch.changes));
    touches.dedup_by_key(|touch| touch.object);
    touches.as_slice().into()
}

/// Whether one changes what the other one reads or changes.
pub(super) fn are_dependent(first: &[Touch], second: &[Touch]) -> bool {
    let changes_everything =
        |touches: &[Touch]| touches.first().is_some_and(|touch| touch.object == Object::EVERYTHING);
    if changes_everything(first) || changes_everything(second) {
        return true;
    }
    let (mut mine, mut other) = (first.iter().peekable(), second.iter().peekable());
    while let (Some(a), Some(b)) = (mine.peek(), other.peek()) {
        match a.object.cmp(&b.object) {
            std::cmp::Ordering::Less => _ = mine.next(),
            std::cmp::Ordering::Greater => _ = other.next(),
            std::cmp::Ordering::Equal if a.changes || b.changes => return true,
            std::cmp::Ordering::Equal => _ = mine.next(),
        }
    }
    false
}

/// One thing that has happened.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) choice: Choice,
    pub(super) touches: Touches,
    /// The events that it depends on, and itself.
    pub(super) history: Events,
}

/// What some tasks wait for.
pub(super) type AllWants = SmallVec<[(u32, Wants); 2]>;

/// What may happen next.
pub(super) type Options = SmallVec<[Choice; 8]>;

/// What is to be tried from a node.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What was tried, in this order, and what it reads and changes, as soon as that is known.
    pub(super) begun: SmallVec<[(Choice, Option<Touches>); 1]>,
    pub(super) waiting: Vec<Choice>,
}

/// A state that was reached.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) parent: Option<Arc<Node>>,
    /// How many events lead here.
    pub(super) depth: usize,
    /// The last of them.
    pub(super) event: Option<Event>,
    /// What the tasks wait for that it has changed.
    pub(super) wants: AllWants,
    pub(super) options: Options,
    /// What need not be tried from here: it was tried before, and what has happened since does not depend on it.
    pub(super) sleep: Vec<(Choice, Touches)>,
    /// How often another process went on although the last one could have.
    pub(super) preemptions: usize,
    pub(super) plan: Mutex<Plan>,
    /// More is known of what was begun.
    pub(super) known: Condvar,
}

impl Node {
    pub(super) fn plan<R>(&self, work: impl FnOnce(&mut Plan) -> R) -> R {
        work(&mut self.plan.lock())
    }

    /// What a choice that was begun reads and changes. It is noted once.
    pub(super) fn note(&self, choice: Choice, touches: &Touches) {
        self.plan(|plan| {
            let begun = plan.begun.iter_mut().find(|(begun, known)| *begun == choice && known.is_none());
            begun.into_iter().for_each(|(_, known)| *known = Some(touches.clone()));
        });
        self.known.notify_all();
    }

    /// What sleeps after a choice that reads and changes this: what slept before, and what was begun before it, as far
    /// as that does not depend on it. Waits until it is known what each of it reads and changes: another thread has it,
    /// and is on the way.
    pub(super) fn asleep_after(&self, choice: Choice, touches: &Touches) -> Vec<(Choice, Touches)> {
        let stays = |asleep: &Touches| !are_dependent(asleep, touches);
        let mut asleep: Vec<(Choice, Touches)> =
            self.sleep.iter().filter(|(_, asleep)| stays(asleep)).cloned().collect();
        let mut plan = self.plan.lock();
        let is_unknown = |plan: &mut Plan| {
            plan.begun.iter().take_while(|(begun, _)| *begun != choice).any(|(_, touches)| touches.is_none())
        };
        self.known.wait_while(&mut plan, is_unknown);
        let before = plan.begun.iter().take_while(|(begun, _)| *begun != choice);
        let before = before.filter_map(|(begun, touches)| Some((*begun, touches.as_ref()?)));
        asleep.extend(before.filter(|(_, before)| stays(before)).map(|(begun, before)| (begun, before.clone())));
        asleep
    }

    pub(super) fn is_asleep(&self, choice: Choice) -> bool {
        self.sleep.iter().any(|(asleep, _)| *asleep == choice)
    }

    /// The choices that lead here, and this one.
    pub(super) fn choices(&self, last: Choice) -> Vec<Choice> {
        let mut choices = Vec::with_capacity(self.depth + 1);
        choices.push(last);
        let mut node = Some(self);
        while let Some(here) = node {
            choices.extend(here.event.as_ref().map(|event| event.choice));
            node = here.parent.as_deref();
        }
        choices.reverse();
        choices
    }
}

/// A task from one event to the next that it takes part in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stay {
    /// The event that it came here by; none, if it began so.
    pub(super) from: Option<usize>,
    /// Where what it waits for is: in which node, at which place.
    node: usize,
    place: usize,
}

/// Objects are numbers that are spread well enough by one multiplication (Fibonacci hashing, Knuth 1973).
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number ^ number >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl std::fmt::Debug for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spread")
    }
}

/// The nodes from the root to where a run is now, and what is to be known of them together.
#[derive(Debug, Default)]
pub(super) struct Path {
    pub(super) nodes: Vec<Arc<Node>>,
    /// By task.
    stays: Vec<Vec<Stay>>,
    /// By object: the events that read it, and those that change it.
    objects: HashMap<Object, Vec<(usize, bool)>, BuildHasherDefault<Spread>>,
    /// The events that everything depends on.
    barriers: Vec<usize>,
}

impl Path {
    /// How many events there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len().saturating_sub(1)
    }

    pub(super) fn event(&self, number: usize) -> &Event {
        match &self.nodes[number + 1].event {
            Some(event) => event,
            None => unreachable!("only the root has none"),
        }
    }

    pub(super) fn tasks(&self) -> std::ops::Range<u32> {
        0..self.stays.len() as u32
    }

    /// Where a task has been.
    pub(super) fn stays(&self, task: u32) -> &[Stay] {
        &self.stays[task as usize]
    }

    pub(super) fn wants(&self, stay: Stay) -> &Wants {
        &self.nodes[stay.node].wants[stay.place].1
    }

    /// The events that read or change an object, and whether they change it.
    pub(super) fn touching(&self, object: Object) -> &[(usize, bool)] {
        self.objects.get(&object).map_or(&[], Vec::as_slice)
    }

    pub(super) fn barriers(&self) -> &[usize] {
        &self.barriers
    }

    /// What comes before an event that reads and changes this, and itself.
    pub(super) fn history(&self, touches: &[Touch]) -> Events {
        let number = self.len();
        let mut history = Events::default();
        if touches.first().is_some_and(|touch| touch.object == Object::EVERYTHING) {
            (0..=number).for_each(|event| history.add(event));
            return history;
        }
        if let Some(barrier) = self.barriers.last() {
            history.add_all(&self.event(*barrier).history);
        }
        for touch in touches {
            for (event, changes) in self.touching(touch.object).iter().rev() {
                if (touch.changes || *changes) && !history.has(*event) {
                    history.add_all(&self.event(*event).history);
                }
                if *changes {
                    break;
                }
            }
        }
        history.add(number);
        history
    }

    pub(super) fn push(&mut self, node: Arc<Node>) {
        let number = self.nodes.len();
        for (place, (task, _)) in node.wants.iter().enumerate() {
            let task = *task as usize;
            if self.stays.len() <= task {
                self.stays.resize_with(task + 1, Vec::new);
            }
            self.stays[task].push(Stay { from: number.checked_sub(1), node: number, place });
        }
        if let Some(event) = &node.event {
            for touch in &*event.touches {
                if touch.object == Object::EVERYTHING {
                    self.barriers.push(number - 1);
                }
                self.objects.entry(touch.object).or_default().push((number - 1, touch.changes));
            }
        }
        self.nodes.push(node);
    }

    /// Back to a path of so many nodes.
    pub(super) fn truncate(&mut self, length: usize) {
        while self.nodes.len() > length
            && let Some(node) = self.nodes.pop()
        {
            for (task, _) in &node.wants {
                self.stays[*task as usize].pop();
            }
            for touch in node.event.iter().flat_map(|event| &*event.touches) {
                if touch.object == Object::EVERYTHING {
                    self.barriers.pop();
                }
                if let Some(events) = self.objects.get_mut(&touch.object) {
                    events.pop();
                }
            }
        }
    }

    /// To the path that leads to this node.
    pub(super) fn go_to(&mut self, node: &Arc<Node>) {
        let mut missing = Vec::new();
        let mut next = Some(node);
        while let Some(here) = next {
            if self.nodes.get(here.depth).is_some_and(|mine| Arc::ptr_eq(mine, here)) {
                break;
            }
            missing.push(here.clone());
            next = here.parent.as_ref();
        }
        self.truncate(missing.last().map_or(node.depth + 1, |first| first.depth));
        missing.into_iter().rev().for_each(|node| self.push(node));
    }
}
