//! Faults that schedules bring beside crashes: panics, poison, delays, losses; and whom they meet.
//!
//! Knows nothing of how a run ends otherwise.

use super::cast::{always, find, named, read_once, relay, sees_all, sink, source, write_once};
use csproc::Failure;
use csproc::prelude::*;
use csproc::testing::{EventKind, Outcome, schedule};
use std::time::Duration;

fn pipeline() -> Network<(csproc::Result<()>, csproc::Result<()>, Vec<u32>)> {
    let (c, d) = (named("in"), named("out"));
    network!(source(c.writer(), 2), relay(c.reader(), d.writer()), sink(d.reader()))
}

#[test]
fn whoever_is_made_to_panic_says_where_it_waited() {
    let seen = sees_all(300, &schedule().panics(1), pipeline, |run| match run.outcome() {
        Outcome::Completed => String::from("completed"),
        Outcome::Failed(failures) => match &failures[0] {
            Failure::Crashed { process, cause: Cause::Panicked { message, .. }, .. } => {
                assert!(message.contains("the schedule has it panic at tests/testing/cast.rs"), "{message}");
                process.clone()
            }
            other => panic!("{other}"),
        },
        _ => panic!("{run}"),
    });
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["completed", "relay", "sink", "source"]);
}

#[test]
fn poison_from_nowhere_ends_a_network_and_nobody_waits() {
    let seen = sees_all(300, &schedule().poisons(1), pipeline, |run| {
        assert!(run.completed(), "{run}");
        run.trace().iter().find(|event| event.kind() == EventKind::Poisoned).map(|event| String::from(event.channel()))
    });
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[process]
fn impatient(input: Reader<u32>) -> Result<u32, ChannelError> {
    input.read_timeout(Duration::from_secs(3600))
}

#[test]
fn who_comes_late_may_miss_a_timeout_and_nothing_else() {
    let network = || {
        let c = Channel::new();
        network!(write_once(c.writer(), 1), impatient(c.reader()))
    };
    let seen = sees_all(300, &schedule().delays(1), network, |run| match run.result() {
        Some((_, read)) => format!("{read:?}"),
        None => panic!("{run}"),
    });
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["Err(TimedOut)", "Ok(1)"]);
    // Without a timer, to come late is to come.
    let patient = || {
        let c = Channel::new();
        network!(write_once(c.writer(), 1), read_once(c.reader()))
    };
    always(200, &schedule().delays(2), patient, |run| run.result().is_some_and(|(_, read)| *read == Ok(1)));
}

#[test]
fn only_channels_that_are_lossy_lose_and_double_messages() {
    let in_order = schedule().lossy("in", 1).in_order("in");
    let seen = sees_all(500, &in_order, pipeline, |run| run.result().expect("it ends").2.clone());
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [vec![0], vec![0, 0, 1], vec![0, 1], vec![0, 1, 1], vec![1]]);
    always(100, &schedule().lossy("elsewhere", 3), pipeline, |run| {
        run.result().is_some_and(|(.., got)| *got == [0, 1])
    });
}

#[test]
fn faults_meet_those_who_are_named() {
    let network = || {
        let c = Channel::new();
        network!(for value in 0..2 => write_once(c.writer(), value), sink(c.reader()))
    };
    let seen = sees_all(300, &schedule().crashes(1).processes(&["write_once"]), network, |run| {
        run.trace().iter().find(|event| event.kind().is_fault()).map(|event| String::from(event.process()))
    });
    let met: Vec<_> = seen.into_iter().flatten().collect();
    assert_eq!(met, ["write_once[0]", "write_once[1]"]);
}

/// Between a source and a sink of three messages.
fn line(buffer: Buffer) -> Network<(csproc::Result<()>, Vec<u32>)> {
    let c = Channel::builder().name("in").buffer(buffer).build().unwrap();
    network!(source(c.writer(), 3), sink(c.reader()))
}

#[test]
fn a_message_that_is_kept_back_is_overtaken_by_any_number_of_others_and_comes() {
    for buffer in [Buffer::Fifo(0), Buffer::Fifo(1), Buffer::Fifo(2), Buffer::Unbounded] {
        let seen = sees_all(
            1500,
            &schedule().lossy("in", 1),
            || line(buffer),
            |run| {
                let got = run.result().expect("it ends").1.clone();
                let kept_back = run.count(EventKind::KeptBack) == 1;
                assert!(!kept_back || got.len() == 3 && run.completed(), "{run}");
                assert!(!kept_back || run.messages::<u32>("in") == [0, 1, 2], "{run}");
                kept_back.then_some(got)
            },
        );
        let seen: Vec<_> = seen.into_iter().flatten().collect();
        // Nobody overtakes the last one, and the first one may arrive before the others because nobody else goes on.
        let [with_one, with_two] = [vec![0, 2, 1], vec![1, 0, 2]];
        assert_eq!(seen, [vec![0, 1, 2], with_one, with_two, vec![1, 2, 0]], "{buffer:?}");
    }
}

#[process]
fn expects_order(input: Reader<u32>) -> bool {
    input.into_iter().is_sorted()
}

#[test]
fn who_relies_on_the_order_of_a_lossy_line_is_found_by_one_fault() {
    let network = || {
        let c = named("in");
        network!(source(c.writer(), 3), expects_order(c.reader()))
    };
    let is_sorted =
        |run: &csproc::testing::Run<(csproc::Result<()>, bool)>| run.result().is_none_or(|(_, sorted)| *sorted);
    for _ in 0..10 {
        let text = find(1000, &schedule().lossy("in", 3), network, is_sorted).expect("one overtakes another");
        assert!(text.contains("a message of source on `in` is kept back"), "{text}");
        // One is kept back, the next one goes by, and it arrives: the reader has seen enough.
        assert!(text.contains("completed after 3 events"), "{text}");
    }
    assert!(find(500, &schedule().lossy("in", 3).in_order("in"), network, is_sorted).is_none());
}
