//! Where there is no room, a region is one all the same, and says why it cannot be sent.
//!
//! Knows nothing of where the room goes. The program fills an arena of its own, which is small.

use crate::harness::scenario::{Scenario, command, output, play_in_small_arena};
use csproc::prelude::*;
use csproc::shared::Region;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("no room for a region", no_room),
    ("regions come back", come_back),
    ("a region is copied by a fork", copied_by_a_fork),
];

fn no_room() {
    let c = Channel::<Region<u64>>::buffered(Buffer::Fifo(2));
    let (w, r) = (c.writer(), c.reader());
    w.write(Region::from(vec![5; 10])).unwrap();
    let mut kept = Vec::new();
    let error = loop {
        match Region::<u64>::try_zeroed(4000) {
            Ok(region) => kept.push(region),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, csproc::MessageError::Memory { .. }) && error.to_string().contains("CSPROC_ARENA"),
        "{error}"
    );
    let mut region = Region::zeroed(4000);
    region[3999] = 7;
    let refused = w.write(region).unwrap_err();
    assert!(refused.fate.is_invalid() && refused.fate.to_string().contains("CSPROC_ARENA"), "{refused}");
    let mut region = refused.value;
    region[0] = 6;
    assert_eq!((region.len(), region[0], region[3999]), (4000, 6, 7));
    // What is there already can be sent, read, frozen and changed.
    let mut last = kept.pop().unwrap();
    last[1] = 2;
    w.write(last).unwrap();
    assert_eq!((r.read().unwrap()[9], r.read().unwrap()[1]), (5, 2));
    // What others have is copied into the memory of the process.
    let frozen = kept.pop().unwrap().freeze();
    kept.push(Region::zeroed(4000));
    let mut changed = frozen.clone().thaw();
    changed[0] = 9;
    assert_eq!((frozen[0], changed[0]), (0, 9));
    // Now there is room.
    kept.truncate(kept.len() / 2);
    w.write(region).unwrap();
    assert_eq!(r.read().unwrap()[3999], 7);
    assert!(Region::<u8>::try_zeroed(3 << 30).unwrap_err().to_string().contains("bytes"));
}

/// More of them, one after the other, than there is room for.
fn come_back() {
    let c = Channel::buffered(Buffer::Fifo(1));
    let (w, r) = (c.writer(), c.reader());
    for round in 0..200_u8 {
        let mut region = Region::<u8>::try_zeroed(3 << 20).unwrap();
        region[round as usize] = round;
        w.write(region.freeze()).unwrap();
        assert_eq!(r.read().unwrap()[round as usize], round);
    }
}

/// A copy of the program that it has made by itself.
#[expect(unsafe_code, reason = "a bare fork is what the scenario is about")]
fn copied_by_a_fork() {
    let mut region = Region::from(vec![1_u8; 100_000]);
    region[0] = 2;
    // SAFETY: no other thread of this program holds a lock that the copy takes, and the copy ends by `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            let seen = region[0];
            region.fill(9);
            let is_right = seen == 2 && region.iter().all(|byte| *byte == 9);
            drop(region);
            // SAFETY: ends the copy, without the handlers of the original.
            unsafe { libc::_exit(if is_right { 7 } else { 1 }) }
        }
        copy => {
            let mut status = 0;
            // SAFETY: waits for the child made above.
            assert_eq!(unsafe { libc::waitpid(copy, &raw mut status, 0) }, copy);
            assert_eq!(libc::WEXITSTATUS(status), 7);
            assert!(region[0] == 2 && region[1..].iter().all(|byte| *byte == 1));
            region[1] = 3;
            assert_eq!(region[..3], [2, 3, 1]);
        }
    }
}

once! {
    fn a_copy_by_a_bare_fork_changes_a_copy() {
        let remains = output(command("a region is copied by a fork").0);
        assert!(remains.status.success(), "{remains:?}");
    }

    fn a_region_without_room_is_one_and_says_why_it_cannot_be_sent() {
        play_in_small_arena("no room for a region");
    }

    fn the_room_of_a_region_comes_back() {
        play_in_small_arena("regions come back");
    }
}
