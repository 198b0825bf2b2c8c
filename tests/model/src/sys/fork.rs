//! Whether a process is dead: whether it was killed or has ended, in this execution.
//!
//! Knows nothing of what it left behind.

use crate::checker::Checker;
use crate::machine::Machine;

pub(crate) fn is_dead(pid: u32) -> bool {
    Checker::is_dead(pid)
}
