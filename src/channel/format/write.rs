//! Values to bytes.
//!
//! Knows nothing of where the bytes go.

use super::numbers::in_one_piece;
use super::{LONG, Refused, Sink};
use serde::{Serialize, Serializer, ser};
use std::fmt::{Display, Write};

/// Writes one value.
pub(super) struct Writing<'a, S>(pub(super) &'a mut S);

impl<S: Sink> Writing<'_, S> {
    #[inline]
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        if self.0.is_full() {
            return Err(Refused::unwanted());
        }
        value.serialize(Writing(self.0))
    }

    #[inline]
    fn count(self, count: u64) -> Self {
        match u8::try_from(count) {
            Ok(short) if short < LONG => self.0.put(&[short]),
            _ => {
                self.0.put(&[LONG]);
                self.0.put(&count.to_le_bytes());
            }
        }
        self
    }

    #[inline]
    fn sequence(self, length: Option<usize>) -> Result<Self, Refused> {
        Ok(self.count(length.ok_or_else(Refused::uncounted)? as u64))
    }

    #[inline]
    fn bytes(self, count: usize, bytes: &[u8]) {
        self.count(count as u64).0.put(bytes);
    }
}

macro_rules! numbers {
    ($($method:ident $number:ty),*) => {
        $(#[inline]
        fn $method(self, value: $number) -> Result<(), Refused> {
            self.0.put(&value.to_le_bytes());
            Ok(())
        })*
    };
}

impl<S: Sink> Serializer for Writing<'_, S> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128,
        serialize_f32 f32, serialize_f64 f64
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Refused> {
        self.serialize_u8(u8::from(value))
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), Refused> {
        self.serialize_u32(u32::from(value))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        self.serialize_bytes(value.as_bytes())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<(), Refused> {
        self.bytes(value.len(), value);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Refused> {
        let mut text = String::new();
        write!(text, "{value}").map_err(|_| Refused::from("its Display fails"))?;
        self.serialize_str(&text)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Refused> {
        self.serialize_bool(false)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<(), Refused> {
        self.part(&true)?;
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Refused> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), Refused> {
        self.count(index.into());
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        value.serialize(self.count(index.into()))
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Refused> {
        self.sequence(length)
    }

    #[inline]
    fn collect_seq<I: IntoIterator<Item: Serialize>>(self, sequence: I) -> Result<(), Refused> {
        if let Some((count, bytes)) = in_one_piece(&sequence) {
            self.bytes(count, bytes);
            return Ok(());
        }
        let mut elements = sequence.into_iter();
        let length = match elements.size_hint() {
            (least, Some(most)) if least == most => Some(least),
            _ => None,
        };
        let mut writing = self.sequence(length)?;
        elements.try_for_each(|element| writing.part(&element))
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    #[inline]
    fn serialize_tuple_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self.count(index.into()))
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Self, Refused> {
        self.sequence(length)
    }

    #[inline]
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    #[inline]
    fn serialize_struct_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self.count(index.into()))
    }
}

macro_rules! put_together {
    ($($part:ident { $($method:ident($($name:ty)?)),* })*) => {
        $(impl<S: Sink> ser::$part for Writing<'_, S> {
            type Ok = ();
            type Error = Refused;

            $(#[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Result<(), Refused> {
                self.part(value)
            })*

            #[inline]
            fn end(self) -> Result<(), Refused> {
                Ok(())
            }
        })*
    };
}

put_together! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key(), serialize_value() }
    SerializeStruct { serialize_field(&'static str) }
    SerializeStructVariant { serialize_field(&'static str) }
}
