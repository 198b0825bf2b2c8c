//! Whether a process is dead: whether it was killed or has ended, in this execution.
//!
//! Knows nothing of what it left behind.

pub(crate) fn is_dead(pid: u32) -> bool {
    crate::machine::is_dead(pid)
}
