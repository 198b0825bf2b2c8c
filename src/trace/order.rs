//! What comes before what: a search along what comes directly before each event.
//!
//! Knows nothing of what the events are. A vector clock for each event would answer at once, and take as many words as
//! there are events and rings, multiplied: of a thousand threads that is more than there is memory. Most who look at a
//! trace do not ask.

use std::collections::HashSet;

/// How an event hangs together with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// All that comes before that one comes before this one, too, and it as well.
    After(usize),
    /// They are one.
    With(usize),
}

/// Events in an order that agrees with what comes before what.
#[derive(Clone, Debug)]
pub(super) struct Order {
    numbers: Vec<u64>,
    /// What comes directly before each one.
    before: Vec<Vec<usize>>,
    /// The first of those that are one with it.
    first: Vec<usize>,
    /// Of the first, the others.
    others: Vec<Vec<usize>>,
}

impl Order {
    /// Of events of which these are the rings, the numbers, and what each hangs together with besides.
    pub(super) fn of(rings: &[usize], numbers: Vec<u64>, ties: &[Vec<Tie>]) -> Order {
        let count = numbers.len();
        let mut order = Order {
            numbers,
            before: vec![Vec::new(); count],
            first: (0..count).collect(),
            others: vec![Vec::new(); count],
        };
        let mut latest = vec![None; rings.iter().max().map_or(0, |ring| ring + 1)];
        for (event, ring) in rings.iter().enumerate() {
            order.before[event].extend(latest[*ring].replace(event));
            for tie in &ties[event] {
                match *tie {
                    Tie::After(other) => order.before[event].push(other),
                    Tie::With(other) => {
                        let first = order.first[other];
                        order.first[event] = first;
                        order.others[first].push(event);
                    }
                }
            }
        }
        order
    }

    /// Whether the one has come before the other. Two that happened at once have not.
    pub(super) fn is_before(&self, one: usize, other: usize) -> bool {
        let wanted = self.first[one];
        let mut open = vec![self.first[other]];
        let mut seen: HashSet<usize> = open.iter().copied().collect();
        while let Some(first) = open.pop() {
            for event in std::iter::once(&first).chain(&self.others[first]) {
                for before in self.before[*event].iter().map(|before| self.first[*before]) {
                    if before == wanted {
                        return self.first[other] != wanted;
                    }
                    // Nothing with a smaller number comes after the one.
                    if self.numbers[before] >= self.numbers[one] && seen.insert(before) {
                        open.push(before);
                    }
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rings of three events each, in the order 0 of the one, 0 of the other, 1 of the one, and so on.
    fn order(ties: &[(usize, Tie)]) -> Order {
        let mut all = vec![Vec::new(); 6];
        ties.iter().for_each(|(event, tie)| all[*event].push(*tie));
        Order::of(&[0, 1, 0, 1, 0, 1], vec![1, 1, 2, 2, 3, 3], &all)
    }

    #[test]
    fn what_is_not_tied_is_ordered_in_its_ring_alone() {
        let order = order(&[]);
        assert!(order.is_before(0, 4) && order.is_before(1, 3) && !order.is_before(4, 0));
        assert!((0..6).all(|event| !order.is_before(event, event)));
        assert!(!order.is_before(0, 3) && !order.is_before(0, 5) && !order.is_before(1, 2));
    }

    #[test]
    fn what_comes_after_another_one_comes_after_all_before_it() {
        let order = order(&[(3, Tie::After(0))]);
        assert!(order.is_before(0, 3) && order.is_before(0, 5) && !order.is_before(0, 1));
        assert!(!order.is_before(2, 5) && !order.is_before(1, 2));
    }

    #[test]
    fn of_two_that_are_one_neither_comes_first_and_both_hear_of_all() {
        let order = order(&[(3, Tie::With(2))]);
        assert!(!order.is_before(2, 3) && !order.is_before(3, 2));
        assert!(order.is_before(0, 3) && order.is_before(1, 2) && order.is_before(2, 5) && order.is_before(3, 4));
        assert!(order.is_before(1, 4) && order.is_before(0, 5) && !order.is_before(4, 5));
    }
}
