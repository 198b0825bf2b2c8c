//! A network in a simulated world: built, run under somebody's decisions, and looked at when nothing happens any more.
//! In the place of a network there may be the body of a test, which the main process runs.
//!
//! Knows nothing of who decides, or of what is made of the result.

use super::children::{forget_children_of, join_children_of};
use super::deadlock::report;
use super::definition::Process;
use super::failure::{Failure, NetworkError};
use super::network::Network;
use super::part::Part;
use super::shape::assemble;
use super::started::run;
use crate::cause::{Cause, killed_by};
use crate::channel::{DeadlockReport, MessageError, Scope};
use crate::engine::sim::{self, Ended, Limits, Purpose, Record, Scheduler, World};
use crate::engine::{Closing, MemberName, actor};
use crate::forkserver::{Launch, STACK, record_panics_of, told_by, untold};
use crate::trace::LastEvents;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;

/// What the main process is called.
pub(super) const MAIN: &str = "main";

/// What can be run as a whole: a network, or one process.
pub trait Runnable: sealed::Sealed {
    /// What it returns.
    type Output: 'static;

    #[doc(hidden)]
    fn into_work(self) -> Work<Self::Output>;
}

/// What the main process does.
#[derive(Debug)]
pub struct Work<R>(pub(super) Main<R>);

#[derive(Debug)]
pub(super) enum Main<R> {
    Network(Network<R>),
    Body(Body<R>),
}

/// The body of a test: the main process calls it.
pub(crate) struct Body<R> {
    pub(super) body: fn() -> R,
    is_heard: bool,
}

impl<R> Body<R> {
    /// Whether what panics says so on standard error, as it would elsewhere.
    pub(crate) fn new(body: fn() -> R, is_heard: bool) -> Body<R> {
        Body { body, is_heard }
    }
}

impl<R> fmt::Debug for Body<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}

mod sealed {
    pub trait Sealed {}
}

impl<R> sealed::Sealed for Network<R> {}
impl<R> sealed::Sealed for Process<R> {}
impl<R> sealed::Sealed for Body<R> {}

impl<R: 'static> Runnable for Network<R> {
    type Output = R;

    fn into_work(self) -> Work<R> {
        Work(Main::Network(self))
    }
}

impl<R: 'static> Runnable for Process<R> {
    type Output = R;

    fn into_work(self) -> Work<R> {
        Work(Main::Network(self.network()))
    }
}

impl<R: 'static> Runnable for Body<R> {
    type Output = R;

    fn into_work(self) -> Work<R> {
        Work(Main::Body(self))
    }
}

/// What became of a network, or of the body of a test.
#[derive(Debug)]
pub(crate) struct Simulated<R> {
    pub(crate) ended: Ended,
    /// What the network came to; nothing, if it has not ended.
    pub(crate) result: Option<Result<R, NetworkError>>,
    /// It was the body of a test: what that panicked of, if it did.
    pub(crate) body: Option<Option<Failure>>,
    /// Who stands still, if not everybody has ended.
    pub(crate) standing: Option<DeadlockReport>,
    pub(crate) record: Record,
}

/// Builds a network and runs it, all of it on the calling thread, until nothing can happen any more or there were too
/// many events.
///
/// # Errors
/// There is no room for the world, or the calling thread is in one already.
pub(crate) fn simulate<R: 'static>(
    scheduler: &mut dyn Scheduler,
    events: usize,
    purpose: Purpose,
    place: &'static Location<'static>,
    build: impl FnOnce() -> Work<R>,
) -> Result<Simulated<R>, MessageError> {
    let limits = Limits { events, killed: killed_by(libc::SIGKILL), purpose };
    let world = Launch::here(MAIN, STACK, |launch| World::begin(limits, launch))?;
    let main = world.main();
    let (scope, Work(what)) = world.as_main(|| (Scope::enter(main.index), build()));
    let is_heard = matches!(what, Main::Network(_) | Main::Body(Body { is_heard: true, .. }));
    let is_body = matches!(what, Main::Body(_));
    let ending = Rc::new((Cell::new(None), Cell::new(None)));
    let to_be_told = ending.clone();
    let work = move || {
        let (came, failed) = &*to_be_told;
        match what {
            Main::Network(Network { plan, shape, assemble: how }) => {
                came.set(Some(assemble(shape, how, run(plan, place))));
            }
            Main::Body(Body { body, .. }) => match caught(main, body) {
                Ok(result) => came.set(Some(Ok(result))),
                Err(failure) => failed.set(Some(failure)),
            },
        }
        sim::network_is_over();
        scope.leave(Closing::Retire);
        let _ = actor(|actor| actor.close_held(main.index, Closing::Retire));
        join_children_of(main.index);
    };
    world.start_main(STACK, Box::new(work))?;
    let ended = if is_heard { sim::run(scheduler) } else { untold(|| sim::run(scheduler)) };
    let standing = matches!(ended, Ended::Stuck | Ended::LeftBehind).then(|| {
        let stuck = sim::stuck();
        world.as_main(|| report(u64::MAX, &stuck))
    });
    // Whoever is brought to an end afterwards comes to nothing.
    let (result, body) = (ending.0.take(), is_body.then(|| ending.1.take()));
    let record = world.record();
    let serials = sim::serials();
    sim::tear_down();
    world.as_main(|| serials.into_iter().for_each(forget_children_of));
    drop(world);
    Ok(Simulated { ended, result, body, standing, record })
}

/// What the body of a test returns, or what it panics of.
fn caught<R>(main: MemberName, body: fn() -> R) -> Result<R, Failure> {
    record_panics_of(main.index, || catch_unwind(AssertUnwindSafe(body))).map_err(|payload| {
        if sim::is_end(&*payload) {
            resume_unwind(payload);
        }
        let (message, location) = told_by(&*payload);
        let cause = Cause::Panicked { message, location };
        Failure::Crashed { process: String::from(MAIN), cause, restarts: 0, last_events: LastEvents::default() }
    })
}
