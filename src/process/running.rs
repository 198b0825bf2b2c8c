//! A process that has been started: waiting for its end, and what it came to.
//!
//! Knows nothing of networks. Starting fills a member's slot and asks the process server, or makes a thread. The end shows as the
//! retirement of a channel whose only writing end belongs to nobody but the member's own fate.

use super::deadlock::Deadlock;
use super::definition::{Blueprint, OnCrash, Placement};
use super::failure::{Failure, Outcome};
use super::network::Driver;
use super::start_error::StartError;
use super::untold::say;
use super::watch::look_after_the_program;
use crate::channel::{Parcel, settle};
use crate::engine::live::{
    ChannelKind, Closing, Direction, Holder, Local, Member, MemberName, Phase, act_for, member, tables, with_local,
};
use crate::engine::{ChannelName, Engine, Guard, Order, Store};
use crate::forkserver::{self, Launch, cause_of, equip, has_crashed, start_error};
use crate::memory::{ArenaError, NONE};
use crate::sys::clock::Deadline;
use parking_lot::Mutex;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// One started process.
#[derive(Debug)]
pub(super) struct Running {
    name: String,
    member: MemberName,
    serial: u64,
    placement: Placement,
    parent: u32,
    exit: ChannelName,
    result_type: &'static str,
    gone: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
    outcome: Mutex<Taken>,
}

#[derive(Debug)]
enum Taken {
    NotYet,
    Kept(Option<Outcome>),
}

/// Spawned children that nobody has joined yet.
static CHILDREN: Mutex<Vec<Arc<Running>>> = Mutex::new(Vec::new());

/// Why a process does not run.
#[derive(Debug)]
pub(super) enum Refusal {
    Failed(Failure),
    /// Another process of the network was refused before anything had begun.
    NotBegun(String),
}

/// Starts all of them; each comes back running, or with the reason why not.
///
/// With `confirm` waits until the system has really started each; without, a refusal shows when the process is joined.
pub(super) fn start_all(plans: Vec<Blueprint>, confirm: bool) -> Vec<Result<Arc<Running>, Refusal>> {
    settle();
    let mut prepared: Vec<Result<Running, Failure>> = plans.into_iter().map(prepare).collect();
    if prepared.iter().any(Result::is_err) {
        // Validated before anything is done: the others are not begun, and their peers learn of it.
        return prepared
            .into_iter()
            .map(|slot| match slot {
                Ok(running) => {
                    running.fail();
                    Err(Refusal::NotBegun(running.name.clone()))
                }
                Err(failure) => Err(Refusal::Failed(failure)),
            })
            .collect();
    }
    look_after_the_program();
    let wanted: Vec<MemberName> = prepared
        .iter()
        .flatten()
        .filter(|running| running.placement == Placement::Process)
        .map(|running| running.member)
        .collect();
    let sent = if wanted.is_empty() { Ok(()) } else { forkserver::start(&wanted) };
    super::exit::join_at_exit();
    for slot in &mut prepared {
        let Ok(running) = slot else { continue };
        let started = match (running.placement, &sent) {
            (Placement::Process, Ok(())) if confirm => running.confirm_start(),
            (Placement::Process, Ok(())) => Ok(()),
            (Placement::Process, Err(error)) => {
                running.fail();
                Err(match error.raw_os_error() {
                    None | Some(libc::EPIPE | libc::ECONNRESET) => StartError::ServerGone { reason: error.to_string() },
                    Some(code) => StartError::System { code, reason: error.to_string() },
                })
            }
            (Placement::Thread, _) => running.start_thread(),
        };
        if let Err(source) = started {
            let process = running.name.clone();
            *slot = Err(Failure::Start { process, source });
        }
    }
    prepared.into_iter().map(|running| running.map(Arc::new).map_err(Refusal::Failed)).collect()
}

/// Fills a member's slot. If that fails, the arguments are gone, and the channels among them are poisoned.
fn prepare(plan: Blueprint) -> Result<Running, Failure> {
    let Blueprint { role, arguments, .. } = plan;
    let name = role.name();
    let refused = |source| Failure::Start { process: name.clone(), source };
    let arguments = arguments.map_err(|error| refused(StartError::Arguments(error)))?;
    if role.placement == Placement::Process
        && let Err(reason) = forkserver::availability()
    {
        arguments.discard(Closing::Poison);
        return Err(refused(StartError::Unavailable { reason: reason.to_string() }));
    }
    let launch = match role.placement {
        Placement::Process => Launch::now(name.clone()),
        Placement::Thread => Ok(Launch::here(name.clone())),
    };
    let launch = match launch {
        Ok(launch) => launch,
        Err(error) => {
            arguments.discard(Closing::Poison);
            return Err(refused(error.into()));
        }
    };
    let made = with_local(|local| make_member(local, &launch, role.placement)).and_then(|made| made);
    let (member_name, slot, exit, parent) = match made {
        Ok(made) => made,
        Err(error) => {
            arguments.discard(Closing::Poison);
            return Err(refused(StartError::Arguments(error.into())));
        }
    };
    slot.arguments.store(arguments.hand_to(member_name.index), Ordering::Release);
    slot.entry.store(role.entry as usize as u64, Ordering::Release);
    slot.body.store(role.body as u64, Ordering::Release);
    slot.ending.store(role.ending as u64, Ordering::Release);
    let starter = tables().members.get(parent).map_or(0, |parent| parent.on_deadlock.load(Ordering::Acquire));
    slot.on_deadlock.store(role.on_deadlock.map_or(starter, Deadlock::raw), Ordering::Release);
    slot.retires_on_crash.store(u32::from(role.on_crash != OnCrash::Poison), Ordering::Release);
    Ok(Running {
        name,
        member: member_name,
        serial: slot.serial.load(Ordering::Acquire),
        placement: role.placement,
        parent,
        exit,
        result_type: role.result_type,
        gone: AtomicBool::new(false),
        thread: Mutex::new(None),
        outcome: Mutex::new(Taken::NotYet),
    })
}

type Made = (MemberName, &'static Member, ChannelName, u32);

fn make_member(local: &mut Local, launch: &Launch, placement: Placement) -> Result<Made, ArenaError> {
    let parent = member()?;
    let (member_name, slot) = tables().create_member(parent)?;
    if placement == Placement::Thread {
        let host = tables().members.get(parent).map_or(parent, |parent| parent.host.load(Ordering::Acquire));
        slot.host.store(host, Ordering::Release);
    }
    let exit = equip(member_name.index, slot, launch).and_then(|()| {
        let (exit, handle) = local.create_channel("", ChannelKind::Channel(Store::Fifo(0)), Holder::Member(parent))?;
        let reader = local.request_end(exit, Direction::Reader, Holder::Exit(member_name.index));
        let writer = local.request_end(exit, Direction::Writer, Holder::Exit(member_name.index));
        local.close_end(handle, Closing::Retire);
        Ok((exit, reader?, writer?))
    });
    match exit {
        Ok((exit, reader, writer)) => {
            slot.exit_reader.store(reader.index, Ordering::Release);
            slot.exit_reader_generation.store(reader.generation, Ordering::Release);
            slot.exit_end.store(writer.index, Ordering::Release);
            slot.exit_end_generation.store(writer.generation, Ordering::Release);
            Ok((member_name, slot, exit, parent))
        }
        Err(error) => {
            slot.enter(Phase::Failed);
            local.leave(member_name.index, slot);
            local.disown(member_name.index);
            Err(error)
        }
    }
}

impl Running {
    fn slot(&self) -> Option<&'static Member> {
        tables().member(self.member)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number of its slot, for those who lose channels with it.
    pub(super) fn member(&self) -> u32 {
        self.member.index
    }

    /// The channel that retires when it is gone.
    pub(super) fn exit(&self) -> ChannelName {
        self.exit
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    pub(super) fn pid(&self) -> u32 {
        match self.placement {
            Placement::Process => self.slot().map_or(0, |slot| slot.pid.load(Ordering::Acquire)),
            Placement::Thread => std::process::id(),
        }
    }

    pub(super) fn kill(&self) -> std::io::Result<()> {
        match self.placement {
            Placement::Process => forkserver::kill(self.member),
            Placement::Thread => Err(std::io::Error::new(
                std::io::ErrorKind::Unsupported,
                format!("`{}` runs on a thread, which cannot be killed; poison one of its channels", self.name),
            )),
        }
    }

    /// Waits until the server has started it, or the reason why it could not.
    fn confirm_start(&self) -> Result<(), StartError> {
        let slot = self.slot();
        if let Some(slot) = slot {
            slot.wait_for_start();
        }
        match slot.and_then(start_error) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// It will never start: lets go of what it was given.
    fn fail(&self) {
        if let Some(slot) = self.slot() {
            slot.enter(Phase::Failed);
            // Without a context the reaper does it when this process ends.
            let _ = with_local(|local| local.leave(self.member.index, slot));
        }
    }

    fn start_thread(&self) -> Result<(), StartError> {
        const STACK: usize = 8 << 20;
        let (name, member) = (self.name.replace('\0', ""), self.member);
        let Some(slot) = self.slot() else { return Ok(()) };
        slot.pid.store(std::process::id(), Ordering::Release);
        slot.enter(Phase::Running);
        let started = std::thread::Builder::new().name(name).stack_size(STACK).spawn(move || {
            if let Some(entry) = forkserver::entry_of(slot) {
                entry(member);
            }
            let _ = with_local(|local| local.leave(member.index, slot));
        });
        match started {
            Ok(thread) => {
                *self.thread.lock() = Some(thread);
                Ok(())
            }
            Err(error) => {
                self.fail();
                Err(error.into())
            }
        }
    }

    /// Waits until the process is gone. `false` when it is not and `patience` says not to wait.
    pub(super) fn wait(&self, wait: bool, location: &'static Location<'static>) -> bool {
        settle();
        let mut outcome = self.outcome.lock();
        if matches!(*outcome, Taken::Kept(_)) {
            return true;
        }
        while !self.gone.load(Ordering::Acquire) {
            let guards = [Guard::Input { channel: self.exit, extended: false }, Guard::Skip];
            let guards = if wait { &guards[..1] } else { &guards[..] };
            let fired = with_local(|local| {
                local.prepare(guards.len(), true)?;
                Ok::<_, ArenaError>(local.offer(guards, Order::Priority, location))
            });
            match fired.and_then(|fired| fired) {
                Ok(fired) if fired.index == 0 => self.gone.store(true, Ordering::Release),
                Ok(_) => return false,
                // No context can be had for this thread: wait on the phase instead.
                Err(_) => {
                    if !wait && self.slot().is_some_and(|slot| slot.phase() != Phase::Gone) {
                        return false;
                    }
                    if let Some(slot) = self.slot() {
                        slot.wait_until_gone();
                    }
                    self.gone.store(true, Ordering::Release);
                }
            }
        }
        *outcome = Taken::Kept(Some(self.collect()));
        true
    }

    /// What it came to; `None` when that was asked before.
    pub(super) fn take(&self, location: &'static Location<'static>) -> Option<Outcome> {
        self.wait(true, location);
        match &mut *self.outcome.lock() {
            Taken::Kept(outcome) => outcome.take(),
            Taken::NotYet => None,
        }
    }

    /// What the process came to, and the deadlock it was in before.
    fn collect(&self) -> Outcome {
        let deadlock = self.slot().and_then(super::deadlock::report_of);
        let outcome = self.collect_result();
        match deadlock {
            Some(report) => Outcome::Deadlocked(Box::new(outcome), report),
            None => outcome,
        }
    }

    /// The process is gone: fetches the report and the result.
    fn collect_result(&self) -> Outcome {
        // Of a process for which the system refused the fork there is no report; waiting for it would take for ever.
        let forked = self.slot().is_none_or(|slot| slot.pid.load(Ordering::Acquire) != 0);
        if self.placement == Placement::Process && forked {
            // What it says is in the slot, too; it is fetched so that the server can send more.
            let _ = forkserver::collect(self.serial);
        }
        if let Some(thread) = self.thread.lock().take() {
            // Its panic was caught inside.
            let _ = thread.join();
        }
        let process = self.name.clone();
        let Some(slot) = self.slot() else {
            let cause = forkserver::Cause::Killed { signal: libc::SIGKILL };
            return Outcome::Failed(Failure::Crashed { process, cause, restarts: 0 });
        };
        let result = slot.result.load(Ordering::Acquire);
        if result != NONE {
            // Ours by its tag before the slot forgets it:
            //     slot.result := NONE ── killed ── tag := ours     the tag of a process that is gone, and nobody who names the block
            let result = Parcel::of_block(result, self.result_type).adopted();
            slot.result.store(NONE, Ordering::Release);
            return Outcome::Returned { process, result };
        }
        Outcome::Failed(match start_error(slot) {
            Some(error) => Failure::Start { process, source: error.into() },
            None => Failure::Crashed { process, cause: cause_of(slot), restarts: 0 },
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without a context the reaper does it when this process ends.
        let _ = with_local(|local| local.disown(self.member.index));
    }
}

/// Keeps a spawned child until it is joined.
pub(super) fn adopt(child: Arc<Running>) {
    CHILDREN.lock().push(child);
}

/// The child was joined.
pub(super) fn forget(child: &Arc<Running>) {
    CHILDREN.lock().retain(|other| !Arc::ptr_eq(other, child));
}

/// Threads that drive spawned sequences which nobody has joined, by the process that spawned them.
static DRIVERS: Mutex<Vec<(u32, Driver)>> = Mutex::new(Vec::new());

/// Keeps the driver of a spawned sequence until the calling process ends.
pub(super) fn leave_driver(driver: Driver) {
    if let Ok(member) = member() {
        DRIVERS.lock().push((member, driver));
    }
}

/// Nobody joined it, so nobody else can say it.
fn complain(outcome: &Outcome) {
    match outcome {
        Outcome::Failed(failure) => say(format_args!("{failure}; it was spawned and never joined")),
        // Told once, however many were in it.
        Outcome::Deadlocked(_, report) if !report.was_given() => say(format_args!("{report}")),
        Outcome::Deadlocked(..) => (),
        Outcome::Returned { .. } | Outcome::NotBegun { .. } => (),
    }
}

/// Complains of the children of this process that have failed so far. Those that are still at work are not waited for.
#[track_caller]
pub(super) fn complain_of_failed_children(parent: u32) {
    /// Whoever crashed has closed its ends a moment before it counts as gone.
    const MOMENT: Duration = Duration::from_millis(200);
    let location = Location::caller();
    let deadline = Deadline::at(Instant::now() + MOMENT);
    loop {
        let finished = |(owner, driver): &(u32, Driver)| *owner == parent && driver.is_finished();
        let driver = {
            let mut drivers = DRIVERS.lock();
            drivers.iter().position(&finished).map(|place| drivers.swap_remove(place).1)
        };
        let Some(driver) = driver else { break };
        driver.join().iter().for_each(complain);
    }
    let children: Vec<Arc<Running>> =
        CHILDREN.lock().iter().filter(|child| child.parent == parent).map(Arc::clone).collect();
    for child in children {
        let is_dying = child.slot().is_some_and(has_crashed);
        let is_gone = is_dying && tables().wait_until_gone(child.member, &deadline);
        if (is_gone || child.wait(false, location))
            && let Some(outcome) = child.take(location)
        {
            complain(&outcome);
        }
    }
}

/// Waits for all children of a process that is at its end.
#[track_caller]
pub(super) fn join_children_of(parent: u32) {
    let location = Location::caller();
    loop {
        let driver = {
            let mut drivers = DRIVERS.lock();
            drivers.iter().position(|(owner, _)| *owner == parent).map(|place| drivers.swap_remove(place).1)
        };
        match driver.map(Driver::join) {
            Some(outcomes) => outcomes.iter().for_each(complain),
            None => break,
        }
    }
    loop {
        let child = {
            let mut children = CHILDREN.lock();
            children.iter().position(|child| child.parent == parent).map(|place| children.swap_remove(place))
        };
        match child {
            Some(child) => {
                if let Some(outcome) = child.take(location) {
                    complain(&outcome);
                }
            }
            None => return,
        }
    }
}

/// Runs `work` on another thread of this process, on behalf of the same process. Comes back when the thread is known to the engine:
/// whoever looks for deadlocks in between would take the caller for all that the process consists of.
pub(super) fn on_thread<R: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> R + Send + 'static,
) -> std::io::Result<JoinHandle<R>> {
    let me = member().ok();
    let (say, known) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name(String::from(name)).spawn(move || {
        act_for(me);
        // Without a context it cannot wait later either.
        let _ = with_local(|_| ());
        let _ = say.send(());
        work()
    })?;
    let _ = known.recv();
    Ok(thread)
}
