//! What comes out for what goes in: order, places, laziness, chunks, and failures of single tasks.
//!
//! Knows nothing of workers that die.

use crate::harness::scenario::{Scenario, play_in_small_arena};
use crate::pool;
use csproc::pool::{Pool, TaskError, TaskFailure};
use csproc::prelude::*;
use csproc::{Message, MessageError};
use proptest::prelude::*;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

pub(crate) const SCENARIOS: &[Scenario] = &[("a full arena", a_full_arena)];

/// What cannot be taken apart, or not be put together again, if its number says so.
#[derive(Clone, Debug, PartialEq)]
struct Fragile(u32);

const NOT_SENT: u32 = 1;
const NOT_SENT_BUT_PANICS: u32 = 2;
const NOT_READ: u32 = 3;
const NOT_READ_BUT_PANICS: u32 = 4;

impl Serialize for Fragile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            NOT_SENT => Err(serde::ser::Error::custom("it is not sent")),
            NOT_SENT_BUT_PANICS => panic!("it is not sent"),
            number => number.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Fragile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fragile, D::Error> {
        match u32::deserialize(deserializer)? {
            NOT_READ => Err(serde::de::Error::custom("it is not read")),
            NOT_READ_BUT_PANICS => panic!("it is not read"),
            number => Ok(Fragile(number)),
        }
    }
}

fn failure<R: std::fmt::Debug>(result: Result<R, TaskError>) -> TaskFailure {
    result.unwrap_err().failure
}

/// The places of those that failed.
fn failed<R>(results: impl Iterator<Item = Result<R, TaskError>>) -> Vec<usize> {
    results.filter_map(|result| result.err().map(|error| error.index.unwrap())).collect()
}

over_both! {
    fn a_map_is_the_map_of_an_iterator(placement) {
        let pool = pool(3, placement).build().unwrap();
        for count in [0, 1, 2, 3, 7, 24, 25, 1000] {
            let squares = pool.map(|x: u64| x * x, 0..count).unwrap();
            assert!(squares.into_iter().eq((0..count).map(|x| x * x)), "{count}");
        }
        let words = ["one", "two", "three"].map(String::from);
        assert_eq!(pool.map(|word: String| word.len(), words).unwrap(), [3, 3, 5]);
        pool.join().unwrap();
    }

    fn however_a_job_is_cut_its_results_are_the_same(placement) {
        let pool = pool(2, placement).build().unwrap();
        for (chunk, ahead, count) in (1..5).flat_map(|c| (1..4).flat_map(move |a| [0, 1, 10, 13].map(|n| (c, a, n)))) {
            let job = || pool.job(|x: u32| x + 1, 0..count).chunk(chunk).ahead(ahead);
            assert!(job().collect().unwrap().into_iter().eq(1..=count));
            let unordered: BTreeSet<u32> = job().unordered().map(Result::unwrap).collect();
            assert!(unordered.into_iter().eq(1..=count), "{chunk} {ahead} {count}");
            let mut placed: Vec<_> = job().unordered().with_index().map(|(place, one)| (place, one.unwrap())).collect();
            placed.sort_unstable();
            assert!(placed.into_iter().eq((0..count).map(|x| (x as usize, x + 1))));
        }
        pool.join().unwrap();
    }

    fn what_is_ready_first_comes_first_when_order_does_not_count(placement) {
        let pool = pool(2, placement).build().unwrap();
        let (w, r) = csproc::channel::<u32>();
        let wait = |(first, input): (u32, Option<Reader<u32>>)| input.map_or(first, |input| input.read().unwrap());
        let items = [(0, Some(r)), (1, None), (2, None)];
        let mut results = pool.imap_unordered(wait, items).with_index();
        let mut early = vec![results.next().unwrap(), results.next().unwrap()];
        early.sort_by_key(|(place, _)| *place);
        assert_eq!(early, [(1, Ok(1)), (2, Ok(2))]);
        w.write(7).unwrap();
        assert_eq!(results.next(), Some((0, Ok(7))));
        assert_eq!(results.next(), None);
        drop(results);
        pool.join().unwrap();
    }

    fn no_more_is_read_than_is_given_ahead(placement) {
        let pool = pool(2, placement).build().unwrap();
        let read = Cell::new(0);
        let items = || (0_u64..).inspect(|_| read.set(read.get() + 1));
        // Of an iterator without an end nobody knows the length: one at a time.
        let mut results = pool.imap(|x| x, items());
        assert_eq!(read.get(), 0, "nothing is read before something is asked for");
        for number in 0..20 {
            assert_eq!(results.next(), Some(Ok(number)));
            assert_eq!(read.get(), number + 4);
        }
        drop(results);
        read.set(0);
        let mut results = pool.job(|x| x, items()).chunk(5).ahead(2).ordered();
        assert_eq!(results.next(), Some(Ok(0)));
        assert_eq!(read.get(), 10);
        assert_eq!(results.nth(4), Some(Ok(5)), "the second chunk has come");
        assert_eq!(read.get(), 15);
        drop(results);
        pool.join().unwrap();
    }

    fn progress_tells_of_each_answer_in_the_calling_thread(placement) {
        let pool = pool(2, placement).build().unwrap();
        let told = RefCell::new(Vec::new());
        let tell = |done, total| told.borrow_mut().push((done, total));
        pool.job(|x: u8| x, 0..10).chunk(4).progress(tell).collect().unwrap();
        assert_eq!(told.take(), [(4, Some(10)), (8, Some(10)), (10, Some(10))]);
        let unknown = (0..10).filter(|x| x % 2 == 0);
        pool.job(|x: u8| x, unknown).chunk(4).progress(tell).unordered().for_each(drop);
        let mut seen = told.take();
        assert_eq!(seen.pop(), Some((5, None)));
        assert_eq!(seen.len(), 1);
        pool.join().unwrap();
    }

    fn a_panic_is_its_own_tasks_and_says_what_and_where(placement) {
        let pool = pool(2, placement).build().unwrap();
        let odd = |x: u32| {
            assert!(x.is_multiple_of(2), "{x} is odd");
            x
        };
        for chunk in [1, 3] {
            let results: Vec<_> = pool.job(odd, 0..6).chunk(chunk).ordered().collect();
            for (place, result) in (0..).zip(results) {
                match result {
                    Ok(x) => assert!(x == place && place % 2 == 0),
                    Err(TaskError { index, failure: TaskFailure::Panicked { message, location } }) => {
                        assert_eq!((index, message), (Some(place as usize), format!("{place} is odd")));
                        assert!(location.starts_with(file!()), "{location}");
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
        let error = pool.map(odd, 0..100).unwrap_err();
        assert_eq!(error.index, Some(1), "the first in order");
        pool.join().unwrap();
    }

    fn an_argument_that_is_no_message_is_the_failure_of_its_own_task(placement) {
        let pool = pool(2, placement).build().unwrap();
        let number = |Fragile(number): Fragile| number;
        let items = [10, NOT_SENT, 12, NOT_SENT, 14].map(Fragile);
        for chunk in [1, 2, 5] {
            let results: Vec<_> = pool.job(number, items.clone()).chunk(chunk).ordered().collect();
            assert_eq!(results.iter().flatten().collect::<Vec<_>>(), [&10, &12, &14]);
            assert_eq!(failed(results.clone().into_iter()), [1, 3]);
            let TaskFailure::Invalid(MessageError::Encode { reason, .. }) = failure(results[1].clone()) else {
                panic!("{results:?}");
            };
            assert!(reason.contains("it is not sent"), "{reason}");
        }
        assert_eq!(pool.submit(number, Fragile(NOT_SENT)).unwrap_err().index, None);
        assert!(matches!(failure(pool.apply(number, Fragile(NOT_SENT))), TaskFailure::Invalid(_)));
        pool.join().unwrap();
    }

    fn an_argument_that_cannot_be_read_fails_its_chunk_and_no_worker(placement) {
        let pool = pool(1, placement).build().unwrap();
        let who = |_: Fragile| csproc::current().id();
        let worker = pool.apply(who, Fragile(10)).unwrap();
        for not in [NOT_READ, NOT_READ_BUT_PANICS] {
            let items = [10, 11, not, 13, 14, 15].map(Fragile);
            assert_eq!(failed(pool.job(who, items.clone()).chunk(1).ordered()), [2]);
            assert_eq!(failed(pool.job(who, items.clone()).chunk(2).ordered()), [2, 3]);
            let told = failure(pool.apply(who, Fragile(not))).to_string();
            assert!(told.contains("it is not read"), "{told}");
        }
        assert_eq!(pool.apply(who, Fragile(10)).unwrap(), worker, "the worker lives on");
        pool.join().unwrap();
    }

    fn a_result_that_is_no_message_is_the_failure_of_its_own_task(placement) {
        let pool = pool(2, placement).build().unwrap();
        for not in [NOT_SENT, NOT_SENT_BUT_PANICS] {
            let items = [10, not, 12, not, 14];
            for chunk in [1, 2, 5] {
                let results: Vec<_> = pool.job(Fragile, items).chunk(chunk).ordered().collect();
                assert_eq!(failed(results.clone().into_iter()), [1, 3]);
                let sound: Vec<_> = results.iter().flatten().map(|Fragile(number)| *number).collect();
                assert_eq!(sound, [10, 12, 14]);
                let told = failure(results[1].clone()).to_string();
                assert!(told.contains("it is not sent"), "{told}");
            }
        }
        // One that is sent and cannot be read is told to whoever reads.
        let TaskFailure::Invalid(MessageError::Decode { reason, .. }) = failure(pool.apply(Fragile, NOT_READ)) else {
            panic!("it can be read");
        };
        assert!(reason.contains("it is not read"), "{reason}");
        pool.join().unwrap();
    }

    fn ends_of_channels_go_with_arguments_and_results(placement) {
        let pool = pool(2, placement).build().unwrap();
        let (w, r) = csproc::channel::<u64>();
        let send = |(to, number): (Writer<u64>, u64)| to.write(number).is_ok();
        let items: Vec<_> = (0..5).map(|number| (w.clone(), number)).collect();
        drop(w);
        let reader = std::thread::spawn(move || r.into_iter().sum::<u64>());
        assert_eq!(pool.map(send, items).unwrap(), [true; 5]);
        assert_eq!(reader.join().unwrap(), 10, "the channel has retired with the last of them");
        let readers = pool.map(|number: u64| {
            let (w, r) = csproc::shared::simplex();
            w.write(number).unwrap();
            r
        }, 0..5).unwrap();
        assert!(readers.iter().map(|r| r.read().unwrap()).eq(0..5));
        pool.join().unwrap();
    }

    fn many_threads_use_one_pool(placement) {
        let pool = pool(2, placement).build().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..20 {
                        let sums = pool.map(|(a, b): (u64, u64)| a + b, (0..10).map(|x| (thread * 1000 + x, round)));
                        assert!(sums.unwrap().into_iter().eq((0..10).map(|x| thread * 1000 + x + round)));
                    }
                });
            }
        });
        pool.join().unwrap();
    }

    fn pools_make_pools(placement) {
        fn nested((depth, placement): (u32, Placement)) -> u64 {
            if depth == 0 {
                return 1;
            }
            let pool = crate::pool(2, placement).build().unwrap();
            let counts = pool.map(nested, vec![(depth - 1, placement); 2]).unwrap();
            counts.iter().sum()
        }
        let pool = pool(2, placement).build().unwrap();
        assert_eq!(pool.map(nested, vec![(2, placement); 2]).unwrap(), [4, 4]);
        // A pool that is being ended is no obstacle to its tasks.
        let task = pool.submit(nested, (2, placement)).unwrap();
        pool.join().unwrap();
        assert_eq!(task.wait().unwrap(), 4);
    }
}

fn double<T: Message + Clone>(value: T) -> (T, T) {
    (value.clone(), value)
}

once! {
    fn functions_may_be_generic() {
        let pool = Pool::new(1).unwrap();
        assert_eq!(pool.map(double, ["a".to_string()]).unwrap(), [("a".to_string(), "a".to_string())]);
        assert_eq!(pool.map(double, [7]).unwrap(), [(7, 7)]);
        pool.join().unwrap();
    }

    fn any_cut_of_any_job_gives_the_same_results() {
        let pool = Pool::threads(3).unwrap();
        proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) }, |(
            items in prop::collection::vec(any::<u16>(), 0..200), chunk in 1_usize..20, ahead in 1_usize..20,
        )| {
            let expected: Vec<u32> = items.iter().map(|x| u32::from(*x) + 1).collect();
            let add = |x: u16| u32::from(x) + 1;
            let results = pool.job(add, items).chunk(chunk).ahead(ahead).collect().unwrap();
            prop_assert_eq!(results, expected);
        });
        pool.join().unwrap();
    }

    fn whatever_fails_in_a_chunk_each_task_has_its_own_end() {
        const PANICS: u32 = 5;
        fn turn(Fragile(number): Fragile) -> Fragile {
            assert_ne!(number, PANICS);
            // What was sent as 10 and more is a result that cannot be.
            Fragile(if number >= 10 { number % 10 } else { number })
        }
        let pool = Pool::threads(2).unwrap();
        let kinds = [NOT_SENT, PANICS, 6, 7, 10 + NOT_SENT, 10 + NOT_SENT_BUT_PANICS];
        proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) }, |(
            items in prop::collection::vec(prop::sample::select(kinds.to_vec()), 0..60), chunk in 1_usize..20,
        )| {
            let results: Vec<_> = pool.job(turn, items.iter().copied().map(Fragile)).chunk(chunk).ordered().collect();
            prop_assert_eq!(results.len(), items.len());
            for ((place, item), result) in items.iter().enumerate().zip(&results) {
                match (*item, result) {
                    (6 | 7, Ok(Fragile(number))) => prop_assert_eq!(number, item),
                    (PANICS, Err(TaskError { index, failure: TaskFailure::Panicked { message, .. } })) => {
                        prop_assert_eq!(*index, Some(place));
                        prop_assert!(message.contains("left != right"), "{}", message);
                    }
                    (NOT_SENT | 10.., Err(TaskError { index, failure })) => {
                        prop_assert_eq!(*index, Some(place));
                        prop_assert!(failure.to_string().contains("it is not sent"), "{}", failure);
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            let first = items.iter().position(|item| !matches!(item, 6 | 7));
            let all = pool.job(turn, items.iter().copied().map(Fragile)).chunk(chunk).collect();
            prop_assert_eq!(all.err().and_then(|error| error.index), first);
        });
        pool.join().unwrap();
    }

    fn a_full_arena_costs_results_and_no_hang() {
        play_in_small_arena("a full arena");
    }
}

/// Results for which there is no room fail by themselves; where there is no room for a reason either, the worker does.
fn a_full_arena() {
    let large = |size: usize| vec![7_u8; size];
    let pool = Pool::new(2).unwrap();
    let kept = Queue::<Vec<u8>>::new();
    while kept.put(vec![0; 10_000]).is_ok() {}
    // Room for tasks and reasons, of which none takes that much, and for no result.
    (0..20).for_each(|_| drop(kept.get().unwrap()));
    for chunk in [1, 3] {
        for result in pool.job(large, [1 << 20; 6]).chunk(chunk).ordered() {
            let error = result.unwrap_err();
            assert!(matches!(&error.failure, TaskFailure::Invalid(MessageError::Memory { .. })), "{error}");
            assert!(error.to_string().contains("CSPROC_ARENA"), "{error}");
        }
    }
    while kept.put(vec![0; 100]).is_ok() || kept.put(vec![0; 10]).is_ok() {}
    assert_eq!(failed(pool.imap(large, [1 << 20; 6])), [0, 1, 2, 3, 4, 5]);
    drop(kept);
    drop(pool);
    let pool = Pool::new(2).unwrap();
    assert_eq!(pool.map(large, [1000; 6]).unwrap(), vec![vec![7; 1000]; 6]);
    pool.join().unwrap();
}
