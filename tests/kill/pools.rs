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
use std::time::{Duration, Instant};

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

/// The same, so slowly that a worker that is killed has a task in hand more often than not.
fn square_slowly((marks, number): (Queue<u64>, u64)) -> u64 {
    let begun = Instant::now();
    marks.put(number).unwrap();
    while begun.elapsed() < Duration::from_micros(200) {
        std::hint::spin_loop();
    }
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

    fn a_hunted_pool_that_tries_again_does_everything_or_says_how_often_it_was_tried() {
        const TASKS: u64 = 1000;
        let (mut kills, mut lost, mut again, mut seed) = (0, 0, 0, first_seed());
        // Until a task was in hand of one that was killed, and another one of two.
        while kills < kills_wanted() || again == 0 || lost == 0 {
            // So few that some are lost, or so many that none is.
            let retries = if seed % 2 == 0 { 1 } else { 100 };
            let name = format!("p{}", std::process::id());
            let pool = Pool::builder().workers(3).retries(retries).named(name).build().unwrap();
            let (of_job, of_tasks) = (Queue::new(), Queue::new());
            let items = |marks: &Queue<u64>| (0..TASKS).map(|number| (marks.clone(), number)).collect::<Vec<_>>();
            let (results, killed) = hunted(seed, || {
                let job = pool.job(square_slowly, items(&of_job)).chunk(1 + seed as usize % 3);
                let results = if seed % 4 < 2 { job.ordered() } else { job.unordered() };
                let mut results: Vec<_> = results.with_index().collect();
                results.sort_unstable_by_key(|(place, _)| *place);
                assert!(results.iter().map(|(place, _)| *place as u64).eq(0..TASKS), "seed {seed}");
                let given = items(&of_tasks).into_iter().take(100);
                let tasks: Vec<_> = given.map(|item| pool.submit(square_slowly, item).unwrap()).collect();
                // What nobody waits for is done, too.
                let (waited, left) = tasks.into_iter().enumerate().partition::<Vec<_>, _>(|(place, _)| place % 2 == 0);
                drop(left);
                let waited: Vec<_> = waited.into_iter().map(|(place, task)| (place, task.wait())).collect();
                [results, waited]
            });
            // Killed one after the other with nothing done in between, they may have been too many for one try each.
            let whole = pool.join().is_ok();
            assert!(whole || retries == 1, "seed {seed}");
            let [job, tasks] = [of_job, of_tasks].map(|marks| {
                let mut begun = vec![0_u32; TASKS as usize];
                std::iter::from_fn(|| marks.try_get().ok()).for_each(|number| begun[number as usize] += 1);
                begun
            });
            for (begun, results) in [&job, &tasks].into_iter().zip(results) {
                assert!(begun.iter().all(|begun| *begun <= retries + 1), "seed {seed}: begun too often");
                again += begun.iter().map(|begun| begun.saturating_sub(1)).sum::<u32>();
                for (place, result) in results {
                    match result {
                        Ok(square) => assert!(square == (place * place) as u64 && begun[place] > 0, "seed {seed}"),
                        Err(TaskError { failure: TaskFailure::Lost { attempts, .. }, .. }) => {
                            assert!(attempts == retries + 1 || !whole, "seed {seed}: given up after {attempts}");
                            assert!(begun[place] <= attempts, "seed {seed}");
                            lost += 1;
                        }
                        Err(other) => panic!("seed {seed}: {other}"),
                    }
                }
            }
            assert!(retries == 1 || tasks[..100].iter().all(|begun| *begun > 0), "seed {seed}: not done");
            kills += killed;
            seed += 1;
        }
    }
}
