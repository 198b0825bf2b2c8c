//! The live engine: rendezvous and alternation between threads and processes over the arena.
//!
//! Knows nothing of message types, of serialization, or of how processes come to be. It takes Go's `selectgo` to shared
//! memory: lock the guarded channels in order, look for a partner, commit with one compare-and-swap on the partner's
//! word, or else queue up everywhere and wait on the own word. What is new is that any participant may be killed at any
//! instruction; the files say step by step what the reaper finds then and what it does about it:
//!
//! - `word`: the state word, and the commit
//! - `context`: one per thread that can wait, with its table of offers
//! - `channel`: fate, counts, and two queues; `lock`, `locked`: its lock; `end`: the ends that are counted
//! - `offer`: the call itself; `pairing`: two offers become one communication; `wait`: spinning and sleeping
//! - `number`: which communication came before which
//! - `buffer`: messages at rest; `extended`: the extended rendezvous; `barrier`: several parties at once
//! - `local`: what a thread keeps for itself; `host`: this process of the operating system
//! - `member`: processes as others see them; `process`: the same for the layers above; `reaper`: death
//! - `facts`: what the layers above may ask by name; `reading`: a view of everything; `audit`: what does not fit

mod audit;
mod barrier;
mod buffer;
mod channel;
mod context;
mod end;
mod extended;
mod facts;
mod host;
mod local;
mod lock;
mod locked;
mod member;
mod number;
mod offer;
mod pairing;
mod process;
mod reach;
mod reading;
mod reaper;
mod sync;
mod tables;
#[cfg(test)]
mod tests;
mod wait;
mod word;

pub(crate) use audit::Census;
pub(crate) use facts::ChannelFacts;
pub(crate) use host::{become_foreign, become_server, is_foreign};
pub(crate) use local::Local;
pub(crate) use member::{Member, Phase, Role};
pub(crate) use process::{Functions, NewProcess, Record};
pub(crate) use reaper::bury;
pub(crate) use tables::Tables;
#[cfg(feature = "async")]
pub(crate) use wait::{Bell, Task, Watch, Withdrawn};
