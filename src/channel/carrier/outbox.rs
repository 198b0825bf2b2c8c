//! The values that wait in this process for the readers that were committed to take them, and the thread that hands
//! them out.
//!
//! Knows nothing of values: a value is a box, the receiving end of a socket in which it lies. What comes in through the
//! inbox is not trusted: a request that makes no sense is dropped, and the thread goes on.

use super::handles::{Handle, SPARE, failed, reserve};
use crate::channel::error::MessageError;
use crate::forkserver;
use crate::sys::quietly::quietly;
use ipc_channel::IpcError;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender, OpaqueIpcReceiver};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A reader asks for a value.
#[derive(Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) number: u64,
    /// Where the box is to go. Whoever waits there sees the end when nobody has this any more.
    pub(super) answer: Handle<IpcSender<Answer>>,
}

/// The box, unless there is none of that number.
pub(super) type Answer = Option<Handle<OpaqueIpcReceiver>>;

static BOXES: Mutex<Option<HashMap<u64, OpaqueIpcReceiver>>> = Mutex::new(None);
static NUMBERS: AtomicU64 = AtomicU64::new(0);
/// The own end of the inbox, kept so that the inbox never ends while the process lives.
static INBOX: Mutex<Option<IpcSender<Wanted>>> = Mutex::new(None);
static IS_OPEN: AtomicBool = AtomicBool::new(false);

/// A number that no other value of this process has had.
pub(super) fn number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// Puts a box where a reader's request finds it.
pub(super) fn put(number: u64, parcel: OpaqueIpcReceiver) {
    BOXES.lock().get_or_insert_default().insert(number, parcel);
}

/// Takes a box out; once.
pub(super) fn take(number: u64) -> Option<OpaqueIpcReceiver> {
    BOXES.lock().as_mut()?.remove(&number)
}

/// Lets readers in other processes ask; to be called before the first value is offered.
#[inline]
pub(super) fn open() -> Result<(), MessageError> {
    if IS_OPEN.load(Ordering::Acquire) { Ok(()) } else { open_once() }
}

#[cold]
fn open_once() -> Result<(), MessageError> {
    // Held until the inbox is published, for who comes second relies on it, too.
    let mut inbox = INBOX.lock();
    // Without a server there are no other processes.
    if inbox.is_none() && forkserver::availability().is_ok() {
        reserve(SPARE)?;
        let cannot = |error: std::io::Error| failed("the inbox for values with ipc-channel ends", &error);
        let (sender, receiver) = ipc::channel().map_err(cannot)?;
        let serve = move || serve(&receiver);
        std::thread::Builder::new()
            .name(String::from("csproc-carrier"))
            .stack_size(256 << 10)
            .spawn(serve)
            .map_err(cannot)?;
        forkserver::publish(sender.clone().to_opaque()).map_err(cannot)?;
        *inbox = Some(sender);
    }
    IS_OPEN.store(true, Ordering::Release);
    Ok(())
}

/// Until the process ends.
fn serve(inbox: &IpcReceiver<Wanted>) {
    let mut failures = 0;
    // A receiver that fails again and again has lost its descriptor to somebody who closes what is not his.
    while failures < 1000 {
        // Quietly: in a debug build ipc-channel asserts that a request brought no handle that it did not name.
        match quietly(|| inbox.recv()) {
            Ok(Ok(Wanted { number, answer: Handle(Some(answer)) })) => {
                failures = 0;
                // A reader that is gone needs no answer; the box closes with the message.
                let _ = quietly(|| answer.send(take(number).map(|parcel| Handle(Some(parcel)))));
            }
            // No descriptor was left for the answer. The reader sees that nobody has it, and asks again.
            Ok(Ok(Wanted { answer: Handle(None), .. })) => failures = 0,
            Ok(Err(IpcError::Io(error))) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(Err(IpcError::SerializationError(_))) | Err(_) => failures = 0,
            // An empty message looks like the end, which cannot be: we have a sending end ourselves.
            Ok(Err(IpcError::Disconnected | IpcError::Io(_))) => failures += 1,
        }
    }
}
