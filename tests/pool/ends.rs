//! How a pool ends: joined, dropped, terminated, leaked, with its process.
//!
//! Knows nothing of what its tasks do.

use crate::harness::place::Place;
use crate::harness::scenario::{Scenario, command, output};
use crate::harness::system::processes_left;
use crate::pool;
use csproc::Cause;
use csproc::pool::{Pool, TaskFailure};
use csproc::prelude::*;
use std::sync::OnceLock;

pub(crate) const SCENARIOS: &[Scenario] = &[
    ("a pool in a static", a_pool_in_a_static),
    ("a leaked pool", a_leaked_pool),
    ("exit with a pool", exit_with_a_pool),
];

/// Where a task says where it is, and where it waits until it may go on.
type Held = (Writer<Place>, Reader<u32>);

/// Says where it is, and waits until it may go on.
pub(crate) fn hold((place, go_on): Held) -> u32 {
    Place::announce(&place);
    go_on.read().unwrap_or(0)
}

/// A pool that was dropped ends by itself.
pub(crate) fn until_nobody_is_left() {
    while !processes_left().is_empty() {
        std::thread::yield_now();
    }
}

/// Has a pool, and never comes back by itself.
#[process]
fn own_a_pool(placement: Placement, place: Writer<Place>, go_on: Reader<u32>) {
    let pool = pool(2, placement).build().unwrap();
    let _ = pool.apply(hold, (place, go_on));
    unreachable!("it is killed before");
}

over_both! { alone:
    fn a_dropped_pool_finishes_what_runs_and_cancels_the_rest(placement) {
        let pool = pool(1, placement).build().unwrap();
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

    fn an_idle_pool_ends_at_once(placement) {
        for end in 0..3 {
            let pool = pool(3, placement).build().unwrap();
            match end {
                0 => pool.join().unwrap(),
                1 => pool.terminate(),
                _ => drop(pool),
            }
            until_nobody_is_left();
        }
    }
}

/// Two tasks in each chunk: the first two are nothing, the third one says where it is and waits, and from then on each
/// leaves a mark.
fn stop_and_mark((held, marks, number): (Option<Held>, Queue<u32>, u32)) {
    if let Some(held) = held {
        hold(held);
    } else if number > 2 {
        marks.put(number).unwrap();
    }
}

over_both! {
    fn what_nobody_waits_for_any_more_is_not_begun(placement) {
        for retries in [0, 2] {
            let pool = pool(1, placement).retries(retries).build().unwrap();
            let (places, go_on, marks) = (Channel::new(), Channel::new(), Queue::new());
            let held = |number| (number == 2).then(|| (places.writer(), go_on.reader()));
            let tasks: Vec<_> = (0..20).map(|number| (held(number), marks.clone(), number)).collect();
            let mut results = pool.job(stop_and_mark, tasks).chunk(2).ahead(10).ordered();
            assert_eq!(results.next(), Some(Ok(())));
            // It is in the middle of the second chunk, and the others were given.
            places.reader().read().unwrap();
            drop(results);
            go_on.writer().write(1).unwrap();
            pool.join().unwrap();
            marks.close();
            assert_eq!(marks.iter().collect::<Vec<_>>(), [0; 0], "{retries} retries");
        }
    }

    fn join_waits_for_everything_that_was_given(placement) {
        for limit in [1, 2, 1000] {
            let pool = pool(2, placement).max_tasks_per_worker(limit).build().unwrap();
            let marks = Queue::new();
            let mark = |(marks, number): (Queue<u32>, u32)| marks.put(number).unwrap();
            let tasks: Vec<_> = (0..20).map(|number| pool.submit(mark, (marks.clone(), number)).unwrap()).collect();
            pool.join().unwrap();
            assert_eq!(marks.len(), 20);
            assert!(tasks.iter().all(|task| task.try_get() == Some(Ok(()))));
        }
    }
}

alone! {
    fn a_pool_goes_with_its_process_that_is_killed() {
        let (places, go_on) = (Channel::new(), Channel::<u32>::new());
        let there = places.reader();
        let w = go_on.writer();
        let owner = Spawn!(own_a_pool(Placement::Process, places.writer(), go_on.reader())).unwrap();
        let worker = there.read().unwrap();
        worker.until_asleep();
        owner.kill().unwrap();
        assert!(owner.join().is_err());
        // The worker is killed with it, if what it waits for does not come before.
        let written = w.write(1).map_err(|error| error.fate);
        assert!(matches!(written, Ok(()) | Err(ChannelError::Lost { .. })), "{written:?}");
        until_nobody_is_left();
    }
}

once! {
    fn whoever_waits_for_a_terminated_pool_is_told() {
        let pool = Pool::new(1).unwrap();
        let (places, go_on) = (Channel::new(), Channel::<u32>::new());
        let running = pool.submit(hold, (places.writer(), go_on.reader())).unwrap();
        let there = places.reader().read().unwrap();
        let waiting = pool.submit(|x: u32| x, 1).unwrap();
        there.until_asleep();
        let _never = go_on.writer();
        pool.terminate();
        let failure = running.wait().unwrap_err().failure;
        assert!(
            matches!(failure, TaskFailure::Lost { cause: Cause::Killed { signal: 9 }, attempts: 1, .. }),
            "{failure}"
        );
        assert_eq!(waiting.wait().unwrap_err().failure, TaskFailure::Cancelled);
    }

    fn a_name_that_is_too_long_makes_no_pool() {
        let error = Pool::builder().named("x".repeat(56)).build().unwrap_err();
        assert!(error.to_string().contains("55 bytes"), "{error}");
    }

    fn a_pool_that_is_never_dropped_does_not_keep_the_program() {
        for scenario in ["a pool in a static", "a leaked pool", "exit with a pool"] {
            let remains = output(command(scenario).0);
            assert!(remains.status.success(), "{scenario}: {remains:?}");
        }
    }
}

fn a_pool_in_a_static() {
    static POOL: OnceLock<Pool> = OnceLock::new();
    let pool = POOL.get_or_init(|| Pool::new(2).unwrap());
    assert_eq!(pool.map(|x: u32| x + 1, 0..3).unwrap(), [1, 2, 3]);
}

fn a_leaked_pool() {
    std::mem::forget(Pool::new(2).unwrap());
    std::mem::forget(Pool::threads(2).unwrap());
}

fn exit_with_a_pool() {
    let _pool = Pool::new(2).unwrap();
    std::process::exit(0);
}
