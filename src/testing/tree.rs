//! `Schedule`, and `ScheduleTree`: a schedule on its way to a smaller one, as proptest asks for it.
//!
//! Knows nothing of how a smaller one is found, or of where a failure is kept.

use super::decision::{decided, decisions, in_common, parting};
use super::memory::{Case, Failure};
use super::outcome::MOST_EVENTS;
use super::plan::Plan;
use super::shrink::Shrinking;
use super::token;
use crate::engine::sim::{Choice, Record};
use proptest::strategy::ValueTree;
use std::cell::OnceCell;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The decisions of a run: what [`schedule`](super::schedule) generates, and [`simulate`](super::simulate) takes.
///
/// It prints as a token, once it was used: as the decisions that were made by it.
///
/// # Examples
/// See [`testing`](super).
#[derive(Clone)]
pub struct Schedule {
    pub(super) plan: Plan,
    used: Arc<Mutex<Used>>,
}

/// A run that was made by a schedule.
enum Made {
    /// All of it, for whoever looks for a smaller one.
    Run(Arc<Record>),
    /// What was decided, where nobody does: a program may keep many schedules.
    Decisions(Vec<Choice>),
}

/// What has become of a schedule.
#[derive(Default)]
struct Used {
    /// The run that was made by it last.
    made: Option<Made>,
    /// What the next run is to tell of the nearest one that passes.
    nearest: Option<String>,
}

impl Schedule {
    pub(super) fn new(plan: Plan) -> Schedule {
        Schedule { plan, used: Arc::default() }
    }

    /// The same one, at the end of a search that has seen this run pass.
    pub(super) fn with_nearest(self, nearest: Option<String>) -> Schedule {
        self.used().nearest = nearest;
        self
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This run was made by it. Gives what the run is to tell of the nearest one that passes: once, for the next run
    /// may have other inputs.
    pub(super) fn note(&self, record: &Arc<Record>) -> Option<String> {
        let is_alone = Arc::strong_count(&self.used) == 1;
        let mut used = self.used();
        used.made = Some(match used.made.take() {
            _ if !is_alone => Made::Run(record.clone()),
            Some(Made::Decisions(mut before)) => {
                before.clear();
                before.reserve(record.happenings.len());
                decided(record).for_each(|choice| before.push(choice));
                Made::Decisions(before)
            }
            _ => Made::Decisions(decisions(record)),
        });
        used.nearest.take()
    }

    /// The run that was made by it last, for whoever has another one of it, as trees do.
    pub(super) fn made(&self) -> Option<Arc<Record>> {
        match &self.used().made {
            Some(Made::Run(record)) => Some(record.clone()),
            _ => None,
        }
    }

    /// What was decided in it.
    pub(super) fn decided(&self) -> Option<Vec<Choice>> {
        match self.used().made.as_ref()? {
            Made::Run(record) => Some(decisions(record)),
            Made::Decisions(decisions) => Some(decisions.clone()),
        }
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.decided(), &self.plan) {
            (Some(decisions), _) => f.write_str(&token::write(&decisions)),
            (None, Plan::Wanted(wanted) | Plan::Around { wanted, .. }) => f.write_str(&token::write(wanted)),
            (None, Plan::Dice { start, .. }) => write!(f, "dice {start:x}"),
        }
    }
}

/// So many places of the smallest run are tried otherwise: of a long one, not all of it is gone through once for each
/// of its events.
const AROUND: usize = 25;
/// And each of them so often with dice.
const TIMES: u64 = 7;

/// A schedule on its way to a smaller one.
///
/// # Examples
/// See [`testing`](super): proptest makes it.
#[derive(Debug)]
pub struct ScheduleTree {
    current: Schedule,
    shrinking: Option<Shrinking>,
    case: Case,
    /// The first run that failed. Proptest asks for a value again only if the one before has failed.
    first: OnceCell<Arc<Record>>,
    /// The smallest run that failed, and whether its inputs may be others than those of the first one.
    smallest: Option<(Arc<Record>, bool)>,
    /// Of the runs that passed, the one that has most in common with the smallest that failed.
    nearest: Option<Arc<Record>>,
    /// The place in the smallest one that was tried otherwise last, and how often.
    around: Option<(usize, u64)>,
}

impl ScheduleTree {
    pub(super) fn new(current: Schedule, case: Case) -> ScheduleTree {
        ScheduleTree {
            current,
            shrinking: None,
            case,
            first: OnceCell::new(),
            smallest: None,
            nearest: None,
            around: None,
        }
    }

    fn propose(&mut self) -> bool {
        let smaller = self.shrinking.as_mut().and_then(Shrinking::next).map(Plan::Wanted);
        match smaller.or_else(|| self.go_around()) {
            Some(plan) => {
                self.current = Schedule::new(plan);
                true
            }
            None => self.return_to_smallest(),
        }
    }

    /// When there is nothing smaller: the smallest one up to a place, and something else there, from the end on, as
    /// long as a run that passes might have more in common with it than any before. Not if it goes on for ever: each of
    /// them may do so, too.
    fn go_around(&mut self) -> Option<Plan> {
        let (smallest, _) = self.smallest.as_ref()?;
        if self.shrinking.as_ref().is_some_and(Shrinking::is_endless) {
            return None;
        }
        let mut wanted = decisions(smallest);
        let (place, time) = match self.around {
            Some((place, time)) if time < TIMES => (place, time + 1),
            Some((place, _)) => (place.checked_sub(1)?, 0),
            None => (wanted.len().checked_sub(1)?, 0),
        };
        let is_nearer = self.nearest.as_ref().is_some_and(|nearest| in_common(smallest, nearest) >= place);
        if is_nearer || place + AROUND < wanted.len() {
            return None;
        }
        self.around = Some((place, time));
        let avoided = wanted[place];
        wanted.truncate(place);
        Some(Plan::Around { wanted, avoided, time })
    }

    /// At the end of the search, so that the smallest one is the last that fails; once.
    fn return_to_smallest(&mut self) -> bool {
        let Some(smallest) = self.shrinking.as_mut().and_then(Shrinking::last) else { return false };
        let runs = self.smallest.as_ref().zip(self.nearest.as_ref());
        let nearest = runs.and_then(|((failing, _), passing)| parting(failing, passing));
        self.current = Schedule::new(Plan::Wanted(smallest)).with_nearest(nearest);
        true
    }

    /// The run that was made last fails.
    fn fails(&mut self, made: Arc<Record>) {
        let (choices, is_endless) = (decisions(&made), made.happenings.len() >= MOST_EVENTS);
        let Some(shrinking) = &mut self.shrinking else {
            // If the first one is known already, proptest has tried other inputs since.
            let has_other_inputs = self.first.get().is_some();
            self.first.get_or_init(|| made.clone());
            self.shrinking = Some(Shrinking::of(choices, is_endless));
            self.smallest = Some((made, has_other_inputs));
            return;
        };
        let before = shrinking.smallest().to_vec();
        shrinking.fails(choices, is_endless);
        // A smaller one, and not the same run by another way.
        if shrinking.smallest() != before {
            let has_other_inputs = self.smallest.as_ref().is_some_and(|(_, other)| *other);
            self.smallest = Some((made, has_other_inputs));
            self.around = None;
        }
    }

    /// The run that was made last passes.
    fn passes(&mut self, made: Arc<Record>) {
        let Some((smallest, _)) = &self.smallest else { return };
        let shared = |run: &Arc<Record>| in_common(smallest, run);
        if self.nearest.as_ref().is_none_or(|nearest| shared(nearest) < shared(&made)) {
            self.nearest = Some(made);
        }
    }
}

impl ValueTree for ScheduleTree {
    type Value = Schedule;

    fn current(&self) -> Schedule {
        if let Some(made) = self.current.made() {
            self.first.get_or_init(|| made);
        }
        self.current.clone()
    }

    /// The current one fails: a smaller one.
    fn simplify(&mut self) -> bool {
        // Not used.
        let Some(made) = self.current.made() else { return false };
        self.fails(made);
        self.propose()
    }

    /// The current one passes: back to the smallest that fails, or to another one that is smaller.
    fn complicate(&mut self) -> bool {
        if let Some(made) = self.current.made() {
            self.passes(made);
        }
        self.propose()
    }
}

/// The search has come to its end, or its test has passed.
impl Drop for ScheduleTree {
    fn drop(&mut self) {
        let Some(first) = self.first.get() else {
            self.case.passes(self.current.made().as_deref());
            return;
        };
        let (smallest, found) = match &self.smallest {
            Some((smallest, true)) => (smallest, Some(&**first)),
            Some((smallest, false)) => (smallest, None),
            None => (first, None),
        };
        self.case.fails(&Failure { smallest, found });
    }
}
