//! What has happened before what: for processes without choices, exactly what comes first under every schedule.
//!
//! Knows nothing of how it is known.

use super::cast::{named, relay, sink, source};
use csproc::prelude::*;
use csproc::testing::{Event, EventKind, Run, Runnable, Schedules, schedule, simulate};
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// An event by what it says and how often the same came before: the same one in every run.
fn named_events(trace: &[Event]) -> Vec<String> {
    let mut times = BTreeMap::new();
    let name = |event: &Event| {
        // Who comes last to a barrier is another one each time.
        let who = if event.kind() == EventKind::Synchronized { "all" } else { event.process() };
        let what = format!("{:?} {who} {:?} {}", event.kind(), event.partner(), event.channel());
        let times = times.entry(what.clone()).or_insert(0);
        *times += 1;
        format!("{what} {times}")
    };
    trace.iter().map(name).collect()
}

type Pairs = BTreeSet<(String, String)>;

fn pairs<R>(run: &Run<R>, holds: impl Fn(usize, usize) -> bool) -> Pairs {
    let names = named_events(run.trace());
    let all = (0..names.len()).flat_map(|first| (0..names.len()).map(move |second| (first, second)));
    all.filter(|(first, second)| holds(*first, *second))
        .map(|(first, second)| (names[first].clone(), names[second].clone()))
        .collect()
}

/// The order of each run is that of all runs: of two events one has happened before the other exactly if it comes first
/// under every schedule.
fn is_exact<N: Runnable>(network: impl Fn() -> N, schedules: &Schedules) -> Pairs {
    let seen: RefCell<Option<(Pairs, Pairs)>> = RefCell::default();
    let config = Config { cases: 600, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(schedules, |schedule| {
        let run = simulate(&schedule, &network);
        assert!(run.completed(), "{run}");
        let before = pairs(&run, |first, second| run.happened_before(first, second));
        let first = pairs(&run, |first, second| first < second);
        assert!(before.is_subset(&first), "{run}");
        let mut seen = seen.borrow_mut();
        match &mut *seen {
            None => *seen = Some((before, first)),
            Some((known, always)) => {
                assert_eq!(*known, before, "{run}");
                always.retain(|pair| first.contains(pair));
            }
        }
        Ok(())
    });
    result.unwrap();
    let (before, always) = seen.into_inner().unwrap();
    let missing: Vec<_> = always.difference(&before).collect();
    let extra: Vec<_> = before.difference(&always).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:#?}, extra {extra:#?}");
    before
}

#[test]
fn along_a_pipeline_and_not_across_two_of_them() {
    let network = || {
        let (a, b, c) = (named("a"), named("b"), named("c"));
        network!(
            source(a.writer(), 2),
            relay(a.reader(), b.writer()),
            sink(b.reader()),
            source(c.writer(), 2).named("other"),
            sink(c.reader()).named("other end")
        )
    };
    let before = is_exact(network, &schedule());
    assert!(!before.iter().any(|(first, second)| first.contains("other") != second.contains("other")));
}

#[test]
fn a_message_is_put_before_it_is_taken() {
    let network = || {
        let a = Channel::builder().name("a").buffer(Buffer::Fifo(3)).build().unwrap();
        network!(source(a.writer(), 3), sink(a.reader()))
    };
    // Here the channel is shared: each of its events comes before the next, though some could come in another order.
    let run = simulate_once(network);
    let names = named_events(run.trace());
    let place = |what: &str| names.iter().position(|name| name.contains(what)).unwrap();
    for number in 1..=3 {
        let (put, taken) = (place(&format!("Put source None a {number}")), place(&format!("a {number}")));
        assert!(put == taken || run.happened_before(put, taken));
        let taken = place(&format!("Taken sink None a {number}"));
        assert!(run.happened_before(put, taken) && !run.happened_before(taken, put));
    }
}

fn simulate_once<N: Runnable>(network: impl FnMut() -> N) -> Run<N::Output> {
    csproc::testing::replay("csp1:00", network)
}

#[process]
fn meets(before: Writer<u32>, barrier: Barrier, after: Writer<u32>) -> csproc::Result<()> {
    before.write(1)?;
    barrier.sync()?;
    after.write(2)?;
    Ok(())
}

#[test]
fn all_that_comes_before_a_barrier_comes_before_all_that_comes_after_it() {
    let network = || {
        let (a, b, c, d) = (named("a"), named("b"), named("c"), named("d"));
        let barrier = Barrier::new(2);
        network!(
            meets(a.writer(), barrier.clone(), b.writer()),
            meets(c.writer(), barrier, d.writer()).named("another"),
            sink(a.reader()),
            sink(b.reader()),
            sink(c.reader()),
            sink(d.reader())
        )
    };
    let before = is_exact(network, &schedule());
    let on = |pair: &(String, String), first: &str, second: &str| pair.0.contains(first) && pair.1.contains(second);
    assert!(before.iter().any(|pair| on(pair, " a 1", " d 1")) && before.iter().any(|pair| on(pair, " c 1", " b 1")));
}

#[process]
fn closes(seen: Writer<u32>, ends: Writer<u32>) -> csproc::Result<()> {
    seen.write(1)?;
    drop(ends);
    Ok(())
}

#[process]
fn goes_on(ends: Reader<u32>, after: Writer<u32>) -> csproc::Result<()> {
    assert!(ends.into_iter().next().is_none());
    after.write(2)?;
    Ok(())
}

#[test]
fn what_comes_before_the_end_of_a_channel_comes_before_what_its_reader_does_then() {
    let network = || {
        let (a, b, c) = (named("a"), named("b"), named("c"));
        network!(
            closes(a.writer(), b.writer()),
            goes_on(b.reader(), c.writer()),
            sink(a.reader()),
            sink(c.reader()).named("other end")
        )
    };
    assert_eq!(is_exact(network, &schedule()).len(), 1);
}

#[process]
fn starts(before: Writer<u32>, within: Writer<u32>, after: Writer<u32>) -> csproc::Result<()> {
    before.write(1)?;
    Parallel!(source(within, 1))??;
    after.write(1)?;
    Ok(())
}

#[test]
fn what_comes_before_a_process_starts_comes_before_all_of_it_and_that_before_what_follows_its_end() {
    let network = || {
        let (a, b, c) = (named("a"), named("b"), named("c"));
        network!(
            starts(a.writer(), b.writer(), c.writer()),
            sink(a.reader()),
            sink(b.reader()).named("x"),
            sink(c.reader()).named("y")
        )
    };
    assert_eq!(is_exact(network, &schedule()).len(), 3);
}

#[process]
fn extends(input: Reader<u32>, within: Writer<u32>) -> csproc::Result<()> {
    input.read_extended(|_| within.write(1))??;
    Ok(())
}

#[process]
fn writes_and_goes_on(out: Writer<u32>, after: Writer<u32>) -> csproc::Result<()> {
    out.write(1)?;
    after.write(1)?;
    Ok(())
}

#[test]
fn what_an_extended_reader_does_comes_before_what_its_writer_does_next() {
    let network = || {
        let (a, b, c) = (named("a"), named("b"), named("c"));
        network!(
            writes_and_goes_on(a.writer(), c.writer()),
            extends(a.reader(), b.writer()),
            sink(b.reader()),
            sink(c.reader()).named("other end")
        )
    };
    assert_eq!(is_exact(network, &schedule()).len(), 3);
}

#[process]
fn tells_within(lock: Lock, told: Writer<u32>) -> csproc::Result<()> {
    let held = lock.acquire()?;
    told.write(1)?;
    drop(held);
    Ok(())
}

#[test]
fn what_was_done_with_a_lock_in_hand_comes_before_what_the_next_one_does() {
    let network = || {
        let (a, b, lock) = (named("a"), named("b"), Lock::new());
        network!(
            tells_within(lock.clone(), a.writer()),
            tells_within(lock, b.writer()).named("other"),
            sink(a.reader()),
            sink(b.reader()).named("other end")
        )
    };
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&schedule(), |schedule| {
        let run = simulate(&schedule, network);
        let on = |name| run.trace().iter().position(|event| event.channel() == name).unwrap();
        let (first, second) = (on("a").min(on("b")), on("a").max(on("b")));
        assert!(run.happened_before(first, second) && !run.happened_before(second, first), "{run}");
        Ok(())
    });
    result.unwrap();
}

#[test]
fn no_event_is_before_itself_and_what_is_no_event_is_before_nothing() {
    let run = simulate_once(|| {
        let a = named("a");
        network!(source(a.writer(), 1), sink(a.reader()))
    });
    assert!(!run.happened_before(0, 0) && !run.happened_before(0, 1) && !run.happened_before(7, 0));
}
