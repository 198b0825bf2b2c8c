//! A cell beside a gate: bytes that live as long as somebody has the gate, and that its permit lets one writer change.
//!
//! Knows nothing of what happens in the cell, which takes care of itself whoever is killed ([`Cell`]).
//!
//! The block of the cell lies where a channel keeps its messages, is tagged as one of them, and goes as they do with
//! the last end of the gate. So whoever looks after messages looks after it: the reaper and the audit.
//! ```text
//!     taken      the tag of its maker
//!     kept       the tag of the channel; head := block       published
//! ```
//! Killed before it has the tag of the channel, its maker leaves a block of its own. Killed afterwards, it leaves the
//! lock of the gate, too, and [`Local::repair_buffer`] makes what has the tag and is not named its own again.
//!
//! **Who reads has no lock, but has the gate:** a handle of it, or its permit. The handles of cells are held by the
//! process of the operating system, and not by a process that is one of its threads, whose ends go with it although
//! other threads may still have the objects that stand for them:
//! ```text
//!     a process on a thread                       another thread of the program
//!     gives the object to another thread
//!     ends; its handle is closed, the cell freed
//!                                                 writes into what is somebody else's block by now  ✗
//! ```
//! So nobody looks at a cell that is gone, but a copy of the program that it has forked by itself, which holds nothing:
//! it finds that the gate is gone, by its generation, before it looks or afterwards, and throws away what it has read.

use super::local::Local;
use super::sync::{Ordering, fence};
use super::tables::Tables;
use crate::engine::{ChannelKind, ChannelName, EndName, Holder, Opened, Owner};
use crate::memory::{ArenaError, Block, Cell, NONE};

impl Tables {
    /// Looks at the cell that a gate keeps, and how many bytes it has. Not to be written to without the permit.
    #[inline]
    pub(crate) fn cell<R>(self, name: ChannelName, look: impl FnOnce(usize, Cell<'_>) -> R) -> Option<R> {
        let gate = self.channel(name).filter(|channel| channel.may_keep_a_cell())?;
        let block = gate.head.load(Ordering::Acquire);
        if block == NONE {
            return None;
        }
        let (bytes, cell) = self.arena.cell(block);
        let seen = look(bytes, cell);
        fence(Ordering::Acquire);
        self.channel(name).is_some().then_some(seen)
    }
}

impl Local {
    /// Makes a gate of one permit that keeps a cell of so many bytes, with one handle held by `holder`. `begin` writes
    /// what is in the cell.
    pub(crate) fn create_cell(
        &mut self,
        bytes: usize,
        begin: impl FnOnce(Cell<'_>),
        holder: Holder,
    ) -> Result<(ChannelName, EndName), ArenaError> {
        let tables = self.tables();
        let block = tables.arena.take_cell(bytes, self.claimant())?;
        begin(tables.arena.cell(block).1);
        let kind = ChannelKind::Gate { permits: 1, opened: Opened::ByHolders };
        self.keep(block, kind, holder)
    }

    /// Makes a gate that keeps this block, which is the caller's.
    pub(super) fn keep(
        &mut self,
        block: Block,
        kind: ChannelKind,
        holder: Holder,
    ) -> Result<(ChannelName, EndName), ArenaError> {
        let tables = self.tables();
        let (name, end) = self.create_channel("", kind, holder).inspect_err(|_| tables.free(block))?;
        match self.lock(name) {
            Some(gate) => {
                let header = tables.arena.block(block);
                header.next().store(NONE, Ordering::Relaxed);
                header.back().store(NONE, Ordering::Relaxed);
                header.set_owner(Owner::Channel(name.index).tag());
                gate.head.store(block, Ordering::Release);
                gate.length.store(1, Ordering::Release);
            }
            None => tables.free(block),
        }
        Ok((name, end))
    }
}
