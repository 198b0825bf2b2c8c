//! `Parallel!`, `Sequence!`, `Spawn!` and `network!` start what they are given, in the order they promise, and give
//! back every result.
//!
//! Knows nothing of crashes, which are tested in `outcome`, and of syntax, which is tested in `tests/ui`.

use crate::harness::cast::{collect, identity, source, sum, write_one};
use crate::harness::place::Place;
use csproc::Failure;
use csproc::prelude::*;
use serde::{Deserialize, Serialize};

#[process]
fn exchange(out: Writer<u64>, input: Reader<u64>, value: u64) -> csproc::Result<u64> {
    // Both partners write first to the other's own channel: only if both run at once does this end.
    out.write(value)?;
    Ok(input.read()?)
}

#[process]
fn exchange_back(out: Writer<u64>, input: Reader<u64>, value: u64) -> csproc::Result<u64> {
    let read = input.read()?;
    out.write(value)?;
    Ok(read)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Report {
    name: String,
    values: Vec<Option<f64>>,
}

#[process]
fn tree(placement: Placement, depth: u32) -> csproc::Result<u64> {
    if depth == 0 {
        return Ok(1);
    }
    let (left, right, spawned) = (
        tree(placement, depth - 1).on(placement),
        tree(placement, depth - 1).on(placement),
        Spawn!(tree(placement, 0).on(placement))?,
    );
    let (left, right) = Parallel!(left, right)?;
    Ok(left? + right? + spawned.join()??)
}

#[process]
fn parallel_from_threads(placement: Placement, threads: u64) -> u64 {
    let threads: Vec<_> = (0..threads)
        .map(|i| {
            std::thread::spawn(move || {
                let c = Channel::new();
                let network = network!(source(c.writer(), 0..i).on(placement), sum(c.reader()).on(placement));
                drop(c);
                network.run().unwrap().1
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).sum()
}

#[process]
fn wait(ready: Writer<Place>, until: Reader<()>) -> csproc::Result<Place> {
    ready.write(Place::here())?;
    until.read().unwrap_err();
    Ok(Place::here())
}

/// Spawns a process and ends without waiting for it.
#[process]
fn leave_a_child(placement: Placement, ready: Writer<Place>, until: Reader<()>) -> csproc::Result<()> {
    let _goes_on = Spawn!(wait(ready, until).on(placement))?;
    Ok(())
}

over_both! {
    fn results_come_back_in_order_whatever_their_types(placement) {
        let report = Report { name: String::from("r"), values: vec![None, Some(0.5)] };
        let (number, text, report_back, nothing, many) = Parallel!(
            identity(7_u8).on(placement),
            identity(String::from("text")).on(placement),
            identity(report.clone()).on(placement),
            identity(()).on(placement),
            for i in 0..10 => identity(i * i).on(placement),
        )
        .unwrap();
        let () = nothing;
        assert_eq!((number, text.as_str(), report_back), (7, "text", report));
        assert!(many.into_iter().eq((0..10).map(|i| i * i)));
    }

    fn generic_functions_are_processes_of_every_type(placement) {
        assert_eq!(
            Parallel!(identity(1_u64).on(placement), identity(Some('x')).on(placement)).unwrap(),
            (1, Some('x'))
        );
        assert_eq!(identity(vec![(1_i8, String::new())]).on(placement).run().unwrap(), [(1, String::new())]);
        assert_eq!(identity([0.5_f32; 3]).on(placement).run().unwrap(), [0.5; 3]);
    }

    fn processes_of_a_parallel_run_at_once(placement) {
        let (a, b) = (Channel::new(), Channel::new());
        let (x, y) = Parallel!(
            exchange(a.writer(), b.reader(), 1).on(placement),
            exchange_back(b.writer(), a.reader(), 2).on(placement),
        )
        .unwrap();
        assert_eq!((x.unwrap(), y.unwrap()), (2, 1));
    }

    fn processes_of_a_sequence_run_one_after_the_other(placement) {
        let c = Channel::new();
        let (_, order) = Parallel!(
            Sequence!(for i in 0..10 => write_one(c.writer(), i).on(placement)),
            collect(c.reader()).on(placement),
        )
        .unwrap();
        assert!(order.into_iter().eq(0..10));
    }

    fn a_sequence_starts_a_process_only_after_the_one_before_has_gone(placement) {
        let (ready, until) = (Channel::new(), Channel::new());
        let (announced, end) = (ready.reader(), until.writer());
        let network = network!(Sequence!(
            wait(ready.writer(), until.reader()).on(placement),
            wait(ready.writer(), until.reader()).on(placement),
        ));
        let network = network.spawn().unwrap();
        announced.read().unwrap().until_asleep();
        assert!(announced.try_read().unwrap_err().is_would_block());
        drop(end);
        let second = announced.read().unwrap();
        let (_, place) = network.join().unwrap();
        assert_eq!(place.unwrap().thread, second.thread);
    }

    fn networks_nest_in_processes(placement) {
        assert_eq!(Parallel!(tree(placement, 3).on(placement)).unwrap().unwrap(), 15);
    }

    fn several_threads_of_a_process_run_networks_at_once(placement) {
        // 0 + 0 + 1 + (1 + 2) + …
        assert_eq!(parallel_from_threads(placement, 6).on(placement).run().unwrap(), 20);
    }

    fn a_spawned_process_goes_on_by_itself(placement) {
        let (ready, until) = (Channel::new(), Channel::<()>::new());
        let (announced, end) = (ready.reader(), until.writer());
        let child = Spawn!(wait(ready.writer(), until.reader()).on(placement)).unwrap();
        let place = announced.read().unwrap();
        assert!(child.try_join().is_none());
        assert_eq!(child.pid(), Some(place.pid));
        drop(end);
        assert_eq!(child.join().unwrap().unwrap().thread, place.thread);
    }

    fn the_result_of_a_child_is_handed_out_once(placement) {
        let child = Spawn!(identity(5_u8).on(placement)).unwrap();
        let result = loop {
            match child.try_join() {
                Some(result) => break result.unwrap(),
                None => std::thread::yield_now(),
            }
        };
        assert_eq!(result, 5);
        assert!(child.try_join().is_none());
        assert_eq!(child.pid(), None);
        let error = child.join().unwrap_err();
        assert!(matches!(error.failures(), [Failure::Joined { process, .. }] if process == "identity"), "{error}");
        assert_eq!(error.to_string(), "the result of process `identity` was already handed out by `try_join`");
    }

    fn children_of_a_process_are_joined_when_it_ends(placement) {
        let (ready, until) = (Channel::new(), Channel::<()>::new());
        let (announced, end) = (ready.reader(), until.writer());
        let parent = Spawn!(leave_a_child(placement, ready.writer(), until.reader()).on(placement)).unwrap();
        announced.read().unwrap().until_asleep();
        assert!(parent.try_join().is_none(), "the parent has ended before its child");
        drop(end);
        parent.join().unwrap().unwrap();
    }

    fn a_spawned_network_is_joined_as_one(placement) {
        let c = Channel::new();
        let child = network!(source(c.writer(), 0..10).on(placement), sum(c.reader()).on(placement)).spawn().unwrap();
        assert_eq!(child.name(), "source, sum");
        let (sent, total) = child.join().unwrap();
        sent.unwrap();
        assert_eq!(total, 45);
    }

    fn an_empty_network_ends_at_once(_placement) {
        let () = Parallel!().unwrap();
        let none: Vec<u8> = Parallel!(Vec::<Process<u8>>::new()).unwrap();
        assert!(none.is_empty());
        let () = network!().spawn().unwrap().join().unwrap();
    }

    fn many_processes_one_after_the_other(placement) {
        for i in 0..300_u32 {
            assert_eq!(identity(i).on(placement).run().unwrap(), i);
        }
    }
}

once! {
    fn a_child_that_is_dropped_goes_on() {
        let (ready, until) = (Channel::new(), Channel::<()>::new());
        let (announced, end) = (ready.reader(), until.writer());
        drop(Spawn!(wait(ready.writer(), until.reader())).unwrap());
        let place = announced.read().unwrap();
        place.until_asleep();
        drop(end);
        // It was this process's child to the end; it is gone when its server has reaped it.
        while crate::harness::system::seen(&format!("/proc/{}/stat", place.pid)).is_some() {
            std::thread::yield_now();
        }
    }

    fn a_process_that_is_only_made_is_not_run() {
        let c = Channel::<u64>::new();
        let r = c.reader();
        let process = source(c.writer(), 0..1);
        assert_eq!(process.name(), "source");
        assert!(r.try_read().unwrap_err().is_would_block());
        drop(process);
    }
}
