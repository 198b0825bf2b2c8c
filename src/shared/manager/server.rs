//! The process of a manager: begins the objects, each as a process on a thread of its own, and ends them.
//!
//! Knows nothing of their types. Who wants one sends the function that begins it, and calls the object itself
//! afterwards; so a maker that takes its time, or panics, holds nobody up here.

use super::error::CallError;
use crate::channel::{CallChannel, Callee, ImageFn};
use crate::engine::NAME_LIMIT;
use crate::process::{Child, Process, Spawn, current};
use crate::sys::image::Takes;
use csproc_macros::process;

/// A process for an object that others call by this channel.
pub(super) type Begins = Takes<Callee, Process<()>>;

/// Begins objects until its manager is gone, and then ends them: calls in progress are finished, others are not begun.
#[process(crate = crate)]
pub(super) fn server(calls: Callee) {
    let mut objects = Objects { name: String::from(current().name()), begun: 0, alive: Vec::new(), look_at: 0 };
    while let Ok(mut call) = calls.accept::<ImageFn<Begins>>() {
        let ImageFn(begin) = call.header;
        match call.argument::<(String, CallChannel)>() {
            Ok((kind, channel)) => call.answer(&objects.begin(begin, &kind, channel)),
            Err(error) => call.refuse(error),
        }
    }
    drop(calls);
    objects.end();
}

struct Objects {
    /// That of the manager.
    name: String,
    /// How many there were.
    begun: u64,
    alive: Vec<Object>,
    /// With so many it looks which are gone.
    look_at: usize,
}

struct Object {
    calls: CallChannel,
    process: Child<()>,
}

impl Objects {
    fn begin(&mut self, begin: fn(Callee) -> Process<()>, kind: &str, calls: CallChannel) -> Result<(), CallError> {
        self.forget_those_that_are_gone();
        self.begun += 1;
        let name = format!("{}: {kind} {}", self.name, self.begun);
        calls.end().call(&name[..name.floor_char_boundary(NAME_LIMIT)])?;
        let process = (begin(calls.callee()).named(name),).spawn().map_err(|error| CallError::of_start(&error))?;
        self.alive.push(Object { calls, process });
        Ok(())
    }

    /// Looks only when there are twice as many as were left the last time: so each costs the same.
    fn forget_those_that_are_gone(&mut self) {
        /// Fewer are kept.
        const FEW: usize = 64;
        if self.alive.len() >= self.look_at.max(FEW) {
            self.alive.extract_if(.., |object| object.process.is_finished()).for_each(Object::join);
            self.look_at = 2 * self.alive.len();
        }
    }

    fn end(self) {
        self.alive.iter().for_each(|object| object.calls.end().end_writing());
        self.alive.into_iter().for_each(Object::join);
    }
}

impl Object {
    /// Those who have called it were told of a crash.
    fn join(self) {
        drop(self.process.join());
    }
}
