//! The simulated world of a thread: its tasks, its channels and their ends, its time, and what has happened.
//!
//! Knows nothing of what happens next.

use super::super::{ArenaError, ChannelKind, ChannelName, EndName, Fate, MemberName};
use super::channel::{Channel, End};
use super::decision::Choice;
use super::offers::Offers;
use super::record::Record;
use super::task::{Effect, Task};
use super::touch::Touch;
use super::{Limits, Purpose};
use super::{channel, task};
use crate::memory::Block;
use crate::sys::clock::Instant;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

/// Names of a simulated world lie where no arena has slots.
pub(super) const SIMULATED: u32 = 1 << 31;

/// Everything there is.
#[derive(Debug)]
pub(super) struct Simulation {
    /// Names of other runs mean nothing here.
    run: u32,
    pub(super) tasks: Vec<Task>,
    pub(super) channels: Vec<Channel>,
    pub(super) ends: Vec<End>,
    /// The channel that tells of the end of a member.
    pub(super) exits: Exits,
    /// Members that nobody will ask for any more.
    pub(super) disowned: Vec<MemberName>,
    /// Members that a channel was lost with, and that are kept for their names.
    pub(super) kept: Vec<u32>,
    /// Tasks that may go on, in order.
    pub(super) ready: VecDeque<u32>,
    /// Channels that keep a message back.
    pub(super) lines: Vec<u32>,
    /// Messages that nobody will read, to be freed.
    pub(super) doomed: Vec<Block>,
    /// How often time has passed.
    pub(super) epoch: u32,
    pub(super) elapsed: Duration,
    start: Instant,
    /// What has ended the network's main process.
    pub(super) network_is_over: bool,
    /// Everybody is only brought to an end.
    pub(super) is_over: bool,
    pub(super) record: Record,
    /// What happens next was decided.
    pub(super) is_deciding: bool,
    /// What was decided is being carried out; no task runs.
    pub(super) is_happening: bool,
    pub(super) options: Vec<Choice>,
    /// The room for the options of a task that is looked at.
    pub(super) again: Vec<Choice>,
    pub(super) most_events: usize,
    /// Whoever decides wants to know what each step reads and changes.
    pub(super) watches: bool,
    pub(super) touched: Vec<Touch>,
    /// How the layer above notes that a process was killed.
    pub(super) killed: u32,
    /// Tasks whose options are to be looked at again, beside those at channels that have changed.
    pub(super) stirred: Vec<u32>,
    /// Channels at which something has changed.
    pub(super) stirred_channels: Vec<u32>,
    /// Everybody's options are to be looked at again.
    pub(super) is_stirred: bool,
    spare: Spare,
}

/// Channels by the members whose end they tell of, in the order of the members.
#[derive(Debug, Default)]
pub(super) struct Exits(Vec<(u32, ChannelName)>);

impl Exits {
    fn place(&self, member: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&member, |(other, _)| *other)
    }

    pub(super) fn insert(&mut self, member: u32, exit: ChannelName) {
        match self.place(member) {
            Ok(place) => self.0[place].1 = exit,
            Err(place) => self.0.insert(place, (member, exit)),
        }
    }

    pub(super) fn remove(&mut self, member: u32) -> Option<ChannelName> {
        self.place(member).ok().map(|place| self.0.remove(place).1)
    }

    /// The members of whose end a channel tells.
    pub(super) fn members_of(&self, exit: ChannelName) -> Vec<u32> {
        self.0.iter().filter(|(_, channel)| *channel == exit).map(|(member, _)| *member).collect()
    }
}

/// What worlds before it on this thread have left: rooms, which are used again.
#[derive(Debug, Default)]
struct Spare {
    tasks: Vec<task::Rooms>,
    channels: Vec<channel::Rooms>,
}

thread_local! {
    /// Without a destructor, which each look would have to ask for: it is empty when the thread ends.
    static WORLD: ManuallyDrop<RefCell<Option<Box<Simulation>>>> = const { ManuallyDrop::new(RefCell::new(None)) };
    /// The last one, empty.
    static LAST: Cell<Option<Box<Simulation>>> = const { Cell::new(None) };
}

impl Simulation {
    pub(super) fn new(limits: Limits) -> Box<Simulation> {
        thread_local! {
            static RUNS: Cell<u32> = const { Cell::new(0) };
        }
        RUNS.set(RUNS.get().wrapping_add(u32::from(limits.purpose != Purpose::Again)));
        let mut world = LAST.take().unwrap_or_else(|| Box::new(Simulation::empty()));
        world.run = RUNS.get();
        world.start = Instant::now();
        (world.most_events, world.killed) = (limits.events, limits.killed);
        world.record = Record::begin();
        world.record.offers = Offers::if_wanted();
        world.record.script = (limits.purpose == Purpose::Script).then(Vec::new);
        world
    }

    /// One in which nothing is and nothing was.
    fn empty() -> Simulation {
        Simulation {
            run: 0,
            tasks: Vec::new(),
            channels: Vec::new(),
            ends: Vec::new(),
            exits: Exits::default(),
            disowned: Vec::new(),
            kept: Vec::new(),
            ready: VecDeque::new(),
            lines: Vec::new(),
            doomed: Vec::new(),
            epoch: 0,
            elapsed: Duration::ZERO,
            start: Instant::now(),
            network_is_over: false,
            is_over: false,
            record: Record::default(),
            is_deciding: false,
            is_happening: false,
            options: Vec::new(),
            again: Vec::new(),
            most_events: 0,
            watches: false,
            touched: Vec::new(),
            killed: 0,
            stirred: Vec::new(),
            stirred_channels: Vec::new(),
            is_stirred: false,
            spare: Spare::default(),
        }
    }

    /// It is over: what it has taken stays for the next one.
    fn clear(&mut self) {
        let spare = &mut self.spare;
        spare.tasks.extend(self.tasks.drain(..).map(Task::into_rooms));
        spare.channels.extend(self.channels.drain(..).map(Channel::into_rooms));
        self.ends.clear();
        self.exits.0.clear();
        self.disowned.clear();
        self.kept.clear();
        self.ready.clear();
        self.lines.clear();
        self.doomed.clear();
        self.options.clear();
        self.stirred.clear();
        self.stirred_channels.clear();
        (self.epoch, self.elapsed) = (0, Duration::ZERO);
        (self.network_is_over, self.is_over) = (false, false);
        (self.is_deciding, self.is_stirred) = (false, false);
    }

    /// One more task, with an actor that acts for it.
    pub(super) fn add_task(&mut self, member: MemberName, name: Arc<str>, is_process: bool, parent: u32) -> u32 {
        let number = self.tasks.len() as u32;
        let rooms = self.spare.tasks.pop().unwrap_or_default();
        let task = Task::new(member, name, is_process, parent, rooms);
        if let Some(actor) = &task.actor {
            actor.simulate(number);
        }
        self.tasks.push(task);
        self.stirred.push(number);
        number
    }

    /// One more channel, without ends.
    pub(super) fn add_channel(&mut self, label: &str, kind: ChannelKind) -> ChannelName {
        let rooms = self.spare.channels.pop().unwrap_or_default();
        self.channels.push(Channel::new(label, kind, rooms));
        self.channel_name(self.channels.len() - 1)
    }

    /// What has happened, for whoever made the world.
    pub(super) fn take_record(&mut self) -> Record {
        let mut record = std::mem::take(&mut self.record);
        record.processes.extend(self.tasks.iter().map(|task| task.name.clone()));
        record.channels.extend(self.channels.iter_mut().map(|channel| std::mem::take(&mut channel.label)));
        record
    }

    /// The virtual time.
    pub(super) fn now(&self) -> Instant {
        self.start + self.elapsed
    }

    /// How long after the beginning a moment is.
    pub(super) fn since_start(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.start)
    }

    pub(super) fn channel_name(&self, number: usize) -> ChannelName {
        ChannelName { index: SIMULATED | number as u32, generation: self.run }
    }

    pub(super) fn end_name(&self, number: usize) -> EndName {
        EndName { index: SIMULATED | number as u32, generation: self.run }
    }

    /// The number of a channel of this world.
    pub(super) fn number(&self, name: ChannelName) -> Option<usize> {
        let number = (name.index ^ SIMULATED) as usize;
        (name.generation == self.run && number < self.channels.len()).then_some(number)
    }

    /// A channel that is there.
    pub(super) fn channel(&self, name: ChannelName) -> Option<&Channel> {
        self.number(name).map(|number| &self.channels[number]).filter(|channel| !channel.is_gone)
    }

    /// One that is there, to be changed.
    pub(super) fn channel_mut(&mut self, name: ChannelName) -> Option<&mut Channel> {
        let number = self.number(name)?;
        self.stir_channel(number);
        Some(&mut self.channels[number]).filter(|channel| !channel.is_gone)
    }

    /// The number of an end that is open.
    pub(super) fn end(&self, name: EndName) -> Option<usize> {
        let number = (name.index ^ SIMULATED) as usize;
        let is_mine = name.generation == self.run && self.ends.get(number).is_some_and(|end| end.holder.is_some());
        is_mine.then_some(number)
    }

    /// Why a channel cannot be used; one that is gone has retired.
    pub(super) fn fate(&self, name: ChannelName) -> Option<Fate> {
        self.channel(name).map_or(Some(Fate::Retired), Channel::fate)
    }

    /// Something that others will notice: it is left to a decision when they do.
    pub(super) fn owe(&mut self, task: u32, effect: Effect) {
        self.tasks[task as usize].effects.push_back(effect);
        self.stir(task);
    }
}

/// Whether this is the name of something simulated.
pub(super) fn is_simulated(index: u32) -> bool {
    index & SIMULATED != 0 && index != u32::MAX
}

/// Begins a world on the calling thread.
///
/// # Errors
/// There is one already.
pub(super) fn begin(world: Box<Simulation>) -> Result<(), ArenaError> {
    WORLD.with(|place| {
        let mut place = place.borrow_mut();
        if place.is_some() {
            return Err(ArenaError::Simulated { what: "a simulation inside a simulation" });
        }
        *place = Some(world);
        Ok(())
    })
}

/// Ends it; the members that it has kept are to be released.
pub(super) fn end() -> Vec<u32> {
    let Some(mut world) = WORLD.with(|place| place.take()) else { return Vec::new() };
    let kept = std::mem::take(&mut world.kept);
    world.clear();
    LAST.set(Some(world));
    kept
}

/// Looks at the world of the calling thread, or changes it. `work` calls no code of the user's and does not suspend.
#[inline]
pub(super) fn ask<R>(work: impl FnOnce(&mut Simulation) -> R) -> R {
    WORLD.with(|world| match world.borrow_mut().as_mut() {
        Some(world) => work(world),
        None => unreachable!("who runs in a simulated world has one"),
    })
}
