//! Faults that schedules bring beside crashes: panics, poison, delays, losses; and whom they meet.
//!
//! Knows nothing of how a run ends otherwise.

use super::cast::{always, named, read_once, relay, sees_all, sink, source, write_once};
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
    let seen = sees_all(500, &schedule().lossy("in", 1), pipeline, |run| run.result().expect("it ends").2.clone());
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
