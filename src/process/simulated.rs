//! A network in a simulated world: built, run under somebody's decisions, and looked at when nothing happens any more.
//!
//! Knows nothing of who decides, or of what is made of the result.

use super::children::{forget_children_of, join_children_of};
use super::deadlock::report;
use super::definition::Process;
use super::failure::NetworkError;
use super::network::Network;
use super::plan::Plan;
use super::shape::{Inner, Shape, assemble};
use super::started::run;
use crate::cause::killed_by;
use crate::channel::{DeadlockReport, MessageError, Scope};
use crate::engine::sim::{self, Ended, Limits, Record, Scheduler, World};
use crate::engine::{Closing, Member, actor};
use crate::forkserver::{Launch, STACK};
use std::cell::Cell;
use std::panic::Location;
use std::rc::Rc;

/// What can be run as a whole: a network, or one process.
pub trait Runnable: sealed::Sealed {
    /// What it returns.
    type Output: 'static;

    #[doc(hidden)]
    fn into_network(self) -> Network<Self::Output>;
}

mod sealed {
    pub trait Sealed {}
}

impl<R> sealed::Sealed for Network<R> {}
impl<R> sealed::Sealed for Process<R> {}

impl<R: 'static> Runnable for Network<R> {
    type Output = R;

    fn into_network(self) -> Network<R> {
        self
    }
}

impl<R: 'static> Runnable for Process<R> {
    type Output = R;

    fn into_network(self) -> Network<R> {
        let Process { plan, assemble } = self;
        Network { plan: Plan::Process(Box::new(plan)), shape: Shape(Inner::One), assemble }
    }
}

/// What became of a network.
#[derive(Debug)]
pub(crate) struct Simulated<R> {
    pub(crate) ended: Ended,
    /// What the network came to; nothing, if it has not ended.
    pub(crate) result: Option<Result<R, NetworkError>>,
    /// Who stands still, if not everybody has ended.
    pub(crate) standing: Option<DeadlockReport>,
    pub(crate) record: Record,
}

/// Builds a network and runs it, all of it on the calling thread, until nothing can happen any more or there were too
/// many events; `is_again` if it is the last run of the thread once more, which is to send the same bytes.
///
/// # Errors
/// There is no room for the world, or the calling thread is in one already.
pub(crate) fn simulate<R: 'static>(
    scheduler: &mut dyn Scheduler,
    events: usize,
    is_again: bool,
    place: &'static Location<'static>,
    build: impl FnOnce() -> Network<R>,
) -> Result<Simulated<R>, MessageError> {
    let limits = Limits { events, killed: killed_by(libc::SIGKILL), is_again };
    let launch = Launch::here(String::from("main"), STACK).to_bytes();
    let world = World::begin(limits, &launch)?;
    let main = world.main();
    let (scope, network) = world.as_main(|| (Scope::enter(main.index), build()));
    let result = Rc::new(Cell::new(None));
    let came = result.clone();
    let work = move || {
        let Network { plan, shape, assemble: how } = network;
        let outcome = assemble(shape, how, run(plan, place));
        came.set(Some(outcome));
        sim::network_is_over();
        scope.leave(Closing::Retire);
        let _ = actor(|actor| actor.close_held(main.index, Closing::Retire));
        join_children_of(main.index);
    };
    world.start_main(STACK, Box::new(work))?;
    let ended = sim::run(scheduler);
    let standing = matches!(ended, Ended::Stuck | Ended::LeftBehind).then(|| {
        let stuck = sim::stuck();
        world.as_main(|| report(u64::MAX, &stuck))
    });
    let result = result.take();
    let record = world.record();
    let serials: Vec<u64> = sim::members().into_iter().filter_map(Member::at).map(Member::serial).collect();
    sim::tear_down();
    world.as_main(|| serials.into_iter().for_each(forget_children_of));
    drop(world);
    Ok(Simulated { ended, result, standing, record })
}
