//! `Supervisor`: processes that are started again together, by the strategies of Erlang/OTP.
//!
//! Knows nothing of what the processes do. It runs in the calling process, which waits for the ends of all children at
//! once.

use super::blueprint::Blueprint;
use super::definition::Process;
use super::exit_guard::ExitGuard;
use super::failure::{Failure, NetworkError, Outcome, Results};
use super::policy::{OnCrash, Placement};
use super::restart::{Intensity, Template, start_one};
use super::running::{Refusal, Running};
use super::start_error::StartError;
use crate::alternation::Alternation;
use crate::engine::Order;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// Which children are started again when one has crashed.
///
/// # Examples
/// See [`Supervisor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Strategy {
    /// The one that crashed.
    OneForOne,
    /// All: those that still run are ended by SIGKILL, in reverse order of their start.
    OneForAll,
    /// The one that crashed and those that were started after it.
    RestForOne,
}

/// Starts processes in order, and starts them again when one crashes.
///
/// A child that returns is done. When there are more than [`intensity`](Supervisor::intensity) crashes, all children
/// are ended and the supervisor fails. Children keep their arguments: the ends of channels among them stay open over a
/// crash, so that others do not notice it.
///
/// # Examples
/// ```
/// use csproc::{Strategy, Supervisor, prelude::*};
/// use std::time::Duration;
///
/// #[process]
/// fn fragile(attempts: Reader<u32>) -> csproc::Result<u32> {
///     match attempts.read()? {
///         3 => Ok(3),
///         _ => std::process::abort(),
///     }
/// }
///
/// #[process]
/// fn count(attempts: Writer<u32>) -> csproc::Result<()> {
///     (1..=3).try_for_each(|attempt| attempts.write(attempt)).map_err(csproc::Error::from)
/// }
///
/// fn main() -> csproc::Result<()> {
///     let c = Channel::new();
///     let mut supervisor = Supervisor::new(Strategy::OneForOne).intensity(3, Duration::from_secs(10));
///     let worker = supervisor.child(fragile(c.reader()));
///     supervisor.child(count(c.writer()));
///     let results = supervisor.run()?;
///     assert_eq!(results.get::<csproc::Result<u32>>(worker).unwrap()?, 3);
///     Ok(())
/// }
/// ```
#[must_use = "a supervisor does nothing until it is run"]
pub struct Supervisor {
    strategy: Strategy,
    max: u32,
    within: Duration,
    children: Vec<Kept>,
}

/// One child, running or not.
struct Kept {
    name: std::sync::Arc<str>,
    placement: Placement,
    template: Template,
    running: Option<Arc<Running>>,
    outcome: Option<Outcome>,
    starts: u32,
}

impl Supervisor {
    /// A supervisor without children, which bears one crash within five seconds, as OTP's do.
    ///
    /// # Examples
    /// See [`Supervisor`].
    pub fn new(strategy: Strategy) -> Supervisor {
        Supervisor { strategy, max: 1, within: Duration::from_secs(5), children: Vec::new() }
    }

    /// How many crashes within how long are acceptable; one more ends everything.
    ///
    /// # Examples
    /// See [`Supervisor`].
    pub fn intensity(mut self, max: u32, within: Duration) -> Supervisor {
        self.max = max;
        self.within = within;
        self
    }

    /// Adds a child, and gives its place among the results. Its own [`OnCrash`](crate::OnCrash) does not count.
    ///
    /// # Examples
    /// See [`Supervisor`].
    pub fn child<R>(&mut self, process: Process<R>) -> usize {
        let mut plan: Blueprint = process.plan;
        // The ends stay open in the template.
        plan.role.on_crash = OnCrash::Retire;
        let (name, placement) = (plan.role.name(), plan.role.placement().unwrap_or_default());
        self.children.push(Kept {
            name,
            placement,
            template: Template::new(plan),
            running: None,
            outcome: None,
            starts: 0,
        });
        self.children.len() - 1
    }

    /// Starts the children and waits until all have returned.
    ///
    /// # Blocking
    /// Until then, or until there were too many crashes.
    ///
    /// # Errors
    /// The crash that was one too many, or a child that could not be started; the results of the others are in the
    /// error.
    ///
    /// # Examples
    /// See [`Supervisor`].
    #[track_caller]
    pub fn run(mut self) -> Result<Results, NetworkError> {
        let location = Location::caller();
        if let Err((place, failure)) = self.supervise(location) {
            for child in self.children.iter_mut().rev() {
                child.end(location);
            }
            self.children[place].outcome = Some(Outcome::Failed(failure));
        }
        let unknown = |child: Kept| child.outcome.unwrap_or(Outcome::NotBegun { process: child.name });
        NetworkError::results_of(self.children.into_iter().map(unknown).collect())
    }

    /// Comes back when no child runs, or with the failure that is not to be borne and the place of its child.
    fn supervise(&mut self, location: &'static Location<'static>) -> Result<(), (usize, Failure)> {
        if let Some(place) = self.children.iter().position(|child| child.placement == Placement::Thread)
            && self.strategy != Strategy::OneForOne
        {
            let reason =
                String::from("a thread cannot be ended from outside, as this strategy asks; use Placement::Process");
            let process = self.children[place].name.to_string();
            return Err((place, Failure::Start { process, source: StartError::Unavailable { reason } }));
        }
        let mut intensity = Intensity::new(self.max, self.within);
        self.start_from(0)?;
        while let Some(place) = self.wait_for_one(location) {
            let child = &mut self.children[place];
            let Some(outcome) = child.running.as_ref().and_then(|running| running.take(location)) else { continue };
            let mut crash = match outcome {
                Outcome::Failed(failure @ Failure::Crashed { .. }) => failure,
                outcome => {
                    child.running = None;
                    child.outcome = Some(outcome);
                    child.template.give_up_if_alone(self.strategy);
                    continue;
                }
            };
            let Some(borne) = intensity.bear_one_more() else {
                crash.set_restarts(child.starts - 1);
                return Err((place, crash));
            };
            child.running = None;
            match self.strategy {
                Strategy::OneForOne => self.start(place)?,
                Strategy::OneForAll => {
                    self.end_from(0, location);
                    self.start_from(0)?;
                }
                Strategy::RestForOne => {
                    self.end_from(place, location);
                    self.start_from(place)?;
                }
            }
            borne.tell(&crash);
        }
        Ok(())
    }

    fn start_from(&mut self, first: usize) -> Result<(), (usize, Failure)> {
        (first..self.children.len()).try_for_each(|place| self.start(place))
    }

    fn start(&mut self, place: usize) -> Result<(), (usize, Failure)> {
        let child = &mut self.children[place];
        let Some(plan) = child.template.next() else { return Ok(()) };
        match start_one(plan) {
            Ok(running) => {
                child.running = Some(running);
                child.outcome = None;
                child.starts += 1;
                Ok(())
            }
            Err(Refusal::Failed(failure)) => Err((place, failure)),
            Err(Refusal::NotBegun(_)) => Ok(()),
        }
    }

    /// Ends the children that run, from the last to `first`, to start them again.
    fn end_from(&mut self, first: usize, location: &'static Location<'static>) {
        for child in self.children[first..].iter_mut().rev() {
            if let Some(running) = child.running.take() {
                child.outcome = running.end(location);
            }
        }
    }

    /// The place of a child that has ended; `None` when none runs.
    fn wait_for_one(&self, location: &'static Location<'static>) -> Option<usize> {
        let running: Vec<(usize, ExitGuard)> = self
            .children
            .iter()
            .enumerate()
            .filter_map(|(place, child)| Some((place, ExitGuard::over([child.running.as_ref()?.exit()]))))
            .collect();
        let mut alternation = Alternation::new();
        for (_, guard) in &running {
            alternation.guard(guard);
        }
        match alternation.choose(Order::Priority, location) {
            Ok(fired) => running.get(fired.index()).map(|(place, _)| *place),
            // Without memory for an alternation: one after the other.
            Err(_) => running.first().map(|(place, _)| {
                if let Some(child) = &self.children[*place].running {
                    child.wait(true, location);
                }
                *place
            }),
        }
    }
}

impl Kept {
    /// Ends it for good. Its ends are lost with it, if it did not return.
    fn end(&mut self, location: &'static Location<'static>) {
        let Some(running) = self.running.take() else { return self.template.give_up(None) };
        self.outcome = running.end(location);
        let returned = matches!(self.outcome, Some(Outcome::Returned { .. }));
        self.template.give_up((!returned).then(|| running.member()));
    }
}

impl Running {
    /// By SIGKILL, if it has not ended by itself; what it returned, if it did, or the deadlock that it was in: a thread
    /// that waits for what cannot come is not ended in another way.
    fn end(&self, location: &'static Location<'static>) -> Option<Outcome> {
        // Gone already; or a thread, which is waited for; or the server is gone and everybody with it.
        let _ = self.kill(libc::SIGKILL);
        self.take(location).filter(|outcome| matches!(outcome, Outcome::Returned { .. } | Outcome::Deadlocked(..)))
    }
}

impl Template {
    /// A child that has returned is started again only together with others.
    fn give_up_if_alone(&mut self, strategy: Strategy) {
        if strategy == Strategy::OneForOne {
            self.give_up(None);
        }
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.children.iter().map(|child| &*child.name).collect();
        f.debug_struct("Supervisor").field("strategy", &self.strategy).field("children", &names).finish_non_exhaustive()
    }
}
