//! A trace as data: one object of JSON on each line.
//!
//! Knows nothing of who reads it.

use super::Trace;
use super::event::Event;
use std::fmt::Write as _;
use std::io;

impl Trace {
    /// Writes the events as JSON, one object on each line: `number`, `nanoseconds`, `process`, `id`, `context`, `what`,
    /// `outcome`, and what else there is of `channel`, `partner`, `place`, `bytes`, `waited` (nanoseconds), `guards`,
    /// `text`, and `pair`, the line (from 0 on) of the other side.
    ///
    /// # Errors
    /// Those of `out`.
    ///
    /// # Examples
    /// ```
    /// csproc::trace::start();
    /// csproc::trace::mark("half \"done\"");
    /// let mut lines = Vec::new();
    /// csproc::trace::last(1).to_json_lines(&mut lines).unwrap();
    /// let line = String::from_utf8(lines).unwrap();
    /// assert!(line.contains(r#""process":"main""#) && line.contains(r#""text":"half \"done\"""#), "{line}");
    /// ```
    pub fn to_json_lines(&self, out: &mut impl io::Write) -> io::Result<()> {
        for (line, event) in self.events.iter().enumerate() {
            let pair = self.pairs.iter().find_map(|(write, read)| match line {
                line if line == *write => Some(*read),
                line if line == *read => Some(*write),
                _ => None,
            });
            writeln!(out, "{}", event.to_json(pair))?;
        }
        Ok(())
    }
}

impl Event {
    fn to_json(&self, pair: Option<usize>) -> String {
        let mut json = format!(
            r#"{{"number":{},"nanoseconds":{},"process":{},"id":{},"context":{},"what":"{}","outcome":"{}""#,
            self.number,
            self.time.as_nanos(),
            quoted(&self.process),
            self.process_id,
            self.context,
            format!("{:?}", self.what).to_lowercase(),
            format!("{:?}", self.outcome).to_lowercase(),
        );
        let texts = [
            ("channel", self.channel.as_deref()),
            ("partner", self.partner.as_deref()),
            ("place", self.place.as_deref()),
            ("text", Some(self.text.as_str()).filter(|text| !text.is_empty())),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                let _ = write!(json, r#","{name}":{}"#, quoted(text));
            }
        }
        let numbers = [
            ("bytes", Some(u128::from(self.bytes)).filter(|bytes| *bytes > 0)),
            ("waited", self.waited.map(|waited| waited.as_nanos())),
            ("guards", Some(self.guards as u128).filter(|guards| *guards > 1)),
            ("pair", pair.map(|pair| pair as u128)),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                let _ = write!(json, r#","{name}":{number}"#);
            }
        }
        json.push('}');
        json
    }
}

/// A string of JSON.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
