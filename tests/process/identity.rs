//! A process knows who and where it is, and carries its name where people look for it.
//!
//! Knows nothing of channels.

use crate::harness::place::Place;
use crate::harness::system::{children, seen};
use csproc::prelude::*;
use csproc::{Current, ProcessId, current};

#[process]
fn who() -> (ProcessId, String, Placement) {
    let me = current();
    (me.id(), String::from(me.name()), me.placement())
}

#[process(thread)]
fn light() -> Placement {
    current().placement()
}

#[process(name = "a name of its own")]
fn renamed() -> String {
    String::from(current().name())
}

#[process]
fn thread_name() -> (Option<String>, String) {
    let system = std::fs::read_to_string("/proc/thread-self/comm").unwrap();
    (std::thread::current().name().map(String::from), String::from(system.trim_end()))
}

#[process]
fn from_another_thread() -> bool {
    let here: Current = current();
    let there = std::thread::spawn(current).join().unwrap();
    here == there
}

#[process]
fn wait(ready: Writer<Place>, until: Reader<()>) {
    Place::announce(&ready);
    until.read().unwrap_err();
}

over_both! {
    fn a_process_knows_its_name_and_placement(placement) {
        let child = Spawn!(who().on(placement)).unwrap();
        let (id, name) = (child.id(), String::from(child.name()));
        let (own_id, own_name, own_placement) = child.join().unwrap();
        assert_eq!((own_id, own_name.as_str(), own_placement), (id, "who", placement));
        assert_eq!(name, "who");
        assert_ne!(id, current().id());
    }

    fn an_identity_is_never_used_twice(placement) {
        let ids = Parallel!(for _ in 0..50 => who().on(placement)).unwrap();
        let mut ids: Vec<ProcessId> = ids.into_iter().map(|(id, _, _)| id).collect();
        ids.push(current().id());
        let later = who().on(placement).run().unwrap().0;
        assert!(ids.iter().all(|id| *id != later));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 51);
    }

    fn a_process_can_be_given_another_name(placement) {
        assert_eq!(who().named("worker 3").on(placement).run().unwrap().1, "worker 3");
        assert_eq!(renamed().on(placement).run().unwrap(), "a name of its own");
        assert_eq!(renamed().named(String::new()).on(placement).run().unwrap(), "");
        assert_eq!(who().named("zero\0inside").on(placement).run().unwrap().1, "zero\0inside");
        let long = "long ".repeat(1000);
        assert_eq!(who().named(long.clone()).on(placement).run().unwrap().1, long);
    }

    fn the_thread_of_a_process_is_named_after_it(placement) {
        let (name, system) = thread_name().named("squash the bugs").on(placement).run().unwrap();
        assert_eq!((name.as_deref(), system.as_str()), (Some("squash the bugs"), "squash the bugs"));
        let (name, system) = thread_name().named("a name longer than the system's").on(placement).run().unwrap();
        assert_eq!((name.as_deref(), system.as_str()), (Some("a name longer than the system's"), "a name longer t"));
    }

    fn a_thread_that_a_process_starts_belongs_to_it(placement) {
        // Threads know their process only where the process is one of the system.
        let belongs = from_another_thread().on(placement).run().unwrap();
        assert!(belongs || placement == Placement::Thread);
    }
}

once! {
    fn the_program_is_called_main() {
        assert_eq!((current().name(), current().placement()), ("main", Placement::Process));
    }

    fn a_process_marked_thread_is_a_thread_unless_told_otherwise() {
        assert_eq!(light().run().unwrap(), Placement::Thread);
        assert_eq!(light().on(Placement::Process).run().unwrap(), Placement::Process);
    }

    fn a_thread_cannot_be_killed() {
        let (ready, until) = (Channel::new(), Channel::<()>::new());
        let (announced, end) = (ready.reader(), until.writer());
        let child = Spawn!(wait(ready.writer(), until.reader()).on(Placement::Thread)).unwrap();
        announced.read().unwrap().until_asleep();
        let error = child.kill().unwrap_err();
        assert!(error.to_string().contains("`wait` runs on a thread"), "{error}");
        drop(end);
        child.join().unwrap();
    }

    fn killing_a_process_that_has_ended_does_nothing() {
        let child = Spawn!(who()).unwrap();
        while seen(&format!("/proc/{}/stat", child.pid().unwrap())).is_some() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.join().unwrap();
    }
}

alone! {
    fn a_process_is_a_child_of_the_server_and_has_its_name_in_ps() {
        let (ready, until) = (Channel::new(), Channel::<()>::new());
        let (announced, end) = (ready.reader(), until.writer());
        let child = Spawn!(wait(ready.writer(), until.reader()).named("seen in ps")).unwrap();
        let place = announced.read().unwrap();
        let listed: Vec<u32> = children().into_iter().map(|process| process.pid).collect();
        assert_eq!(listed, [place.pid]);
        let thread = seen(&format!("/proc/{}/task/{}/stat", place.pid, place.thread)).unwrap();
        assert_eq!(thread.name, "seen in ps");
        drop(end);
        child.join().unwrap();
        assert!(children().is_empty());
    }
}
