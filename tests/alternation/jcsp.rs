//! JCSP's extended rendezvous and overflowing buffers, by the behaviour of its own tests, and what this library adds to
//! them: a reader that does not come to the end.
//!
//! Knows nothing of JCSP's implementation, nor of buffers without overflow; those are in `model`.

use crate::harness::cast::source;
use crate::harness::looks::Looks;
use crate::harness::pause::{go_on, stop};
use crate::harness::place::Place;
use crate::policy::{channels, readers, writers};
use csproc::prelude::*;
use csproc::{Cause, Extended};
use std::time::Duration;

/// Nanoseconds of a clock that is the same in all processes.
fn now() -> i128 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

/// How a writer writes.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
enum Way {
    Plain,
    Timeout,
    Alternation,
}

/// Gives the time after each write.
#[process]
fn write_and_note(out: Writer<u64>, values: Vec<u64>, way: Way) -> Vec<Result<i128, ChannelError>> {
    let nobody = Channel::<u64>::new();
    let (_silent, input) = (nobody.writer(), nobody.reader());
    let write = |value| match way {
        Way::Plain => out.write(value).map_err(ChannelError::from),
        // Once it is taken, the time does not count any more; until then there is enough of it.
        Way::Timeout => out.write_timeout(value, Duration::from_secs(3600)).map_err(ChannelError::from),
        Way::Alternation => FairSelect! {
            v = input.read() => panic!("nobody wrote {v}"),
            after(Duration::from_secs(3600)) => panic!("an hour has passed"),
            out.write(value) => (),
        },
    };
    values.into_iter().map(|value| write(value).map(|()| now())).collect()
}

/// Reads in an extended rendezvous, and gives the values with the time at the end of each.
#[process]
fn read_slowly(input: Reader<u64>, alternating: bool) -> Vec<(u64, i128)> {
    let nobody = Channel::<u64>::new();
    let (_silent, silent) = (nobody.writer(), nobody.reader());
    let mut read = Vec::new();
    for round in 0_u64.. {
        let work = |value| {
            // From nothing to some microseconds, and sometimes long enough for the writer to fall asleep.
            for _ in 0..(round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) {
                std::hint::spin_loop();
            }
            if round.is_multiple_of(16) {
                std::thread::sleep(Duration::from_micros(300));
            }
            (value, now())
        };
        if !alternating {
            match input.read_extended(work) {
                Ok(value) => read.push(value),
                Err(_) => break,
            }
            continue;
        }
        let mut alt = Alternation::new();
        alt.read(&silent);
        let token = alt.read_extended(&input);
        match alt.select() {
            Ok(fired) => {
                let held = fired.take(token);
                read.push(work(*held));
                held.finish();
            }
            Err(_) => break,
        }
    }
    read
}

/// Takes a value, says so, waits for a word, and leaves without an end.
#[process(name = "careless")]
fn leave_early(input: Reader<u64>, taken: Writer<u64>, leave: Reader<u64>) -> csproc::Result<()> {
    let held = input.extended()?;
    taken.write(*held)?;
    leave.read()?;
    Ok(())
}

#[process(name = "clumsy")]
fn panic_inside(input: Reader<u64>) {
    let _ = input.read_extended(|value| panic!("cannot bear {value}"));
}

/// Takes a value and never comes to an end.
#[process(name = "doomed")]
fn take_and_stay(input: Reader<u64>, taken: Writer<u64>) -> csproc::Result<()> {
    input.read_extended(|value| {
        taken.write(value)?;
        loop {
            std::thread::park();
        }
    })?
}

#[process]
fn write_with_patience(ready: Writer<Place>, out: Writer<u64>, patience: Duration) -> Result<(), ChannelError> {
    Place::announce(&ready);
    Ok(out.write_timeout(7, patience)?)
}

#[process]
fn take_after(ready: Reader<u64>, input: Reader<u64>, slowly: Duration) -> csproc::Result<u64> {
    ready.read()?;
    Ok(input.read_extended(|value| {
        std::thread::sleep(slowly);
        value
    })?)
}

#[process]
fn take_once(ready: Writer<Place>, input: Reader<u64>) -> csproc::Result<u64> {
    Place::announce(&ready);
    Ok(input.read_extended(|value| value)?)
}

const WAYS: [Way; 3] = [Way::Plain, Way::Timeout, Way::Alternation];

over_both! {
    /// `testNormal…Channel`: the writer does not go on before the reader has ended its rendezvous.
    fn test_normal_a_writer_goes_on_when_its_reader_has_finished(placement) {
        for way in WAYS {
            for alternating in [false, true] {
                let c = Channel::new();
                let (written, read) = Parallel!(
                    write_and_note(c.writer(), (0..100).collect(), way).on(placement),
                    read_slowly(c.reader(), alternating).on(placement),
                )
                .unwrap();
                assert!(read.iter().map(|(value, _)| *value).eq(0..100));
                for (i, (written, (_, finished))) in written.into_iter().zip(read).enumerate() {
                    let written = written.unwrap();
                    assert!(written >= finished, "{way:?} {i} came back {} ns too early", finished - written);
                }
            }
        }
    }

    fn test_normal_any2any_every_value_once(placement) {
        let c = Channel::new();
        let (written, read) = Parallel!(
            for (at, way) in WAYS.into_iter().enumerate() =>
                write_and_note(c.writer(), (at as u64 * 100..at as u64 * 100 + 50).collect(), way).on(placement),
            for alternating in [false, true, true] => read_slowly(c.reader(), alternating).on(placement),
        )
        .unwrap();
        assert!(written.concat().iter().all(Result::is_ok));
        let mut values: Vec<u64> = read.concat().into_iter().map(|(value, _)| value).collect();
        values.sort_unstable();
        assert!(values.into_iter().eq((0..50).chain(100..150).chain(200..250)));
    }

    /// `testFIFO_…`: a slow extended reader of a buffer gets everything in order.
    fn test_fifo_a_buffer_keeps_the_order_for_an_extended_reader(placement) {
        for size in [1, 4] {
            for alternating in [false, true] {
                let c = Channel::buffered(Buffer::Fifo(size));
                let (sent, read) = Parallel!(
                    source(c.writer(), 0..100).on(placement),
                    read_slowly(c.reader(), alternating).on(placement),
                )
                .unwrap();
                sent.unwrap();
                assert!(read.into_iter().map(|(value, _)| value).eq(0..100));
            }
        }
    }

    fn a_reader_that_leaves_early_abandons_its_writer(placement) {
        for way in WAYS {
            let (c, taken, leave) = (Channel::new(), Channel::new(), Channel::new());
            let (r, word) = (taken.reader(), leave.writer());
            let writer = Spawn!(write_and_note(c.writer(), vec![1], way).on(placement)).unwrap();
            let reader = leave_early(c.reader(), taken.writer(), leave.reader()).on(placement);
            let reader = Spawn!(reader).unwrap();
            assert_eq!(r.read(), Ok(1));
            assert!(writer.try_join().is_none(), "the writer did not wait for its reader");
            word.write(0).unwrap();
            reader.join().unwrap().unwrap();
            let result = writer.join().unwrap();
            let abandoned = ChannelError::Abandoned { process: String::from("careless") };
            assert_eq!(result, [Err(abandoned)], "{way:?}");
        }
    }

    fn a_reader_that_panics_inside_is_named_to_its_writer(placement) {
        for way in WAYS {
            let c = Channel::new();
            let reader = Spawn!(panic_inside(c.reader()).on(placement)).unwrap();
            let writer = Spawn!(write_and_note(c.writer(), vec![1], way).on(placement)).unwrap();
            assert_eq!(reader.join().unwrap_err().failures().len(), 1);
            let written = writer.join().unwrap();
            let [Err(ChannelError::Lost { process, cause })] = &written[..] else {
                panic!("{way:?}: {written:?}");
            };
            assert_eq!(process, "clumsy");
            assert!(matches!(cause, Cause::Panicked { message, .. } if message == "cannot bear 1"), "{cause:?}");
        }
    }

    fn a_writer_that_was_taken_is_not_timed_out(placement) {
        for patience in [Duration::from_millis(1), Duration::from_millis(5)] {
            let (c, ready, go) = (Channel::new(), Channel::new(), Channel::new());
            let (announced, word) = (ready.reader(), go.writer());
            // Whether the reader comes in time is open; but if it does, the writer waits longer than its patience.
            let reader = Spawn!(take_after(go.reader(), c.reader(), patience * 3).on(placement)).unwrap();
            let writer = Spawn!(write_with_patience(ready.writer(), c.writer(), patience).on(placement)).unwrap();
            announced.read().unwrap();
            word.write(0).unwrap();
            match (writer.join().unwrap(), reader.join().unwrap()) {
                (Ok(()), Ok(7)) => {}
                (Err(ChannelError::TimedOut), Err(retired)) => assert!(retired.channel_error().unwrap().is_retired()),
                (written, read) => panic!("{written:?}, {read:?}"),
            }
        }
    }

    /// `testOverFlowing…`, `testOverWriting…`: the writer is done before the reader begins.
    fn test_overflowing_buffers_keep_what_they_are_named_after(placement) {
        for size in 1..6_usize {
            let n = size as u64;
            let wanted = |buffer| match buffer {
                Buffer::OverwriteOldest(_) => (20 - n..20).collect::<Vec<u64>>(),
                Buffer::OverwriteNewest(_) => (0..n - 1).chain([19]).collect(),
                Buffer::DropNewest(_) => (0..n).collect(),
                _ => (0..20).collect(),
            };
            let buffers = [
                Buffer::OverwriteOldest(size),
                Buffer::OverwriteNewest(size),
                Buffer::DropNewest(size),
                Buffer::Unbounded,
            ];
            for buffer in buffers {
                let c = Channel::buffered(buffer);
                Parallel!(source(c.writer(), 0..20).on(placement)).unwrap().unwrap();
                assert_eq!(c.len(), wanted(buffer).len());
                let read = Parallel!(read_slowly(c.reader(), false).on(placement)).unwrap();
                assert_eq!(read.into_iter().map(|(value, _)| value).collect::<Vec<_>>(), wanted(buffer), "{buffer:?}");
                assert_eq!(c.len(), 0);
            }
        }
    }
}

once! {
    fn a_reader_that_is_killed_inside_is_named_to_its_writer_with_the_signal() {
        for placement in [Placement::Process, Placement::Thread] {
            for way in WAYS {
                let (c, taken) = (Channel::new(), Channel::new());
                let r = taken.reader();
                let writer = Spawn!(write_and_note(c.writer(), vec![1], way).on(placement)).unwrap();
                let reader = Spawn!(take_and_stay(c.reader(), taken.writer())).unwrap();
                assert_eq!(r.read(), Ok(1));
                reader.kill().unwrap();
                reader.join().unwrap_err();
                let lost = ChannelError::Lost { process: String::from("doomed"), cause: Cause::Killed { signal: 9 } };
                assert_eq!(writer.join().unwrap(), [Err(lost)], "{way:?}");
            }
        }
    }

    fn a_held_writer_that_is_killed_does_not_disturb_its_reader() {
        let c = Channel::new();
        let (r, _kept) = (c.reader(), c.writer());
        for _ in 0..10 {
            let writer = write_and_note(c.writer(), vec![1], Way::Plain).on_crash(OnCrash::Retire);
            let writer = Spawn!(writer).unwrap();
            let held = r.extended().unwrap();
            writer.kill().unwrap();
            writer.join().unwrap_err();
            assert_eq!(held.finish(), 1);
            let kept = c.writer();
            let other = std::thread::spawn(move || kept.write(2));
            assert_eq!(r.read(), Ok(2));
            other.join().unwrap().unwrap();
        }
    }

    /// The reader is committed, but has not taken the message over when the network is searched for deadlocks.
    fn a_reader_that_is_slow_to_run_is_no_deadlock() {
        for way in WAYS {
            let (c, ready) = (Channel::new(), Channel::new());
            let announced = ready.reader();
            let reader = Spawn!(take_once(ready.writer(), c.reader())).unwrap();
            let place = announced.read().unwrap();
            place.until_asleep();
            stop(place.pid);
            let looks = Looks::from_now();
            let later = std::thread::spawn(move || {
                looks.wait_for_a_proof();
                go_on(place.pid);
            });
            let written = Parallel!(write_and_note(c.writer(), vec![5], way)).unwrap();
            assert!(written[0].is_ok(), "{way:?}: {written:?}");
            assert_eq!(reader.join().unwrap().unwrap(), 5);
            later.join().unwrap();
        }
    }

    fn an_extended_value_that_is_not_taken_from_the_choice_abandons_its_writer() {
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        let writer = std::thread::spawn(move || w.write(1_u64).map_err(ChannelError::from));
        let mut alt = Alternation::new();
        alt.read_extended(&r);
        drop(alt.select().unwrap());
        assert!(matches!(writer.join().unwrap(), Err(ChannelError::Abandoned { .. })));
    }

    fn a_loser_among_extended_guards_is_neither_taken_nor_held() {
        let c = channels(2);
        let (w, r) = (writers(&c), readers(&c));
        let ready = Channel::new();
        let seen = ready.reader();
        let writers: Vec<_> = w
            .into_iter()
            .map(|w| {
                let at = ready.writer();
                let writer = std::thread::spawn(move || {
                    Place::announce(&at);
                    w.write(5_u64)
                });
                seen.read().unwrap().until_asleep();
                writer
            })
            .collect();
        let mut alt = Alternation::new();
        let tokens: Vec<_> = r.iter().map(|r| alt.read_extended(r)).collect();
        let first: Extended<u64> = alt.pri_select().unwrap().take(tokens[0]);
        // The second one still waits, and can be read by anybody.
        assert_eq!(r[1].try_read(), Ok(5));
        assert_eq!(first.finish(), 5);
        writers.into_iter().for_each(|writer| writer.join().unwrap().unwrap());
    }

    /// A dropped message lets go of the ends that travel in it.
    fn what_an_overflowing_buffer_drops_retires_the_ends_in_it() {
        for buffer in [Buffer::OverwriteOldest(1), Buffer::OverwriteNewest(1), Buffer::DropNewest(1)] {
            let c = Channel::buffered(buffer);
            let (w, r) = (c.writer(), c.reader());
            let replies: Vec<Channel<u64>> = channels(2);
            let inputs = readers(&replies);
            replies.iter().for_each(|reply| w.write(reply.writer()).unwrap());
            let (dropped, kept) = if matches!(buffer, Buffer::DropNewest(_)) { (1, 0) } else { (0, 1) };
            assert!(inputs[dropped].try_read().unwrap_err().is_retired(), "{buffer:?}");
            assert!(inputs[kept].try_read().unwrap_err().is_would_block(), "{buffer:?}");
            assert_eq!(r.read().unwrap().channel_id(), replies[kept].id());
            w.write(replies[kept].writer()).unwrap();
            drop(r);
            assert!(inputs[kept].try_read().unwrap_err().is_retired(), "{buffer:?} keeps what nobody can read");
        }
    }
}
