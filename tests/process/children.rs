//! A child is joined, asked, ended, or forgotten; whatever its starter does, nobody is held up and nothing fills up.
//!
//! Knows nothing of what children return, which is tested in `composition`, and of restarts, which are tested in
//! `supervision`.

use crate::harness::cast::write_one;
use crate::harness::place::Place;
use crate::harness::scenario::{Scenario, command, output};
use crate::outcome::{How, crash_with};
use csproc::prelude::*;
use csproc::{Cause, Failure};
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(crate) const SCENARIOS: &[Scenario] = &[("forget many that fail", forget_many_that_fail)];

#[process]
fn wait(ready: Writer<Place>, until: Reader<()>) -> csproc::Result<u8> {
    ready.write(Place::here())?;
    until.read().unwrap_err();
    Ok(7)
}

/// Spawns a child and crashes; the child goes on.
#[process]
fn leave_an_orphan(placement: Placement, ready: Writer<Place>, until: Reader<()>) {
    let _goes_on = Spawn!(wait(ready, until).on(placement).named("orphan")).unwrap();
    How::Panic.happen();
}

/// Spawns a child, and ends while a thread of its own asks again and again whether the child has ended.
#[process]
fn end_beside_a_thread_that_asks(placement: Placement, end: Reader<()>, found: PathBuf) {
    let said = Channel::new();
    let announced = said.reader();
    let child = Spawn!(wait(said.writer(), end).on(placement)).unwrap();
    announced.read().unwrap();
    let starter = Place::here();
    std::thread::spawn(move || {
        // Once the starter sleeps, it waits for its children.
        starter.until_asleep();
        assert!(!child.is_finished());
        assert!(child.try_join().is_none());
        let child = child.join_timeout(Duration::from_millis(1)).unwrap_err().into_child();
        // The ends of a process that ends are closed: it is told otherwise. Then the child may end, and its starter.
        std::fs::write(found, "").unwrap();
        drop(child);
    });
}

/// A thousand children that crash and that nobody joins.
fn forget_many_that_fail() {
    let c = Channel::new();
    let r = c.reader();
    for n in 0..1000 {
        drop(
            Spawn!(crash_with(c.writer(), How::PanicWithValue).on(Placement::Thread).named(format!("number {n}")))
                .unwrap(),
        );
    }
    drop(c);
    r.read().unwrap_err();
}

over_both! {
    /// It would find the tables full, and each start would be dearer than the one before.
    fn spawning_and_forgetting_goes_on_for_ever(placement) {
        let count = if placement == Placement::Thread { 17_000 } else { 2_000 };
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        for n in 0..count {
            drop(Spawn!(write_one(w.clone(), n).on(placement)).unwrap());
            assert_eq!(r.read(), Ok(n));
            // However many were started, few are kept.
            assert!(n % 1000 != 999 || csproc::audit().processes() < 1000, "{}", csproc::audit());
        }
    }

    fn a_forgotten_sequence_or_restarted_process_is_not_kept_either(placement) {
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        let again = OnCrash::Restart { max: 1, within: Duration::from_secs(3600) };
        for n in 0..200 {
            drop(Spawn!(write_one(w.clone(), n).on(placement).on_crash(again)).unwrap());
            drop(network!(Sequence!(write_one(w.clone(), n).on(placement))).spawn().unwrap());
            assert_eq!((r.read(), r.read()), (Ok(n), Ok(n)));
        }
        let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
        assert!(threads < 300, "{threads} threads are left");
    }

    fn a_child_whose_handle_is_kept_is_not_given_up_with_the_forgotten(placement) {
        let c = Channel::new();
        let (w, r) = (c.writer(), c.reader());
        let mut kept = Vec::new();
        for n in 0..300_u64 {
            let child = Spawn!(write_one(w.clone(), n).on(placement)).unwrap();
            assert_eq!(r.read(), Ok(n));
            if n % 3 == 0 {
                kept.push(child);
            }
        }
        for child in kept {
            child.join().values().unwrap();
        }
    }

    fn who_does_not_wait_for_a_child_is_not_held_up_by_its_starter_who_does(placement) {
        let until = Channel::<()>::new();
        let writer = until.writer();
        let found = std::env::temp_dir().join(format!("csproc-found-{}-{placement:?}", std::process::id()));
        let parent = end_beside_a_thread_that_asks(placement, until.reader(), found.clone()).on(placement);
        drop(until);
        let parent = Spawn!(parent).unwrap();
        while !found.exists() {
            std::thread::yield_now();
        }
        std::fs::remove_file(found).unwrap();
        drop(writer);
        parent.join().unwrap();
    }

    fn a_child_is_joined_for_a_limited_time_and_comes_back(placement) {
        let (ready, until) = (Channel::new(), Channel::<()>::new());
        let (announced, end) = (ready.reader(), until.writer());
        let child = Spawn!(wait(ready.writer(), until.reader()).on(placement)).unwrap();
        announced.read().unwrap();
        let start = Instant::now();
        let late = child.join_timeout(Duration::from_millis(20)).unwrap_err();
        assert!(start.elapsed() >= Duration::from_millis(20), "it was early");
        assert_eq!((late.child().name(), late.to_string().as_str()), ("wait", "`wait` has not ended within 20ms"));
        let child = late.into_child().join_timeout(Duration::ZERO).unwrap_err().into_child();
        assert!(!child.is_finished());
        drop(end);
        assert_eq!(child.join_timeout(Duration::MAX).unwrap().values().unwrap(), 7);
    }

    fn a_network_is_finished_with_its_last_process(placement) {
        let (ready, first, second) = (Channel::new(), Channel::<()>::new(), Channel::<()>::new());
        let announced = ready.reader();
        let network = network!(
            wait(ready.writer(), first.reader()).on(placement),
            Sequence!(wait(ready.writer(), second.reader()).on(placement)),
        );
        let (first, second) = (first.writer(), second.writer());
        let child = network.spawn().unwrap();
        announced.read().and(announced.read()).unwrap();
        drop(second);
        let child = child.join_timeout(Duration::from_millis(1)).unwrap_err().into_child();
        assert!(!child.is_finished());
        drop(first);
        child.exit_guard().wait().unwrap();
        assert_eq!(child.join_timeout(Duration::from_secs(60)).unwrap().values().unwrap(), (7, 7));
    }

    fn a_child_is_asked_to_end_or_the_error_says_why_it_cannot_be(placement) {
        let again = OnCrash::Restart { max: 10, within: Duration::from_secs(3600) };
        for on_crash in [OnCrash::Poison, again] {
            let (ready, until) = (Channel::new(), Channel::<()>::new());
            let (announced, _end) = (ready.reader(), until.writer());
            let child = Spawn!(wait(ready.writer(), until.reader()).on(placement).on_crash(on_crash)).unwrap();
            announced.read().unwrap();
            if placement == Placement::Thread {
                let error = child.terminate().unwrap_err();
                assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
                assert!(error.to_string().contains("`wait` runs on a thread"), "{error}");
                assert!(!child.is_finished());
                continue;
            }
            child.terminate().unwrap();
            let error = child.join().unwrap_err();
            let [Failure::Crashed { cause: Cause::Killed { signal: 15 }, restarts: 0, .. }] = error.failures() else {
                panic!("{error:?}");
            };
        }
    }

    /// Its slot was given up with its starter's, and is another's when the handle goes.
    fn the_child_of_a_thread_that_crashed_is_waited_for_by_the_program_and_disturbs_nobody(placement) {
        let (ready, until) = (Channel::new(), Channel::<()>::new());
        let (announced, end) = (ready.reader(), until.writer());
        let parent = leave_an_orphan(placement, ready.writer(), until.reader()).on(Placement::Thread);
        parent.run().unwrap_err();
        announced.read().unwrap();
        drop(end);
        drop((ready, until));
        assert!(announced.read().unwrap_err().is_retired());
        // Slots are used again, with the orphan's among them.
        for n in 0..100 {
            let c = Channel::new();
            let r = c.reader();
            let child = Spawn!(write_one(c.writer(), n).on(placement)).unwrap();
            assert_eq!(r.read(), Ok(n));
            child.join().values().unwrap();
        }
    }
}

once! {
    fn of_many_that_failed_and_were_forgotten_the_first_are_told_and_the_rest_counted() {
        let (command, _) = command("forget many that fail");
        let remains = output(command);
        assert!(remains.status.success(), "{remains:?}");
        let text = &remains.stderr;
        let told: Vec<&str> = text.lines().filter(|line| line.starts_with("csproc: ")).collect();
        assert_eq!(told.len(), 9, "{told:?}");
        assert!(told[0].starts_with("csproc: process `number 0` panicked at"), "{told:?}");
        assert!(told[0].ends_with("it was spawned and never joined"), "{told:?}");
        assert_eq!(told[8], "csproc: 992 more processes that were spawned and never joined failed");
    }
}
