//! What a burial looks at: what the dead had, however much others have.
//!
//! Knows nothing of time.

use super::watch::apart;
use super::wire::here;
use crate::engine::live::estate::Estate;
use crate::engine::{ChannelKind, ChannelName, Closing, Direction, EndName, Holder, Owner, Store, member, tables};
use std::collections::BTreeSet;

/// Of so many things, others have all but one.
const MANY: usize = 20_000;
/// So many are looked at for one of them: a chunk of each round of the trace, and the one that was asked for.
const FEW: usize = 2 * 64;

fn channel() -> (ChannelName, EndName) {
    let kind = ChannelKind::Channel(Store::Fifo(1));
    here(|local| local.create_channel("", kind, Holder::Member(member().unwrap())).unwrap())
}

/// Another process, which nobody has started.
fn other() -> (u32, &'static Estate) {
    let (name, slot) = tables().create_member(member().unwrap()).unwrap();
    (name.index, &slot.estate)
}

#[test]
fn the_ends_of_one_are_found_without_a_look_at_those_of_others() {
    apart("the_ends_of_one_are_found_without_a_look_at_those_of_others", || {
        let mut theirs: Vec<EndName> = (0..MANY).map(|_| channel().1).collect();
        let (process, estate) = other();
        assert_eq!(tables().held_by(Holder::Member(process)), [], "nothing is held by somebody new");
        let (name, handle) = channel();
        let mine = here(|local| local.request_end(name, Direction::Reader, Holder::Member(process)).unwrap());
        theirs.push(handle);
        assert_eq!(tables().held_by(Holder::Member(process)), [mine]);
        let looked_at = tables().ends.traced(&estate.ends).count();
        assert!(looked_at <= FEW, "{looked_at} of {MANY}");
        // One that comes from somebody else leaves its trace as well.
        let given = theirs.swap_remove(MANY / 2);
        let from = Holder::Member(member().unwrap());
        assert!(here(|local| local.move_end(given, from, Holder::Member(process))));
        let held: BTreeSet<u32> = tables().held_by(Holder::Member(process)).iter().map(|end| end.index).collect();
        assert_eq!(held, BTreeSet::from([mine.index, given.index]));
        here(|local| local.close_held(process, Closing::Retire));
        theirs.into_iter().for_each(|end| here(|local| local.close_end(end, Closing::Retire)));
    });
}

#[test]
fn the_blocks_of_one_are_found_without_a_look_at_those_of_others() {
    apart("the_blocks_of_one_are_found_without_a_look_at_those_of_others", || {
        let arena = &tables().arena;
        let theirs: Vec<_> = (0..MANY).map(|_| here(|local| arena.take_block(8, local.claimant()).unwrap())).collect();
        let (process, estate) = other();
        let mine = arena.take_block(8, tables().claimant(Owner::Member(process))).unwrap();
        assert_eq!(tables().blocks_of(Owner::Member(process)), [mine]);
        let looked_at = arena.traced_blocks(&estate.blocks).count();
        assert!(looked_at <= 2 * 1024, "{looked_at} of {MANY}");
        assert!(tables().leads_to(Owner::Member(process), mine));
        theirs.into_iter().chain([mine]).for_each(|block| tables().free(block));
        assert_eq!(tables().blocks_of(Owner::Member(process)), []);
    });
}
