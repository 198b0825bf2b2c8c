//! The format's tests: its bytes are a function of serde's data model, whichever way a value goes, and whatever bytes
//! there are, they are a value or an error.
//!
//! Knows nothing of blocks and ends.

use super::read::Reading;
use super::{LONG, Refused, Sink, read, write};
use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::{self, Debug};
use std::marker::PhantomData;

fn bytes<T: Serialize>(value: T) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&value, &mut bytes).unwrap();
    bytes
}

fn value<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    let (value, rest) = read(bytes)?;
    assert!(rest.is_empty(), "{rest:?} are left");
    Ok(value)
}

fn why<T: DeserializeOwned>(bytes: &[u8]) -> String {
    match value::<T>(bytes) {
        Err(refused) => refused.to_string(),
        Ok(_) => panic!("it was read"),
    }
}

/// Visits its elements one by one, both ways.
#[derive(Debug, PartialEq)]
struct OneByOne<T>(Vec<T>);

impl<T: Serialize> Serialize for OneByOne<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
        self.0.iter().try_for_each(|element| sequence.serialize_element(element))?;
        sequence.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneByOne<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneByOne<T>, D::Error> {
        elements(deserializer, |element| element).map(OneByOne)
    }
}

/// A vector by a visitor that is not serde's.
fn elements<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    change: fn(T) -> T,
) -> Result<Vec<T>, D::Error> {
    struct Own<T>(fn(T) -> T);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Own<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sequence")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::with_capacity(sequence.size_hint().unwrap_or(0));
            while let Some(element) = sequence.next_element()? {
                all.push((self.0)(element));
            }
            Ok(all)
        }
    }

    deserializer.deserialize_seq(Own(change))
}

/// What is written at once.
#[derive(Default)]
struct Pieces(Vec<usize>);

impl Sink for Pieces {
    fn put(&mut self, bytes: &[u8]) {
        self.0.push(bytes.len());
    }
}

/// The most bytes that are written at once.
fn largest<T: Serialize>(value: T) -> usize {
    let mut pieces = Pieces::default();
    write(&value, &mut pieces).unwrap();
    pieces.0.into_iter().max().unwrap()
}

/// More than serde makes room for beforehand, and no number to which a vector grows by doubling.
const MANY: usize = (1 << 20) + 1;

macro_rules! every_number {
    ($($number:ident),*) => {$(
        #[test]
        fn $number() {
            let many = vec![1 as $number; MANY];
            assert_eq!(largest(&many), size_of_val(&many[..]), "they are written one by one");
            let came = value::<Vec<$number>>(&bytes(&many)).unwrap();
            assert_eq!(came.capacity(), MANY, "they are read one by one");
            assert_eq!(came, many);
            proptest!(|(
                numbers in prop::collection::vec(
                    prop_oneof![any::<$number>(), Just(<$number>::MIN), Just(<$number>::MAX)],
                    0..300,
                ),
            )| {
                let numbers = Vec::<$number>::from(numbers);
                let each: Vec<u8> = numbers.iter().flat_map(|number| bytes(number)).collect();
                let whole = bytes(&numbers);
                prop_assert_eq!(&whole[whole.len() - each.len()..], &each[..]);
                prop_assert_eq!(each.len(), size_of_val(&numbers[..]));
                prop_assert_eq!(&bytes(&numbers[..]), &whole);
                prop_assert_eq!(&bytes(Cow::from(&numbers)), &whole);
                prop_assert_eq!(&bytes(VecDeque::from(numbers.clone())), &whole);
                prop_assert_eq!(&bytes(OneByOne(numbers.clone())), &whole);
                prop_assert_eq!(&value::<OneByOne<$number>>(&whole).unwrap().0, &numbers);
                prop_assert_eq!(&value::<Vec<$number>>(&whole).unwrap(), &numbers);
                prop_assert_eq!(&value::<Box<[$number]>>(&whole).unwrap()[..], &numbers[..]);
                prop_assert_eq!(&value::<VecDeque<$number>>(&whole).unwrap(), &numbers);
                prop_assert_eq!(&value::<Cow<'_, [$number]>>(&whole).unwrap()[..], &numbers[..]);
                let mut place = vec![0 as $number; 2];
                Vec::deserialize_in_place(&mut Reading(&whole), &mut place).unwrap();
                prop_assert_eq!(&place, &numbers);
                if !numbers.is_empty() {
                    let refused = why::<Vec<$number>>(&whole[..whole.len() - 1]);
                    prop_assert!(refused.contains("ends too early"), "{refused}");
                }
            });
        }
    )*};
}

mod a_vector_lies_in_a_message_as_its_numbers_one_by_one {
    use super::*;

    every_number!(u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, usize, isize, f32, f64);
}

#[test]
fn numbers_that_are_none_keep_their_bits() {
    let odd = [0x7ff8_0000_0000_0001, 0xfff0_0000_0000_0001, 0x8000_0000_0000_0000].map(f64::from_bits);
    let came = value::<Vec<f64>>(&bytes(&odd[..])).unwrap();
    assert_eq!(came.iter().map(|number| number.to_bits()).collect::<Vec<_>>(), odd.map(f64::to_bits));
}

/// Passes a field on, as `with` does.
mod passed_on {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Newtype<T>(T);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Transparent<T> {
    inner: T,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>, K: Deserialize<'de> + Ord"))]
struct Generic<K, T> {
    values: Vec<T>,
    #[serde(with = "passed_on")]
    others: Vec<T>,
    keyed: BTreeMap<K, Vec<T>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Variants<T> {
    Unit,
    Newtype(T),
    Tuple(u8, T),
    Struct { values: T },
}

#[test]
fn wherever_numbers_lie_they_go_in_one_copy() {
    fn goes<T: Serialize + DeserializeOwned>(value_of: impl Fn(Vec<f64>) -> T, take: impl Fn(&T) -> &Vec<f64>) {
        let sent = value_of(vec![0.5; MANY]);
        assert_eq!(largest(&sent), 8 * MANY, "{}", std::any::type_name::<T>());
        let came = value::<T>(&bytes(&sent)).unwrap();
        assert_eq!(take(&came).capacity(), MANY, "{}", std::any::type_name::<T>());
        assert!(take(&came) == take(&sent));
    }
    goes(Newtype, |value| &value.0);
    goes(|inner| Transparent { inner }, |value| &value.inner);
    goes(|values| (1_u8, values), |value| &value.1);
    goes(Some, |value| value.as_ref().unwrap());
    goes(Box::new, |value| value);
    goes(|values| vec![values], |value| &value[0]);
    goes(|values| [vec![], values, vec![]], |value| &value[1]);
    goes(|values| HashMap::from([(String::from("key"), values)]), |value| &value["key"]);
    goes(Ok::<_, ()>, |value| value.as_ref().unwrap());
    goes(Variants::Newtype, |value| if let Variants::Newtype(values) = value { values } else { panic!() });
    goes(|values| Variants::Tuple(1, values), |value| if let Variants::Tuple(_, v) = value { v } else { panic!() });
    goes(
        |values| Variants::Struct { values },
        |value| if let Variants::Struct { values } = value { values } else { panic!() },
    );
    let generic = |values, others| Generic { values, others, keyed: BTreeMap::<u8, _>::new() };
    goes(|values| generic(values, vec![]), |value| &value.values);
    goes(|others| generic(vec![], others), |value| &value.others);
    let numbers = vec![0.5_f64; MANY];
    assert_eq!(largest(Some(&&numbers)), 8 * MANY);
    assert_eq!(largest((Cow::from(&numbers), 1)), 8 * MANY);
    assert_eq!(largest([numbers.into_boxed_slice()]), 8 * MANY);
}

#[test]
fn a_visitor_of_the_users_sees_every_number() {
    #[derive(Serialize, Deserialize)]
    struct Doubled(#[serde(deserialize_with = "doubled")] Vec<f64>);

    fn doubled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        elements(deserializer, |number: f64| 2.0 * number)
    }

    assert_eq!(value::<Doubled>(&bytes(Doubled(vec![1.0, 2.5]))).unwrap().0, [2.0, 5.0]);
}

/// A value, its bytes, and the value once more.
fn is<T: Serialize + DeserializeOwned + Debug + PartialEq>(sent: T, expected: &[u8]) {
    assert_eq!(bytes(&sent), expected, "{sent:?}");
    assert_eq!(value::<T>(expected).unwrap(), sent);
    for length in 0..expected.len() {
        let refused = why::<T>(&expected[..length]);
        assert!(refused.contains("ends too early"), "{sent:?}: {refused}");
    }
}

#[test]
fn each_thing_of_the_data_model_has_its_bytes() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Tuple(u8, u16);

    is(true, &[1]);
    is(false, &[0]);
    is(-2_i8, &[0xfe]);
    is(-2_i16, &[0xfe, 0xff]);
    is(1_u16, &[1, 0]);
    is(0x0102_0304_u32, &[4, 3, 2, 1]);
    is(1_i32, &[1, 0, 0, 0]);
    is(1_u64, &[1, 0, 0, 0, 0, 0, 0, 0]);
    is(-1_i64, &[0xff; 8]);
    is(1_usize, &[1, 0, 0, 0, 0, 0, 0, 0]);
    is(1_u128 << 120, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    is(-1_i128, &[0xff; 16]);
    is(1_f32, &[0, 0, 0x80, 0x3f]);
    is(1_f64, &[0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    is('å', &[0xe5, 0, 0, 0]);
    is(String::from("å"), &[2, 0xc3, 0xa5]);
    is(Blob(vec![7, 8]), &[2, 7, 8]);
    is(vec![7_u8, 8], &[2, 7, 8]);
    is(None::<u8>, &[0]);
    is(Some(7_u8), &[1, 7]);
    is((), &[]);
    is(Unit, &[]);
    is(Newtype(7_u8), &[7]);
    is(Tuple(7, 8), &[7, 8, 0]);
    is((7_u8, 8_u8), &[7, 8]);
    is([7_u8, 8], &[7, 8]);
    is(vec![true, false], &[2, 1, 0]);
    is(BTreeMap::from([(1_u8, 2_u8), (3, 4)]), &[2, 1, 2, 3, 4]);
    is(Variants::<u8>::Unit, &[0]);
    is(Variants::Newtype(7_u8), &[1, 7]);
    is(Variants::Tuple(7, 8_u8), &[2, 7, 8]);
    is(Variants::Struct { values: 7_u8 }, &[3, 7]);
    is(
        Generic { values: vec![1_u16], others: vec![], keyed: BTreeMap::from([(9_u8, vec![])]) },
        &[1, 1, 0, 0, 1, 9, 0],
    );
    is(Shown(7), b"\x03=7=");
    assert!(!Serializer::is_human_readable(&super::write::Writing(&mut Vec::new())));
    assert!(!Deserializer::is_human_readable(&&mut Reading(&[])));
}

/// `serialize_bytes` and `deserialize_byte_buf`.
#[derive(Debug, PartialEq)]
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Blob, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }

        deserializer.deserialize_byte_buf(Bytes).map(Blob)
    }
}

/// `collect_str`, with a number whose `Display` fails if it is 13.
#[derive(Debug, PartialEq)]
struct Shown(u8);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 13 { Err(fmt::Error) } else { write!(f, "={}=", self.0) }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shown, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.trim_matches('=').parse().map(Shown).map_err(serde::de::Error::custom)
    }
}

#[test]
fn how_many_there_are_takes_one_byte_or_nine() {
    for (count, length) in [(0, 1), (1, 1), (254, 1), (255, 9), (256, 9), (70_000, 9)] {
        let units = bytes(vec![(); count]);
        assert_eq!(units.len(), length);
        assert_eq!(value::<Vec<()>>(&units).unwrap().len(), count);
        let text = "x".repeat(count);
        assert_eq!(bytes(&text).len(), length + count);
        assert_eq!(value::<String>(&bytes(&text)).unwrap(), text);
    }
    assert_eq!(value::<Vec<u8>>(&[LONG, 1, 0, 0, 0, 0, 0, 0, 0, 7]).unwrap(), [7]);
}

#[test]
fn a_value_borrows_from_the_bytes() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Borrowed<'a, T> {
        text: &'a str,
        bytes: &'a [u8],
        #[serde(borrow)]
        cow: Cow<'a, str>,
        values: Vec<T>,
    }

    let sent = Borrowed { text: "text", bytes: &[1, 2], cow: Cow::from("cow"), values: vec![1_u32, 2] };
    let written = bytes(&sent);
    let (came, rest) = read::<Borrowed<'_, u32>>(&written).unwrap();
    assert_eq!((&came, rest), (&sent, &[][..]));
    assert!(matches!(came.cow, Cow::Borrowed(_)) && written.as_ptr_range().contains(&came.text.as_ptr()));
}

#[test]
fn what_is_refused_is_refused_with_the_reason() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Loose {
        #[expect(dead_code, reason = "it is not read")]
        Number(u8),
    }
    /// Of an unknown length.
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq((0_u8..3).filter(|_| true))
        }
    }
    struct Map;
    impl Serialize for Map {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_map(None)?.end()
        }
    }
    let unsent = |result: Result<(), Refused>| result.unwrap_err().to_string();
    assert!(unsent(write(&Endless, &mut Vec::new())).contains("collect it into a Vec"));
    assert!(unsent(write(&Map, &mut Vec::new())).contains("collect it into a Vec"));
    assert_eq!(unsent(write(&Shown(13), &mut Vec::new())), "its Display fails");
    for (reason, what) in [
        (why::<bool>(&[2]), "no bool"),
        (why::<char>(&[0, 0xd8, 0, 0]), "no character"),
        (why::<String>(&[1, 0xff]), "no text in UTF-8"),
        (why::<Option<u8>>(&[2, 0]), "no option"),
        (why::<Variants<u8>>(&[LONG, 0, 0, 0, 0, 1, 0, 0, 0]), "no variant"),
        (why::<Variants<u8>>(&[4]), "expected variant index 0 <= i < 4"),
        (why::<std::num::NonZeroU8>(&[0]), "nonzero"),
        (why::<Shown>(&[1, b'x']), "invalid digit"),
        (why::<IgnoredAny>(&[0]), "untagged"),
        (why::<Loose>(&[0]), "serde_json::Value"),
    ] {
        assert!(reason.contains(what), "{what}: {reason}");
    }
}

/// What a visitor is told of the length of a sequence and of a map.
#[derive(Debug, PartialEq)]
struct Hints<T>(Option<usize>, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Hints<T> {
    type Value = Hints<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Hints<T>, A::Error> {
        Ok(Hints(sequence.size_hint(), PhantomData))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Hints<T>, A::Error> {
        Ok(Hints(map.size_hint(), PhantomData))
    }
}

#[test]
fn no_length_is_believed_that_is_more_than_there_is() {
    let none = || Hints::<u8>(None, PhantomData);
    for count in [4_u64, 1 << 20, 1 << 40, 1 << 61, 1 << 63, u64::MAX] {
        let forged = [&[LONG][..], &count.to_le_bytes(), &[1, 2, 3]].concat();
        for reason in [
            why::<Vec<u8>>(&forged),
            why::<Vec<f64>>(&forged),
            why::<Vec<u128>>(&forged),
            why::<Vec<[u8; 30]>>(&forged),
            why::<Vec<String>>(&forged),
            why::<String>(&forged),
            why::<Blob>(&forged),
            why::<OneByOne<u64>>(&forged),
            why::<HashMap<u8, u64>>(&forged),
            why::<VecDeque<u16>>(&forged),
        ] {
            assert!(reason.contains("ends too early"), "{reason}");
        }
        assert_eq!((&mut Reading(&forged)).deserialize_seq(none()).unwrap().0, None);
        assert_eq!((&mut Reading(&forged)).deserialize_map(none()).unwrap().0, None);
    }
    assert_eq!((&mut Reading(&[3, 1, 2, 3])).deserialize_seq(none()).unwrap().0, Some(3));
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Number(i128),
    Letter(char, Option<bool>),
    Named { name: String, values: Vec<f32>, by: BTreeMap<String, Vec<u64>> },
    Bytes(Vec<u8>, [i16; 3], ()),
    Numbers((Vec<usize>, Box<[i32]>), Newtype<Vec<u128>>),
    Many(Vec<Tree>),
    Boxed(Box<Tree>, Option<Box<Tree>>),
}

fn tree() -> impl Strategy<Value = Tree> {
    let few = 0..6_usize;
    let leaf = prop_oneof![
        Just(Tree::Leaf),
        any::<i128>().prop_map(Tree::Number),
        any::<(char, Option<bool>)>().prop_map(|(letter, is)| Tree::Letter(letter, is)),
        (any::<String>(), prop::collection::vec(any::<f32>(), 0..300), any::<BTreeMap<String, Vec<u64>>>())
            .prop_map(|(name, values, by)| Tree::Named { name, values, by }),
        any::<(Vec<u8>, [i16; 3])>().prop_map(|(bytes, three)| Tree::Bytes(bytes, three, ())),
        any::<(Vec<usize>, Vec<i32>, Vec<u128>)>()
            .prop_map(|(a, b, c)| Tree::Numbers((a, b.into_boxed_slice()), Newtype(c))),
    ];
    leaf.prop_recursive(4, 24, 6, move |tree| {
        prop_oneof![
            prop::collection::vec(tree.clone(), few.clone()).prop_map(Tree::Many),
            (tree.clone(), prop::option::of(tree))
                .prop_map(|(one, other)| Tree::Boxed(one.into(), other.map(Box::new))),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_written_is_read(tree in tree()) {
        let written = bytes(&tree);
        prop_assert_eq!(value::<Tree>(&written).unwrap(), tree);
    }

    #[test]
    fn whatever_the_bytes_are_they_are_a_value_or_an_error(
        tree in tree(), at in any::<prop::sample::Index>(), by in any::<u8>(), until in any::<prop::sample::Index>(),
    ) {
        let mut written = bytes(&tree);
        *at.get_mut(&mut written) ^= by;
        let _ = read::<Tree>(&written);
        let cut = &written[..until.index(written.len())];
        if by == 0 {
            prop_assert!(why::<Tree>(cut).contains("ends too early"));
        } else {
            let _ = read::<Tree>(cut);
        }
    }

    #[test]
    fn bytes_of_nobody_are_a_value_or_an_error(written in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read::<Tree>(&written);
        let _ = read::<HashMap<Option<u8>, (String, Vec<i64>)>>(&written);
        let _ = read::<Vec<Generic<char, u16>>>(&written);
    }
}
