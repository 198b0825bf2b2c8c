//! The layer `sys` of the models: the same names as in csproc, over loom.
//!
//! Knows nothing of the protocol.

pub(crate) mod atomic;
pub(crate) mod clock;
pub(crate) mod futex;
pub(crate) mod mutant;
