//! Why a value cannot be taken apart or put together, in the words of its own `Serialize` or `Deserialize`.
//!
//! Knows nothing of blocks and ends. Postcard drops the text of such an error. So here are its format once more, on
//! both sides, with errors that keep it; each number, text and run of bytes is still postcard's own work. A message
//! that is well never comes here.

mod read;
mod write;

use postcard::ser_flavors::{Flavor, Size};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// What a value, or postcard, said.
#[derive(Debug)]
struct Reason(String);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Reason {}

impl serde::ser::Error for Reason {
    fn custom<T: fmt::Display>(text: T) -> Reason {
        Reason(text.to_string())
    }
}

impl serde::de::Error for Reason {
    fn custom<T: fmt::Display>(text: T) -> Reason {
        Reason(text.to_string())
    }
}

/// Postcard's words, with the remedy where its own say too little.
impl From<postcard::Error> for Reason {
    fn from(error: postcard::Error) -> Reason {
        Reason(match error {
            postcard::Error::WontImplement => String::from(
                "the format needs to know the shape of a value from its type: avoid #[serde(flatten)], untagged \
                 and internally tagged enums, and serde_json::Value",
            ),
            postcard::Error::SerializeSeqLengthUnknown => {
                String::from("a sequence must know its length before it is serialized: collect it into a Vec")
            }
            postcard::Error::DeserializeUnexpectedEnd => String::from(
                "the message ends too early: its Deserialize expects more than its Serialize has written \
                 (avoid #[serde(skip_serializing_if)])",
            ),
            other => other.to_string(),
        })
    }
}

/// Serializes, and keeps the text of an error.
pub(super) fn serialize<T: Serialize, F: Flavor>(value: &T, output: F) -> Result<F::Output, String> {
    let mut serializer = postcard::Serializer { output };
    value.serialize(write::Writing(&mut serializer)).map_err(|reason| reason.0)?;
    serializer.output.finalize().map_err(|error| Reason::from(error).0)
}

/// Deserializes, and keeps the text of an error.
pub(super) fn deserialize<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    T::deserialize(&mut read::Reading(bytes)).map_err(|reason| reason.0)
}

/// Why postcard could not serialize a value; if the value said it, serializes the value again to hear it.
#[cold]
pub(super) fn of_serialize<T: Serialize>(value: &T, error: postcard::Error) -> String {
    let heard = match error {
        postcard::Error::SerdeSerCustom => serialize(value, Size::default()).err(),
        _ => None,
    };
    heard.unwrap_or_else(|| Reason::from(error).0)
}

/// Why postcard could not deserialize a value; if its type said it, deserializes again to hear it.
#[cold]
pub(super) fn of_deserialize<T: DeserializeOwned>(bytes: &[u8], error: postcard::Error) -> String {
    let heard = match error {
        postcard::Error::SerdeDeCustom => deserialize::<T>(bytes).err(),
        _ => None,
    };
    heard.unwrap_or_else(|| Reason::from(error).0)
}
