//! Whoever is killed takes along the regions that it has; what it has sent is whole, and nobody sees half of a change.
//!
//! Knows nothing of where exactly somebody dies.

use crate::harness::killing::kill_a_thousand;
use csproc::prelude::*;
use csproc::shared::{Frozen, Region};

const LENGTH: usize = 20_000;

/// Takes a region, changes all of it, and passes it on, for ever.
#[process]
fn change_and_pass_on(input: Reader<Region<u64>>, output: Writer<Region<u64>>) -> csproc::Result<()> {
    loop {
        let mut region = input.read()?;
        let next = region[0] + 1;
        region.fill(next);
        output.write(region)?;
    }
}

#[process]
fn hold(frozen: Frozen<u64>, mine: Region<u64>, ready: Writer<()>) -> csproc::Result<()> {
    ready.write(())?;
    let _held = (frozen, mine);
    loop {
        std::thread::park();
    }
}

/// Sends and dies at once.
#[process]
fn send_and_die(output: Writer<Region<u64>>) -> csproc::Result<()> {
    output.write(Region::from(vec![3; LENGTH]))?;
    std::process::abort()
}

once! {
    fn a_region_is_whole_or_gone_whoever_is_killed_at_whichever_moment() {
        let c = Channel::<Region<u64>>::buffered(Buffer::Unbounded);
        let (w, r) = (c.writer(), c.reader());
        kill_a_thousand(
            || change_and_pass_on(c.reader(), c.writer()).on_crash(OnCrash::Retire),
            || {
                // What the dead had is gone; there are four for the next ones.
                let mut left = Vec::new();
                while let Ok(region) = r.try_read() {
                    assert!(region.iter().all(|value| *value == region[0]), "half of a change");
                    left.push(region);
                }
                left.resize_with(4, || Region::from(vec![0; LENGTH]));
                left.into_iter().for_each(|region| w.write(region).unwrap());
            },
        );
    }

    fn what_the_dead_had_is_gone_and_what_others_have_stays() {
        let frozen = Region::from(vec![1; LENGTH]).freeze();
        let c = Channel::new();
        let r = c.reader();
        let victim = Spawn!(hold(frozen.clone(), Region::from(vec![2; LENGTH]), c.writer())).unwrap();
        r.read().unwrap();
        victim.kill().unwrap();
        assert!(victim.join().is_err());
        assert!(frozen.iter().all(|value| *value == 1));
        let place = frozen.as_ptr();
        let mut region = frozen.thaw();
        region[0] = 4;
        assert_eq!((region[0], region.as_ptr()), (4, place), "nobody else has it any more");
    }

    fn what_was_sent_has_its_receiver_although_its_sender_is_dead() {
        let c = Channel::<Region<u64>>::buffered(Buffer::Unbounded);
        let r = c.reader();
        assert!(send_and_die(c.writer()).on_crash(OnCrash::Retire).run().is_err());
        drop(c);
        let mut region = r.read().unwrap();
        let place = region.as_ptr();
        region[1] += 1;
        assert_eq!((region[0], region[1], region.as_ptr()), (3, 4, place));
        assert!(r.read().unwrap_err().is_retired());
    }
}
