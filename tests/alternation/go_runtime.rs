//! Go's tests of channels and `select` that go with its run-time system (`runtime/chan_test.go`), by their behaviour.
//!
//! Knows nothing of Go's implementation. A closed channel is one whose writers have retired. Where the originals
//! start a goroutine for each of many rounds, one process stays here, and each round sends it fresh channels.

use crate::harness::cast::source;
use crate::harness::place::Place;
use crate::policy::{POLICIES, Policy, channels, readers, writers};
use csproc::prelude::*;
use std::collections::BTreeMap;

#[process]
fn read_or_choose(ready: Writer<Place>, input: Reader<u64>, choose: bool) -> Result<u64, ChannelError> {
    Place::announce(&ready);
    if choose {
        AltSelect! { v = input.read() => v }
    } else {
        input.read()
    }
}

#[process]
fn write_or_choose(ready: Writer<Place>, out: Writer<u64>, value: u64, choose: bool) -> Result<(), ChannelError> {
    Place::announce(&ready);
    if choose {
        AltSelect! { out.write(value) => () }
    } else {
        Ok(out.write(value)?)
    }
}

#[process]
fn collect(input: Reader<u64>, count: u64) -> csproc::Result<Vec<u64>> {
    (0..count).map(|_| Ok(input.read()?)).collect()
}

/// Chooses among fresh channels in each round, and tells whether one of them was ready.
#[process]
fn choose_or_skip(rounds: Reader<Vec<Reader<u64>>>, was_ready: Writer<bool>, policy: Policy) -> csproc::Result<()> {
    for inputs in rounds {
        let mut alt = Alternation::new();
        let tokens: Vec<_> = inputs.iter().map(|input| alt.read(input)).collect();
        alt.skip();
        let ready = match policy.select(&mut alt) {
            Ok(fired) => fired.index() < tokens.len(),
            Err(error) => error.is_retired(),
        };
        drop(alt);
        was_ready.write(ready)?;
    }
    Ok(())
}

/// Writes to and reads from one channel at once; gives how often it read, and how often its own number.
#[process]
fn choose_either_end(input: Reader<u64>, out: Writer<u64>, own: u64) -> csproc::Result<(u64, u64)> {
    let (mut read, mut from_itself) = (0, 0);
    for round in 0..1000 {
        let got = if own == 0 || round % 2 == 0 {
            AltSelect! {
                out.write(own) => None,
                v = input.read() => Some(v),
            }
        } else {
            AltSelect! {
                v = input.read() => Some(v),
                out.write(own) => None,
            }
        };
        if let Some(number) = got? {
            read += 1;
            from_itself += u64::from(number == own);
        }
    }
    Ok((read, from_itself))
}

/// Writes so many to each of them, in whatever order they are ready.
#[process]
fn choose_to_write(outs: Vec<Writer<u64>>, count: u64, policy: Policy) -> csproc::Result<()> {
    let mut alt = Alternation::new();
    let tokens: Vec<_> = outs.iter().map(|out| alt.write(out, 0)).collect();
    let mut written = vec![0; outs.len()];
    loop {
        match policy.select(&mut alt) {
            Ok(fired) => {
                let at = fired.index();
                written[at] += 1;
                if written[at] < count {
                    alt.set(tokens[at], written[at]);
                }
            }
            Err(ChannelError::NoGuards) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads so many from each of them, in whatever order they come.
#[process]
fn choose_to_read(inputs: Vec<Reader<u64>>, count: u64, policy: Policy) -> csproc::Result<Vec<Vec<u64>>> {
    let mut alt = Alternation::new();
    let tokens: Vec<_> = inputs.iter().map(|input| alt.read(input)).collect();
    let mut read = vec![Vec::new(); inputs.len()];
    loop {
        match policy.select(&mut alt) {
            Ok(fired) => {
                let at = fired.index();
                read[at].push(fired.take(tokens[at]));
                alt.enable(tokens[at], (read[at].len() as u64) < count);
            }
            Err(ChannelError::NoGuards) => return Ok(read),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Passes on what it chose, until it is told to stop.
#[process]
fn choose_and_tell(inputs: Vec<Reader<u64>>, out: Writer<u64>, done: Reader<()>) -> csproc::Result<()> {
    loop {
        let (_, value) = select_read(&inputs)?;
        let more = AltSelect! {
            out.write(value) => true,
            () = done.read() => false,
        }?;
        if !more {
            return Ok(());
        }
    }
}

/// Offers a zero and a one at once.
#[process]
fn toss(out: Writer<u64>, ready: Vec<Writer<Place>>, count: u64) -> csproc::Result<()> {
    for _ in 0..count {
        ready.iter().for_each(Place::announce);
        AltSelect! {
            out.write(1) => (),
            out.write(0) => (),
        }?;
    }
    Ok(())
}

/// Two guards on one channel and one on another: nothing comes through the first two.
#[process]
fn choose_twice(ready: Writer<Place>, c: Reader<u64>, d: Reader<u64>, out: Writer<u64>) -> csproc::Result<()> {
    Place::announce(&ready);
    let value = AltSelect! {
        v = c.read() => panic!("nobody has written {v}"),
        v = c.read() => panic!("nobody has written {v}"),
        v = d.read() => v,
    }?;
    Ok(out.write(value + 1)?)
}

#[process]
fn work(input: Reader<u64>, out: Writer<u64>, number: u64) -> csproc::Result<()> {
    for value in input {
        if value % 23 == number {
            std::thread::yield_now();
        }
        out.write(value)?;
    }
    Ok(())
}

fn channel(capacity: usize) -> Channel<u64> {
    if capacity == 0 { Channel::new() } else { Channel::buffered(Buffer::Fifo(capacity)) }
}

over_both! {
    /// `TestChan`: who waits for what, at each capacity.
    fn test_chan_readers_wait_for_values_and_writers_for_room(placement) {
        for capacity in 0..4 {
            let (c, ready) = (channel(capacity), Channel::new());
            let (w, r, announced) = (c.writer(), c.reader(), ready.reader());
            let _kept = ready.writer();
            assert!(r.try_read().unwrap_err().is_would_block());
            let waiting = [false, true].map(|choose| {
                let reader = Spawn!(read_or_choose(ready.writer(), c.reader(), choose).on(placement)).unwrap();
                announced.read().unwrap().until_asleep();
                reader
            });
            assert!(waiting.iter().all(|reader| reader.try_join().is_none()));
            assert_eq!((w.write(5), w.try_write(6)), (Ok(()), Ok(())));
            let read = waiting.map(|reader| reader.join().unwrap());
            assert_eq!(read, [Ok(5), Ok(6)]);

            (0..capacity as u64).for_each(|value| w.write(value).unwrap());
            assert_eq!(c.len(), capacity);
            assert!(w.try_write(9).unwrap_err().fate.is_would_block());
            let waiting = [false, true].map(|choose| {
                let value = capacity as u64 + u64::from(choose);
                let writer = write_or_choose(ready.writer(), c.writer(), value, choose).on(placement);
                let writer = Spawn!(writer).unwrap();
                announced.read().unwrap().until_asleep();
                writer
            });
            assert!(waiting.iter().all(|writer| writer.try_join().is_none()));
            assert!((0..capacity as u64 + 2).all(|value| r.read() == Ok(value)));
            assert_eq!(waiting.map(|writer| writer.join().unwrap()), [Ok(()), Ok(())]);
        }
    }

    fn test_chan_closing_wakes_readers(placement) {
        for capacity in 0..4 {
            let (c, ready) = (channel(capacity), Channel::new());
            let (w, announced) = (c.writer(), ready.reader());
            let waiting = [false, true].map(|choose| {
                let reader = Spawn!(read_or_choose(ready.writer(), c.reader(), choose).on(placement)).unwrap();
                announced.read().unwrap().until_asleep();
                reader
            });
            drop(w);
            let read = waiting.map(|reader| reader.join().unwrap());
            assert_eq!(read, [Err(ChannelError::Retired), Err(ChannelError::Retired)]);
        }
    }

    fn test_chan_values_of_one_are_in_order_and_of_four_all_there(placement) {
        for capacity in [0, 1, 10] {
            let c = channel(capacity);
            let (sent, read) =
                Parallel!(source(c.writer(), 0..100).on(placement), collect(c.reader(), 100).on(placement)).unwrap();
            sent.unwrap();
            assert!(read.unwrap().into_iter().eq(0..100));

            let c = channel(capacity);
            let (sent, read) = Parallel!(
                source(c.writer(), 0..250).on(placement) * 4,
                collect(c.reader(), 1000).on(placement),
            )
            .unwrap();
            sent.into_iter().for_each(Result::unwrap);
            let mut times = BTreeMap::new();
            read.unwrap().into_iter().for_each(|value| *times.entry(value).or_default() += 1);
            assert!(times.into_iter().eq((0..250).map(|value| (value, 4))));
        }
    }

    /// `TestNonblockRecvRace`: between the last value and the end of the channel there is no moment at which neither
    /// is ready.
    fn test_nonblock_recv_race_a_channel_that_closes_stays_ready(placement) {
        for policy in POLICIES {
            let (rounds, answers) = (Channel::new(), Channel::new());
            let (round, answer) = (rounds.writer(), answers.reader());
            let poller = choose_or_skip(rounds.reader(), answers.writer(), policy).on(placement);
            let poller = Spawn!(poller).unwrap();
            for number in 0..300 {
                let c = channel(1);
                let (w, r) = (c.writer(), c.reader());
                w.write(1).unwrap();
                round.write(vec![c.reader()]).unwrap();
                drop(w);
                assert!(matches!(r.read(), Ok(1) | Err(ChannelError::Retired)));
                assert_eq!(answer.read(), Ok(true), "neither the value nor the end was ready in round {number}");
            }
            drop(round);
            poller.join().unwrap().unwrap();
        }
    }

    /// `TestNonblockSelectRace`, `TestNonblockSelectRace2`: one of the two is ready at every moment, so `skip` must
    /// not fire.
    fn test_nonblock_select_race_the_decision_has_one_instant(placement) {
        for (policy, close) in POLICIES.into_iter().flat_map(|policy| [(policy, false), (policy, true)]) {
            let (rounds, answers) = (Channel::new(), Channel::new());
            let (round, answer) = (rounds.writer(), answers.reader());
            let poller = choose_or_skip(rounds.reader(), answers.writer(), policy).on(placement);
            let poller = Spawn!(poller).unwrap();
            for number in 0..300 {
                let c = [channel(1), channel(1)];
                let [first, second] = [c[0].writer(), c[1].writer()];
                first.write(1).unwrap();
                let r = c[0].reader();
                round.write(readers(&c)).unwrap();
                if close {
                    second.retire();
                } else {
                    // The poller is allowed to be through with its round, so that nobody can read this any more.
                    let _ = second.write(1);
                }
                let _ = r.try_read();
                assert_eq!(answer.read(), Ok(true), "`skip` fired in round {number}");
            }
            drop(round);
            poller.join().unwrap().unwrap();
        }
    }

    /// `TestSelfSelect`: both ends of one channel in the alternations of two.
    fn test_self_select_nobody_meets_himself(placement) {
        for capacity in [0, 10] {
            let c = channel(capacity);
            let ends = Parallel!(for own in 0..2 =>
                choose_either_end(c.reader(), c.writer(), own).on(placement))
            .unwrap();
            let ends: Vec<(u64, u64)> = ends.into_iter().map(Result::unwrap).collect();
            let read: u64 = ends.iter().map(|(read, _)| read).sum();
            if capacity == 0 {
                assert_eq!(read, 1000);
                assert!(ends.iter().all(|(_, from_itself)| *from_itself == 0));
            } else {
                assert!((1000 - 5..=1000).contains(&read), "{read} read of {} written", 2000 - read);
            }
        }
    }

    /// `TestSelectStress`: plain and alternating parties at the same channels, with and without buffers.
    fn test_select_stress_alternations_among_plain_operations(placement) {
        const COUNT: u64 = 250;
        for policy in POLICIES {
            let c = [0, 0, 2, 3].map(channel);
            let (plain, alternating, read, chosen) = Parallel!(
                for c in &c => source(c.writer(), 0..COUNT).on(placement),
                choose_to_write(writers(&c), COUNT, policy).on(placement),
                for c in &c => collect(c.reader(), COUNT).on(placement),
                choose_to_read(readers(&c), COUNT, policy).on(placement),
            )
            .unwrap();
            plain.into_iter().for_each(Result::unwrap);
            alternating.unwrap();
            for (read, chosen) in read.into_iter().zip(chosen.unwrap()) {
                let mut all = [read.unwrap(), chosen].concat();
                all.sort_unstable();
                assert!(all.into_iter().eq((0..COUNT).flat_map(|value| [value; 2])));
            }
        }
    }

    /// `TestSelectFairness`: two that are always ready are chosen alike.
    fn test_select_fairness_what_is_always_ready_is_chosen_alike(placement) {
        const TRIALS: u32 = 2000;
        let full = || Channel::buffered(Buffer::Fifo(TRIALS as usize + 1));
        let c = [full(), full(), Channel::new(), Channel::new()];
        let keep = writers(&c);
        for _ in 0..=TRIALS {
            (0..2).for_each(|at| keep[at].write(at as u64).unwrap());
        }
        let (out, done) = (Channel::new(), Channel::new());
        let (r, stop) = (out.reader(), done.writer());
        let chooser = Spawn!(choose_and_tell(readers(&c), out.writer(), done.reader()).on(placement)).unwrap();
        let ones: u64 = (0..TRIALS).map(|_| r.read().unwrap()).sum();
        stop.write(()).unwrap();
        chooser.join().unwrap().unwrap();
        // A millionth of all runs is further off than five standard deviations.
        let off = (ones as f64 / f64::from(TRIALS) - 0.5).abs() * 2.0 * f64::from(TRIALS).sqrt();
        assert!(off < 5.0, "{ones} of {TRIALS}");
    }

    /// `TestPseudoRandomSend`: two guards that write to the same channel are chosen alike: into a buffer, by a reader
    /// that waits, and by a reader that comes when the alternation waits.
    fn test_pseudo_random_send_both_values_are_written(placement) {
        const COUNT: u64 = 200;
        for (capacity, late) in [(COUNT as usize, false), (0, false), (0, true)] {
            let (c, ready) = (channel(capacity), Channel::new());
            let (r, announced) = (c.reader(), ready.reader());
            let at = late.then(|| ready.writer());
            let writer = Spawn!(toss(c.writer(), at.into_iter().collect(), COUNT).on(placement)).unwrap();
            let mut ones = 0;
            for _ in 0..COUNT {
                if late {
                    announced.read().unwrap().until_asleep();
                }
                ones += r.read().unwrap();
            }
            writer.join().unwrap().unwrap();
            let range = COUNT / 10..COUNT - COUNT / 10;
            assert!(range.contains(&ones), "{ones} of {COUNT}, capacity {capacity}, late {late}");
        }
    }

    /// `TestMultiConsumer`: several workers between one that feeds and one that adds up.
    fn test_multi_consumer_nothing_is_lost_among_workers(placement) {
        let (q, r) = (channel(24), channel(24));
        let results = r.reader();
        let workers = Spawn!(for number in 0..8 => work(q.reader(), r.writer(), number).on(placement)).unwrap();
        let feeder = Spawn!(source(q.writer(), 0..5000).on(placement)).unwrap();
        let mut all: Vec<u64> = results.into_iter().collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..5000));
        feeder.join().unwrap().unwrap();
        workers.join().unwrap().into_iter().for_each(Result::unwrap);
    }

    /// `TestSelectDuplicateChannel`: one alternation stands twice in the queue of a channel, and leaves it altogether.
    fn test_select_duplicate_channel_leaves_the_queue_altogether(placement) {
        let (c, ready) = (channels(3), Channel::new());
        let announced = ready.reader();
        let (w, r) = (writers(&c), c[2].reader());
        let twice = choose_twice(ready.writer(), c[0].reader(), c[1].reader(), c[2].writer()).on(placement);
        let twice = Spawn!(twice).unwrap();
        announced.read().unwrap().until_asleep();
        let once = Spawn!(read_or_choose(ready.writer(), c[0].reader(), false).on(placement)).unwrap();
        announced.read().unwrap().until_asleep();
        w[1].write(7).unwrap();
        assert_eq!(r.read(), Ok(8));
        twice.join().unwrap().unwrap();
        w[0].write(9).unwrap();
        assert_eq!(once.join().unwrap(), Ok(9));
        assert!(w[0].write(1).unwrap_err().fate.is_retired());
    }
}
