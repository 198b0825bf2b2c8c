//! `Session`: what a process of another program has of a queue here: a handle, which belongs to a process of its own.
//!
//! Knows nothing of connections. What is got with a handle and not done yet is counted with the process that holds it.
//! So a client has such a process, with a thread that does nothing, under whose name it leaves behind what it has not
//! done, whether it was killed or has just ended: whoever joins is told of it as of any other consumer.

use super::Queue;
use crate::channel::{CallChannel, Callee, Caller, ChannelEnd, ChannelError, Message, MessageError, label};
use crate::engine::NAME_LIMIT;
use crate::process::{Child, Spawn};
use csproc_macros::process;
use parking_lot::Mutex;
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::mpsc::{Sender, channel};

/// What a client has of a queue. Dropped, it has it no more.
pub(super) struct Session<T> {
    pub(super) queue: Queue<T>,
    /// Dropped behind the handle.
    _holder: Holder,
}

impl<T: Message + 'static> Session<T> {
    /// Begins one for a client of which this is known.
    ///
    /// # Errors
    /// There is no room for the process, for its thread or for one more handle.
    pub(super) fn begin(queue: &Queue<T>, pid: Option<u32>) -> Result<Session<T>, ChannelError> {
        let calls = CallChannel::new()?;
        let caller = calls.caller();
        let pid = pid.map_or_else(String::new, |pid| format!(" {pid}"));
        let mut name = format!("client{pid} of {}", label(queue.reader.end().channel()));
        name.truncate(name.floor_char_boundary(NAME_LIMIT));
        let (sender, held) = channel();
        let place = Place::with(sender);
        let process = hold(queue.clone(), place.0, calls.callee());
        let process = (process.named(name),).spawn();
        let process =
            process.map_err(|error| ChannelError::Invalid(MessageError::System { reason: error.to_string() }))?;
        let holder = Holder { caller: Some(caller), process: Some(process) };
        // It answers when it has handed the handle over.
        holder.wait()?;
        let queue = held.try_recv().map_err(|_| ChannelError::Retired)?;
        Ok(Session { queue, _holder: holder })
    }
}

impl<T> Drop for Session<T> {
    fn drop(&mut self) {
        // Before its process: then it was left behind, as by one who ends.
        self.queue.retire();
    }
}

/// The process of a session. Dropped, it ends.
struct Holder {
    caller: Option<Caller>,
    process: Option<Child<()>>,
}

impl Holder {
    fn wait(&self) -> Result<(), ChannelError> {
        self.caller.as_ref().map_or(Ok(()), |caller| caller.call((), (), Location::caller()))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.caller.take());
        if let Some(process) = self.process.take() {
            // It does nothing that could go wrong.
            drop(process.join());
        }
    }
}

/// Holds a handle that others use, until it is not called any more.
#[process(thread, crate = crate)]
fn hold<T: Message + 'static>(queue: Queue<T>, place: u64, calls: Callee) {
    if let Some(sender) = PLACES.lock().remove(&place).and_then(|sender| sender.downcast::<Sender<Queue<T>>>().ok()) {
        // Whoever began the session waits for it.
        let _ = sender.send(queue);
    }
    while let Ok(call) = calls.accept::<()>() {
        call.answer(&());
    }
}

/// Where handles are waited for, by number: what a process is given are messages, and in one a handle would change
/// hands.
static PLACES: Mutex<BTreeMap<u64, Box<dyn Any + Send>>> = Mutex::new(BTreeMap::new());

/// A place among them, as long as it is waited for.
struct Place(u64);

impl Place {
    fn with(sender: impl Any + Send) -> Place {
        let mut places = PLACES.lock();
        let number = places.last_key_value().map_or(0, |(last, _)| last + 1);
        places.insert(number, Box::new(sender));
        Place(number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        PLACES.lock().remove(&self.0);
    }
}
