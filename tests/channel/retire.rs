//! Law 6: a channel retires when the last end of one side is gone, and ends are counted right wherever they come from.
//!
//! Knows nothing of ends inside messages; those are counted in `mobile`.

use crate::harness::cast::{collect, relay, source};
use crate::harness::place::Place;
use csproc::prelude::*;

#[process]
fn retire_and_go_on(out: Writer<u64>, log: Writer<bool>) -> csproc::Result<()> {
    out.write(1)?;
    out.retire();
    out.retire();
    log.write(out.write(2).is_err_and(|error| error.is_retired()))?;
    Ok(())
}

#[process]
fn read_some(input: Reader<u64>, count: u64) -> csproc::Result<()> {
    for _ in 0..count {
        input.read()?;
    }
    Ok(())
}

#[process]
fn wait_to_read(ready: Writer<Place>, input: Reader<u64>) -> ChannelError {
    Place::announce(&ready);
    input.read().unwrap_err()
}

#[process]
fn wait_to_write(ready: Writer<Place>, out: Writer<u64>) -> ChannelError {
    Place::announce(&ready);
    out.write(1).unwrap_err().fate
}

#[process]
fn hold(_out: Writer<u64>, until: Reader<u64>) {
    assert!(until.read().is_err());
}

over_both! {
    fn law_6_readers_see_the_retirement_after_the_last_value(placement) {
        let c = Channel::new();
        let source = source(c.writer(), 0..10).on(placement);
        let (sent, read) = Parallel!(source, collect(c.reader()).on(placement)).unwrap();
        sent.unwrap();
        assert!(read.into_iter().eq(0..10));
    }

    fn law_6_retirement_passes_down_a_chain_of_relays(placement) {
        let channels: Vec<Channel<u64>> = (0..6).map(|_| Channel::new()).collect();
        let (sent, relays, read) = Parallel!(
            source(channels[0].writer(), 0..30).on(placement),
            for i in 0..5 => relay(channels[i].reader(), channels[i + 1].writer()).on(placement),
            collect(channels[5].reader()).on(placement),
        )
        .unwrap();
        sent.unwrap();
        relays.into_iter().for_each(|relay| relay.unwrap());
        assert!(read.into_iter().eq(0..30));
    }

    fn law_6_retirement_passes_up_a_chain_of_relays(placement) {
        let channels: Vec<Channel<u64>> = (0..4).map(|_| Channel::new()).collect();
        let (sent, relays, read) = Parallel!(
            source(channels[0].writer(), 0..u64::MAX).on(placement),
            for i in 0..3 => relay(channels[i].reader(), channels[i + 1].writer()).on(placement),
            read_some(channels[3].reader(), 10).on(placement),
        )
        .unwrap();
        read.unwrap();
        assert!(sent.unwrap_err().channel_error().unwrap().is_retired());
        for relay in relays {
            assert!(relay.unwrap_err().channel_error().unwrap().is_retired());
        }
    }

    fn law_6_retirement_wakes_waiting_readers(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let (w, announced) = (c.writer(), ready.reader());
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let reader = Spawn!(wait_to_read(ready.writer(), c.reader()).on(placement)).unwrap();
                announced.read().unwrap().until_asleep();
                reader
            })
            .collect();
        retire!(w);
        readers.into_iter().for_each(|reader| assert_eq!(reader.join().unwrap(), ChannelError::Retired));
    }

    fn law_6_retirement_wakes_waiting_writers(placement) {
        let (c, ready) = (Channel::new(), Channel::new());
        let (r, announced) = (c.reader(), ready.reader());
        let writers: Vec<_> = (0..3)
            .map(|_| {
                let writer = Spawn!(wait_to_write(ready.writer(), c.writer()).on(placement)).unwrap();
                announced.read().unwrap().until_asleep();
                writer
            })
            .collect();
        drop(r);
        writers.into_iter().for_each(|writer| assert_eq!(writer.join().unwrap(), ChannelError::Retired));
    }

    fn law_6_only_the_last_of_several_writers_retires_the_channel(placement) {
        let c = Channel::new();
        let (sent, read) = Parallel!(
            for i in 0..4 => source(c.writer(), 0..i * 10).on(placement),
            collect(c.reader()).on(placement),
        )
        .unwrap();
        sent.into_iter().for_each(|sent| sent.unwrap());
        assert_eq!(read.len(), 60);
    }

    fn law_6_a_process_ends_an_end_by_returning(placement) {
        let (c, until) = (Channel::new(), Channel::<u64>::new());
        let (r, end) = (c.reader(), until.writer());
        let holder = Spawn!(hold(c.writer(), until.reader()).on(placement)).unwrap();
        assert!(r.try_read().unwrap_err().is_would_block());
        drop(end);
        assert!(r.read().unwrap_err().is_retired());
        holder.join().unwrap();
        assert!(r.try_read().unwrap_err().is_retired());
    }

    fn law_6_a_retired_end_is_of_no_use_to_its_holder(placement) {
        let (c, log) = (Channel::new(), Channel::new());
        let other_writer = c.writer();
        let (read, ended, refused) = Parallel!(
            read_some(c.reader(), 1).on(placement),
            retire_and_go_on(c.writer(), log.writer()).on(placement),
            read_flag(log.reader()).on(placement),
        )
        .unwrap();
        read.unwrap();
        ended.unwrap();
        assert!(refused.unwrap());
        drop(other_writer);
    }

    fn law_6_counts_are_right_when_a_process_is_multiplied(placement) {
        let c = Channel::new();
        let r = c.reader();
        let mut sources = source(c.writer(), 0..5).on(placement) * 4;
        while sources.len() > 1 {
            drop(sources.pop());
            assert!(r.try_read().unwrap_err().is_would_block(), "retired while {} writers are left", sources.len());
        }
        drop(sources);
        assert!(r.try_read().unwrap_err().is_retired(), "the original of the arguments is still counted");

        let c = Channel::new();
        let (sent, read) =
            Parallel!(4 * source(c.writer(), 0..5).on(placement), collect(c.reader()).on(placement)).unwrap();
        sent.into_iter().for_each(|sent| sent.unwrap());
        assert_eq!(read.len(), 20);
    }
}

#[process]
fn read_flag(input: Reader<bool>) -> csproc::Result<bool> {
    Ok(input.read()?)
}

/// Must not be serialized.
#[derive(Debug, serde::Deserialize)]
struct Untouched;

/// Longer than what needs no block.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Long {
    text: String,
    rest: Untouched,
}

impl serde::Serialize for Untouched {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("serialized for nobody")
    }
}

once! {
    fn law_6_a_side_that_never_had_an_end_does_not_count() {
        let c = Channel::<u64>::new();
        let w = c.writer();
        assert!(w.try_write(1).unwrap_err().is_would_block());
        let r = c.reader();
        assert!(r.try_read().unwrap_err().is_would_block());

        let c = Channel::<u64>::new();
        let r = c.reader();
        assert!(r.try_read().unwrap_err().is_would_block());
        assert!(r.read_timeout(std::time::Duration::from_millis(1)).unwrap_err().is_timed_out());
        drop(c.writer());
        assert!(r.try_read().unwrap_err().is_retired());
    }

    fn law_6_a_late_end_does_not_revive_a_channel() {
        let c = Channel::<u64>::new();
        let r = c.reader();
        drop(c.writer());
        let late = c.writer();
        assert!(r.try_read().unwrap_err().is_retired());
        assert!(late.try_write(1).unwrap_err().is_retired());
        assert!(late.write(1).unwrap_err().is_retired());
        assert!(c.reader().read().unwrap_err().is_retired());

        let c = Channel::<u64>::new();
        let w = c.writer();
        drop(c.reader());
        let late = c.reader();
        assert!(w.write(1).unwrap_err().is_retired());
        assert!(late.read().unwrap_err().is_retired());
    }

    fn law_6_a_clone_is_one_more_end() {
        let c = Channel::<u64>::new();
        let (w, r) = (c.writer(), c.reader());
        let (w2, r2) = (w.clone(), r.clone());
        drop(w);
        assert!(r.try_read().unwrap_err().is_would_block());
        drop(r);
        assert!(w2.try_write(1).unwrap_err().is_would_block());
        drop(w2);
        assert!(r2.read().unwrap_err().is_retired());
    }

    fn law_6_a_clone_of_the_channel_is_no_end() {
        let c = Channel::<u64>::new();
        let (d, w, r) = (c.clone(), c.writer(), c.reader());
        drop(w);
        assert!(r.read().unwrap_err().is_retired());
        drop((c, d));
        assert!(r.read().unwrap_err().is_retired());
    }

    fn law_6_retiring_twice_counts_once() {
        let c = Channel::<u64>::new();
        let (w, w2, r) = (c.writer(), c.writer(), c.reader());
        retire!(w);
        w.retire();
        drop(w);
        assert!(r.try_read().unwrap_err().is_would_block());
        drop(w2);
        assert!(r.try_read().unwrap_err().is_retired());
    }

    fn law_6_an_end_that_was_given_up_does_nothing_though_others_go_on() {
        const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
        let c = Channel::buffered(Buffer::Fifo(3));
        let [w, other_w] = [(); 2].map(|()| c.writer());
        let [r, other_r] = [(); 2].map(|()| c.reader());
        other_w.write(1_u64).unwrap();
        retire!(w, r);
        let extended = r.extended().map(csproc::Extended::finish);
        for read in [r.read(), r.try_read(), r.read_timeout(HOUR), extended, r.read_extended(|value| value)] {
            assert_eq!(read, Err(ChannelError::Retired));
        }
        for written in [w.write(2), w.try_write(2), w.write_timeout(2, HOUR)] {
            assert_eq!(written, Err(csproc::WriteError { value: 2, fate: ChannelError::Retired }));
        }
        assert_eq!((r.iter().count(), other_r.len()), (0, 1));
        assert_eq!(other_r.read(), Ok(1));
    }

    fn a_long_value_that_nobody_can_read_is_serialized_no_further_than_a_short_one() {
        let long = || Long { text: String::from("longer than a message that needs no block"), rest: Untouched };
        for c in [Channel::new(), Channel::buffered(Buffer::Fifo(1))] {
            let w = c.writer();
            drop(c.reader());
            assert!(w.write(long()).unwrap_err().fate.is_retired());
            w.poison();
            assert!(w.try_write(long()).unwrap_err().fate.is_poisoned());
        }
    }

    fn law_6_a_process_that_never_runs_gives_its_ends_up() {
        let c = Channel::<u64>::new();
        let r = c.reader();
        let process = source(c.writer(), 0..1);
        assert!(r.try_read().unwrap_err().is_would_block());
        drop(process);
        assert!(r.try_read().unwrap_err().is_retired());
    }

    fn a_channel_outlives_its_handle() {
        let (w, r) = {
            let c = Channel::builder().name("short-lived").build().unwrap();
            (c.writer(), c.reader())
        };
        let writer = std::thread::spawn(move || w.write(5_u64).is_ok());
        assert_eq!(r.read().unwrap(), 5);
        assert!(writer.join().unwrap());
        assert_eq!(format!("{r:?}"), "Reader(\"short-lived\")");
    }
}
