//! The extended rendezvous: a writer that goes on only when its reader has finished with the message (occam-π's `??`).
//!
//! Knows nothing of what the reader does meanwhile. Between the commit and the release the writer's word is HELD; it
//! names the block that the reader will keep until the release, so the reaper can tell whose turn it was.
//!
//! ```text
//!  the writer waits, the reader comes:   reader syncs the writer's word WAITING → HELD(spare block of the reader)
//!  the reader waits, the writer comes:   writer puts its own word IDLE → HELD(its message),
//!                                        writes its number into the message,
//!                                        syncs the reader's word WAITING → SYNCED(message); stale: its own word → IDLE
//!  release:                              reader CAS HELD → SYNCED or FAILED, and wakes the writer in any case
//! ```
//! The writer's word is HELD before the reader can run, so the release always finds it. The release names the whole
//! word it expects (generation, block): a writer that died, or whose context belongs to somebody else by now, is not
//! touched.
//!
//! **Killed half-way.** A reader that dies before the release leaves a HELD word with a block that carries the dead
//! reader's tag, or that the dead reader's word names. The reaper makes it FAILED. A reader that ends while it lives on
//! (it has forgotten the message) does the same for itself.

use super::context::Context;
use super::local::{Local, keeps_messages};
use super::park::Waited;
use super::reaper::Corpse;
use super::sync::{Ordering, mutant};
use super::tables::Owner;
use super::word::{Phase, Snapshot, Sync};
use crate::engine::{Fate, Fired, Held};
use crate::memory::Block;

/// Who left an extended rendezvous before its end, and whether by crashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    pub(crate) member: u32,
    pub(crate) crashed: bool,
}

impl Local {
    /// The commit of an extended rendezvous, from either side.
    pub(super) fn sync_extended(&mut self, partner: &Context, guard: u16, giving: Block, output: bool) -> Sync {
        if !output {
            return self.insist(|| partner.word.sync_held(guard, giving));
        }
        self.tables().arena.block(giving).back().store(self.index + 1, Ordering::Relaxed);
        self.context.hold(giving);
        let sync = self.insist(|| partner.word.sync(guard, giving));
        if sync == Sync::Stale {
            self.context.word.idle();
        }
        sync
    }

    /// Reader that came second: its writer is held.
    pub(super) fn held_by_commit(&self, number: u32, writer: &Context) -> Option<Held> {
        let word = writer.word.read();
        (word.phase() == Phase::Held).then(|| Held { context: number, word: word.raw() })
    }

    /// Reader that waited: the message says who is held.
    pub(super) fn held_by_message(&self, block: Block) -> Option<Held> {
        let tables = self.tables();
        let number = tables.arena.block(block).back().swap(0, Ordering::Relaxed).checked_sub(1)?;
        let word = tables.contexts.get(number)?.word.read();
        let mine = word.phase() == Phase::Held && word.block() == block;
        mine.then(|| Held { context: number, word: word.raw() })
    }

    /// Reader: lets the writer go on, with the reason if it did not finish.
    pub(crate) fn release(&mut self, held: Held, unfinished: Option<Unfinished>) {
        let Some(context) = self.tables().contexts.get(held.context) else { return };
        let word = Snapshot::from_raw(held.word);
        if context.word.read() != word {
            return;
        }
        if let Some(Unfinished { member, crashed }) = unfinished {
            self.tables().hold_member(member);
            self.set_verdict(context, (member + 1) << 1 | u32::from(crashed));
        }
        if context.word.release(word, unfinished.is_none()) && !mutant!("a release wakes nobody") {
            context.word.wake();
        }
    }

    /// Who abandoned the owner of a context is kept with it, so that it can be named: until somebody else does, or the
    /// context is given back.
    pub(super) fn set_verdict(&mut self, context: &Context, verdict: u32) {
        let before = context.verdict.swap(verdict, Ordering::AcqRel);
        if let Some(member) = (before >> 1).checked_sub(1) {
            self.release_member(member);
        }
    }

    /// Writer that came second and has committed: waits until its reader is done.
    #[cold]
    pub(super) fn wait_for_release(&mut self, fired: Fired) -> Fired {
        let allowance = self.allowance();
        let failed = match self.wait_until_synced(allowance, None) {
            Waited::Synced(now) => now.phase() == Phase::Failed,
            // There is no deadline to withdraw at.
            Waited::Withdrawn => false,
        };
        if !failed {
            self.context.word.idle();
            return fired;
        }
        if let Ok(spare) = fired.outcome {
            self.keep_block(spare);
        }
        self.abandoned(fired.index)
    }

    /// Writer: its word is FAILED.
    pub(super) fn abandoned(&self, index: usize) -> Fired {
        let verdict = self.context.verdict.load(Ordering::Acquire);
        self.context.word.idle();
        let fate = Fate::Abandoned { member: (verdict >> 1).saturating_sub(1), crashed: verdict & 1 == 1 };
        Fired { index, outcome: Err(fate), held: None }
    }

    /// Reader whose process or thread ends: writers that wait for a message which it has forgotten.
    pub(crate) fn abandon_writers(&mut self, crashed: bool) {
        if !keeps_messages() {
            return;
        }
        let member = self.context.member.load(Ordering::Acquire).checked_sub(1);
        let member = member.or_else(|| self.context.host.load(Ordering::Acquire).checked_sub(1));
        let unfinished = Unfinished { member: member.unwrap_or(0), crashed };
        let mine = self.owner();
        let tables = self.tables();
        self.release_held(|word| (tables.arena.block(word.block()).owner() == mine).then_some(unfinished));
    }

    /// Reaper: writers that wait for a dead reader.
    pub(super) fn release_held_by(&mut self, corpses: &[Corpse], host: u32) {
        let tables = self.tables();
        self.release_held(|word| {
            let owner = tables.arena.block(word.block()).owner();
            let mut corpses = corpses.iter();
            corpses
                .find(|corpse| {
                    owner == Owner::Context(corpse.index).tag()
                        || (corpse.word.names_block() && corpse.word.block() == word.block())
                })
                .map(|corpse| corpse.unfinished(tables, host))
        });
    }

    /// Releases every writer that is held and for whose word `reader` names somebody who will not finish.
    fn release_held(&mut self, reader: impl Fn(Snapshot) -> Option<Unfinished>) {
        for (number, _, context) in self.tables().contexts.taken() {
            let word = context.word.read();
            if word.phase() == Phase::Held
                && let Some(unfinished) = reader(word)
            {
                self.release(Held { context: number, word: word.raw() }, Some(unfinished));
            }
        }
    }
}
