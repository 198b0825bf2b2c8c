//! A network of real processes that does what a simulated run of it has done.
//!
//! Knows nothing of how it is driven. The calling thread is the main process, as a process on a thread is; whoever
//! drives has a thread of its own.

use super::children::{forget_children_of, join_children_of};
use super::failure::NetworkError;
use super::network::Network;
use super::shape::assemble;
use super::simulated::{Body, MAIN, Main, Work};
use super::started::run;
use crate::channel::Scope;
use crate::engine::drive::{Conductor, Parting, begin_main, is_end};
use crate::engine::sim::{Ended, Record};
use crate::engine::{Actor, Closing, Member, MemberName, Phase, actor, along};
use crate::forkserver::{self, Launch, STACK};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::Arc;

/// What became of it.
#[derive(Debug)]
pub(crate) struct Driven<R> {
    /// What the network came to; nothing, if it was ended.
    pub(crate) result: Option<Result<R, NetworkError>>,
    /// Where it did something else.
    pub(crate) parting: Option<Parting>,
}

/// Builds a network and runs it by the script of a simulated run, which has ended in this way.
///
/// # Errors
/// There is no room for what is needed to drive it.
///
/// # Panics
/// As the closure does.
pub(crate) fn drive<R>(
    record: &Arc<Record>,
    ended: Ended,
    place: &'static Location<'static>,
    build: impl FnOnce() -> Work<R>,
) -> Result<Driven<R>, String> {
    let made = Launch::here(MAIN, STACK, |launch| actor(|actor| actor.create_process(true, launch)));
    let made = made.map_err(|error| error.to_string())?;
    made.member.set_pid(std::process::id());
    made.member.enter(Phase::Running);
    let leaving = Leaving { name: made.name, slot: made.member };
    actor(|actor| actor.as_another(|| play(&leaving, record, ended, place, build)))
}

/// As the main process, which is of this name.
fn play<R>(
    main: &Leaving,
    record: &Arc<Record>,
    ended: Ended,
    place: &'static Location<'static>,
    build: impl FnOnce() -> Work<R>,
) -> Result<Driven<R>, String> {
    let name = main.name;
    let scope = Scope::enter(name.index);
    let (conductor, _kept) = Conductor::new(record.clone(), name, kill).map_err(|error| error.to_string())?;
    let thread = std::thread::Builder::new().name(String::from("conductor"));
    let play = move || {
        // Whoever looks for deadlocks need not think that it could act.
        actor(Actor::stand_aside);
        conductor.play(ended)
    };
    let conductor = thread.spawn(along(play)).map_err(|error| error.to_string())?;
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let Work(what) = build();
        begin_main();
        let came = match what {
            Main::Network(Network { plan, shape, assemble: how }) => Some(assemble(shape, how, run(plan, place))),
            Main::Body(Body { body, .. }) => Some(Ok(body())),
        };
        scope.leave(Closing::Retire);
        let _ = actor(|actor| actor.close_held(name.index, Closing::Retire));
        join_children_of(name.index);
        came
    }));
    actor(|actor| actor.end_if_driven(None));
    let parting = conductor.join().unwrap_or_else(|payload| resume_unwind(payload)).err();
    match ran {
        Ok(result) => Ok(Driven { result, parting }),
        Err(payload) if is_end(&*payload) => Ok(Driven { result: None, parting }),
        Err(payload) => resume_unwind(payload),
    }
}

fn kill(member: MemberName) {
    // One that is gone already needs no signal.
    let _ = forkserver::kill(member, libc::SIGKILL);
}

/// The main process leaves when it is dropped, whatever it has not closed.
#[derive(Debug)]
struct Leaving {
    name: MemberName,
    slot: &'static Member,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        forget_children_of(self.slot.serial());
        let _ = actor(|actor| actor.close_held(self.name.index, Closing::Retire));
        self.slot.enter(Phase::Returned);
        actor(|actor| actor.leave(self.name, self.slot));
        actor(|actor| actor.disown(self.name));
    }
}
