//! A run in words: what it has come to, what has happened, who waits for whom, and how to see it again.
//!
//! Knows nothing of how to come to a shorter run.

use super::outcome::Outcome;
use super::run::Run;
use std::fmt;

/// Of a long run, so many events are printed, the last ones.
const PRINTED: usize = 200;

impl<R> fmt::Display for Run<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_cause(f)?;
        let trace = self.trace();
        let skipped = trace.len().saturating_sub(PRINTED);
        if skipped > 0 {
            writeln!(f, "    … {skipped} events before")?;
        }
        for (number, event) in trace.iter().enumerate().skip(skipped) {
            writeln!(f, "{:5}. {event}", number + 1)?;
        }
        if let Some(chart) = self.chart() {
            writeln!(f, "\n{chart}")?;
        }
        if let Some(standing) = self.standing() {
            writeln!(f, "{standing}")?;
        }
        if let Some(nearest) = &self.nearest {
            writeln!(f, "{nearest}")?;
        }
        if let Some(parted) = self.parts_from_schedule() {
            writeln!(f, "the run is not the one that was asked for: {parted}")?;
        }
        match self.is_of_a_test {
            true => write!(f, "again: #[csproc::test(replay = \"{}\")]", self.token()),
            false => write!(f, "again: replay(\"{}\", …)", self.token()),
        }
    }
}

impl<R> Run<R> {
    fn write_cause(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = match self.trace().len() {
            1 => String::from("1 event"),
            count => format!("{count} events"),
        };
        match self.outcome() {
            Outcome::Completed => writeln!(f, "the network completed after {events}"),
            Outcome::Deadlock(_) => writeln!(f, "deadlock after {events}"),
            Outcome::Livelock => writeln!(f, "livelock: the network has not ended after {events}"),
            Outcome::Leaked => writeln!(f, "the network ended after {events} and left somebody behind who waits"),
            Outcome::Nondeterministic(reason) => writeln!(f, "the same decisions gave another run: {reason}"),
            Outcome::Outside(what) => writeln!(f, "what was simulated is not the network: {what}"),
            Outcome::Parted(what) => writeln!(f, "after {events}, {what}"),
            Outcome::Failed(failures) => {
                writeln!(f, "the network failed after {events}:")?;
                failures.iter().try_for_each(|failure| writeln!(f, "    {failure}"))
            }
        }
    }
}
