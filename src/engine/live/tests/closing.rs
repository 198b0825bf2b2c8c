//! Channels that are closed by hand, channels that bear a crash, and gates that go, on threads of one process.
//!
//! Knows nothing of the objects that are made of them.

use super::watch::{apart, until};
use super::wire::{Wire, here, offer, read, write};
use crate::engine::{ChannelKind, Closing, Direction, Fate, Guard, Holder, Opened, Order, along, member, tables};
use std::sync::atomic::Ordering;
use std::thread;

/// How many offers wait.
fn waiting(wire: &Wire) -> usize {
    let channel = super::super::tables::Tables::channel(crate::engine::tables(), wire.name).unwrap();
    super::audit::queue(channel, true).len() + super::audit::queue(channel, false).len()
}

fn crash(wire: &Wire, direction: Direction) {
    let end = wire.ends[usize::from(direction == Direction::Writer)];
    let closing = Closing::Lost { member: member().unwrap() };
    here(|local| local.close_end(end, closing));
}

#[test]
fn what_is_in_a_channel_that_was_closed_is_read_and_nothing_comes_behind_it() {
    apart("what_is_in_a_channel_that_was_closed_is_read", || {
        let wire = Wire::buffered(3);
        write(wire.name, 1).unwrap();
        write(wire.name, 2).unwrap();
        here(|local| local.end_writing(wire.name));
        here(|local| local.end_writing(wire.name));
        assert_eq!(write(wire.name, 3), Err(Fate::Retired));
        assert_eq!((read(wire.name), read(wire.name)), (Ok(1), Ok(2)));
        assert_eq!(read(wire.name), Err(Fate::Retired));
    });
}

#[test]
fn closing_a_channel_tells_everybody_who_waits() {
    apart("closing_a_channel_tells_everybody_who_waits", || {
        let (empty, full, rendezvous) = (&Wire::buffered(1), &Wire::buffered(1), &Wire::new());
        write(full.name, 1).unwrap();
        thread::scope(|threads| {
            let readers = [empty, rendezvous].map(|wire| threads.spawn(along(move || read(wire.name).map(drop))));
            let writers = [full, full].map(|wire| threads.spawn(along(move || write(wire.name, 2))));
            until(|| waiting(empty) == 1 && waiting(rendezvous) == 1 && waiting(full) == 2);
            here(|local| [empty, full, rendezvous].iter().for_each(|wire| local.end_writing(wire.name)));
            for waiter in readers.into_iter().chain(writers) {
                assert_eq!(waiter.join().unwrap(), Err(Fate::Retired));
            }
        });
        assert_eq!((read(full.name), read(full.name)), (Ok(1), Err(Fate::Retired)));
    });
}

#[test]
fn a_crash_on_a_side_that_bears_it_is_a_retirement() {
    apart("a_crash_on_a_side_that_bears_it_is_a_retirement", || {
        for side in [Direction::Reader, Direction::Writer] {
            let wire = Wire::buffered(2);
            wire.name.bears_crashes_of(side);
            let other = here(|local| {
                let holder = crate::engine::Holder::Member(member().unwrap());
                local.request_end(wire.name, side, holder).unwrap()
            });
            write(wire.name, 1).unwrap();
            crash(&wire, side);
            write(wire.name, 2).unwrap();
            assert_eq!((read(wire.name), read(wire.name)), (Ok(1), Ok(2)));
            // The last one of its side.
            let closing = Closing::Lost { member: member().unwrap() };
            here(|local| local.close_end(other, closing));
            assert_eq!(read(wire.name), Err(Fate::Retired));
        }
    });
}

#[test]
fn a_crash_on_the_other_side_is_a_crash_and_poison_is_poison() {
    apart("a_crash_on_the_other_side_is_a_crash", || {
        let wire = Wire::buffered(2);
        wire.name.bears_crashes_of(Direction::Writer);
        crash(&wire, Direction::Reader);
        assert_eq!(write(wire.name, 1), Err(Fate::Lost { member: member().unwrap() }));

        let wire = Wire::buffered(2);
        wire.name.bears_crashes_of(Direction::Writer);
        wire.name.bears_crashes_of(Direction::Reader);
        here(|local| local.poison_all([wire.name], None));
        assert_eq!(write(wire.name, 1), Err(Fate::Poisoned));
    });
}

/// Somebody waits to be served, and is told; what of.
fn told_of_deadlock(wire: &Wire, record: Option<u32>) -> Fate {
    thread::scope(|threads| {
        let caller = threads.spawn(along(|| write(wire.name, 1)));
        until(|| waiting(wire) == 1);
        here(|local| local.poison_all([wire.name], record));
        caller.join().unwrap().unwrap_err()
    })
}

fn serves(wire: &Wire) -> bool {
    thread::scope(|threads| {
        let caller = threads.spawn(along(|| write(wire.name, 2)));
        let read = read(wire.name);
        caller.join().unwrap() == Ok(()) && read == Ok(2)
    })
}

#[test]
fn who_waits_to_be_served_is_told_of_a_deadlock_and_the_channel_goes_on() {
    apart("who_waits_to_be_served_is_told_of_a_deadlock", || {
        let wire = Wire::new();
        wire.name.is_served();
        let records = [0, 1].map(|_| tables().create_deadlock().unwrap().0);
        let is_kept = |record: usize| tables().member(records[record]).is_some();
        assert_eq!(told_of_deadlock(&wire, None), Fate::Poisoned);
        assert!(serves(&wire));
        for (place, record) in records.into_iter().enumerate() {
            assert_eq!(told_of_deadlock(&wire, Some(record.index)), Fate::Lost { member: record.index });
            here(|local| local.disown(record));
            assert_eq!([is_kept(0), is_kept(1)], [place == 0, true], "it keeps the newest of which it has told");
            assert!(serves(&wire));
        }
        // Those who serve wait, and a deadlock is not theirs.
        thread::scope(|threads| {
            let server = threads.spawn(along(|| read(wire.name)));
            until(|| waiting(&wire) == 1);
            here(|local| local.poison_all([wire.name], None));
            assert!(!is_kept(1));
            write(wire.name, 3).unwrap();
            assert_eq!(server.join().unwrap(), Ok(3));
        });
        crash(&wire, Direction::Reader);
        assert_eq!(write(wire.name, 4), Err(Fate::Lost { member: member().unwrap() }));
        here(|local| local.poison_all([wire.name], None));
        assert_eq!(write(wire.name, 4), Err(Fate::Lost { member: member().unwrap() }), "that is its fate");
    });
}

/// A gate that opens in turns is taken for an area only if it keeps one.
#[test]
fn whoever_ends_leaves_no_gate_behind_that_opens_in_turns() {
    apart("whoever_ends_leaves_no_gate_behind_that_opens_in_turns", || {
        let wire = Wire::of("", ChannelKind::Gate { permits: 0, opened: Opened::InTurns });
        here(|local| local.close_held(member().unwrap(), Closing::Retire));
        assert!(crate::engine::tables().channel(wire.name).is_none());
    });
}

/// Whoever is noted as the one who has left a gate behind is kept, with its slot, no longer than the gate.
#[test]
fn a_gate_that_goes_lets_go_of_who_has_abandoned_it() {
    apart("a_gate_that_goes_lets_go_of_who_has_abandoned_it", || {
        let (holder, _) = tables().create_member(u32::MAX).unwrap();
        let wire = Wire::of("", ChannelKind::Gate { permits: 1, opened: Opened::ByHolders });
        let guard = Guard::Pass { gate: wire.name, weight: 1, holder: Some(Holder::Member(holder.index)) };
        let unit = offer(&[guard], Order::Priority).unit().unwrap();
        here(|local| local.close_end(unit, Closing::Retire));
        let slot = tables().member(holder).unwrap();
        here(|local| {
            local.leave(holder.index, slot);
            local.disown(holder);
        });
        assert!(tables().member(holder).is_some(), "the gate names it");
        drop(wire);
        assert!(tables().member(holder).is_none());
    });
}

/// The memory of a cell may be somebody else's once its gate has gone.
#[test]
fn what_was_seen_of_a_cell_that_went_meanwhile_is_thrown_away() {
    apart("what_was_seen_of_a_cell_that_went_meanwhile_is_thrown_away", || {
        let holder = Holder::Member(member().unwrap());
        let (gate, handle) = here(|local| local.create_cell(8, |cell| cell.clear(), holder)).unwrap();
        assert_eq!(tables().cell(gate, |bytes, _| bytes), Some(8));
        let seen = tables().cell(gate, |_, _| here(|local| local.close_end(handle, Closing::Retire)));
        assert_eq!(seen, None);
    });
}

/// A burial that is cut short finds the threads of a process by its slot.
#[test]
fn of_a_process_and_its_threads_the_process_is_buried_last() {
    apart("of_a_process_and_its_threads_the_process_is_buried_last", || {
        let names: Vec<_> = (0..3).map(|_| tables().create_member(u32::MAX).unwrap()).collect();
        let [first, host, last] = [0, 1, 2].map(|place| names[place].0.index);
        for (_, member) in &names {
            member.host.store(host, Ordering::Release);
        }
        let unburied: Vec<u32> = tables().unburied_of(host).iter().map(|(index, ..)| *index).collect();
        assert_eq!(unburied, [first, last, host]);
        for (name, member) in names {
            here(|local| {
                local.leave(name.index, member);
                local.disown(name);
            });
        }
    });
}
