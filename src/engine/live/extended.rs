//! The extended rendezvous: a writer that goes on only when its reader has finished with the message (occam-π's `??`).
//!
//! Knows nothing of what the reader does meanwhile. Between the commit and the release the writer's word is EXTENDED;
//! it names the block that the reader will keep until the release, so the reaper can tell whose turn it was.
//!
//! ```text
//!  the writer waits,   reader commits the writer's word WAITING → EXTENDED(spare block of the reader)
//!  the reader comes
//!  the reader waits,   writer puts its own word IDLE → EXTENDED(its message), writes its number into the message, and
//!  the writer comes    commits the reader's word WAITING → COMMITTED(message); stale: its own word → IDLE
//!  release             reader CAS EXTENDED → COMMITTED or FAILED, and wakes the writer in any case
//! ```
//! The writer's word is EXTENDED before the reader can run, so the release always finds it. The release names the whole
//! word it expects (generation, block): a writer that died, or whose context belongs to somebody else by now, is not
//! touched.
//!
//! **A reply** goes with the release. The reader names a block of its own in the word, in the place of the one that
//! stands there, as a commit does: it is the writer's from then on, by the word until the writer has tagged it.
//!
//! ```text
//!  the writer waited   EXTENDED(spare block of the reader) → COMMITTED(reply); the spare block, which has the
//!                      reader's tag still, stays the reader's
//!  the reader waited   EXTENDED(the writer's message) → COMMITTED(reply); the spare block is the writer's since the
//!                      exchange, and the message the reader's
//! ```
//! If the writer is dead, the release fails and the reply stays the reader's; if nobody has buried it yet, the reply
//! is named in its word, and is buried with it.
//!
//! **Killed half-way.** A reader that dies before the release leaves an EXTENDED word with a block that carries the
//! dead reader's tag, or that the dead reader's word names. The reaper makes it FAILED. A reader that ends while it
//! lives on (it has forgotten the message) does the same for itself.

use super::context::Context;
use super::local::Local;
use super::reaper::Corpse;
use super::sync::Ordering;
use super::word::{Attempt, Snapshot, State};
use crate::engine::{ExtendedWriter, Fate, Fired, Owner, Unfinished};
use crate::memory::Block;

impl Local {
    /// Writer that came second: commits an extended reader, and is held from before the commit until the release.
    /// From a buffered channel nobody is held.
    pub(super) fn commit_extended_reader(
        &mut self,
        reader: &Context,
        guard: u16,
        giving: Block,
        buffered: bool,
    ) -> Attempt {
        let back = self.tables().arena.block(giving).back();
        if buffered {
            back.store(0, Ordering::Relaxed);
            return self.insist(|| reader.word.commit(guard, giving));
        }
        back.store(self.index + 1, Ordering::Relaxed);
        self.context.lend(giving);
        let attempt = self.insist(|| reader.word.commit(guard, giving));
        if attempt == Attempt::Stale {
            self.context.word.idle();
        }
        attempt
    }

    /// Reader that came second: its writer is held.
    pub(super) fn held_by_commit(&self, number: u32, writer: &Context) -> Option<ExtendedWriter> {
        let word = writer.word.read();
        (word.state() == State::Extended).then(|| ExtendedWriter { context: number, word: word.raw() })
    }

    /// Reader that waited: the message says who is held.
    pub(super) fn held_by_message(&self, block: Block) -> Option<ExtendedWriter> {
        let tables = self.tables();
        let number = tables.arena.block(block).back().swap(0, Ordering::Relaxed).checked_sub(1)?;
        let word = tables.contexts.get(number)?.word.read();
        let mine = word.state() == State::Extended && word.block() == block;
        mine.then(|| ExtendedWriter { context: number, word: word.raw() })
    }

    /// Reader: lets the writer go on, with the reason if it did not finish.
    pub(crate) fn release(&mut self, held: ExtendedWriter, unfinished: Option<Unfinished>) {
        let Some(context) = self.tables().contexts.get(held.context) else { return };
        let word = Snapshot::from_raw(held.word);
        if context.word.read() != word {
            return;
        }
        if let Some(Unfinished { member, crashed }) = unfinished {
            self.retain_member(member);
            self.set_verdict(context, (member + 1) << 1 | u32::from(crashed));
        }
        // Its owner is held, and keeps it with what the commit gave.
        context.number.fetch_max(self.context.number(), Ordering::Relaxed);
        if context.word.release(word, unfinished.is_none()) {
            context.wake(self.tables());
        }
    }

    /// Reader: lets the writer go on with a reply. `false` if it is gone; then the reply is the caller's still.
    pub(crate) fn release_with(&mut self, held: ExtendedWriter, reply: Block) -> bool {
        let Some(context) = self.tables().contexts.get(held.context) else { return false };
        let word = Snapshot::from_raw(held.word);
        context.number.fetch_max(self.context.number(), Ordering::Relaxed);
        if !context.word.reply(word, reply) {
            return false;
        }
        if word.names_block() {
            self.keep_block(word.block());
        }
        context.wake(self.tables());
        true
    }

    /// Who abandoned the owner of a context is kept with it, so that it can be named: until somebody else does, or the
    /// context is given back.
    pub(super) fn set_verdict(&mut self, context: &Context, verdict: u32) {
        if context.verdict.load(Ordering::Acquire) != 0 {
            self.open_count();
        }
        let before = context.verdict.swap(verdict, Ordering::AcqRel);
        if let Some(member) = (before >> 1).checked_sub(1) {
            self.release_member(member);
        }
        self.close_count();
    }

    /// Writer: its reader is done, or has failed to finish, as the word says; `fired` holds the block that the reader
    /// gave in the exchange. A reply takes its place.
    pub(super) fn released(&mut self, fired: Fired, now: Snapshot) -> Fired {
        let verdict = self.context.verdict.load(Ordering::Acquire);
        let failed = now.state() == State::Failed;
        let reply = (!failed && now.names_block()).then(|| now.block());
        if let Some(reply) = reply {
            self.received(reply);
        }
        self.context.word.idle();
        let outcome = match reply {
            _ if failed => Err(Fate::Abandoned { member: (verdict >> 1).saturating_sub(1), crashed: verdict & 1 == 1 }),
            Some(reply) => Ok(reply),
            None => return fired,
        };
        if let Ok(spare) = fired.outcome {
            self.keep_block(spare);
        }
        Fired { outcome, ..fired }
    }

    /// Reader whose process or thread ends: writers that wait for a message which it has forgotten.
    pub(crate) fn abandon_writers(&mut self, crashed: bool) {
        if self.keeps == 0 {
            return;
        }
        let member = self.context.member.load(Ordering::Acquire);
        let member = member.or_else(|| self.context.host.load(Ordering::Acquire));
        let unfinished = Unfinished { member: member.unwrap_or(0), crashed };
        let mine = Owner::Context(self.index);
        let tables = self.tables();
        self.release_held(|word| (tables.holder_of(word) == Some(mine)).then_some(unfinished));
    }

    /// Reaper: writers that wait for a dead reader.
    pub(super) fn release_held_by(&mut self, corpses: &[Corpse], host: u32) {
        let tables = self.tables();
        self.release_held(|word| {
            let holder = tables.holder_of(word);
            let is_its = |corpse: &&Corpse| {
                holder == Some(Owner::Context(corpse.index))
                    || corpse.word.names_block() && corpse.word.block() == word.block()
            };
            corpses.iter().find(is_its).map(|corpse| corpse.unfinished(tables, host))
        });
    }

    /// Releases every writer that is held and for whose word `reader` names somebody who will not finish.
    fn release_held(&mut self, reader: impl Fn(Snapshot) -> Option<Unfinished>) {
        for (number, _, context) in self.tables().contexts.taken() {
            let word = context.word.read();
            if word.state() == State::Extended
                && let Some(unfinished) = reader(word)
            {
                self.release(ExtendedWriter { context: number, word: word.raw() }, Some(unfinished));
            }
        }
    }
}
