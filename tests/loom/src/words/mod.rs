//! The two words of the engine on which everything depends, by themselves: the files of csproc with scenarios around
//! them.
//!
//! Knows nothing of the rest of the protocol, and nothing of the arena: here each word is an object of loom.

#[path = "../../../../src/engine/live/lock.rs"]
mod lock;
pub mod scenario;
mod sync;
#[path = "../../../../src/engine/live/word.rs"]
mod word;
