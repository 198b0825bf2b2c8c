//! `Gate`: permits that processes take and give back, under everything that is held for a while.
//!
//! Knows nothing of what holding a permit means: locks, semaphores, events and conditions say so. Nor of how permits
//! are handed on; the engine sees a gate as a channel with those who wait.

use super::end::{End, NOWHERE, Patience, settled};
use super::error::{ChannelError, MessageError};
use super::process_scope::settle;
use super::travel::travels;
use crate::cause::{Cause, describe_abandoner};
use crate::engine::{self, Cell, ChannelKind, ChannelName, Closing, EndName, Opened, Order, Passed, actor};
use std::panic::Location;
use std::thread::panicking;

/// A gate, held by a handle: a clone, or one that is sent to a process, is one more handle of the same gate.
#[derive(Debug)]
pub(crate) struct Gate(End);

impl Gate {
    /// One with so many permits. When the arena has no room for it, every operation that can fail says so.
    pub(crate) fn new(permits: u32, opened: Opened) -> Gate {
        Gate(match actor(|actor| actor.create_channel("", ChannelKind::Gate { permits, opened })) {
            Ok((channel, end)) => End::of_gate(channel, end),
            Err(error) => End::unmade(error),
        })
    }

    /// As [`Gate::new`], which tells at once.
    pub(crate) fn try_new(permits: u32, opened: Opened) -> Result<Gate, MessageError> {
        let gate = Gate::new(permits, opened);
        gate.made()?;
        Ok(gate)
    }

    /// One with a single permit that keeps a cell of so many bytes; `begin` writes what is in it. When there is no room
    /// for it, every operation that can fail says so.
    pub(crate) fn with_cell(bytes: usize, begin: impl FnOnce(Cell<'_>)) -> Gate {
        Gate(match actor(|actor| actor.create_cell(bytes, begin)) {
            Ok((channel, end)) => End::of_gate(channel, end),
            Err(error) => End::unmade(error),
        })
    }

    /// One that nobody passes and that keeps an area: these bytes, or so many that are 0.
    pub(crate) fn with_area(bytes: usize, begin: Option<&[u8]>) -> Result<Gate, MessageError> {
        let (channel, end) = actor(|actor| actor.create_area(bytes, begin))?;
        Ok(Gate(End::of_gate(channel, end)))
    }

    /// The same gate for as long as this is there, also when the process that has it was a thread and has ended:
    /// whoever looks at a cell must have its gate.
    pub(crate) fn entrusted(self) -> Gate {
        self.0.entrust_to_host();
        self
    }

    /// Looks at its cell, and how many bytes it has; `None` if there is none. Whoever writes has the permit, and
    /// everybody has the gate [entrusted](Gate::entrusted).
    #[inline]
    pub(crate) fn cell<R>(&self, look: impl FnOnce(usize, Cell<'_>) -> R) -> Option<R> {
        settle();
        self.channel().cell(look)
    }

    /// The same gate with a name.
    pub(crate) fn named(self, name: &str) -> Gate {
        match self.0.call(name) {
            Ok(()) => self,
            Err(error) => Gate(End::unmade(error)),
        }
    }

    /// Why it could not be made, if so.
    pub(crate) fn made(&self) -> Result<(), MessageError> {
        self.0.made()
    }

    /// Why there is no such gate, if there is none.
    pub(crate) fn check(&self) -> Result<(), ChannelError> {
        self.0.check()
    }

    #[inline]
    pub(crate) fn channel(&self) -> ChannelName {
        self.0.channel()
    }

    /// How many permits it has, and how many of them somebody has. Others may change it at once.
    pub(crate) fn permits(&self) -> (u32, u32) {
        self.channel().facts().permits()
    }

    /// Whether it was made to be opened in this way.
    pub(crate) fn is_opened(&self, opened: Opened) -> bool {
        self.channel().facts().opened() == Some(opened)
    }

    /// Waits for so many permits, and takes them.
    #[inline]
    pub(crate) fn take(
        &self,
        weight: u32,
        patience: Patience,
        place: &'static Location<'static>,
    ) -> Result<Unit, ChannelError> {
        let passed = match self.pass_at_once(weight, place) {
            Some(passed) => passed,
            None => self.pass_in_turn(weight, patience, place)?,
        };
        Ok(Unit::of(self.channel(), passed))
    }

    /// Passes, if nobody waits and enough permits are free; the rest is left to [`pass_in_turn`](Gate::pass_in_turn),
    /// also to say what is wrong.
    #[inline]
    fn pass_at_once(&self, weight: u32, place: &'static Location<'static>) -> Option<Passed> {
        if !self.0.is_open() {
            return None;
        }
        actor(|actor| {
            actor.settle();
            actor.pass_at_once(self.channel(), weight, place)
        })
    }

    #[cold]
    fn pass_in_turn(
        &self,
        weight: u32,
        patience: Patience,
        place: &'static Location<'static>,
    ) -> Result<Passed, ChannelError> {
        let guard = self.taking(weight)?;
        if !matches!(patience, Patience::Not)
            && let Some(passed) = actor(|actor| actor.pass_soon(self.channel(), weight, place))
        {
            return Ok(passed);
        }
        let fired = patience.among(guard, |guards| actor(|actor| actor.offer(guards, Order::Priority, place)))?;
        settled(fired.alone(drop), patience)?;
        let unit = fired.unit().unwrap_or_else(without_unit);
        Ok(Passed::with(unit, self.channel().facts().is_abandoned()))
    }

    /// Waits until so many permits are free, and takes none.
    pub(crate) fn wait(
        &self,
        weight: u32,
        patience: Patience,
        place: &'static Location<'static>,
    ) -> Result<(), ChannelError> {
        let guard = self.waiting(weight)?;
        let fired = patience.among(guard, |guards| actor(|actor| actor.offer(guards, Order::Priority, place)))?;
        settled(fired.alone(drop), patience)
    }

    /// The guard that takes so many permits.
    pub(crate) fn taking(&self, weight: u32) -> Result<engine::Guard, ChannelError> {
        self.check()?;
        let holder = Some(actor(engine::Actor::as_holder)?);
        Ok(engine::Guard::Pass { gate: self.channel(), weight, holder })
    }

    /// The guard that fires when so many permits are free.
    pub(crate) fn waiting(&self, weight: u32) -> Result<engine::Guard, ChannelError> {
        self.check()?;
        Ok(engine::Guard::Pass { gate: self.channel(), weight, holder: None })
    }

    /// Whether it only stands for one that has arrived before.
    pub(crate) fn is_stand_in(&self) -> bool {
        self.channel() == NOWHERE
    }

    /// Changes how many permits there are. Never waits.
    pub(crate) fn change(&self, change: impl FnOnce(u32) -> u32) {
        settle();
        actor(|actor| actor.change_permits(self.channel(), change));
    }

    /// Lets in the one who waits longest for a turn. Never waits.
    pub(crate) fn notify(&self) {
        settle();
        actor(|actor| actor.notify(self.channel()));
    }
}

travels!(Gate: Handle by of_gate);

/// Permits that the process has taken. Dropped, they are given back; if a panic drops them, as abandoned.
#[derive(Debug)]
#[must_use]
pub(crate) struct Unit {
    gate: ChannelName,
    name: EndName,
    /// Somebody has had all permits and never gave them back, as it was seen when these were taken.
    is_abandoned: bool,
    /// A drop is no sign of a panic: the thread was panicking when it took them, or nothing is ever half done.
    in_panic: bool,
}

impl Unit {
    #[inline]
    fn of(gate: ChannelName, passed: Passed) -> Unit {
        Unit { gate, name: passed.unit(), is_abandoned: passed.is_abandoned, in_panic: panicking() }
    }

    pub(crate) fn new(gate: ChannelName, name: EndName) -> Unit {
        Unit::of(gate, Passed::with(name, gate.facts().is_abandoned()))
    }

    /// The same, given back in order also in a panic: nothing is half done.
    #[inline]
    pub(crate) fn without_harm(mut self) -> Unit {
        self.in_panic = true;
        self
    }

    pub(crate) fn gate(&self) -> ChannelName {
        self.gate
    }

    /// So many permits less, if anybody may add some. Never waits.
    pub(crate) fn lessen(&self, weight: u32) -> bool {
        let counting = self.gate.facts().opened() == Some(Opened::ByAnybody);
        if counting {
            actor(|actor| actor.change_permits(self.gate, |permits| permits.wrapping_sub(weight)));
        }
        counting
    }

    /// Who had all permits before and never gave them back, if nobody has dealt with that.
    #[inline]
    pub(crate) fn abandoner(&self) -> Option<(String, Cause)> {
        if self.is_abandoned { self.look_at_abandoner() } else { None }
    }

    #[cold]
    fn look_at_abandoner(&self) -> Option<(String, Cause)> {
        actor(|actor| actor.look_at_abandoner(self.gate, describe_abandoner))
    }

    /// That is dealt with.
    pub(crate) fn recover(&self) {
        actor(|actor| actor.recover(self.gate));
    }
}

impl Drop for Unit {
    #[inline]
    fn drop(&mut self) {
        let abandoned = !self.in_panic && panicking();
        actor(|actor| match abandoned {
            true => actor.close_end(self.name, Closing::Retire),
            false => actor.give_back(self.name),
        });
    }
}

#[cold]
fn without_unit() -> EndName {
    unreachable!("whoever passes a gate with a holder has a unit")
}
