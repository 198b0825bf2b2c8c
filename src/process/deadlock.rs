//! Deadlocks: found while a network runs, told to whoever waits for it.
//!
//! Knows nothing of how a standstill shows in the engine's tables. A thread of the program looks while there are
//! processes, a few times in the time within which a deadlock is to be found (`watch`). A standstill that two readings
//! agree on is written down for every process in it; then its channels are poisoned, so that the processes end as they
//! do on poison, and `Parallel!` fails with the report.

use super::built::never_run;
use super::untold::{keep, say};
use crate::cause::{keep_record, name_of};
use crate::channel::{BlockedProcess, DeadlockReport, WaitsFor, label};
use crate::engine::view::{Action, Standstill, Stuck, Suspects};
use crate::engine::{Actor, EventKind, EventOf, Member, ProcessId, Program, Record, actor};
use crate::sys::clock::processor_time;
use crate::trace::last_events_of;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often somebody looks.
const ROUND: Duration = Duration::from_millis(30);
/// Every so many rounds somebody looks although nothing has changed.
const LOOK_ANYWAY: u32 = 32;
/// Looking takes at most one part in so many of a processor.
const SHARE: u32 = 50;

/// What happens when processes of a network wait for each other for ever: a policy, for
/// [`Network::on_deadlock`](crate::Network::on_deadlock). What was found is a [`DeadlockReport`].
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
    /// The channels they wait on are poisoned, so that they end, and the network fails with a [`DeadlockReport`]. Each
    /// of them is told by [`ChannelError::Deadlock`](crate::ChannelError::Deadlock) from the call in which it waits.
    #[default]
    Report,
    /// The channels they wait on are poisoned as by anybody
    /// ([`ChannelError::Poisoned`](crate::ChannelError::Poisoned)); what they make of it is the result. There is no
    /// report.
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

/// Looks again and again.
pub(super) struct Watcher {
    suspects: Suspects,
    signature: u64,
    /// Looks since something was seen to change.
    unchanged: u32,
    /// Somebody has rung since the last look.
    alert: bool,
    pause: Duration,
}

impl Watcher {
    pub(super) fn new() -> Watcher {
        Watcher { suspects: Suspects::default(), signature: 0, unchanged: 0, alert: true, pause: ROUND }
    }

    /// How long to wait before the next look.
    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    /// The same when there are no processes and whoever falls asleep rings: the longer nothing has changed, the longer.
    pub(super) fn calm_pause(&self) -> Duration {
        let doublings = (self.unchanged / LOOK_ANYWAY).min(11);
        self.pause * (1 << doublings)
    }

    /// Somebody has rung.
    pub(super) fn be_alert(&mut self) {
        self.alert = true;
    }

    /// Acts on a standstill that the look before has seen, too.
    pub(super) fn look(&mut self) {
        let now = Program::signature();
        let changed = std::mem::take(&mut self.alert) || now != self.signature || !self.suspects.is_empty();
        self.unchanged = if changed { 0 } else { self.unchanged + 1 };
        self.signature = now;
        // Nobody has begun or ended an operation; only a thread that has no context may have come to rest.
        if !self.unchanged.is_multiple_of(LOOK_ANYWAY) {
            return;
        }
        // Not the time that passes: while all processors are busy, a look lasts long and costs as little as ever.
        let start = processor_time();
        let Standstill { suspects, groups } = actor(Actor::view_of_waits).standstill(&self.suspects);
        self.pause = ROUND.max((processor_time() - start) * SHARE);
        self.suspects = suspects;
        groups.iter().for_each(|group| act(group));
        Program::note_look();
    }
}

/// How often the program and its processes have been looked at, from the first to the last of them. Whoever has seen
/// three looks begin and end while something lasted knows that two of them, which make a proof, fell into that time.
pub fn looks() -> u64 {
    Program::looks()
}

fn act(stuck: &[Stuck]) {
    // Killed since the look, or ended: the next look sees who is left.
    if stuck.iter().any(|stuck| stuck.member.slot().is_none()) {
        return;
    }
    let members = stuck.iter().filter(|stuck| !stuck.only_attends()).filter_map(|stuck| stuck.member.slot());
    let policies = members.map(|member| Deadlock::of(member.on_deadlock()));
    let policy = policies.max_by_key(|policy| policy.raw()).unwrap_or_default();
    if policy == Deadlock::Ignore {
        return;
    }
    // A context of its own kind, not a reaper's: a lock of the dead is the process server's to break. Without one, the
    // next look tries again.
    let aside = Actor::aside();
    if aside.prepare().is_err() {
        return;
    }
    let record = if policy == Deadlock::Report { record(&aside, stuck) } else { None };
    let guards = stuck.iter().flat_map(|stuck| &stuck.guards);
    let guards = guards.filter(|guard| !guard.action.attends() && guard.action != Action::Release);
    aside.poison_all(guards.map(|guard| guard.channel), record);
}

/// Writes the report into a slot that every process of the deadlock refers to.
fn record(aside: &Actor, stuck: &[Stuck]) -> Option<u32> {
    let made = Member::create_deadlock();
    let report = report(made.as_ref().map_or(u64::MAX, |(_, slot)| slot.serial()), stuck);
    let (name, slot) = made.ok()?;
    if keep_record(name.index, slot, Record::Obituary, &report).is_err() {
        // No memory is left to tell it with.
        say(format_args!("{report}"));
        aside.disown(name);
        return None;
    }
    for serial in stuck.iter().filter_map(|stuck| stuck.member.slot()).map(Member::serial) {
        aside.note(EventOf { subject: Some(serial), ..EventOf::new(EventKind::Deadlock) });
    }
    let mut of_program = false;
    for stuck in stuck.iter().filter(|stuck| !stuck.only_attends()) {
        match stuck.member.slot() {
            Some(member) if member.is_program() => of_program = true,
            _ => aside.note_deadlock(stuck.member, name.index),
        }
    }
    #[cfg(feature = "testing")]
    if stuck.iter().filter_map(|stuck| stuck.member.slot()).any(Member::is_driven) {
        // The run tells.
        slot.give();
    }
    keep(name, report, of_program);
    Some(name.index)
}

pub(super) fn report(number: u64, stuck: &[Stuck]) -> DeadlockReport {
    let serials: Vec<u64> = stuck.iter().map(|stuck| stuck.member.slot().map_or(u64::MAX, Member::serial)).collect();
    let last_events = last_events_of(&serials);
    let place = |member: &u32| stuck.iter().position(|stuck| stuck.member.index == *member);
    let processes = stuck.iter().zip(last_events).map(|(stuck, last_events)| {
        let member = stuck.member.slot();
        let waits_for = stuck.guards.iter().map(|guard| WaitsFor {
            action: guard.action.to_string(),
            channel: match guard.action {
                Action::Join => String::new(),
                _ => label(guard.channel),
            },
            partners: guard.partners.iter().filter_map(place).collect(),
            never_run: guard.action.answered_by().map_or_else(Vec::new, |wanted| never_run(guard.channel, wanted)),
        });
        BlockedProcess {
            name: member.map_or_else(String::new, name_of),
            id: ProcessId(member.map_or(u64::MAX, Member::serial)),
            location: stuck.location.map_or_else(String::new, ToString::to_string),
            waits_for: waits_for.collect(),
            last_events,
        }
    });
    DeadlockReport::new(number, processes.collect())
}

/// The deadlock that a member was in, if it was.
pub(super) fn report_of(member: &Member) -> Option<DeadlockReport> {
    DeadlockReport::of_slot(member.deadlock()?)
}
