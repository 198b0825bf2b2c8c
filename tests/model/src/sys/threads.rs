//! The threads of a process: in a model each process has one.
//!
//! Knows nothing of what they wait for.

pub(crate) fn current() -> u32 {
    crate::machine::me() as u32
}

pub(crate) type Rest = Vec<(u32, u64)>;

pub(crate) fn rest(_pid: u32, _known: &[u32], _at_bells: &[u32]) -> Option<Rest> {
    Some(Rest::new())
}
