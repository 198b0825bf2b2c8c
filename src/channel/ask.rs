//! Request and reply: a question that carries the writing end for its answer.
//!
//! Knows nothing of who answers. Two channels and two operations, no more; what is gained is one deadline for both.

use super::error::ChannelError;
use super::{Buffer, Channel, Message, Reader, Writer};
use crate::engine::now;
use std::time::Duration;

/// A new rendezvous channel, by its two ends.
///
/// As `Channel::new()` with one `writer()` and one `reader()`, for channels that need no more of either.
///
/// # Poison and retire
/// The channel retires for the reader when the writer and all its clones are gone, and the other way round.
///
/// # Examples
/// ```
/// let (w, r) = csproc::channel::<String>();
/// let writer = std::thread::spawn(move || w.write("hello".to_string()).is_ok());
/// assert_eq!(r.read()?, "hello");
/// assert!(writer.join().unwrap());
/// assert!(r.read().unwrap_err().is_retired());
/// # Ok::<(), csproc::Error>(())
/// ```
#[must_use]
pub fn channel<T>() -> (Writer<T>, Reader<T>) {
    ends_of(Channel::new())
}

fn ends_of<T>(channel: Channel<T>) -> (Writer<T>, Reader<T>) {
    (channel.writer(), channel.reader())
}

/// Asks a server, and waits for its answer.
///
/// `request` is given the writing end of a new channel for the answer, and puts it into the request. The server writes
/// into it once; it never waits for whoever has asked. `timeout` covers both the writing of the request and the waiting
/// for the answer.
///
/// # Blocking
/// Waits until the server has taken the request and has answered, at most for `timeout`.
///
/// # Errors
/// [`TimedOut`](ChannelError::TimedOut) when the time is up; the server may still work on the request.
/// [`Retired`](ChannelError::Retired) when nobody is left to take the request, or the server has dropped the writing
/// end without an answer. [`Lost`](ChannelError::Lost) when the server died, before it took the request or with the
/// writing end in hand: at once, not when the time is up. [`Invalid`](ChannelError::Invalid) when the request or the
/// answer cannot be a message.
///
/// # Poison and retire
/// A server that poisons the channel of the answer, or ends with poison while it holds the writing end, gives
/// [`Poisoned`](ChannelError::Poisoned); so does a poisoned channel of requests. When the time is up the reading end of
/// the answer is gone, and a server that answers later sees [`Retired`](ChannelError::Retired), which it may ignore.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use std::time::Duration;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Square {
///     of: u64,
///     reply: Writer<u64>,
/// }
///
/// #[process]
/// fn server(requests: Reader<Square>) -> csproc::Result<()> {
///     for request in requests.results() {
///         let Square { of, reply } = request?;
///         // Whoever has asked may have given up.
///         let _ = reply.write(of * of);
///     }
///     Ok(())
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (requests, r) = csproc::channel();
///     let server = Spawn!(server(r))?;
///     let answer = csproc::ask(&requests, |reply| Square { of: 12, reply }, Duration::from_secs(60))?;
///     assert_eq!(answer, 144);
///     drop(requests);
///     server.join()??;
///     Ok(())
/// }
/// ```
#[track_caller]
pub fn ask<Q: Message, R: Message>(
    server: &Writer<Q>,
    request: impl FnOnce(Writer<R>) -> Q,
    timeout: Duration,
) -> Result<R, ChannelError> {
    let (reply, answer) = ends_of(Channel::buffered(Buffer::Fifo(1)));
    let request = request(reply);
    // A time that the clock cannot express is no limit.
    match now().checked_add(timeout) {
        Some(deadline) => {
            server.write_deadline(request, deadline)?;
            answer.read_deadline(deadline)
        }
        None => {
            server.write(request)?;
            answer.read()
        }
    }
}
