//! The live engine: rendezvous and alternation between threads and processes over the arena.
//!
//! Knows nothing of message types, of serialization, or of how processes come to be. It takes Go's `selectgo` to shared
//! memory: lock the guarded channels in order, look for a partner, commit with one compare-and-swap on the partner's
//! word, or else queue up everywhere and wait on the own word. What is new is that any participant may be killed at any
//! instruction; the files say step by step what the reaper finds then and what it does about it:
//!
//! Each file can be read after those that it imports:
//!
//! - `word`: the state word, and what a commit does to it; `lock`: a channel's lock
//! - the records, words that others may read: `context`, a thread or future that can wait, with its table of offers;
//!   `channel`, fate, counts, and two queues, and where its ends are; `end`, one counted end; `member`, a
//!   process as others see it
//! - `tables`: worlds, the pools of these records; `queue`: offers in tables and queues; `host`: this process of the
//!   operating system; `life`: the slots of members; `references`: who keeps them
//! - `local`: what a thread keeps for itself; `locked`: a channel under its lock; `holding`: ends made, moved and
//!   closed
//! - `short`: messages that need no block; `commit`: the commit; `number`: which one came before which; `buffer`:
//!   messages at rest; `pairing`: two offers become one communication
//! - `spin`, `wait`, `bell`: spinning, sleeping, and ringing; `offer`: the call itself; `single`: the same for one
//!   message; `task`: the same for a future
//! - `extended`: the extended rendezvous; `barrier`: several parties at once; `gate`: permits; `unit`: how they come to
//!   somebody and back; `cell`: bytes beside a gate; `area`: many of them, for one who writes or several who read;
//!   `tasks`: messages that are done with later; `reaper`: death
//! - `ring`: the last events of a context; `notes`: what is left for whoever records them; `recordings`: rings taken
//!   and read; `recorder`: what is written into them, and when
//! - `stand`, `driven`: somebody whose offers are made when somebody else says so (feature `testing`)
//! - `process`, `facts`: what the layers above may ask; `reading`: a view of everything; `audit`: what does not fit

mod area;
mod audit;
mod barrier;
mod bell;
mod buffer;
mod cell;
mod channel;
mod commit;
mod context;
#[cfg(feature = "testing")]
mod driven;
mod end;
mod estate;
mod extended;
mod facts;
mod gate;
mod holding;
mod host;
mod inventory;
mod life;
mod local;
mod lock;
mod locked;
mod maybe;
mod member;
mod notes;
mod number;
mod offer;
mod pairing;
mod process;
mod queue;
mod reach;
mod reading;
mod reaper;
mod recorder;
mod recordings;
mod references;
mod ring;
mod short;
mod single;
mod spin;
#[cfg(feature = "testing")]
mod stand;
mod sync;
mod tables;
#[cfg_attr(not(feature = "async"), expect(dead_code, reason = "only futures wait in this way"))]
mod task;
mod tasks;
#[cfg(test)]
mod tests;
mod unit;
mod wait;
mod word;

pub(crate) use audit::Census;
#[cfg(feature = "async")]
pub(crate) use bell::Bell;
#[cfg(feature = "testing")]
pub(in crate::engine) use driven::Came;
pub(crate) use facts::ChannelFacts;
pub(crate) use host::{become_foreign, become_server, is_foreign};
pub(crate) use local::Local;
pub(crate) use member::{Member, Phase, Role};
pub(crate) use process::{Functions, NewProcess, Record};
pub(crate) use reaper::bury;
pub(crate) use ring::Recording;
pub(crate) use single::Met;
#[cfg(feature = "testing")]
pub(in crate::engine) use stand::{Baton, Said, Stand, Told};
pub(crate) use tables::Tables;
#[cfg(feature = "async")]
pub(crate) use task::{Task, Watch, Withdrawn};
pub(crate) use unit::Passed;
