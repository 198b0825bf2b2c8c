//! Coverage counts what runs have reached, and names what none of them has.
//!
//! Knows nothing of how runs come about.

use csproc::prelude::*;
use csproc::testing::{Coverage, explore, replay, schedule, simulate};
use proptest::test_runner::{Config, TestRunner};

#[process]
fn writes(out: Writer<u8>) -> csproc::Result<()> {
    Ok(out.write(1)?)
}

#[process]
fn chooses(first: Reader<u8>, second: Reader<u8>, stop: Reader<u8>) -> csproc::Result<()> {
    let other = AltSelect! { _v = first.read() => &second, _v = second.read() => &first, _v = stop.read() => &stop }?;
    other.read()?;
    Ok(())
}

fn named(name: &str) -> Channel<u8> {
    Channel::builder().name(name).build().expect("a channel")
}

fn network() -> Network<(csproc::Result<()>, csproc::Result<()>, csproc::Result<()>)> {
    let (first, second, stop) = (named("first"), named("second"), named("stop"));
    // Kept for ever, with the run.
    std::mem::forget(stop.writer());
    network!(writes(first.writer()), writes(second.writer()), chooses(first.reader(), second.reader(), stop.reader()))
}

/// The rows of the text that say this.
fn rows<'t>(text: &'t str, what: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.contains(what)).collect()
}

#[test]
fn what_no_schedule_reaches_is_named() {
    let coverage = Coverage::new();
    explore()
        .check_with(network, |run| {
            coverage.see(run);
            run.completed()
        })
        .unwrap_or_else(|bad| panic!("{bad}"));
    let unreached = coverage.unreached();
    let [guard, channel] = &unreached[..] else { panic!("{unreached:#?}\n{coverage}") };
    assert!(guard.starts_with("at tests/testing/coverage.rs:") && guard.ends_with("nobody ever reads from `stop`"));
    assert_eq!(channel, "nobody ever communicated on `stop`");
    // Either of the two was first in some schedule.
    let text = coverage.to_string();
    let [orders] = rows(&text, "a message on `first`; a message on `second`")[..] else { panic!("{coverage}") };
    assert!(orders.contains(" and ") && !orders.contains(" 0 "), "{orders}");
}

#[test]
fn proptest_and_one_run_are_counted_alike() {
    let coverage = Coverage::new();
    let run = replay("csp1:00", network);
    coverage.see(&run);
    // One schedule comes in one order.
    let text = coverage.to_string();
    let [orders] = rows(&text, "; a message on")[..] else { panic!("{run}\n{coverage}") };
    assert!(orders.trim_start().starts_with("1 and 0"), "{coverage}");
    TestRunner::new(Config { cases: 100, failure_persistence: None, ..Config::default() })
        .run(&schedule(), |schedule| {
            coverage.see(&simulate(&schedule, network));
            Ok(())
        })
        .unwrap();
    assert_eq!(coverage.runs(), 101);
    assert_eq!(coverage.unreached().len(), 2, "{coverage}");
}

#[test]
fn every_place_where_a_process_stands_is_one_where_it_may_be_killed() {
    let coverage = Coverage::new();
    explore()
        .max_crashes(1)
        .check_with(network, |run| {
            coverage.see(run);
            true
        })
        .unwrap_or_else(|bad| panic!("{bad}"));
    let unreached = coverage.unreached();
    let spared: Vec<&String> = unreached.iter().filter(|what| what.contains("never killed")).collect();
    assert!(spared.is_empty() && coverage.to_string().contains("3 of 3 places had a crash"), "{coverage}");
    // Nobody who could be lost with it writes to `stop`.
    assert_eq!(unreached.iter().filter(|what| what.contains("nobody ever reads")).count(), 1, "{unreached:#?}");
}

#[test]
fn the_page_has_what_the_text_has_and_marks_what_was_never_reached() {
    let coverage = Coverage::new();
    coverage.see(&replay("csp1:00", || {
        let (c, stop) = (named("a < b & c"), named("stop"));
        std::mem::forget(stop.writer());
        network!(writes(c.writer()), reads(c.reader(), stop.reader()))
    }));
    let (page, text) = (coverage.to_html(), coverage.to_string());
    assert!(text.contains("`a < b & c`") && page.contains("`a &lt; b &amp; c`") && !page.contains("a < b"), "{page}");
    let never = text.lines().filter(|line| line.trim_start().starts_with("never")).count();
    // The guard, and the channel.
    assert_eq!((page.matches("<tr class=\"never\"><td>never</td>").count(), never), (2, 2), "{page}");
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
}

#[process]
fn reads(input: Reader<u8>, stop: Reader<u8>) -> csproc::Result<u8> {
    Ok(AltSelect! { v = input.read() => v, v = stop.read() => v }?)
}

#[test]
#[should_panic = "a run that began before its `Coverage` was made has not written enough"]
fn a_run_that_began_before_is_refused() {
    // Until no other test has one when a run begins.
    loop {
        let run = replay("csp1:00", network);
        let coverage = Coverage::new();
        coverage.see(&run);
        assert!(!rows(&coverage.to_string(), "reads from `stop`").is_empty(), "it has seen half of a run\n{coverage}");
    }
}
