//! `Undertaker`: who undoes what dead processes had begun.
//!
//! Knows nothing of how a death becomes known. The process server is one; when the server itself is dead, the program
//! is, and begins with what the server has left half done.

use super::live::{Local, Member, bury};
use super::{ArenaError, MemberName, tables};
use std::collections::BTreeSet;

/// A context that never waits for the dead, and does not count as active.
#[derive(Debug)]
pub(crate) struct Undertaker(Local);

impl Undertaker {
    /// # Errors
    /// There is no room for its context.
    pub(crate) fn new() -> Result<Undertaker, ArenaError> {
        Local::for_reaper(tables()).map(Undertaker)
    }

    /// The operating-system process that is this member has died: undoes what it and its threads had begun, and tells
    /// the living.
    pub(crate) fn bury(&mut self, host: u32) {
        bury(&mut self.0, host);
    }

    /// The processes of the operating system, without `own`, that somebody has begun and nobody has buried to the end:
    /// whoever buried them before may have died over it.
    pub(crate) fn unburied(&self, own: u32) -> BTreeSet<u32> {
        self.0.tables().unburied(own)
    }

    /// A process could not be started: gives up what it was given.
    pub(crate) fn leave(&mut self, name: MemberName, member: &Member) {
        self.0.leave(name.index, member);
    }
}
