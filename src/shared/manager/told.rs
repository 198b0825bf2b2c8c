//! `Told`: a function of the program's image as a message.
//!
//! Knows nothing of what it is for. Who receives one has a function of the signature that it asked for, or an error:
//! [`AnyFn`] sees to both.

use crate::sys::image::{AnyFn, Signature};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A function of this signature.
pub(super) struct Told<S: Signature>(pub(super) S::Function);

impl<S: Signature> Serialize for Told<S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        AnyFn::of::<S>(self.0).to_words().map_err(Z::Error::custom)?.serialize(serializer)
    }
}

impl<'de, S: Signature> Deserialize<'de> for Told<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Told<S>, D::Error> {
        let words = <[u64; 2]>::deserialize(deserializer)?;
        AnyFn::from_words(words).and_then(AnyFn::get::<S>).map(Told).map_err(D::Error::custom)
    }
}
