//! Names of blocks, without the blocks.
//!
//! Knows nothing of memory.

pub(crate) type Block = u32;

pub(crate) const NONE: Block = 0;
