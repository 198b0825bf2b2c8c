//! Go's tests of `select` (`test/chan/select*.go`), by their behaviour.
//!
//! Knows nothing of Go's implementation. A `nil` channel is an absent guard here, `default` is `skip`, and a closed
//! channel is one whose writers have retired: the reader sees the retirement where Go's reads zeros, the writer where
//! Go's panics. `select2`, whose subject is memory, is `guards_that_lose_leave_nothing_behind` in `flat`; `select7`
//! is in `go`.

use crate::harness::cast::announce_and_read;
use crate::harness::place::Place;
use crate::policy::{channels, readers, writers};
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// Writes another power of two to each as long as one of them is ready; gives how many were written, and how many
/// evaluated.
#[process]
fn write_powers(a: Writer<u64>, b: Writer<u64>, mut to_a: bool, mut to_b: bool) -> csproc::Result<(u64, u64)> {
    let (evaluated, mut sent) = (Cell::new(0), 0);
    for power in 0.. {
        let value = || {
            evaluated.set(evaluated.get() + 1);
            1 << power
        };
        let written = AltSelect! {
            a.write(value()) if to_a => {
                to_a = false;
                true
            },
            b.write(value()) if to_b => {
                to_b = false;
                true
            },
            skip => false,
        }?;
        if !written {
            break;
        }
        sent += 1;
    }
    Ok((sent, evaluated.get()))
}

/// The operations of `select3`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Operation {
    Read,
    Write,
    /// The same as a guard beside one that never fires.
    Guard {
        output: bool,
    },
    /// The same beside `skip`.
    Polled {
        output: bool,
    },
    /// Both ends of the channel as guards.
    Both,
    /// The same guards with a false precondition, beside a timer or beside nothing.
    Absent {
        timer: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Outcome {
    Read(u64),
    Wrote,
    Skipped,
    TimedOut,
    Ended(ChannelError),
}

#[process]
fn perform(ready: Writer<Place>, input: Reader<u64>, out: Writer<u64>, operation: Operation) -> Outcome {
    Place::announce(&ready);
    let outcome = match operation {
        Operation::Read => input.read().map(Outcome::Read),
        Operation::Write => out.write(7).map(|()| Outcome::Wrote).map_err(ChannelError::from),
        Operation::Guard { output } => AltSelect! {
            v = input.read() if !output => Outcome::Read(v),
            after(HOUR) => panic!("an hour has passed"),
            out.write(7) if output => Outcome::Wrote,
        },
        Operation::Polled { output } => AltSelect! {
            v = input.read() if !output => Outcome::Read(v),
            out.write(7) if output => Outcome::Wrote,
            skip => Outcome::Skipped,
        },
        Operation::Both => AltSelect! {
            v = input.read() => Outcome::Read(v),
            out.write(7) => Outcome::Wrote,
        },
        Operation::Absent { timer } => AltSelect! {
            v = input.read() if false => Outcome::Read(v),
            out.write(7) if false => Outcome::Wrote,
            after(Duration::from_millis(1)) if timer => Outcome::TimedOut,
        },
    };
    outcome.unwrap_or_else(Outcome::Ended)
}

/// What an operation on this channel comes to; `None`: it waits, until the channel is poisoned.
fn table(placement: Placement, channel: &Channel<u64>, operation: Operation, wanted: Option<Outcome>) {
    let ready = Channel::new();
    let (announced, w) = (ready.reader(), channel.writer());
    let child = Spawn!(perform(ready.writer(), channel.reader(), w.clone(), operation).on(placement)).unwrap();
    let place = announced.read().unwrap();
    if wanted.is_none() {
        place.until_asleep();
        assert!(child.try_join().is_none(), "{operation:?} does not wait");
        w.poison();
    }
    assert_eq!(child.join().unwrap(), wanted.unwrap_or(Outcome::Ended(ChannelError::Poisoned)), "{operation:?}");
}

/// Chooses among five guards, of which only that number `ready` can fire; gives the numbers of the expressions that
/// were evaluated, and the arms that were run.
#[process]
fn evaluate(ends: Vec<(Reader<u64>, Writer<u64>)>, ready: u64, absent: u64) -> csproc::Result<(Vec<u64>, Vec<u64>)> {
    let (evaluated, ran) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let note = |number: u64| evaluated.borrow_mut().push(number);
    let input = |number: u64, place: usize| {
        note(number);
        &ends[place].0
    };
    let output = |number: u64, place: usize| {
        note(number);
        &ends[place].1
    };
    let number = |number: u64| {
        note(number);
        number
    };
    let run = |arm: u64| ran.borrow_mut().push(arm);
    if ready.is_multiple_of(2) {
        AltSelect! {
            _v = input(0, 0).read() if absent != 0 => run(0),
            output(1, 1).write(number(2)) if absent != 1 => run(1),
            _v = input(3, 2).read() if absent != 2 => run(2),
            output(4, 3).write(number(5)) if absent != 3 => run(3),
            after(HOUR * number(6) as u32) if absent != 4 => run(4),
        }?;
    } else {
        FairSelect! {
            _v = input(0, 0).read() if absent != 0 => run(0),
            output(1, 1).write(number(2)) if absent != 1 => run(1),
            _v = input(3, 2).read() if absent != 2 => run(2),
            output(4, 3).write(number(5)) if absent != 3 => run(3),
            after(HOUR * number(6) as u32) if absent != 4 => run(4),
        }?;
    }
    Ok((evaluated.into_inner(), ran.into_inner()))
}

/// Offers itself to two, is met by the second, and then comes back to the first.
#[process]
fn choose_then_read(ready: Writer<Place>, a: Reader<u64>, b: Reader<u64>, chosen: Writer<u64>) -> csproc::Result<u64> {
    Place::announce(&ready);
    AltSelect! {
        v = a.read() => panic!("nobody has written {v}"),
        v = b.read() => chosen.write(v)?,
    }?;
    Place::announce(&ready);
    Ok(a.read()?)
}

/// Leaves the arms of alternations in every way.
#[process]
fn leave_arms(full: Reader<u64>) -> Result<u64, ChannelError> {
    let mut rounds = 0;
    loop {
        rounds += 1;
        AltSelect! {
            v = full.read() => match v {
                0 => continue,
                1 => break,
                _ => (),
            },
        }?;
    }
    'outer: loop {
        for _ in 0..2 {
            rounds += 1;
            AltSelect! {
                v = full.read() => match v {
                    2 => break 'outer,
                    7 => continue 'outer,
                    _ => (),
                },
            }?;
        }
    }
    PriSelect! {
        v = full.read() => return Ok(rounds * 100 + v),
    }
}

over_both! {
    /// `select.go`: values are evaluated before the choice, one for each guard that is present.
    fn select_evaluates_a_value_for_each_guard_that_is_present(placement) {
        let fresh = || [Channel::buffered(Buffer::Fifo(1)), Channel::buffered(Buffer::Fifo(1))];
        let c = fresh();
        let sent = Parallel!(write_powers(c[0].writer(), c[1].writer(), true, true).on(placement)).unwrap();
        assert_eq!(sent.unwrap(), (2, 3));
        assert_eq!(c[0].reader().read().unwrap() | c[1].reader().read().unwrap(), 0b11);
        let c = fresh();
        let sent = Parallel!(write_powers(c[0].writer(), c[1].writer(), true, false).on(placement)).unwrap();
        assert_eq!(sent.unwrap(), (1, 1));
        assert_eq!((c[0].len(), c[1].len()), (1, 0));
    }

    /// `select3`: which operations wait on which channels, and what comes of the others.
    fn select3_what_waits_and_what_does_not(placement) {
        use {Operation::*, Outcome::Ended};
        let inputs = [Read, Guard { output: false }];
        let outputs = [Write, Guard { output: true }];
        let polled = [Polled { output: false }, Polled { output: true }];
        let buffer = |kept: &[u64]| {
            let c = Channel::buffered(Buffer::Fifo(2));
            let w = c.writer();
            kept.iter().for_each(|value| w.write(*value).unwrap());
            (c, w)
        };
        // Nobody at the other end: everything waits.
        for operation in inputs.into_iter().chain(outputs).chain([Both]) {
            table(placement, &Channel::new(), operation, None);
        }
        for operation in polled {
            table(placement, &Channel::new(), operation, Some(Outcome::Skipped));
        }
        // Absent guards never wait for anything, not even on a channel that is ready, or at an end.
        for channel in [Channel::new(), buffer(&[1]).0] {
            table(placement, &channel, Absent { timer: true }, Some(Outcome::TimedOut));
            table(placement, &channel, Absent { timer: false }, Some(Ended(ChannelError::NoGuards)));
        }
        // A buffer: empty, with one message and room, full.
        for operation in inputs {
            table(placement, &buffer(&[]).0, operation, None);
            table(placement, &buffer(&[5, 6]).0, operation, Some(Outcome::Read(5)));
        }
        for operation in outputs {
            table(placement, &buffer(&[5]).0, operation, Some(Outcome::Wrote));
            table(placement, &buffer(&[5, 6]).0, operation, None);
        }
        table(placement, &buffer(&[]).0, Both, Some(Outcome::Wrote));
        table(placement, &buffer(&[5, 6]).0, Both, Some(Outcome::Read(5)));
        table(placement, &buffer(&[]).0, polled[0], Some(Outcome::Skipped));
        table(placement, &buffer(&[5]).0, polled[0], Some(Outcome::Read(5)));
        table(placement, &buffer(&[5]).0, polled[1], Some(Outcome::Wrote));
        table(placement, &buffer(&[5, 6]).0, polled[1], Some(Outcome::Skipped));
        // Nobody writes any more: what was written is read, and then nothing waits.
        let closed = |kept: &[u64]| {
            let (c, w) = buffer(kept);
            w.retire();
            c
        };
        for operation in inputs.into_iter().chain([polled[0]]) {
            let c = closed(&[5]);
            table(placement, &c, operation, Some(Outcome::Read(5)));
            for _ in 0..2 {
                table(placement, &c, operation, Some(Ended(ChannelError::Retired)));
            }
        }
        for operation in outputs.into_iter().chain([polled[1]]) {
            table(placement, &closed(&[5]), operation, Some(Ended(ChannelError::Retired)));
        }
    }

    /// `select4`, `select5`: every expression of a guard that is present is evaluated once and in order, whichever
    /// fires; no other arm is run.
    fn select5_guards_are_evaluated_once_and_in_order(placement) {
        for (ready, absent) in (0..4).flat_map(|ready| (0..6).map(move |absent| (ready, absent))) {
            if ready == absent {
                continue;
            }
            let c: Vec<Channel<u64>> = (0..4).map(|_| Channel::buffered(Buffer::Fifo(1))).collect();
            let keep = writers(&c);
            for (place, w) in (0..).zip(&keep) {
                // Empty for those that write, full for those that read, if they are to fire.
                if (place % 2 == 0) == (place == ready) {
                    w.write(9).unwrap();
                }
            }
            let ends: Vec<_> = readers(&c).into_iter().zip(writers(&c)).collect();
            let (evaluated, ran) = Parallel!(evaluate(ends, ready, absent).on(placement)).unwrap().unwrap();
            let numbers = [&[0][..], &[1, 2], &[3], &[4, 5], &[6]];
            let present = (0..).zip(numbers).filter(|(arm, _)| *arm != absent);
            assert_eq!(evaluated, present.flat_map(|(_, numbers)| numbers.to_vec()).collect::<Vec<u64>>());
            assert_eq!(ran, [ready]);
            drop(keep);
        }
    }

    /// `select6`: an alternation that was last in the queue of a channel leaves, and others wait on that channel
    /// afterwards.
    fn select6_leaving_a_queue_misses_nobody(placement) {
        for _ in 0..5 {
            let (c, ready) = (channels(3), Channel::new());
            let announced = ready.reader();
            let (w, chosen) = (writers(&c), c[2].reader());
            let first = Spawn!(announce_and_read(ready.writer(), c[0].reader()).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            let second = choose_then_read(ready.writer(), c[0].reader(), c[1].reader(), c[2].writer());
            let second = Spawn!(second.on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            w[1].write(5).unwrap();
            assert_eq!(chosen.read(), Ok(5));
            announced.read().unwrap().until_asleep();
            let third = Spawn!(announce_and_read(ready.writer(), c[0].reader()).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            (1..4).for_each(|value| w[0].write(value).unwrap());
            assert_eq!(first.join().unwrap().unwrap(), 1);
            assert_eq!(second.join().unwrap().unwrap(), 2);
            assert_eq!(third.join().unwrap().unwrap(), 3);
        }
    }

    /// `select8`: an arm is left by `break`, `continue` and `return`, and what it read is not read again.
    fn select8_arms_are_left_in_every_way(placement) {
        let c = Channel::buffered(Buffer::Unbounded);
        let w = c.writer();
        [0, 5, 0, 1, 7, 2, 9].into_iter().for_each(|value| w.write(value).unwrap());
        assert_eq!(Parallel!(leave_arms(c.reader()).on(placement)).unwrap(), Ok(609));
        assert_eq!(c.len(), 0);
    }
}
