//! What leads from one program to another on the same machine: a socket that one of them serves and others call.
//!
//! Knows nothing of objects: a request is bytes, and a [`Service`] gives bytes back.
//!
//! ```text
//! client                                   server
//! Link::call ── connect ─────────────────► Gateway: a thread for each connection
//!            ◄─ who is there ─────────────  both ask the kernel for the user at the other end
//!            ◄─ version, instance, nonce ─
//!            ── version, nonce, key ─────►  compared in constant time
//!            ◄─ admitted ────────────────
//!            ── frame: request ──────────►  Service::answer
//!            ◄─ frame: answer ────────────  and so on, one request at a time
//! ```
//! **Who is let in.** Whoever runs as the same user, as the kernel says, and knows the key. The key is not sent
//! before the user was compared, by either side. The nonce is new for each connection, so what was recorded of one lets
//! nobody in by another. There is no cryptography: nobody but the same user, and the kernel, can read what goes over
//! the socket.
//!
//! **What a stranger can cost.** A thread until a deadline, and as many of them as there may be connections; memory
//! only for bytes that have come.
//!
//! **What must not be lost** is held until the client says that it has it ([`Held`]). The client says so with a frame,
//! and goes on only if the kernel has taken that.
//! ```text
//! client                                   server
//! waits                 ◄── HELD, bytes ─  has it in hand, and reads
//! TAKEN ── accepted ───────────────────►  taken: gone here, had there
//!
//! dies before TAKEN ── end of stream ──►  not taken: it is here again
//! dies behind TAKEN ───────────────────►  TAKEN stands before the end of the stream: it is gone with the client
//!                                          ends: shuts the stream for reading, and reads what came before
//! TAKEN ── refused: not had, told ──✗     not taken: it is here again
//! ```
//! Of a shut stream the kernel takes no byte, and what it took before is read before the end; both happen under the
//! lock of the socket. So the two sides know alike whether it was taken, and it is never in two places. Only when the
//! server's process is killed with it in hand, it is gone: with the object that it came from, unless that belongs to
//! another process.

mod asks;
mod departed;
mod error;
mod frame;
mod gateway;
mod hello;
mod line;
mod link;
mod place;

pub(super) use asks::{Asks, fits};
pub use error::ServeError;
pub(super) use error::refuse_in_simulation;
pub(super) use gateway::{Gateway, Service};
pub(super) use line::{Held, Line, Reply};
pub(super) use link::{Answer, Broken, Link};

// What the server's side says first in a frame.
/// The answer follows.
const DONE: u8 = 0;
/// The server ends; what was asked for last was not done.
const ENDS: u8 = 1;
/// The answer follows, and the client is to say that it has it.
const HELD: u8 = 2;

/// What a client says then, alone in a frame.
const TAKEN: u8 = 3;
