//! Channels whose values hold ipc-channel ends or shared memory: the engine makes the choice, then the value travels as
//! a typed message of ipc-channel from the writer's process to the reader's.
//!
//! Knows nothing of how the engine chooses. A file descriptor cannot lie in shared memory, so such a value has to go
//! through a socket; and a socket has no rendezvous, no choice of exactly one and no withdrawal: `select` of
//! ipc-channel takes whatever has come. So the two are kept apart:
//!
//! ```text
//!        writer                                      reader
//!  1 pack    serialize the value, once, and send
//!            it into a socket of its own: the box.
//!            The box goes into the outbox under
//!            a number that is never used again.
//!            The block gets the envelope: process
//!            and number.
//!  2 offer   the block  ◄──── the engine ────►  offer an EXTENDED input
//!            commit: the word of the writer is HELD
//!  3                                             fetch: read the envelope, make a
//!                                                socket for the answer, and send its
//!                                                sending end and the number into the
//!                                                inbox of the writer's process
//!  4 the process's carrier thread takes the
//!    box out of the outbox and sends it ───────► the box is here
//!  5 HELD → SYNCED: the write is Ok ◄─────────── release
//!  6                                             receive the value out of the box
//! ```
//! The reader's process fetches the inbox of the writer's process from the process server, once, and keeps it. When
//! both are the same process, steps 3 and 4 are one look into the outbox, and neither server nor thread is needed.
//!
//! **Seen by nobody, nothing left behind.** Until step 4 the value lies in a socket of which the writer's process has
//! the only end. A write that fails, times out or loses an alternation closes it, and the kernel closes the handles
//! inside. A plain write gives its value back: an `IpcReceiver` leaves the value when it is serialized (that is how
//! ipc-channel moves it), so then the value is received out of its own box.
//!
//! **Exactly once.** The number leaves the outbox in one step under its lock, and only the one reader that was
//! committed knows it.
//!
//! **Who is killed when.** Nobody waits without being told of the other's death:
//! - *Reader killed after the commit, before the release* (in 3, 4 or 5): the reaper finds the writer's word HELD for a
//!   dead reader and makes it FAILED: the write is `Lost`. The box is still in the outbox, or it was in a socket of the
//!   dead process, and then the kernel has closed it.
//! - *Writer killed after the commit, before the answer* (in 3 or 4): the sending end of the answer is in the dead
//!   process, or in its inbox, and nowhere else: the kernel closes it, and the reader, which waits for the answer, sees
//!   the end of its socket. An inbox without a process refuses at once. The reader waits until the reaper has buried
//!   the process and knows the cause: `Lost`.
//! - *Writer killed after the answer*: the box is the reader's; the value arrives. Releasing a dead writer does
//!   nothing.
//! - *Server killed*: every process dies with it but the root. In the root the answer of the server or of the writer
//!   ends with its sender.
//! - *Either killed while it packs, receives or gives up*: its sockets go with it.
//!
//! **Nobody waits for a full socket.** A box holds one message, which is smaller than the socket's buffer: larger
//! values leave their bytes in the block, and only handles and number go through the box. So nothing is ever sent in
//! fragments, which ipc-channel cannot do without hanging when the reader dies. An answer is one message in a socket of
//! its own. An inbox is emptied by a thread that does nothing else.
//!
//! **What ipc-channel keeps for the thread** while it takes values apart is kept clean by `handles`, before and after.
//!
//! A user's `Serialize` runs before the choice and `Deserialize` after the release, so no peer ever waits for them.

mod fetch;
mod handles;
mod outbox;
mod seal;
mod staged;

pub(super) use fetch::{Arrived, fetch};
pub(crate) use staged::Staged;

use crate::engine::MemberName;
use serde::{Deserialize, Serialize};

/// How the values of a channel come from the writer's process to the reader's.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use ipc_channel::ipc::{self, IpcSender};
///
/// #[process]
/// fn answer(requests: Reader<(u32, IpcSender<u32>)>) -> csproc::Result<()> {
///     for (question, reply) in requests {
///         reply.send(question * 2)?;
///     }
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let c = Channel::builder().carrier(Carrier::Ipc).build()?;
///     let server = Spawn!(answer(c.reader()))?;
///     let w = c.writer();
///     let (reply, replies) = ipc::channel()?;
///     w.write((21, reply))?;
///     assert_eq!(replies.recv()?, 42);
///     drop(w);
///     server.join()??;
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Carrier {
    /// Through shared memory: the fastest, for values that are plain data and ends of channels of this library.
    #[default]
    Memory,
    /// As a typed message of ipc-channel, after the choice: for values that also hold `IpcSender`, `IpcReceiver`, their
    /// opaque and bytes variants, or `IpcSharedMemory`, at any depth. Up to 63 of them in one value. Only for channels
    /// without a buffer.
    ///
    /// An `IpcReceiver` moves: once a write has failed because the value itself cannot be serialized, because it holds
    /// too many handles, or because its reader died with it in hand, the receivers in the value that comes back are
    /// closed. After all other failures it is whole.
    Ipc,
}

/// What stands at the beginning of a block whose value travels beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Envelope {
    /// [`Envelope::MARK`]: a block that was meant for something else is not taken for an envelope.
    mark: u16,
    /// The operating-system process in whose outbox the value lies.
    host: MemberName,
    /// Its number there.
    number: u64,
    /// Senders and receivers in the value.
    channels: u64,
    /// The bytes of the value follow in the block, instead of lying in the box with its handles.
    bytes_in_block: bool,
}

impl Envelope {
    const MARK: u16 = 0x1c01;
}
