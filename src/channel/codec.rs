//! Values to bytes and back, straight into and out of the block that travels.
//!
//! Knows nothing of who sends to whom, nor of the [format](super::format).

use super::error::MessageError;
use super::format::{self, Refused, Sink};
use crate::engine::{ArenaError, Delivered, EndName, Journey, Packet, Short, Unsent};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What can be written to a channel, or be an argument or a result of a process: anything that serde can take apart and
/// put together again.
///
/// Implemented for every type that is `Serialize` and `DeserializeOwned`; there is nothing to implement by hand. The
/// format does not describe itself: a value has the shape that its type says. So `#[serde(flatten)]`, untagged and
/// internally tagged enums, and `skip_serializing_if` are not supported.
///
/// A vector of numbers goes in one copy wherever it lies in the value: in a struct, in a `HashMap` or an `Option`, as a
/// `Vec` or as a boxed slice.
///
/// A value may be serialized twice, a large one to learn its size, or one that turns out not to be as short as the last
/// one; so that should have no effects of its own.
///
/// # Examples
/// ```
/// fn is_message<T: csproc::Message>() {}
/// is_message::<Vec<(String, f64)>>();
/// is_message::<csproc::Reader<u8>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross between processes",
    label = "not a message",
    note = "a type of your own derives `serde::Serialize` and `serde::Deserialize`; a type parameter has the bound \
            `T: csproc::Message`",
    note = "a message owns all its data: what is shared or open in one process (`Rc`, `Arc`, `File`) cannot be sent"
)]
pub trait Message: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Message for T {}

/// The room of a block: what does not fit is counted, and left out.
struct Room<'a> {
    left: &'a mut [u8],
    missing: usize,
}

impl Sink for Room<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let left = std::mem::take(&mut self.left);
        let room = left.len();
        match left.split_at_mut_checked(bytes.len()) {
            Some((target, rest)) => {
                target.copy_from_slice(bytes);
                self.left = rest;
            }
            None => self.missing += bytes.len() - room,
        }
    }
}

/// Serializes a value into a packet. Ends inside the value are requested again for the packet.
#[inline]
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Packet, MessageError> {
    match try_encode(value, 0)? {
        Ok(packet) => Ok(packet),
        Err(needed) => encode_larger(value, needed),
    }
}

/// From this size on, what the next message will need is guessed from the last one.
const LARGE: usize = 1 << 20;

/// The first try has counted what is needed. What others change meanwhile may need a little more at each try.
#[cold]
fn encode_larger<T: Serialize>(value: &T, mut needed: usize) -> Result<Packet, MessageError> {
    if needed > LARGE {
        Packet::expect(needed);
    }
    for slack in 0..8 {
        match try_encode(value, needed + needed * slack / 8)? {
            Ok(packet) => return Ok(packet),
            Err(more) => needed = more,
        }
    }
    Err(encode_error::<T>(Refused::from("it serializes differently each time")))
}

/// One try with room for at least so many bytes; the inner error says how many it takes.
#[inline]
fn try_encode<T: Serialize>(value: &T, bytes: usize) -> Result<Result<Packet, usize>, MessageError> {
    let mut unsent = Unsent::of(if bytes == 0 { Packet::draft_as_usual() } else { Packet::draft(bytes) }?);
    let Some(packet) = unsent.packet() else { unreachable!("nobody has taken it out") };
    let holder = packet.as_holder();
    let room = packet.bytes_mut();
    let capacity = room.len();
    let mut room = Room { left: room, missing: 0 };
    let journey = Journey::into_packet(holder);
    format::write(value, &mut room).map_err(encode_error::<T>)?;
    let length = capacity - room.left.len() + room.missing;
    if length > capacity {
        packet.take_out(&journey.ends());
        return Ok(Err(length));
    }
    drop(journey);
    if capacity > 2 * LARGE && length < capacity / 4 {
        Packet::expect(0);
    }
    packet.set_length(length);
    Ok(unsent.packet().take().ok_or(length))
}

#[cold]
fn encode_error<T>(refused: Refused) -> MessageError {
    MessageError::Encode { type_name: String::from(std::any::type_name::<T>()), reason: refused.into() }
}

/// The room of a short message: what does not fit is not written, nor what comes behind it.
struct Scrap {
    bytes: [u8; Short::MOST],
    length: usize,
}

impl Sink for Scrap {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(target) = self.bytes.get_mut(self.length..end) {
            target.copy_from_slice(bytes);
        }
        self.length = end;
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.length > Short::MOST
    }
}

/// Serializes a value into no packet. `None` if it needs one: it is longer, there are ends inside, or it refuses.
#[inline]
pub(super) fn encode_short<T: Serialize>(value: &T) -> Option<Short> {
    let mut scrap = Scrap { bytes: [0; Short::MOST], length: 0 };
    let journey = Journey::nowhere();
    format::write(value, &mut scrap).ok()?;
    drop(journey);
    (!scrap.is_full()).then(|| Short::of(scrap.bytes, scrap.length))
}

/// Makes a value of a message, and is done with that.
#[inline]
pub(super) fn decode_delivered<T: DeserializeOwned>(message: &Delivered) -> Result<T, MessageError> {
    match message {
        Delivered::Packet(packet) => Ok(decode(packet)?.0),
        Delivered::Short(short) => Ok(format::read(short.bytes()).map_err(decode_error::<T>)?.0),
    }
}

/// Serializes a value exactly once: what is taken out of it then may not be there a second time. Ends inside are
/// requested again for the packet, and refused without one.
pub(crate) fn encode_once<T: Serialize>(value: &T, packet: Option<&Packet>) -> Result<Vec<u8>, MessageError> {
    let _journey = packet.map(|packet| Journey::into_packet(packet.as_holder()));
    let mut bytes = Vec::new();
    format::write(value, &mut bytes).map_err(encode_error::<T>)?;
    Ok(bytes)
}

/// Writes these bytes into a packet, one part after the other. Ends that travel in it stay.
pub(super) fn fill(packet: &mut Packet, parts: [&[u8]; 2]) -> Result<(), ArenaError> {
    let [head, body] = parts;
    let length = head.len() + body.len();
    packet.make_room(length)?;
    let bytes = packet.bytes_mut();
    bytes[..head.len()].copy_from_slice(head);
    bytes[head.len()..length].copy_from_slice(body);
    packet.set_length(length);
    Ok(())
}

/// Makes a value of a message; says which ends came with it. The packet stays the caller's.
#[inline]
pub(crate) fn decode<T: DeserializeOwned>(packet: &Packet) -> Result<(T, Vec<EndName>), MessageError> {
    let journey = Journey::out_of_packet(packet.as_holder());
    let (value, _) = format::read(packet.bytes()).map_err(decode_error::<T>)?;
    Ok((value, journey.ends()))
}

/// Makes a value of what lies in a packet from this place on, and says where it ends. What was written as one value is
/// so read part by part: a tuple is its parts, one behind the other.
#[inline]
pub(super) fn decode_part<T: DeserializeOwned>(packet: &Packet, from: usize) -> Result<(T, usize), MessageError> {
    let bytes = packet.bytes();
    let _journey = Journey::out_of_packet(packet.as_holder());
    let (value, rest) = format::read(bytes.get(from..).unwrap_or_default()).map_err(decode_error::<T>)?;
    Ok((value, bytes.len() - rest.len()))
}

/// Makes a value of bytes. Ends inside come out of the packet, and are refused without one.
pub(crate) fn decode_once<T: DeserializeOwned>(bytes: &[u8], packet: Option<&Packet>) -> Result<T, MessageError> {
    let _journey = packet.map(|packet| Journey::out_of_packet(packet.as_holder()));
    let (value, _) = format::read(bytes).map_err(decode_error::<T>)?;
    Ok(value)
}

/// Makes a value of the first bytes, which it may borrow, and gives those behind it; `None` if they are no such value.
pub(crate) fn decode_head<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<(T, &'a [u8])> {
    format::read(bytes).ok()
}

/// Makes a value of the copy of a message, without the ends that were in it.
#[cfg(feature = "testing")]
pub(crate) fn decode_copy<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, MessageError> {
    decode_once(bytes, None)
}

#[cold]
fn decode_error<T>(refused: Refused) -> MessageError {
    MessageError::Decode { type_name: String::from(std::any::type_name::<T>()), reason: refused.into() }
}
