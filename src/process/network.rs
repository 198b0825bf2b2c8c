//! `Network<R>`: processes put together, as a value; running it is a second step.
//!
//! Knows nothing of macros. A network is a tree: its leaves are processes, its branches run side by side or one after
//! the other.

use super::awaited::DrivenPart;
use super::child::Child;
use super::children::leave_driver;
use super::deadlock::Deadlock;
use super::definition::{Blueprint, OnCrash};
use super::failure::{Failure, NetworkError, Outcome};
use super::part::Shape;
use super::restart::{Current, Template, keep_alive};
use super::running::{Refusal, Running, on_thread, start_all};
use super::start_error::StartError;
use crate::channel::{Channel, MessageError, Parcel, Reader, describe_ends, settle};
use crate::engine::{ChannelName, Guard, Order, actor};
use crate::forkserver::text_of;
use std::fmt::Write;
use std::panic::Location;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

/// The processes of a network, without their types.
#[derive(Debug)]
pub(super) enum Plan {
    Process(Box<Blueprint>),
    Parallel(Vec<Plan>),
    Sequence(Vec<Plan>),
    /// A `for` part or a vector: runs as what it stands in runs.
    List(Vec<Plan>),
}

/// How the results of a network become a value.
pub(super) type Assemble<R> = fn(&Shape, &mut dyn Iterator<Item = Parcel>) -> Result<R, MessageError>;

/// A network of processes that does not run yet: what [`network!`](crate::network) gives.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn source(out: Writer<u32>) -> csproc::Result<()> {
///     Ok(out.write(7)?)
/// }
///
/// #[process]
/// fn sink(input: Reader<u32>) -> csproc::Result<u32> {
///     Ok(input.read()?)
/// }
///
/// fn main() -> csproc::Result<()> {
///     let c = Channel::builder().name("numbers").build()?;
///     let network = network!(source(c.writer()), sink(c.reader()));
///     assert!(network.to_dot().contains("numbers"));
///     let ((), received) = network.run().values()?;
///     assert_eq!(received, 7);
///     Ok(())
/// }
/// ```
#[must_use = "a network does nothing until `run` or `spawn` is called"]
#[derive(Debug)]
pub struct Network<R> {
    pub(super) plan: Plan,
    pub(super) shape: Shape,
    pub(super) assemble: Assemble<R>,
}

impl<R> Network<R> {
    /// Runs the network and waits until all its processes have ended.
    ///
    /// # Blocking
    /// Waits for every process.
    ///
    /// # Errors
    /// At least one process crashed or could not be started. The others have ended, too; their results are in the
    /// error.
    ///
    /// # Examples
    /// See [`Network`].
    #[track_caller]
    pub fn run(self) -> Result<R, NetworkError> {
        let outcomes = run(self.plan, Location::caller());
        assemble(self.shape, self.assemble, outcomes)
    }

    /// Starts the network and comes back at once.
    ///
    /// # Errors
    /// A process could not be started, and the channels of its arguments are poisoned. Those that were started go on
    /// and are joined when the calling process ends.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// #[process]
    /// fn square(x: u64) -> u64 {
    ///     x * x
    /// }
    ///
    /// fn main() -> csproc::Result<()> {
    ///     let child = network!(square(3), square(4)).spawn()?;
    ///     assert_eq!(child.join()?, (9, 16));
    ///     Ok(())
    /// }
    /// ```
    #[track_caller]
    pub fn spawn(self) -> Result<Child<R>, NetworkError> {
        let started = start(self.plan, true, Location::caller());
        match started.refusal() {
            Some(failure) => Err(NetworkError::one(failure)),
            None => Ok(Child::new(started, self.shape, self.assemble, Location::caller())),
        }
    }

    /// Decides what happens when processes of the network, or processes that they start, wait for each other for ever.
    ///
    /// # Examples
    /// See [`Deadlock`].
    pub fn on_deadlock(mut self, on_deadlock: Deadlock) -> Network<R> {
        self.plan.each(&mut |leaf| leaf.role.on_deadlock = Some(on_deadlock));
        self
    }

    /// The network as a graph in the DOT language: processes, channels, and who holds which end.
    ///
    /// # Examples
    /// See [`Network`].
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph network {\n    rankdir=LR;\n");
        let mut leaves = Vec::new();
        self.plan.leaves(&mut leaves);
        let mut channels = std::collections::BTreeMap::new();
        for (number, leaf) in leaves.iter().enumerate() {
            let _ = writeln!(dot, "    p{number} [shape=box, label={:?}];", leaf.role.name());
            let Ok(arguments) = &leaf.arguments else { continue };
            for (id, label, is_writer) in describe_ends(arguments) {
                let node = format!("c{}_{}", id.0, id.1);
                let edge = if is_writer { format!("p{number} -> {node}") } else { format!("{node} -> p{number}") };
                let _ = writeln!(dot, "    {edge};");
                channels.insert(node, label);
            }
        }
        for (node, label) in channels {
            let _ = writeln!(dot, "    {node} [shape=ellipse, label={label:?}];");
        }
        dot.push_str("}\n");
        dot
    }
}

/// Results in order, or the error that keeps them.
pub(super) fn assemble<R>(shape: Shape, assemble: Assemble<R>, outcomes: Vec<Outcome>) -> Result<R, NetworkError> {
    NetworkError::results_of(outcomes)?.into_value(|results| assemble(&shape, results))
}

impl Plan {
    fn leaves<'a>(&'a self, found: &mut Vec<&'a Blueprint>) {
        match self {
            Plan::Process(leaf) => found.push(leaf),
            Plan::Parallel(parts) | Plan::Sequence(parts) | Plan::List(parts) => {
                parts.iter().for_each(|part| part.leaves(found));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        let mut leaves = Vec::new();
        self.leaves(&mut leaves);
        leaves.into_iter().map(|leaf| leaf.role.name()).collect()
    }

    pub(super) fn each(&mut self, change: &mut dyn FnMut(&mut Blueprint)) {
        match self {
            Plan::Process(leaf) => change(leaf),
            Plan::Parallel(parts) | Plan::Sequence(parts) | Plan::List(parts) => {
                parts.iter_mut().for_each(|part| part.each(change));
            }
        }
    }
}

/// A network at work.
#[derive(Debug)]
pub(super) enum Started {
    Process(Arc<Running>),
    Refused(Refusal),
    Parallel(Vec<Started>),
    /// A thread that takes one step after the other, or starts a process again and again.
    Driven(Driver),
}

/// A thread that drives a part of a network.
#[derive(Debug)]
pub(super) struct Driver {
    thread: JoinHandle<Vec<Outcome>>,
    /// Of a channel that retires when the thread has ended.
    end: Reader<()>,
    /// The process that it keeps alive.
    current: Option<Current>,
    /// The processes whose outcomes it brings.
    names: Vec<String>,
    /// Gone with the thread.
    at_work: Weak<()>,
    started_at: &'static Location<'static>,
}

impl Driver {
    fn start(
        name: &str,
        current: Option<Current>,
        names: Vec<String>,
        started_at: &'static Location<'static>,
        work: impl FnOnce() -> Vec<Outcome> + Send + 'static,
    ) -> std::io::Result<Driver> {
        let over = Channel::<()>::new();
        over.id().0.tells_of_an_end();
        let (running, end) = (over.writer(), over.reader());
        let busy = Arc::new(());
        let at_work = Arc::downgrade(&busy);
        let thread = on_thread(name, move || {
            let _busy = busy;
            let outcomes = work();
            drop(running);
            outcomes
        })?;
        Ok(Driver { thread, end, current, names, at_work, started_at })
    }

    /// What is to be said of it while somebody waits for it.
    pub(super) fn awaited(&self) -> DrivenPart {
        let (names, current) = (self.names.clone(), self.current.clone());
        DrivenPart { names, current, at_work: self.at_work.clone(), started_at: self.started_at }
    }

    /// Whether its processes have ended.
    pub(super) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// The outcomes of its processes; what it panicked of, if it did.
    pub(super) fn join(self) -> Vec<Outcome> {
        match self.thread.join() {
            Ok(outcomes) => outcomes,
            Err(panic) => {
                let reason = text_of(&*panic);
                let failed = |process| {
                    let source = StartError::Starter { reason: reason.clone() };
                    Outcome::Failed(Failure::Start { process, source })
                };
                self.names.into_iter().map(failed).collect()
            }
        }
    }
}

impl Started {
    /// The channels that retire when its parts have ended.
    pub(super) fn exits(&self) -> Vec<ChannelName> {
        match self {
            Started::Process(running) => vec![running.exit()],
            Started::Refused(_) => Vec::new(),
            Started::Parallel(parts) => parts.iter().flat_map(Started::exits).collect(),
            Started::Driven(driver) => vec![driver.end.end().channel()],
        }
    }

    /// The first process that could not be started.
    fn refusal(&self) -> Option<Failure> {
        match self {
            Started::Refused(Refusal::Failed(failure)) => Some(failure.clone()),
            Started::Parallel(parts) => parts.iter().find_map(Started::refusal),
            Started::Process(_) | Started::Driven(_) | Started::Refused(Refusal::NotBegun(_)) => None,
        }
    }

    /// The processes that run now, in order.
    pub(super) fn running(&self) -> Vec<Arc<Running>> {
        match self {
            Started::Process(running) => vec![running.clone()],
            Started::Parallel(parts) => parts.iter().flat_map(Started::running).collect(),
            Started::Driven(driver) => driver.current.iter().map(Current::running).collect(),
            Started::Refused(_) => Vec::new(),
        }
    }

    /// Sends the processes that run now a signal that ends them, for good.
    pub(super) fn kill(&self, signal: i32) -> std::io::Result<()> {
        match self {
            Started::Process(running) => running.kill(signal),
            Started::Parallel(parts) => parts.iter().try_for_each(|part| part.kill(signal)),
            Started::Driven(driver) => driver.current.as_ref().map_or(Ok(()), |current| {
                current.let_be_last();
                current.running().kill(signal)
            }),
            Started::Refused(_) => Ok(()),
        }
    }

    /// How often its processes were started again.
    pub(super) fn restarts(&self) -> u32 {
        match self {
            Started::Parallel(parts) => parts.iter().map(Started::restarts).sum(),
            Started::Driven(driver) => driver.current.as_ref().map_or(0, Current::restarts),
            Started::Process(_) | Started::Refused(_) => 0,
        }
    }

    /// Those of them that nobody else waits for.
    pub(super) fn unattended(&self) -> Vec<&Arc<Running>> {
        match self {
            Started::Process(running) => vec![running],
            Started::Parallel(parts) => parts.iter().flat_map(Started::unattended).collect(),
            Started::Refused(_) | Started::Driven(_) => Vec::new(),
        }
    }

    /// Whether every process has ended.
    pub(super) fn is_over(&self, location: &'static Location<'static>) -> bool {
        match self {
            Started::Process(running) => running.wait(false, location),
            Started::Refused(_) => true,
            Started::Parallel(parts) => parts.iter().all(|part| part.is_over(location)),
            Started::Driven(driver) => driver.is_over(),
        }
    }

    /// Nobody will join it: what is not kept elsewhere is kept until the calling process ends.
    pub(super) fn abandon(self) {
        match self {
            Started::Parallel(parts) => parts.into_iter().for_each(Started::abandon),
            Started::Driven(driver) => leave_driver(driver),
            Started::Process(_) | Started::Refused(_) => (),
        }
    }

    /// Waits for every process.
    pub(super) fn finish(self, location: &'static Location<'static>, outcomes: &mut Vec<Outcome>) {
        match self {
            Started::Process(running) => outcomes.push(running.take(location).unwrap_or_else(|| {
                let process = String::from(running.name());
                Outcome::Failed(Failure::Joined { process })
            })),
            Started::Refused(Refusal::Failed(failure)) => outcomes.push(Outcome::Failed(failure)),
            Started::Refused(Refusal::NotBegun(process)) => outcomes.push(Outcome::NotBegun { process }),
            Started::Parallel(parts) => parts.into_iter().for_each(|part| part.finish(location, outcomes)),
            Started::Driven(driver) => {
                // Not by joining the thread: whoever looks for deadlocks would take the caller for one that runs.
                settle();
                let end = Guard::Input { channel: driver.end.end().channel(), extended: false };
                let _ = actor(|actor| actor.offer(&[end], Order::Priority, location));
                outcomes.extend(driver.join());
            }
        }
    }
}

/// Starts a plan: all processes that run side by side in one request.
fn start(plan: Plan, confirm: bool, location: &'static Location<'static>) -> Started {
    let mut leaves = Vec::new();
    let form = take_leaves(plan, &mut leaves);
    let mut started = start_all(leaves, confirm).into_iter();
    build(form, &mut started, location)
}

/// A plan whose processes were taken out.
enum Form {
    Process(Option<Box<(Template, OnCrash)>>),
    Parallel(Vec<Form>),
    Sequence(Vec<Plan>),
}

fn take_leaves(plan: Plan, leaves: &mut Vec<Blueprint>) -> Form {
    match plan {
        Plan::Process(leaf) => {
            let on_crash = leaf.role.on_crash;
            if !matches!(on_crash, OnCrash::Restart { .. }) {
                leaves.push(*leaf);
                return Form::Process(None);
            }
            let mut template = Template::new(*leaf);
            leaves.extend(template.next());
            Form::Process(Some(Box::new((template, on_crash))))
        }
        Plan::Parallel(parts) | Plan::List(parts) => {
            Form::Parallel(parts.into_iter().map(|part| take_leaves(part, leaves)).collect())
        }
        Plan::Sequence(parts) => Form::Sequence(parts),
    }
}

fn build(
    form: Form,
    started: &mut dyn Iterator<Item = Result<Arc<Running>, Refusal>>,
    location: &'static Location<'static>,
) -> Started {
    match form {
        Form::Process(kept) => match started.next() {
            Some(Ok(running)) => match kept {
                Some(kept) => attend(running, kept.0, kept.1, location),
                None => Started::Process(running),
            },
            Some(Err(refusal)) => Started::Refused(refusal),
            None => Started::Parallel(Vec::new()),
        },
        Form::Parallel(parts) => {
            Started::Parallel(parts.into_iter().map(|part| build(part, started, location)).collect())
        }
        // It has to take its next step while others run.
        Form::Sequence(parts) => {
            let plan = Plan::Sequence(parts);
            match Driver::start("sequence", None, plan.names(), location, move || run(plan, location)) {
                Ok(driver) => Started::Driven(driver),
                Err(error) => {
                    let failure = Failure::Start { process: String::from("sequence"), source: error.into() };
                    Started::Refused(Refusal::Failed(failure))
                }
            }
        }
    }
}

/// A process that is to be started again when it crashes.
fn attend(
    running: Arc<Running>,
    template: Template,
    on_crash: OnCrash,
    location: &'static Location<'static>,
) -> Started {
    let current = Current::new(running.clone());
    let kept = current.clone();
    let work = move || vec![keep_alive(&kept, template, on_crash, location)];
    let name = String::from(running.name());
    match Driver::start("supervisor", Some(current), vec![name], location, work) {
        Ok(driver) => Started::Driven(driver),
        // Without a thread nobody can start it again; giving up its template leaves it as it is.
        Err(_) => Started::Process(running),
    }
}

/// Runs a plan to its end.
fn run(plan: Plan, location: &'static Location<'static>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    match plan {
        Plan::Sequence(parts) => {
            // After a failure the rest is not started: giving up its arguments retires their ends.
            for part in parts {
                let part = match part {
                    Plan::List(parts) => Plan::Sequence(parts),
                    part => part,
                };
                outcomes.extend(run(part, location));
                if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(_))) {
                    break;
                }
            }
        }
        side_by_side => start(side_by_side, false, location).finish(location, &mut outcomes),
    }
    outcomes
}
