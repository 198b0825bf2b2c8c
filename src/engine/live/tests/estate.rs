//! What a burial looks at: what the dead had, however much others have.
//!
//! Knows nothing of time.

use super::watch::{apart, until};
use super::wire::{Wire, here, read, write};
use crate::engine::live::estate::Estate;
use crate::engine::view::Action;
use crate::engine::{
    ChannelKind, ChannelName, Closing, Direction, EndName, Holder, Owner, Store, member, tables, within,
};
use std::collections::BTreeSet;

/// Of so many things, others have all but one.
const MANY: usize = 20_000;
/// So many are looked at for one of them: those of its chunk.
const FEW: usize = 64;

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
fn the_ends_of_a_channel_are_found_without_a_look_at_those_of_others() {
    apart("the_ends_of_a_channel_are_found_without_a_look_at_those_of_others", || {
        let me = Holder::Member(member().unwrap());
        let (early, handle) = channel();
        let mut others: Vec<EndName> = (0..MANY).map(|_| channel().1).collect();
        let late = || here(|local| local.request_end(early, Direction::Writer, me).unwrap());
        let mine: BTreeSet<u32> = BTreeSet::from([handle.index, late().index, late().index]);
        let found = tables().ends_of(early).into_iter().map(|(index, ..)| index);
        assert_eq!(found.collect::<BTreeSet<u32>>(), mine);
        assert_eq!(tables().count_ends(early), [0, 2, 1, 0, 0]);
        let looked_at = tables().chunks_of_ends(&BTreeSet::from([early])).len();
        assert!(looked_at <= 2, "{looked_at} chunks");
        others.push(handle);
        others.into_iter().for_each(|end| here(|local| local.close_end(end, Closing::Retire)));
        here(|local| local.close_held(member().unwrap(), Closing::Retire));
        // The slot is another channel's now, which has no ends there.
        let (next, handle) = channel();
        assert_eq!(tables().ends_of(next).len(), 1);
        here(|local| local.close_end(handle, Closing::Retire));
    });
}

#[test]
fn who_stands_still_is_looked_for_at_the_channels_where_somebody_waits() {
    apart("who_stands_still_is_looked_for_at_the_channels_where_somebody_waits", || {
        let others: Vec<EndName> = (0..MANY).map(|_| channel().1).collect();
        let wire = Wire::new();
        let name = wire.name;
        std::thread::scope(|scope| {
            scope.spawn(within(tables(), || assert_eq!(read(name), Ok(7))));
            until(|| tables().view_of_waits().waiting(name, Action::Read) == 1);
            let (all, view) = (tables().view(), tables().view_of_waits());
            assert!(all.channels.len() == MANY + 1 && all.ends.len() == MANY + 3);
            assert_eq!(view.channels, [all.channel(name).unwrap().clone()]);
            assert_eq!(view.ends, all.ends.iter().filter(|end| end.channel == name).copied().collect::<Vec<_>>());
            assert_eq!(view.processes, all.processes);
            assert_eq!(write(name, 7), Ok(()));
        });
        others.into_iter().for_each(|end| here(|local| local.close_end(end, Closing::Retire)));
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
        assert!(looked_at <= 1024, "{looked_at} of {MANY}");
        assert!(tables().leads_to(Owner::Member(process), mine));
        theirs.into_iter().chain([mine]).for_each(|block| tables().free(block));
        assert_eq!(tables().blocks_of(Owner::Member(process)), []);
    });
}
