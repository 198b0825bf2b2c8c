//! Plain numbers that lie side by side, in one copy: serde would visit them one by one.
//!
//! Knows nothing of what is around them. Both directions are seen from what serde itself does: a vector, a slice and
//! whatever leads to one hand a reference to `collect_seq`, and a vector, and what is made of one, is read by a visitor
//! of `Vec`'s own. So it does not matter where the numbers lie: in a field, in a map, in a box, behind an attribute
//! `with` that only passes them on. The bytes are those that they have one by one, so one side does not have to know
//! how the other has gone about it.
#![expect(unsafe_code, reason = "numbers are seen as bytes; listed in the architecture page")]

use crate::sys::map::prefer_large_pages;
use bytemuck::Pod;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;
use std::any::TypeId;
use std::fmt;
use std::mem::ManuallyDrop;

/// Numbers lie in memory as they do in the format.
const ALIKE: bool = cfg!(all(target_endian = "little", target_pointer_width = "64"));

macro_rules! plain_numbers {
    ($($number:ty),*) => {
        /// How many numbers a sequence has and their bytes, if it is a reference to a slice or to a vector of them.
        #[inline]
        pub(super) fn in_one_piece<I>(sequence: &I) -> Option<(usize, &[u8])> {
            if !ALIKE {
                return None;
            }
            let id = typeid::of::<I>();
            $(if id == TypeId::of::<&[$number]>() {
                // SAFETY: the types are the same but for the lifetime, and the one here is not the longer one.
                let numbers: &&[$number] = unsafe { &*std::ptr::from_ref(sequence).cast() };
                return Some((numbers.len(), bytemuck::cast_slice(numbers)));
            }
            if id == TypeId::of::<&Vec<$number>>() {
                // SAFETY: as above.
                let numbers: &&Vec<$number> = unsafe { &*std::ptr::from_ref(sequence).cast() };
                return Some((numbers.len(), bytemuck::cast_slice(numbers)));
            })*
            None
        }

        /// What a visitor makes of a sequence, if it is the one that makes vectors of numbers. `take` gives the bytes,
        /// told how many each number has.
        #[inline]
        pub(super) fn vector<'a, 'de, V: Visitor<'de>, E>(
            take: impl FnOnce(usize) -> Result<&'a [u8], E>,
        ) -> Option<Result<V::Value, E>> {
            if !ALIKE {
                return None;
            }
            let (visitor, value) = (typeid::of::<V>(), typeid::of::<V::Value>());
            $(if value == TypeId::of::<Vec<$number>>() && Some(visitor) == visitor_of::<Vec<$number>>() {
                let numbers = match take(size_of::<$number>()) {
                    Ok(bytes) => ManuallyDrop::new(copied::<$number>(bytes)),
                    Err(error) => return Some(Err(error)),
                };
                // SAFETY: the types are the same, and the original is not dropped.
                return Some(Ok(unsafe { std::ptr::from_ref(&numbers).cast::<V::Value>().read() }));
            })*
            None
        }
    };
}

plain_numbers!(u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, usize, isize, f32, f64);

/// From here on it pays to ask for large pages.
const LARGE: usize = 8 << 20;

/// As many numbers as the bytes are.
#[inline]
fn copied<N: Pod>(bytes: &[u8]) -> Vec<N> {
    let count = bytes.len() / size_of::<N>();
    let mut numbers = Vec::<N>::with_capacity(count);
    if bytes.len() >= LARGE {
        prefer_large_pages(numbers.spare_capacity_mut());
    }
    let into = numbers.as_mut_ptr().cast::<u8>();
    // SAFETY: the vector has room for `count` numbers, which have at most `bytes.len()` bytes; it was just made.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), into, count * size_of::<N>()) };
    // SAFETY: the line above wrote them; whatever the bytes are is an `N`.
    unsafe { numbers.set_len(count) };
    numbers
}

/// Which visitor a type is read by.
#[inline]
fn visitor_of<T: Deserialize<'static>>() -> Option<TypeId> {
    T::deserialize(Question).err()?.0
}

/// Asks for the visitor, and reads nothing.
struct Question;

/// The visitor, or none if there was another error before.
#[derive(Debug)]
struct Answer(Option<TypeId>);

impl<'de> Deserializer<'de> for Question {
    type Error = Answer;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Answer> {
        Err(Answer(Some(typeid::of::<V>())))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing is read here")
    }
}

impl std::error::Error for Answer {}

impl Error for Answer {
    fn custom<T: fmt::Display>(_: T) -> Answer {
        Answer(None)
    }
}
