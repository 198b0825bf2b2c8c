//! A trace as text, as a drawing and as data.
//!
//! Knows nothing of what is recorded.

use crate::begin;
use csproc::prelude::*;
use csproc::trace;

#[process]
fn source(out: Writer<u64>) -> csproc::Result<()> {
    trace::mark("it begins; now: #1");
    Ok(out.write(7)?)
}

#[process]
fn sink(input: Reader<u64>) -> csproc::Result<u64> {
    Ok(input.read()?)
}

fn play() -> trace::Trace {
    begin();
    let c = Channel::builder().name("numbers").build().unwrap();
    Parallel!(source(c.writer()), sink(c.reader())).values().unwrap();
    trace::last(usize::MAX)
}

alone! {
    fn each_line_of_json_is_an_object_that_says_which_is_the_other_side() {
        let trace = play();
        let mut text = Vec::new();
        trace.to_json_lines(&mut text).unwrap();
        let lines: Vec<serde_json::Value> =
            String::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), trace.events().len());
        let written = lines.iter().position(|line| line["what"] == "wrote").unwrap();
        let read = lines.iter().position(|line| line["what"] == "read").unwrap();
        assert_eq!((&lines[written]["pair"], &lines[read]["pair"]), (&read.into(), &written.into()));
        assert_eq!(lines[read]["partner"], "source");
        assert_eq!(lines[read]["number"], lines[written]["number"]);
        assert!(lines.iter().any(|line| line["text"] == "it begins; now: #1"));
    }

    fn a_message_is_one_arrow_and_no_text_breaks_the_diagram() {
        let trace = play();
        let chart = trace.to_mermaid();
        assert_eq!(chart.matches("->>").count(), 1, "{chart}");
        let is_said = |line: &str| line.starts_with("    participant p") || line.contains(": ");
        assert!(chart.lines().skip(1).all(is_said), "{chart}");
        assert!(!chart.contains(';') && !chart.contains('#'), "{chart}");
        let dot = trace.to_dot();
        assert!(dot.contains(r#""source" -> "sink" [label="numbers: 1"];"#), "{dot}");
    }

    fn a_trace_prints_a_line_for_each_event_with_its_place_in_line() {
        let trace = play();
        let text = trace.to_string();
        assert_eq!(text.lines().count(), trace.events().len());
        let places: Vec<usize> = text
            .lines()
            .filter(|line| line.contains("drawing.rs:"))
            .map(|line| line.find("tests/").unwrap() - line.matches('µ').count())
            .collect();
        assert!(places.len() > 2 && places.windows(2).all(|two| two[0] == two[1]), "{text}");
    }
}
