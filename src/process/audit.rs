//! `audit()` and `dump()`: what is in the arena, for tests and for people.
//!
//! Knows nothing of how the tables are read.

use crate::cause::name_of;
use crate::channel::label;
use crate::engine::{Phase, Program};
use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

/// How often a finding must be made again before it counts, and how long after the last time.
const READINGS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(5);

/// What [`audit`] found.
///
/// # Examples
/// See [`audit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    findings: Vec<String>,
    processes: usize,
    channels: usize,
    ends: usize,
    blocks: usize,
}

impl Audit {
    /// Whether everything fits together.
    ///
    /// # Examples
    /// See [`audit`].
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// What does not fit together: leaked blocks, offers that nobody takes back, counts that are wrong.
    ///
    /// # Examples
    /// See [`audit`].
    pub fn findings(&self) -> &[String] {
        &self.findings
    }

    /// The program itself, its processes that run, and those that have ended and were not joined yet; [`dump`] prints
    /// the same ones. The server that starts processes is not counted.
    ///
    /// # Examples
    /// See [`audit`].
    pub fn processes(&self) -> usize {
        self.processes
    }

    /// Channels in existence.
    ///
    /// # Examples
    /// See [`audit`].
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Ends of channels in existence, `Channel` values included.
    ///
    /// # Examples
    /// See [`audit`].
    pub fn ends(&self) -> usize {
        self.ends
    }

    /// Blocks of shared memory in use.
    ///
    /// # Examples
    /// See [`audit`].
    pub fn blocks(&self) -> usize {
        self.blocks
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Audit { processes, channels, ends, blocks, .. } = self;
        write!(f, "{processes} processes, {channels} channels, {ends} ends, {blocks} blocks")?;
        match self.findings.len() {
            0 => f.write_str("; everything fits together"),
            count => write!(f, "; {count} findings:\n  {}", self.findings.join("\n  ")),
        }
    }
}

/// Walks the shared memory of the program and reports what does not fit together: blocks and ends of processes that are
/// gone, offers that nobody will take back, wrong counts, locks of dead processes, channels that only messages in
/// their own buffers can reach.
///
/// # Blocking
/// About 50 ms when there is a finding, which must be made again and again to count; others may go on meanwhile.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let c = Channel::<u8>::new();
/// let audit = csproc::audit();
/// assert!(audit.is_clean(), "{audit}");
/// assert_eq!(audit.channels(), 1);
/// drop(c);
/// assert_eq!(csproc::audit().channels(), 0);
/// ```
pub fn audit() -> Audit {
    let mut findings = Program::faults();
    for _ in 0..READINGS {
        if findings.is_empty() {
            break;
        }
        std::thread::sleep(PAUSE);
        let again = Program::faults();
        findings.retain(|finding| again.contains(finding));
    }
    let census = Program::census();
    Audit { findings, processes: census.members, channels: census.channels, ends: census.ends, blocks: census.blocks }
}

/// Prints the state of all processes and channels of the program on standard error; so does the signal `SIGQUIT`
/// (Ctrl-\\ in a terminal) while processes run, unless the program handles it itself.
///
/// # Examples
/// ```
/// csproc::dump();
/// ```
pub fn dump() {
    crate::sys::standard::say(&picture());
}

/// What everybody does.
pub(super) fn picture() -> String {
    let mut text = String::from("csproc: processes\n");
    let scene = Program::scene();
    for (index, member) in Program::processes() {
        let host = member.host();
        let place = if host == index { "process" } else { "thread of" };
        let pid = member.pid();
        let phase = match member.phase() {
            Phase::Gone => String::from("ended, not joined yet"),
            phase => format!("{phase:?}"),
        };
        let _ = writeln!(text, "  `{}`, {place} {pid}, {phase}", name_of(member));
        for seen in scene.iter().filter(|seen| seen.member == index) {
            let place = seen.location.map_or_else(String::new, |location| format!(" at {location}"));
            let _ = writeln!(text, "    {}{place}", seen.state);
            for (action, channel) in &seen.guards {
                let _ = writeln!(text, "      {} {}", super::deadlock::name_of_action(*action), label(*channel));
            }
        }
    }
    text.push_str("csproc: channels\n");
    for (name, description) in Program::channels() {
        let _ = writeln!(text, "  `{}`: {description}", label(name));
    }
    text
}
