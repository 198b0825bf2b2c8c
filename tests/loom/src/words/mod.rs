//! The two words of the engine on which everything depends, by themselves: the files of csproc with scenarios around
//! them.
//!
//! Knows nothing of the rest of the protocol, and nothing of the arena: here each word is an object of loom. The same
//! two files are in the engine beside this module, where the words lie in the arena.

pub mod scenario;
mod sync;

// The files `lock` and `word`.
include!(concat!(env!("OUT_DIR"), "/words.rs"));
