//! The layer `sys` of the models: the same names as in csproc, over the machine of the checker.
//!
//! Knows nothing of channels or processes in the CSP sense.

pub(crate) mod atomic;
pub(crate) mod clock;
pub(crate) mod cpu;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod lasting;
pub(crate) mod leaving;
pub(crate) mod map;
pub(crate) mod threads;
