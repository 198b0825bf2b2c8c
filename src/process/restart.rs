//! Starting a crashed process again, with its original arguments and ends.
//!
//! Knows nothing of networks. The starter keeps a copy of the arguments; the ends in it keep the channels alive while
//! no process holds them. When the process will not be started again, the copy goes: its ends retire, or are lost with
//! the process that crashed last.

use super::attempt::Current;
use super::blueprint::Blueprint;
use super::failure::{Failure, Outcome};
use super::policy::OnCrash;
use super::running::{Refusal, Running};
use super::start::start_all;
use super::untold::say;
use crate::channel::Parcel;
use crate::engine::{Closing, is_decided, now};
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A process that can be started any number of times.
#[derive(Debug)]
pub(super) struct Template(Option<Blueprint>);

impl Template {
    pub(super) fn new(plan: Blueprint) -> Template {
        Template(Some(plan))
    }

    /// The process once more; the template stays.
    pub(super) fn next(&mut self) -> Option<Blueprint> {
        let mut copies = self.0.take()?.times(2);
        self.0 = copies.pop();
        copies.pop()
    }

    /// It will not be started again.
    pub(super) fn give_up(&mut self, lost_with: Option<u32>) {
        let arguments = self.0.take().and_then(|plan| plan.arguments.ok());
        let closing = lost_with.map_or(Closing::Retire, |member| Closing::Lost { member });
        if let Some(arguments) = arguments {
            Parcel::discard(arguments, closing);
        }
    }
}

/// How often is too often: the restart intensity of Erlang's supervisors.
#[derive(Debug)]
pub(super) struct Intensity {
    max: u32,
    within: Duration,
    crashes: VecDeque<Instant>,
}

impl Intensity {
    pub(super) fn new(max: u32, within: Duration) -> Intensity {
        Intensity { max, within, crashes: VecDeque::new() }
    }

    /// One more crash: which of how many it is within the time, or `None` when it is one too many.
    pub(super) fn bear_one_more(&mut self) -> Option<Borne> {
        let now = now();
        self.crashes.push_back(now);
        while self.crashes.front().is_some_and(|crash| now.duration_since(*crash) > self.within) {
            self.crashes.pop_front();
        }
        let count = u32::try_from(self.crashes.len()).unwrap_or(u32::MAX);
        (count <= self.max).then_some(Borne { count, max: self.max })
    }
}

/// A crash that is borne.
#[derive(Clone, Copy, Debug)]
pub(super) struct Borne {
    count: u32,
    max: u32,
}

impl Borne {
    /// Tells people that what failed runs again.
    pub(super) fn tell(self, crash: &Failure) {
        // Of one that goes by decisions, the run tells.
        if is_decided() {
            return;
        }
        say(format_args!("{crash}; started again ({} of {})", self.count, self.max));
    }
}

/// Waits for the process, and starts it again when it crashed.
pub(super) fn keep_alive(
    current: &Current,
    mut template: Template,
    on_crash: OnCrash,
    location: &'static Location<'static>,
) -> Outcome {
    let (max, within) = match on_crash {
        OnCrash::Restart { max, within } => (max, within),
        OnCrash::Poison | OnCrash::Retire => (0, Duration::ZERO),
    };
    let mut intensity = Intensity::new(max, within);
    loop {
        let running = current.running();
        let mut outcome = running.take(location);
        let crash = match &mut outcome {
            Some(Outcome::Failed(crash @ Failure::Crashed { .. })) => Some(crash),
            _ => None,
        };
        if let Some(crash) = &crash
            && let Some(borne) = intensity.bear_one_more()
        {
            match current.replace(|| template.next().map(start_one)) {
                Some(Ok(())) => {
                    borne.tell(crash);
                    continue;
                }
                Some(Err(Refusal::Failed(failure))) => {
                    template.give_up(Some(running.member()));
                    return Outcome::Failed(failure);
                }
                Some(Err(Refusal::NotBegun(_))) | None => (),
            }
        }
        // Before the slot of the process is given up: its name stands in what its peers are told.
        template.give_up(crash.is_some().then(|| running.member()));
        if let Some(crash) = crash {
            crash.set_restarts(current.restarts());
        }
        let process = running.shared_name();
        return outcome.unwrap_or(Outcome::NotBegun { process });
    }
}

/// Starts one process.
pub(super) fn start_one(plan: Blueprint) -> Result<Arc<Running>, Refusal> {
    let name = plan.role.name();
    start_all(vec![plan], true).pop().unwrap_or(Err(Refusal::NotBegun(name)))
}
