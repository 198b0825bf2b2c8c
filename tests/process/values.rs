//! `values()` takes the results of a network apart whatever their shape, and no error of a process gets lost or
//! nameless.
//!
//! Knows nothing of crashes beyond that they are errors of the network; those are tested in `outcome`.

use crate::harness::cast::{identity, read_one};
use crate::outcome::{How, crash_with};
use csproc::prelude::*;
use csproc::values::{All, OrEnd, Returned};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Knows nothing of this library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Report<T> {
    lines: Vec<T>,
    by_name: BTreeMap<String, Option<T>>,
}

impl<T> Report<T> {
    fn of(lines: Vec<T>) -> Report<T> {
        Report { lines, by_name: BTreeMap::new() }
    }
}

/// Ends and barriers in a type of the user's.
#[derive(Serialize, Deserialize)]
struct Ends {
    input: Reader<csproc::Result<u64>>,
    output: Writer<csproc::Result<u64>>,
    barrier: Barrier,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum Fault {
    #[error("no paper in tray {0}")]
    NoPaper(u32),
    #[error("the queue ended")]
    Queue(#[from] ChannelError),
}

#[process]
fn fine<T: Message>(value: T) -> csproc::Result<T> {
    Ok(value)
}

/// Fails if `n` is odd.
#[process]
fn even(n: u64) -> csproc::Result<u64> {
    if n.is_multiple_of(2) { Ok(n) } else { Err(csproc::Error::msg(format!("{n} is odd"))) }
}

#[process]
fn print(tray: u32) -> Result<u32, Fault> {
    if tray == 0 { Ok(tray) } else { Err(Fault::NoPaper(tray)) }
}

#[process]
fn ends() -> Ends {
    let c = Channel::new();
    Ends { input: c.reader(), output: c.writer(), barrier: Barrier::new(1) }
}

/// Waits for its starter, which waits for it.
#[process]
fn cross(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    Ok(output.write(input.read()?)?)
}

#[process]
fn read_into_a_fault(input: Reader<u64>) -> Result<u64, Fault> {
    input.read().map_err(Fault::Queue)
}

#[process]
fn poison_at_once(out: Writer<u64>) {
    out.poison();
}

/// Passes the error of a process that it starts on.
#[process]
fn manage(n: u64, placement: Placement) -> csproc::Result<u64> {
    let (_, value) = Parallel!(identity(()).on(placement), for n in [0, n] => even(n).on(placement)).values()?;
    Ok(value[1])
}

/// Generic over what is run.
fn run_twice<R, V, By>(network: impl Fn() -> Network<R>) -> csproc::Result<[V; 2]>
where
    R: Returned<All, V, By>,
{
    Ok([network().run().values()?, network().run().values()?])
}

over_both! {
    fn plain_values_and_results_in_every_shape_become_the_values(placement) {
        let report = Report::of(vec![1_u8]);
        let ((), number, text, back) = Parallel!(
            fine(()).on(placement),
            fine(7_u64).on(placement),
            identity(String::from("text")).on(placement),
            identity(report.clone()).on(placement),
        )
        .values()
        .unwrap();
        // The types are known here, without an annotation.
        assert_eq!((number.pow(2), text.len(), back.lines.len()), (49, 4, 1));

        // One part, bare, of each kind.
        assert_eq!(Parallel!(fine(Some(1_u8)).on(placement)).values().unwrap(), Some(1));
        assert_eq!(Parallel!(identity(Some(1_u8)).on(placement)).values().unwrap(), Some(1));
        assert_eq!(identity(report.clone()).on(placement).run().values().unwrap(), report);
        assert_eq!(fine(report.clone()).on(placement).run().values().unwrap().lines, report.lines);
        Parallel!().values().unwrap();

        // Vectors of each, and what looks like one.
        assert_eq!(Parallel!(for i in 0..3_u64 => fine(i).on(placement)).values().unwrap(), [0, 1, 2]);
        assert_eq!(Parallel!(for i in 0..3_u64 => identity(i).on(placement)).values().unwrap(), [0, 1, 2]);
        assert_eq!(Parallel!(fine(vec![Some(1_u8)]).on(placement) * 2).values().unwrap(), [[Some(1)], [Some(1)]]);
        assert_eq!(
            Parallel!(identity(vec![report.clone()]).on(placement)).values().unwrap(),
            std::slice::from_ref(&report)
        );
        let tuples =
            Parallel!(for i in 0..2_u64 => network!(fine(i).on(placement), identity(report.clone()).on(placement)));
        assert_eq!(tuples.values().unwrap(), [(0, report.clone()), (1, report.clone())]);

        // Nested compositions, and results inside plain ones.
        let (a, (b, (c, d)), e) = Parallel!(
            identity((1_u8, 2_u8)).on(placement),
            Sequence!(
                fine(3_u8).on(placement),
                Parallel!(identity([4_u8; 2]).on(placement), fine([5_u8; 2]).on(placement)),
            ),
            Parallel!(identity(6_u8).on(placement), identity(7_u8).on(placement)),
        )
        .values()
        .unwrap();
        assert_eq!((a.0, a.1, b, c, d, e), (1, 2, 3, [4; 2], [5; 2], (6, 7)));

        let ends = ends().on(placement).run().values().unwrap();
        ends.barrier.sync().unwrap();
        drop(ends.output);
        assert!(ends.input.read().unwrap_err().is_retired());
    }

    fn sixteen_parts_of_all_kinds_become_the_values(placement) {
        let of = |value: u8| identity(value).on(placement);
        let ok = |value: u8| fine(value).on(placement);
        let report = |value: u8| identity(Report::of(vec![value])).on(placement);
        let all = Parallel!(
            of(0), ok(1), of(2), report(3), for i in 4..5 => ok(i), of(5), of(6), of(7),
            of(8), of(9), ok(10), of(11), report(12), of(13), of(14), ok(15),
        )
        .values()
        .unwrap();
        assert_eq!((all.0, all.1, &all.4, all.12.lines[0], all.15), (0, 1, &vec![4], 12, 15));
        let plain = Parallel!(
            of(0), of(1), of(2), report(3), of(4), of(5), of(6), of(7),
            of(8), of(9), of(10), of(11), report(12), of(13), of(14), of(15),
        )
        .values()
        .unwrap();
        assert_eq!((plain.0, plain.3.lines[0], plain.15), (0, 3, 15));
    }

    fn the_first_error_is_told_with_its_process_and_place(placement) {
        let error = Parallel!(
            fine(0_u8).on(placement),
            for i in 0..3 => network!(
                identity(()).on(placement),
                for j in 0..3 => even(6 * i + 3 * j / 2).on(placement),
            ),
            even(5).on(placement),
        )
        .values()
        .unwrap_err();
        // In the order of the network: 6·0 + 3·1/2 = 1.
        assert_eq!(error.to_string(), "process `even[0][1]`: 1 is odd");
        assert_eq!(error.process(), Some("even[0][1]"));
        assert_eq!(error.chain().collect::<Vec<_>>(), ["1 is odd"]);

        let error = Parallel!(for n in 0..4 => even(n).on(placement).named(format!("judge {n}"))).values().unwrap_err();
        assert_eq!(error.process(), Some("judge 1"));
        let error = Parallel!(even(1).on(placement) * 2).values().unwrap_err();
        assert_eq!(error.process(), Some("even[0]"));
        // Without `values`, too.
        let error = even(1).on(placement).run().unwrap().unwrap_err();
        assert_eq!(format!("{error:?}"), "process `even`: 1 is odd");
        // Who returned it first, whoever passed it on.
        let error = manage(3, placement).on(placement).run().values().unwrap_err();
        assert_eq!(error.to_string(), "process `even[1]`: 3 is odd");
        // Its own again: a process that made no error has no part in it.
        assert_eq!(error, csproc::Error::msg("3 is odd"));
    }

    fn values_come_from_every_way_to_run(placement) {
        assert_eq!(Sequence!(for n in [2, 4] => even(n).on(placement)).values().unwrap(), [2, 4]);
        let error = Sequence!(even(2).on(placement), even(3).on(placement)).values().unwrap_err();
        assert_eq!(error.to_string(), "process `even`: 3 is odd");
        assert_eq!(network!(even(2).on(placement), identity(1_u8).on(placement)).run().values().unwrap(), (2, 1));
        assert_eq!(Spawn!(even(2).on(placement)).unwrap().join().values().unwrap(), 2);
        let child = Spawn!(for n in [2, 3] => even(n).on(placement)).unwrap();
        assert_eq!(child.join().values().unwrap_err().process(), Some("even[1]"));
        let child = network!(even(2).on(placement), identity(1_u8).on(placement)).spawn().unwrap();
        let result = loop {
            match child.try_join() {
                Some(result) => break result,
                None => std::thread::yield_now(),
            }
        };
        assert_eq!(result.values().unwrap(), (2, 1));
        assert_eq!(run_twice(|| network!(even(2).on(placement), identity('x').on(placement))).unwrap(), [(2, 'x'); 2]);
    }

    fn the_end_of_a_channel_is_an_error_or_none_as_is_asked(placement) {
        let retired = || {
            let c = Channel::new();
            drop(c.writer());
            read_one(c.reader()).on(placement)
        };
        let poisoned = || {
            let c = Channel::new();
            network!(read_one(c.reader()).on(placement), poison_at_once(c.writer()).on(placement))
        };
        let error = Parallel!(retired()).values().unwrap_err();
        assert!(error.channel_error().unwrap().is_retired());
        assert_eq!(error.process(), Some("read_one"));
        assert_eq!(
            Parallel!(retired(), even(2).on(placement), identity(3_u8)).values_or_end().unwrap(),
            (None, Some(2), 3)
        );
        assert!(Parallel!(poisoned()).values().unwrap_err().channel_error().unwrap().is_poisoned());
        assert_eq!(Parallel!(for _ in 0..2 => poisoned()).values_or_end().unwrap(), [(None, ()), (None, ())]);
        // Another error is one in either case.
        let error = Parallel!(retired(), even(1).on(placement)).values_or_end().unwrap_err();
        assert_eq!(error.process(), Some("even"));
    }

    fn a_channel_that_is_lost_is_no_ordinary_end(placement) {
        let c = Channel::<u64>::new();
        let child = Spawn!(read_one(c.reader()).on(placement)).unwrap();
        crash_with(c.writer(), How::Panic).on(placement).run().unwrap_err();
        let error = child.join().values_or_end().unwrap_err();
        assert!(error.channel_error().unwrap().is_lost(), "{error:?}");
    }

    /// The program is poisoned out of its deadlock as well; nobody is told that all is well.
    fn a_deadlock_is_no_ordinary_end(placement) {
        let (c, d) = (Channel::<u64>::new(), Channel::<u64>::new());
        let (w, r) = (c.writer(), d.reader());
        let child = Spawn!(cross(c.reader(), d.writer()).on(placement)).unwrap();
        let found = r.read().unwrap_err();
        assert!(found.deadlock().is_some(), "{found:?}");
        let error = child.join().values_or_end().unwrap_err();
        assert!(error.to_string().contains("deadlock"), "{error}");
        drop(w);
        let passed = identity(Err::<(), csproc::Error>(found.into())).on(placement).run();
        assert!(passed.values_or_end().is_err());
    }

    fn a_network_that_failed_is_an_error_before_all_others(placement) {
        let c = Channel::<u64>::new();
        let error =
            Parallel!(even(1).on(placement), crash_with(c.writer(), How::Panic).on(placement)).values().unwrap_err();
        assert!(error.to_string().contains("out of cheese"), "{error}");
        let error =
            Parallel!(for _ in 0..2 => crash_with(c.writer(), How::Panic).on(placement)).values_or_end().unwrap_err();
        assert!(error.to_string().contains("process `crash_with[1]` panicked"), "{error}");
    }

    fn an_error_of_the_users_own_is_told_by_its_place(placement) {
        let printed: u32 = print(0).on(placement).run().values().unwrap();
        assert_eq!(printed, 0);
        let result: csproc::Result<(u64, Vec<u32>)> =
            Parallel!(even(2).on(placement), for tray in [0, 3] => print(tray).on(placement)).values();
        let error = result.unwrap_err();
        assert_eq!(error.to_string(), "result `.1[1]`: no paper in tray 3");
        assert_eq!(error.chain().collect::<Vec<_>>(), ["no paper in tray 3"]);

        let (a, b, c): (u64, (), Report<u8>) = Parallel!(
            identity(Ok::<u64, String>(1)).on(placement),
            identity(Ok::<(), ChannelError>(())).on(placement),
            identity(Report::of(vec![1])).on(placement),
        )
        .values()
        .unwrap();
        assert_eq!((a, b, c.lines), (1, (), vec![1]));
        let error: csproc::Result<u8> = identity(Err::<u8, _>(String::from("no"))).on(placement).run().values();
        assert_eq!(error.unwrap_err().to_string(), "no");

        // The end of a channel is found among its sources.
        let channel = Channel::new();
        drop(channel.writer());
        let end: Option<u64> = read_into_a_fault(channel.reader()).on(placement).run().values_or_end().unwrap();
        assert_eq!(end, None);
    }
}

#[test]
fn what_holds_an_error_is_never_passed_on_as_plain() {
    // If an error could be passed on, the compiler could not tell the types here.
    fn values<R: Returned<All, V, By>, V, By>(_: fn() -> R) -> Option<V> {
        None
    }
    fn or_end<R: Returned<OrEnd, V, By>, V, By>(_: fn() -> R) -> Option<V> {
        None
    }
    let _: Option<Vec<((), u8)>> = values::<Vec<(csproc::Result<()>, u8)>, _, _>(Vec::new);
    let _: Option<Vec<(Option<()>, u8)>> = or_end::<Vec<(csproc::Result<()>, u8)>, _, _>(Vec::new);
}
