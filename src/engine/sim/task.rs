//! A task: what runs as one coroutine, and what it waits for.
//!
//! Knows nothing of channels. A task is a process, or the side of a process that drives a sequence or a supervision.

use super::super::actor::Actor;
use super::super::{ChannelName, Closing, Direction, EndName, Fired, Guard, MemberName, Order};
use super::coroutine::Coroutine;
use super::decision::Choice;
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::Arc;

/// What is offered, and has not come to anything.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) guards: Vec<Guard>,
    pub(super) order: Order,
    pub(super) place: &'static Location<'static>,
    /// How often time had passed when it was made: one that was made before the last time is surely waiting.
    pub(super) epoch: u32,
    /// It has a `skip` beside other guards, and so never waits.
    pub(super) polls: bool,
}

impl Offer {
    /// The numbers of its guards, in the order in which they are looked at; in a random order any of them may be first.
    pub(super) fn order_of_guards(&self) -> impl Iterator<Item = usize> + use<> {
        let count = self.guards.len();
        let first = match self.order {
            Order::From(first) => first % count,
            Order::Priority | Order::Random => 0,
        };
        (first..count).chain(0..first)
    }
}

/// What a task does.
#[derive(Debug)]
pub(super) enum State {
    /// It may go on, with what its offer came to.
    Ready(Option<Fired>),
    /// It runs now.
    Running,
    Offered(Offer),
    /// It has written, and its reader has not finished an extended rendezvous: with the number of the guard, the
    /// reader, and the number of this wait.
    Held {
        guard: usize,
        reader: u32,
        wait: u64,
        place: &'static Location<'static>,
    },
    /// It has come to its end.
    Over,
}

/// Something that a task has done and that others will notice.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effect {
    Close(EndName, Closing),
    Poison(ChannelName, Direction),
    EndWriting(ChannelName),
    /// The process is over.
    Leave(MemberName),
}

/// One coroutine.
#[derive(Debug)]
pub(super) struct Task {
    /// The process that it is, or that it does something for.
    pub(super) member: MemberName,
    pub(super) name: Arc<str>,
    /// Whether it is the process itself.
    pub(super) is_process: bool,
    /// The member that started it.
    pub(super) parent: u32,
    pub(super) state: State,
    pub(super) effects: VecDeque<Effect>,
    /// It is to go on only to come to its end.
    pub(super) is_killed: bool,
    /// It does so by this panic.
    pub(super) panics: Option<String>,
    pub(super) has_panicked: bool,
    /// It has not come yet, whatever it offers.
    pub(super) is_late: bool,
    /// Away while it runs.
    pub(super) coroutine: Option<Coroutine>,
    pub(super) actor: Option<Box<Actor>>,
    pub(super) waits: u64,
    /// Where it made its last offer.
    pub(super) place: Option<&'static Location<'static>>,
    /// How many offers it has made.
    pub(super) offers: u64,
    /// What it could do when that was looked at last.
    pub(super) options: Vec<Choice>,
    /// Something has changed since then.
    pub(super) is_stirred: bool,
    /// The room of its last offer, for the next one.
    pub(super) guards: Vec<Guard>,
}

/// The rooms of a task that is over, for the next one.
#[derive(Debug)]
pub(super) struct Rooms {
    effects: VecDeque<Effect>,
    actor: Box<Actor>,
    options: Vec<Choice>,
    guards: Vec<Guard>,
}

impl Task {
    pub(super) fn new(member: MemberName, name: Arc<str>, is_process: bool, parent: u32, rooms: Rooms) -> Task {
        let Rooms { effects, actor, options, guards } = rooms;
        Task {
            member,
            name,
            is_process,
            parent,
            state: State::Ready(None),
            effects,
            is_killed: false,
            panics: None,
            has_panicked: false,
            is_late: false,
            coroutine: None,
            actor: Some(actor),
            waits: 0,
            place: None,
            offers: 0,
            options,
            is_stirred: true,
            guards,
        }
    }

    /// It is gone with its world.
    pub(super) fn into_rooms(self) -> Rooms {
        let Task { mut effects, actor, mut options, mut guards, .. } = self;
        effects.clear();
        options.clear();
        guards.clear();
        let actor = actor.unwrap_or_else(|| Box::new(Actor::new()));
        actor.renew();
        Rooms { effects, actor, options, guards }
    }

    /// What it waits for has come.
    pub(super) fn go_on(&mut self, with: Option<Fired>) {
        if let State::Offered(offer) = std::mem::replace(&mut self.state, State::Ready(with)) {
            self.guards = offer.guards;
        }
    }

    /// What it offers, as far as others can answer it: what it has done before takes effect first.
    pub(super) fn offer(&self) -> Option<&Offer> {
        match &self.state {
            State::Offered(offer) if self.effects.is_empty() && !self.is_late => Some(offer),
            _ => None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }
}

impl Default for Rooms {
    fn default() -> Rooms {
        Rooms { effects: VecDeque::new(), actor: Box::new(Actor::new()), options: Vec::new(), guards: Vec::new() }
    }
}
