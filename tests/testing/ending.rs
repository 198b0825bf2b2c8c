//! How runs end: completed, in a deadlock, in a livelock, with somebody who crashed, with somebody left behind.
//!
//! Knows nothing of shrinking.

use super::cast::{always, named, read_once, sees_all, sink, source, write_once};
use csproc::prelude::*;
use csproc::testing::{EventKind, Outcome, replay, schedule};
use csproc::{Failure, Strategy};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[process]
fn echo(input: Reader<u32>, out: Writer<u32>) -> csproc::Result<()> {
    loop {
        out.write(input.read()?)?;
    }
}

#[test]
fn a_ring_in_which_each_waits_for_the_next_is_a_deadlock_with_its_cycle() {
    let run = replay("csp1:00", || {
        let (c, d) = (named("there"), named("back"));
        network!(echo(c.reader(), d.writer()), echo(d.reader(), c.writer()).named("other"))
    });
    let Outcome::Deadlock(report) = run.outcome() else { panic!("{run}") };
    assert_eq!(report.cycle().len(), 2);
    let blocked = &report.processes()[report.cycle()[0]];
    assert_eq!((blocked.waits_for[0].action.as_str(), blocked.waits_for[0].channel.as_str()), ("read", "there"));
    assert!(blocked.location.contains("ending.rs"), "{}", blocked.location);
    assert!(!run.is_deadlock_free() && run.result().is_none() && run.standing().is_some());
    let text = run.to_string();
    assert!(text.contains("deadlock after 0 events") && text.contains("waits to read from channel"), "{text}");
}

#[process]
fn forgotten(input: Reader<u32>, _own: Writer<u32>) -> csproc::Result<u32> {
    Ok(input.read()?)
}

#[process]
fn forgetful() -> csproc::Result<()> {
    let c = Channel::new();
    Spawn!(forgotten(c.reader(), c.writer()))?;
    Ok(())
}

#[test]
fn a_child_that_nobody_joins_and_that_never_ends_stands_still_with_its_parent() {
    let run = replay("csp1:00", forgetful);
    assert!(matches!(run.outcome(), Outcome::Deadlock(_)), "{run}");
    assert!(run.to_string().contains("forgotten"), "{run}");
    let run = replay("csp1:00", || {
        let c = Channel::new();
        Spawn!(forgotten(c.reader(), c.writer())).expect("it starts");
        let d = Channel::new();
        network!(source(d.writer(), 2), sink(d.reader()))
    });
    assert_eq!(run.outcome(), &Outcome::Leaked, "{run}");
    assert!(run.result().is_some_and(|(_, got)| *got == [0, 1]));
}

#[process]
fn for_ever(out: Writer<u32>) -> csproc::Result<()> {
    loop {
        out.write(0)?;
    }
}

#[process]
fn reads_for_ever(input: Reader<u32>) -> csproc::Result<()> {
    loop {
        input.read()?;
    }
}

#[test]
fn a_network_that_never_ends_is_a_livelock() {
    let run = replay("csp1:00", || {
        let c = Channel::new();
        network!(for_ever(c.writer()), reads_for_ever(c.reader()))
    });
    assert_eq!(run.outcome(), &Outcome::Livelock);
    assert!(run.to_string().lines().count() < 300);
}

#[process]
fn panics(input: Reader<u32>) -> csproc::Result<()> {
    panic!("on {}", input.read()?);
}

#[test]
fn a_panic_is_an_outcome_that_says_who_and_where_and_its_peers_learn_of_it() {
    let run = replay("csp1:00", || {
        let (c, d) = (Channel::new(), Channel::new());
        network!(write_once(c.writer(), 5), panics(c.reader()), holds(d.writer()), read_once(d.reader()))
    });
    let Outcome::Failed(failures) = run.outcome() else { panic!("{run}") };
    let Failure::Crashed { process, cause: Cause::Panicked { message, location }, .. } = &failures[0] else {
        panic!("{run}")
    };
    assert_eq!((process.as_str(), message.as_str()), ("panics", "on 5"));
    assert!(location.contains("ending.rs"), "{location}");
}

#[process]
fn holds(_out: Writer<u32>) {}

#[process]
fn copies(input: Reader<u32>, out: Writer<u32>) -> Result<(), ChannelError> {
    loop {
        out.write(input.read()?)?;
    }
}

#[process]
fn collects(input: Reader<u32>) -> (Vec<u32>, String) {
    let mut got = Vec::new();
    for value in input.results() {
        match value {
            Ok(value) => got.push(value),
            Err(error) => return (got, if error.is_lost() { String::from("lost") } else { error.to_string() }),
        }
    }
    (got, String::from("retired"))
}

#[test]
fn whoever_is_killed_loses_its_channels_and_nobody_waits_for_ever() {
    let network = || {
        let (c, d) = (Channel::new(), Channel::new());
        network!(source(c.writer(), 3), copies(c.reader(), d.writer()), sink(d.reader()))
    };
    let seen = sees_all(500, &schedule().crashes(1), network, |run| match run.outcome() {
        Outcome::Completed => String::from("completed"),
        Outcome::Failed(failures) => {
            let killed =
                |failure: &Failure| matches!(failure, Failure::Crashed { cause: Cause::Killed { signal: 9 }, .. });
            assert!(failures.len() == 1 && killed(&failures[0]), "{run}");
            let crashed: Vec<_> = run.trace().iter().filter(|event| event.kind() == EventKind::Crashed).collect();
            assert_eq!(crashed.len(), 1);
            String::from(crashed[0].process())
        }
        _ => panic!("{run}"),
    });
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["completed", "copies", "sink", "source"]);
    let told = || {
        let c = Channel::new();
        network!(source(c.writer(), 3), collects(c.reader()), keeps_going())
    };
    always(200, &schedule().crashes(1), told, |run| run.is_deadlock_free());
}

#[process]
fn keeps_going() {}

#[process]
fn works(tasks: Reader<u32>, results: Writer<u32>) -> csproc::Result<()> {
    for task in tasks {
        results.write(task * 10)?;
    }
    Ok(())
}

#[test]
fn whoever_is_to_be_started_again_is_and_the_rest_goes_on() {
    let network = || {
        let (tasks, results) = (Channel::new(), Channel::new());
        let again = OnCrash::Restart { max: 3, within: Duration::from_secs(10) };
        network!(
            source(tasks.writer(), 3),
            works(tasks.reader(), results.writer()).on_crash(again),
            sink(results.reader())
        )
    };
    let restarted = AtomicU32::new(0);
    always(300, &schedule().crashes(1), network, |run| {
        let worker_died =
            run.trace().iter().any(|event| event.kind() == EventKind::Crashed && event.process() == "works");
        if worker_died {
            restarted.fetch_add(1, Ordering::Relaxed);
            // At most the task that it had in hand is gone.
            return run.completed() && run.result().is_some_and(|(.., got)| got.len() >= 2);
        }
        run.is_deadlock_free()
    });
    assert!(restarted.into_inner() > 0);
}

#[process]
fn supervised(tasks: Reader<u32>, results: Writer<u32>) -> usize {
    let mut supervisor = Supervisor::new(Strategy::OneForAll);
    for _ in 0..2 {
        supervisor.child(works(tasks.clone(), results.clone()));
    }
    drop((tasks, results));
    supervisor.run().map_or(0, |results| results.len())
}

#[test]
fn supervisors_end_and_start_again_those_they_look_after() {
    let network = || {
        let (tasks, results) = (Channel::new(), Channel::new());
        network!(source(tasks.writer(), 3), supervised(tasks.reader(), results.writer()), sink(results.reader()))
    };
    let restarted = AtomicU32::new(0);
    always(200, &schedule().crashes(1), network, |run| {
        let worker_died =
            run.trace().iter().any(|event| event.kind() == EventKind::Crashed && event.process() == "works");
        restarted.fetch_add(u32::from(worker_died), Ordering::Relaxed);
        run.is_deadlock_free() && (!worker_died || run.completed())
    });
    assert!(restarted.into_inner() > 0);
}
