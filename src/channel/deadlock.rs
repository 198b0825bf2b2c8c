//! What a deadlock was: who waited for whom, and where.
//!
//! Knows nothing of how it was found. The report lies in a slot of its own, which the channels that were poisoned with
//! it and the processes that were in it refer to; the slot keeps, too, whether anybody was given the report.

use crate::engine::DeadlockSlot;
use crate::engine::ProcessId;
use crate::trace::LastEvents;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write as _};

/// What one process waits for at one guard.
///
/// # Examples
/// See [`DeadlockReport`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WaitsFor {
    /// `read`, `write`, `sync`, `join`, `pass` (it waits for a lock, a permit, an event or a condition), `finish` (it
    /// waits until the tasks of a queue are done), `release` (its reader is inside an extended rendezvous, or has not
    /// answered a call yet), or `serve` (it waits for calls, among other things).
    pub action: String,
    /// The name of the channel; empty for `join`.
    pub channel: String,
    /// The processes that could answer, as numbers in [`DeadlockReport::processes`].
    pub partners: Vec<usize>,
    /// The names of processes that the program has built and never run, and that could answer if they ran.
    pub never_run: Vec<String>,
}

/// One process of a deadlock.
///
/// # Examples
/// See [`DeadlockReport`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BlockedProcess {
    /// Its name.
    pub name: String,
    /// Its identity.
    pub id: ProcessId,
    /// File, line and column of the call it is blocked in.
    pub location: String,
    /// Its guards.
    pub waits_for: Vec<WaitsFor>,
    /// What it did last, if a [trace](crate::trace) was recorded.
    pub last_events: LastEvents,
}

/// Processes that waited for each other, and for nobody else.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn first(input: Reader<u8>, output: Writer<u8>) -> csproc::Result<()> {
///     output.write(input.read()? + 1)?;
///     Ok(())
/// }
///
/// #[process]
/// fn second(input: Reader<u8>, output: Writer<u8>) -> csproc::Result<()> {
///     output.write(input.read()? + 1)?;
///     Ok(())
/// }
///
/// fn main() {
///     let (c, d) = (Channel::new(), Channel::new());
///     let error = Parallel!(first(c.reader(), d.writer()), second(d.reader(), c.writer())).unwrap_err();
///     let report = error.deadlock().unwrap();
///     assert_eq!(report.cycle().len(), 2);
///     let blocked = &report.processes()[report.cycle()[0]];
///     assert_eq!(blocked.waits_for[0].action, "read");
///     assert!(report.to_dot().contains("first"));
///     assert!(error.to_string().contains("waits to read from channel"));
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlockReport {
    /// Tells it apart from all other deadlocks of the program.
    number: u64,
    processes: Vec<BlockedProcess>,
    cycle: Vec<usize>,
}

impl DeadlockReport {
    pub(crate) fn new(number: u64, processes: Vec<BlockedProcess>) -> DeadlockReport {
        let cycle = find_cycle(&processes);
        DeadlockReport { number, processes, cycle }
    }

    /// The report that a channel was poisoned with, if the slot that it names is that of a deadlock.
    pub(crate) fn of_slot(index: u32) -> Option<DeadlockReport> {
        DeadlockSlot::at(index)?.report(|bytes| postcard::from_bytes(bytes).ok())?
    }

    /// Somebody is given the report, so that it need not be printed when the program ends.
    pub(crate) fn is_given(&self) {
        if let Some(slot) = DeadlockSlot::numbered(self.number) {
            slot.give();
        }
    }

    /// Whether anybody was given the report.
    pub(crate) fn was_given(&self) -> bool {
        DeadlockSlot::numbered(self.number).is_none_or(DeadlockSlot::was_given)
    }

    /// The text, for whoever does not show it yet.
    pub(crate) fn text(&self) -> String {
        Text(self).to_string()
    }

    /// Everybody who waits, those included who only wait for the end of others.
    ///
    /// # Examples
    /// See [`DeadlockReport`].
    pub fn processes(&self) -> &[BlockedProcess] {
        &self.processes
    }

    /// The numbers of processes each of which waits for the next, and the last for the first. Empty when the processes
    /// wait only for ends that nobody holds, not for each other.
    ///
    /// # Examples
    /// See [`DeadlockReport`].
    pub fn cycle(&self) -> &[usize] {
        &self.cycle
    }

    /// Who waits for whom, as a graph in the DOT language.
    ///
    /// # Examples
    /// See [`DeadlockReport`].
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph deadlock {\n");
        for (number, process) in self.processes.iter().enumerate() {
            let label = format!("{}\n{}", process.name, process.location);
            let _ = writeln!(dot, "    p{number} [shape=box, label={label:?}];");
            for wait in &process.waits_for {
                let label = format!("{} {}", wait.action, wait.channel);
                for partner in &wait.partners {
                    let _ = writeln!(dot, "    p{number} -> p{partner} [label={:?}];", label.trim());
                }
            }
        }
        dot.push_str("}\n");
        dot
    }
}

/// Follows the first partners from each process until one comes again; the longest cycle found tells most.
fn find_cycle(processes: &[BlockedProcess]) -> Vec<usize> {
    let partners = |number: usize| processes[number].waits_for.iter().flat_map(|wait| wait.partners.iter().copied());
    // Who waits for nobody leads nowhere, nor does who waits only for such.
    let mut leads = vec![true; processes.len()];
    loop {
        let ends = |number: &usize| leads[*number] && !partners(*number).any(|partner| leads[partner]);
        let dead: Vec<usize> = (0..processes.len()).filter(ends).collect();
        if dead.is_empty() {
            break;
        }
        dead.into_iter().for_each(|number| leads[number] = false);
    }
    let mut best = Vec::new();
    let mut met = vec![false; processes.len()];
    for start in 0..processes.len() {
        let mut path = Vec::new();
        let mut next = Some(start).filter(|start| leads[*start]);
        while let Some(step) = next.filter(|step| !met[*step]) {
            met[step] = true;
            path.push(step);
            next = partners(step).find(|partner| leads[*partner]);
        }
        // Where an earlier path was met, there is no new cycle.
        let first = next.and_then(|step| path.iter().position(|seen| *seen == step));
        let cycle = first.map_or_else(Vec::new, |first| path.split_off(first));
        if cycle.len() > best.len() {
            best = cycle;
        }
    }
    best
}

impl fmt::Display for DeadlockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.is_given();
        Text(self).fmt(f)
    }
}

/// For people, as it is what a program prints whose `main` returns an error.
impl fmt::Debug for DeadlockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for DeadlockReport {}

struct Text<'a>(&'a DeadlockReport);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DeadlockReport { processes, cycle, .. } = self.0;
        match processes.len() {
            1 => f.write_str("deadlock: a process waits, and nobody can answer")?,
            count => write!(f, "deadlock: {count} processes wait for each other")?,
        }
        for process in processes {
            write!(f, "\n  process `{}` at {}", process.name, process.location)?;
            for (number, wait) in process.waits_for.iter().enumerate() {
                let verb = match wait.action.as_str() {
                    "read" => "waits to read from channel",
                    "write" => "waits to write to channel",
                    "sync" => "waits at barrier",
                    "join" => "waits for the end of",
                    "pass" => "waits to pass",
                    "finish" => "waits for the tasks of queue",
                    "serve" => "waits to serve at",
                    _ => "waits for its reader to finish an extended read from channel",
                };
                let joint = if number == 0 { "\n    " } else { ", or " };
                write!(f, "{joint}{verb}")?;
                let partners: Vec<&str> =
                    wait.partners.iter().map(|partner| processes[*partner].name.as_str()).collect();
                match (wait.channel.is_empty(), partners.is_empty()) {
                    (true, true) => write!(f, " a sequence, or of a process that is started again and again")?,
                    (true, false) => write!(f, " {}", quoted(&partners))?,
                    (false, true) => write!(f, " `{}`, which nobody answers", wait.channel)?,
                    (false, false) if matches!(wait.action.as_str(), "pass" | "finish") => {
                        write!(f, " `{}`, for which {} would have to act", wait.channel, quoted(&partners))?;
                    }
                    (false, false) => write!(f, " `{}`, which {} could answer", wait.channel, quoted(&partners))?,
                }
                if !wait.never_run.is_empty() {
                    let names: Vec<&str> = wait.never_run.iter().map(String::as_str).collect();
                    write!(f, "; an end is kept for {}, which was never run", quoted(&names))?;
                }
            }
        }
        for process in processes.iter().filter(|process| !process.last_events.events().is_empty()) {
            write!(f, "\n  the last events of `{}`:{}", process.name, process.last_events.lines("    "))?;
        }
        if cycle.len() > 1 {
            let names = cycle.iter().chain(cycle.first()).map(|number| processes[*number].name.as_str());
            write!(f, "\n  cycle: {}", names.collect::<Vec<_>>().join(" -> "))?;
        }
        Ok(())
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}
