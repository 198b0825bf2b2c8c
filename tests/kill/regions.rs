//! Killed after any single instruction of what is done with a region, a process has it or somebody else has, whole;
//! what others have of it is as it was, and its memory comes back.
//!
//! Knows nothing of how a region moves.

use crate::explore::{BOTH, explore, follow, spawn};
use crate::tracer::{Cut, Walk, stepped};
use csproc::prelude::*;
use csproc::shared::{Frozen, Region};

const LENGTH: usize = 40;

fn ones() -> Region<u64> {
    Region::from(vec![1; LENGTH])
}

/// Whole, and of one who may change it.
fn is_mine(mut region: Region<u64>, first: u64) {
    assert!(region.len() == LENGTH && region[0] == first && region[1..].iter().all(|value| *value == 1), "{region:?}");
    let place = region.as_ptr();
    region.fill(5);
    assert_eq!((region[LENGTH - 1], region.as_ptr()), (5, place), "nobody else has it");
}

#[process]
fn make() {
    drop(ones());
    stepped(|| {
        let mut region = ones();
        region[0] = 2;
        drop(region.freeze());
    });
}

/// What the victim has made goes with it.
fn make_scene(policy: OnCrash, cut: Cut) -> Walk {
    follow(spawn(make(), policy), cut, &mut || ())
}

#[process]
fn send(mut region: Region<u64>, out: Writer<Region<u64>>) {
    region[0] = 2;
    stepped(|| out.write(region).unwrap());
}

/// It is in the channel, or gone with the victim.
fn send_scene(policy: OnCrash, cut: Cut) -> Walk {
    let c = Channel::buffered(Buffer::Fifo(1));
    let r = c.reader();
    let walk = follow(spawn(send(ones(), c.writer()), policy), cut, &mut || ());
    match r.try_read() {
        Ok(region) => is_mine(region, 2),
        Err(error) => assert!(!walk.finished, "{error}"),
    }
    walk
}

#[process]
fn receive(input: Reader<Region<u64>>) {
    stepped(|| {
        let mut region = input.read().unwrap();
        region[0] = 2;
    });
}

/// It is in the channel as it was, or gone with the victim.
fn receive_scene(policy: OnCrash, cut: Cut) -> Walk {
    let c = Channel::buffered(Buffer::Fifo(1));
    let (w, r) = (c.writer(), c.reader());
    w.write(ones()).unwrap();
    let walk = follow(spawn(receive(c.reader()), policy), cut, &mut || ());
    if let Ok(region) = r.try_read() {
        assert!(!walk.finished);
        is_mine(region, 1);
    }
    walk
}

#[process]
fn thaw(frozen: Frozen<u64>) {
    stepped(|| {
        let mut region = frozen.thaw();
        region[0] = 2;
        drop(region);
    });
}

/// What others have is not changed, and theirs alone afterwards.
fn thaw_scene(policy: OnCrash, cut: Cut) -> Walk {
    let frozen = ones().freeze();
    let walk = follow(spawn(thaw(frozen.clone()), policy), cut, &mut || ());
    is_mine(frozen.thaw(), 1);
    walk
}

alone! {
    fn a_region_that_is_made() {
        explore("a region that is made", &BOTH, &make_scene);
    }

    fn a_region_that_is_sent() {
        explore("a region that is sent", &BOTH, &send_scene);
    }

    fn a_region_that_is_received() {
        explore("a region that is received", &BOTH, &receive_scene);
    }

    fn a_region_that_others_have() {
        explore("a region that others have", &BOTH, &thaw_scene);
    }
}
