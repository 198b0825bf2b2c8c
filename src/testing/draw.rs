//! A run as a drawing and as data: a sequence chart in characters, for Mermaid, a graph for DOT, and JSON.
//!
//! Knows nothing of the words for people.

use super::event::{Event, EventKind};
use super::outcome::Outcome;
use super::run::Run;
use crate::trace::{plain, quoted};
use std::fmt::Write;
use std::sync::Arc;

/// A chart in characters has at most so many processes and events.
const WIDEST: usize = 8;
const LONGEST: usize = 40;
/// Characters of one column.
const COLUMN: usize = 16;

impl<R> Run<R> {
    /// The processes that the trace names, in order of their first event.
    fn actors(&self) -> Vec<Arc<str>> {
        let mut actors: Vec<Arc<str>> = Vec::new();
        for name in self.trace().iter().flat_map(|event| [Some(&event.process), event.partner.as_ref()]).flatten() {
            if !name.is_empty() && !actors.contains(name) {
                actors.push(name.clone());
            }
        }
        actors
    }

    /// A sequence chart in characters, if it is small enough to be read.
    pub(super) fn chart(&self) -> Option<String> {
        let actors = self.actors();
        if actors.len() < 2 || actors.len() > WIDEST || self.trace().len() > LONGEST {
            return None;
        }
        let middle = |place: usize| place * COLUMN + COLUMN / 2;
        let column = |name: &Arc<str>| actors.iter().position(|actor| actor == name).map(middle);
        let mut chart = String::new();
        for actor in &actors {
            let short: String = actor.chars().take(COLUMN - 2).collect();
            let _ = write!(chart, "{short:^COLUMN$}");
        }
        chart.truncate(chart.trim_end().len());
        chart.push('\n');
        for event in self.trace() {
            let mut line = vec![' '; actors.len() * COLUMN];
            (0..actors.len()).for_each(|place| line[middle(place)] = '│');
            match (column(&event.process), event.partner.as_ref().and_then(&column)) {
                (Some(from), Some(to)) => {
                    let (left, right) = (from.min(to), from.max(to));
                    line[left..=right].fill('─');
                    (line[from], line[to]) = ('●', if to > from { '►' } else { '◄' });
                }
                (Some(from), None) => line[from] = if event.kind.is_fault() { '✗' } else { '●' },
                (None, _) => (),
            }
            let line: String = line.into_iter().collect();
            let _ = writeln!(chart, "{}  {}", line, event.label());
        }
        Some(chart)
    }

    /// The trace as a sequence diagram in the language of [Mermaid](https://mermaid.js.org).
    ///
    /// # Examples
    /// See [`to_json`](Run::to_json).
    pub fn to_mermaid(&self) -> String {
        let actors = self.actors();
        let number = |name: &Arc<str>| actors.iter().position(|actor| actor == name).unwrap_or(0);
        let mut text = String::from("sequenceDiagram\n");
        for (place, actor) in actors.iter().enumerate() {
            let _ = writeln!(text, "    participant p{place} as {}", plain(actor));
        }
        for event in self.trace() {
            let from = number(&event.process);
            let _ = match &event.partner {
                Some(partner) => writeln!(text, "    p{from}->>p{}: {}", number(partner), plain(&event.label())),
                None => writeln!(text, "    Note over p{from}: {}", plain(&event.label())),
            };
        }
        text
    }

    /// Who waits for whom, if somebody stands still, or else who has written to whom and how often, as a graph in the
    /// DOT language.
    ///
    /// # Examples
    /// See [`to_json`](Run::to_json).
    pub fn to_dot(&self) -> String {
        if let Some(standing) = self.standing() {
            return standing.to_dot();
        }
        let mut edges: Vec<(&str, &str, &str, usize)> = Vec::new();
        for event in self.trace() {
            let Some(partner) = &event.partner else { continue };
            let edge = (&*event.process, &**partner, event.channel());
            match edges.iter_mut().find(|(from, to, channel, _)| (*from, *to, *channel) == edge) {
                Some((.., count)) => *count += 1,
                None => edges.push((edge.0, edge.1, edge.2, 1)),
            }
        }
        let mut dot = String::from("digraph run {\n    rankdir=LR;\n");
        for (from, to, channel, count) in edges {
            let label = format!("{channel}: {count}");
            let _ = writeln!(dot, "    {from:?} -> {to:?} [label={label:?}];");
        }
        dot.push_str("}\n");
        dot
    }

    /// The run as JSON: `outcome`, `token`, and `trace`, whose events have `kind`, `process`, `partner`, `channel`,
    /// `places` and `nanoseconds`.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::replay;
    ///
    /// #[process]
    /// fn source(out: Writer<u8>) -> csproc::Result<()> {
    ///     Ok(out.write(7)?)
    /// }
    ///
    /// #[process]
    /// fn sink(input: Reader<u8>) -> csproc::Result<u8> {
    ///     Ok(input.read()?)
    /// }
    ///
    /// let run = replay("csp1:00", || {
    ///     let c = Channel::builder().name("numbers").build().expect("a channel");
    ///     network!(source(c.writer()), sink(c.reader()))
    /// });
    /// assert!(run.to_json().starts_with(r#"{"outcome":"completed","token":"csp1:"#));
    /// assert!(run.to_json().contains(r#""process":"source","partner":"sink","channel":"numbers""#));
    /// assert!(run.to_mermaid().contains("p0->>p1: numbers"));
    /// assert!(run.to_dot().contains(r#""source" -> "sink" [label="numbers: 1"]"#));
    /// ```
    pub fn to_json(&self) -> String {
        let outcome = match self.outcome() {
            Outcome::Completed => "completed",
            Outcome::Deadlock(_) => "deadlock",
            Outcome::Livelock => "livelock",
            Outcome::Failed(_) => "failed",
            Outcome::Leaked => "leaked",
            Outcome::Nondeterministic(_) => "nondeterministic",
            Outcome::Outside(_) => "outside",
            Outcome::Parted(_) => "parted",
        };
        let mut json = format!(r#"{{"outcome":"{outcome}","token":{},"trace":["#, quoted(self.token()));
        for (number, event) in self.trace().iter().enumerate() {
            if number > 0 {
                json.push(',');
            }
            event.write_json(&mut json);
        }
        json.push_str("]}");
        json
    }

    /// How many events of this kind there are in the trace.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    /// use csproc::testing::{EventKind, replay};
    ///
    /// #[process]
    /// fn nothing() {}
    ///
    /// assert_eq!(replay("csp1:00", nothing).count(EventKind::Crashed), 0);
    /// ```
    pub fn count(&self, kind: EventKind) -> usize {
        self.trace().iter().filter(|event| event.kind() == kind).count()
    }
}

impl Event {
    /// What stands beside an arrow.
    fn label(&self) -> String {
        match self.kind {
            EventKind::Communicated => self.channel.to_string(),
            EventKind::Put => format!("into {}", self.channel),
            EventKind::Taken => format!("from {}", self.channel),
            EventKind::Synchronized => format!("all at {}", self.channel),
            EventKind::Passed => format!("passes {}", self.channel),
            EventKind::TimedOut => format!("waited until {:?}", self.at),
            EventKind::Crashed => String::from("killed"),
            EventKind::Panicked => String::from("panics"),
            EventKind::Poisoned => format!("{} is poisoned", self.channel),
            EventKind::Delayed => String::from("comes late"),
            EventKind::Lost => format!("lost on {}", self.channel),
            EventKind::Doubled => format!("{}, twice", self.channel),
            EventKind::KeptBack => format!("kept back on {}", self.channel),
        }
    }

    fn write_json(&self, json: &mut String) {
        let kind = format!("{:?}", self.kind).to_lowercase();
        let partner = self.partner.as_deref().map_or_else(|| String::from("null"), quoted);
        let places: Vec<String> = self.places.iter().flatten().map(|place| quoted(&place.to_string())).collect();
        let _ = write!(
            json,
            r#"{{"kind":"{kind}","process":{},"partner":{partner},"channel":{},"places":[{}],"nanoseconds":{}}}"#,
            quoted(&self.process),
            quoted(&self.channel),
            places.join(","),
            self.at.as_nanos()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_of_json_has_no_character_that_ends_it() {
        assert_eq!(quoted("a \"b\" \\ \n é"), r#""a \"b\" \\ \u000a é""#);
    }
}
