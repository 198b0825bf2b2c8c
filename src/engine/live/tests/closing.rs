//! Channels that are closed by hand, and channels that bear a crash, on threads of one process.
//!
//! Knows nothing of the objects that are made of them.

use super::watch::{apart, until};
use super::wire::{Wire, here, read, write};
use crate::engine::{Closing, Direction, Fate, along, member};
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
