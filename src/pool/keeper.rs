//! The keeper: starts the workers, and in one place the next one for each that has died or done its share.
//!
//! Knows nothing of tasks, except how one is refused. It waits for the ends of all workers and for the pool's word at
//! once. The pool goes without a word if it is dropped: the keeper then gives up what has not begun.
//!
//! Workers that die one after the other, with no task finished in between, are not replaced for ever. When none is
//! left, the keeper itself takes what comes, and refuses it with the last worker's cause of death.
//!
//! Where tasks are tried again ([`retry`](super::retry)), the workers have their work from the keeper.

use super::arm::Awaited;
use super::failure::TaskFailure;
use super::retry::{Errand, Retrying, Tray};
use super::work::{Chunk, refuse};
use super::worker::Post;
use crate::alternation::Alternation;
use crate::channel::{ChannelError, Message, Patience, Reader, Writer, duplicate};
use crate::process::ending::Ending;
use crate::process::{Child, ExitGuard, Failure, OnCrash, Options, Placement, Process, StartError, part, process};
use serde::{Deserialize, Serialize};
use std::panic::Location;
use std::thread::sleep;
use std::time::Duration;

/// More crashes in a row, without a finished task, are too many; so many for each try.
const BORNE: u32 = 5;
/// After which it is looked again whether there is memory for an alternation.
const PAUSE: Duration = Duration::from_millis(1);

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
    /// So often is work tried again whose worker has died, if it is, and where it comes.
    pub(super) retries: Option<(u32, Reader<Chunk>)>,
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

fn keep<I: Message + 'static, S: 'static>(mut keeping: Keeping<I>) -> Option<Failure> {
    let retries = keeping.retries.as_ref().map_or(0, |(times, _)| *times);
    let mut keeper = Keeper {
        retrying: keeping.retries.take().map(|(times, work)| Retrying::new(times, work)),
        borne: BORNE.saturating_mul(retries.saturating_add(1)),
        keeping,
        hire: Post::worker::<S>,
        hands: Vec::new(),
        hired: 0,
        crashes: 0,
        last: None,
        order: None,
    };
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
    /// By which it has its work, where tasks are tried again.
    tray: Option<Tray>,
}

/// What has happened.
enum Happened {
    /// This worker has ended.
    Exit(usize),
    /// The pool has said something, or is gone.
    Said(Order),
    /// This worker has answered what it had.
    Free(usize),
    /// Work has come, or the end of it.
    Came(Result<Errand<()>, TaskFailure>),
    Nothing,
}

struct Keeper<I> {
    keeping: Keeping<I>,
    retrying: Option<Retrying>,
    /// So many crashes in a row are not too many.
    borne: u32,
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
            if let Some(retrying) = &mut self.retrying {
                retrying.hand_out(self.hands.iter_mut().filter_map(|hand| hand.tray.as_mut()));
            }
            match self.wait() {
                Happened::Said(order) => self.follow(order),
                Happened::Exit(place) => {
                    self.part_with(place);
                    self.hire_all();
                }
                Happened::Free(place) => self.hands[place].tray.iter_mut().for_each(Tray::clear),
                Happened::Came(work) => {
                    if let Some(retrying) = &mut self.retrying {
                        retrying.came(work);
                    }
                }
                Happened::Nothing => sleep(PAUSE),
            }
        }
        // Too many have died: what is there, and what comes, is not done.
        let failure = self.last.take().filter(|_| self.crashes > self.borne)?;
        if let Some(retrying) = self.retrying.take() {
            retrying.refuse_all(&TaskFailure::of_worker(&failure, 0));
            return Some(failure);
        }
        while let Ok(message) = self.keeping.post.work.read_packet(Patience::ForEver, Location::caller()) {
            refuse(&message, TaskFailure::of_worker(&failure, 0));
        }
        Some(failure)
    }

    fn wait(&self) -> Happened {
        let at_work: Vec<_> = self.at_work().map(|(place, tray)| (place, Awaited(&tray.free))).collect();
        let listening =
            self.retrying.as_ref().filter(|retrying| retrying.listens() && at_work.len() < self.hands.len());
        let work = listening.map(|retrying| Awaited(&retrying.errands));
        let mut alternation = Alternation::new();
        let orders = self.order.is_none().then(|| alternation.read(&self.keeping.orders));
        let exits: Vec<_> = self.hands.iter().map(|hand| alternation.guard(&hand.exit)).collect();
        let free: Vec<_> = at_work.iter().map(|(_, free)| alternation.guard(free)).collect();
        let work = work.as_ref().map(|work| alternation.guard(work));
        let fired = match alternation.pri_select() {
            Ok(fired) => fired,
            Err(ChannelError::Invalid(_)) if self.retrying.is_some() => return Happened::Nothing,
            // Without memory for an alternation they are waited for one after the other.
            Err(ChannelError::Invalid(_)) => return Happened::Exit(0),
            Err(_) => return Happened::Said(Order::Cancel),
        };
        if let Some(place) = exits.iter().position(|exit| exit.index() == fired.index()) {
            return Happened::Exit(place);
        }
        if let Some(place) = free.iter().position(|free| free.index() == fired.index()) {
            return Happened::Free(at_work[place].0);
        }
        match (work, orders) {
            (Some(work), _) if work.index() == fired.index() => Happened::Came(fired.take(work)),
            (_, orders) => Happened::Said(orders.map_or(Order::Cancel, |orders| fired.take(orders))),
        }
    }

    /// The workers that have work from here, by their places.
    fn at_work(&self) -> impl Iterator<Item = (usize, &Tray)> {
        let trays = self.hands.iter().enumerate().filter_map(|(place, hand)| Some((place, hand.tray.as_ref()?)));
        trays.filter(|(_, tray)| tray.is_full())
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
            self.retrying.iter_mut().for_each(|retrying| retrying.cancel());
        }
    }

    /// A worker has ended, or is waited for now.
    fn part_with(&mut self, place: usize) {
        let Hand { child, tray, .. } = self.hands.swap_remove(place);
        let failure = child.join().err().map(|error| error.failures().first().cloned());
        if let Some((retrying, tray)) = self.retrying.as_mut().zip(tray) {
            retrying.take_back(tray, failure.as_ref().and_then(Option::as_ref));
        }
        if let Some(failure) = failure {
            self.note(failure);
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
        while self.hands.len() < self.wanted() && self.crashes <= self.borne {
            match self.hire_one() {
                Ok(hand) => self.hands.push(hand),
                Err(failure) => self.note(Some(failure)),
            }
        }
    }

    fn wanted(&self) -> usize {
        let Keeping { workers, post, .. } = &self.keeping;
        let busy = match &self.retrying {
            Some(retrying) => retrying.len() + self.at_work().count(),
            None => self.hands.len(),
        };
        match self.order {
            None if post.work.is_open() => *workers,
            // Those who are there may be at work for long.
            Some(Order::Finish) => (busy + post.work.len()).min(*workers),
            _ => 0,
        }
    }

    fn hire_one(&mut self) -> Result<Hand, Failure> {
        let name = format!("{}[{}]", self.keeping.name, self.hired);
        self.hired += 1;
        let refused = |error| Failure::not_started(&name, StartError::Arguments(error));
        let mut post = duplicate(&self.keeping.post).map_err(refused)?;
        let mut tray = None;
        if self.retrying.is_some() {
            let (own, work, free) = Tray::new().map_err(refused)?;
            (post.work, post.free, tray) = (work, Some(free), Some(own));
        }
        let child = part((self.hire)(post, name.clone(), self.keeping.placement)).spawn().map_err(|error| {
            error.failures().first().cloned().unwrap_or_else(|| {
                unreachable!("`{name}` was not started, and nobody says why");
            })
        })?;
        let exit = child.exit_guard();
        Ok(Hand { child, exit, tray })
    }
}
