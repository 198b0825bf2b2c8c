//! What a process says when it dies: in a model it says nothing.
//!
//! Knows nothing of how it dies.

use super::atomic::AtomicU32;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Note {
    pub(crate) word: &'static AtomicU32,
    pub(crate) overflow: u32,
    pub(crate) panic: u32,
}
