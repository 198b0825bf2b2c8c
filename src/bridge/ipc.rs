//! The receiving end of an ipc-channel, and what can go wrong with it.
//!
//! Knows nothing of who sends, nor of the format of messages: it looks at the socket only to see whether something is
//! there.
//!
//! ipc-channel 0.23 receives faithfully as long as all goes well. What it does not do for its users is done here, by
//! looking at the next message (`MSG_PEEK`) before it is received:
//!
//! | what happens | ipc-channel | here |
//! |---|---|---|
//! | a signal while it waits | fails | waiting is done by `poll`, again after a signal |
//! | no room for a message's descriptors | panics, the message is lost | seen beforehand: an error, the message stays |
//! | a sender dies within a message | says that all senders are gone | it is skipped, and the next look tells |

use super::descriptor::{is_readable, lookout, read_when_readable};
use super::passage::descriptor_of;
use super::source::{Lookout, Sealed, Source, refused};
use crate::channel::{ChannelError, MessageError};
use ipc_channel::ipc::IpcReceiver;
use ipc_channel::{IpcError, TryRecvError};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvFlags, ReturnFlags, recvmsg};
use rustix::process::{Resource, getrlimit};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Instant;

/// As many descriptors come with one message at most.
const MOST_DESCRIPTORS: usize = 64;

/// The receiving end of an ipc-channel, as the other side of a [`Bridge`](super::Bridge).
///
/// # Examples
/// See [`ipc`](super::ipc).
pub struct Ipc<T> {
    receiver: IpcReceiver<T>,
    /// Its socket, once more.
    socket: Arc<OwnedFd>,
}

impl<T> Ipc<T>
where
    T: Serialize + DeserializeOwned,
{
    pub(super) fn open(receiver: IpcReceiver<T>) -> io::Result<Ipc<T>> {
        let (receiver, socket) = descriptor_of(receiver)?;
        Ok(Ipc { receiver, socket: Arc::new(socket) })
    }
}

impl<T> Sealed for Ipc<T> {}

impl<T> Source for Ipc<T>
where
    T: Serialize + DeserializeOwned + Send + 'static,
{
    type Value = T;
    type Inner = IpcReceiver<T>;

    fn is_ready(&self) -> bool {
        is_readable(&self.socket)
    }

    fn take(&self) -> Result<Option<T>, ChannelError> {
        while peek(&self.socket)? {
            let received = catch_unwind(AssertUnwindSafe(|| self.receiver.try_recv()));
            return match received {
                Ok(Ok(value)) => Ok(Some(value)),
                // Another process that was forked from this one has it.
                Ok(Err(TryRecvError::Empty)) => continue,
                // There was something a moment ago: the sender of that message has died while it sent it.
                Ok(Err(TryRecvError::IpcError(IpcError::Disconnected))) => continue,
                Ok(Err(TryRecvError::IpcError(IpcError::SerializationError(error)))) => {
                    Err(undecodable::<T>(error.source().map_or_else(|| error.to_string(), ToString::to_string)))
                }
                Ok(Err(TryRecvError::IpcError(IpcError::Io(error)))) if error.kind() == ErrorKind::Interrupted => {
                    // Nothing waits for the first piece, so it was a later one.
                    Err(undecodable::<T>(String::from("a signal came between two pieces of it, and the rest is lost")))
                }
                Ok(Err(TryRecvError::IpcError(IpcError::Io(error)))) => Err(refused("an ipc-channel failed", error)),
                // Other threads have taken the room since the look.
                Err(_) if self.socket.try_clone().is_err() => Err(no_room()),
                // A panic in the user's `Deserialize`.
                Err(panic) => resume_unwind(panic),
            };
        }
        Ok(None)
    }

    fn read(&self, until: Option<Instant>) -> Result<Self::Value, ChannelError> {
        read_when_readable(self, &self.socket, until)
    }

    fn lookout(&self) -> Result<Lookout, ChannelError> {
        lookout(self.socket.clone())
    }

    fn into_inner(self) -> IpcReceiver<T> {
        self.receiver
    }
}

/// Whether a message is there that there is room for. The end of all senders is an error.
fn peek(socket: &OwnedFd) -> Result<bool, ChannelError> {
    loop {
        // No message is empty: each begins with its length.
        let mut first = [0];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        // The descriptors that come with a message are received here, too, and closed again.
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        match recvmsg(socket, &mut [IoSliceMut::new(&mut first)], &mut control, flags) {
            Ok(message) if message.bytes == 0 => return Err(ChannelError::Retired),
            Ok(message) if message.flags.contains(ReturnFlags::CTRUNC) => return Err(no_room()),
            Ok(_) => return Ok(true),
            Err(Errno::AGAIN) => return Ok(false),
            // Both are told once, and then what is really there.
            Err(Errno::INTR | Errno::CONNRESET) => (),
            Err(error) => return Err(refused("an ipc-channel cannot be looked at", error)),
        }
    }
}

fn undecodable<T>(reason: String) -> ChannelError {
    ChannelError::Invalid(MessageError::Decode { type_name: String::from(std::any::type_name::<T>()), reason })
}

#[cold]
fn no_room() -> ChannelError {
    let limit = getrlimit(Resource::Nofile).current.map_or_else(|| String::from("so"), |limit| limit.to_string());
    let reason = format!(
        "a message brings descriptors, but this process has {limit} open and may have no more: close some or raise \
         the limit (`ulimit -n`), then the message can be read",
    );
    ChannelError::Invalid(MessageError::System { reason })
}

impl<T> fmt::Debug for Ipc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ipc")
    }
}
