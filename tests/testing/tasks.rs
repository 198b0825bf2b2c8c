//! Queues that count their tasks: whoever joins waits until all is done, and hears of those who left something behind.
//!
//! Knows nothing of the operating system, but that the same networks come to the same there.

use super::cast::{always, sees_all};
use csproc::prelude::*;
use csproc::shared::Atomic;
use csproc::testing::{Outcome, schedule};
use std::collections::BTreeSet;
use std::time::Duration;

#[process]
fn work(jobs: Queue<u8>, done: Atomic<u32>) -> csproc::Result<()> {
    for _ in &jobs {
        done.fetch_add(1);
        jobs.task_done()?;
    }
    Ok(())
}

/// Puts so many, waits until they are done, and says how many are.
#[process]
fn employ(jobs: Queue<u8>, count: u8, done: Atomic<u32>) -> csproc::Result<u32> {
    (0..count).try_for_each(|job| jobs.put(job))?;
    jobs.join()?;
    let seen = done.load();
    jobs.close();
    Ok(seen)
}

#[test]
fn who_joins_waits_until_all_is_done_and_not_only_got() {
    for room in [0, 1, 9] {
        let network = || {
            let (jobs, done) = (Queue::bounded(room), Atomic::new(0).unwrap());
            network!(
                for _ in 0..2 => work(jobs.clone(), done.clone()),
                employ(jobs.clone(), 3, done.clone())
            )
        };
        always(200, &schedule(), network, |run| {
            run.completed() && run.result().is_some_and(|(_, seen)| seen.as_ref().is_ok_and(|seen| *seen == 3))
        });
    }
}

/// Gets one, and says so, or does not.
#[process]
fn gets_one(jobs: Queue<u8>, says_so: bool) -> csproc::Result<()> {
    jobs.get()?;
    if says_so {
        jobs.task_done()?;
    }
    Ok(())
}

#[process]
fn joins(jobs: Queue<u8>) -> Result<(), ChannelError> {
    jobs.join()
}

#[process]
fn puts(jobs: Queue<u8>, count: u8) -> csproc::Result<()> {
    Ok((0..count).try_for_each(|job| jobs.put(job))?)
}

fn in_words(came: &[Result<(), ChannelError>]) -> Vec<String> {
    let one = |came: &Result<(), ChannelError>| match came {
        Ok(()) => String::from("all is done"),
        Err(ChannelError::Abandoned { process }) => format!("left by {process}"),
        Err(ChannelError::Lost { process, .. }) => format!("lost with {process}"),
        Err(error) => format!("{error:?}"),
    };
    came.iter().map(one).collect()
}

type Came = Result<(), ChannelError>;
type Done = csproc::Result<()>;

/// Two join while somebody puts two items; one who gets an item does not say that it is done with it.
fn left_behind(placement: Placement) -> Network<(Done, Vec<Came>, Done, Done)> {
    let jobs = Queue::new();
    network!(
        puts(jobs.clone(), 2).on(placement),
        for _ in 0..2 => joins(jobs.clone()).on(placement),
        gets_one(jobs.clone(), true).on(placement),
        gets_one(jobs.clone(), false).named("lazy").on(placement)
    )
}

#[test]
fn who_leaves_a_task_behind_is_named_to_all_who_wait_or_to_one() {
    let seen = sees_all(
        2000,
        &schedule(),
        || left_behind(Placement::Process),
        |run| match run.result() {
            Some((_, joined, ..)) => in_words(joined),
            None => panic!("{run}"),
        },
    );
    // Who has joined before the first item was put has nothing to wait for.
    let (done, left) = ("all is done", "left by lazy");
    let expected = [[done, done], [done, left], [left, done], [left, left]].map(|each| each.map(String::from).to_vec());
    assert_eq!(seen, BTreeSet::from(expected));
    for placement in [Placement::Thread, Placement::Process].repeat(20) {
        let (_, joined, ..) = left_behind(placement).run().unwrap();
        assert!(seen.contains(&in_words(&joined)), "for real: {joined:?}");
    }
}

/// Somebody gets the first of two items, and ends; what whoever joins hears of it, again and again.
#[process]
fn hears(how: String, placement: Placement) -> csproc::Result<Vec<String>> {
    let jobs = Queue::new();
    (0..2).try_for_each(|job| jobs.put(job))?;
    let _ = ends(jobs.clone(), how).on(placement).run();
    let mut heard = vec![jobs.join_timeout(Duration::from_millis(5))];
    jobs.get()?;
    heard.push(jobs.join_timeout(Duration::from_millis(5)));
    jobs.task_done()?;
    assert!(jobs.task_done().is_err(), "one item, and twice done");
    heard.extend([jobs.join(), jobs.join()]);
    jobs.poison();
    heard.push(jobs.join());
    Ok(in_words(&heard))
}

#[process]
fn ends(jobs: Queue<u8>, how: String) -> csproc::Result<()> {
    jobs.get()?;
    match how.as_str() {
        "panic" => panic!("with a task in hand"),
        "other handle" => jobs.clone().task_done()?,
        "handle gone" => {
            let other = jobs.clone();
            drop(jobs);
            other.task_done()?;
        }
        _ => (),
    }
    Ok(())
}

#[test]
fn who_ends_with_a_task_is_named_once_and_only_when_all_others_are_done() {
    for (how, heard) in [
        ("return", "left by ends"),
        ("panic", "lost with ends"),
        ("other handle", "all is done"),
        ("handle gone", "all is done"),
    ] {
        let wanted = ["TimedOut", "TimedOut", heard, "all is done", "Poisoned"];
        always(
            50,
            &schedule(),
            || hears(String::from(how), Placement::Process),
            |run| matches!(run.result(), Some(Ok(heard)) if *heard == wanted),
        );
        for placement in [Placement::Thread, Placement::Process] {
            let heard = hears(String::from(how), placement).on(placement).run().unwrap().unwrap();
            assert_eq!(heard, wanted, "{how} for real, {placement:?}");
        }
    }
}

#[process]
fn gets_too_many(jobs: Queue<u8>) -> csproc::Result<()> {
    jobs.get()?;
    jobs.get()?;
    Ok(())
}

#[test]
fn who_joins_for_ever_is_told_who_has_a_task_open() {
    // Whoever has joined before has nothing to wait for.
    let stands = sees_all(
        300,
        &schedule(),
        || {
            let jobs = Queue::new().named("jobs");
            network!(puts(jobs.clone(), 1), joins(jobs.clone()), gets_too_many(jobs.clone()))
        },
        |run| match run.outcome() {
            Outcome::Deadlock(report) => {
                report.to_string().contains("joins") && report.to_string().contains("gets_too_many")
            }
            _ => false,
        },
    );
    assert_eq!(stands, BTreeSet::from([false, true]));
}
