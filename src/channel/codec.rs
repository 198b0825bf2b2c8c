//! Values to bytes and back, straight into and out of the block that travels.
//!
//! Knows nothing of who sends to whom. The format is postcard; a vector of plain numbers on its own goes as its bytes,
//! because serde would visit them one by one (37 µs for 64 KiB, where a copy takes 1.2; measured, November 2026).
#![expect(unsafe_code, reason = "reads and writes blocks that the caller owns; listed in the architecture page")]

use super::end::discard;
use super::error::MessageError;
use super::refusal;
use super::travel::Journey;
use crate::engine::live::{EndName, Holder, Local, tables, with_local};
use crate::memory::{ArenaError, Block, NONE};
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
struct IntoBlock {
    bytes: &'static mut [u8],
    length: usize,
}

impl Flavor for IntoBlock {
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

/// Serializes a value into a block that the calling thread owns. Ends inside the value are requested again for the
/// block.
#[inline]
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Block, MessageError> {
    match try_encode(value, 0)? {
        Ok(block) => Ok(block),
        Err(needed) => encode_larger(value, needed),
    }
}

/// The first try has counted what is needed. Ends have other numbers at each try, of other lengths perhaps, so it may
/// need a little more.
#[cold]
fn encode_larger<T: Serialize>(value: &T, mut needed: usize) -> Result<Block, MessageError> {
    for slack in 0..8 {
        match try_encode(value, needed + needed * slack / 8)? {
            Ok(block) => return Ok(block),
            Err(more) => needed = more,
        }
    }
    Err(encode_error::<T>(String::from("it serializes differently each time")))
}

/// One try with a block of at least so many bytes; the inner error says how many it takes.
#[inline]
fn try_encode<T: Serialize>(value: &T, bytes: usize) -> Result<Result<Block, usize>, MessageError> {
    let draft = Draft(with_local(|local| local.take_block(bytes))??);
    let length = encode_into(value, draft.0)?;
    if length > tables().arena.capacity(draft.0) {
        return Ok(Err(length));
    }
    tables().arena.block(draft.0).set_length(length);
    Ok(Ok(draft.done()))
}

/// A block that is being written. Given up, with the ends that already travel in it, when that fails: also by a panic
/// in a user's
/// `Serialize`.
pub(super) struct Draft(pub(super) Block);

impl Draft {
    /// The message is complete.
    #[inline]
    pub(super) fn done(mut self) -> Block {
        std::mem::replace(&mut self.0, NONE)
    }
}

impl Drop for Draft {
    #[inline]
    fn drop(&mut self) {
        if self.0 != NONE {
            discard(self.0);
        }
    }
}

fn encode_error<T>(reason: String) -> MessageError {
    MessageError::Encode { type_name: String::from(std::any::type_name::<T>()), reason }
}

#[inline]
fn encode_into<T: Serialize>(value: &T, block: Block) -> Result<usize, MessageError> {
    // SAFETY: the calling thread owns the block, and the slice does not outlive this function.
    let bytes = unsafe { tables().arena.bytes_mut(block) };
    if let Some(plain) = plain_bytes(value) {
        if let Some(target) = bytes.get_mut(..plain.len()) {
            target.copy_from_slice(plain);
        }
        return Ok(plain.len());
    }
    let _journey = Journey::into_block(block);
    postcard::serialize_with_flavor(value, IntoBlock { bytes, length: 0 })
        .map_err(|error| encode_error::<T>(refusal::of_serialize(value, error)))
}

/// Makes a value of a message that the calling thread owns; says which ends came with it. The block stays the caller's.
#[inline]
pub(crate) fn decode<T: DeserializeOwned>(block: Block) -> Result<(T, Vec<EndName>), MessageError> {
    // SAFETY: the calling thread owns the block, and the slice does not outlive this function: `T` owns its data.
    let bytes = unsafe { tables().arena.bytes(block) };
    decode_bytes(bytes, block)
}

/// Looks at the bytes of a message that the calling thread owns.
pub(super) fn look_into<R>(block: Block, look: impl FnOnce(&[u8]) -> R) -> R {
    // SAFETY: the calling thread owns the block, and `look` cannot keep the slice.
    look(unsafe { tables().arena.bytes(block) })
}

/// Serializes a value exactly once: what is taken out of it then may not be there a second time. Ends inside are
/// requested again for the block, which the calling thread owns.
pub(super) fn encode_once<T: Serialize>(value: &T, block: Block) -> Result<Vec<u8>, MessageError> {
    if let Some(plain) = plain_bytes(value) {
        return Ok(plain.to_vec());
    }
    let _journey = Journey::into_block(block);
    refusal::serialize(value, StdVec::new()).map_err(encode_error::<T>)
}

/// A block with these bytes, one part after the other, in place of one that belongs to the calling thread: the same, or
/// a larger one with the ends that travelled in it.
pub(super) fn fill(block: Block, parts: [&[u8]; 2]) -> Result<Block, (Block, ArenaError)> {
    let length = parts[0].len() + parts[1].len();
    let block = match tables().arena.capacity(block) {
        room if room >= length => block,
        _ => with_local(|local| enlarge(local, block, length))
            .and_then(|larger| larger)
            .map_err(|error| (block, error))?,
    };
    // SAFETY: the calling thread owns the block, and the slice does not outlive this function.
    let bytes = unsafe { tables().arena.bytes_mut(block) };
    bytes[..parts[0].len()].copy_from_slice(parts[0]);
    bytes[parts[0].len()..length].copy_from_slice(parts[1]);
    tables().arena.block(block).set_length(length);
    Ok(block)
}

fn enlarge(local: &mut Local, block: Block, length: usize) -> Result<Block, ArenaError> {
    let larger = tables().arena.take_block(length, local.owner())?;
    if tables().arena.block(block).ends().load(std::sync::atomic::Ordering::Acquire) != 0 {
        for end in tables().held_by(Holder::Block(block)) {
            local.move_end(end, Holder::Block(block), Holder::Block(larger));
        }
    }
    local.keep_block(block);
    Ok(larger)
}

/// Makes a value of bytes; ends inside come out of `block`.
#[inline]
fn decode_bytes<T: DeserializeOwned>(bytes: &[u8], block: Block) -> Result<(T, Vec<EndName>), MessageError> {
    if let Some(value) = from_plain_bytes::<T>(bytes) {
        return Ok((value, Vec::new()));
    }
    let journey = Journey::out_of_block(block);
    match postcard::from_bytes(bytes) {
        Ok(value) => Ok((value, journey.arrived())),
        Err(error) => {
            journey.again();
            Err(decode_error::<T>(refusal::of_deserialize::<T>(bytes, error)))
        }
    }
}

/// As `decode_bytes`, but in one go whatever happens: what the value takes from its thread is there once.
pub(super) fn decode_once<T: DeserializeOwned>(bytes: &[u8], block: Block) -> Result<T, MessageError> {
    if let Some(value) = from_plain_bytes::<T>(bytes) {
        return Ok(value);
    }
    let _journey = Journey::out_of_block(block);
    refusal::deserialize(bytes).map_err(decode_error::<T>)
}

fn decode_error<T>(reason: String) -> MessageError {
    MessageError::Decode { type_name: String::from(std::any::type_name::<T>()), reason }
}

macro_rules! plain_numbers {
    ($($number:ty),*) => {
        /// The bytes of a value that is a vector of plain numbers.
        #[inline]
        fn plain_bytes<T>(value: &T) -> Option<&[u8]> {
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
        fn from_plain_bytes<T>(bytes: &[u8]) -> Option<T> {
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
