//! Tasks of a queue: whoever joins waits for what was put, got or not, and hears of those who left something behind.
//!
//! Knows nothing of the steps between which somebody is killed; those are tried one by one in `tests/model` and
//! `tests/kill`.

use super::harness::place::Place;
use csproc::prelude::*;
use std::time::{Duration, Instant};

/// Does what comes until the queue is closed; says how much.
#[process]
fn work(jobs: Queue<u64>, done: Queue<u64>) -> csproc::Result<u64> {
    let mut count = 0;
    for job in &jobs {
        done.put(job)?;
        jobs.task_done()?;
        count += 1;
    }
    Ok(count)
}

#[process]
fn join(place: Writer<Place>, jobs: Queue<u64>) -> Result<(), ChannelError> {
    Place::announce(&place);
    jobs.join()
}

/// Gets one, and ends in this way.
#[process]
fn get_and_end(jobs: Queue<u64>, how: String) -> csproc::Result<()> {
    jobs.get()?;
    match how.as_str() {
        "panic" => panic!("with a task in hand"),
        "kill" => rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)?,
        "exit" => std::process::exit(0),
        _ => (),
    }
    Ok(())
}

#[process]
fn get_two_and_poison(jobs: Queue<u64>) -> csproc::Result<()> {
    jobs.get()?;
    poison!(jobs);
    Ok(())
}

/// Gets a task, and waits for another one, which nobody puts.
#[process]
fn get_one_too_many(jobs: Queue<u64>) -> csproc::Result<()> {
    jobs.get()?;
    jobs.get()?;
    Ok(())
}

#[process]
fn take_turns(jobs: Queue<u64>, others: Queue<u64>) -> csproc::Result<u64> {
    let mut count = 0;
    loop {
        let done = AltSelect! {
            _ = jobs => jobs.task_done(),
            _ = others => others.task_done(),
        };
        match done {
            Err(error) if error.is_retired() => return Ok(count),
            done => done??,
        }
        count += 1;
    }
}

/// What a process that ended with a task open is told of.
fn is_abandoned_by(error: &ChannelError, name: &str) -> bool {
    matches!(error, ChannelError::Abandoned { process } if process == name)
}

over_both! {
    fn who_joins_waits_until_all_is_done_and_not_only_got(placement) {
        for jobs in [Queue::new(), Queue::bounded(2), Queue::bounded(0)] {
            let done = Queue::new();
            let workers = network!(for _ in 0..3 => work(jobs.clone(), done.clone()).on(placement)).spawn().unwrap();
            for round in 1..=5 {
                (0..100).for_each(|job| jobs.put(job).unwrap());
                assert_eq!(jobs.join(), Ok(()));
                assert_eq!(done.len(), 100 * round, "what is done was told before it was done");
            }
            jobs.close();
            assert_eq!(jobs.join(), Ok(()), "a queue that is closed can be joined");
            let counts: u64 = workers.join().values().unwrap().into_iter().sum();
            assert_eq!(counts, 500);
        }
    }

    fn all_who_join_are_told(placement) {
        let jobs = Queue::new();
        jobs.put(1).unwrap();
        jobs.get().unwrap();
        let places = Channel::<Place>::new();
        let there = places.reader();
        let joins =
            network!(for _ in 0..3 => join(places.writer(), jobs.clone()).on(placement)).spawn().unwrap();
        (0..3).for_each(|_| there.read().unwrap().until_asleep());
        jobs.task_done().unwrap();
        assert_eq!(joins.join().unwrap(), [Ok(()), Ok(()), Ok(())]);
    }

    fn a_consumer_that_ends_leaves_its_task_behind_and_is_named_once(placement) {
        let jobs = Queue::new();
        (0..2).for_each(|job| jobs.put(job).unwrap());
        Parallel!(get_and_end(jobs.clone(), String::new()).named("lazy").on(placement)).values().unwrap();
        assert!(jobs.join_timeout(Duration::from_millis(1)).unwrap_err().is_timed_out(), "one is in it still");
        jobs.get().unwrap();
        jobs.task_done().unwrap();
        let told = jobs.join().unwrap_err();
        assert!(is_abandoned_by(&told, "lazy"), "{told:?}");
        assert_eq!(jobs.join(), Ok(()), "the count begins anew");
    }

    fn a_task_is_lost_with_a_consumer_that_panics(placement) {
        let jobs = Queue::new();
        jobs.put(1).unwrap();
        let crashed = Parallel!(get_and_end(jobs.clone(), "panic".to_string()).named("clumsy").on(placement));
        assert!(crashed.is_err());
        let told = jobs.join().unwrap_err();
        let ChannelError::Lost { process, cause } = &told else { panic!("{told:?}") };
        assert!(process == "clumsy" && cause.to_string().contains("with a task in hand"), "{told}");
        jobs.put(2).unwrap();
        assert_eq!(jobs.get(), Ok(2), "the queue bears it");
        jobs.task_done().unwrap();
        assert_eq!(jobs.join(), Ok(()));
    }

    fn all_who_wait_are_told_who_left_a_task_behind(placement) {
        let jobs = Queue::new();
        jobs.put(1).unwrap();
        jobs.get().unwrap();
        jobs.put(2).unwrap();
        let places = Channel::<Place>::new();
        let there = places.reader();
        let joins =
            network!(for _ in 0..2 => join(places.writer(), jobs.clone()).on(placement)).spawn().unwrap();
        (0..2).for_each(|_| there.read().unwrap().until_asleep());
        Parallel!(get_and_end(jobs.clone(), String::new()).named("lazy").on(placement)).values().unwrap();
        jobs.task_done().unwrap();
        let told = joins.join().unwrap();
        assert!(told.iter().all(|told| is_abandoned_by(told.as_ref().unwrap_err(), "lazy")), "{told:?}");
        assert_eq!(jobs.join(), Ok(()), "they were told");
    }

    fn poison_ends_a_join(placement) {
        let jobs = Queue::new();
        (0..2).for_each(|job| jobs.put(job).unwrap());
        let places = Channel::<Place>::new();
        let there = places.reader();
        let joins = Spawn!(join(places.writer(), jobs.clone()).on(placement)).unwrap();
        there.read().unwrap().until_asleep();
        Parallel!(get_two_and_poison(jobs.clone()).on(placement)).values().unwrap();
        assert_eq!(joins.join().unwrap(), Err(ChannelError::Poisoned));
        assert_eq!(jobs.join(), Err(ChannelError::Poisoned));
    }

    fn tasks_that_an_alternation_gets_count(placement) {
        let queues = [Queue::bounded(1), Queue::bounded(0)];
        let worker = Spawn!(take_turns(queues[0].clone(), queues[1].clone()).on(placement)).unwrap();
        for _ in 0..50 {
            queues.iter().for_each(|queue| queue.put(1).unwrap());
        }
        queues.iter().for_each(|queue| assert_eq!(queue.join(), Ok(())));
        queues.iter().for_each(Queue::close);
        assert_eq!(worker.join().unwrap().unwrap(), 100);
    }
}

once! {
    fn a_task_is_lost_with_a_consumer_that_is_killed() {
        let jobs = Queue::new();
        jobs.put(1).unwrap();
        assert!(Parallel!(get_and_end(jobs.clone(), "kill".to_string()).named("victim")).is_err());
        let told = jobs.join().unwrap_err();
        assert!(matches!(&told, ChannelError::Lost { process, .. } if process == "victim"), "{told:?}");
        assert_eq!(jobs.join(), Ok(()));
    }

    fn who_exits_leaves_its_task_behind() {
        let jobs = Queue::new();
        jobs.put(1).unwrap();
        assert!(Parallel!(get_and_end(jobs.clone(), "exit".to_string()).named("leaver")).is_err());
        let told = jobs.join().unwrap_err();
        let ChannelError::Lost { process, cause } = &told else { panic!("{told:?}") };
        assert_eq!((process.as_str(), cause), ("leaver", &Cause::Exited { code: 0 }));
    }

    fn a_process_that_retires_when_it_crashes_leaves_its_task_as_if_it_had_returned() {
        let jobs = Queue::new();
        jobs.put(1).unwrap();
        let victim = get_and_end(jobs.clone(), "kill".to_string()).named("victim").on_crash(OnCrash::Retire);
        assert!(Parallel!(victim).is_err());
        let told = jobs.join().unwrap_err();
        assert!(is_abandoned_by(&told, "victim"), "{told:?}");
    }

    fn a_task_is_done_once_with_any_handle_and_by_any_thread() {
        let jobs = Queue::new();
        (0..3).for_each(|job| jobs.put(job).unwrap());
        assert!(jobs.task_done().is_err(), "nothing was got");
        let other = jobs.clone();
        other.get().unwrap();
        jobs.get().unwrap();
        jobs.task_done().unwrap();
        // What was got with it is the other one's now.
        drop(other);
        std::thread::spawn({
            let jobs = jobs.clone();
            move || jobs.get().unwrap()
        })
        .join()
        .unwrap();
        jobs.task_done().unwrap();
        assert!(jobs.join_timeout(Duration::ZERO).is_err());
        jobs.task_done().unwrap();
        let error = jobs.task_done().unwrap_err();
        assert!(error.to_string().contains("once for each"), "{error}");
        assert_eq!(jobs.join(), Ok(()));
    }

    fn what_was_never_got_is_not_done() {
        let jobs = Queue::bounded(1);
        jobs.put(1).unwrap();
        for micros in [0, 1, 700, 20_000] {
            let timeout = Duration::from_micros(micros);
            let start = Instant::now();
            assert!(jobs.join_timeout(timeout).unwrap_err().is_timed_out() && start.elapsed() >= timeout);
        }
        jobs.get().unwrap();
        assert!(jobs.join_timeout(Duration::ZERO).is_err());
        jobs.task_done().unwrap();
        assert_eq!(jobs.join_timeout(Duration::ZERO), Ok(()));
    }

    fn what_makes_room_in_a_full_queue_is_no_task_any_more() {
        let latest = Queue::try_new(Buffer::OverwriteOldest(1)).unwrap();
        (0..5).for_each(|job| latest.put(job).unwrap());
        assert_eq!(latest.get(), Ok(4));
        latest.task_done().unwrap();
        assert_eq!(latest.join(), Ok(()));
    }

    fn a_handle_that_was_given_up_has_no_tasks() {
        let jobs = Queue::new();
        jobs.put(1).unwrap();
        let other = jobs.clone();
        other.get().unwrap();
        retire!(other);
        assert!(other.task_done().is_err() && other.join().unwrap_err().is_retired());
        jobs.task_done().unwrap();
        assert_eq!(jobs.join(), Ok(()));
    }

    fn a_queue_that_was_never_joined_goes_with_its_open_tasks() {
        let jobs = Queue::new();
        (0..10).for_each(|job| jobs.put(job).unwrap());
        assert!(jobs.iter().take(5).eq(0..5));
        drop(jobs);
    }
}

alone! {
    fn tasks_that_nobody_will_do_are_a_deadlock_with_names_and_lines() {
        let jobs = Queue::new().named("jobs");
        jobs.put(1).unwrap();
        let worker = Spawn!(get_one_too_many(jobs.clone()).named("forgetful")).unwrap();
        let error = jobs.join().unwrap_err();
        let report = error.deadlock().unwrap();
        let main = report.processes().iter().find(|process| process.name == "main").unwrap();
        let waits = &main.waits_for[0];
        assert_eq!((waits.action.as_str(), waits.channel.as_str()), ("finish", "jobs"));
        assert!(main.location.contains("tasks.rs"), "{}", main.location);
        let partners: Vec<&str> = waits.partners.iter().map(|at| report.processes()[*at].name.as_str()).collect();
        assert_eq!(partners, ["forgetful"]);
        let told = report.to_string();
        assert!(told.contains("the tasks of queue `jobs`, for which `forgetful` would have to act"), "{told}");
        assert!(worker.join().is_err());
    }

    fn who_joins_with_a_task_of_its_own_is_a_deadlock_although_the_queue_is_closed() {
        let jobs = Queue::new();
        jobs.put(1).unwrap();
        jobs.get().unwrap();
        jobs.close();
        assert!(jobs.join().unwrap_err().deadlock().is_some());
    }
}
