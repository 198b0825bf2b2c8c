//! Functions of the program as parts of messages: `ImageFn<S>`, and the words of those whose signature not everybody
//! knows.
//!
//! Knows nothing of what they do, nor of who calls them. A function travels as the two words of [`AnyFn`]: whoever
//! receives it has a function of the program's image with the signature that was sent, or an error that names what is
//! wrong.

use super::error::MessageError;
use crate::sys::image::{AnyFn, NoImageFn, Signature};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A function as another process finds it.
pub(crate) type Words = [u64; 2];

/// What another process needs to find a function.
///
/// # Errors
/// It is none of the program's image.
pub(crate) fn words<S: Signature>(function: S::Function) -> Result<Words, MessageError> {
    AnyFn::of::<S>(function).to_words().map_err(|error| MessageError::Function {
        reason: match error {
            NoImageFn::Foreign { address, place, image } => format!(
                "the function at {address:#x} lies in {place}, and other processes find only those of {image}: send \
                 one of those, and have it call this one"
            ),
            NoImageFn::Signature { .. } => error.to_string(),
        },
    })
}

/// The function whose [`words`] these are.
pub(crate) fn told<S: Signature>(words: Words) -> S::Function {
    find::<S>(words).unwrap_or_else(|error| unreachable!("only functions of the image have words: {error}"))
}

fn find<S: Signature>(words: Words) -> Result<S::Function, NoImageFn> {
    AnyFn::from_words(words).and_then(AnyFn::get::<S>)
}

/// A function with this signature.
#[derive(Debug)]
pub(crate) struct ImageFn<S: Signature>(pub(crate) S::Function);

impl<S: Signature> Serialize for ImageFn<S> {
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        words::<S>(self.0).map_err(W::Error::custom)?.serialize(serializer)
    }
}

impl<'de, S: Signature> Deserialize<'de> for ImageFn<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ImageFn<S>, D::Error> {
        find::<S>(Deserialize::deserialize(deserializer)?).map(ImageFn).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::image::{LooksAt, Takes, foreign};

    fn twice(number: u64) -> u64 {
        2 * number
    }

    #[test]
    fn a_function_arrives_with_the_signature_with_which_it_was_sent() {
        let bytes = postcard::to_stdvec(&ImageFn::<Takes<u64, u64>>(twice)).unwrap();
        assert_eq!(postcard::from_bytes::<ImageFn<Takes<u64, u64>>>(&bytes).unwrap().0(21), 42);
        assert!(postcard::from_bytes::<ImageFn<LooksAt<u64, u64>>>(&bytes).is_err());
    }

    #[test]
    fn a_function_of_a_library_is_not_sent() {
        assert!(postcard::to_stdvec(&ImageFn::<Takes<u64, u64>>(foreign())).is_err());
        let told = words::<Takes<u64, u64>>(foreign()).unwrap_err().to_string();
        assert!(told.contains("libc") && told.ends_with("send one of those, and have it call this one"), "{told}");
    }
}
