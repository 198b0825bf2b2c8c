//! Bridges: foreign channels and file descriptors as guards of an alternation.
//!
//! Knows nothing of processes, nor of how an alternation chooses.
//!
//! A [`Bridge`] stands wherever a [`Reader`](crate::Reader) does that only reads: `v = bridge.read() => …` in
//! [`AltSelect!`](crate::AltSelect), [`PriSelect!`](crate::PriSelect) and [`FairSelect!`](crate::FairSelect),
//! [`guard`](crate::Alternation::guard) of an [`Alternation`](crate::Alternation), or by itself. It leads to
//!
//! | made by | what it reads | a message |
//! |---|---|---|
//! | [`ipc`] | [`IpcReceiver`] | a value |
#![cfg_attr(feature = "crossbeam", doc = "| [`crossbeam`] | [`crossbeam_channel::Receiver`] | a value |")]
//! | [`readable`] | anything that has a file descriptor | `()`: reading would not wait |
//! | `bridge` of a [`MessageQueue`](super::sysv) | a queue of the kernel | bytes and their kind |
//! | `bridge` of a [`Semaphore`](super::sysv) of the kernel | its permits | a permit |
//! | [`toolkit::signal`](super::toolkit) | Ctrl-C and other signals | which signal came |
//!
//! # What is kept
//! A message is taken from the other side only when its guard has fired: nothing is fetched ahead, so back-pressure
//! reaches the foreign sender as if there were no bridge, and nothing is lost or doubled when another guard wins. If
//! somebody else takes the message between the look and the taking, the alternation goes on.
//!
//! # What it costs
//! An alternation looks at the other side itself. Only when there is nothing does it engage a thread of the bridge,
//! which sleeps until something is there. That thread is made once, sleeps without a deadline, and has ended when the
//! bridge has been dropped. (For a queue of the kernel, which nobody can wait for beside other things, it looks again
//! every 5 milliseconds at least.)
//!
//! # What differs from a channel of this crate
//! The other side does not see that an alternation waits. So a foreign sender that gives up at once (`try_send`) never
//! meets an alternation over a crossbeam channel without capacity; one that waits does. A bridge belongs to one thread
//! at a time, and cannot be sent to another process.
//!
//! # Examples
//! ```
//! use csproc::{bridge, prelude::*};
//!
//! let c = Channel::new();
//! let (w, own) = (c.writer(), c.reader());
//! let (sender, receiver) = ipc_channel::ipc::channel()?;
//! let foreign = bridge::ipc(receiver)?;
//!
//! let writer = std::thread::spawn(move || {
//!     (w.write(1).unwrap(), sender.send(20).unwrap());
//!     w // Dropped here, it would retire its channel, and that is an event for `own.read()`, too.
//! });
//! let mut sum = 0;
//! for _ in 0..2 {
//!     AltSelect! {
//!         v = own.read() => sum += v,
//!         v = foreign.read() if sum > 0 => sum += v,
//!     }?;
//! }
//! assert_eq!(sum, 21);
//! drop(writer.join());
//! assert!(foreign.read().unwrap_err().is_retired());
//! # Ok::<(), csproc::Error>(())
//! ```

mod arm;
mod bell;
#[cfg(feature = "crossbeam")]
mod crossbeam;
mod descriptor;
mod end;
mod ipc;
mod passage;
mod source;
mod watcher;

#[doc(hidden)]
pub use arm::BridgeArm;
#[cfg(feature = "crossbeam")]
pub use crossbeam::Crossbeam;
pub use descriptor::{Descriptor, Readable};
pub(crate) use descriptor::{is_readable, lookout, read_when_readable};
pub use end::{Bridge, IntoIter, Iter};
pub use ipc::Ipc;
pub use source::Source;
pub(crate) use source::{Lookout, Sealed};

use ipc_channel::ipc::IpcReceiver;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::os::fd::AsFd;

/// A bridge to the receiving end of an ipc-channel: to programs that speak plain `IpcSender`.
///
/// When the last sender is gone and everything is read, reading fails with [`Retired`](crate::ChannelError::Retired). A
/// message that is no `T` is taken and reported as [`Invalid`](crate::ChannelError::Invalid). A message that brings
/// descriptors (ends of channels, shared memory) for which the process has no room is
/// [`Invalid`](crate::ChannelError::Invalid), too, but stays: it can be read once there is room. What a sender leaves
/// half sent when it dies is skipped, and other senders go on. A message above about 200 KiB comes in pieces; once the
/// first one is there, reading waits for the rest of it.
///
/// # Errors
/// The descriptor of the receiver, without which it cannot be waited for together with others, could not be obtained.
/// That takes a socket in the directory for temporary files for a moment, and a few descriptors. The receiver is gone
/// then.
///
/// # Examples
/// ```
/// use csproc::{bridge, prelude::*};
/// use ipc_channel::ipc;
/// use std::time::Duration;
///
/// let (sender, receiver) = ipc::channel()?;
/// let foreign = bridge::ipc(receiver)?;
/// sender.send(7)?;
/// let got = PriSelect! {
///     v = foreign.read() => Some(v),
///     after(Duration::from_secs(60)) => None,
/// }?;
/// assert_eq!(got, Some(7));
/// drop(sender);
/// assert!(foreign.read().unwrap_err().is_retired());
/// # Ok::<(), csproc::Error>(())
/// ```
pub fn ipc<T>(receiver: IpcReceiver<T>) -> io::Result<Bridge<Ipc<T>>>
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    Ok(Bridge::to(Ipc::open(receiver)?))
}

/// A bridge to the receiving end of a crossbeam channel, of any flavor.
///
/// When the senders are gone and everything is read, reading fails with [`Retired`](crate::ChannelError::Retired).
/// Behind the feature `crossbeam`, which is on unless it is switched off.
///
/// # Examples
/// ```
/// use csproc::{bridge, prelude::*};
///
/// let (sender, receiver) = crossbeam_channel::unbounded();
/// let foreign = bridge::crossbeam(receiver);
/// sender.send("hello")?;
/// assert_eq!(foreign.read()?, "hello");
/// assert!(foreign.try_read().unwrap_err().is_would_block());
/// # Ok::<(), csproc::Error>(())
/// ```
#[cfg(feature = "crossbeam")]
pub fn crossbeam<T: Send + 'static>(receiver: crossbeam_channel::Receiver<T>) -> Bridge<Crossbeam<T>> {
    Bridge::to(Crossbeam::new(receiver))
}

/// A bridge to a file descriptor: it fires while reading from the descriptor would not wait.
///
/// So it does at the end of a file or stream, and after an error; it never retires. It reads nothing itself: an arm
/// that does not read either finds the descriptor readable again.
///
/// # Examples
/// ```
/// use csproc::{bridge, prelude::*};
/// use std::io::{Read, Write, pipe};
///
/// let (output, mut input) = pipe()?;
/// let readable = bridge::readable(output);
/// assert!(readable.try_read().unwrap_err().is_would_block());
///
/// input.write_all(b"x")?;
/// let byte = AltSelect! {
///     readable => {
///         let mut byte = [0];
///         readable.get_ref().read_exact(&mut byte)?;
///         byte[0]
///     },
/// }?;
/// assert_eq!(byte, b'x');
/// # Ok::<(), csproc::Error>(())
/// ```
pub fn readable<F: AsFd>(file: F) -> Readable<F> {
    Bridge::to(Descriptor::new(file))
}
