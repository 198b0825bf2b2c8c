//! Values to bytes and back, straight into and out of the block that travels.
//!
//! Knows nothing of who sends to whom. The format is postcard; a vector of plain numbers on its own goes as its bytes,
//! because serde would visit them one by one (37 µs for 64 KiB, where a copy takes 1.2; measured, November 2026).
#![expect(unsafe_code, reason = "vectors of plain numbers are seen as bytes; listed in the architecture page")]

use super::error::MessageError;
use super::refusal;
use crate::engine::{ArenaError, EndName, Journey, Packet, Unsent};
use postcard::ser_flavors::{Flavor, StdVec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::TypeId;

/// What can be written to a channel, or be an argument or a result of a process: anything that serde can take apart and
/// put together again.
///
/// Implemented for every type that is `Serialize` and `DeserializeOwned`; there is nothing to implement by hand. The
/// wire format is [postcard](https://docs.rs/postcard), which does not support `#[serde(flatten)]`, untagged and
/// internally tagged enums, and `skip_serializing_if`.
///
/// A value may be serialized twice: a large one to learn its size, and one that fails to learn the reason. One that
/// cannot be deserialized is tried twice as well. So neither of the two should have effects of its own.
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

/// Writes into a block while there is room, and counts on when there is none.
struct IntoBlock<'a> {
    bytes: &'a mut [u8],
    length: usize,
}

impl Flavor for IntoBlock<'_> {
    type Output = usize;

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte;
        }
        self.length += 1;
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        let end = self.length.saturating_add(data.len());
        if let Some(target) = self.bytes.get_mut(self.length..end) {
            target.copy_from_slice(data);
        }
        self.length = end;
        Ok(())
    }

    fn finalize(self) -> postcard::Result<usize> {
        Ok(self.length)
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

/// The first try has counted what is needed. Ends have other numbers at each try, of other lengths perhaps, so it may
/// need a little more.
#[cold]
fn encode_larger<T: Serialize>(value: &T, mut needed: usize) -> Result<Packet, MessageError> {
    for slack in 0..8 {
        match try_encode(value, needed + needed * slack / 8)? {
            Ok(packet) => return Ok(packet),
            Err(more) => needed = more,
        }
    }
    Err(encode_error::<T>(String::from("it serializes differently each time")))
}

/// One try with room for at least so many bytes; the inner error says how many it takes.
#[inline]
fn try_encode<T: Serialize>(value: &T, bytes: usize) -> Result<Result<Packet, usize>, MessageError> {
    let mut unsent = Unsent::of(Packet::draft(bytes)?);
    let Some(packet) = unsent.packet() else { unreachable!("nobody has taken it out") };
    let holder = packet.as_holder();
    let room = packet.bytes_mut();
    let capacity = room.len();
    let length = if let Some(plain) = plain_bytes(value) {
        if let Some(target) = room.get_mut(..plain.len()) {
            target.copy_from_slice(plain);
        }
        plain.len()
    } else {
        let _journey = Journey::into_packet(holder);
        postcard::serialize_with_flavor(value, IntoBlock { bytes: room, length: 0 })
            .map_err(|error| encode_error::<T>(refusal::of_serialize(value, error)))?
    };
    if length > capacity {
        return Ok(Err(length));
    }
    packet.set_length(length);
    Ok(unsent.packet().take().ok_or(length))
}

fn encode_error<T>(reason: String) -> MessageError {
    MessageError::Encode { type_name: String::from(std::any::type_name::<T>()), reason }
}

/// Serializes a value exactly once: what is taken out of it then may not be there a second time. Ends inside are
/// requested again for the packet, and refused without one.
pub(crate) fn encode_once<T: Serialize>(value: &T, packet: Option<&Packet>) -> Result<Vec<u8>, MessageError> {
    if let Some(plain) = plain_bytes(value) {
        return Ok(plain.to_vec());
    }
    let _journey = packet.map(|packet| Journey::into_packet(packet.as_holder()));
    refusal::serialize(value, StdVec::new()).map_err(encode_error::<T>)
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
    let bytes = packet.bytes();
    if let Some(value) = from_plain_bytes::<T>(bytes) {
        return Ok((value, Vec::new()));
    }
    let journey = Journey::out_of_packet(packet.as_holder());
    match postcard::from_bytes(bytes) {
        Ok(value) => Ok((value, journey.arrived())),
        Err(error) => {
            journey.again();
            Err(decode_error::<T>(refusal::of_deserialize::<T>(bytes, error)))
        }
    }
}

/// Makes a value of what lies in a packet from this place on, and says where it ends. What was written as one value is
/// so read part by part: a tuple is its parts, one behind the other.
#[inline]
pub(super) fn decode_part<T: DeserializeOwned>(packet: &Packet, from: usize) -> Result<(T, usize), MessageError> {
    let bytes = packet.bytes();
    let part = bytes.get(from..).unwrap_or_default();
    let journey = Journey::out_of_packet(packet.as_holder());
    match postcard::take_from_bytes(part) {
        Ok((value, rest)) => Ok((value, bytes.len() - rest.len())),
        Err(error) => {
            journey.again();
            Err(decode_error::<T>(refusal::of_deserialize::<T>(part, error)))
        }
    }
}

/// Makes a value of bytes in one go, whatever happens: what the value takes from its thread is there once. Ends inside
/// come out of the packet, and are refused without one.
pub(crate) fn decode_once<T: DeserializeOwned>(bytes: &[u8], packet: Option<&Packet>) -> Result<T, MessageError> {
    if let Some(value) = from_plain_bytes::<T>(bytes) {
        return Ok(value);
    }
    let _journey = packet.map(|packet| Journey::out_of_packet(packet.as_holder()));
    refusal::deserialize(bytes).map_err(decode_error::<T>)
}

/// Makes a value of the copy of a message, without the ends that were in it.
#[cfg(feature = "testing")]
pub(crate) fn decode_copy<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, MessageError> {
    decode_once(bytes, None)
}

fn decode_error<T>(reason: String) -> MessageError {
    MessageError::Decode { type_name: String::from(std::any::type_name::<T>()), reason }
}

macro_rules! plain_numbers {
    ($($number:ty),*) => {
        /// The bytes of a value that is a vector of plain numbers.
        #[inline]
        pub(super) fn plain_bytes<T>(value: &T) -> Option<&[u8]> {
            let id = typeid::of::<T>();
            $(if id == TypeId::of::<Vec<$number>>() {
                // SAFETY: the types are the same, and neither has a lifetime in it.
                let numbers: &Vec<$number> = unsafe { &*std::ptr::from_ref(value).cast() };
                let length = size_of_val(numbers.as_slice());
                // SAFETY: a slice of plain numbers has no padding, and any bytes are initialised.
                return Some(unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), length) });
            })*
            None
        }

        /// A vector of plain numbers from its bytes, if that is what `T` is.
        #[inline]
        pub(super) fn from_plain_bytes<T>(bytes: &[u8]) -> Option<T> {
            let id = typeid::of::<T>();
            $(if id == TypeId::of::<Vec<$number>>() {
                let count = bytes.len() / size_of::<$number>();
                let mut numbers = Vec::<$number>::with_capacity(count);
                // SAFETY: the vector has room for `count` numbers, which are at most `bytes.len()` bytes.
                unsafe {
                    std::ptr::copy_nonoverlapping(
                        bytes.as_ptr(),
                        numbers.as_mut_ptr().cast(),
                        count * size_of::<$number>(),
                    );
                }
                // SAFETY: the line above wrote them; every bit pattern is a number.
                unsafe { numbers.set_len(count) };
                let numbers = std::mem::ManuallyDrop::new(numbers);
                // SAFETY: the types are the same, and the original is not dropped.
                return Some(unsafe { std::ptr::from_ref(&numbers).cast::<T>().read() });
            })*
            None
        }
    };
}

plain_numbers!(u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, usize, isize, f32, f64);
