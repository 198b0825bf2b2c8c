//! Whatever a program does, nobody sees what somebody else does with a region: where two have the same bytes, one has a
//! copy before it changes them.
//!
//! Knows nothing of deaths.

use csproc::prelude::*;
use csproc::shared::{Frozen, Region};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// Sends what it keeps.
struct Kept(Arc<Region<u32>>);

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Kept {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Kept, D::Error> {
        Region::deserialize(deserializer).map(|region| Kept(Arc::new(region)))
    }
}

/// Sent as one, and received as the other.
struct Confused<A, B>(Option<A>, Option<B>);

impl<A: Serialize, B> Serialize for Confused<A, B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().unwrap().serialize(serializer)
    }
}

impl<'de, A, B: Deserialize<'de>> Deserialize<'de> for Confused<A, B> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Confused<A, B>, D::Error> {
        B::deserialize(deserializer).map(|b| Confused(None, Some(b)))
    }
}

/// A number that arrives only if it is odd.
#[derive(Debug, Serialize)]
struct Odd(u8);

impl<'de> Deserialize<'de> for Odd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Odd, D::Error> {
        match u8::deserialize(deserializer)? {
            odd if odd % 2 == 1 => Ok(Odd(odd)),
            even => Err(serde::de::Error::custom(format!("{even} is even"))),
        }
    }
}

/// What comes of an `A` that is received as a `B`.
fn confuse<A: Serialize + serde::de::DeserializeOwned, B: Serialize + serde::de::DeserializeOwned>(
    a: A,
) -> Result<B, ChannelError> {
    let c = Channel::<Confused<A, B>>::buffered(Buffer::Fifo(1));
    c.writer().write(Confused(Some(a), None)).map_err(|error| error.fate)?;
    c.reader().read().map(|confused| confused.1.unwrap())
}

#[process]
fn change(mut region: Region<u32>, value: u32) -> Region<u32> {
    region.fill(value);
    region
}

#[process]
fn change_kept(mut kept: Kept, value: u32) -> bool {
    let region = Arc::get_mut(&mut kept.0).unwrap();
    let is_as_it_was = region.iter().all(|value| *value == 1);
    region.fill(value);
    is_as_it_was && region.iter().all(|now| *now == value)
}

/// Changes its region and crashes, but for the third time.
#[process]
fn change_and_crash(mut region: Region<u32>, left: csproc::shared::Atomic<u32>) -> csproc::Result<bool> {
    let is_as_it_was = region.iter().all(|value| *value == 1);
    region.fill(2);
    if left.fetch_sub(1) > 0 {
        std::process::abort();
    }
    Ok(is_as_it_was)
}

over_both! {
    fn who_keeps_what_it_has_sent_sees_nothing_of_what_becomes_of_it(placement) {
        let kept = Arc::new(Region::from(vec![1; 10_000]));
        let slice = &kept[..];
        let changed = Parallel!(for value in 2..6 => change_kept(Kept(kept.clone()), value).on(placement)).unwrap();
        assert_eq!(changed, [true; 4]);
        assert!(slice.iter().all(|value| *value == 1));
    }

    fn processes_that_were_built_of_one_region_have_one_each(placement) {
        let region = Region::from(vec![1; 100]);
        let several = change(region, 5).on(placement) * 4;
        let regions = Parallel!(several).unwrap();
        assert!(regions.iter().all(|region| region.iter().all(|value| *value == 5)));
        let places: std::collections::BTreeSet<usize> = regions.iter().map(|region| region.as_ptr().addr()).collect();
        assert_eq!(places.len(), 4);
    }
}

once! {
    fn who_is_started_again_finds_its_region_as_it_was_sent() {
        let left = csproc::shared::Atomic::new(2).unwrap();
        let restart = OnCrash::Restart { max: 5, within: std::time::Duration::from_secs(60) };
        let region = Region::from(vec![1; 100_000]);
        assert!(Parallel!(change_and_crash(region, left).on_crash(restart)).values().unwrap());
    }

    fn what_is_no_region_is_not_taken_for_one() {
        let is_invalid = |result: Result<(), ChannelError>| result.unwrap_err().is_invalid();
        assert!(is_invalid(confuse::<_, Region<u64>>(Region::from(vec![1_u8; 12])).map(drop)));
        assert_eq!(confuse::<_, Region<u32>>(Region::from(vec![1_u8; 4])).unwrap()[..], [0x0101_0101]);
        assert!(is_invalid(confuse::<_, Region<u8>>(Value::new([1_u64; 8])).map(drop)));
        assert!(is_invalid(confuse::<_, Frozen<u8>>(Event::new()).map(drop)));
        // A value that names nothing says so when it is changed.
        let value = confuse::<_, Value<[u64; 8]>>(Region::from(vec![1_u64; 8])).unwrap();
        assert!(value.set([2; 8]).is_err() && value.get() == [0; 8]);
        // One that names no number is none.
        let region = Region::from(vec![1_u64]).freeze();
        if let Ok(atomic) = confuse::<_, csproc::shared::Atomic<u64>>(region.clone()) {
            atomic.store(2);
        }
        assert_eq!(region[0], 1);
    }

    fn what_is_wrong_with_a_message_is_told_although_a_region_is_in_it() {
        let c = Channel::<(Region<u8>, Frozen<u8>, Odd)>::buffered(Buffer::Fifo(1));
        let regions = (Region::from(vec![1; 1000]), Region::from(vec![2; 1000]).freeze());
        c.writer().write((regions.0, regions.1, Odd(4))).unwrap();
        let error = c.reader().read().unwrap_err();
        assert!(error.is_invalid() && error.to_string().contains("4 is even"), "{error}");
    }

    fn a_region_travels_in_messages_alone() {
        let error = postcard::to_stdvec(&Region::from(vec![1_u8])).unwrap_err();
        assert_eq!(error, postcard::Error::SerdeSerCustom);
    }
}
