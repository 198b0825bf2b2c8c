//! Workers that die, are used up, or lose their state: others take their place, and no task waits for ever.
//!
//! Knows nothing of single instructions; `tests/kill` kills at random.

use crate::pool;
use csproc::Cause;
use csproc::pool::{Pool, TaskFailure};
use std::collections::BTreeMap;

/// Ends its worker, in one of several ways, if its number says so.
fn fragile(number: u32) -> u32 {
    match number {
        3 => std::process::exit(4),
        5 => std::process::abort(),
        7 => rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap(),
        8 => {
            // A thread of the task's takes the process along.
            std::thread::spawn(|| std::process::exit(9)).join().unwrap();
        }
        _ => (),
    }
    number
}

fn cause_of(number: usize) -> Cause {
    match number {
        3 => Cause::Exited { code: 4 },
        5 => Cause::Killed { signal: 6 },
        7 => Cause::Killed { signal: 9 },
        _ => Cause::Exited { code: 9 },
    }
}

fn pid<T>(_: T) -> u32 {
    std::process::id()
}

over_both! {
    fn each_worker_does_no_more_tasks_than_it_may(placement) {
        for (workers, limit) in [(1, 1), (1, 12), (3, 1), (3, 5)] {
            let pool = pool(workers, placement).max_tasks_per_worker(limit).build().unwrap();
            let mut tasks = BTreeMap::<_, usize>::new();
            let ids = pool.imap(|_: u32| csproc::current().id(), 0..100);
            for id in ids {
                *tasks.entry(id.unwrap()).or_default() += 1;
            }
            assert_eq!(tasks.values().sum::<usize>(), 100);
            assert!(tasks.values().all(|tasks| *tasks <= limit), "{tasks:?}");
            pool.join().unwrap();
        }
    }

    fn a_chunk_is_not_divided_among_workers(placement) {
        let pool = pool(2, placement).max_tasks_per_worker(2).build().unwrap();
        let ids = pool.job(|_: u32| csproc::current().id(), 0..10).chunk(5).collect().unwrap();
        assert!(ids[..5].iter().all(|id| *id == ids[0]) && ids[5..].iter().all(|id| *id == ids[5]));
        assert_ne!(ids[0], ids[5]);
        pool.join().unwrap();
    }

    fn a_state_is_made_once_for_each_worker_and_anew_after_a_panic(placement) {
        let pool = pool(1, placement).state(10, |first: u32| vec![first]).build().unwrap();
        let push = |seen: &mut Vec<u32>, next| {
            seen.push(next);
            assert_ne!(next, 3);
            seen.clone()
        };
        for chunk in [1, 5] {
            let seen: Vec<_> = pool.job_with(push, 1..=5).chunk(chunk).ordered().map(Result::ok).collect();
            let anew = [Some(vec![10, 4]), Some(vec![10, 4, 5])];
            assert_eq!(seen[2..], [None, anew[0].clone(), anew[1].clone()]);
            assert!(seen[0].as_ref().is_some_and(|seen| seen.ends_with(&[1])));
            // Tasks that have no use for the state leave it alone, also when they panic.
            assert!(pool.apply(|()| panic!("on purpose"), ()).map(|(): ()| ()).is_err());
            assert_eq!(pool.submit_with(|seen, ()| seen.clone(), ()).unwrap().wait().unwrap(), [10, 4, 5]);
            assert!(pool.map_with(push, [3]).is_err());
        }
        pool.join().unwrap();
    }

    fn a_state_whose_making_panics_is_the_failure_of_all_tasks(placement) {
        let pool = pool(2, placement).state((), |()| -> u32 { panic!("no state today") }).build().unwrap();
        let error = pool.map_with(|state, x: u32| *state + x, 0..10).unwrap_err();
        let TaskFailure::Lost { cause: Cause::Panicked { message, location }, attempts: 0, .. } = &error.failure else {
            panic!("{error}");
        };
        assert!(message == "no state today" && location.starts_with(file!()), "{error}");
        assert!(error.to_string().starts_with("task 0 was never begun"), "{error}");
        // Whatever is given later is told the same, and whoever joins.
        assert!(matches!(pool.apply(|x: u32| x, 1).unwrap_err().failure, TaskFailure::Lost { attempts: 0, .. }));
        let error = pool.join().unwrap_err();
        assert!(error.to_string().contains("no state today"), "{error}");
    }
}

once! {
    fn a_worker_that_dies_costs_its_task_and_nobody_else() {
        let pool = Pool::builder().workers(2).named("fragile").build().unwrap();
        for ordered in [true, false] {
            let job = pool.job(fragile, 0..12);
            let results = if ordered { job.ordered() } else { job.unordered() };
            let mut results: Vec<_> = results.with_index().collect();
            results.sort_unstable_by_key(|(place, _)| *place);
            assert_eq!(results.len(), 12);
            for (place, result) in results {
                match result {
                    Ok(number) => assert_eq!(number as usize, place),
                    Err(error) => {
                        let TaskFailure::Lost { process, cause, attempts: 1 } = &error.failure else {
                            panic!("{error}");
                        };
                        assert!(process.starts_with("fragile[") && *cause == cause_of(place), "{error}");
                        assert_eq!(error.index, Some(place));
                    }
                }
            }
        }
        pool.join().unwrap();
    }

    fn a_lost_chunk_is_lost_as_a_whole_and_no_other() {
        let pool = Pool::new(2).unwrap();
        let results: Vec<_> = pool.job(fragile, 0..8).chunk(2).ordered().collect();
        let lost: Vec<usize> = (0..8).filter(|place| results[*place].is_err()).collect();
        assert_eq!(lost, [2, 3, 4, 5, 6, 7]);
        pool.join().unwrap();
    }

    fn a_first_failure_is_told_although_its_worker_is_dead() {
        let pool = Pool::new(2).unwrap();
        let error = pool.job(fragile, 0..1000).chunk(1).collect().unwrap_err();
        assert_eq!(error.index, Some(3));
        let worker = lost_with(&error.failure);
        let told = format!("task 3 was lost with its worker `{worker}`, which exited with code 4");
        assert!(error.to_string().starts_with(&told), "{error}");
        assert_eq!(pool.map(fragile, [1, 2]).unwrap(), [1, 2]);
        pool.join().unwrap();
    }

    fn idle_workers_that_are_killed_are_replaced() {
        let pool = Pool::new(2).unwrap();
        for _ in 0..20 {
            // The one before may have been about to take it.
            let Ok(victim) = pool.apply(pid, ()) else { continue };
            let victim = rustix::process::Pid::from_raw(victim.cast_signed()).unwrap();
            rustix::process::kill_process(victim, rustix::process::Signal::KILL).unwrap();
        }
        while pool.map(pid, 0..2).is_err() {}
        pool.join().unwrap();
    }

    fn too_many_deaths_in_a_row_fail_what_is_queued() {
        let pool = Pool::builder().workers(2).named("doomed").build().unwrap();
        let job = pool.job(|_: u32| -> u32 { std::process::abort() }, 0..50).chunk(1).ahead(50);
        let results: Vec<_> = job.ordered().collect();
        let attempts: Vec<u32> = results.into_iter().map(|result| match result.unwrap_err().failure {
            TaskFailure::Lost { cause: Cause::Killed { signal: 6 }, attempts, .. } => attempts,
            other => panic!("{other}"),
        }).collect();
        let begun = attempts.iter().sum::<u32>();
        assert!((6..=8).contains(&begun), "{attempts:?}");
        let error = pool.join().unwrap_err();
        assert!(error.to_string().contains("doomed["), "{error}");
    }

    fn deaths_with_a_finished_task_in_between_are_borne_for_ever() {
        let pool = Pool::new(1).unwrap();
        let every_other = |number: u32| {
            if number % 2 == 1 {
                std::process::abort();
            }
        };
        let lost = pool.job(every_other, 0..40).chunk(1).ordered().filter(Result::is_err).count();
        assert_eq!(lost, 20);
        pool.join().unwrap();
    }

    fn one_worker_for_each_of_a_thousand_tasks() {
        let pool = Pool::builder().workers(1).max_tasks_per_worker(1).build().unwrap();
        let mut pids: Vec<u32> = pool.imap(pid, 0..1000).map(Result::unwrap).collect();
        // A number of the system comes again when its process is gone, but not to the next one.
        pids.dedup();
        assert_eq!(pids.len(), 1000);
        pool.join().unwrap();
    }
}

fn lost_with(failure: &TaskFailure) -> &str {
    match failure {
        TaskFailure::Lost { process, .. } => process,
        other => panic!("{other}"),
    }
}
