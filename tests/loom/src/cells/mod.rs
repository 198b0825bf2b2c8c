//! A cell by itself: the file of csproc with scenarios around it.
//!
//! Knows nothing of the arena, nor of the lock that lets one writer in: here each word is an object of loom.

mod mortal;
pub mod scenario;
mod sync;

use crate::memory::Shareable;

// The file `cell`.
include!(concat!(env!("OUT_DIR"), "/cells.rs"));
