//! A trace as a drawing: a sequence diagram for Mermaid, and a graph for DOT.
//!
//! Knows nothing of the words for people.

use super::Trace;
use super::event::{Event, Outcome, What};
use std::fmt::Write;

impl Trace {
    /// The processes, in order of their first event.
    fn processes(&self) -> Vec<&str> {
        let mut processes: Vec<&str> = Vec::new();
        for event in &self.events {
            if !processes.contains(&event.process.as_str()) {
                processes.push(&event.process);
            }
        }
        processes
    }

    /// A sequence diagram in the language of [Mermaid](https://mermaid.js.org): an arrow for each message, and a note
    /// for what a process did on its own.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn source(out: Writer<u64>) -> csproc::Result<()> {
    ///     Ok(out.write(7)?)
    /// }
    ///
    /// #[process]
    /// fn sink(input: Reader<u64>) -> csproc::Result<u64> {
    ///     Ok(input.read()?)
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     csproc::trace::start();
    ///     let c = Channel::builder().name("numbers").build()?;
    ///     Parallel!(source(c.writer()), sink(c.reader())).values()?;
    ///     let trace = csproc::trace::last(100);
    ///     let chart = trace.to_mermaid();
    ///     assert!(chart.starts_with("sequenceDiagram\n    participant p0 as "), "{chart}");
    ///     assert!(chart.contains(": numbers (8 B)"), "{chart}");
    ///     assert!(trace.to_dot().contains(r#""source" -> "sink" [label="numbers: 1"]"#), "{}", trace.to_dot());
    ///     Ok(())
    /// }
    /// ```
    pub fn to_mermaid(&self) -> String {
        let processes = self.processes();
        let number = |name: &str| processes.iter().position(|process| *process == name).unwrap_or(0);
        let mut text = String::from("sequenceDiagram\n");
        for (place, process) in processes.iter().enumerate() {
            let _ = writeln!(text, "    participant p{place} as {}", plain(process));
        }
        for (place, event) in self.events.iter().enumerate() {
            let of_pair = self.pairs.iter().find(|(write, read)| *write == place || *read == place);
            let _ = match of_pair {
                // Where the message has come to its reader: a side that comes first has not.
                Some((write, read)) if place == *write.max(read) => {
                    let (write, read) = (&self.events[*write], &self.events[*read]);
                    let arrow = if write.number == read.number { "->>" } else { "-)" };
                    let channel = plain(read.channel.as_deref().unwrap_or_default());
                    let (from, to) = (number(&write.process), number(&read.process));
                    writeln!(text, "    p{from}{arrow}p{to}: {channel} ({} B)", read.bytes)
                }
                Some(_) => Ok(()),
                None => writeln!(text, "    Note over p{}: {}", number(&event.process), plain(&event.sentence())),
            };
        }
        text
    }

    /// Who has written to whom, and how often, as a graph in the DOT language; who waits for a channel has a dashed
    /// line to it.
    ///
    /// # Examples
    /// See [`to_mermaid`](Trace::to_mermaid).
    pub fn to_dot(&self) -> String {
        let mut edges: Vec<(&str, &str, &str, usize)> = Vec::new();
        for (write, read) in self.pairs() {
            let edge = (write.process(), read.process(), read.channel().unwrap_or_default());
            match edges.iter_mut().find(|(from, to, channel, _)| (*from, *to, *channel) == edge) {
                Some((.., count)) => *count += 1,
                None => edges.push((edge.0, edge.1, edge.2, 1)),
            }
        }
        let mut dot = String::from("digraph trace {\n    rankdir=LR;\n");
        for process in self.processes() {
            let crashed = self.of(process).any(|event| event.what == What::Crashed);
            let color = if crashed { ", color=red" } else { "" };
            let _ = writeln!(dot, "    {process:?} [shape=box{color}];");
        }
        for (from, to, channel, count) in edges {
            let label = format!("{channel}: {count}");
            let _ = writeln!(dot, "    {from:?} -> {to:?} [label={label:?}];");
        }
        let waits = |event: &&Event| event.what == What::Waits && event.outcome == Outcome::Done;
        for event in self.events.iter().filter(waits) {
            if let Some(channel) = event.channel() {
                let _ = writeln!(dot, "    {:?} -> {channel:?} [style=dashed, label={:?}];", event.process, event.text);
            }
        }
        dot.push_str("}\n");
        dot
    }
}

/// Text that means nothing to Mermaid.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|character| if matches!(character, ';' | '#' | '\n' | ':') { ' ' } else { character }).collect()
}
