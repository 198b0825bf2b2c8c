//! What PyCSP's own tests verify of alternation and of buffers (`autotest`, `commtest`, `buffertest`, `poisontest`,
//! `selecttest`, `guardtest`), and aPyCSP's of alternation, case by case.
//!
//! Knows nothing of PyCSP's implementation; its cases without alternation and without buffers are in `tests/channel`.
//! The originals run every case with three kinds of readers and writers, which sleep between operations not at all,
//! for a fixed time, or for a random one; the sleeps are the behaviour of the cast, not synchronisation.

use crate::harness::place::Place;
use crate::harness::sleeper::{SLEEPERS, Sleeper, sleepers};
use crate::policy::{POLICIES, Policy, channels, readers, writers};
use csproc::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// How a writer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Ending {
    Retire,
    Poison,
}

/// `writer`: so many times its number, then retire or poison.
#[process]
fn writer(out: Writer<u64>, id: u64, count: u64, sleeper: Sleeper, ending: Ending) -> csproc::Result<()> {
    for i in 0..count {
        sleeper.sleep(id * 1000 + i);
        out.write(id)?;
    }
    if ending == Ending::Poison {
        out.poison();
    }
    Ok(())
}

/// `alting_writer`: so many times its number to any of them, then retire or poison.
#[process]
fn alting_writer(
    outs: Vec<Writer<u64>>,
    id: u64,
    count: u64,
    sleeper: Sleeper,
    policy: Policy,
    ending: Ending,
) -> csproc::Result<()> {
    let mut alt = Alternation::new();
    let tokens: Vec<_> = outs.iter().map(|out| alt.write(out, id)).collect();
    for i in 0..count {
        sleeper.sleep(id * 1000 + i);
        let fired = policy.select(&mut alt)?.index();
        alt.set(tokens[fired], id);
    }
    if ending == Ending::Poison {
        outs.iter().for_each(Writer::poison);
    }
    Ok(())
}

/// What a reader has read, and how it ended.
type Report = (Vec<u64>, ChannelError);

/// `reader`: everything, until the channel ends.
#[process]
fn reader(input: Reader<u64>, sleeper: Sleeper) -> Report {
    let mut read = Vec::new();
    for i in 0.. {
        sleeper.sleep(i);
        match input.read() {
            Ok(value) => read.push(value),
            Err(error) => return (read, error),
        }
    }
    (read, ChannelError::NoGuards)
}

/// `par_reader`: from any of them; the first that ends ends it, or all of them do.
#[process]
fn alting_reader(inputs: Vec<Reader<u64>>, sleeper: Sleeper, policy: Policy, all: bool) -> Report {
    let mut alt = Alternation::new();
    let tokens: Vec<_> = inputs.iter().map(|input| alt.read(input)).collect();
    let mut read = Vec::new();
    for i in 0.. {
        sleeper.sleep(i);
        match policy.select(&mut alt) {
            Ok(fired) => {
                let from = fired.index();
                read.push(fired.take(tokens[from]));
            }
            Err(ChannelError::Retired) if all => alt.enable(tokens[alt.failed().unwrap()], false),
            Err(error) => return (read, error),
        }
    }
    (read, ChannelError::NoGuards)
}

/// The four cases without alternation and the two with, over channels that `make` makes.
#[derive(Clone, Copy, Debug)]
enum Case {
    One2One,
    Any2One,
    One2Any,
    Any2Any,
    OneAlting2Any,
    AnyAlting2AnyAlting,
}

const CASES: [Case; 6] =
    [Case::One2One, Case::Any2One, Case::One2Any, Case::Any2Any, Case::OneAlting2Any, Case::AnyAlting2AnyAlting];

/// Runs a case whose writers retire: everything arrives, once, and then every reader sees the retirement.
fn commtest(
    placement: Placement,
    case: Case,
    make: impl Fn() -> Channel<u64>,
    (reads, writes): (Sleeper, Sleeper),
    policy: Policy,
) {
    let c: Vec<Channel<u64>> = (0..4).map(|_| make()).collect();
    let one = Ending::Retire;
    let (sent, read) = match case {
        Case::One2One => Parallel!(
            for id in 0..4 => writer(c[id].writer(), id as u64, 10, writes, one).on(placement),
            for c in &c => reader(c.reader(), reads).on(placement),
        ),
        Case::Any2One => Parallel!(
            for id in 0..4 => writer(c[0].writer(), id, 10, writes, one).on(placement),
            for _ in 0..1 => reader(c[0].reader(), reads).on(placement),
        ),
        Case::One2Any => Parallel!(
            for _ in 0..1 => writer(c[0].writer(), 0, 40, writes, one).on(placement),
            for _ in 0..4 => reader(c[0].reader(), reads).on(placement),
        ),
        Case::Any2Any => Parallel!(
            for id in 0..4 => writer(c[0].writer(), id, 10, writes, one).on(placement),
            for _ in 0..4 => reader(c[0].reader(), reads).on(placement),
        ),
        Case::OneAlting2Any => Parallel!(
            for _ in 0..1 => alting_writer(writers(&c), 0, 40, writes, policy, one).on(placement),
            for c in &c => reader(c.reader(), reads).on(placement),
        ),
        Case::AnyAlting2AnyAlting => Parallel!(
            for id in 0..4 => alting_writer(writers(&c), id, 10, writes, policy, one).on(placement),
            for _ in 0..4 => alting_reader(readers(&c), reads, policy, true).on(placement),
        ),
    }
    .unwrap();
    let writers = sent.len() as u64;
    sent.into_iter().for_each(Result::unwrap);
    let ended = if matches!(case, Case::AnyAlting2AnyAlting) { ChannelError::NoGuards } else { ChannelError::Retired };
    assert!(read.iter().all(|(_, error)| *error == ended), "{case:?}: {read:?}");
    let mut values: Vec<u64> = read.into_iter().flat_map(|(values, _)| values).collect();
    values.sort_unstable();
    let each = 40 / writers as usize;
    assert!(values.into_iter().eq((0..writers).flat_map(|id| vec![id; each])), "{case:?} {reads:?} {writes:?}");
}

/// `guardtest`: a guard that skips between those that read, and a timer that comes too late.
#[process]
fn skipping_reader(inputs: Vec<Reader<u64>>, count: usize) -> csproc::Result<Vec<(u64, u64)>> {
    let mut read = Vec::new();
    let mut alt = Alternation::new();
    let mut tokens: Vec<_> = inputs[..2].iter().map(|input| alt.read(input)).collect();
    let skip = alt.skip();
    tokens.extend(inputs[2..].iter().map(|input| alt.read(input)));
    alt.after(HOUR);
    while read.len() < count {
        let fired = alt.pri_select()?;
        match (0..).zip(&tokens).find(|(_, token)| token.index() == fired.index()) {
            Some((from, token)) => read.push((from, fired.take(*token))),
            None => {
                assert_eq!(fired.index(), skip.index(), "an hour has passed");
                std::thread::yield_now();
            }
        }
    }
    inputs.iter().for_each(Reader::retire);
    Ok(read)
}

/// Waits in an alternation over one or both, in that order, until something comes or a channel ends.
#[process]
fn wait(ready: Writer<Place>, input: Option<Reader<u64>>, out: Option<Writer<u64>>) -> Result<bool, ChannelError> {
    Place::announce(&ready);
    let mut alt = Alternation::new();
    let read = input.as_ref().map(|input| alt.read(input));
    if let Some(out) = &out {
        alt.write(out, 7);
    }
    alt.after(HOUR);
    let fired = alt.pri_select()?.index();
    Ok(read.is_some_and(|read| read.index() == fired))
}

/// So many times: reads one and writes the other, whichever comes first, in its own order of guards.
#[process]
fn diamond(a: Reader<u64>, b: Writer<u64>, rounds: u64, output_first: bool) -> csproc::Result<u64> {
    let (mut read, mut written) = (0, 0);
    for _ in 0..2 * rounds {
        let mut alt = Alternation::new();
        let output = output_first.then(|| alt.write(&b, written));
        let input = alt.read(&a);
        let output = output.unwrap_or_else(|| alt.write(&b, written));
        alt.enable(input, read < rounds);
        alt.enable(output, written < rounds);
        let fired = alt.select()?;
        if fired.index() == input.index() {
            assert_eq!(fired.take(input), read);
            read += 1;
        } else {
            written += 1;
        }
    }
    Ok(read + written)
}

/// Counts the times it waits in vain between values that come late.
#[process]
fn count_timeouts(input: Reader<u64>, go: Writer<()>, patience: Duration) -> csproc::Result<(Vec<u64>, u64)> {
    let (mut read, mut late) = (Vec::new(), 0);
    loop {
        let value = AltSelect! {
            v = input.read() => Some(v),
            after(patience) => None,
        };
        match value {
            Ok(Some(value)) => read.push(value),
            Ok(None) => {
                late += 1;
                go.write(())?;
            }
            Err(ChannelError::Retired) => return Ok((read, late)),
            Err(error) => return Err(error.into()),
        }
    }
}

over_both! {
    /// `Any2One_Alting`, `_FairAlting`, `_PriAlting`: the first channel that retires ends the reader.
    fn autotest_any2one_alting_the_first_end_is_the_end(placement) {
        for ((reads, writes), policy) in sleepers().zip(POLICIES.into_iter().cycle()) {
            let c = channels(4);
            let (sent, (values, error)) = Parallel!(
                for id in 0..4 => writer(c[id].writer(), id as u64, 10, writes, Ending::Retire).on(placement),
                alting_reader(readers(&c), reads, policy, false).on(placement),
            )
            .unwrap();
            assert_eq!(error, ChannelError::Retired);
            assert!((10..=40).contains(&values.len()), "{values:?}");
            let counts: Vec<usize> = (0..4).map(|id| values.iter().filter(|value| **value == id).count()).collect();
            assert!(counts.contains(&10) && counts.iter().all(|count| *count <= 10), "{counts:?}");
            // A writer that was heard ten times ended well; another one was left in the middle.
            for (sent, count) in sent.into_iter().zip(counts) {
                assert_eq!(sent.is_ok(), count == 10, "{sent:?} after {count}");
            }
        }
    }

    fn autotest_any2any_alting_everything_is_read_to_the_end(placement) {
        for ((reads, writes), policy) in sleepers().zip(POLICIES.into_iter().cycle()) {
            let c = channels(4);
            let (sent, (mut values, error)) = Parallel!(
                for id in 0..4 => writer(c[id].writer(), id as u64, 10, writes, Ending::Retire).on(placement),
                alting_reader(readers(&c), reads, policy, true).on(placement),
            )
            .unwrap();
            sent.into_iter().for_each(Result::unwrap);
            assert_eq!(error, ChannelError::NoGuards);
            values.sort_unstable();
            assert!(values.into_iter().eq((0..4).flat_map(|id| [id; 10])));
        }
    }

    fn commtest_one_alting2any(placement) {
        for (pace, policy) in sleepers().zip(POLICIES.into_iter().cycle()) {
            commtest(placement, Case::OneAlting2Any, Channel::new, pace, policy);
        }
    }

    fn commtest_any_alting2any_alting(placement) {
        for (pace, policy) in sleepers().zip(POLICIES.into_iter().cycle()) {
            commtest(placement, Case::AnyAlting2AnyAlting, Channel::new, pace, policy);
        }
    }

    /// `Buffer_Test`: the writer is gone before there is a reader.
    fn buffertest_a_full_buffer_outlives_its_writer(placement) {
        let c = Channel::buffered(Buffer::Fifo(10));
        Parallel!(writer(c.writer(), 5, 10, Sleeper::None, Ending::Retire).on(placement)).unwrap().unwrap();
        let (values, error) = Parallel!(reader(c.reader(), Sleeper::None).on(placement)).unwrap();
        assert_eq!((values, error), (vec![5; 10], ChannelError::Retired));
    }

    /// The six cases of `commtest`, over buffers of four sizes.
    fn buffertest_the_cases_of_commtest_over_buffers(placement) {
        let mut pace = sleepers().collect::<Vec<_>>().into_iter().cycle();
        for (size, policy) in [1, 5, 10, 20].into_iter().zip(POLICIES.into_iter().cycle()) {
            for case in CASES {
                // All nine are seen with each size over a few runs of the cases; each run takes the next three.
                for pace in pace.by_ref().take(3) {
                    commtest(placement, case, || Channel::buffered(Buffer::Fifo(size)), pace, policy);
                }
            }
        }
    }

    /// `poisontest`, `Any2One_Alting`: whoever is first poisons its channel, which ends the reader.
    fn poisontest_any2one_alting(placement) {
        for ((reads, writes), policy) in sleepers().zip(POLICIES.into_iter().cycle()) {
            let c = channels(4);
            let (_, (values, error)) = Parallel!(
                for id in 0..4 => writer(c[id].writer(), id as u64, 10, writes, Ending::Poison).on(placement),
                alting_reader(readers(&c), reads, policy, false).on(placement),
            )
            .unwrap();
            assert_eq!(error, ChannelError::Poisoned);
            assert!((10..=40).contains(&values.len()), "{values:?}");
            assert!((0..4).any(|id| values.iter().filter(|value| **value == id).count() == 10));
        }
    }

    /// `poisontest`, `Any_Alting2Any_Alting`: the network ends, and what was sent by the first one that ended has
    /// arrived.
    fn poisontest_any_alting2any_alting(placement) {
        for ((reads, writes), policy) in sleepers().zip(POLICIES.into_iter().cycle()) {
            let c = channels(4);
            let (sent, read) = Parallel!(
                for id in 0..4 => alting_writer(writers(&c), id, 10, writes, policy, Ending::Poison).on(placement),
                for _ in 0..4 => alting_reader(readers(&c), reads, policy, false).on(placement),
            )
            .unwrap();
            assert!(read.iter().all(|(_, error)| error.is_poisoned()));
            let values: Vec<u64> = read.into_iter().flat_map(|(values, _)| values).collect();
            for (id, sent) in (0..).zip(&sent) {
                let count = values.iter().filter(|value| **value == id).count();
                assert!(if sent.is_ok() { count == 10 } else { count < 10 }, "{sent:?} after {count}");
            }
            assert!(sent.iter().any(Result::is_ok));
        }
    }

    /// `selecttest`: all three kinds of choice give the end and the message.
    fn selecttest_the_message_comes_with_its_end(placement) {
        for policy in POLICIES {
            let c = channels(4);
            let r = readers(&c);
            let sent = Spawn!(for id in 0..4 =>
                writer(c[id].writer(), id as u64, 10, Sleeper::None, Ending::Retire).on(placement))
            .unwrap();
            let read = crate::policy::read_all(&r, policy).unwrap();
            assert_eq!(read.len(), 40);
            assert!(read.into_iter().all(|(from, value)| from as u64 == value));
            sent.join().unwrap().into_iter().for_each(Result::unwrap);
        }
    }

    /// `guardtest`: with four writers and with sixteen; in the end the reader retires while writers wait.
    fn guardtest_skip_in_the_middle_and_a_timer_last(placement) {
        for (each, sleeper) in [1, 4].into_iter().flat_map(|each| SLEEPERS.map(|sleeper| (each, sleeper))) {
            let c = channels(4);
            let (values, sent) = Parallel!(
                skipping_reader(readers(&c), 40).on(placement),
                for id in 0..4 * each =>
                    writer(c[id % 4].writer(), id as u64 % 4, 1000, sleeper, Ending::Retire).on(placement),
            )
            .map(|(read, sent)| (read.unwrap(), sent))
            .unwrap();
            assert_eq!(values.len(), 40);
            // Here `skip` fires only if nothing is ready, so those behind it have their turn as well.
            assert!(values.iter().all(|(from, value)| from == value), "{values:?}");
            assert!(sent.into_iter().all(|sent| sent.unwrap_err().channel_error() == Some(&ChannelError::Retired)));
        }
    }

    /// aPyCSP: an alternation sleeps, or has not begun yet, when its channel is poisoned; at either end.
    fn apycsp_poison_reaches_alternations_asleep_and_not_yet_begun(placement) {
        for (asleep, output) in [(true, false), (true, true), (false, false), (false, true)] {
            let (c, ready) = (Channel::new(), Channel::new());
            let (announced, w, r) = (ready.reader(), c.writer(), c.reader());
            let poison = || if output { r.poison() } else { w.poison() };
            if !asleep {
                poison();
            }
            let (input, out) = ((!output).then(|| c.reader()), output.then(|| c.writer()));
            let waiter = Spawn!(wait(ready.writer(), input, out).on(placement)).unwrap();
            let place = announced.read().unwrap();
            if asleep {
                place.until_asleep();
                poison();
            }
            assert_eq!(waiter.join().unwrap(), Err(ChannelError::Poisoned));
        }
    }

    /// aPyCSP: reading and writing guards together, met at either.
    fn apycsp_reading_and_writing_guards_are_met_at_either(placement) {
        for read in [true, false] {
            let (c, d, ready) = (Channel::new(), Channel::new(), Channel::new());
            let (announced, w, r) = (ready.reader(), c.writer(), d.reader());
            let waiter = Spawn!(wait(ready.writer(), Some(c.reader()), Some(d.writer())).on(placement)).unwrap();
            announced.read().unwrap().until_asleep();
            if read {
                w.write(1).unwrap();
            } else {
                assert_eq!(r.read(), Ok(7));
            }
            assert_eq!(waiter.join().unwrap(), Ok(read));
        }
    }

    /// `examples/problems`: four in a ring, each alternating between reading from one and writing to the other
    /// neighbour.
    fn diamond_of_four_alternations_does_not_deadlock(placement) {
        let c = channels(4);
        let done = Parallel!(for at in 0..4 =>
            diamond(c[at].reader(), c[(at + 1) % 4].writer(), 500, at % 2 == 0).on(placement))
        .unwrap();
        assert!(done.into_iter().map(Result::unwrap).eq([1000; 4]));
    }

    /// aPyCSP: a value that comes only after several timeouts.
    fn apycsp_a_timer_fires_until_the_value_comes(placement) {
        let (c, go) = (Channel::new(), Channel::new());
        let (w, late) = (c.writer(), go.reader());
        let counter = count_timeouts(c.reader(), go.writer(), Duration::from_micros(500)).on(placement);
        let counter = Spawn!(counter).unwrap();
        let mut seen = 0;
        for value in 0..10 {
            (0..3).for_each(|_| late.read().unwrap());
            seen += 3;
            // It may time out while this is on its way, and says so first.
            loop {
                let written = AltSelect! {
                    w.write(value) => true,
                    () = late.read() => false,
                };
                if written.unwrap() {
                    break;
                }
                seen += 1;
            }
        }
        drop(w);
        // It may be telling of its last timeout.
        seen += late.into_iter().count() as u64;
        let (read, late) = counter.join().unwrap().unwrap();
        assert!(read.into_iter().eq(0..10));
        assert_eq!(late, seen);
    }
}
