//! A process that has been started: waiting for its end, and what it came to.
//!
//! Knows nothing of networks or of how its slot was filled (`start`). The end shows as the retirement of a channel
//! whose only writing end belongs to nobody but the member's own fate.

use super::failure::{Failure, Outcome};
use super::policy::Placement;
use super::start_error::StartError;
use crate::cause::{cause_of, has_crashed, start_error};
use crate::channel::{Parcel, settle};
use crate::engine::{
    Actor, ChannelName, EndName, Guard, Member, MemberName, NewProcess, Order, Phase, actor, along, is_simulated,
    member,
};
use crate::forkserver::{self, Code};
use crate::sys::clock::Deadline;
use crate::trace::last_events_of;
use parking_lot::Mutex;
use std::panic::Location;
#[cfg(feature = "testing")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

/// One started process.
#[derive(Debug)]
pub(super) struct Running {
    name: Arc<str>,
    member: MemberName,
    serial: u64,
    placement: Placement,
    /// How many bytes its stack has.
    stack: usize,
    code: Code,
    /// The serial number of its starter.
    parent: u64,
    exit: ChannelName,
    result_type: &'static str,
    thread: Mutex<Option<JoinHandle<()>>>,
    outcome: Mutex<Taken>,
    /// It is known what it came to.
    is_kept: AtomicBool,
}

#[derive(Debug)]
enum Taken {
    NotYet,
    Kept(Option<Outcome>),
}

/// Why a process does not run.
#[derive(Debug)]
pub(super) enum Refusal {
    Failed(Failure),
    /// Another process of the network was refused before anything had begun.
    NotBegun(Arc<str>),
}

impl Running {
    /// One whose slot is filled, to be started.
    pub(super) fn new(
        name: Arc<str>,
        made: &NewProcess,
        placement: Placement,
        stack: usize,
        code: Code,
        result_type: &'static str,
    ) -> Running {
        Running {
            name,
            member: made.name,
            serial: made.member.serial(),
            placement,
            stack,
            code,
            parent: Member::at(made.parent).map_or(u64::MAX, Member::serial),
            exit: made.exit,
            result_type,
            thread: Mutex::new(None),
            outcome: Mutex::new(Taken::NotYet),
            is_kept: AtomicBool::new(false),
        }
    }

    pub(super) fn placement(&self) -> Placement {
        self.placement
    }

    /// The name of its slot.
    pub(super) fn slot_name(&self) -> MemberName {
        self.member
    }

    fn slot(&self) -> Option<&'static Member> {
        self.member.slot()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its name, to be kept.
    pub(super) fn shared_name(&self) -> Arc<str> {
        self.name.clone()
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

    /// The serial number of its starter.
    pub(super) fn parent(&self) -> u64 {
        self.parent
    }

    pub(super) fn pid(&self) -> u32 {
        match self.placement {
            Placement::Process => self.slot().map_or(0, Member::pid),
            Placement::Thread => std::process::id(),
        }
    }

    /// Sends it a signal that ends it.
    pub(super) fn kill(&self, signal: i32) -> std::io::Result<()> {
        #[cfg(feature = "testing")]
        if is_simulated() && self.placement == Placement::Process {
            crate::engine::sim::kill(self.member, crate::cause::killed_by(signal));
            return Ok(());
        }
        match self.placement {
            Placement::Process => forkserver::kill(self.member, signal),
            Placement::Thread => Err(std::io::Error::new(
                std::io::ErrorKind::Unsupported,
                format!(
                    "`{}` runs on a thread, which cannot be ended from outside; poison one of its channels",
                    self.name
                ),
            )),
        }
    }

    /// Waits until the server has started it, or the reason why it could not.
    pub(super) fn confirm_start(&self) -> Result<(), StartError> {
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
    pub(super) fn fail(&self) {
        if let Some(slot) = self.slot() {
            slot.enter(Phase::Failed);
            actor(|actor| actor.leave(self.member, slot));
        }
    }

    pub(super) fn start_thread(&self) -> Result<(), StartError> {
        let (name, member, code) = (self.name.replace('\0', ""), self.member, self.code);
        let Some(slot) = self.slot() else { return Ok(()) };
        slot.set_pid(std::process::id());
        slot.enter(Phase::Running);
        let started = std::thread::Builder::new().name(name).stack_size(self.stack).spawn(along(move || {
            code.run(member);
            actor(|actor| actor.leave(member, slot));
        }));
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

    /// Starts it as a task of the simulated world.
    pub(super) fn start_simulated(&self) -> Result<(), StartError> {
        let Some(slot) = self.slot() else { return Ok(()) };
        slot.set_pid(Member::at(slot.host()).map_or(0, Member::pid));
        actor(|actor| actor.enter_phase(slot, Phase::Running));
        #[cfg(feature = "testing")]
        {
            use crate::engine::sim;
            let (member, code) = (self.member, self.code);
            let work = move || {
                if !sim::is_killed() {
                    code.run(member);
                }
                actor(|actor| actor.leave(member, slot));
            };
            let started = sim::start(self.member, self.name.clone(), true, self.stack, Box::new(work));
            if let Err(error) = started {
                self.fail();
                return Err(StartError::Arguments(error.into()));
            }
        }
        Ok(())
    }

    /// Whether it is gone, for those who have no context to ask the engine with.
    pub(super) fn is_gone(&self) -> bool {
        self.member.is_gone()
    }

    /// Waits until it is gone if it has crashed, which is a moment before. Whether it is gone.
    pub(super) fn is_gone_if_crashed(&self, deadline: &Deadline) -> bool {
        self.slot().is_some_and(has_crashed) && self.member.wait_until_gone(deadline)
    }

    /// Waits until the process is gone. `false` when it is not and `wait` says not to wait.
    pub(super) fn wait(&self, wait: bool, location: &'static Location<'static>) -> bool {
        self.look(wait, location, |_| ()).is_some()
    }

    /// The same, and looks at what it came to: that is nothing when somebody has taken it before.
    fn look<R>(
        &self,
        wait: bool,
        location: &'static Location<'static>,
        look: impl FnOnce(&mut Option<Outcome>) -> R,
    ) -> Option<R> {
        settle();
        if self.is_kept.load(Ordering::Acquire)
            && let Taken::Kept(outcome) = &mut *self.outcome.lock()
        {
            return Some(look(outcome));
        }
        // Without the lock, so that somebody who does not wait is not held up by somebody who does.
        if !self.wait_for_its_end(wait, location) {
            return None;
        }
        let mut kept = self.outcome.lock();
        if matches!(*kept, Taken::NotYet) {
            *kept = Taken::Kept(Some(self.collect()));
            self.is_kept.store(true, Ordering::Release);
        }
        match &mut *kept {
            Taken::Kept(outcome) => Some(look(outcome)),
            Taken::NotYet => None,
        }
    }

    fn wait_for_its_end(&self, wait: bool, location: &'static Location<'static>) -> bool {
        let guards = [Guard::Input { channel: self.exit, extended: false, reader: EndName::NONE }, Guard::Skip];
        let guards = if wait { &guards[..1] } else { &guards[..] };
        match actor(|actor| actor.offer(guards, Order::Priority, location)) {
            Ok(fired) => fired.index == 0,
            // No context can be had for this thread: wait on the phase instead.
            Err(_) => match self.slot() {
                Some(slot) if wait && !is_simulated() => {
                    slot.wait_until_gone();
                    true
                }
                _ => self.member.is_gone(),
            },
        }
    }

    /// What it came to; `None` when that was asked before.
    pub(super) fn take(&self, location: &'static Location<'static>) -> Option<Outcome> {
        self.look(true, location, Option::take).flatten()
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

    /// The process is gone: fetches the result.
    fn collect_result(&self) -> Outcome {
        if self.placement == Placement::Thread
            && let Some(thread) = self.thread.lock().take()
        {
            // Its panic was caught inside.
            let _ = thread.join();
        }
        let process = || self.name.to_string();
        let Some(slot) = self.slot() else { return Outcome::Failed(Failure::Unknown { process: process() }) };
        if let Some(result) = slot.take_result(member().ok()) {
            return Outcome::Returned { process: self.name.clone(), result: Parcel::of(result, self.result_type) };
        }
        Outcome::Failed(match start_error(slot) {
            Some(error) => Failure::Start { process: process(), source: error.into() },
            None => {
                let last_events = last_events_of(&[self.serial]).pop().unwrap_or_default();
                Failure::Crashed { process: process(), cause: cause_of(slot), restarts: 0, last_events }
            }
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // When its starter was a thread that crashed, it was disowned then; no context is made for nothing.
        if self.slot().is_some() {
            actor(|actor| actor.disown(self.member));
        }
    }
}

/// Runs `work` on another thread of this process, on behalf of the same process. Comes back when the thread is known to
/// the engine: whoever looks for deadlocks in between would take the caller for all that the process consists of.
pub(super) fn on_thread<R: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> R + Send + 'static,
) -> std::io::Result<Aside<R>> {
    let me = member().ok();
    #[cfg(feature = "testing")]
    if is_simulated() {
        return beside(name, me, work);
    }
    #[cfg(feature = "testing")]
    let enrolled = actor(Actor::enroll_thread);
    let (say, known) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name(String::from(name)).spawn(along(move || {
        actor(|actor| actor.act_for(me));
        // Without a context it cannot wait later either.
        let _ = actor(Actor::prepare);
        let _ = say.send(());
        #[cfg(feature = "testing")]
        let _driven = enrolled.map(crate::engine::drive::Enrolled::begin);
        work()
    }))?;
    let _ = known.recv();
    Ok(Aside::Thread(thread))
}

/// The same as a task of the simulated world.
#[cfg(feature = "testing")]
fn beside<R: Send + 'static>(
    name: &str,
    me: Option<u32>,
    work: impl FnOnce() -> R + Send + 'static,
) -> std::io::Result<Aside<R>> {
    use crate::engine::sim;
    let place = Arc::new(Mutex::new(None));
    let result = place.clone();
    let work = move || {
        actor(|actor| actor.act_for(me));
        if !sim::is_killed() {
            let came = catch_unwind(AssertUnwindSafe(work));
            *result.lock() = Some(came);
        }
    };
    let member = me.and_then(Member::name_at).ok_or_else(|| std::io::Error::other("nobody starts it"))?;
    sim::start(member, Arc::from(name), false, forkserver::STACK, Box::new(work)).map_err(std::io::Error::other)?;
    Ok(Aside::Simulated(place))
}

/// What does something for a process beside it: a thread, or a task of the simulated world.
#[derive(Debug)]
pub(super) enum Aside<R> {
    Thread(JoinHandle<R>),
    #[cfg(feature = "testing")]
    Simulated(Arc<Mutex<Option<std::thread::Result<R>>>>),
}

impl<R> Aside<R> {
    /// Whether it has ended.
    pub(super) fn is_finished(&self) -> bool {
        match self {
            Aside::Thread(thread) => thread.is_finished(),
            #[cfg(feature = "testing")]
            Aside::Simulated(place) => place.lock().is_some(),
        }
    }

    /// What it came to, or what it has panicked of. Whoever asks for a simulated one has waited for its end.
    pub(super) fn join(self) -> std::thread::Result<R> {
        match self {
            Aside::Thread(thread) => thread.join(),
            #[cfg(feature = "testing")]
            Aside::Simulated(place) => {
                let came = place.lock().take();
                came.unwrap_or_else(|| Err(Box::new("it was killed with the process that has started it")))
            }
        }
    }
}
