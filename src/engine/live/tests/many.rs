//! More contexts than sixteen bits can number, and an offer that is begun, left alone and finished.
//!
//! Knows nothing of threads: one thread has all the contexts, as somebody who waits for many tasks will.

use super::super::local::Local;
use super::super::offer::Begun;
use super::super::wait::{Wait, Waited};
use super::super::word::State;
use super::watch::alone;
use super::wire::{Wire, input, keep, message, output, peek};
use crate::engine::{Order, tables};
use std::panic::Location;

/// Sleeps from the first moment, and is looked after by somebody else.
struct Elsewhere;

impl Wait for Elsewhere {
    fn sleeps_at_once(&mut self, _: &mut Local) -> bool {
        true
    }
}

#[test]
fn contexts_beyond_sixteen_bits_meet_and_an_offer_is_finished_by_whoever_began_it() {
    alone("contexts_beyond_sixteen_bits_meet_and_an_offer_is_finished_by_whoever_began_it", || {
        let wire = Wire::new();
        let crowd: Vec<Local> = (0..=u32::from(u16::MAX)).map(|_| Local::new(tables()).unwrap()).collect();
        let mut readers = [Local::new(tables()).unwrap(), Local::new(tables()).unwrap()];
        assert!(readers.iter().all(|reader| reader.index > u32::from(u16::MAX)));
        drop(crowd);

        let guards = [input(wire.name)];
        let waiting: Vec<_> = readers
            .iter_mut()
            .map(|reader| match reader.begin(&mut Elsewhere, &guards, Order::Priority, Location::caller()).unwrap() {
                Begun::Pending(pending) => pending,
                Begun::Fired(fired) => panic!("nobody has written, but {fired:?}"),
            })
            .collect();
        for number in 0..2 {
            let spare = super::wire::offer(&[output(wire.name, message(number))], Order::Priority).outcome.unwrap();
            keep(spare);
        }
        // In the order in which they came.
        for ((number, reader), pending) in (0..2).zip(&mut readers).zip(waiting) {
            let now = reader.context.word.read();
            assert_eq!(now.state(), State::Committed);
            let block = reader.finish(&guards, pending, Waited::Committed(now)).outcome.unwrap();
            tables().arena.block(block).set_owner(super::wire::here(|local| local.owner()));
            assert_eq!(peek(block), number);
            keep(block);
            assert_eq!(reader.context.word.read().state(), State::Idle);
        }
    });
}
