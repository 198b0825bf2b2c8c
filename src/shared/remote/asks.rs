//! What a client asks for: an object by its name, or what comes of one of its methods.
//!
//! Knows nothing of objects. Arguments follow as bytes.

use super::frame::LIMIT;
use crate::channel::MessageError;
use serde::{Deserialize, Serialize};

/// What a client asks for.
#[derive(Serialize, Deserialize)]
pub(in crate::shared) enum Asks<'a> {
    /// For an object by its name, as one of this type.
    Object { name: &'a str, title: &'a str, fingerprint: u64 },
    /// For what comes of a method; the arguments follow.
    Method { object: u32, name: &'a str },
}

/// Whether so many bytes can go to another program at once.
pub(in crate::shared) fn fits(bytes: usize) -> Result<(), MessageError> {
    // With the byte that says what they are.
    if bytes < LIMIT {
        return Ok(());
    }
    let reason =
        format!("{bytes} bytes are too many to go to another program, which takes {LIMIT} at once: send parts");
    Err(MessageError::Memory { reason })
}
