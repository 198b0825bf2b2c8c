//! The arena: one shared mapping cut into pools of slots and into blocks of bytes.
//!
//! Knows nothing of what messages mean, nor who waits for them. A slot or block is named by a small number that
//! is the same in every process; whatever is read through one is checked, for a peer may be dead or wrong.

mod area;
mod arena;
mod block;
mod cell;
mod control;
mod identity;
mod pool;
mod rows;
mod sync;
mod trace;
mod warm;

pub(crate) use area::{Area, MARGIN};
pub(crate) use arena::{Arena, ArenaError, Home, default_size, layout};
pub(crate) use block::{Block, Claimant, FATE, MARKS, NONE, is_block};
pub(crate) use cell::{Cell, Word};
pub(crate) use control::rows_asked_for;
pub(crate) use identity::{Identity, Layout, Unreadable, record};
pub(crate) use pool::{Pool, Shareable, Slot, SlotState, chunk_of_slot};
pub(crate) use rows::WORDS;
pub(crate) use trace::Trace;
pub(crate) use warm::Warmth;
