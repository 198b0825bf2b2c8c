//! Alternation, buffers, extended rendezvous and barriers keep their laws, between processes and between threads alike.
//!
//! Knows nothing of how processes are started and buried, nor of channels without choice; that is tested beside this,
//! in `tests/process` and `tests/channel`. Cases that other systems have are named after theirs.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod barriers;
mod changing;
mod cppcsp;
mod crossbeam;
mod crossbeam_select;
mod flat;
mod go;
mod go_runtime;
mod go_select;
mod heap;
mod jcsp;
mod laws;
mod model;
mod policy;
mod pycsp;
#[macro_use]
mod rounds;
mod stress;
mod time;
