//! The format of messages: what serde makes of a value, one thing behind the other, without names and types.
//!
//! Knows nothing of blocks and ends. All who read it run the same program, or have compared their types and the version
//! before, so it says nothing of itself:
//!
//! | of serde's data model | bytes |
//! |---|---|
//! | a number | its own, the lowest first; `usize` and `isize` as 64 bits |
//! | `bool`, `char` | 0 or 1; the number of the character in four bytes |
//! | text, bytes, a sequence, a map | how many there are, then they themselves |
//! | an option | 0; or 1, then what is in it |
//! | a variant | its number, written as how many there are of something; then what is in it |
//! | a struct, a tuple, a newtype | what is in it |
//! | a unit | nothing |
//!
//! How many there are is one byte below 255; or 255, then eight bytes.
//!
//! Postcard's format, which was in this place, has numbers of varying length. So those of a vector in a struct were
//! visited one by one (1 MiB of `f64` took 3.5 times as long as on its own, and takes as long now; measured, November
//! 2026). And it drops the text of an error of the user's.

mod numbers;
mod read;
#[cfg(test)]
mod tests;
mod write;

use serde::{Deserialize, Serialize};
use std::fmt;

/// What stands before eight bytes that say how many there are.
const LONG: u8 = u8::MAX;

/// What bytes are written into. It has to take them all, or to say that it does not.
pub(super) trait Sink {
    fn put(&mut self, bytes: &[u8]);

    /// Whether the rest is not wanted.
    #[inline]
    fn is_full(&self) -> bool {
        false
    }
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Writes a value.
#[inline]
pub(super) fn write<T: Serialize, S: Sink>(value: &T, sink: &mut S) -> Result<(), Refused> {
    value.serialize(write::Writing(sink))
}

/// Reads a value, and gives the bytes behind it.
#[inline]
pub(super) fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<(T, &'de [u8]), Refused> {
    let mut left = read::Reading(bytes);
    let value = T::deserialize(&mut left)?;
    Ok((value, left.0))
}

/// Why a value cannot be taken apart or put together: in the words of its own `Serialize` or `Deserialize`, or in those
/// of the format.
#[derive(Debug)]
pub(super) struct Refused(Box<str>);

impl Refused {
    /// A value that describes itself, or of which a field is not always there.
    #[cold]
    fn shapeless() -> Refused {
        Refused::from(
            "the format needs to know the shape of a value from its type: avoid #[serde(flatten)], untagged and \
             internally tagged enums, and serde_json::Value",
        )
    }

    #[cold]
    fn uncounted() -> Refused {
        Refused::from("a sequence must know its length before it is serialized: collect it into a Vec")
    }

    /// Nobody is told: whoever wanted no more writes again, elsewhere.
    #[cold]
    fn unwanted() -> Refused {
        Refused::from("")
    }

    #[cold]
    fn too_short() -> Refused {
        Refused::from(
            "the message ends too early: its Deserialize expects more than its Serialize has written (avoid \
             #[serde(skip_serializing_if)])",
        )
    }

    /// Bytes that can only be those of another type.
    #[cold]
    fn misread(what: &str) -> Refused {
        Refused(
            format!("what was written is no {what}: its Deserialize expects something else than its Serialize writes")
                .into(),
        )
    }
}

impl From<&str> for Refused {
    fn from(text: &str) -> Refused {
        Refused(text.into())
    }
}

impl From<Refused> for String {
    fn from(refused: Refused) -> String {
        refused.0.into()
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl serde::ser::Error for Refused {
    #[cold]
    fn custom<T: fmt::Display>(text: T) -> Refused {
        Refused(text.to_string().into())
    }
}

impl serde::de::Error for Refused {
    #[cold]
    fn custom<T: fmt::Display>(text: T) -> Refused {
        Refused(text.to_string().into())
    }
}
