//! A vector inside a message: one of plain numbers goes as its bytes, any other one value after the other.
//!
//! Knows nothing of the message around it: a field says `#[serde(with = "bulk")]`. Both sides see from the type how it
//! went.

use super::codec::{from_plain_bytes, plain_bytes};
use serde::de::{DeserializeOwned, Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::TypeId;
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

/// A value that, if it is a vector of bytes, is written and read in one piece. So it lies in a message as it would
/// otherwise, where each byte is visited: whoever reads the one may have been written the other.
#[derive(Debug)]
pub(crate) struct Whole<T>(pub(crate) T);

fn is_bytes<T>() -> bool {
    typeid::of::<T>() == TypeId::of::<Vec<u8>>()
}

impl<T: Serialize> Serialize for Whole<&T> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match plain_bytes(self.0).filter(|_| is_bytes::<T>()) {
            Some(bytes) => serializer.serialize_bytes(bytes),
            None => self.0.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Whole<T> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Whole<T>, D::Error> {
        match is_bytes::<T>() {
            true => deserializer.deserialize_bytes(Bytes(PhantomData)).map(Whole),
            false => T::deserialize(deserializer).map(Whole),
        }
    }
}

struct Bytes<T>(PhantomData<T>);

impl<T> Visitor<'_> for Bytes<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        from_plain_bytes(bytes).ok_or_else(|| E::invalid_length(bytes.len(), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::Whole;
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
    fn a_value_in_one_piece_lies_in_a_message_as_any_other_does() {
        fn same<T: Serialize + DeserializeOwned + Debug + PartialEq>(value: T) {
            let bytes = postcard::to_stdvec(&(7_u8, &value, 9_u8)).unwrap();
            let (before, Whole(came), after): (u8, Whole<T>, u8) = postcard::from_bytes(&bytes).unwrap();
            assert_eq!((before, &came, after), (7, &value, 9));
            assert_eq!(postcard::to_stdvec(&(7_u8, Whole(&came), 9_u8)).unwrap(), bytes);
            assert!(postcard::from_bytes::<(u8, Whole<T>, u8)>(&bytes[..bytes.len() - 1]).is_err());
        }
        same((0..=255).chain(0..=255).collect::<Vec<u8>>());
        same(Vec::<u8>::new());
        same(vec![1_u32, 1 << 20]);
        same(Some(vec![1_u8]));
        same(String::from("text"));
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
