//! A vector inside a message: one of plain numbers goes as its bytes, any other one value after the other.
//!
//! Knows nothing of the message around it: a field says `#[serde(with = "bulk")]`. Both sides see from the type how it
//! went.

use super::codec::{from_plain_bytes, plain_bytes};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

pub(crate) fn serialize<T: Serialize, S: Serializer>(values: &Vec<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match plain_bytes(values) {
        Some(bytes) => serializer.serialize_bytes(bytes),
        None => values.serialize(serializer),
    }
}

pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    match plain_bytes(&Vec::<T>::new()) {
        Some(_) => deserializer.deserialize_bytes(Numbers(PhantomData)),
        None => Vec::deserialize(deserializer),
    }
}

struct Numbers<T>(PhantomData<T>);

impl<T> Visitor<'_> for Numbers<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bytes of numbers of type {}", std::any::type_name::<T>())
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<T>, E> {
        let whole = bytes.len().is_multiple_of(size_of::<T>().max(1));
        let numbers = whole.then(|| from_plain_bytes(bytes)).flatten();
        numbers.ok_or_else(|| E::invalid_length(bytes.len(), &self))
    }
}

#[cfg(test)]
mod tests {
    use crate::channel::bulk;
    use crate::channel::{decode, encode};
    use proptest::prelude::*;
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Serialize};
    use std::fmt::Debug;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(bound(serialize = "T: Serialize", deserialize = "T: DeserializeOwned"))]
    struct Around<T> {
        before: u32,
        #[serde(with = "bulk")]
        values: Vec<T>,
        after: String,
    }

    fn arrives<T: Serialize + DeserializeOwned + Debug + PartialEq>(values: Vec<T>) {
        let sent = Around { before: 7, values, after: String::from("after") };
        let (came, _) = decode::<Around<T>>(&encode(&sent).unwrap()).unwrap();
        assert_eq!(came, sent);
    }

    #[test]
    fn whatever_is_in_it_a_vector_arrives_as_it_was_sent() {
        proptest!(|(
            bytes in prop::collection::vec(any::<u8>(), 0..50), wide in prop::collection::vec(any::<u128>(), 0..5000),
            signed in prop::collection::vec(any::<i16>(), 0..50), texts in prop::collection::vec(".*", 0..20),
            pairs in prop::collection::vec(any::<(u64, bool)>(), 0..50), nothing in 0_usize..50,
        )| {
            arrives(bytes);
            arrives(wide);
            arrives(signed);
            arrives(texts);
            arrives(pairs);
            arrives(vec![(); nothing]);
        });
    }

    #[test]
    fn numbers_take_their_size_and_half_a_number_is_refused() {
        let numbers = Around { before: 0, values: vec![u64::MAX, 1], after: String::new() };
        let bytes = postcard::to_stdvec(&numbers).unwrap();
        assert_eq!(bytes.len(), 1 + 1 + 16 + 1);
        let odd = Around { before: 0, values: vec![1_u8; 15], after: String::new() };
        let bytes = postcard::to_stdvec(&odd).unwrap();
        assert!(postcard::from_bytes::<Around<u64>>(&bytes).is_err());
    }
}
