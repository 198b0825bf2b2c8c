//! The search: runs the network again and again, each time to where something is left to be tried, and on from there.
//!
//! Knows nothing of what is asked of a run. Nothing is kept of a state but what was decided to come there.

use super::super::plan::Faults;
use super::path::{AllWants, Event, Node, Options, Path, Plan, Touches, sorted};
use super::races::{self, Insert};
use crate::engine::sim::{Choice, END, Kind, Object, STOP, Scheduler, Touch, Wants};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;

/// How much is left out of what is equivalent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reduction {
    /// Nothing: each order is tried.
    Nothing,
    /// What sleeps.
    Sleep,
    /// And what no race asks for.
    Sources,
}

/// How a search goes on.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) reduction: Reduction,
    pub(super) faults: Faults,
    /// Channels whose common order matters.
    pub(super) ordered: Arc<Vec<String>>,
    pub(super) preemptions: Option<usize>,
    /// Whether time may pass in this network: found out on the way.
    pub(super) is_timed: bool,
}

/// Something to be tried.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// From here; at the beginning there is no node yet.
    pub(super) from: Option<(Arc<Node>, Choice)>,
    /// What is to be done afterwards, as far as it is possible: so a run ends where something is new.
    pub(super) guide: Vec<Choice>,
}

impl Job {
    /// The first one.
    pub(super) fn root() -> Job {
        Job { from: None, guide: Vec::new() }
    }
}

/// How a run came to its end, for the search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Came {
    ToItsEnd,
    /// All that was possible is asleep.
    Blocked,
    /// Time may pass, which was not known.
    Timed,
    /// What was decided before was not possible any more.
    Astray(Choice),
}

/// Runs along a path, and on from its end: the one who decides in one run.
#[derive(Debug)]
pub(super) struct Walker<'a> {
    rules: &'a Rules,
    path: &'a mut Path,
    from: Option<(Arc<Node>, Choice)>,
    /// The choices that lead to the node of the job, and the one that is to be tried.
    script: Vec<Choice>,
    decided: usize,
    guide: std::vec::IntoIter<Choice>,
    /// What the last event has read and changed, and what became of the tasks.
    seen: Option<(Touches, AllWants)>,
    left: Faults,
    last: Option<Choice>,
    pub(super) new: usize,
    pub(super) came: Came,
    pub(super) jobs: Vec<Job>,
    /// Something was left out because of a bound.
    pub(super) is_bounded: bool,
}

impl<'a> Walker<'a> {
    pub(super) fn new(rules: &'a Rules, path: &'a mut Path, job: Job) -> Walker<'a> {
        let mut script = Vec::new();
        let mut new = 0;
        let from = job.from.clone();
        match &job.from {
            Some((node, choice)) => {
                path.go_to(node);
                script = node.choices(*choice);
                new = node.depth;
                node.plan(|plan| {
                    plan.waiting.retain(|waiting| waiting != choice);
                    plan.begun.push((*choice, None));
                });
            }
            None => path.truncate(0),
        }
        Walker {
            rules,
            path,
            from,
            script,
            decided: 0,
            guide: job.guide.into_iter(),
            seen: None,
            left: rules.faults.clone(),
            last: None,
            new,
            came: Came::ToItsEnd,
            jobs: Vec::new(),
            is_bounded: false,
        }
    }

    /// The node that was just come to.
    fn arrive(&mut self, options: &[Choice]) {
        let Some((mut touches, wants)) = self.seen.take() else { return };
        let parent = self.path.nodes.last().cloned();
        let is_poll = self.last.is_some_and(|last| last.kind == Kind::Skip);
        if is_poll && self.rules.is_timed {
            let everything = Touch { object: Object::EVERYTHING, changes: true };
            touches = std::iter::once(everything).chain(touches.iter().copied()).collect();
        }
        let mut sleep = Vec::new();
        let mut preemptions = 0;
        let event = parent.as_ref().zip(self.last).map(|(parent, choice)| {
            preemptions =
                parent.preemptions + usize::from(self.rules.preemptions.is_some() && preempts(parent, choice));
            if self.rules.reduction != Reduction::Nothing {
                parent.note(choice, &touches);
                sleep = parent.asleep_after(choice, &touches);
            }
            let history = self.path.history(&touches);
            Event { choice, touches, history }
        });
        let depth = parent.as_ref().map_or(0, |parent| parent.depth + 1);
        self.path.push(Arc::new(Node {
            parent,
            depth,
            event,
            wants,
            options: options.into(),
            sleep,
            preemptions,
            plan: Mutex::default(),
            known: Condvar::new(),
        }));
    }

    /// What is tried first from the last node.
    fn first(&mut self) -> Option<Choice> {
        let node = self.path.nodes.last().cloned()?;
        let mut awake: Options = node.options.iter().copied().filter(|option| !node.is_asleep(*option)).collect();
        if let Some(most) = self.rules.preemptions {
            let before = awake.len();
            awake.retain(|option| node.preemptions + usize::from(preempts(&node, *option)) <= most);
            self.is_bounded |= awake.len() < before;
        }
        let rank = |option: &Choice| match option.kind {
            Kind::Skip => 2,
            Kind::Time => 3,
            fault if fault.is_fault() => 4,
            _ => 1,
        };
        let guided = self.guide.next().filter(|guided| awake.contains(guided));
        let first = guided.or_else(|| awake.iter().copied().min_by_key(rank))?;
        if guided.is_none() {
            self.guide = Vec::new().into_iter();
        }
        let is_timed = node.options.iter().any(|option| matches!(option.kind, Kind::Time | Kind::Arrive));
        let all = self.rules.reduction != Reduction::Sources || is_timed;
        let others: Options = awake.into_iter().filter(|option| all && *option != first).collect();
        node.plan(|plan: &mut Plan| {
            plan.begun.push((first, None));
            plan.waiting.extend_from_slice(&others);
        });
        let jobs = others.into_iter().rev().map(|option| Job { from: Some((node.clone(), option)), guide: Vec::new() });
        self.jobs.extend(jobs);
        Some(first)
    }

    /// Nobody can go on but by a fault: the run ends here, and others go on from here.
    fn try_all_faults(&mut self) {
        let Some(node) = self.path.nodes.last().cloned() else { return };
        let awake: Vec<Choice> = node.options.iter().copied().filter(|option| !node.is_asleep(*option)).collect();
        node.plan(|plan: &mut Plan| plan.waiting.extend(&awake));
        let jobs = awake.into_iter().rev().map(|option| Job { from: Some((node.clone(), option)), guide: Vec::new() });
        self.jobs.extend(jobs);
    }

    /// Notes what is to be tried because of this run.
    pub(super) fn find_races(&mut self) {
        if self.rules.reduction == Reduction::Sources {
            let mut found = Found { path: self.path, jobs: Vec::new() };
            races::find(self.path, self.new, &mut found);
            self.jobs.append(&mut found.jobs);
        }
    }
}

/// Whether another process goes on although one of the last ones could.
fn preempts(node: &Node, choice: Choice) -> bool {
    let Some(last) = node.event.as_ref().map(|event| event.choice) else { return false };
    let goes_on = |option: &Choice| option.involves(last.who) || option.involves(last.with);
    !choice.kind.is_fault() && !goes_on(&choice) && node.options.iter().any(|o| !o.kind.is_fault() && goes_on(o))
}

impl Scheduler for Walker<'_> {
    fn decide(&mut self, options: &[Choice]) -> usize {
        let number = self.decided;
        self.decided += 1;
        if !self.rules.is_timed
            && options.iter().any(|option| option.kind == Kind::Time)
            && self.rules.reduction == Reduction::Sources
        {
            self.came = Came::Timed;
            return STOP;
        }
        if number >= self.path.nodes.len() {
            self.arrive(options);
        }
        if number >= self.script.len() && options.iter().all(|option| option.kind.is_fault()) {
            self.try_all_faults();
            return END;
        }
        let choice = match self.script.get(number) {
            Some(choice) => Some(*choice),
            None => self.first(),
        };
        let Some(choice) = choice else {
            self.came = Came::Blocked;
            return STOP;
        };
        // What was possible here is possible again, or else it is another network.
        let is_same = self.path.nodes.get(number).is_none_or(|node| *node.options == *options);
        let place = options.iter().position(|option| *option == choice).filter(|_| is_same);
        let Some(place) = place else {
            self.came = Came::Astray(choice);
            return STOP;
        };
        self.last = Some(choice);
        self.left.take(choice.kind);
        place
    }

    fn allows_any(&self) -> bool {
        self.left.are_left()
    }

    fn allows(&self, fault: Kind) -> bool {
        self.left.count(fault) > 0
    }

    fn goes_on(&self) -> bool {
        true
    }

    fn meets(&self, process: &str) -> bool {
        self.left.meets(process)
    }

    fn is_lossy(&self, channel: &str) -> bool {
        self.left.is_lossy(channel)
    }

    fn is_in_order(&self, channel: &str) -> bool {
        self.left.is_in_order(channel)
    }

    fn orders(&self, channel: &str) -> bool {
        self.rules.ordered.iter().any(|name| name == channel)
    }

    /// What the events of the path have read and changed is known already.
    fn watches(&self) -> bool {
        self.decided >= self.path.nodes.len()
    }

    fn watch(&mut self, touched: &[Touch], wants: &dyn Fn(u32) -> Wants) {
        let touches = sorted(touched);
        let tasks = touches.iter().filter(|touch| touch.changes).filter_map(|touch| touch.object.as_task());
        let wants = tasks.map(|task| (task, wants(task))).collect();
        self.seen = Some((touches, wants));
    }
}

impl Walker<'_> {
    /// The run has ended: what its last event has done is noted.
    pub(super) fn end(&mut self) {
        if self.seen.is_some() && self.decided == self.path.nodes.len() {
            self.arrive(&[]);
        }
    }
}

/// Who waits to know what this one has done does not wait for ever.
impl Drop for Walker<'_> {
    fn drop(&mut self) {
        if let Some((node, choice)) = &self.from {
            node.note(*choice, &Touches::from([Touch { object: Object::EVERYTHING, changes: true }]));
        }
    }
}

/// Notes what races ask for.
struct Found<'a> {
    path: &'a Path,
    jobs: Vec<Job>,
}

impl Found<'_> {
    fn try_from(
        &mut self,
        number: usize,
        begins: &[Choice],
        guide: Vec<Choice>,
        stands_aside: &dyn Fn(&Event) -> bool,
    ) -> bool {
        let (node, Some(first)) = (&self.path.nodes[number], begins.first().copied()) else { return false };
        let sleeps = begins.iter().any(|choice| node.is_asleep(*choice));
        let is_new = node.plan(|plan| {
            let is_tried =
                |choice: &Choice| plan.begun.iter().any(|(begun, _)| begun == choice) || plan.waiting.contains(choice);
            // What is tried from here, and happens all the same, with nothing before it.
            let others = (number + 1..self.path.len()).map(|event| (event, self.path.event(event)));
            let mut aside = others.filter(|(event, other)| {
                other.history.from(number).next() == Some(*event) && is_tried(&other.choice) && stands_aside(other)
            });
            let is_new = !begins.iter().any(is_tried) && aside.next().is_none();
            if is_new && !sleeps {
                plan.waiting.push(first);
            }
            is_new
        });
        if is_new && !sleeps {
            self.jobs.push(Job { from: Some((node.clone(), first)), guide });
        }
        is_new && sleeps
    }
}

impl Insert for Found<'_> {
    fn insert_events(&mut self, node: usize, events: &[usize], stands_aside: &dyn Fn(&Event) -> bool) -> bool {
        let of = |event: usize| self.path.event(event);
        // Those that no other one of them comes before.
        let begins: Vec<Choice> = events
            .iter()
            .filter(|event| !events.iter().any(|other| other != *event && of(**event).history.has(*other)))
            .map(|event| of(*event).choice)
            .collect();
        let guide = events[1..].iter().map(|event| of(*event).choice).collect();
        self.try_from(node, &begins, guide, stands_aside)
    }

    fn insert_choice(&mut self, node: usize, choice: Choice, stands_aside: &dyn Fn(&Event) -> bool) -> bool {
        self.try_from(node, &[choice], Vec::new(), stands_aside)
    }
}
