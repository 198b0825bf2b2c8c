//! The message in a box: number, handles and bytes of one value.
//!
//! Knows nothing of who sends it to whom. It is written from bytes that were serialized before, because the handles
//! follow the thread and not the bytes; it is read as a value, because the handles are there only while ipc-channel
//! puts the message together.

use super::Envelope;
use super::handles::{are_complete, forget_arrivals, no_descriptors, sweep};
use crate::channel::codec::{Message, decode_head, decode_once};
use crate::channel::error::MessageError;
use crate::engine::Packet;
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

/// The message that the thread is about to receive.
struct Expected {
    envelope: Envelope,
    packet: Option<Packet>,
}

thread_local! {
    static EXPECTED: Cell<Option<Expected>> = const { Cell::new(None) };
}

/// Receives with envelope and packet at hand; the packet is in its slot again afterwards. A panic of `receive` leaves
/// no handles behind.
pub(super) fn expecting<R>(envelope: &Envelope, packet: &mut Option<Packet>, receive: impl FnOnce() -> R) -> R {
    let before = EXPECTED.replace(Some(Expected { envelope: *envelope, packet: packet.take() }));
    let result = catch_unwind(AssertUnwindSafe(receive));
    *packet = EXPECTED.replace(before).and_then(|expected| expected.packet);
    result.unwrap_or_else(|panic| {
        forget_arrivals();
        resume_unwind(panic)
    })
}

impl<'de, T: Message> Deserialize<'de> for Unsealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unsealed<T>, D::Error> {
        let sealed = Sealed::deserialize(deserializer)?;
        let Some(expected) = EXPECTED.take() else { return Err(D::Error::custom("nothing is expected")) };
        let value = catch_unwind(AssertUnwindSafe(|| expected.value_of(&sealed)));
        EXPECTED.set(Some(expected));
        sweep(sealed.channels);
        value.unwrap_or_else(|panic| resume_unwind(panic)).map(Unsealed).map_err(D::Error::custom)
    }
}

impl Expected {
    /// The outer error: it is another message.
    fn value_of<T: Message>(&self, sealed: &Sealed) -> Result<Result<T, MessageError>, &'static str> {
        let Expected { envelope, packet } = self;
        if sealed.number != envelope.number || sealed.channels != envelope.channels {
            return Err("another message was expected");
        }
        if !are_complete(sealed.channels) {
            return Ok(Err(no_descriptors()));
        }
        let bytes = match packet {
            Some(packet) if envelope.bytes_in_block => {
                decode_head::<Envelope>(packet.bytes()).map_or(&[][..], |(_, rest)| rest)
            }
            _ => &sealed.bytes.0,
        };
        Ok(decode_once(bytes, packet.as_ref()))
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
