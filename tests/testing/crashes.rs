//! Who looks after whom keeps its promise whoever is killed, at whichever moment: a process that is started again, a
//! supervisor, a manager and a queue, each in every schedule with one crash.
//!
//! Knows nothing of how schedules are visited. The body of a test is never killed. Beside most stands how many
//! schedules there are (in November 2026, and how many of them are given up on the way); all have a bound, so that more
//! are found.

use super::cast::{sink, source};
use csproc::prelude::*;
use csproc::shared::List;
use csproc::{OnCrash, Strategy};
use std::time::Duration;

const AGAIN: OnCrash = OnCrash::Restart { max: 1, within: Duration::from_secs(10) };

#[process]
fn works(tasks: Reader<u32>, results: Writer<u32>) -> csproc::Result<()> {
    for task in tasks {
        results.write(task * 10)?;
    }
    Ok(())
}

/// It takes the next task, and the one that it had in hand is lost.
#[csproc::test(exhaustive, crashes = 1, processes("works"), schedules = 1000)] // 8
fn a_worker_that_is_started_again_loses_the_task_in_its_hand_and_no_other() {
    let (tasks, results) = (Channel::new(), Channel::new());
    let (sent, worked, got) = Parallel!(
        source(tasks.writer(), 3),
        works(tasks.reader(), results.writer()).on_crash(AGAIN),
        sink(results.reader())
    )
    .unwrap();
    assert!(sent.is_ok() && worked.is_ok());
    assert!(got.is_sorted() && got.len() >= 2, "{got:?}");
}

#[process]
fn looks_after(tasks: Reader<u32>, results: Writer<u32>, starts_all: bool) -> bool {
    let strategy = if starts_all { Strategy::OneForAll } else { Strategy::OneForOne };
    let mut supervisor = Supervisor::new(strategy);
    for _ in 0..2 {
        supervisor.child(works(tasks.clone(), results.clone()));
    }
    drop((tasks, results));
    supervisor.run().is_ok()
}

fn supervised(starts_all: bool) {
    let (tasks, results) = (Channel::new(), Channel::new());
    let (sent, is_well, got) = Parallel!(
        source(tasks.writer(), 2),
        looks_after(tasks.reader(), results.writer(), starts_all),
        sink(results.reader())
    )
    .unwrap();
    assert!(sent.is_ok() && is_well);
    // One is killed, and what it had is lost; of those that are ended with it, each may have had one.
    let lost = if starts_all { 2 } else { 1 };
    assert!(got.len() + lost >= 2 && got.len() <= 2, "{got:?}");
}

#[csproc::test(exhaustive, crashes = 1, processes("works"), schedules = 2000)] // 222 and 69
fn a_supervisor_starts_the_one_again_that_was_killed() {
    supervised(false);
}

#[csproc::test(exhaustive, crashes = 1, processes("works"), schedules = 2000)] // 184 and 217
fn a_supervisor_starts_all_again_with_the_one_that_was_killed() {
    supervised(true);
}

/// Its workers end with it, and nobody waits for them.
#[csproc::test(exhaustive, crashes = 1, processes("looks_after"), schedules = 2000)] // 66 and 2
fn whoever_waits_for_a_supervisor_that_was_killed_is_told() {
    let (tasks, results) = (Channel::new(), Channel::new());
    let came = Parallel!(
        source(tasks.writer(), 1),
        looks_after(tasks.reader(), results.writer(), false),
        sink(results.reader())
    );
    if let Err(error) = came {
        assert!(error.failures().iter().any(|failure| failure.process() == "looks_after"), "{error}");
    }
}

#[process]
fn adds(list: List<u32>, value: u32) -> csproc::Result<()> {
    list.push(value)?;
    Ok(())
}

/// A call is one step, and whoever is killed has done it or not begun it.
#[csproc::test(exhaustive, crashes = 1, processes("one", "two"), schedules = 2000)] // 16
fn a_managed_object_has_all_of_a_call_or_nothing_whichever_client_is_killed() {
    let manager = Manager::new().unwrap();
    let list = manager.list(Vec::<u32>::new()).unwrap();
    let came = Parallel!(adds(list.clone(), 1).named("one"), adds(list.clone(), 2).named("two"));
    let mut all = list.to_vec().unwrap();
    all.sort_unstable();
    match came.as_ref().map_err(|error| error.failures()[0].process()) {
        Ok(_) => assert_eq!(all, [1, 2]),
        Err("one") => assert!(matches!(all[..], [2] | [1, 2]), "{all:?}"),
        Err(_) => assert!(matches!(all[..], [1] | [1, 2]), "{all:?}"),
    }
}

/// Whoever calls is answered, or told that it is lost.
#[csproc::test(exhaustive, crashes = 1, schedules = 2000)] // 59 and 14
fn whoever_calls_an_object_is_answered_or_told_also_if_the_manager_is_killed() {
    let Ok(manager) = Manager::new() else { return };
    let Ok(list) = manager.list(Vec::<u32>::new()) else { return };
    let came = Parallel!(adds(list.clone(), 1), adds(list.clone(), 2));
    match (came, list.to_vec()) {
        (Ok((Ok(()), Ok(()))), Ok(mut all)) => {
            all.sort_unstable();
            assert_eq!(all, [1, 2]);
        }
        (Ok(_), all) => assert!(all.is_err(), "somebody was told that it is lost, and it is there"),
        (Err(error), all) => {
            let all = all.expect("a client was killed, and not the manager");
            assert!(error.failures().len() == 1 && !all.is_empty(), "{all:?}");
        }
    }
}

#[process]
fn puts(queue: Queue<u32>, from: u32) -> csproc::Result<()> {
    Ok((from..from + 2).try_for_each(|value| queue.put(value))?)
}

#[process]
fn gets(queue: Queue<u32>) -> csproc::Result<Option<u32>> {
    Ok(queue.get_timeout(Duration::from_secs(1)).ok())
}

/// An item is with one who has it, or in the queue, or was not put; and goes with whoever was killed.
#[csproc::test(exhaustive, crashes = 1, schedules = 2000)] // 156 and 2
fn an_item_of_a_queue_is_had_by_one_or_left_or_lost_with_the_dead() {
    let queue = Queue::new();
    let came = Parallel!(puts(queue.clone(), 0), gets(queue.clone()), gets(queue.clone()));
    let mut left: Vec<u32> = std::iter::from_fn(|| queue.try_get().ok()).collect();
    if let Ok((put, first, second)) = came {
        put.unwrap();
        left.extend([first, second].into_iter().filter_map(|got| got.unwrap()));
        left.sort_unstable();
        assert_eq!(left, [0, 1]);
        return;
    }
    assert!(left.len() <= 2, "{left:?}");
}

#[process]
fn does(queue: Queue<u32>) -> csproc::Result<()> {
    while queue.try_get().is_ok() {
        queue.task_done().expect("it has the item in hand");
    }
    Ok(())
}

/// Whoever joins goes on when all is done, or is told who has left an item behind.
#[csproc::test(exhaustive, crashes = 1, processes("does"), schedules = 5000)]
fn whoever_joins_a_queue_is_told_of_what_was_left_behind() {
    let queue = Queue::new();
    (0..2).try_for_each(|item| queue.put(item)).unwrap();
    let children = [Spawn!(does(queue.clone())).unwrap(), Spawn!(does(queue.clone())).unwrap()];
    let joined = queue.join();
    let ended = children.map(|child| child.join());
    match joined {
        Ok(()) => assert!(queue.is_empty()),
        Err(error) => assert!(error.is_lost() && ended.iter().any(Result::is_err), "{error}"),
    }
}
