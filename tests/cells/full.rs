//! A value for which there is no room says so wherever it can fail, gives what it was made of wherever it cannot, and
//! costs nothing.
//!
//! Knows nothing of where the room goes. The program fills an arena of its own, which is small.

use crate::harness::scenario::{Scenario, play_in_small_arena};
use csproc::prelude::*;
use csproc::shared::Atomic;

pub(crate) const SCENARIOS: &[Scenario] = &[("no room for a cell", no_room), ("cells come back", cells_come_back)];

fn says<T: std::fmt::Debug>(result: Result<T, ChannelError>, what: &str) {
    let error = result.unwrap_err();
    assert!(error.is_invalid() && error.to_string().contains(what), "{error}");
}

fn no_room() {
    let early = Value::new(3);
    let mut kept = Vec::new();
    while let Ok(array) = Array::try_new(&[1_u64; 4000]) {
        kept.push(array);
    }
    let array: Array<u64> = (0..4000).collect();
    let zeros = Array::<u64>::zeroed(1 << 40);
    for _ in 0..100 {
        says(array.set(1, 2), "CSPROC_ARENA");
        says(array.slice(..).with_lock(|_| panic!("not called")), "CSPROC_ARENA");
        assert_eq!((array.get(3999), array.to_vec().len(), array.slice(7..9).to_vec()), (3999, 4000, vec![7, 8]));
        assert!(format!("{array:?}").starts_with("[0, 1, 2,"));
        says(zeros.set(1, 2), "bytes");
        assert_eq!((zeros.len(), zeros.get(1 << 39)), (1 << 40, 0));
        assert_eq!(Array::<u64>::zeroed(usize::MAX).get(usize::MAX - 1), 0);
    }
    let c = Channel::buffered(Buffer::Fifo(1));
    says(c.writer().write(array.clone()).map_err(|error| error.fate), "CSPROC_ARENA");
    // Nobody else has one either, but who has one uses it.
    let mut small = Vec::new();
    let unmade = loop {
        let value = Value::new(small.len() as u64);
        match value.set(5) {
            Ok(()) => small.push(value),
            Err(_) => break value,
        }
    };
    assert_eq!(unmade.get(), small.len() as u64);
    says(unmade.clone().replace(1), "CSPROC_ARENA");
    says(unmade.with_lock(|_| panic!("not called")), "CSPROC_ARENA");
    says(Atomic::new(1_u8).map_err(ChannelError::from), "CSPROC_ARENA");
    says(Value::try_new([0_u64; 2]).map(drop).map_err(ChannelError::from), "CSPROC_ARENA");
    early.set(early.get() + 1).unwrap();
    assert_eq!(early.get(), 4);
    drop(kept);
    let array: Array<u64> = (0..4000).collect();
    array.set(0, 9).unwrap();
    assert_eq!(array.get(0), 9);
}

/// More of them, one after the other, than there is room for.
fn cells_come_back() {
    for i in 0..20_000_u64 {
        let array = Array::from([i; 1000]);
        array.set(999, 0).unwrap();
        assert_eq!(array.slice(998..).to_vec(), [i, 0]);
        assert_eq!(Atomic::new(i).unwrap().load(), i);
    }
}

once! {
    fn a_value_without_room_says_so_and_gives_what_it_was_made_of() {
        play_in_small_arena("no room for a cell");
    }

    fn the_room_of_a_value_comes_back() {
        play_in_small_arena("cells come back");
    }

    fn a_name_that_is_too_long_is_refused_where_it_can_be() {
        let long = "x".repeat(56);
        let (value, array) = (Value::new(5), Array::from([5, 6]));
        value.set(7).unwrap();
        array.set(0, 7).unwrap();
        let (value, array) = (value.named(&long), array.named(&long));
        says(value.set(1), "55 bytes");
        says(array.set(0, 1), "55 bytes");
        assert_eq!((value.get(), array.to_vec(), array.get(0)), (7, vec![7, 6], 7));
        assert_eq!((value.clone().get(), array.clone().to_vec()), (7, vec![7, 6]));
    }
}
