//! What is in a trace: names, partners, places, outcomes, marks; and what is not there is said to be lost.
//!
//! Knows nothing of the order of events of different processes.

use crate::begin;
use crate::harness::scenario::{Scenario, command, output};
use csproc::prelude::*;
use csproc::trace::{self, Event, Outcome, What};
use std::time::Duration;

pub(crate) const SCENARIOS: &[Scenario] = &[("traced from outside", traced), ("not traced", not_traced)];

#[process]
fn echo(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    for value in input {
        output.write(value)?;
    }
    Ok(())
}

#[process]
fn fails(input: Reader<u64>) -> csproc::Result<()> {
    assert!(input.read()? > 1000, "too small");
    Ok(())
}

fn named(name: &str) -> Channel<u64> {
    Channel::builder().name(name).build().unwrap()
}

fn is_in(place: Option<&str>, line: u32) -> bool {
    place.is_some_and(|place| place.contains(&format!("events.rs:{line}:")))
}

over_both! {
    alone:
    fn both_sides_are_named_with_their_places(placement) {
        begin();
        let (there, back) = (named("there"), named("back"));
        let (writer, reader) = (there.writer(), back.reader());
        let child = Spawn!(echo(there.reader(), back.writer()).on(placement)).unwrap();
        drop((there, back));
        let line = line!() + 1;
        writer.write(7).unwrap();
        assert_eq!(reader.read().unwrap(), 7);
        drop(writer);
        child.join().unwrap().unwrap();
        let trace = trace::last(usize::MAX);
        let of = |process: &str, what: What| -> Vec<Event> {
            trace.of(process).filter(|event| event.what() == what).cloned().collect()
        };
        let [written, echoed] = [of("main", What::Wrote), of("echo", What::Read)];
        assert!(is_in(written[0].place(), line), "{trace}");
        assert_eq!((written[0].channel(), written[0].partner(), written[0].bytes()), (Some("there"), Some("echo"), 8));
        assert_eq!((echoed[0].channel(), echoed[0].partner(), echoed[0].bytes()), (Some("there"), Some("main"), 8));
        assert_eq!(echoed[0].number(), written[0].number());
        assert_eq!((echoed[0].partner_place(), written[0].partner_place()), (written[0].place(), echoed[0].place()));
        // The end of the stream is told after it was made.
        let (closed, told) = (of("main", What::Retired), &echoed[1]);
        assert_eq!((closed[0].channel(), told.outcome()), (Some("there"), Outcome::Retired), "{trace}");
        assert!(trace.happened_before(&closed[0], told), "{trace}");
        let [spawned, began] = [of("main", What::Spawned), of("echo", What::Began)];
        assert_eq!(spawned[0].partner(), Some("echo"));
        assert!(trace.happened_before(&spawned[0], &began[0]));
        let [returned, joined] = [of("echo", What::Ended), of("main", What::Joined)];
        assert!(trace.happened_before(&returned[0], joined.last().unwrap()), "{trace}");
        assert_eq!(trace.lost(), 0);
    }

    fn a_panic_is_the_last_event(placement) {
        begin();
        let c = named("numbers");
        let child = Spawn!(fails(c.reader()).on(placement)).unwrap();
        c.writer().write(3).unwrap();
        let error = child.join().unwrap_err();
        let last = error.last_events("fails");
        assert_eq!(last.last().unwrap().what(), What::Read, "{error}");
        let trace = trace::last(usize::MAX);
        let crashed = trace.of("fails").find(|event| event.what() == What::Crashed).unwrap();
        let mut reads = trace.of("fails").filter(|event| event.what() == What::Read);
        assert!(reads.all(|read| trace.happened_before(read, crashed)));
    }
}

alone! {
    fn outcomes_are_told() {
        begin();
        let c = named("nobody");
        let (w, r) = (c.writer(), c.reader());
        assert!(r.try_read().is_err() && w.try_write(1).is_err());
        assert!(r.read_timeout(Duration::from_millis(1)).is_err());
        AltSelect! { _ = r.read() => (), skip => () }.unwrap();
        poison!(w);
        assert!(r.read().is_err());
        let trace = trace::last(usize::MAX);
        let all: Vec<(What, Outcome)> = trace.events().iter().map(|event| (event.what(), event.outcome())).collect();
        assert_eq!(
            all,
            [
                (What::Read, Outcome::WouldBlock),
                (What::Wrote, Outcome::WouldBlock),
                (What::Read, Outcome::TimedOut),
                (What::Timer, Outcome::Done),
                (What::Poisoned, Outcome::Poisoned),
                (What::Read, Outcome::Poisoned),
            ],
            "{trace}"
        );
        assert!(trace.events()[2].waited().is_some_and(|waited| waited >= Duration::from_millis(1)), "{trace}");
    }

    fn nothing_is_recorded_unless_somebody_asks_and_another_trace_begins_anew() {
        begin();
        trace::mark("first");
        trace::stop();
        trace::mark("nobody listens");
        assert_eq!(trace::last(10).events().len(), 1, "what was recorded is there still");
        trace::start();
        assert!(trace::last(10).events().is_empty());
        trace::start();
        trace::mark("second");
        let trace = trace::last(10);
        assert_eq!(trace.events().iter().map(Event::text).collect::<Vec<_>>(), ["second"]);
    }

    fn whoever_records_more_than_there_is_room_for_loses_the_oldest_and_says_so() {
        begin();
        (0..3000).for_each(|number| trace::mark(&format!("{number}")));
        let trace = trace::last(usize::MAX);
        let texts: Vec<&str> = trace.events().iter().map(Event::text).collect();
        assert_eq!(texts.last(), Some(&"2999"));
        assert!(texts.len() >= 1023 && trace.lost() == 3000 - texts.len() as u64, "{}", trace.lost());
        assert!(trace.to_string().ends_with(&format!("lost: {} events that were overwritten\n", trace.lost())));
    }

    fn a_long_text_is_kept_in_pieces_and_cut_where_it_is_too_long() {
        begin();
        let long = "ä".repeat(100);
        trace::mark(&long);
        trace::mark(&"x".repeat(5000));
        let trace = trace::last(2);
        assert_eq!((trace.events()[0].text(), trace.events()[1].text().len()), (long.as_str(), 1024));
    }

    fn messages_of_a_buffer_find_their_pairs() {
        begin();
        let c = Channel::builder().name("kept").buffer(Buffer::Fifo(3)).build().unwrap();
        let (w, r) = (c.writer(), c.reader());
        for round in 0..3_u64 {
            (0..3).for_each(|number| w.write(3 * round + number).unwrap());
            (0..3).for_each(|number| assert_eq!(r.read().unwrap(), 3 * round + number));
        }
        let trace = trace::last(usize::MAX);
        let order = |what: What| trace.events().iter().filter(move |event| event.what() == what);
        let pairs: Vec<(&Event, &Event)> = trace.pairs().collect();
        for (written, read) in order(What::Wrote).zip(order(What::Read)) {
            assert!(pairs.contains(&(written, read)), "{trace}");
            assert!(trace.happened_before(written, read));
        }
        assert_eq!(pairs.len(), 9);
    }

    fn the_environment_begins_a_trace() {
        for (value, scenario) in [("1", "traced from outside"), ("64", "traced from outside"), ("0", "not traced")] {
            let mut program = command(scenario).0;
            program.env("CSPROC_TRACE", value);
            let remains = output(program);
            assert!(remains.status.success(), "{value}: {remains:?}");
        }
        let mut program = command("traced from outside").0;
        program.env("CSPROC_TRACE", "yes");
        let remains = output(program);
        assert!(remains.status.success() && remains.stderr.contains("CSPROC_TRACE=yes is no number"), "{remains:?}");
    }
}

fn traced() {
    assert!(trace::is_on());
    let (there, back) = (named("there"), named("back"));
    let (writer, reader) = (there.writer(), back.reader());
    let child = Spawn!(echo(there.reader(), back.writer())).unwrap();
    writer.write(7).unwrap();
    reader.read().unwrap();
    drop((writer, there));
    child.join().unwrap().unwrap();
    assert_eq!(trace::last(usize::MAX).pairs().count(), 2);
}

fn not_traced() {
    assert!(!trace::is_on());
    trace::mark("nobody listens");
    assert!(trace::last(usize::MAX).events().is_empty());
}
