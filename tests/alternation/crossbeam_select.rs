//! The tests of crossbeam-channel's `select!` (`select.rs`, `select_macro.rs`), by their behaviour.
//!
//! Knows nothing of crossbeam's implementation. What is disconnected there is retired here, and `default` is `skip`.

use crate::policy::POLICIES;
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);

/// Each of two guards once, in whatever order.
#[process]
fn do_both(input: Reader<u64>, out: Writer<u64>) -> csproc::Result<(u64, u64)> {
    let (mut read, mut written) = (0, 0);
    for _ in 0..2 {
        AltSelect! {
            v = input.read() if read == 0 => read += v,
            out.write(2) if written == 0 => written += 2,
        }?;
    }
    Ok((read, written))
}

/// Tries to write until it has or until the end.
#[process]
fn try_until(out: Writer<u64>, value: u64, end: Reader<()>) -> csproc::Result<bool> {
    loop {
        let written = PriSelect! {
            out.write(value) => true,
            skip => false,
        };
        match written {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(ChannelError::Retired) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let over = AltSelect! {
            () = end.read() => (),
            skip => (),
        };
        if over.is_err() {
            return Ok(false);
        }
        std::thread::yield_now();
    }
}

/// Whatever comes first of two; its return ends the others.
#[process]
fn first_of(a: Reader<u64>, b: Reader<u64>, _end: Writer<()>) -> csproc::Result<u64> {
    Ok(AltSelect! {
        v = a.read() => v,
        v = b.read() => v,
        after(HOUR) => 0,
    }?)
}

/// The steps of the other side of the `stress_` tests, round after round.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Stress {
    Recv,
    Send,
    Mixed,
}

#[process]
fn stress_plainly(a: (Reader<u64>, Writer<u64>), b: (Reader<u64>, Writer<u64>), next: Reader<()>, stress: Stress) {
    for i in 0..500 {
        match stress {
            Stress::Recv => {
                a.1.write(i).unwrap();
                b.1.write(i).unwrap();
            }
            Stress::Send => assert_eq!((a.0.read(), b.0.read()), (Ok(i), Ok(i))),
            Stress::Mixed => {
                a.1.write(i).unwrap();
                assert_eq!(b.0.read(), Ok(i));
            }
        }
        next.read().unwrap();
    }
}

#[process]
fn stress_alternating(a: (Reader<u64>, Writer<u64>), b: (Reader<u64>, Writer<u64>), next: Writer<()>, stress: Stress) {
    let mut alt = Alternation::new();
    let mut inputs = Vec::new();
    let mut outputs = Vec::new();
    match stress {
        Stress::Recv => inputs.extend([alt.read(&a.0), alt.read(&b.0)]),
        Stress::Send => outputs.extend([alt.write(&a.1, 0), alt.write(&b.1, 0)]),
        Stress::Mixed => {
            inputs.push(alt.read(&a.0));
            outputs.push(alt.write(&b.1, 0));
        }
    }
    for i in 0..500 {
        for input in &inputs {
            alt.enable(*input, true);
        }
        for output in &outputs {
            alt.set(*output, i);
        }
        for _ in 0..2 {
            let fired = alt.select().unwrap();
            if let Some(input) = inputs.iter().find(|input| input.index() == fired.index()) {
                assert_eq!(fired.take(*input), i);
                alt.enable(*input, false);
            }
        }
        next.write(()).unwrap();
    }
}

/// Meets another one that does the same, and gives what it read, if it read.
#[process]
fn matching(input: Reader<u64>, out: Writer<u64>, own: u64, dynamic: bool) -> csproc::Result<Option<u64>> {
    let met = if !dynamic {
        AltSelect! {
            v = input.read() => Some(v),
            out.write(own) => None,
        }
    } else {
        let mut alt = Alternation::new();
        alt.write(&out, own);
        let token = alt.read(&input);
        alt.fair_select().map(|fired| (fired.index() == token.index()).then(|| fired.take(token)))
    };
    Ok(met?)
}

/// Adds a message, and then finds one: there are at least as many as those that look.
#[process]
fn add_and_find(input: Reader<u64>, out: Writer<u64>, rounds: u64, timer: bool) -> csproc::Result<u64> {
    let mut missed = 0;
    for round in 0..rounds {
        out.write(round)?;
        missed += if timer {
            PriSelect! { _v = input.read() => 0, after(Duration::ZERO) => 1 }
        } else {
            AltSelect! { _v = input.read() => 0, skip => 1 }
        }?;
        if missed > 0 {
            break;
        }
    }
    Ok(missed)
}

struct Desk {
    tray: (Writer<u64>, Reader<u64>),
}

/// Everybody's number was read once, by somebody else, or not at all.
fn check_pairs(met: Vec<csproc::Result<Option<u64>>>, wanted: usize, strangers: &[u64]) {
    let mut read = Vec::new();
    for (own, met) in (0..).zip(met) {
        if let Some(other) = met.unwrap() {
            assert_ne!(own, other, "an alternation met itself");
            read.push(other);
        }
    }
    read.sort_unstable();
    read.dedup();
    assert_eq!(read.len(), wanted, "{read:?}");
    assert!(strangers.iter().all(|stranger| read.contains(stranger)));
}

over_both! {
    fn both_ready_one_after_the_other(placement) {
        for round in 0..50 {
            let (c, d) = (Channel::new(), Channel::new());
            let (w, r) = (c.writer(), d.reader());
            let both = Spawn!(do_both(c.reader(), d.writer()).on(placement)).unwrap();
            if round % 2 == 0 {
                w.write(1).unwrap();
                assert_eq!(r.read(), Ok(2));
            } else {
                assert_eq!(r.read(), Ok(2));
                w.write(1).unwrap();
            }
            assert_eq!(both.join().unwrap().unwrap(), (1, 2));
        }
    }

    /// `loop_try`: of two that only try, one is met by the alternation that waits, and the other one sees the end.
    fn loop_try_one_of_two_that_try_is_met(placement) {
        for _ in 0..20 {
            let (a, b, end) = (Channel::new(), Channel::new(), Channel::new());
            let (first, one, two) = Parallel!(
                first_of(a.reader(), b.reader(), end.writer()).on(placement),
                try_until(a.writer(), 1, end.reader()).on(placement),
                try_until(b.writer(), 2, end.reader()).on(placement),
            )
            .unwrap();
            match first.unwrap() {
                1 => assert_eq!((one.unwrap(), two.unwrap()), (true, false)),
                2 => assert_eq!((one.unwrap(), two.unwrap()), (false, true)),
                other => panic!("{other}"),
            }
        }
    }

    /// `stress_recv`, `stress_send`, `stress_mixed` and `reuse`: one alternation, used again and again.
    fn stress_one_alternation_against_plain_operations(placement) {
        for stress in [Stress::Recv, Stress::Send, Stress::Mixed] {
            let (a, b, next) = (Channel::new(), Channel::new(), Channel::new());
            let ends = |c: &Channel<u64>| (c.reader(), c.writer());
            Parallel!(
                stress_plainly(ends(&a), ends(&b), next.reader(), stress).on(placement),
                stress_alternating(ends(&a), ends(&b), next.writer(), stress).on(placement),
            )
            .unwrap();
        }
    }

    /// `matching`: an even number of alternations over both ends of one channel pair off.
    fn matching_all_pair_off(placement) {
        let c = Channel::new();
        let ends = (c.reader(), c.writer());
        let met = Parallel!(for own in 0..20 =>
            matching(c.reader(), c.writer(), own, own % 2 == 0).on(placement))
        .unwrap();
        check_pairs(met, 10, &[]);
        assert!(ends.0.try_read().unwrap_err().is_would_block());
    }

    /// `matching_with_leftover`: one of an odd number is left, and meets somebody else.
    fn matching_with_leftover_one_is_left(placement) {
        let c = Channel::new();
        let (w, _r) = (c.writer(), c.reader());
        let met = Spawn!(for own in 0..15 =>
            matching(c.reader(), c.writer(), own, own % 2 == 0).on(placement))
        .unwrap();
        w.write(99).unwrap();
        check_pairs(met.join().unwrap(), 8, &[99]);
    }

    /// `linearizable_default`, `linearizable_timeout`: who has added a message finds one.
    fn linearizable_who_has_added_a_message_finds_one(placement) {
        for timer in [false, true] {
            let c = Channel::buffered(Buffer::Fifo(4));
            let missed =
                Parallel!(add_and_find(c.reader(), c.writer(), 2000, timer).on(placement) * 3).unwrap();
            assert!(missed.into_iter().map(Result::unwrap).eq([0; 3]));
        }
    }
}

once! {
    fn default_when_disconnected_the_end_is_ready_and_skip_is_not() {
        let c = Channel::<u64>::new();
        let (w, r) = (c.writer(), c.reader());
        drop(w);
        for policy in POLICIES {
            let mut alt = Alternation::new();
            alt.skip();
            let dead = alt.read(&r);
            alt.after(HOUR);
            assert_eq!(policy.select(&mut alt).unwrap_err(), ChannelError::Retired);
            assert_eq!(alt.failed(), Some(dead.index()));
        }
    }

    fn default_only_and_timeout_only() {
        assert_eq!(AltSelect! { skip => 1 }, Ok(1));
        let start = Instant::now();
        assert_eq!(AltSelect! { after(Duration::from_millis(2)) => 1 }, Ok(1));
        assert!(start.elapsed() >= Duration::from_millis(2));
    }

    fn nesting_an_alternation_in_the_arm_of_an_alternation() {
        let c = Channel::buffered(Buffer::Fifo(1));
        let (w, r) = (c.writer(), c.reader());
        let depth = AltSelect! {
            w.write(0) => AltSelect! {
                v = r.read() => {
                    assert_eq!(v, 0);
                    FairSelect! {
                        w.write(1) => PriSelect! {
                            v = r.read() => v + 3,
                        },
                    }
                },
            },
        };
        assert_eq!(depth.and_then(|inner| inner).and_then(|inner| inner).and_then(|inner| inner), Ok(4));
    }

    /// `references`, `handles_on_heap`: an end may be any expression.
    fn references_and_handles_on_the_heap_are_ends() {
        let c = Channel::buffered(Buffer::Fifo(2));
        let (boxed, shared, counted) = (Box::new(c.reader()), Arc::new(c.reader()), Rc::new(c.reader()));
        let desks = [Desk { tray: (c.writer(), c.reader()) }];
        let maybe = Some(c.reader());
        let r = &&c.reader();
        let mut read = 0;
        for round in 0..70 {
            desks[0].tray.0.write(1).unwrap();
            read += FairSelect! {
                v = boxed.read() => v,
                v = shared.read() => v * 10,
                v = counted.read() => v * 100,
                v = desks[0].tray.1.read() => v * 1_000,
                v = maybe.as_ref().unwrap().read() => v * 10_000,
                v = r.read() => v * 100_000,
                v = { &boxed }.read() if round < 1000 => v * 1_000_000,
            }
            .unwrap();
        }
        assert_eq!(read, 11_111_110, "seven guards in turn");
    }

    /// `panic_sender`, `panic_receiver`: a panic in a guard's expression leaves nothing on any channel.
    fn panic_in_a_guard_leaves_nothing_behind() {
        let (c, d) = (Channel::new(), Channel::buffered(Buffer::Fifo(1)));
        let (w, r, b) = (c.writer(), c.reader(), d.writer());
        let caught = catch_unwind(AssertUnwindSafe(|| {
            AltSelect! {
                v = r.read() => v,
                b.write(1) => 0,
                w.write(if r.is_empty() { panic!("no value today") } else { 5 }) => 1,
            }
        }));
        assert!(caught.is_err());
        assert_eq!(d.len(), 0);
        assert!(w.try_write(1).unwrap_err().fate.is_would_block(), "the reading guard is still there");
        assert!(r.try_read().unwrap_err().is_would_block(), "the writing guard is still there");
        // In the body of an arm the communication is over.
        let caught = catch_unwind(AssertUnwindSafe(|| {
            PriSelect! { b.write(1) => panic!("too late") }
        }));
        assert!(caught.is_err());
        assert_eq!(d.reader().try_read(), Ok(1));
    }
}
