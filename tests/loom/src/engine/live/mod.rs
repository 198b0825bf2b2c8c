//! The two words of the engine on which everything depends, and the only door that they have: the files of csproc.
//!
//! Knows nothing of the rest of the protocol.

#[path = "../../../../../src/engine/live/lock.rs"]
mod lock;
pub mod scenario;
#[path = "../../../../../src/engine/live/sync.rs"]
mod sync;
#[path = "../../../../../src/engine/live/word.rs"]
mod word;
