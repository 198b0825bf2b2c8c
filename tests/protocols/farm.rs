//! A farm: workers take jobs from one channel and send results on another, as in the example `montecarlo_pi`.
//!
//! Knows nothing of what the jobs are.

use csproc::prelude::*;
use csproc::testing::{Run, explore};

#[process]
fn works(jobs: Reader<u32>, results: Writer<u32>) -> csproc::Result<()> {
    for job in jobs {
        results.write(job * 10)?;
    }
    Ok(())
}

#[process]
fn asks_for(jobs: Writer<u32>, count: u32) -> csproc::Result<()> {
    Ok((0..count).try_for_each(|job| jobs.write(job))?)
}

#[process]
fn adds_up(results: Reader<u32>) -> Vec<u32> {
    results.into_iter().collect()
}

type Done = (csproc::Result<()>, Vec<csproc::Result<()>>, Vec<u32>);

fn farm(workers: usize, jobs: u32, what: OnCrash) -> Network<Done> {
    let (todo, done) = (Channel::new(), Channel::new());
    network!(
        asks_for(todo.writer(), jobs),
        for _ in 0..workers => works(todo.reader(), done.writer()).on_crash(what),
        adds_up(done.reader())
    )
}

fn has_all(run: &Run<Done>, jobs: u32) -> bool {
    run.result().is_some_and(|(.., got)| {
        let mut got = got.clone();
        got.sort_unstable();
        got == (0..jobs).map(|job| job * 10).collect::<Vec<u32>>()
    })
}

#[test]
fn every_job_is_done_whoever_takes_it() {
    let explored = explore().check_with(|| farm(2, 3, OnCrash::default()), |run| has_all(run, 3)).unwrap();
    assert!(explored.complete, "{explored}");
    println!("{explored}");
}

/// The job that it had is lost with it, and no other one.
#[test]
fn with_any_worker_killed_at_any_moment_the_others_do_the_rest() {
    let explored = explore()
        .max_crashes(1)
        .processes(&["works"])
        .check_with(
            || farm(2, 2, OnCrash::Retire),
            |run| run.result().is_none_or(|(.., got)| !got.is_empty() && got.iter().all(|value| *value < 20)),
        )
        .unwrap();
    assert!(explored.complete, "{explored}");
    println!("{explored}");
}
