//! Workers of pools are killed at random: each task has exactly one result or is lost once, nobody waits for ever, and
//! the pool goes on.
//!
//! Knows nothing of single instructions. `CSPROC_KILLS` says after how many kills to end.

use crate::storm::{Dice, first_seed, kills_wanted};
use csproc::Cause;
use csproc::pool::{Pool, TaskError, TaskFailure};
use csproc::prelude::*;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The workers of this program that run, by name.
fn workers() -> Vec<Pid> {
    let named = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let numbers = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let prefix = format!("p{}[", std::process::id());
    pids.filter(|pid| named(*pid).starts_with(&prefix)).map(|pid| Pid::from_raw(pid.cast_signed())).collect()
}

/// Kills one worker after the other while `work` is done; how many.
fn hunted<R>(seed: u64, work: impl FnOnce() -> R) -> (R, u64) {
    /// Also when the work panics.
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    let (over, killed) = (AtomicBool::new(false), AtomicU64::new(0));
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            csproc::stand_aside();
            let mut dice = Dice::new(seed);
            while !over.load(Ordering::Acquire) {
                dice.pause(3000);
                let prey = workers();
                if prey.is_empty() {
                    continue;
                }
                let victim = prey[dice.below(prey.len() as u64) as usize];
                killed.fetch_add(u64::from(kill(victim, Signal::SIGKILL).is_ok()), Ordering::Relaxed);
            }
        });
        let _over = Over(&over);
        work()
    });
    (result, killed.into_inner())
}

fn square((marks, number): (Queue<u64>, u64)) -> u64 {
    marks.put(number).unwrap();
    number * number
}

/// Whether the task has a result; it was lost otherwise, and in no other way.
fn is_done(number: u64, result: &Result<u64, TaskError>) -> bool {
    match result {
        Ok(square) => {
            assert_eq!(*square, number * number);
            true
        }
        Err(TaskError { failure: TaskFailure::Lost { cause: Cause::Killed { signal: 9 }, .. }, .. }) => false,
        // Taken out of the channel by somebody who was killed before he had it.
        Err(TaskError { failure: TaskFailure::Cancelled, .. }) => false,
        Err(other) => panic!("{other}"),
    }
}

alone! {
    fn each_task_of_a_hunted_pool_has_one_result_or_is_lost_once() {
        const TASKS: u64 = 2000;
        let (mut kills, mut lost, mut seed) = (0, 0, first_seed());
        while kills < kills_wanted() {
            let name = format!("p{}", std::process::id());
            let pool = Pool::builder().workers(3).named(name).build().unwrap();
            let marks = Queue::new();
            let (missing, killed) = hunted(seed, || {
                let items = || (0..TASKS).map(|number| (marks.clone(), number));
                let chunk = 1 + seed as usize % 3;
                let job = pool.job(square, items()).chunk(chunk);
                let results = if seed % 2 == 0 { job.ordered() } else { job.unordered() };
                let mut seen = BTreeSet::new();
                let (mut done, mut never) = (BTreeSet::new(), BTreeSet::new());
                for (place, result) in results.with_index() {
                    assert!(seen.insert(place), "seed {seed}: {place} comes twice");
                    if matches!(&result, Err(error) if error.failure == TaskFailure::Cancelled) {
                        never.insert(place as u64);
                    }
                    if is_done(place as u64, &result) {
                        done.insert(place as u64);
                    }
                }
                assert_eq!(seen.len() as u64, TASKS, "seed {seed}");
                // Whatever was done was begun once, and whatever has a result was done.
                let begun: Vec<u64> = std::iter::from_fn(|| marks.try_get().ok()).collect();
                let once: BTreeSet<u64> = begun.iter().copied().collect();
                assert_eq!(once.len(), begun.len(), "seed {seed}: a task was begun twice");
                assert!(done.is_subset(&once), "seed {seed}");
                assert!(never.is_disjoint(&once), "seed {seed}: it is said never to have begun");
                let tasks: Vec<_> = items().take(50).map(|item| pool.submit(square, item).unwrap()).collect();
                for (number, task) in (0..).zip(tasks) {
                    is_done(number, &task.wait());
                }
                TASKS - done.len() as u64
            });
            kills += killed;
            lost += missing;
            seed += 1;
            // Killed one after the other with nothing done in between, the workers may have been too many.
            let _ = pool.join();
        }
        assert!(lost > 0, "of {kills} nobody had a task in hand");
    }
}
