//! The reader's side: from an envelope to the box, and from the box to the value.
//!
//! Knows nothing of the engine. Whatever becomes of the writer's process meanwhile, an answer comes: the box, or the
//! end of the socket.

use super::Envelope;
use super::handles::{Handle, MOST, SPARE, failed, no_descriptors, reserve};
use super::outbox::{self, Answer, Wanted};
use super::seal::{Unsealed, expecting};
use crate::cause::{Cause, describe};
use crate::channel::codec::{Message, decode_head};
use crate::channel::error::{ChannelError, MessageError};
use crate::engine::{MemberName, Packet};
use crate::forkserver::{self, own_name};
use crate::sys::clock::Deadline;
use crate::sys::quietly::quietly;
use ipc_channel::IpcError;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender, OpaqueIpcReceiver};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io::ErrorKind::Interrupted;
use std::time::{Duration, Instant};

/// How often a process is asked that lives and has no descriptor for the answer, with a pause of a millisecond between.
const ROUNDS: u32 = 2000;
/// How long a process may take to die whose inbox is closed.
const BURIAL: Duration = Duration::from_secs(60);

/// The inboxes of other processes, each fetched once.
static WAYS: Mutex<Option<HashMap<MemberName, IpcSender<Wanted>>>> = Mutex::new(None);

/// A value that is in this process, still in its box.
#[derive(Debug)]
pub(crate) struct Arrived {
    envelope: Envelope,
    parcel: OpaqueIpcReceiver,
}

impl Arrived {
    /// Makes the value.
    pub(crate) fn open<T: Message>(self, packet: &mut Option<Packet>) -> Result<T, MessageError> {
        open(&self.envelope, self.parcel, packet)
    }
}

/// Has the value sent that a packet stands for. The writer is held meanwhile.
pub(crate) fn fetch(packet: &Packet) -> Result<Arrived, ChannelError> {
    let envelope = decode_head::<Envelope>(packet.bytes()).map(|(envelope, _)| envelope);
    let envelope = envelope.filter(|envelope| envelope.mark == Envelope::MARK && envelope.channels <= MOST as u64);
    let Some(envelope) = envelope else { return Err(broken("the block does not begin with an envelope").into()) };
    let own = own_name().map_err(|error| failed("the name of this process", &error))?;
    reserve(envelope.channels as usize + SPARE)?;
    let parcel = if envelope.host == own {
        forget_the_dead();
        outbox::take(envelope.number).ok_or_else(|| broken("the value is not in the outbox").into())
    } else {
        ask(&envelope)
    };
    Ok(Arrived { envelope, parcel: parcel? })
}

fn broken(reason: &str) -> MessageError {
    MessageError::Carrier { reason: format!("a message of a channel with Carrier::Ipc is broken: {reason}") }
}

/// Asks the writer's process for the box.
fn ask(envelope: &Envelope) -> Result<OpaqueIpcReceiver, ChannelError> {
    for round in 0..ROUNDS {
        let Some(way) = way_to(envelope.host)? else { return Err(lost(envelope.host)) };
        let (answer, answers) = ipc::channel().map_err(|error| failed("a socket for the answer", &error))?;
        if !request(&way, envelope.number, answer)? {
            forget(envelope.host);
            return Err(lost(envelope.host));
        }
        match answer_of(&answers) {
            Ok(Some(Some(Handle(Some(parcel))))) => return Ok(parcel),
            Ok(Some(Some(Handle(None)))) => return Err(no_descriptors().into()),
            Ok(Some(None)) => return Err(broken("its writer has withdrawn it").into()),
            Ok(None) => (),
            Err(error) => return Err(error.into()),
        }
        // Nobody has the other end any more. Either the process is dying, and its inbox closes in a moment; or it
        // lives, but the other end did not reach it, for it has as many descriptors open as it may. Then the request
        // can be made again.
        reserve(envelope.channels as usize + SPARE)?;
        if round > 10 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let (process, _) = describe(envelope.host.index);
    let reason = format!(
        "process `{process}` cannot hand over the value, for it has no file descriptor left to answer with: raise its \
         limit (RLIMIT_NOFILE), or close some there"
    );
    Err(MessageError::Carrier { reason }.into())
}

/// `false` when the process that is asked has no inbox any more.
fn request(way: &IpcSender<Wanted>, number: u64, answer: IpcSender<Answer>) -> Result<bool, MessageError> {
    loop {
        match way.send(Wanted { number, answer: Handle(Some(answer.clone())) }) {
            Ok(()) => return Ok(true),
            // Before anything was sent: a request is far smaller than a fragment.
            Err(IpcError::Io(error)) if error.kind() == Interrupted => {}
            Err(IpcError::Io(error)) if is_gone(&error) => return Ok(false),
            Err(IpcError::Io(error)) => return Err(failed("room in the inbox of another process", &error)),
            Err(error) => return Err(broken(&error.to_string())),
        }
    }
}

fn is_gone(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), BrokenPipe | ConnectionReset | ConnectionRefused | NotConnected)
}

/// The answer; `None` when nobody is left to give one.
fn answer_of(answers: &IpcReceiver<Answer>) -> Result<Option<Answer>, MessageError> {
    loop {
        return match quietly(|| answers.recv()) {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(IpcError::Io(error))) if error.kind() == Interrupted => continue,
            Ok(Err(IpcError::Disconnected)) => Ok(None),
            Ok(Err(IpcError::Io(error))) if is_gone(&error) => Ok(None),
            Ok(Err(IpcError::Io(error))) => Err(failed("the answer of another process", &error)),
            Ok(Err(error)) => Err(broken(&error.to_string())),
            Err(_) => Err(broken("the answer brings what it does not name")),
        };
    }
}

/// The inbox of a process; `None` when the process is gone.
fn way_to(host: MemberName) -> Result<Option<IpcSender<Wanted>>, MessageError> {
    if let Some(way) = WAYS.lock().as_ref().and_then(|ways| ways.get(&host).cloned()) {
        return Ok(Some(way));
    }
    let fetched = forkserver::fetch(host).map_err(|error| failed("the inbox of another process", &error))?;
    let Some(way) = fetched.map(ipc_channel::ipc::OpaqueIpcSender::to::<Wanted>) else {
        // One that has a value in its outbox has published its inbox, so the process is gone for the server; or the
        // server has no descriptor left, which it does not say.
        return Ok(None);
    };
    forget_the_dead();
    WAYS.lock().get_or_insert_default().insert(host, way.clone());
    Ok(Some(way))
}

/// Not at every message: where there are many processes, it takes a while.
fn forget_the_dead() {
    if let Some(ways) = WAYS.lock().as_mut() {
        ways.retain(|name, _| !name.is_gone());
    }
}

fn forget(host: MemberName) {
    if let Some(ways) = WAYS.lock().as_mut() {
        ways.remove(&host);
    }
}

/// The writer's process is dead, or dying: waits until it is buried, and tells of what it died.
fn lost(host: MemberName) -> ChannelError {
    if !host.wait_until_gone(&Deadline::at(Instant::now() + BURIAL)) {
        let (process, _) = describe(host.index);
        let reason = format!("process `{process}` has closed its inbox, although it runs");
        return MessageError::Carrier { reason }.into();
    }
    let (process, cause) = if host.is_known() {
        describe(host.index)
    } else {
        (String::from("unknown"), Cause::Killed { signal: libc::SIGKILL })
    };
    ChannelError::Lost { process, cause }
}

/// Receives the value out of its box. Ends in it come out of the packet, which is in its slot again afterwards.
pub(super) fn open<T: Message>(
    envelope: &Envelope,
    parcel: OpaqueIpcReceiver,
    packet: &mut Option<Packet>,
) -> Result<T, MessageError> {
    // Two more than at the rendezvous were taken since, and given back: what was free then is free now, unless others
    // took it.
    reserve(envelope.channels as usize + 1)?;
    let parcel = parcel.to::<Unsealed<T>>();
    loop {
        // It never waits: the message is in the box, or its only sender is gone.
        return match expecting(envelope, packet, || parcel.recv()) {
            Ok(Unsealed(value)) => value,
            Err(IpcError::Io(error)) if error.kind() == Interrupted => continue,
            Err(IpcError::Io(error)) => Err(failed("the value", &error)),
            Err(error) => Err(broken(&error.to_string())),
        };
    }
}
