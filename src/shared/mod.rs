//! What Python's `multiprocessing` calls queues and pipes, made of channels: objects that processes share by having
//! them.
//!
//! Knows nothing of how processes run; an object is a [`Message`](crate::Message), and whoever has it uses it.
//!
//! A channel has two sides, and ends with either of them. Here are shapes of it for those who think in other words: a
//! [`pipe`](fn@pipe) is two channels, one for each direction, with an end of both on either side.
//!
//! # What is sure
//! A message is sent or it is not, whoever is killed at whichever instruction. What was sent is in shared memory: it
//! needs no thread to deliver it, and it outlives its sender. Nobody waits for a process that is dead.
//!
//! # Examples
//! ```
//! use csproc::prelude::*;
//!
//! #[process]
//! fn double(asker: PipeEnd<i32, i32>) -> csproc::Result<()> {
//!     while let Ok(number) = asker.recv() {
//!         asker.send(2 * number)?;
//!     }
//!     Ok(())
//! }
//!
//! fn main() -> csproc::Result<()> {
//!     let (mine, theirs) = pipe::<i32, i32>();
//!     let child = Spawn!(double(theirs))?;
//!     mine.send(21)?;
//!     assert_eq!(mine.recv()?, 42);
//!     mine.close();
//!     child.join()??;
//!     Ok(())
//! }
//! ```

mod pipe;

pub use pipe::{PipeEnd, pipe, pipe_with, simplex};
