//! Errors tell what whoever was killed, or waits for ever, did last: the right channel, partner and line.
//!
//! Knows nothing of other traces.

use crate::begin;
use csproc::prelude::*;
use csproc::trace::{self, What};
use csproc::{Failure, NetworkError};

fn named(name: &str) -> Channel<u64> {
    Channel::builder().name(name).build().unwrap()
}

const ANSWERS: u64 = 5;

#[process]
fn server(questions: Reader<u64>, answers: Writer<u64>) -> csproc::Result<()> {
    for question in questions {
        answers.write(question + 1)?;
        if question == ANSWERS {
            std::process::abort();
        }
    }
    Ok(())
}

#[process]
fn client(questions: Writer<u64>, answers: Reader<u64>) -> csproc::Result<()> {
    for question in 1.. {
        questions.write(question)?;
        answers.read()?;
    }
    Ok(())
}

#[process]
fn one_side(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    output.write(1)?;
    input.read()?;
    input.read()?;
    Ok(())
}

#[process]
fn other_side(input: Reader<u64>, output: Writer<u64>) -> csproc::Result<()> {
    input.read()?;
    output.write(1)?;
    input.read()?;
    Ok(())
}

/// Until the server is killed.
fn ask(questions: Channel<u64>, answers: Channel<u64>) -> NetworkError {
    let network = network!(server(questions.reader(), answers.writer()), client(questions.writer(), answers.reader()));
    drop((questions, answers));
    network.run().unwrap_err()
}

/// The line of this text in this file.
fn line_of(text: &str) -> String {
    let number = include_str!("killed.rs").lines().position(|line| line.trim() == text).expect("the line is there") + 1;
    format!("killed.rs:{number}:")
}

alone! {
    fn the_error_of_one_who_was_killed_tells_what_it_did_last() {
        begin();
        let (questions, answers) = (named("questions"), named("answers"));
        let error = ask(questions, answers);
        let last = error.last_events("server");
        assert_eq!(last.len(), 8);
        let [read, written] = [&last[6], &last[7]];
        assert_eq!((read.what(), read.channel()), (What::Read, Some("questions")), "{error}");
        assert_eq!(read.partner(), Some("client"), "{error}");
        assert_eq!((written.what(), written.channel()), (What::Wrote, Some("answers")), "{error}");
        assert!(written.place().unwrap().contains(&line_of("answers.write(question + 1)?;")), "{error}");
        let Failure::Crashed { last_events, .. } = &error.failures()[0] else { panic!("{error}") };
        let seen = last_events.seen_by_others().unwrap();
        assert_eq!((seen.process(), seen.channel()), ("client", Some("answers")));
        assert!(seen.place().unwrap().contains(&line_of("answers.read()?;")), "{error}");
        let text = error.to_string();
        assert!(text.contains("\n    its last events:\n      #"), "{text}");
        assert!(text.contains("write `answers` to `client`  8 B"), "{text}");
        assert!(text.contains(&format!("last seen by others: #{} by `client` at", seen.number())), "{text}");
        assert!(error.last_events("nobody").is_empty() && error.last_events("client").is_empty());
    }

    fn the_report_of_a_deadlock_tells_what_everybody_in_it_did_last() {
        begin();
        let (there, back) = (named("there"), named("back"));
        let error =
            Parallel!(one_side(back.reader(), there.writer()), other_side(there.reader(), back.writer())).unwrap_err();
        let report = error.deadlock().unwrap();
        for (process, channel, line) in [("one_side", "back", "input.read()?;"), ("other_side", "there", "")] {
            let last = error.last_events(process);
            let waits = last.last().unwrap();
            assert_eq!((waits.what(), waits.channel(), waits.text()), (What::Waits, Some(channel), "read"), "{error}");
            assert!(line.is_empty() || waits.place().unwrap().contains("killed.rs:"), "{error}");
            let before = &last[last.len() - 2];
            assert!(before.partner().is_some(), "{error}");
        }
        let text = report.to_string();
        assert!(text.contains("\n  the last events of `one_side`:\n    #"), "{text}");
        assert!(text.contains("waits to read `back`"), "{text}");
        let trace = trace::last(usize::MAX);
        assert!(trace.of("one_side").any(|event| event.what() == What::Deadlocked), "{trace}");
    }

    fn without_a_trace_errors_are_as_always() {
        trace::stop();
        let (questions, answers) = (named("questions"), named("answers"));
        // What was recorded before has nothing to do with these.
        let error = ask(questions, answers);
        assert!(error.last_events("server").is_empty());
        assert!(!error.to_string().contains("last events"), "{error}");
    }
}
