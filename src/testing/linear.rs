//! Linearizability: whether what processes have heard of a shared object could have been heard by one after the other.
//!
//! Knows nothing of how a history came about. The search is that of Wing and Gong ("Testing and Verifying Concurrent
//! Objects", 1993), which remembers where it has been (Lowe, "Testing for Linearizability", 2017): a call can be next
//! if no other one that is still to come had ended before it began; it is, if the object answers to it what was heard.
//! Two orders of the same calls that leave the object in the same state come to the same.

use super::history::{Call, History};
use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

/// A sequential specification: what an object answers when it is asked one thing at a time. The value is its state.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::testing::{History, Recorder, Sequential, schedule, simulate};
/// use proptest::prelude::*;
/// use proptest::test_runner::TestRunner;
///
/// /// It counts, and answers what it has counted before.
/// #[derive(Clone, PartialEq, Eq, Hash)]
/// struct Counter(u32);
///
/// impl Sequential for Counter {
///     type Operation = ();
///     type Answer = u32;
///
///     fn apply(&mut self, _: &()) -> Option<u32> {
///         self.0 += 1;
///         Some(self.0 - 1)
///     }
/// }
///
/// #[process]
/// fn counts(total: Value<u32>, recorder: Recorder<(), u32>) -> csproc::Result<()> {
///     recorder.call((), || {
///         let before = total.get();
///         let _ = total.set(before + 1); // What somebody else has done since is lost.
///         before
///     })?;
///     Ok(())
/// }
///
/// let failed = TestRunner::default().run(&schedule(), |s| {
///     let run = simulate(&s, || {
///         let (total, recorder) = (Value::new(0), Recorder::new().expect("there is room"));
///         network!(counts(total.clone(), recorder.clone()), counts(total, recorder))
///     });
///     let history = History::<(), u32>::of(&run);
///     prop_assert!(history.linearize(Counter(0)).is_ok(), "{}\n{run}", history.linearize(Counter(0)).unwrap_err());
///     Ok(())
/// });
/// assert!(failed.unwrap_err().to_string().contains("() -> 0"));
/// ```
pub trait Sequential: Clone + Eq + Hash {
    /// What it is asked.
    type Operation;
    /// What it answers.
    type Answer: PartialEq;

    /// Does what it is asked, and answers. `None` lets the caller wait: what it asks is not possible now.
    fn apply(&mut self, operation: &Self::Operation) -> Option<Self::Answer>;
}

/// Which of the calls have their place in the order.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Placed(Box<[u64]>);

impl Placed {
    fn none(calls: usize) -> Placed {
        Placed(vec![0; calls.div_ceil(64)].into_boxed_slice())
    }

    fn has(&self, call: usize) -> bool {
        self.0[call / 64] & 1 << (call % 64) != 0
    }

    fn flip(&mut self, call: usize) {
        self.0[call / 64] ^= 1 << (call % 64);
    }
}

/// What is known of a call: until when it was under way, if it has ended, and what was heard then.
struct Known<'a, A> {
    began: usize,
    ended: Option<(usize, &'a A)>,
}

impl<A> Clone for Known<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Known<'_, A> {}

/// A search for an order.
struct Search<'a, S: Sequential> {
    operations: Vec<&'a S::Operation>,
    known: Vec<Known<'a, S::Answer>>,
    order: Vec<usize>,
    placed: Placed,
    seen: HashSet<(Placed, S)>,
    /// The longest order so far, and the object after it.
    longest: (Vec<usize>, S),
}

impl<'a, S: Sequential> Search<'a, S> {
    fn of(calls: &'a [Call<S::Operation, S::Answer>], known: Vec<Known<'a, S::Answer>>, start: &S) -> Search<'a, S> {
        Search {
            operations: calls.iter().map(|call| &call.operation).collect(),
            order: Vec::new(),
            placed: Placed::none(known.len()),
            known,
            seen: HashSet::new(),
            longest: (Vec::new(), start.clone()),
        }
    }

    /// Whether there is an order; it is in `order` then. Calls that have not ended need no place in it.
    fn run(&mut self) -> bool {
        // Without recursion, since a history may be long: the objects on the way, and which call is tried next at each.
        let mut way = vec![(self.longest.1.clone(), 0)];
        while let Some((object, next)) = way.last_mut() {
            let left = (0..self.known.len()).filter(|call| !self.placed.has(*call));
            let Some(first_end) = left.filter_map(|call| self.known[call].ended).map(|(end, _)| end).min() else {
                return true;
            };
            let can_be_next = |call: &usize| !self.placed.has(*call) && self.known[*call].began < first_end;
            let Some(call) = (*next..self.known.len()).find(can_be_next) else {
                way.pop();
                if let Some(undone) = self.order.pop() {
                    self.placed.flip(undone);
                }
                continue;
            };
            *next = call + 1;
            let mut after = object.clone();
            let answer = after.apply(self.operations[call]);
            let heard = self.known[call].ended.map(|(_, heard)| heard);
            if answer.is_none_or(|answer| heard.is_some_and(|heard| answer != *heard)) {
                continue;
            }
            self.placed.flip(call);
            if self.seen.insert((self.placed.clone(), after.clone())) {
                self.order.push(call);
                if self.longest.0.len() < self.order.len() {
                    self.longest = (self.order.clone(), after.clone());
                }
                way.push((after, 0));
            } else {
                self.placed.flip(call);
            }
        }
        false
    }
}

impl<O, A: PartialEq> History<O, A> {
    /// Finds an order of the calls in which an object that is asked one thing at a time, and is `start` at the
    /// beginning, gives the same answers: each call has its place between its beginning and its end. One that has not
    /// ended may have been done or not. Gives the places in [`calls`](History::calls), in that order.
    ///
    /// The time and the memory that it takes grow with the number of orders in which calls overlap; some hundred calls
    /// of a few processes are nothing.
    ///
    /// # Errors
    /// There is none: the object is not linearizable.
    ///
    /// # Examples
    /// See [`Sequential`].
    pub fn linearize<S: Sequential<Operation = O, Answer = A>>(&self, start: S) -> Result<Vec<usize>, Violation>
    where
        O: fmt::Debug,
        A: fmt::Debug,
    {
        let find = |known| {
            let mut search = Search::of(&self.calls, known, &start);
            if search.run() { Ok(search.order) } else { Err(Box::new(search)) }
        };
        let order = find(self.known_at(usize::MAX));
        if let Ok(order) = order {
            return Ok(order);
        }
        // What has an order at some moment had one at each moment before.
        let mut ends: Vec<usize> = self.calls.iter().filter_map(|call| call.ended).collect();
        ends.sort_unstable();
        let first = ends.partition_point(|end| find(self.known_at(*end)).is_ok());
        let end = ends.get(first).copied().unwrap_or(usize::MAX);
        match find(self.known_at(end)) {
            Ok(order) => Ok(order),
            Err(search) => Err(self.violation(&search, end)),
        }
    }

    /// What is known of the calls at this moment.
    fn known_at(&self, moment: usize) -> Vec<Known<'_, A>> {
        let known = |call: &'_ Call<O, A>| Known { began: call.began, ended: None };
        let mut all: Vec<Known<'_, A>> = self.calls.iter().map(known).collect();
        for (known, call) in all.iter_mut().zip(&self.calls) {
            known.ended = call.ended.zip(call.answer.as_ref()).filter(|(ended, _)| *ended <= moment);
        }
        all
    }

    fn violation<S: Sequential<Operation = O, Answer = A>>(&self, search: &Search<'_, S>, end: usize) -> Violation
    where
        O: fmt::Debug,
        A: fmt::Debug,
    {
        let name = |place: usize| {
            let (call, known) = (&self.calls[place], search.known[place]);
            let answer = known.ended.map_or_else(|| String::from("?"), |(_, answer)| format!("{answer:?}"));
            format!("{}: {:?} -> {answer}", call.process, call.operation)
        };
        let line = |place: usize| {
            let known = search.known[place];
            let ended = known.ended.map_or_else(String::new, |(ended, _)| (ended + 1).to_string());
            format!("{:>4} to {ended:<4} {}", known.began + 1, name(place))
        };
        let (order, object) = &search.longest;
        let instead = |place: usize| match object.clone().apply(search.operations[place]) {
            Some(answer) => format!("{}: it would be {answer:?}", name(place)),
            None => format!("{}: it would wait", name(place)),
        };
        let begun = (0..self.calls.len()).filter(|place| self.calls[*place].began < end);
        let stuck = begun.clone().filter(|place| !order.contains(place) && search.known[*place].ended.is_some());
        Violation {
            calls: begun.map(line).collect(),
            order: order.iter().map(|place| name(*place)).collect(),
            instead: stuck.map(instead).collect(),
        }
    }
}

/// Why a history has no order: its beginning, until the first answer after which there is none. What had not been
/// answered by then has none here (`?`).
///
/// It prints as these calls, from which entry of the history to which; the longest order that there is of them; and
/// what the object would answer to the others after that.
///
/// # Examples
/// See [`Sequential`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    calls: Vec<String>,
    order: Vec<String>,
    instead: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "no order of these calls, one after the other, has these answers:")?;
        self.calls.iter().try_for_each(|call| writeln!(f, "    {call}"))?;
        writeln!(f, "the longest that there is:")?;
        self.order.iter().try_for_each(|call| writeln!(f, "    {call}"))?;
        write!(f, "and then:")?;
        self.instead.iter().try_for_each(|call| write!(f, "\n    {call}"))
    }
}

impl std::error::Error for Violation {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    enum Asked {
        Put(u8),
        Get,
        /// Waits while there is nothing.
        Await,
    }

    #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
    struct Fifo(VecDeque<u8>);

    impl Sequential for Fifo {
        type Operation = Asked;
        type Answer = Option<u8>;

        fn apply(&mut self, asked: &Asked) -> Option<Option<u8>> {
            match asked {
                Asked::Put(value) => {
                    self.0.push_back(*value);
                    Some(None)
                }
                Asked::Get => Some(self.0.pop_front()),
                Asked::Await => self.0.pop_front().map(Some),
            }
        }
    }

    /// Every order of every choice of calls is tried.
    fn has_order(history: &History<Asked, Option<u8>>, placed: &mut Vec<usize>, object: &Fifo) -> bool {
        let calls = &history.calls;
        let left: Vec<usize> = (0..calls.len()).filter(|call| !placed.contains(call)).collect();
        if left.iter().all(|call| calls[*call].ended.is_none()) {
            return true;
        }
        left.iter().any(|call| {
            let mut after = object.clone();
            let Some(answer) = after.apply(&calls[*call].operation) else { return false };
            let comes_late =
                left.iter().any(|other| calls[*other].ended.is_some_and(|ended| ended < calls[*call].began));
            if comes_late || calls[*call].answer.is_some_and(|heard| heard != answer) {
                return false;
            }
            placed.push(*call);
            let found = has_order(history, placed, &after);
            placed.pop();
            found
        })
    }

    fn histories() -> impl Strategy<Value = History<Asked, Option<u8>>> {
        let asked = prop_oneof![(0..3u8).prop_map(Asked::Put), Just(Asked::Get), Just(Asked::Await)];
        let call = (asked, prop::option::of(0..3u8), 0..10usize, prop::option::weighted(0.8, 0..10usize));
        prop::collection::vec(call, 1..7).prop_map(|drawn| {
            // Moments are places, each of one beginning or one end.
            let moment = |moment: usize, call: usize, is_end: bool| (moment * 10 + call) * 2 + usize::from(is_end);
            let calls = drawn.into_iter().enumerate().map(|(number, (operation, heard, began, lasts))| {
                let ended = lasts.map(|lasts| moment(began + lasts, number, true));
                let answer = if matches!(operation, Asked::Put(_)) { None } else { heard };
                let answer = ended.map(|_| if operation == Asked::Await { answer.or(Some(0)) } else { answer });
                let process = format!("p{number}");
                Call { process, operation, answer, began: moment(began, number, false), ended }
            });
            History { calls: calls.collect() }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_order_is_found_if_there_is_one(history in histories()) {
            let found = history.linearize(Fifo::default());
            prop_assert_eq!(found.is_ok(), has_order(&history, &mut Vec::new(), &Fifo::default()), "{:?}", found);
            if let Ok(order) = found {
                let mut object = Fifo::default();
                for place in order {
                    let answer = object.apply(&history.calls[place].operation).expect("it does not wait");
                    prop_assert!(history.calls[place].answer.is_none_or(|heard| heard == answer));
                }
            }
        }
    }

    fn call(
        process: &str,
        operation: Asked,
        answer: Option<Option<u8>>,
        began: usize,
        ended: Option<usize>,
    ) -> Call<Asked, Option<u8>> {
        Call { process: process.into(), operation, answer, began, ended }
    }

    #[test]
    fn what_it_says_is_as_short_as_it_can_be() {
        let calls = vec![
            call("a", Asked::Put(1), Some(None), 0, Some(1)),
            call("a", Asked::Put(2), Some(None), 2, Some(3)),
            call("c", Asked::Get, Some(Some(2)), 4, Some(7)),
            call("b", Asked::Get, Some(Some(2)), 5, Some(6)),
            call("a", Asked::Get, Some(None), 8, Some(9)),
        ];
        let violation = History { calls }.linearize(Fifo::default()).unwrap_err();
        let lines = [
            "no order of these calls, one after the other, has these answers:",
            "       1 to 2    a: Put(1) -> None",
            "       3 to 4    a: Put(2) -> None",
            "       5 to 8    c: Get -> Some(2)",
            "       6 to 7    b: Get -> Some(2)",
            "the longest that there is:",
            "    a: Put(1) -> None",
            "    a: Put(2) -> None",
            "and then:",
            "    c: Get -> Some(2): it would be Some(1)",
            "    b: Get -> Some(2): it would be Some(1)",
        ];
        assert_eq!(violation.to_string().lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn a_thousand_calls_one_after_the_other_take_no_stack_and_no_time() {
        let one = |number: usize| call("a", Asked::Put(0), Some(None), 2 * number, Some(2 * number + 1));
        let calls = (0..1000).map(one).collect();
        assert_eq!(History { calls }.linearize(Fifo::default()).unwrap().len(), 1000);
    }
}
