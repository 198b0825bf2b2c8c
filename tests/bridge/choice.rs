//! A bridge is a guard like any other: it has its turn, it loses without a trace, and its end is an error of the
//! alternation.
//!
//! Knows nothing of the order of values.

use crate::harness::place::Place;
use crossbeam_channel::Sender;
use csproc::bridge::{self, Bridge, Crossbeam, Ipc};
use csproc::prelude::*;
use ipc_channel::ipc::{self, IpcSender};
use std::time::{Duration, Instant};

fn near<T: Send + 'static>() -> (Sender<T>, Bridge<Crossbeam<T>>) {
    let (sender, receiver) = crossbeam_channel::unbounded();
    (sender, bridge::crossbeam(receiver))
}

fn far() -> (IpcSender<u32>, Bridge<Ipc<u32>>) {
    let (sender, receiver) = ipc::channel().unwrap();
    (sender, bridge::ipc(receiver).unwrap())
}

/// Runs `work` while the calling thread sleeps in its next operation, and `work` alone can end that.
fn meanwhile<R>(work: impl FnOnce() + Send, wait: impl FnOnce() -> R) -> R {
    let place = Place::here();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            place.until_asleep();
            work();
        });
        wait()
    })
}

once! {
    fn of_several_that_are_ready_the_first_is_taken() {
        let ((near_sender, near), (far_sender, far)) = (near::<u32>(), far());
        let c = Channel::buffered(Buffer::Fifo(1));
        let (w, own) = (c.writer(), c.reader());
        for _ in 0..100 {
            near_sender.send(1).unwrap();
            far_sender.send(2).unwrap();
            w.write(3).unwrap();
            let first = PriSelect! { v = far.read() => v, v = near.read() => v, v = own.read() => v };
            let second = PriSelect! { v = far.read() => v, v = own.read() => v, v = near.read() => v };
            let third = PriSelect! { v = far.read() => v, v = own.read() => v, v = near.read() => v };
            assert_eq!((first, second, third), (Ok(2), Ok(3), Ok(1)));
        }
    }

    fn turns_are_kept_between_bridges() {
        let ((near_sender, near), (far_sender, far)) = (near::<u32>(), far());
        for _ in 0..10 {
            near_sender.send(1).unwrap();
            far_sender.send(2).unwrap();
        }
        let mut alt = Alternation::new();
        alt.guard(&near);
        alt.guard(&far);
        let order: Vec<usize> = (0..20).map(|_| alt.fair_select().unwrap().index()).collect();
        assert_eq!(order, [0, 1].repeat(10));
    }

    fn skip_takes_a_value_that_is_there() {
        let ((near_sender, near), (far_sender, far)) = (near(), far());
        let poll = || PriSelect! { v = near.read() => v, v = far.read() => v, skip => 0 };
        for number in 1..1000 {
            assert_eq!(poll(), Ok(0));
            far_sender.send(number).unwrap();
            assert_eq!(poll(), Ok(number));
            near_sender.send(number).unwrap();
            assert_eq!(poll(), Ok(number));
        }
    }

    fn skip_does_not_wait_for_the_end_either() {
        let ((near_sender, near), (far_sender, far)) = (near::<u32>(), far());
        drop(near_sender);
        drop(far_sender);
        assert!(PriSelect! { _v = near.read() => (), skip => () }.unwrap_err().is_retired());
        assert!(PriSelect! { _v = far.read() => (), skip => () }.unwrap_err().is_retired());
    }

    fn timers_are_not_early_beside_bridges() {
        let ((_near_sender, near), (_far_sender, far)) = (near::<u32>(), far());
        for step in 0..40 {
            let wanted = Duration::from_micros(step * step * 5);
            let start = Instant::now();
            let late = AltSelect! { _v = near.read() => false, _v = far.read() => false, after(wanted) => true };
            assert_eq!(late, Ok(true));
            assert!(start.elapsed() >= wanted);
            assert!(near.read_timeout(wanted).unwrap_err().is_timed_out());
            assert!(far.read_timeout(wanted).unwrap_err().is_timed_out());
            assert!(start.elapsed() >= wanted * 3);
        }
    }

    fn a_deadline_that_has_passed_still_takes_what_is_there() {
        let ((near_sender, near), (far_sender, far)) = (near(), far());
        near_sender.send(1).unwrap();
        far_sender.send(2).unwrap();
        let past = Instant::now() - Duration::from_millis(1);
        assert_eq!((near.read_deadline(past), far.read_deadline(past)), (Ok(1), Ok(2)));
        assert_eq!(near.read_timeout(Duration::ZERO), Err(ChannelError::TimedOut));
        assert_eq!(far.read_timeout(Duration::ZERO), Err(ChannelError::TimedOut));
    }

    fn a_timeout_beyond_the_clock_is_no_timeout() {
        let ((near_sender, near), (far_sender, far)) = (near(), far());
        assert_eq!(meanwhile(|| near_sender.send(1).unwrap(), || near.read_timeout(Duration::MAX)), Ok(1));
        assert_eq!(meanwhile(|| far_sender.send(1).unwrap(), || far.read_timeout(Duration::MAX)), Ok(1));
    }

    fn two_bridges_and_a_channel_wake_one_alternation() {
        let ((near_sender, near), (far_sender, far)) = (near(), far());
        let c = Channel::buffered(Buffer::Fifo(1));
        let (w, own) = (c.writer(), c.reader());
        let mut alt = Alternation::new();
        let (a, b, d) = (alt.guard(&near), alt.read(&own), alt.guard(&far));
        for round in 0..300 {
            let fired = meanwhile(|| near_sender.send(round).unwrap(), || alt.select());
            assert_eq!(fired.unwrap().take(a), round);
            let fired = meanwhile(|| w.write(round).unwrap(), || alt.select());
            assert_eq!(fired.unwrap().take(b), round);
            let fired = meanwhile(|| far_sender.send(round).unwrap(), || alt.select());
            assert_eq!(fired.unwrap().take(d), round);
        }
    }

    fn the_end_of_a_foreign_sender_wakes_an_alternation() {
        let ((near_sender, near), (far_sender, far)) = (near::<u32>(), far());
        let mut alt = Alternation::new();
        let (a, b) = (alt.guard(&near), alt.guard(&far));
        far_sender.send(1).unwrap();
        assert_eq!(alt.select().unwrap().take(b), 1);
        let error = meanwhile(move || drop(far_sender), || alt.select()).unwrap_err();
        assert!(error.is_retired());
        assert_eq!(alt.failed(), Some(b.index()));
        alt.enable(b, false);
        assert!(meanwhile(move || drop(near_sender), || alt.select()).unwrap_err().is_retired());
        assert_eq!(alt.failed(), Some(a.index()));
    }

    fn the_end_of_a_foreign_sender_has_its_turn() {
        let (near_sender, near) = near::<u32>();
        let c = Channel::buffered(Buffer::Fifo(1));
        let (w, own) = (c.writer(), c.reader());
        drop(near_sender);
        w.write(1).unwrap();
        assert_eq!(PriSelect! { v = own.read() => v, v = near.read() => v }, Ok(1));
        w.write(1).unwrap();
        assert!(PriSelect! { v = near.read() => v, v = own.read() => v }.unwrap_err().is_retired());
    }

    fn one_bridge_in_two_guards_fires_once() {
        let (near_sender, near) = near();
        let mut alt = Alternation::new();
        let (a, b) = (alt.guard(&near), alt.guard(&near));
        for round in 0..300 {
            let fired = meanwhile(|| near_sender.send(round).unwrap(), || alt.select()).unwrap();
            assert_eq!(if fired.index() == a.index() { fired.take(a) } else { fired.take(b) }, round);
            assert!(near.try_read().unwrap_err().is_would_block());
        }
    }

    fn values_that_cannot_be_serialized_cross_a_bridge() {
        let (sender, foreign) = near::<Box<dyn Fn(u32) -> u32 + Send>>();
        sender.send(Box::new(|v| v + 1)).unwrap();
        let called = AltSelect! { function = foreign.read() => function(1) };
        assert_eq!(called, Ok(2));
    }

    fn a_value_that_is_not_taken_out_is_dropped() {
        let (sender, foreign) = near();
        let value = std::sync::Arc::new(());
        sender.send(value.clone()).unwrap();
        let mut alt = Alternation::new();
        alt.guard(&foreign);
        drop(alt.select().unwrap());
        assert_eq!(std::sync::Arc::strong_count(&value), 1);
    }
}
