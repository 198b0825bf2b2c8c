//! Deadlocks: found while a network runs, told to whoever waits for it.
//!
//! Knows nothing of how a standstill shows in the engine's tables. A thread of the program looks while there are processes, a few times in the time within
//! which a deadlock is to be found (`watch`). A standstill that two readings agree on is written down for every process
//! in it; then its channels are poisoned, so that the processes end as they do on poison, and `Parallel!` fails with the report.

use super::current::ProcessId;
use crate::channel::label;
use crate::engine::live::{Action, Local, Standstill, Stuck, Suspects, tables};
use crate::forkserver::{name_of, read_record, write_record};
use crate::memory::NONE;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write as _};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often somebody looks.
const ROUND: Duration = Duration::from_millis(30);
/// Every so many rounds somebody looks although nothing has changed.
const LOOK_ANYWAY: u32 = 32;
/// Looking takes at most one part in so many of a processor.
const SHARE: u32 = 50;

/// What happens when processes of a network wait for each other for ever.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn echo(input: Reader<u8>, output: Writer<u8>) -> csproc::Result<()> {
///     loop {
///         output.write(input.read()?)?;
///     }
/// }
///
/// fn main() {
///     // Each waits for the other to begin.
///     let ring = || {
///         let (c, d) = (Channel::new(), Channel::new());
///         network!(echo(c.reader(), d.writer()), echo(d.reader(), c.writer()))
///     };
///     let error = ring().run().unwrap_err();
///     assert_eq!(error.deadlock().unwrap().cycle().len(), 2);
///
///     let (first, second) = ring().on_deadlock(Deadlock::Poison).run().unwrap();
///     assert!(first.is_err() && second.is_err());
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Deadlock {
    /// The channels they wait on are poisoned, so that they end, and the network fails with a [`DeadlockReport`].
    #[default]
    Report,
    /// The channels they wait on are poisoned; what they make of it is the result.
    Poison,
    /// Nothing: they wait for ever.
    Ignore,
}

impl Deadlock {
    pub(super) fn raw(self) -> u32 {
        match self {
            Deadlock::Report => 0,
            Deadlock::Poison => 1,
            Deadlock::Ignore => 2,
        }
    }

    fn of(raw: u32) -> Deadlock {
        match raw {
            1 => Deadlock::Poison,
            2 => Deadlock::Ignore,
            _ => Deadlock::Report,
        }
    }
}

/// What one process waits for at one guard.
///
/// # Examples
/// See [`DeadlockReport`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WaitsFor {
    /// `read`, `write`, `sync`, `join`, or `release` (its reader is inside an extended rendezvous).
    pub action: String,
    /// The name of the channel; empty for `join`.
    pub channel: String,
    /// The processes that could answer, as numbers in [`DeadlockReport::processes`].
    pub partners: Vec<usize>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlockReport {
    processes: Vec<BlockedProcess>,
    cycle: Vec<usize>,
}

impl DeadlockReport {
    /// Everybody who waits, those included who only wait for the end of others.
    ///
    /// # Examples
    /// See [`DeadlockReport`].
    pub fn processes(&self) -> &[BlockedProcess] {
        &self.processes
    }

    /// The numbers of processes each of which waits for the next, and the last for the first. Empty when the processes wait only for
    /// ends that nobody holds, not for each other.
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

    fn of(stuck: &[Stuck]) -> DeadlockReport {
        let place = |member: &u32| stuck.iter().position(|stuck| stuck.member == *member);
        let processes: Vec<BlockedProcess> = stuck
            .iter()
            .map(|stuck| {
                let member = tables().members.get(stuck.member);
                BlockedProcess {
                    name: member.map_or_else(String::new, name_of),
                    id: ProcessId(member.map_or(u64::MAX, |member| member.serial.load(Ordering::Acquire))),
                    location: stuck.location.map_or_else(String::new, ToString::to_string),
                    waits_for: stuck
                        .guards
                        .iter()
                        .map(|guard| WaitsFor {
                            action: String::from(name_of_action(guard.action)),
                            channel: match guard.action {
                                Action::Join => String::new(),
                                _ => label(guard.channel),
                            },
                            partners: guard.partners.iter().filter_map(place).collect(),
                        })
                        .collect(),
                }
            })
            .collect();
        let cycle = find_cycle(&processes);
        DeadlockReport { processes, cycle }
    }
}

pub(super) fn name_of_action(action: Action) -> &'static str {
    match action {
        Action::Read => "read",
        Action::Write => "write",
        Action::Sync => "sync",
        Action::Join => "join",
        Action::Release => "release",
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
        match self.processes.len() {
            1 => f.write_str("deadlock: a process waits, and nobody can answer")?,
            count => write!(f, "deadlock: {count} processes wait for each other")?,
        }
        for process in &self.processes {
            write!(f, "\n  process `{}` at {}", process.name, process.location)?;
            for (number, wait) in process.waits_for.iter().enumerate() {
                let verb = match wait.action.as_str() {
                    "read" => "waits to read from channel",
                    "write" => "waits to write to channel",
                    "sync" => "waits at barrier",
                    "join" => "waits for the end of",
                    _ => "waits for its reader to finish an extended read from channel",
                };
                let joint = if number == 0 { "\n    " } else { ", or " };
                write!(f, "{joint}{verb}")?;
                let partners: Vec<&str> =
                    wait.partners.iter().map(|partner| self.processes[*partner].name.as_str()).collect();
                match (wait.channel.is_empty(), partners.is_empty()) {
                    (true, true) => write!(f, " a sequence, or of a process that is started again and again")?,
                    (true, false) => write!(f, " {}", quoted(&partners))?,
                    (false, true) => write!(f, " `{}`, which nobody answers", wait.channel)?,
                    (false, false) => write!(f, " `{}`, which {} could answer", wait.channel, quoted(&partners))?,
                }
            }
        }
        if self.cycle.len() > 1 {
            let names = self.cycle.iter().chain(self.cycle.first()).map(|number| self.processes[*number].name.as_str());
            write!(f, "\n  cycle: {}", names.collect::<Vec<_>>().join(" -> "))?;
        }
        Ok(())
    }
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

/// Looks again and again.
pub(super) struct Watcher {
    suspects: Suspects,
    signature: u64,
    unchanged: u32,
    pause: Duration,
}

impl Watcher {
    pub(super) fn new() -> Watcher {
        Watcher { suspects: Suspects::default(), signature: 0, unchanged: 0, pause: ROUND }
    }

    /// How long to wait before the next look.
    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    /// Acts on a standstill that the look before has seen, too.
    pub(super) fn look(&mut self) {
        let now = tables().signature();
        self.unchanged = if now == self.signature && self.suspects.is_empty() { self.unchanged + 1 } else { 0 };
        self.signature = now;
        // Nobody has begun or ended an operation; only a thread that has no context may have come to rest.
        if !self.unchanged.is_multiple_of(LOOK_ANYWAY) {
            return;
        }
        let start = Instant::now();
        let Standstill { suspects, groups } = tables().standstill(&self.suspects);
        self.pause = ROUND.max(start.elapsed() * SHARE);
        self.suspects = suspects;
        groups.iter().for_each(|group| act(group));
    }
}

fn act(stuck: &[Stuck]) {
    let members = tables().members;
    let policies = stuck.iter().filter(|stuck| !only_joins(stuck)).filter_map(|stuck| {
        members.get(stuck.member).map(|member| Deadlock::of(member.on_deadlock.load(Ordering::Acquire)))
    });
    let policy = policies.max_by_key(|policy| policy.raw()).unwrap_or_default();
    if policy == Deadlock::Ignore {
        return;
    }
    if policy == Deadlock::Report {
        let report = DeadlockReport::of(stuck);
        let mut told = false;
        for stuck in stuck.iter().filter(|stuck| !only_joins(stuck)) {
            let Some(member) = members.get(stuck.member) else { continue };
            if member.parent.load(Ordering::Acquire) == u32::MAX {
                continue;
            }
            if let Ok(block) = write_record(stuck.member, &report) {
                tables().free(member.deadlock.swap(block, Ordering::AcqRel));
                told = true;
            }
        }
        if !told {
            eprintln!("csproc: {report}");
        }
    }
    let Ok(mut local) = Local::for_reaper() else { return };
    let guards = stuck.iter().flat_map(|stuck| &stuck.guards);
    let guards = guards.filter(|guard| !matches!(guard.action, Action::Join | Action::Release));
    local.poison_all(guards.map(|guard| guard.channel));
}

fn only_joins(stuck: &Stuck) -> bool {
    stuck.guards.iter().all(|guard| guard.action == Action::Join)
}

/// The deadlock that a member was in, if it was.
pub(super) fn report_of(member: &crate::engine::live::Member) -> Option<DeadlockReport> {
    let block = member.deadlock.load(Ordering::Acquire);
    if block == NONE { None } else { read_record(block) }
}
