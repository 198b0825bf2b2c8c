//! The layer `sys` of the models: the same names as in csproc, over loom.
//!
//! Knows nothing of the protocol.

pub(crate) mod atomic;
pub(crate) mod clock;
#[path = "../../../model/src/sys/cpu.rs"]
pub(crate) mod cpu;
#[path = "../../../model/src/sys/fork.rs"]
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod known;
#[path = "../../../model/src/sys/lasting.rs"]
pub(crate) mod lasting;
#[path = "../../../model/src/sys/leaving.rs"]
pub(crate) mod leaving;
#[path = "../../../model/src/sys/map.rs"]
pub(crate) mod map;
pub(crate) mod object;
#[path = "../../../model/src/sys/threads.rs"]
pub(crate) mod threads;

pub(crate) fn yield_now() {
    crate::checker::give_way();
}
