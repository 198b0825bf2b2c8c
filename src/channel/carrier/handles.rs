//! What ipc-channel keeps for the calling thread while it takes a value apart or puts it together: found clean, and
//! left clean.
//!
//! Knows nothing of channels. Serializing a sender puts a handle into a list of the thread and writes its index; the
//! next message that the thread sends, of whatever type, takes all that is in the list with it, be it left over from a
//! value that failed half-way. Deserializing takes handles out of another list by index, panics when the index is not
//! there, and what is not taken out is never closed.

use super::super::error::MessageError;
use crate::channel::codec::{decode_once, encode_once};
use crate::sys::quietly::quietly;
use ipc_channel::ipc::{self, IpcMessage, IpcSender, OpaqueIpcReceiver};
use parking_lot::Mutex;
use rustix::event::{EventfdFlags, eventfd};
use rustix::process::{Resource, getrlimit};
use serde::{Deserialize, Deserializer, Serialize};

/// Handles in one value: ipc-channel puts at most 64 into a message, and one of them is our mark.
pub(super) const MOST: usize = 63;

/// Descriptors to be free beside those that are about to arrive: two for a socket, two for the one with which
/// ipc-channel asks for the size of a socket's buffer (once; a failure would stay for ever), and some for the copies of
/// shared memory.
pub(super) const SPARE: usize = 8;

/// Closes all handles that earlier serializations of this thread have left.
///
/// Any message takes them along; this one goes to a receiver that does not exist, so the sending fails and closes them.
pub(super) fn flush() {
    static VOID: Mutex<Option<IpcSender<()>>> = Mutex::new(None);
    let void = {
        let mut void = VOID.lock();
        if void.is_none() {
            *void = ipc::channel().ok().map(|(sender, _)| sender);
        }
        void.clone()
    };
    if let Some(void) = void {
        // More than fit into a message: it panics, but after it has taken them.
        let _ = quietly(|| void.send(()));
    }
}

/// Adds a handle of ours behind those of a value that was just serialized, and says how many there were.
pub(super) fn mark<T: Serialize>(sender: &IpcSender<T>) -> Option<u64> {
    let index = encode_once(sender, None).ok()?;
    decode_once(&index, None).ok()
}

/// While a message is put together: whether all handles have arrived. Consumes the mark, which is the last of them.
pub(super) fn are_complete(channels: u64) -> bool {
    quietly(|| close(channels)).unwrap_or(false)
}

/// While a message is put together: closes the handles that the value did not take.
pub(super) fn sweep(channels: u64) {
    let _ = quietly(|| (0..channels.min(MOST as u64)).all(close));
}

/// If the value has taken this handle already, ipc-channel gives an empty receiver, whose drop does nothing; an empty
/// sender would panic when dropped.
fn close(index: u64) -> bool {
    let Ok(index) = encode_once(&index, None) else { return false };
    decode_once::<OpaqueIpcReceiver>(&index, None).is_ok()
}

/// After a panic in the middle of putting a message together: closes the handles that were not taken.
pub(super) fn forget_arrivals() {
    let _ = quietly(|| IpcMessage::from_data(Vec::new()).to::<()>());
}

/// Makes sure that so many descriptors can be opened. Others may open them at once, so this only makes a failure of
/// ipc-channel, which loses what it receives, improbable.
pub(super) fn reserve(count: usize) -> Result<(), MessageError> {
    let mut kept = Vec::with_capacity(count);
    for _ in 0..count {
        kept.push(eventfd(0, EventfdFlags::CLOEXEC).map_err(|error| failed("a descriptor", &error.into()))?);
    }
    Ok(())
}

/// A system call failed for want of something.
#[cold]
pub(super) fn failed(what: &str, error: &std::io::Error) -> MessageError {
    let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    let exhausted =
        matches!(code, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE | rustix::io::Errno::TOOMANYREFS));
    if exhausted {
        no_descriptors()
    } else {
        MessageError::Carrier { reason: format!("{what} cannot be had: {error}") }
    }
}

/// The limit of descriptors, by name.
#[cold]
pub(super) fn no_descriptors() -> MessageError {
    let limit = getrlimit(Resource::Nofile).current.map_or_else(|| String::from("none"), |limit| limit.to_string());
    let reason = format!(
        "process {} has no file descriptor left (RLIMIT_NOFILE is {limit}), and every ipc-channel end and every shared \
         memory region in a value takes one: raise the limit, for instance with `ulimit -n`, or close some",
        std::process::id()
    );
    MessageError::Carrier { reason }
}

/// The limit of handles in one value, by name.
#[cold]
pub(super) fn too_many(type_name: &str) -> MessageError {
    let reason = format!(
        "a value of type `{type_name}` holds more than {MOST} ipc-channel ends and shared memory regions, the most \
         that one message carries: send them in several messages"
    );
    MessageError::Carrier { reason }
}

/// A handle in a message, if it has arrived: where the process has no descriptor left, ipc-channel would panic.
pub(super) struct Handle<T>(pub(super) Option<T>);

impl<T: Serialize> Serialize for Handle<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(handle) => handle.serialize(serializer),
            None => Err(serde::ser::Error::custom("there is no handle to send")),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Handle<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Handle<T>, D::Error> {
        match quietly(|| T::deserialize(deserializer)) {
            Ok(handle) => Ok(Handle(Some(handle?))),
            Err(_) => Ok(Handle(None)),
        }
    }
}
