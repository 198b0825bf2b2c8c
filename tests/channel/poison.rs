//! Law 5: poison ends all communication at once and for good, but never a communication that has taken place.
//!
//! Knows nothing of crashes, which poison, too; they are tested with the processes.

use crate::harness::cast::{poisonous_source, read_one, relay, source, strict_relay};
use crate::harness::place::Place;
use csproc::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum Side {
    Reading,
    Writing,
}

#[process]
fn write_until_refused(out: Writer<u64>) -> (u64, ChannelError) {
    for i in 0.. {
        if let Err(error) = out.write(i) {
            assert_eq!(error.value, i, "the value that was not written comes back");
            return (i, error.fate);
        }
    }
    unreachable!()
}

#[process]
fn read_until_refused(input: Reader<u64>) -> (Vec<u64>, ChannelError) {
    let mut read = Vec::new();
    loop {
        match input.read() {
            Ok(value) => read.push(value),
            Err(error) => return (read, error),
        }
    }
}

#[process]
fn poison_after(input: Reader<u64>, count: u64) -> csproc::Result<()> {
    for _ in 0..count {
        input.read()?;
    }
    input.poison();
    Ok(())
}

#[process]
fn wait_on(side: Side, ready: Writer<Place>, out: Writer<u64>, input: Reader<u64>) -> ChannelError {
    match side {
        Side::Reading => {
            drop(out);
            Place::announce(&ready);
            input.read().unwrap_err()
        }
        Side::Writing => {
            drop(input);
            Place::announce(&ready);
            out.write(1).unwrap_err().fate
        }
    }
}

fn everything_is_poisoned(w: &Writer<u64>, r: &Reader<u64>) {
    let long = std::time::Duration::from_secs(3600);
    assert_eq!(w.write(1).unwrap_err().fate, ChannelError::Poisoned);
    assert_eq!(w.try_write(1).unwrap_err().fate, ChannelError::Poisoned);
    assert_eq!(w.write_timeout(1, long).unwrap_err().fate, ChannelError::Poisoned);
    assert_eq!(r.read().unwrap_err(), ChannelError::Poisoned);
    assert_eq!(r.try_read().unwrap_err(), ChannelError::Poisoned);
    assert_eq!(r.read_timeout(long).unwrap_err(), ChannelError::Poisoned);
    assert_eq!(r.iter().next(), None);
}

over_both! {
    /// "Sputh's law", C++CSP2's `testLatePoison`.
    fn law_5_a_completed_communication_is_never_poisoned_afterwards(placement) {
        for round in 0..40 {
            let c = Channel::new();
            let poisoner = c.reader();
            let network = network!(
                write_until_refused(c.writer()).on(placement),
                read_until_refused(c.reader()).on(placement),
            );
            let network = network.spawn().unwrap();
            // A different instant each time: after some values, between two of them.
            let mut taken = Vec::new();
            for _ in 0..round % 5 {
                taken.extend(poisoner.read_timeout(std::time::Duration::from_micros(300)));
            }
            for _ in 0..round * 7 {
                taken.extend(poisoner.try_read());
            }
            poisoner.poison();
            let ((written, writers_fate), (read, readers_fate)) = network.join().unwrap();
            assert_eq!((writers_fate, readers_fate), (ChannelError::Poisoned, ChannelError::Poisoned));
            taken.extend(read);
            taken.sort_unstable();
            assert!(taken.into_iter().eq(0..written), "what was read is not what was written");
        }
    }

    /// With one reader, every write that returned `Ok` was read by it, and nothing else.
    fn law_5_what_was_written_before_the_poison_was_read(placement) {
        for count in [0, 1, 2, 50] {
            let c = Channel::new();
            let ((written, fate), ended) = Parallel!(
                write_until_refused(c.writer()).on(placement),
                poison_after(c.reader(), count).on(placement),
            )
            .unwrap();
            ended.unwrap();
            assert_eq!((written, fate), (count, ChannelError::Poisoned));
        }
    }

    fn law_5_what_was_read_before_the_poison_was_written(placement) {
        for count in [0, 1, 2, 50] {
            let c = Channel::new();
            let (ended, (read, fate)) = Parallel!(
                poisonous_source(c.writer(), count).on(placement),
                read_until_refused(c.reader()).on(placement),
            )
            .unwrap();
            ended.unwrap();
            assert!(read.into_iter().eq(0..count));
            assert_eq!(fate, ChannelError::Poisoned);
        }
    }

    fn law_5_poison_from_either_side_wakes_whoever_waits_on_either_side(placement) {
        for waiting in [Side::Reading, Side::Writing] {
            for by in [Side::Reading, Side::Writing] {
                let (c, ready) = (Channel::new(), Channel::new());
                let (w, r, announced) = (c.writer(), c.reader(), ready.reader());
                let waiters: Vec<_> = (0..3)
                    .map(|_| {
                        let waiter = wait_on(waiting, ready.writer(), c.writer(), c.reader()).on(placement);
                        let waiter = Spawn!(waiter).unwrap();
                        announced.read().unwrap().until_asleep();
                        waiter
                    })
                    .collect();
                match by {
                    Side::Reading => poison!(r),
                    Side::Writing => poison!(w),
                }
                for waiter in waiters {
                    assert_eq!(waiter.join().unwrap(), ChannelError::Poisoned, "{waiting:?}, poisoned {by:?}");
                }
                everything_is_poisoned(&w, &r);
            }
        }
    }

    fn law_7_poison_of_a_reader_downstream_reaches_the_writer_upstream_as_poison(placement) {
        let channels: Vec<Channel<u64>> = (0..4).map(|_| Channel::new()).collect();
        let ((written, fate), relays, ended) = Parallel!(
            write_until_refused(channels[0].writer()).on(placement),
            for i in 0..3 => relay(channels[i].reader(), channels[i + 1].writer()).on(placement),
            poison_after(channels[3].reader(), 20).on(placement),
        )
        .unwrap();
        ended.unwrap();
        assert_eq!(fate, ChannelError::Poisoned, "not retired: a relay that returns poison poisons its input");
        assert!((20..=24).contains(&written), "{written}");
        for relay in relays {
            assert!(relay.unwrap_err().channel_error().unwrap().is_poisoned());
        }
    }

    fn law_7_poison_of_a_writer_upstream_reaches_the_reader_downstream_through_strict_relays(placement) {
        let channels: Vec<Channel<u64>> = (0..4).map(|_| Channel::new()).collect();
        let (ended, relays, (read, fate)) = Parallel!(
            poisonous_source(channels[0].writer(), 20).on(placement),
            for i in 0..3 => strict_relay(channels[i].reader(), channels[i + 1].writer()).on(placement),
            read_until_refused(channels[3].reader()).on(placement),
        )
        .unwrap();
        ended.unwrap();
        assert_eq!(fate, ChannelError::Poisoned);
        // A relay sees the poison only after it has handed on what it had in hand.
        assert!(read.into_iter().eq(0..20));
        assert!(relays.iter().all(|relay| relay.as_ref().unwrap_err().channel_error().unwrap().is_poisoned()));
    }

    /// A process in the middle that fails on one channel takes along every channel it was given.
    fn law_7_poison_spreads_to_all_channels_of_a_process(placement) {
        let (a, b, dead) = (Channel::new(), Channel::new(), Channel::<u64>::new());
        dead.writer().poison();
        let (r, w) = (a.reader(), b.writer());
        let ended = Parallel!(hub(dead.reader(), a.writer(), b.reader()).on(placement)).unwrap();
        assert!(ended.unwrap_err().is_poisoned());
        assert_eq!(r.read().unwrap_err(), ChannelError::Poisoned);
        assert_eq!(w.write(1).unwrap_err().fate, ChannelError::Poisoned);
    }

    fn law_7_a_process_that_copes_with_poison_retires_its_other_channels(placement) {
        let (a, b, dead) = (Channel::new(), Channel::new(), Channel::<u64>::new());
        dead.writer().poison();
        let (r, w) = (a.reader(), b.writer());
        let served =
            Parallel!(calm_hub(dead.reader(), a.writer(), b.reader()).on(placement), read_one(r.clone())).unwrap();
        served.0.unwrap();
        assert_eq!(served.1.unwrap(), 7);
        assert_eq!(r.read().unwrap_err(), ChannelError::Retired);
        assert_eq!(w.write(1).unwrap_err().fate, ChannelError::Retired);
    }

    fn law_5_poison_outranks_retirement_whichever_came_first(placement) {
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        Parallel!(end_both_ways(c.writer(), true).on(placement)).unwrap();
        everything_is_poisoned(&w, &r);

        let c = Channel::<u64>::new();
        let r = c.reader();
        Parallel!(end_both_ways(c.writer(), false).on(placement)).unwrap();
        assert_eq!(
            r.read().unwrap_err(),
            ChannelError::Retired,
            "a retired end cannot poison, and the last writer is gone"
        );
        r.poison();
        assert_eq!(r.read().unwrap_err(), ChannelError::Poisoned);
    }
}

#[process]
fn hub(dead: Reader<u64>, out: Writer<u64>, _input: Reader<u64>) -> Result<(), ChannelError> {
    dead.read()?;
    out.write(1).unwrap();
    Ok(())
}

#[process]
fn calm_hub(dead: Reader<u64>, out: Writer<u64>, _input: Reader<u64>) -> csproc::Result<()> {
    assert!(dead.read().is_err());
    Ok(out.write(7)?)
}

#[process]
fn end_both_ways(out: Writer<u64>, poison_first: bool) {
    if poison_first {
        out.poison();
        out.retire();
    } else {
        out.retire();
    }
}

once! {
    fn law_5_poison_is_for_good_and_poisoning_twice_is_poisoning_once() {
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        poison!(w, r);
        poison!(w);
        everything_is_poisoned(&w, &r);
        let (late_w, late_r) = (c.writer(), c.reader());
        everything_is_poisoned(&late_w, &late_r);
        drop((w, r, late_w));
        assert_eq!(late_r.read().unwrap_err(), ChannelError::Poisoned);
    }

    fn law_5_poison_of_one_channel_leaves_the_others() {
        let (a, b) = (Channel::<u64>::new(), Channel::<u64>::new());
        let (w, r) = (b.writer(), b.reader());
        a.writer().poison();
        let writer = std::thread::spawn(move || w.write(1).is_ok());
        assert_eq!(r.read().unwrap(), 1);
        assert!(writer.join().unwrap());
    }

    fn law_7_an_endless_source_ends_when_its_reader_poisons() {
        let c = Channel::new();
        let (source, ended) = Parallel!(source(c.writer(), 0..u64::MAX), poison_after(c.reader(), 100)).unwrap();
        ended.unwrap();
        assert!(source.unwrap_err().channel_error().unwrap().is_poisoned());
    }
}
