//! Thin safe wrappers over the operating system: futexes, shared mappings, fork, signals, clocks.
//!
//! Nothing here knows of channels or of processes in the CSP sense. This is where `unsafe` lives; every
//! other file that opens it is listed in the architecture page, and a test holds that list.

pub(crate) mod atomic;
pub(crate) mod clock;
pub(crate) mod command;
pub(crate) mod cpu;
pub(crate) mod credentials;
pub(crate) mod exit;
pub(crate) mod fork;
pub(crate) mod futex;
pub(crate) mod hearing;
pub(crate) mod image;
pub(crate) mod last_words;
pub(crate) mod lasting;
pub(crate) mod leaving;
pub(crate) mod map;
pub(crate) mod quietly;
pub(crate) mod segment;
pub(crate) mod semaphore;
pub(crate) mod signal;
pub(crate) mod standard;
pub(crate) mod sysv;
pub(crate) mod threads;
