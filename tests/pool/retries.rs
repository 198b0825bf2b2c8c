//! Work that is tried again: whoever of the workers dies, it is done, or it is told how often it was tried; and pools
//! that try again keep all other laws.
//!
//! Knows nothing of single instructions; `tests/kill` kills at random.

use crate::ends::{hold, until_nobody_is_left};
use crate::pool;
use csproc::Cause;
use csproc::pool::{Pool, Task, TaskError, TaskFailure};
use csproc::prelude::*;
use rustix::process::{Pid, Signal, getpid, kill_process};
use std::collections::BTreeMap;

/// The ways in which a task takes its worker along.
const WAYS: u32 = 4;

fn die(way: u32) {
    match way {
        0 => std::process::exit(0),
        1 => std::process::abort(),
        2 => kill_process(getpid(), Signal::KILL).unwrap(),
        // A thread of the task's takes the process along.
        _ => std::thread::spawn(|| std::process::exit(9)).join().unwrap(),
    }
}

/// What a task is given: where it says that it has begun, which workers it is to take along, and its number.
type Given = (Queue<u32>, Queue<u32>, u32);

/// Takes as many workers along as the queue says, one at each try.
fn fragile((begun, ways, number): Given) -> u32 {
    begun.put(number).unwrap();
    if let Ok(way) = ways.try_get() {
        die(way);
    }
    number + 1
}

/// So many deaths, one in each way.
fn deaths(count: u32) -> Queue<u32> {
    let ways = Queue::new();
    (0..count).for_each(|way| ways.put(way % WAYS).unwrap());
    ways
}

fn attempts(result: Result<u32, TaskError>) -> u32 {
    match result.unwrap_err().failure {
        TaskFailure::Lost { attempts, .. } => attempts,
        other => panic!("{other}"),
    }
}

over_both! {
    fn where_nobody_dies_results_are_the_same(placement) {
        let pool = pool(2, placement).retries(1).build().unwrap();
        for (chunk, ahead, count) in (1..4).flat_map(|c| (1..4).flat_map(move |a| [0, 1, 10, 13].map(|n| (c, a, n)))) {
            let job = || pool.job(|x: u32| x + 1, 0..count).chunk(chunk).ahead(ahead);
            assert!(job().collect().unwrap().into_iter().eq(1..=count));
            let mut placed: Vec<_> = job().unordered().with_index().map(|(place, one)| (place, one.unwrap())).collect();
            placed.sort_unstable();
            assert!(placed.into_iter().eq((0..count).map(|x| (x as usize, x + 1))), "{chunk} {ahead} {count}");
        }
        assert!(pool.map(|x: u32| x + 1, 0..1000).unwrap().into_iter().eq(1..=1000));
        assert_eq!(pool.apply(|word: String| word.len(), String::from("word")).unwrap(), 4);
        pool.join().unwrap();
    }

    fn each_worker_does_no_more_than_it_may(placement) {
        for (workers, limit) in [(1, 1), (3, 5)] {
            let pool = pool(workers, placement).retries(3).max_tasks_per_worker(limit).build().unwrap();
            let mut tasks = BTreeMap::<_, usize>::new();
            for id in pool.imap(|_: u32| csproc::current().id(), 0..60) {
                *tasks.entry(id.unwrap()).or_default() += 1;
            }
            assert_eq!(tasks.values().sum::<usize>(), 60);
            assert!(tasks.values().all(|tasks| *tasks <= limit), "{tasks:?}");
            pool.join().unwrap();
        }
    }

    fn a_panic_and_what_is_no_message_are_not_tried_again(placement) {
        let pool = pool(2, placement).retries(5).build().unwrap();
        let begun = Queue::new();
        let panics = |(begun, number): (Queue<u32>, u32)| {
            begun.put(number).unwrap();
            assert_ne!(number, 1);
        };
        let items = (0..3).map(|number| (begun.clone(), number));
        let results = pool.job(panics, items).chunk(1).ordered();
        let failures: Vec<_> = results.map(|result| result.map_err(|error| error.failure)).collect();
        assert!(matches!(failures[..], [Ok(()), Err(TaskFailure::Panicked { .. }), Ok(())]), "{failures:?}");
        assert_eq!(begun.len(), 3);
        pool.join().unwrap();
    }

    fn tasks_are_cancelled_or_begun(placement) {
        let pool = pool(1, placement).retries(2).build().unwrap();
        let (places, go_on, marks) = (Channel::new(), Channel::new(), Queue::new());
        let running = pool.submit(hold, (places.writer(), go_on.reader())).unwrap();
        places.reader().read().unwrap();
        let mark = |(marks, number): (Queue<u32>, u32)| marks.put(number).unwrap();
        let waiting: Vec<_> = (0..4).map(|number| pool.submit(mark, (marks.clone(), number)).unwrap()).collect();
        assert!(waiting[1].cancel() && !waiting[1].cancel() && waiting[2].cancel());
        assert!(!running.cancel());
        go_on.writer().write(5).unwrap();
        assert_eq!(running.wait(), Ok(5));
        let ends: Vec<_> = waiting.into_iter().map(|task| task.wait().map_err(|error| error.failure)).collect();
        assert_eq!(ends, [Ok(()), Err(TaskFailure::Cancelled), Err(TaskFailure::Cancelled), Ok(())]);
        for _ in 0..100 {
            let task = pool.submit(mark, (marks.clone(), 9)).unwrap();
            let cancelled = task.cancel();
            assert_eq!(task.wait().is_err(), cancelled);
        }
        // What nobody waits for is done.
        let marks = Queue::new();
        (0..10).for_each(|number| drop(pool.submit(mark, (marks.clone(), number)).unwrap()));
        pool.join().unwrap();
        marks.close();
        assert!(marks.iter().eq(0..10));
    }
}

over_both! { alone:
    fn a_dropped_pool_finishes_what_runs_and_cancels_the_rest(placement) {
        let pool = pool(1, placement).retries(2).build().unwrap();
        let (places, go_on) = (Channel::new(), Channel::new());
        let running = pool.submit(hold, (places.writer(), go_on.reader())).unwrap();
        places.reader().read().unwrap();
        let waiting: Vec<_> = (0..5).map(|number| pool.submit(|x: u32| x, number).unwrap()).collect();
        drop(pool);
        for task in waiting {
            assert_eq!(task.wait().unwrap_err().failure, TaskFailure::Cancelled);
        }
        go_on.writer().write(7).unwrap();
        assert_eq!(running.wait(), Ok(7));
        until_nobody_is_left();
    }
}

once! {
    fn work_whose_worker_has_died_is_done_by_another() {
        let pool = Pool::builder().workers(2).retries(WAYS).build().unwrap();
        for chunk in [1, 3, 20] {
            let (begun, ways) = (Queue::new(), deaths(WAYS));
            let items = (0..20).map(|number| (begun.clone(), ways.clone(), number));
            let results: Vec<u32> = pool.job(fragile, items).chunk(chunk).collect().unwrap();
            assert!(results.into_iter().eq(1..=20));
            assert!(ways.is_empty());
            // A chunk is tried again as a whole, and each of its tasks that was begun counts.
            let again = begun.len() - 20;
            assert!((WAYS as usize..=WAYS as usize * chunk).contains(&again), "{again}");
        }
        let begun = Queue::new();
        assert_eq!(pool.apply(fragile, (begun.clone(), deaths(WAYS), 7)).unwrap(), 8);
        let task: Task<u32> = pool.submit(fragile, (begun.clone(), deaths(2), 7)).unwrap();
        assert_eq!(task.wait().unwrap(), 8);
        // Whether or not somebody waits for it.
        let ways = deaths(3);
        drop(pool.submit(fragile, (begun.clone(), ways.clone(), 7)).unwrap());
        pool.join().unwrap();
        assert!(ways.is_empty());
        assert_eq!(begun.len() as u32, (WAYS + 1) + 3 + 4);
    }

    fn a_task_that_kills_each_worker_is_told_how_often_it_was_tried() {
        let pool = Pool::builder().workers(2).named("brave").retries(2).build().unwrap();
        let begun = Queue::new();
        let item = |number| (begun.clone(), deaths(if number == 1 { 100 } else { 0 }), number);
        let results: Vec<_> = pool.job(fragile, (0..4).map(item)).chunk(1).ordered().collect();
        let error = results[1].clone().unwrap_err();
        let TaskFailure::Lost { process, cause: Cause::Killed { signal: 9 }, attempts: 3 } = &error.failure else {
            panic!("{error}");
        };
        assert!(process.starts_with("brave["), "{error}");
        let told = format!("task 1 was lost with 3 workers, the last of them `{process}`, which was killed");
        assert!(error.to_string().starts_with(&told), "{error}");
        assert_eq!(results.into_iter().filter_map(Result::ok).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(begun.len(), 3 + 3);
        assert_eq!(attempts(pool.apply(fragile, item(1))), 3);
        assert_eq!(attempts(pool.submit(fragile, item(1)).unwrap().wait()), 3);
        assert_eq!(pool.map(fragile, [item(5)]).unwrap(), [6]);
        pool.join().unwrap();
    }

    fn a_worker_that_dies_without_work_costs_no_try() {
        let pool = Pool::builder().workers(2).retries(1).build().unwrap();
        let pid = |_: u32| std::process::id();
        for _ in 0..30 {
            let victim = Pid::from_raw(pool.apply(pid, 0).unwrap().cast_signed()).unwrap();
            // It may be given work at this moment, once.
            kill_process(victim, Signal::KILL).unwrap();
            pool.map(pid, 0..4).unwrap();
        }
        pool.join().unwrap();
    }

    fn so_many_deaths_in_a_row_are_borne_for_each_try() {
        let pool = Pool::builder().workers(2).retries(9).build().unwrap();
        let begun = Queue::new();
        // Ten in a row, and a pool that goes on.
        assert_eq!(attempts(pool.apply(fragile, (begun.clone(), deaths(100), 0))), 10);
        assert_eq!(pool.apply(fragile, (begun, deaths(0), 0)).unwrap(), 1);
        pool.join().unwrap();
    }

    fn too_many_deaths_in_a_row_fail_what_is_queued() {
        let pool = Pool::builder().workers(2).named("doomed").retries(1).build().unwrap();
        let job = pool.job(|_: u32| -> u32 { std::process::abort() }, 0..50).chunk(1).ahead(50);
        let tries: Vec<u32> = job.ordered().map(attempts).collect();
        assert!(tries.iter().all(|tries| *tries <= 2), "{tries:?}");
        assert!((11..=13).contains(&tries.iter().sum::<u32>()), "{tries:?}");
        assert_eq!(attempts(pool.apply(|x: u32| x, 1)), 0);
        let error = pool.join().unwrap_err();
        assert!(error.to_string().contains("doomed["), "{error}");
        // Also where nothing more comes.
        let pool = Pool::builder().workers(2).retries(1).build().unwrap();
        let abort = |_: u32| -> u32 { std::process::abort() };
        let tasks: Vec<_> = (0..50).map(|number| pool.submit(abort, number).unwrap()).collect();
        assert!(pool.join().is_err());
        let tries: Vec<u32> = tasks.into_iter().map(|task| attempts(task.wait())).collect();
        assert!((11..=13).contains(&tries.iter().sum::<u32>()), "{tries:?}");
    }

    fn nothing_is_tried_again_once_the_pool_is_terminated() {
        let pool = Pool::builder().workers(1).retries(3).build().unwrap();
        let (places, go_on) = (Channel::new(), Channel::<u32>::new());
        let running = pool.submit(hold, (places.writer(), go_on.reader())).unwrap();
        let there = places.reader().read().unwrap();
        let waiting = pool.submit(|x: u32| x, 1).unwrap();
        there.until_asleep();
        let _never = go_on.writer();
        pool.terminate();
        assert_eq!(attempts(running.wait()), 1);
        assert_eq!(waiting.wait().unwrap_err().failure, TaskFailure::Cancelled);
    }
}

alone! {
    fn a_deadlock_with_a_pool_that_tries_again_is_told() {
        // The only worker waits for what its own caller would write once it has the result.
        let pool = Pool::builder().workers(1).named("knot").retries(1).build().unwrap();
        let (w, r) = csproc::channel::<u32>();
        let task = pool.submit(|input: Reader<u32>| input.read().is_ok(), r).unwrap();
        let result = task.wait();
        drop(w);
        match result {
            Ok(read) => assert!(!read, "it was told of the deadlock, and went on"),
            Err(error) => assert!(matches!(error.failure, TaskFailure::Deadlock(_)), "{error}"),
        }
        pool.join().unwrap();
    }
}
