//! Values to postcard's bytes, with the words of whoever refuses.
//!
//! Knows nothing of numbers and texts, which it hands on; only how values are put together stands here.

use super::Reason;
use postcard::ser_flavors::Flavor;
use serde::{Serialize, Serializer, ser};

/// Writes one value.
pub(super) struct Writing<'a, F: Flavor>(pub(super) &'a mut postcard::Serializer<F>);

impl<F: Flavor> Writing<'_, F> {
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Reason> {
        value.serialize(Writing(self.0))
    }

    fn number(&mut self, number: u64) -> Result<(), Reason> {
        Ok(self.0.serialize_u64(number)?)
    }

    fn length(mut self, length: Option<usize>) -> Result<Self, Reason> {
        self.number(length.ok_or(postcard::Error::SerializeSeqLengthUnknown)? as u64)?;
        Ok(self)
    }

    fn variant(mut self, index: u32) -> Result<Self, Reason> {
        self.number(u64::from(index))?;
        Ok(self)
    }
}

macro_rules! handed_on {
    ($($method:ident $value:ty),*) => {
        $(fn $method(self, value: $value) -> Result<(), Reason> {
            Ok(self.0.$method(value)?)
        })*
    };
}

impl<F: Flavor> Serializer for Writing<'_, F> {
    type Ok = ();
    type Error = Reason;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    handed_on! {
        serialize_bool bool,
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_i128 i128,
        serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64, serialize_u128 u128,
        serialize_f32 f32, serialize_f64 f64, serialize_char char, serialize_str &str, serialize_bytes &[u8],
        serialize_unit_struct &'static str
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_none(self) -> Result<(), Reason> {
        Ok(self.0.serialize_none()?)
    }

    fn serialize_unit(self) -> Result<(), Reason> {
        Ok(self.0.serialize_unit()?)
    }

    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<(), Reason> {
        self.number(1)?;
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), Reason> {
        self.variant(index).map(drop)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Reason> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Reason> {
        value.serialize(self.variant(index)?)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Reason> {
        self.length(length)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Reason> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Reason> {
        Ok(self)
    }

    fn serialize_tuple_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, Reason> {
        self.variant(index)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self, Reason> {
        self.length(length)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Reason> {
        Ok(self)
    }

    fn serialize_struct_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, Reason> {
        self.variant(index)
    }
}

macro_rules! put_together {
    ($($part:ident { $($method:ident($($name:ty)?)),* })*) => {
        $(impl<F: Flavor> ser::$part for Writing<'_, F> {
            type Ok = ();
            type Error = Reason;

            $(fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Result<(), Reason> {
                self.part(value)
            })*

            fn end(self) -> Result<(), Reason> {
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
