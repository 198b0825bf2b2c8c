//! Typed channels: `Channel<T>` and its two ends, over the engine's untyped ones.
//!
//! Knows nothing of processes, except that a thread may act for one (`process_scope`). A value becomes bytes in a block
//! that the writer owns, the engine hands the block to a reader, and the reader makes a value of it: nothing is copied
//! in between.

mod ask;
mod barrier;
mod builder;
mod call;
mod carrier;
mod codec;
mod deadlock;
mod end;
mod error;
mod extended;
mod flat;
mod format;
mod function;
#[cfg(feature = "async")]
mod future;
mod gate;
mod iteration;
mod lending;
#[cfg(feature = "async")]
mod lending_async;
mod outgoing;
mod pages;
mod parcel;
mod plain;
mod process_scope;
mod reader;
mod travel;
mod writer;

pub use ask::{ask, channel};
pub use barrier::Barrier;
pub use builder::{Buffer, Builder, Channel};

pub(crate) use call::{Call, CallChannel, Callee, Caller};
pub use carrier::Carrier;
pub use codec::Message;
#[cfg(feature = "testing")]
pub(crate) use codec::decode_copy;
pub(crate) use codec::{decode, decode_head, decode_once, encode, encode_once};
pub use deadlock::{BlockedProcess, DeadlockReport, WaitsFor};
pub use end::{ChannelEnd, ChannelId};
pub(crate) use end::{End, Patience, label};
pub use error::{ChannelError, MessageError, WriteError};
pub use extended::{Extended, Hold};
pub use flat::{Flat, Loan, View};
pub(crate) use function::{ImageFn, Words, told, words};
#[cfg(feature = "async")]
pub use future::{ReadAsync, WriteAsync};
pub(crate) use gate::{Gate, Unit};
pub use iteration::{IntoIter, Iter, ReadResults};
pub(crate) use lending::check_lends;
#[cfg(feature = "async")]
pub use lending_async::{ReadLoanAsync, SendAsync};
pub(crate) use outgoing::Outgoing;
pub(crate) use pages::Pages;
pub(crate) use parcel::{Parcel, describe_ends, duplicate};
pub use plain::Plain;
pub(crate) use process_scope::{Scope, failed, notice, settle};
pub use reader::Reader;
pub(crate) use travel::Ticket;
pub use writer::Writer;
