//! A trace for people: one line for each event.
//!
//! Knows nothing of where events come from.

use super::Trace;
use super::event::{Event, Outcome, What};
use std::fmt::{self, Write as _};
use std::time::Duration;

/// What was done, with whom and how: `write `results` to `manager``.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())?;
        if let Some(place) = &self.place {
            write!(f, "  {place}")?;
        }
        Ok(())
    }
}

impl Event {
    /// All but the place.
    pub(super) fn sentence(&self) -> String {
        let mut text = String::from(match self.what {
            What::Began => "begins",
            What::Ended => "returns",
            What::Crashed => "crashes",
            What::Spawned => "starts",
            What::Joined => "sees the end of",
            What::Wrote => "write",
            What::Read => "read",
            What::Synchronized => "meets the others at",
            What::Passed => "passes",
            What::GaveBack => "gives back",
            What::Released => "lets its writer go on",
            What::Finished => "sees the tasks done of",
            What::Timer => "sees the time pass",
            What::Waits => "waits to",
            What::Poisoned => "poisons",
            What::Retired => "closes",
            What::Deadlocked => "is found in a deadlock",
            What::Marked => "mark",
            What::SpanBegan => "begins to",
            What::SpanEnded => "has ended to",
        });
        if !self.text.is_empty() {
            let _ = match self.what {
                What::Waits => write!(text, " {}", self.text),
                _ => write!(text, " {:?}", self.text),
            };
        }
        if let Some(channel) = &self.channel {
            let _ = write!(text, " `{channel}`");
        }
        if let Some(partner) = &self.partner {
            let _ = match self.what {
                What::Wrote => write!(text, " to `{partner}`"),
                What::Read => write!(text, " from `{partner}`"),
                _ => write!(text, " `{partner}`"),
            };
        }
        if matches!(self.what, What::Wrote | What::Read) && self.outcome == Outcome::Done {
            let _ = write!(text, "  {} B", self.bytes);
        }
        if let Some(outcome) = self.outcome_in_words() {
            let _ = write!(text, "  {outcome}");
        }
        if let Some(waited) = self.waited {
            let _ = write!(text, "  after {}", rounded(waited));
        }
        text
    }

    fn outcome_in_words(&self) -> Option<&'static str> {
        match self.outcome {
            _ if matches!(self.what, What::Poisoned | What::Retired | What::Joined) => None,
            Outcome::Done => None,
            Outcome::Poisoned => Some("poisoned"),
            Outcome::Retired => Some("retired"),
            Outcome::Lost => Some("lost with a process"),
            Outcome::TimedOut => Some("nobody in time"),
            Outcome::WouldBlock => Some("nobody there"),
            Outcome::Abandoned => Some("abandoned"),
        }
    }

    /// Its number and its time, before everything else.
    pub(super) fn head(&self) -> String {
        format!("#{:<6} {:>11.6} s", self.number, self.time.as_secs_f64())
    }
}

/// So that a person sees how long it was.
fn rounded(time: Duration) -> String {
    let nanoseconds = time.as_nanos();
    match nanoseconds {
        0..1_000 => format!("{nanoseconds} ns"),
        1_000..1_000_000 => format!("{:.1} µs", nanoseconds as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", nanoseconds as f64 / 1e6),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}

/// Lines whose columns stand below each other.
pub(super) fn lines<'a>(events: impl Iterator<Item = &'a Event> + Clone, names: bool) -> Vec<String> {
    let columns = |event: &Event| {
        let name = if names { event.process.clone() } else { String::new() };
        (name, event.sentence())
    };
    let wide = |text: &str| text.chars().count();
    let all: Vec<(String, String)> = events.clone().map(columns).collect();
    let widest = |width: usize, text: &str| width.max(wide(text).min(60));
    let name_width = all.iter().fold(0, |width, (name, _)| widest(width, name));
    let width = all.iter().fold(0, |width, (_, sentence)| widest(width, sentence));
    events
        .zip(all)
        .map(|(event, (name, sentence))| {
            let name = if names { format!("  {name:<name_width$}") } else { String::new() };
            let place = event.place.as_deref().unwrap_or_default();
            format!("{}{name}  {sentence:<width$}  {place}", event.head()).trim_end().to_owned()
        })
        .collect()
}

/// One line for each event.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in lines(self.events.iter(), true) {
            writeln!(f, "{line}")?;
        }
        match self.lost {
            0 => Ok(()),
            lost => writeln!(f, "lost: {lost} events that were overwritten"),
        }
    }
}
