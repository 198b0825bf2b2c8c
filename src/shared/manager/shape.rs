//! What a type looks like to serde: the names of its structs, fields and variants, and what lies in them.
//!
//! Knows nothing of values. The type itself is asked: its `Deserialize` is run on made-up values, and what it asks for
//! is written down. Two programs whose types answer alike read each other's bytes alike; where they do not, they would
//! take one number for another without noticing, for the bytes say nothing of themselves.
//!
//! A type that refuses what is made up (a text that has to be a date, an end of a channel) is described as far as it
//! went. An enum is asked as often as it has variants, so each of them is seen; a type that holds itself is followed
//! for some steps.

use crate::sys::quietly::quietly;
use serde::de::value::{Error, U32Deserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use std::fmt::Write;

/// How deep a type is followed.
const DEEP: usize = 12;
/// How much is written down of a type in one round.
const LONG: usize = 8 << 10;
/// How many variants of an enum are looked into.
const ROUNDS: u32 = 64;

/// What the type looks like.
pub(super) fn shape<T: DeserializeOwned>() -> String {
    let mut seen = String::new();
    let mut rounds = 1;
    let mut round = 0;
    while round < rounds {
        let mut trace = Trace { seen: String::new(), round, rounds, deep: 0 };
        // Whatever comes of it: what was seen is what counts.
        let _ = quietly(|| drop(T::deserialize(&mut trace)));
        rounds = trace.rounds.min(ROUNDS);
        seen += &trace.seen;
        seen.push('|');
        round += 1;
    }
    seen
}

/// One look at a type.
struct Trace {
    seen: String,
    /// Which variant of each enum is looked into, as far as it has so many.
    round: u32,
    /// As many as the largest enum has variants.
    rounds: u32,
    deep: usize,
}

impl Trace {
    fn note(&mut self, what: &str) -> Result<(), Error> {
        self.seen.push_str(what);
        self.seen.push(' ');
        if self.seen.len() > LONG { Err(stop()) } else { Ok(()) }
    }

    fn note_names(&mut self, name: &str, names: &[&str]) -> Result<(), Error> {
        let _ = write!(self.seen, "{name}{names:?}");
        self.note("")
    }

    fn is_deep(&self) -> bool {
        self.deep >= DEEP
    }

    fn inside<R>(&mut self, look: impl FnOnce(&mut Trace) -> Result<R, Error>) -> Result<R, Error> {
        if self.is_deep() {
            return Err(stop());
        }
        self.deep += 1;
        let result = look(self);
        self.deep -= 1;
        result
    }

    fn elements<'de, V: Visitor<'de>>(&mut self, count: usize, visitor: V) -> Result<V::Value, Error> {
        self.inside(|trace| visitor.visit_seq(Elements { trace, left: count }))
    }
}

fn stop() -> Error {
    serde::de::Error::custom("enough was seen")
}

macro_rules! plain {
    ($($deserialize:ident $visit:ident $value:expr;)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.note(&stringify!($deserialize)["deserialize_".len()..])?;
            visitor.$visit($value)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Trace {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    // One is a value of more types than zero is.
    plain! {
        deserialize_bool visit_bool false;
        deserialize_i8 visit_i8 1;
        deserialize_i16 visit_i16 1;
        deserialize_i32 visit_i32 1;
        deserialize_i64 visit_i64 1;
        deserialize_i128 visit_i128 1;
        deserialize_u8 visit_u8 1;
        deserialize_u16 visit_u16 1;
        deserialize_u32 visit_u32 1;
        deserialize_u64 visit_u64 1;
        deserialize_u128 visit_u128 1;
        deserialize_f32 visit_f32 1.0;
        deserialize_f64 visit_f64 1.0;
        deserialize_char visit_char '1';
        deserialize_str visit_str "1";
        deserialize_string visit_str "1";
        deserialize_bytes visit_bytes b"1";
        deserialize_byte_buf visit_bytes b"1";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("option")?;
        if self.is_deep() {
            return visitor.visit_none();
        }
        self.inside(|trace| visitor.visit_some(trace))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("unit")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.note(name)?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.note(name)?;
        self.inside(|trace| visitor.visit_newtype_struct(trace))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("sequence")?;
        let count = usize::from(!self.is_deep());
        if count == 0 {
            return visitor.visit_seq(Elements { trace: self, left: 0 });
        }
        self.elements(count, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.note_names("tuple", &[&length.to_string()])?;
        self.elements(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note_names(name, &[&length.to_string()])?;
        self.elements(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.note("map")?;
        if self.is_deep() {
            return visitor.visit_map(Elements { trace: self, left: 0 });
        }
        self.inside(|trace| visitor.visit_map(Elements { trace, left: 1 }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note_names(name, fields)?;
        self.elements(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.note_names(name, variants)?;
        let count = u32::try_from(variants.len()).unwrap_or(u32::MAX);
        self.rounds = self.rounds.max(count);
        let variant = self.round.checked_rem(count).ok_or_else(stop)?;
        self.inside(|trace| visitor.visit_enum(Variant { trace, variant }))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(stop())
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.note("any")?;
        Err(stop())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}

/// So many elements, or entries.
struct Elements<'a> {
    trace: &'a mut Trace,
    left: usize,
}

impl Elements<'_> {
    fn next<'de, S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.trace).map(Some)
    }
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.next(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.next(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(&mut *self.trace)
    }
}

/// A variant, by its number.
struct Variant<'a> {
    trace: &'a mut Trace,
    variant: u32,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Error;
    type Variant = &'a mut Trace;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, &'a mut Trace), Error> {
        let number: U32Deserializer<Error> = self.variant.into_deserializer();
        Ok((seed.deserialize(number)?, self.trace))
    }
}

impl<'de> VariantAccess<'de> for &mut Trace {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        self.note("unit")
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use std::num::NonZeroU8;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Point {
        x: i32,
        y: Option<NonZeroU8>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    enum Tree {
        Leaf(u8),
        Node(Box<Tree>, Vec<Tree>),
        Named { name: String, by: BTreeMap<char, [f64; 2]> },
    }

    struct Bomb;

    impl<'de> Deserialize<'de> for Bomb {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bomb, D::Error> {
            u16::deserialize(deserializer)?;
            panic!("it is not to be made up");
        }
    }

    #[test]
    fn a_type_is_described_by_names_and_what_lies_in_it() {
        assert_eq!(shape::<u32>(), "u32 |");
        assert_eq!(shape::<Point>(), "Point[\"x\", \"y\"] i32 option u8 |");
        assert_eq!(shape::<(String, Vec<bool>)>(), "tuple[\"2\"] string sequence bool |");
        assert_eq!(shape::<crate::Reader<u8>>(), "|", "an end is no value");
        assert_eq!(shape::<(u8, Bomb, u8)>(), "tuple[\"3\"] u8 u16 |", "as far as it goes");
    }

    #[test]
    fn every_variant_is_looked_into_and_a_type_that_holds_itself_ends() {
        let shape = shape::<Tree>();
        let rounds: Vec<&str> = shape.split_terminator('|').collect();
        let head = "Tree[\"Leaf\", \"Node\", \"Named\"] ";
        let [leaf, node, named] = rounds[..] else { panic!("{rounds:?}") };
        assert_eq!(leaf, format!("{head}u8 "));
        assert!(node.starts_with(&format!("{head}tuple[\"2\"] {head}")) && node.len() < 2 * LONG, "{node}");
        assert_eq!(named, format!("{head}[\"name\", \"by\"] string map char tuple[\"2\"] f64 f64 "));
    }
}
