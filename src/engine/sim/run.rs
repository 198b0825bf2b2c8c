//! A run: tasks go on until all of them wait; then it is decided what happens next.
//!
//! Knows nothing of why it is decided so.

use super::super::actor::{Actor, actor};
use super::super::{ArenaError, Fired, Guard, MemberName, Order};
use super::coroutine::{self, Coroutine};
use super::decision::{Choice, END, Kind, NOBODY, STOP, Scheduler};
use super::record::{Ended, Linked};
use super::script::Note;
use super::task::{Offer, State, Task};
use super::touch::Object;
use super::world::{Simulation, ask};
use std::any::Any;
use std::panic::{Location, resume_unwind};
use std::sync::Arc;

/// What a task that was killed unwinds with.
struct Killed;

/// Whether it is the end of a task that was killed, and no panic.
pub(crate) fn is_end(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Killed>()
}

/// A task that swallows this many unwindings is left behind.
const PATIENCE: u64 = 1000;

/// One more task, which runs `work` on a stack of so many bytes. `name` is what it is called.
///
/// # Errors
/// There is no room for its stack.
pub(crate) fn start(
    member: MemberName,
    name: Arc<str>,
    is_process: bool,
    stack: usize,
    work: Box<dyn FnOnce()>,
) -> Result<u32, ArenaError> {
    let coroutine = Coroutine::new(stack, work)?;
    let parent = member.slot().map_or(u32::MAX, super::super::Member::parent);
    Ok(ask(|world| {
        let number = world.add_task(member, name, is_process, parent);
        world.tasks[number as usize].coroutine = Some(coroutine);
        world.leads_to(Linked::Task(number));
        world.ready.push_back(number);
        world.touch(Object::NUMBERS, true);
        world.touch(Object::task(number), true);
        number
    }))
}

/// From now on the main process runs `work`.
///
/// # Errors
/// There is no room for its stack.
pub(super) fn start_main(stack: usize, work: Box<dyn FnOnce()>) -> Result<(), ArenaError> {
    let coroutine = Coroutine::new(stack, work)?;
    ask(|world| {
        world.tasks[0].coroutine = Some(coroutine);
        world.ready.push_back(0);
    });
    Ok(())
}

/// What the calling task offers comes to something.
///
/// # Errors
/// What it offers cannot be simulated, or it may not wait here.
pub(crate) fn offer(
    me: u32,
    guards: &[Guard],
    order: Order,
    place: &'static Location<'static>,
) -> Result<Fired, ArenaError> {
    assert!(!guards.is_empty(), "an offer of nothing would never come to anything");
    refuse_unless_inside()?;
    let is_alive = ask(|world| {
        if world.tasks[me as usize].is_killed {
            return Ok(false);
        }
        world.refuse_foreign(guards)?;
        let polls = guards.len() > 1 && guards.iter().any(|guard| matches!(guard, Guard::Skip));
        let task = &mut world.tasks[me as usize];
        let mut room = std::mem::take(&mut task.guards);
        room.clear();
        room.extend_from_slice(guards);
        task.state = State::Offered(Offer { guards: room, order, place, epoch: world.epoch, polls });
        task.offers += 1;
        task.place = Some(place);
        if world.record.offers.is_some() {
            world.note_offer(me);
        }
        world.stir(me);
        world.touch_post(me);
        world.post(me);
        Ok(true)
    })?;
    let fired = match is_alive {
        true => {
            coroutine::suspend();
            ask(|world| {
                let task = &mut world.tasks[me as usize];
                match std::mem::replace(&mut task.state, State::Running) {
                    State::Ready(fired) if !task.is_killed => fired,
                    _ => None,
                }
            })
        }
        false => None,
    };
    match fired {
        Some(fired) => Ok(fired),
        None => unwind(me),
    }
}

/// One that is unwinding, or has no stack of its own, cannot wait.
fn refuse_unless_inside() -> Result<(), ArenaError> {
    if std::thread::panicking() {
        return Err(ArenaError::Simulated { what: "a communication by a process that unwinds" });
    }
    if !coroutine::is_inside() {
        return Err(ArenaError::Simulated { what: "a communication by the closure that only builds the network" });
    }
    Ok(())
}

/// It is a part of whoever calls it: each frame on the stack costs the unwinding as much as a decision.
#[inline(always)]
fn unwind(me: u32) -> ! {
    let is_hopeless = ask(|world| {
        let task = &mut world.tasks[me as usize];
        task.waits += 1;
        task.waits > PATIENCE
    });
    if is_hopeless {
        loop {
            coroutine::suspend();
        }
    }
    match ask(|world| world.tasks[me as usize].panics.take()) {
        Some(message) => resume_unwind(Box::new(message)),
        None => resume_unwind(Box::new(Killed)),
    }
}

impl Simulation {
    /// The next task that is ready, and what runs there.
    fn next_to_go_on(&mut self) -> Option<(u32, Coroutine, Box<Actor>)> {
        while let Some(number) = self.ready.pop_front() {
            self.note_script(|| Note::Resumed(number));
            let task = &mut self.tasks[number as usize];
            if let (Some(coroutine), Some(side)) = (task.coroutine.take(), task.actor.take()) {
                return Some((number, coroutine, side));
            }
        }
        None
    }

    /// A task waits, or has come to its end.
    fn come_back(&mut self, number: u32, rest: Option<Coroutine>, side: Box<Actor>) {
        let task = &mut self.tasks[number as usize];
        task.actor = Some(side);
        match rest {
            Some(coroutine) => task.coroutine = Some(coroutine),
            None => task.state = State::Over,
        }
        self.touch(Object::task(number), true);
    }

    fn refuse_foreign(&self, guards: &[Guard]) -> Result<(), ArenaError> {
        let mut names = guards.iter().filter_map(super::possible::channel_of);
        match names.find(|name| !super::is_simulated(*name)) {
            Some(_) => Err(ArenaError::Simulated { what: "a channel that was made outside of the simulation" }),
            None => Ok(()),
        }
    }

    /// Decides what happens next, and has it happen; or says how the run has ended.
    fn step(&mut self, scheduler: &mut dyn Scheduler) -> Option<Ended> {
        if self.record.happenings.len() >= self.most_events {
            return Some(Ended::TooLong);
        }
        if let Some(dead) = self.next_to_bury() {
            let burial = Choice::new(Kind::Effect, dead, NOBODY, NOBODY);
            scheduler.pass_over(burial);
            self.carry_out(burial);
            return None;
        }
        let mut options = std::mem::take(&mut self.options);
        options.clear();
        self.possible(&mut options);
        let polls_only = options.iter().all(|option| option.kind == Kind::Skip);
        if options.is_empty() && self.next_deadline().is_none() {
            // Nobody else can go on: who was to come late comes now, and what was kept back arrives.
            if self.end_delays() || self.let_all_arrive() {
                self.options = options;
                return None;
            }
            // A fault can still happen to who stands still, and changes what becomes of it.
            if scheduler.goes_on() && !self.tasks.iter().all(Task::is_over) {
                self.possible_faults(scheduler, &mut options);
            }
            if options.is_empty() {
                self.options = options;
                return Some(self.ending());
            }
        } else {
            self.time_may_pass(polls_only, &mut options);
            self.possible_faults(scheduler, &mut options);
        }
        if self.watches {
            let touched = std::mem::take(&mut self.touched);
            scheduler.watch(&touched, &|task| self.wants(task));
            self.touched = touched;
            self.touched.clear();
        }
        let chosen = scheduler.decide(&options);
        if chosen == STOP {
            return Some(Ended::Stopped);
        }
        if chosen == END {
            return Some(self.ending());
        }
        let choice = options[chosen.min(options.len() - 1)];
        self.options = options;
        self.watches = scheduler.watches();
        self.touch_reasons(choice);
        if self.watches && self.channels.get(choice.channel as usize).is_some_and(|at| scheduler.orders(&at.label)) {
            self.touch(Object::ORDER, true);
        }
        self.carry_out(choice);
        None
    }

    fn time_may_pass(&self, polls_only: bool, options: &mut Vec<Choice>) {
        if polls_only && self.next_deadline().is_some() {
            options.push(Choice::new(Kind::Time, NOBODY, NOBODY, NOBODY));
        }
    }

    fn ending(&self) -> Ended {
        match self.tasks.iter().all(Task::is_over) {
            true => Ended::Completed,
            false if self.network_is_over => Ended::LeftBehind,
            false => Ended::Stuck,
        }
    }
}

/// Runs until nothing can happen any more.
pub(crate) fn run(scheduler: &mut dyn Scheduler) -> Ended {
    ask(|world| {
        world.watches = scheduler.watches();
        world.touched.clear();
    });
    let ended = loop {
        run_ready();
        if let Some(ended) = ask(|world| world.step(scheduler)) {
            break ended;
        }
    };
    ask(|world| {
        let touched = std::mem::take(&mut world.touched);
        if std::mem::take(&mut world.watches) && !touched.is_empty() {
            scheduler.watch(&touched, &|task| world.wants(task));
        }
        world.touched = touched;
    });
    ended
}

/// Lets those who are ready go on, one after the other, until they wait or come to their ends.
fn run_ready() {
    let mut back = None;
    while let Some((number, coroutine, side)) = ask(|world| {
        if let Some((number, rest, side)) = back.take() {
            world.come_back(number, rest, side);
        }
        world.next_to_go_on()
    }) {
        actor(|actor| actor.exchange(&side));
        let rest = coroutine.resume();
        actor(|actor| actor.exchange(&side));
        back = Some((number, rest, side));
    }
}

/// Brings everybody to an end who has not come to it.
pub(crate) fn tear_down() {
    let is_left = ask(|world| {
        world.is_over = true;
        world.tasks.iter().any(|task| !task.is_over() || !task.effects.is_empty())
    });
    let mut number = if is_left { 0 } else { ask(|world| world.tasks.len() as u32) };
    // Whoever unwinds may start others.
    while number < ask(|world| world.tasks.len() as u32) {
        ask(|world| {
            world.kill(number, Some(world.killed));
            world.settle(number);
        });
        run_ready();
        let left = ask(|world| world.tasks[number as usize].coroutine.take());
        if let Some(coroutine) = left {
            coroutine.leave_behind();
        }
        ask(|world| {
            world.settle(number);
            world.tasks[number as usize].state = State::Over;
        });
        number += 1;
    }
    ask(|world| {
        for channel in &mut world.channels {
            channel.drain_into(&mut world.doomed);
        }
        world.free_doomed();
    });
}
