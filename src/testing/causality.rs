//! Which event of a run has come before which: not in the order of the trace, in which anything stands somewhere, but
//! by what one process could know of another (Lamport 1978).
//!
//! Knows nothing of what the events mean.

use super::decision::is_event;
use crate::engine::sim::{Linked, NOBODY, Record};
use std::collections::HashMap;

/// What each event of a run comes of.
#[derive(Debug)]
pub(super) struct Causality {
    /// The events that come directly before each one.
    before: Vec<Vec<usize>>,
    /// The place of each event of the trace among all that has happened.
    shown: Vec<usize>,
}

impl Causality {
    pub(super) fn of(record: &Record) -> Causality {
        // What whoever takes part in the next event of a process, or uses a channel next, comes after.
        let mut last: HashMap<Linked, Vec<usize>> = HashMap::new();
        let mut links = record.links.iter().peekable();
        let mut before = Vec::with_capacity(record.happenings.len());
        for number in 0..=record.happenings.len() {
            while let Some(link) = links.next_if(|link| link.after == number) {
                let causes = match link.from {
                    Some(task) => last.get(&Linked::Task(task)).cloned().unwrap_or_default(),
                    None => number.checked_sub(1).into_iter().collect(),
                };
                let linked = last.entry(link.to).or_default();
                causes.into_iter().for_each(|cause| {
                    if !linked.contains(&cause) {
                        linked.push(cause)
                    }
                });
            }
            let Some(happening) = record.happenings.get(number) else { break };
            let choice = happening.choice;
            let parties = [Linked::Task(choice.who), Linked::Task(choice.with), Linked::Channel(choice.channel)];
            let mut causes = Vec::new();
            let is_there = |party: &Linked| !matches!(party, Linked::Task(NOBODY) | Linked::Channel(NOBODY));
            for party in parties.into_iter().filter(is_there) {
                causes.extend(last.insert(party, vec![number]).unwrap_or_default());
            }
            before.push(causes);
        }
        let shown = (0..before.len()).filter(|number| is_event(record.happenings[*number].choice.kind)).collect();
        Causality { before, shown }
    }

    /// By their numbers in the trace.
    pub(super) fn is_before(&self, first: usize, second: usize) -> bool {
        let (Some(first), Some(second)) = (self.shown.get(first), self.shown.get(second)) else { return false };
        let mut seen = vec![false; self.before.len()];
        let mut open = vec![*second];
        while let Some(number) = open.pop() {
            for cause in &self.before[number] {
                if cause == first {
                    return true;
                }
                // Nothing that comes before the first one leads to it.
                if cause > first && !std::mem::replace(&mut seen[*cause], true) {
                    open.push(*cause);
                }
            }
        }
        false
    }
}
