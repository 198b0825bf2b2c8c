//! A network at work: it is started, attended to, and waited for.
//!
//! Knows nothing of types, or of how one process is started.

use super::attempt::Current;
use super::blueprint::Blueprint;
use super::children::leave_driver;
use super::driver::Driver;
use super::failure::{Failure, Outcome};
use super::plan::Plan;
use super::policy::OnCrash;
use super::restart::{Template, keep_alive};
use super::running::{Refusal, Running};
use super::start::start_all;
use crate::channel::settle;
use crate::engine::{ChannelName, Order, actor};
use std::panic::Location;
use std::sync::Arc;

/// A network at work.
#[derive(Debug)]
pub(super) enum Started {
    Process(Arc<Running>),
    Refused(Refusal),
    Parallel(Vec<Started>),
    /// A thread that takes one step after the other, or starts a process again and again.
    Driven(Driver),
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
    pub(super) fn refusal(&self) -> Option<Failure> {
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
                let end = driver.end.end().taking(false);
                let _ = actor(|actor| actor.offer(&[end], Order::Priority, location));
                outcomes.extend(driver.join());
            }
        }
    }
}

/// Starts a plan: all processes that run side by side in one request.
pub(super) fn start(plan: Plan, confirm: bool, location: &'static Location<'static>) -> Started {
    let mut leaves = Vec::with_capacity(plan.size());
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
pub(super) fn run(plan: Plan, location: &'static Location<'static>) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(plan.size());
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
