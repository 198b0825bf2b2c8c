//! `audit()` and `dump()`: what is in the arena, for tests and for people.
//!
//! Knows nothing of how the tables are read: what is printed comes from a view.

use crate::cause::name_of;
use crate::channel::label;
use crate::engine::view::{Action, ChannelView, ContextView, Doing, OfferView, View};
use crate::engine::{Actor, ChannelKind, Opened, Phase, Program, actor};
use crate::trace::last_events_of;
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
    if let Err(unreadable) = actor(Actor::view_of_waits).identity {
        findings.push(format!("the first bytes of the shared memory are not as they were written: {unreadable}"));
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
    let view = actor(Actor::view);
    let mut text = String::from("csproc: processes\n");
    let listed: Vec<_> = view.processes.iter().filter(|process| process.is_of_the_network()).collect();
    let serials: Vec<u64> = listed.iter().map(|process| process.id.0).collect();
    for (process, last_events) in listed.into_iter().zip(last_events_of(&serials)) {
        let place = if process.is_host() { "process" } else { "thread of" };
        let phase = match process.phase {
            Phase::Gone => String::from("ended, not joined yet"),
            phase => format!("{phase:?}"),
        };
        let name = process.name.slot().map_or_else(String::new, name_of);
        let _ = writeln!(text, "  `{name}`, {place} {}, {phase}", process.pid);
        for context in view.contexts_of(process.name.index) {
            let place = context.location.map_or_else(String::new, |location| format!(" at {location}"));
            let _ = writeln!(text, "    {}{place}", describe_doing(context));
            for offer in &context.offers {
                let _ = writeln!(text, "      {}", describe_offer(&view, *offer));
            }
        }
        if !last_events.events().is_empty() {
            let _ = writeln!(text, "    its last events:{}", last_events.lines("      "));
        }
    }
    text.push_str("csproc: channels\n");
    // Those that only tell of the end of a process are of no interest: the process is listed.
    for channel in view.channels.iter().filter(|channel| channel.kind != ChannelKind::End) {
        let _ = writeln!(text, "  `{}`: {}", label(channel.name), describe_channel(&view, channel));
    }
    text
}

/// What it waits for: the end of a process is told by the name of the process.
fn describe_offer(view: &View, OfferView { action, channel }: OfferView) -> String {
    let of_end = view.processes.iter().find(|process| action == Action::Join && process.exit == Some(channel));
    match of_end.and_then(|process| process.name.slot()) {
        Some(slot) => format!("the end of `{}`", name_of(slot)),
        None => format!("{action} {}", label(channel)),
    }
}

fn describe_doing(context: &ContextView) -> &'static str {
    match context.doing {
        Doing::Runs | Doing::Answered => "runs; last communicated",
        Doing::Waits { timed: true, .. } if context.is_future => "waits (async), with a timer",
        Doing::Waits { timed: false, .. } if context.is_future => "waits (async)",
        Doing::Waits { timed: true, .. } => "waits, with a timer",
        Doing::Waits { timed: false, .. } => "waits",
        Doing::Held { .. } => "waits for its reader to finish",
        Doing::Dead => "is dead",
    }
}

/// Whether it is a barrier, how many messages it keeps, who waits, its fate, and the number of what happened last.
fn describe_channel(view: &View, channel: &ChannelView) -> String {
    let ChannelView { readers, writers, .. } = channel;
    let mut text = match channel.kind {
        ChannelKind::Barrier { parties } => format!("barrier for {parties}"),
        ChannelKind::Gate { opened: Opened::InTurns, permits } => format!("condition, at turn {permits}"),
        ChannelKind::Gate { permits, .. } => format!("gate, {} of {permits} permits in use", channel.in_use),
        _ => format!("{writers} writers, {readers} readers"),
    };
    if channel.is_buffered() {
        let _ = write!(text, ", {} messages", channel.messages);
    }
    let sides = [
        (Action::Write, "writers"),
        (Action::Read, "readers"),
        (Action::Serve, "servers"),
        (Action::Sync, "parties"),
        (Action::Pass, "to pass"),
        (Action::Finish, "for its tasks"),
    ];
    for (action, who) in sides {
        match view.waiting(channel.name, action) {
            0 => (),
            count => {
                let _ = write!(text, ", {count} {who} wait");
            }
        }
    }
    if let Some(fate) = channel.fate {
        let _ = write!(text, ", {fate:?}");
    }
    if channel.number > 0 {
        let _ = write!(text, ", last number {}", channel.number);
    }
    text
}
