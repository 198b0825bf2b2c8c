//! Rings are given to those who record: one that was left to the next one, and none of somebody who still writes.
//!
//! Knows nothing of what is recorded.

use super::super::ring::Life;
use crate::engine::live::{Local, Tables};
use crate::engine::{EventKind, EventOf, Recording};
use crate::sys::clock::Counter;
use std::sync::atomic::Ordering;

/// A small world in which everything is recorded.
fn recorded() -> Tables {
    let tables = Tables::apart(4 << 20);
    tables.arena.control().switch_on(64, Counter::Monotonic);
    tables
}

fn note(local: &mut Local, number: u64) {
    local.note(EventOf { subject: Some(number), ..EventOf::new(EventKind::Spawn) });
}

fn last_of(recording: &Recording) -> Option<u64> {
    recording.records.last()?.subject()
}

fn untraced(tables: Tables) -> u32 {
    tables.arena.shared().untraced.load(Ordering::Relaxed)
}

#[test]
fn a_ring_that_was_left_is_given_to_somebody_else() {
    let tables = recorded();
    let rings = u64::from(tables.rings.capacity());
    for number in 0..3 * rings {
        let mut local = Local::new(tables).unwrap();
        note(&mut local, number);
    }
    let mut left: Vec<u64> = tables.recordings().iter().filter_map(last_of).collect();
    left.sort_unstable();
    assert_eq!(left, (2 * rings..3 * rings).collect::<Vec<_>>(), "the oldest went first");
    assert_eq!((untraced(tables), tables.faults()), (0, Vec::new()));
}

#[test]
fn whoever_still_writes_keeps_its_ring_and_who_has_none_is_counted() {
    let tables = recorded();
    let rings = u64::from(tables.rings.capacity());
    let mut locals: Vec<Local> = (0..rings + 5).map(|_| Local::new(tables).unwrap()).collect();
    for round in 0..3 {
        locals.iter_mut().zip(0..).for_each(|(local, number)| note(local, 1000 * round + number));
    }
    assert_eq!((tables.recordings().len() as u64, untraced(tables)), (rings, 15));
    assert!(tables.recordings().iter().all(|recording| recording.records.len() == 3));
    drop(locals);
    let mut later = Local::new(tables).unwrap();
    note(&mut later, 7);
    assert!(tables.recordings().iter().any(|recording| last_of(recording) == Some(7)));
}

#[test]
fn the_dead_keep_their_rings_longest() {
    let tables = recorded();
    let mut dead = Local::new(tables).unwrap();
    note(&mut dead, 5);
    tables.rings.taken().for_each(|(_, _, ring)| ring.end(Life::Died, 1));
    let rings = u64::from(tables.rings.capacity());
    for number in 100..100 + 3 * rings {
        let mut local = Local::new(tables).unwrap();
        note(&mut local, number);
    }
    assert!(tables.recordings().iter().any(|recording| last_of(recording) == Some(5)));
}

#[test]
fn what_was_recorded_before_it_was_switched_on_again_is_not_looked_at() {
    let tables = recorded();
    let mut local = Local::new(tables).unwrap();
    (0..100).for_each(|number| note(&mut local, number));
    let [recording] = &tables.recordings()[..] else { panic!("there is one ring") };
    assert_eq!((recording.records.len(), recording.lost), (63, 37), "the oldest row may be half overwritten");
    tables.arena.control().switch_off();
    note(&mut local, 100);
    tables.arena.control().switch_on(64, Counter::Monotonic);
    assert!(tables.recordings().is_empty());
    note(&mut local, 101);
    assert_eq!(tables.recordings().iter().filter_map(last_of).collect::<Vec<_>>(), [101]);
}
