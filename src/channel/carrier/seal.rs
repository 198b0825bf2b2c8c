//! The message in a box: number, handles and bytes of one value.
//!
//! Knows nothing of who sends it to whom. It is written from bytes that were serialized before, because the handles
//! follow the thread and not the bytes; it is read as a value, because the handles are there only while ipc-channel
//! puts the message together.

use super::Envelope;
use super::handles::{are_complete, forget_arrivals, no_descriptors, sweep};
use crate::channel::codec::{Message, decode_once, look_into};
use crate::channel::error::MessageError;
use crate::memory::{Block, NONE};
use serde::de::{Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What is sent.
#[derive(Deserialize, Serialize)]
pub(super) struct Sealed {
    pub(super) number: u64,
    pub(super) channels: u64,
    pub(super) bytes: Bytes,
}

/// Bytes in one piece; serde would visit those of a plain vector one by one.
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        struct Copy;
        impl Visitor<'_> for Copy {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Copy)
    }
}

/// What is received: the value, or why it cannot be made.
pub(super) struct Unsealed<T>(pub(super) Result<T, MessageError>);

thread_local! {
    /// The envelope and the block of the message that the thread is about to receive.
    static EXPECTED: Cell<Option<(Envelope, Block)>> = const { Cell::new(None) };
}

/// Receives with an envelope at hand. A panic of `receive` leaves no handles behind.
pub(super) fn expecting<R>(envelope: &Envelope, block: Block, receive: impl FnOnce() -> R) -> R {
    let before = EXPECTED.replace(Some((*envelope, block)));
    let result = catch_unwind(AssertUnwindSafe(receive));
    EXPECTED.set(before);
    result.unwrap_or_else(|panic| {
        forget_arrivals();
        resume_unwind(panic)
    })
}

impl<'de, T: Message> Deserialize<'de> for Unsealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unsealed<T>, D::Error> {
        let Some((envelope, block)) = EXPECTED.get() else { return Err(D::Error::custom("nothing is expected")) };
        let sealed = Sealed::deserialize(deserializer)?;
        if sealed.number != envelope.number || sealed.channels != envelope.channels {
            sweep(sealed.channels);
            return Err(D::Error::custom("another message was expected"));
        }
        if !are_complete(sealed.channels) {
            sweep(sealed.channels);
            return Ok(Unsealed(Err(no_descriptors())));
        }
        let value = catch_unwind(AssertUnwindSafe(|| value_of(&envelope, &sealed.bytes.0, block)));
        sweep(sealed.channels);
        value.map(Unsealed).or_else(|panic| resume_unwind(panic))
    }
}

fn value_of<T: Message>(envelope: &Envelope, bytes: &[u8], block: Block) -> Result<T, MessageError> {
    if envelope.bytes_in_block && block != NONE {
        look_into(block, |all| {
            let (_, rest) = postcard::take_from_bytes::<Envelope>(all).unwrap_or((*envelope, &[]));
            decode_once(rest, block)
        })
    } else {
        decode_once(bytes, block)
    }
}

impl<T> Serialize for Unsealed<T> {
    /// ipc-channel wants it of everything that is received.
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("it is only received"))
    }
}

impl<T> fmt::Debug for Unsealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Unsealed").field(&PhantomData::<T>).finish()
    }
}
