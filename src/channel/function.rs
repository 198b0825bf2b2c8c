//! `ImageFn<S>`: a function of the program as a part of a message.
//!
//! Knows nothing of what it does, nor of who calls it. It travels as the two words of [`AnyFn`]: whoever receives it
//! has a function of the program's image with the signature that was sent, or an error that names what is wrong.

use crate::sys::image::{AnyFn, Signature};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A function with this signature.
#[derive(Debug)]
pub(crate) struct ImageFn<S: Signature>(pub(crate) S::Function);

impl<S: Signature> Serialize for ImageFn<S> {
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        AnyFn::of::<S>(self.0).to_words().map_err(W::Error::custom)?.serialize(serializer)
    }
}

impl<'de, S: Signature> Deserialize<'de> for ImageFn<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ImageFn<S>, D::Error> {
        let told = AnyFn::from_words(Deserialize::deserialize(deserializer)?);
        told.and_then(AnyFn::get::<S>).map(ImageFn).map_err(D::Error::custom)
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
    }
}
