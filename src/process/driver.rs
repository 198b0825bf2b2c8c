//! A thread that drives a part of a network: one step after the other, or one process again and again.
//!
//! Knows nothing of what it drives.

use super::attempt::Current;
use super::awaited::DrivenPart;
use super::failure::{Failure, Outcome};
use super::running::{Aside, on_thread};
use super::start_error::StartError;
use crate::channel::{Channel, Reader};
use crate::forkserver::text_of;
use std::panic::Location;
use std::sync::{Arc, Weak};

/// A thread that drives a part of a network.
#[derive(Debug)]
pub(super) struct Driver {
    thread: Aside<Vec<Outcome>>,
    /// Of a channel that retires when the thread has ended.
    pub(super) end: Reader<()>,
    /// The process that it keeps alive.
    pub(super) current: Option<Current>,
    /// The processes whose outcomes it brings.
    names: Vec<String>,
    /// Gone with the thread.
    at_work: Weak<()>,
    started_at: &'static Location<'static>,
}

impl Driver {
    pub(super) fn start(
        name: &str,
        current: Option<Current>,
        names: Vec<String>,
        started_at: &'static Location<'static>,
        work: impl FnOnce() -> Vec<Outcome> + Send + 'static,
    ) -> std::io::Result<Driver> {
        let over = Channel::<()>::new();
        over.id().0.tells_of_an_end();
        let (running, end) = (over.writer(), over.reader());
        let busy = Arc::new(());
        let at_work = Arc::downgrade(&busy);
        let thread = on_thread(name, move || {
            let _busy = busy;
            let outcomes = work();
            drop(running);
            outcomes
        })?;
        Ok(Driver { thread, end, current, names, at_work, started_at })
    }

    /// What is to be said of it while somebody waits for it.
    pub(super) fn awaited(&self) -> DrivenPart {
        let (names, current) = (self.names.clone(), self.current.clone());
        DrivenPart { names, current, at_work: self.at_work.clone(), started_at: self.started_at }
    }

    /// Whether its processes have ended.
    pub(super) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// The outcomes of its processes; what it panicked of, if it did.
    pub(super) fn join(self) -> Vec<Outcome> {
        match self.thread.join() {
            Ok(outcomes) => outcomes,
            Err(panic) => {
                let reason = text_of(&*panic);
                let failed = |process| {
                    let source = StartError::Starter { reason: reason.clone() };
                    Outcome::Failed(Failure::Start { process, source })
                };
                self.names.into_iter().map(failed).collect()
            }
        }
    }
}
