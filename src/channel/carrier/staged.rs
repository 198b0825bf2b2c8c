//! A value that is ready to be written: packed into its box, with the packet that stands for it.
//!
//! Knows nothing of who will read it. Dropped, it was written or it lost; whatever is left of it then is closed.

use super::Envelope;
use super::fetch::open;
use super::handles::{self, MOST, SPARE, failed, too_many};
use super::outbox;
use super::seal::{Bytes, Sealed};
use crate::channel::codec::{Message, encode_once, fill};
use crate::channel::error::MessageError;
use crate::engine::{Packet, Unsent};
use crate::forkserver::own_name;
use crate::sys::quietly::quietly;
use ipc_channel::IpcError;
use ipc_channel::ipc;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair, sockopt::socket_send_buffer_size};
use serde::Serialize;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;

/// Bytes of a value that go through the box; more stay in the block.
const LARGEST: usize = 32 << 10;

thread_local! {
    static PACKING: Cell<bool> = const { Cell::new(false) };
}

/// A value on its way out.
#[derive(Debug)]
pub(crate) struct Staged {
    envelope: Envelope,
    /// Until a reader has it.
    packet: Unsent,
    /// Ends of channels of this library travel with the packet.
    has_ends: bool,
}

impl Staged {
    /// Takes the value apart, once. Its receivers are then in the box.
    pub(crate) fn pack<T: Serialize>(value: &T) -> Result<Staged, MessageError> {
        let _packing = Packing::begin::<T>()?;
        outbox::open()?;
        handles::reserve(SPARE)?;
        handles::flush();
        let type_name = std::any::type_name::<T>();
        let host = own_name().map_err(|error| failed("the name of this process", &error))?;
        let (sender, parcel) = ipc::channel::<Sealed>().map_err(|error| failed("a socket for the value", &error))?;
        let mut unsent = Unsent::of(Packet::draft(0)?);
        let Some(packet) = unsent.packet() else { unreachable!("nobody has taken it out") };
        let bytes = serialize(value, packet)?;
        let has_ends = packet.has_ends();
        let channels = handles::mark(&sender).unwrap_or(u64::MAX);
        if channels > MOST as u64 {
            return Err(too_many(type_name));
        }
        let number = outbox::number();
        let bytes_in_block = bytes.len() > largest();
        let envelope = Envelope { mark: Envelope::MARK, host, number, channels, bytes_in_block };
        let head = encode_once(&envelope, None)?;
        let (body, bytes): (&[u8], Vec<u8>) = if bytes_in_block { (&bytes, Vec::new()) } else { (&[], bytes) };
        fill(packet, [&head, body])?;
        match quietly(|| sender.send(Sealed { number, channels, bytes: Bytes(bytes) })) {
            Ok(Ok(())) => (),
            Ok(Err(IpcError::Io(error))) if error.raw_os_error() == Some(Errno::BADF.raw_os_error()) => {
                let reason = String::from("it holds an IpcReceiver that was sent already, which closes it");
                return Err(MessageError::Encode { type_name: String::from(type_name), reason });
            }
            Ok(Err(IpcError::Io(error))) => return Err(failed("room for the value in a socket", &error)),
            Ok(Err(error)) => return Err(MessageError::Carrier { reason: error.to_string() }),
            Err(_) => return Err(too_many(type_name)),
        }
        outbox::put(number, parcel.to_opaque());
        Ok(Staged { envelope, packet: unsent, has_ends })
    }

    /// The packet to offer; a reader may take it out.
    pub(crate) fn packet(&mut self) -> &mut Option<Packet> {
        self.packet.packet()
    }

    /// After a write that failed: the value as it was. What was taken out of `original` comes out of the box again.
    pub(crate) fn restore<T: Message>(mut self, original: T) -> T {
        let Some(parcel) = outbox::take(self.envelope.number) else { return original };
        let out_of_reach = self.packet.packet().is_none() && (self.has_ends || self.envelope.bytes_in_block);
        if self.envelope.channels == 0 || out_of_reach || is_whole(&original) {
            return original;
        }
        open(&self.envelope, parcel, self.packet.packet()).unwrap_or(original)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        drop(outbox::take(self.envelope.number));
    }
}

/// Serializes; a panic for want of descriptors is an error, for ipc-channel panics when it cannot copy shared memory.
fn serialize<T: Serialize>(value: &T, packet: &Packet) -> Result<Vec<u8>, MessageError> {
    catch_unwind(AssertUnwindSafe(|| encode_once(value, Some(packet)))).unwrap_or_else(|panic| {
        match handles::reserve(SPARE) {
            Err(error) => Err(error),
            Ok(()) => resume_unwind(panic),
        }
    })
}

/// Whether a value still has all that was serialized once: a receiver that has left cannot be sent.
fn is_whole<T: Serialize>(value: &T) -> bool {
    let Ok(_packing) = Packing::begin::<T>() else { return true };
    let Ok((sender, _receiver)) = ipc::channel::<()>() else { return false };
    let Ok(packet) = Packet::draft(0) else { return false };
    serialize(value, &packet).is_ok() && matches!(quietly(|| sender.send(())), Ok(Ok(())))
}

/// While it lives, the thread takes a value apart; afterwards no handle of it is left behind, whatever happened.
struct Packing;

impl Packing {
    fn begin<T>() -> Result<Packing, MessageError> {
        if PACKING.replace(true) {
            let reason = "its Serialize writes to a channel with Carrier::Ipc, which would take the handles of both \
                for its own; write before or after";
            let type_name = String::from(std::any::type_name::<T>());
            return Err(MessageError::Encode { type_name, reason: String::from(reason) });
        }
        Ok(Packing)
    }
}

impl Drop for Packing {
    fn drop(&mut self) {
        handles::flush();
        PACKING.set(false);
    }
}

/// Half a socket's buffer at most, so that a box never fills it.
fn largest() -> usize {
    static ROOM: OnceLock<usize> = OnceLock::new();
    let room = || {
        let (socket, _other) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).ok()?;
        socket_send_buffer_size(&socket).ok()
    };
    match ROOM.get() {
        Some(room) => *room,
        // What is certain everywhere is enough for this once.
        None => room().map_or(1024, |room| *ROOM.get_or_init(|| (room / 2).min(LARGEST))),
    }
}
