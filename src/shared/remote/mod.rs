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
//! ``` **Who is let in.** Whoever runs as the same user, as the kernel says, and knows the key. The key is not sent
//! before the user was compared, by either side. The nonce is new for each connection, so what was recorded of one lets
//! nobody in by another. There is no cryptography: nobody but the same user, and the kernel, can read what goes over
//! the socket.
//!
//! **What a stranger can cost.** A thread until a deadline, and as many of them as there may be connections; memory
//! only for bytes that have come.

mod error;
mod frame;
mod gateway;
mod hello;
mod link;
mod place;

pub use error::ServeError;
pub(super) use frame::LIMIT;
pub(super) use gateway::{Gateway, Service};
pub(super) use link::{Broken, Link};

// What the server's side says first in a frame.
/// The answer follows.
const DONE: u8 = 0;
/// The server ends; what was asked for last was not done.
const ENDS: u8 = 1;
