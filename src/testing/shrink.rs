//! Shrinking: from a list of events that fails to a smaller one that fails.
//!
//! Knows nothing of what fails, or of why. Events are known by what happens, not by their place in a list of numbers:
//! so an event that is left out does not change what the others are. (Delta debugging over events ends at the true
//! minimum where shrinking of random numbers does not: deadlocks of 3, 5, 8 and 12 philosophers, November 2026.)
//!
//! Smaller is: fewer faults, then fewer events, then fewer switches between processes. A run that goes on for ever is
//! as long whatever is left out of it, so only its faults are.

use crate::engine::sim::{Choice, Kind, NOBODY};

/// How large a list is.
type Size = (usize, usize, usize, usize);

/// How to get a smaller list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Without the fault of this number.
    Fault(usize),
    /// Only so many events from the beginning.
    Cut {
        kept: usize,
    },
    /// Without so many events from this place on.
    Drop {
        length: usize,
        from: usize,
    },
    /// The fault of this number, or the message that arrives late, at another place: so many events from the end.
    Shift {
        fault: usize,
        from_end: usize,
    },
    /// This event right after the one before the last that its processes had no part in.
    Move(usize),
    /// Without a few events of one process from a place on: a round of its loop, between which others do theirs.
    Round(usize),
    Over,
}

/// Rounds are looked for in lists up to this length.
const SHORT: usize = 32;
/// A round has so many events at most.
const ROUND: usize = 8;

/// A search for the smallest list that fails.
#[derive(Clone, Debug)]
pub(super) struct Shrinking {
    smallest: Vec<Choice>,
    way: Way,
    /// The smallest one is of a run that goes on for ever.
    is_endless: bool,
    /// Something was gained since the search for chunks began.
    gained: bool,
    /// The smallest one was proposed at the end, so that it is the last that fails.
    is_told: bool,
}

fn size(list: &[Choice]) -> Size {
    let faults = list.iter().filter(|choice| choice.kind.is_fault()).count();
    let events = list.iter().filter(|choice| choice.kind.is_communication()).count();
    let switches = list.windows(2).filter(|pair| !follows(pair[0], pair[1])).count();
    (faults, events, list.len(), switches)
}

/// Whether a process takes part in both.
fn follows(first: Choice, second: Choice) -> bool {
    second.involves(first.who) || second.involves(first.with)
}

/// Whether it is nobody's next step, so that it may come at other times.
fn can_be_shifted(choice: Choice) -> bool {
    choice.kind.is_fault() || choice.kind == Kind::Arrive
}

impl Shrinking {
    /// From a list that fails, of a run that may have gone on for ever.
    pub(super) fn of(failing: Vec<Choice>, is_endless: bool) -> Shrinking {
        Shrinking { smallest: failing, way: Way::Fault(0), is_endless, gained: false, is_told: false }
    }

    /// Whether the smallest one is of a run that goes on for ever.
    pub(super) fn is_endless(&self) -> bool {
        self.is_endless
    }

    pub(super) fn smallest(&self) -> &[Choice] {
        &self.smallest
    }

    /// What was proposed last fails, and this is what was decided by it.
    pub(super) fn fails(&mut self, made: Vec<Choice>, is_endless: bool) {
        if size(&made) < size(&self.smallest) {
            self.smallest = made;
            self.is_endless = is_endless;
            self.gained = true;
            self.is_told = false;
        }
    }

    /// The smallest one, once; at the end of the search.
    pub(super) fn last(&mut self) -> Option<Vec<Choice>> {
        (!std::mem::replace(&mut self.is_told, true)).then(|| self.smallest.clone())
    }

    /// A list to be tried; `None` when there is none any more.
    pub(super) fn next(&mut self) -> Option<Vec<Choice>> {
        loop {
            let length = self.smallest.len();
            match self.way {
                Way::Fault(number) => {
                    let faults = self.smallest.iter().enumerate().filter(|(_, choice)| choice.kind.is_fault());
                    let Some((place, _)) = faults.clone().nth(number) else {
                        self.way = if self.is_endless { Way::Over } else { Way::Cut { kept: 0 } };
                        continue;
                    };
                    // If it is gained, the fault of this number is another one.
                    self.way = Way::Fault(number + 1);
                    return Some(self.without(place, 1));
                }
                Way::Cut { kept } if kept < length => {
                    self.way = Way::Cut {
                        kept: if kept == 0 { (length / 2).max(1) } else { kept + (length - kept).div_ceil(2) },
                    };
                    return Some(self.smallest[..kept].to_vec());
                }
                Way::Cut { .. } => {
                    self.gained = false;
                    self.way = Way::Drop { length: (length / 2).max(1), from: 0 };
                }
                Way::Drop { length: chunk, from } if from < length => {
                    // From the end, where an event is of least consequence.
                    let end = length - from;
                    let start = end.saturating_sub(chunk);
                    self.way = Way::Drop { length: chunk, from: from + chunk };
                    return Some(self.without(start, end - start));
                }
                Way::Drop { length: chunk, .. } if chunk > 1 => {
                    self.way = Way::Drop { length: chunk / 2, from: 0 };
                }
                Way::Drop { .. } if std::mem::take(&mut self.gained) => self.way = Way::Fault(0),
                Way::Drop { .. } => self.way = Way::Shift { fault: 0, from_end: 0 },
                Way::Shift { fault, from_end } if from_end < length => {
                    self.way = Way::Shift { fault, from_end: from_end + 1 };
                    if let Some(shifted) = self.shifted(fault, length - 1 - from_end) {
                        return Some(shifted);
                    }
                }
                Way::Shift { .. } if std::mem::take(&mut self.gained) => self.way = Way::Fault(0),
                Way::Shift { fault, .. }
                    if fault + 1 < self.smallest.iter().filter(|choice| can_be_shifted(**choice)).count() =>
                {
                    self.way = Way::Shift { fault: fault + 1, from_end: 0 };
                }
                Way::Shift { .. } => self.way = Way::Move(1),
                Way::Move(place) if place < length => {
                    self.way = Way::Move(place + 1);
                    if let Some(moved) = self.moved(place) {
                        return Some(moved);
                    }
                }
                Way::Move(_) if std::mem::take(&mut self.gained) => self.way = Way::Fault(0),
                Way::Move(_) => self.way = if length <= SHORT { Way::Round(0) } else { Way::Over },
                Way::Round(number) if number / ROUND / 2 < length => {
                    self.way = Way::Round(number + 1);
                    if let Some(list) = self.without_round(number / ROUND / 2, number / 2 % ROUND + 1, number % 2) {
                        return Some(list);
                    }
                }
                Way::Round(_) if std::mem::take(&mut self.gained) => self.way = Way::Fault(0),
                Way::Round(_) => self.way = Way::Over,
                Way::Over => return None,
            }
        }
    }

    fn without(&self, from: usize, count: usize) -> Vec<Choice> {
        let mut list = self.smallest.clone();
        list.drain(from..from + count);
        list
    }

    /// The list with the fault of this number at another place. What is done to a message is done to the one that is
    /// communicated there, on the same channel; anything else is done before the event there.
    fn shifted(&self, number: usize, to: usize) -> Option<Vec<Choice>> {
        let movable = self.smallest.iter().enumerate().filter(|(_, choice)| can_be_shifted(**choice));
        let (place, fault) = movable.map(|(place, fault)| (place, *fault)).nth(number)?;
        let there = self.smallest[to];
        let mut list = self.smallest.clone();
        if !fault.kind.is_of_a_line() {
            list.remove(place);
            list.insert(to, fault);
            return (place != to).then_some(list);
        }
        if there.channel != fault.channel || !matches!(there.kind, Kind::Communication | Kind::Put) {
            return None;
        }
        // A message that is doubled is communicated, too.
        if fault.kind == Kind::Double {
            list[to] = Choice { kind: fault.kind, ..there };
            list[place] = Choice { kind: Kind::Communication, ..fault };
        } else {
            list[to] = Choice { kind: fault.kind, with: NOBODY, ..there };
            list.remove(place);
        }
        Some(list)
    }

    /// The list without so many events of the process that does the one at a place, or that reads there, from it on.
    fn without_round(&self, place: usize, count: usize, side: usize) -> Option<Vec<Choice>> {
        let event = self.smallest[place];
        let process = if side == 0 { event.who } else { event.with };
        let mut left = count;
        let mut list = self.smallest[..place].to_vec();
        for event in &self.smallest[place..] {
            if left > 0 && event.involves(process) {
                left -= 1;
            } else {
                list.push(*event);
            }
        }
        // One event alone was left out before.
        (left == 0 && count > 1).then_some(list)
    }

    /// The list with an event right behind the last one before it that its processes took part in, if that is another
    /// one than the one before it.
    fn moved(&self, place: usize) -> Option<Vec<Choice>> {
        let event = self.smallest[place];
        let before = (0..place).rev().find(|earlier| follows(self.smallest[*earlier], event))?;
        if before + 1 == place {
            return None;
        }
        let mut list = self.smallest.clone();
        let event = list.remove(place);
        list.insert(before + 1, event);
        Some(list)
    }
}
