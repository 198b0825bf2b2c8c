//! The keeper: starts the workers, and in one place the next one for each that has died or done its share.
//!
//! Knows nothing of tasks, except how one is refused. It waits for the ends of all workers and for the pool's word at
//! once. The pool goes without a word if it is dropped: the keeper then gives up what has not begun.
//!
//! Workers that die one after the other, with no task finished in between, are not replaced for ever. When none is
//! left, the keeper itself takes what comes, and refuses it with the last worker's cause of death.

use super::failure::TaskFailure;
use super::work::refuse;
use super::worker::Post;
use crate::alternation::Alternation;
use crate::channel::{ChannelError, Message, MessageError, Patience, Reader, Writer, duplicate};
use crate::process::ending::Ending;
use crate::process::{Child, ExitGuard, Failure, OnCrash, Options, Placement, Process, StartError, part, process};
use serde::{Deserialize, Serialize};
use std::panic::Location;

/// More crashes in a row, without a finished task, are too many.
const BORNE: u32 = 5;

/// How a pool comes to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Order {
    /// Everything that was given is done.
    Finish,
    /// What has begun is done. A pool that is gone without a word means this.
    Cancel,
    /// Nothing more is done.
    Kill,
}

/// What a keeper is given.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "I: Message", deserialize = "I: Message"))]
pub(super) struct Keeping<I> {
    pub(super) orders: Reader<Order>,
    /// Where it says that all workers are there, or why not.
    pub(super) ready: Writer<Option<Failure>>,
    /// Whether somebody has finished a task since it was last read.
    pub(super) finished: Reader<()>,
    pub(super) name: String,
    pub(super) placement: Placement,
    pub(super) workers: usize,
    pub(super) post: Post<I>,
}

impl<I: Message + 'static> Keeping<I> {
    /// Somebody who takes it. It ends when all workers have ended, and gives the reason if it could not go on before.
    pub(super) fn keeper<S: 'static>(self) -> Process<Option<Failure>> {
        let name = format!("{}: keeper", self.name);
        let options = Options { name: "keeper", placement: Placement::Thread, on_crash: OnCrash::Poison };
        process(options, self, keep::<I, S>, |_| Ending::Normal).named(name)
    }
}

fn keep<I: Message + 'static, S: 'static>(keeping: Keeping<I>) -> Option<Failure> {
    let mut keeper =
        Keeper { keeping, hire: Post::worker::<S>, hands: Vec::new(), hired: 0, crashes: 0, last: None, order: None };
    keeper.hire_all();
    let refusal = keeper.last.take().filter(|_| keeper.hands.len() < keeper.keeping.workers);
    if refusal.is_some() {
        keeper.follow(Order::Kill);
    }
    // Whoever makes the pool waits for it; or is gone.
    let _ = keeper.keeping.ready.write(refusal);
    keeper.serve()
}

/// A worker at work.
struct Hand {
    child: Child<()>,
    exit: ExitGuard,
}

/// What has happened.
enum Happened {
    /// This worker has ended.
    Exit(usize),
    /// The pool has said something, or is gone.
    Said(Order),
}

struct Keeper<I> {
    keeping: Keeping<I>,
    /// Makes a worker.
    hire: fn(Post<I>, String, Placement) -> Process<()>,
    hands: Vec<Hand>,
    /// How many workers there ever were.
    hired: usize,
    /// In a row, without a finished task.
    crashes: u32,
    /// How the last worker failed that did.
    last: Option<Failure>,
    order: Option<Order>,
}

impl<I: Message + 'static> Keeper<I> {
    fn serve(mut self) -> Option<Failure> {
        while !self.hands.is_empty() {
            match self.wait() {
                Happened::Said(order) => self.follow(order),
                Happened::Exit(place) => {
                    self.part_with(place);
                    self.hire_all();
                }
            }
        }
        // Too many have died: what is there, and what comes, is not done.
        let failure = self.last.take().filter(|_| self.crashes > BORNE)?;
        while let Ok(message) = self.keeping.post.work.read_packet(Patience::ForEver, Location::caller()) {
            refuse(&message, lost(&failure));
        }
        Some(failure)
    }

    fn wait(&self) -> Happened {
        let mut alternation = Alternation::new();
        let orders = self.order.is_none().then(|| alternation.read(&self.keeping.orders));
        let places: Vec<_> = self.hands.iter().map(|hand| alternation.guard(&hand.exit)).collect();
        match alternation.pri_select() {
            Ok(fired) => match places.iter().position(|place| place.index() == fired.index()) {
                Some(place) => Happened::Exit(place),
                None => Happened::Said(orders.map_or(Order::Cancel, |orders| fired.take(orders))),
            },
            // Without memory for an alternation they are waited for one after the other.
            Err(ChannelError::Invalid(_)) => Happened::Exit(0),
            Err(_) => Happened::Said(Order::Cancel),
        }
    }

    fn follow(&mut self, order: Order) {
        self.order = Some(order);
        if order == Order::Kill {
            // Those on threads end when they have done what they do; of those that are gone there is nothing to kill.
            self.hands.iter().for_each(|hand| drop(hand.child.kill()));
        }
        if order != Order::Finish {
            // Whoever has given it is told by the end of its channel.
            while self.keeping.post.work.read_packet(Patience::Not, Location::caller()).is_ok() {}
        }
    }

    /// A worker has ended, or is waited for now.
    fn part_with(&mut self, place: usize) {
        let Hand { child, .. } = self.hands.swap_remove(place);
        if let Err(error) = child.join() {
            self.note(error.failures().first().cloned());
        }
    }

    fn note(&mut self, failure: Option<Failure>) {
        if self.keeping.finished.try_read().is_ok() {
            self.crashes = 0;
        }
        self.crashes += 1;
        self.last = failure;
    }

    /// Starts workers in the place of those that have ended, as long as there may be something to do.
    fn hire_all(&mut self) {
        while self.hands.len() < self.wanted() && self.crashes <= BORNE {
            match self.hire_one() {
                Ok(hand) => self.hands.push(hand),
                Err(failure) => self.note(Some(failure)),
            }
        }
    }

    fn wanted(&self) -> usize {
        let Keeping { workers, post, .. } = &self.keeping;
        match self.order {
            None if post.work.is_open() => *workers,
            // Those who are there may be at work for long.
            Some(Order::Finish) => (self.hands.len() + post.work.len()).min(*workers),
            _ => 0,
        }
    }

    fn hire_one(&mut self) -> Result<Hand, Failure> {
        let name = format!("{}[{}]", self.keeping.name, self.hired);
        self.hired += 1;
        let post =
            duplicate(&self.keeping.post).map_err(|error| Failure::not_started(&name, StartError::Arguments(error)))?;
        let child = part((self.hire)(post, name.clone(), self.keeping.placement)).spawn().map_err(|error| {
            error.failures().first().cloned().unwrap_or_else(|| {
                unreachable!("`{name}` was not started, and nobody says why");
            })
        })?;
        let exit = child.exit_guard();
        Ok(Hand { child, exit })
    }
}

/// What a failure of the last worker means for those tasks that nobody has begun.
fn lost(failure: &Failure) -> TaskFailure {
    match failure {
        Failure::Crashed { process, cause, .. } => {
            TaskFailure::Lost { process: process.clone(), cause: cause.clone(), attempts: 0 }
        }
        other => TaskFailure::Invalid(MessageError::System { reason: other.to_string() }),
    }
}
