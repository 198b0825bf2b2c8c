//! The side of somebody who is driven: it stops before each offer, and does what it is told.
//!
//! Knows nothing of who tells it. Where it stops is where a task of the simulated world would leave its turn, by the
//! same rules: before each offer; where others may do something first; and at its end, as long as something that it has
//! done has not taken effect.

use super::super::live::{Baton, Came, Said, Stand, Told};
use super::super::sim::Effect;
use super::super::{
    Actor, ArenaError, ChannelName, Closing, Direction, EndName, Fired, Guard, Holder, MemberName, Order, actor,
};
use crate::memory::Block;
use crate::sys::atomic::Ordering;
use crate::sys::clock::{Deadline, Instant};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::panic::{Location, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

/// What somebody unwinds with who is to come to its end.
struct Ended;

/// Whether it is the end of somebody who was driven, and no panic.
pub(crate) fn is_end(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Ended>()
}

/// What a process says that is told to panic.
const PANIC: &str = super::super::sim::PANIC;

/// A timer that is not due waits for as long as somebody drives.
const NEVER: Duration = Duration::from_secs(1 << 30);

/// How far it is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// It only builds a network, and may not wait.
    Builds,
    Driven,
    /// Nobody tells it anything any more, but to come to its end.
    Free,
    /// It is only to come to its end.
    Ended,
}

/// What is driven on a thread.
#[derive(Debug)]
pub(crate) struct Side {
    baton: Baton,
    stand: &'static Stand,
    /// The process, if it is one and not a thread beside it.
    process: Option<MemberName>,
    mode: Cell<Mode>,
    /// What it has done that has not taken effect.
    effects: RefCell<VecDeque<Effect>>,
    /// When its virtual time was zero.
    start: Instant,
}

/// The main process of a driven network, which the calling thread builds.
pub(super) fn drive_main(baton: Baton, name: MemberName) -> Option<Rc<Side>> {
    let task = baton.enroll(name)?;
    name.slot()?.drive(baton.block(), task);
    Side::new(baton, task, Some(name), Mode::Builds)
}

/// The network of the calling thread is built: it begins when it is told to.
pub(crate) fn begin_main() {
    actor(|actor| {
        if let Some(side) = actor.side() {
            side.mode.set(Mode::Driven);
            side.begin(actor);
        }
    });
}

impl Side {
    fn new(baton: Baton, task: u32, process: Option<MemberName>, mode: Mode) -> Option<Rc<Side>> {
        let stand = baton.stand(task)?;
        let (mode, effects) = (Cell::new(mode), RefCell::new(VecDeque::new()));
        Some(Rc::new(Side { baton, stand, process, mode, effects, start: Instant::now() }))
    }

    /// The virtual time.
    pub(in crate::engine) fn now(&self) -> Instant {
        self.start + self.baton.elapsed()
    }

    /// One more process, which this one is about to start, is driven, too.
    fn enroll(&self, name: MemberName) {
        if let (Some(task), Some(slot)) = (self.baton.enroll(name), name.slot()) {
            slot.drive(self.baton.block(), task);
        }
    }

    fn begin(&self, actor: &Actor) {
        self.stand.say(Said::Begins);
        if self.baton.is_over() {
            return self.mode.set(Mode::Ended);
        }
        match self.stand.listen() {
            (Told::Free, _) => self.be_free(actor),
            (Told::End, _) => self.mode.set(Mode::Ended),
            _ => (),
        }
    }

    /// It is driven no more.
    fn be_free(&self, actor: &Actor) {
        self.mode.set(Mode::Free);
        self.settle_at_once(actor);
    }

    /// Says where it stands, and does what it is told until that is something for the caller.
    fn stop(&self, actor: &Actor, said: Said) -> (Told, u32) {
        loop {
            self.note_effects();
            self.stand.say(said);
            match self.stand.listen() {
                (Told::Settle, _) => self.take_effect(actor),
                (Told::Free, argument) => {
                    self.be_free(actor);
                    return (Told::Free, argument);
                }
                other => return other,
            }
        }
    }

    fn note_effects(&self) {
        self.stand.effects.store(self.effects.borrow().len() as u32, Ordering::Relaxed);
    }

    /// Whether it may stop: one that unwinds, only builds, or is only to come to its end does not.
    fn may_stop(&self) -> bool {
        self.mode.get() == Mode::Driven && !std::thread::panicking()
    }

    /// What it offers comes to something.
    ///
    /// # Errors
    /// It cannot be offered, or it may not wait here.
    pub(in crate::engine) fn offer(
        &self,
        actor: &Actor,
        guards: &[Guard],
        order: Order,
        location: &'static Location<'static>,
    ) -> Result<Fired, ArenaError> {
        if std::thread::panicking() {
            return Err(ArenaError::Simulated { what: "a communication by a process that unwinds" });
        }
        if self.mode.get() == Mode::Builds {
            return Err(ArenaError::Simulated { what: "a communication by the closure that only builds the network" });
        }
        if self.mode.get() == Mode::Ended {
            resume_unwind(Box::new(Ended));
        }
        if self.mode.get() == Mode::Free {
            return self.offer_freely(actor, guards, order, location);
        }
        match self.stop(actor, Said::Offers) {
            (Told::Come, first) => {
                let order = if order == Order::Random { Order::From(first as usize) } else { order };
                let in_its_time = || self.in_its_time(guards);
                let came = actor.with(|local| local.offer_driven(self.stand, in_its_time, order, location, false));
                match came.and_then(|came| came) {
                    Ok(Came::Fired(fired)) => Ok(self.go_on(actor, fired)),
                    Ok(Came::Freed(fired)) => {
                        self.be_free(actor);
                        Ok(fired)
                    }
                    Ok(Came::Told(told)) => self.unwind(told),
                    Err(error) => {
                        self.stand.say(Said::Refused);
                        let (told, _) = self.stand.listen();
                        if told == Told::End { self.unwind(told) } else { Err(error) }
                    }
                }
            }
            (Told::Answer, index) => {
                if let Some(Guard::Output { block, .. }) = guards.get(index as usize) {
                    let _ = actor.with(|local| local.discard(*block, Closing::Retire));
                }
                Ok(self.go_on(actor, Fired::bare(index as usize)))
            }
            (Told::Free, _) => self.offer_freely(actor, guards, order, location),
            (told, _) => self.unwind(told),
        }
    }

    fn offer_freely(
        &self,
        actor: &Actor,
        guards: &[Guard],
        order: Order,
        location: &'static Location<'static>,
    ) -> Result<Fired, ArenaError> {
        let as_they_are = || guards.to_vec();
        match actor.with(|local| local.offer_driven(self.stand, as_they_are, order, location, true))?? {
            Came::Fired(fired) | Came::Freed(fired) => Ok(fired),
            Came::Told(told) => self.unwind(told),
        }
    }

    /// The guards, with deadlines that have passed, or never will.
    fn in_its_time(&self, guards: &[Guard]) -> Vec<Guard> {
        let now = self.now();
        let moved = |guard: &Guard| match guard {
            Guard::Timer { deadline } if deadline.instant() <= now => Guard::Timer { deadline: at(Duration::ZERO) },
            Guard::Timer { .. } => Guard::Timer { deadline: at(NEVER) },
            other => *other,
        };
        guards.iter().map(moved).collect()
    }

    /// Says what its offer has come to, and goes on when it is told to.
    fn go_on(&self, actor: &Actor, fired: Fired) -> Fired {
        self.stand.note_outcome(fired.index, fired.outcome);
        self.stand.say(Said::Fired);
        match self.stand.listen() {
            (Told::Free, _) => self.be_free(actor),
            // It comes to its end at its next offer.
            (Told::End, _) => self.mode.set(Mode::Ended),
            _ => (),
        }
        fired
    }

    fn unwind(&self, told: Told) -> ! {
        if told == Told::Panic {
            resume_unwind(Box::new(String::from(PANIC)));
        }
        self.mode.set(Mode::Ended);
        resume_unwind(Box::new(Ended))
    }

    /// Others may do something before what it does next.
    pub(in crate::engine) fn let_others_go_first(&self, actor: &Actor) {
        if !self.may_stop() {
            return self.settle_at_once(actor);
        }
        match self.stop(actor, Said::Offers) {
            (Told::Come, _) => {
                let _: Fired = self.go_on(actor, Fired::bare(0));
            }
            (Told::Free, _) => (),
            (told, _) => self.unwind(told),
        }
    }

    /// What it has done takes effect before it goes on.
    pub(in crate::engine) fn settle(&self, actor: &Actor) {
        if !self.effects.borrow().is_empty() {
            self.let_others_go_first(actor);
        }
    }

    /// Something that others will notice is left to a decision.
    pub(in crate::engine) fn owe(&self, actor: &Actor, effect: Effect) {
        self.effects.borrow_mut().push_back(effect);
        if matches!(self.mode.get(), Mode::Ended | Mode::Free) {
            self.settle_at_once(actor);
        }
    }

    /// Closes an end: at once, if nobody will notice.
    pub(in crate::engine) fn close(&self, actor: &Actor, end: EndName, closing: Closing) {
        let owes = !self.effects.borrow().is_empty();
        let Some(is_noticed) = self.baton.tables().notices(end, closing) else { return };
        let is_handle = end.place().is_some_and(|(_, direction)| direction == Direction::Handle);
        let is_owed = |effect: &Effect| matches!(effect, Effect::Close(other, _) if *other == end);
        if !(owes || is_noticed) || is_handle {
            close_now(actor, end, closing);
        } else if !self.effects.borrow().iter().any(is_owed) {
            self.owe(actor, Effect::Close(end, closing));
        }
    }

    /// Closes all ends that a process holds.
    pub(in crate::engine) fn close_held(&self, actor: &Actor, member: u32, closing: Closing) {
        for end in self.baton.tables().held_by(Holder::Member(member)) {
            if !end.keeps_memory() {
                self.close(actor, end, closing);
            }
        }
    }

    /// Whether it is this process.
    pub(in crate::engine) fn is(&self, process: MemberName) -> bool {
        self.process == Some(process)
    }

    /// A channel was made.
    pub(in crate::engine) fn note_channel(&self, channel: ChannelName) {
        self.baton.enroll_channel(channel);
    }

    fn take_effect(&self, actor: &Actor) {
        let effect = self.effects.borrow_mut().pop_front();
        match effect {
            Some(Effect::Close(end, closing)) => close_now(actor, end, closing),
            Some(Effect::Poison(channel, direction)) => {
                let _ = actor.with(|local| local.poison(channel, direction));
            }
            Some(Effect::EndWriting(channel)) => {
                let _ = actor.with(|local| local.end_writing(channel));
            }
            Some(Effect::Leave(name)) => {
                // A process of the operating system leaves by its exit.
                if let Some(slot) = name.slot().filter(|slot| slot.host() != name.index) {
                    let _ = actor.with(|local| local.leave(name.index, slot));
                }
            }
            None => (),
        }
    }

    fn settle_at_once(&self, actor: &Actor) {
        while !self.effects.borrow().is_empty() {
            self.take_effect(actor);
        }
    }

    /// It has ended: stays until everything has taken effect that it has done.
    fn end(&self, actor: &Actor) {
        while !self.effects.borrow().is_empty() {
            self.note_effects();
            if self.mode.get() == Mode::Driven {
                self.stand.say(Said::Ends);
                let (told, _) = self.stand.listen();
                if told != Told::Settle {
                    self.mode.set(Mode::Ended);
                }
            }
            self.take_effect(actor);
        }
    }
}

fn at(distance: Duration) -> Deadline {
    Deadline::at(Instant::now() + distance)
}

fn close_now(actor: &Actor, end: EndName, closing: Closing) {
    let is_unit = closing == Closing::Resign && end.place().is_some_and(|(_, direction)| direction == Direction::Unit);
    let _ = actor.with(|local| if is_unit { local.give_back(end) } else { local.close_end(end, closing) });
}

impl Actor {
    /// A process begins here: if it is driven, when it is told to.
    pub(in crate::engine) fn begin_if_driven(&self, member: u32) {
        let Some(name) = super::super::Member::name_at(member) else { return };
        let Some((baton, task)) = name.slot().and_then(super::super::Member::driven) else { return };
        self.begin_as(Baton::of(self.tables(), baton), task, Some(name));
    }

    fn begin_as(&self, baton: Baton, task: u32, process: Option<MemberName>) {
        if let Some(side) = Side::new(baton, task, process, Mode::Driven) {
            self.be_driven(Some(side.clone()));
            side.begin(self);
        }
    }

    /// A process, which this one is about to start, is driven if this one is.
    pub(crate) fn enroll(&self, name: MemberName) {
        if let Some(side) = self.side() {
            side.enroll(name);
        }
    }

    /// A place for one more thread of this process, if it is driven.
    pub(crate) fn enroll_thread(&self) -> Option<Enrolled> {
        let side = self.side()?;
        let member = self.member().ok().and_then(super::super::Member::name_at)?;
        let task = side.baton.enroll(member)?;
        Some(Enrolled { block: side.baton.block(), task })
    }

    /// What is driven here, if something is, has come to its end: once everything has taken effect that it has done.
    /// With the process of the operating system that is about to exit, if it is one.
    pub(crate) fn end_if_driven(&self, exits: Option<MemberName>) {
        let Some(side) = self.side() else { return };
        if let Some(name) = exits {
            side.effects.borrow_mut().push_back(Effect::Leave(name));
        }
        side.end(self);
        self.be_driven(None);
        side.stand.say(Said::Over);
    }
}

/// The place of a thread that is about to be started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enrolled {
    block: Block,
    task: u32,
}

/// What is driven on a thread beside its process comes to its end when this is dropped.
#[derive(Debug)]
pub(crate) struct Begun(());

impl Enrolled {
    /// The calling thread begins in this place, when it is told to.
    pub(crate) fn begin(self) -> Begun {
        actor(|actor| actor.begin_as(Baton::of(actor.tables(), self.block), self.task, None));
        Begun(())
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        actor(|actor| actor.end_if_driven(None));
    }
}
