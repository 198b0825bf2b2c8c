//! Functions as they travel from a pool to its workers.
//!
//! Knows nothing of what they do. A process started from the same image finds a function by two words.

use crate::channel::MessageError;
use crate::sys::image::{AnyFn, NoImageFn, Signature};

/// A function as another process finds it.
pub(super) type Words = [u64; 2];

/// What another process needs to find a function.
pub(super) fn words<F: Signature>(function: F::Function) -> Result<Words, MessageError> {
    AnyFn::of::<F>(function).to_words().map_err(|error| MessageError::Function {
        reason: match error {
            NoImageFn::Foreign { address, place, image } => format!(
                "the function at {address:#x} lies in {place}, and workers find only those of {image}: give them one \
                 of those, and have it call this one"
            ),
            NoImageFn::Signature { .. } => error.to_string(),
        },
    })
}

/// A function that another process has told.
pub(super) fn function<F: Signature>(words: Words) -> F::Function {
    let found = AnyFn::from_words(words).and_then(AnyFn::get::<F>);
    found.unwrap_or_else(|error| unreachable!("a pool tells its workers functions of the image: {error}"))
}
