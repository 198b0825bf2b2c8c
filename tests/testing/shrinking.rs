//! What fails is shrunk to the fewest events, and runs again by its token.
//!
//! Knows nothing of why it fails.

use super::cast::{find, named};
use csproc::prelude::*;
use csproc::testing::{Run, replay, schedule, simulate};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

#[process]
fn philosopher(first: Writer<()>, second: Writer<()>, meals: usize) -> csproc::Result<()> {
    for _ in 0..meals {
        first.write(())?;
        second.write(())?;
        first.write(())?;
        second.write(())?;
    }
    Ok(())
}

#[process]
fn fork(holders: Vec<Reader<()>>) -> csproc::Result<()> {
    loop {
        let (who, ()) = select_read(&holders)?;
        holders[who].read()?;
    }
}

type Dinner = Network<(Vec<csproc::Result<()>>, Vec<csproc::Result<()>>)>;

fn dining(count: usize) -> Dinner {
    dining_often(count, 1)
}

fn dining_often(count: usize, meals: usize) -> Dinner {
    let left: Vec<Channel<()>> = (0..count).map(|number| named(&format!("left {number}"))).collect();
    let right: Vec<Channel<()>> = (0..count).map(|number| named(&format!("right {number}"))).collect();
    network!(
        for i in 0..count => philosopher(left[i].writer(), right[(i + 1) % count].writer(), meals),
        for i in 0..count => fork(vec![left[i].reader(), right[i].reader()])
    )
}

#[test]
fn philosophers_deadlock_in_as_many_events_as_there_are_of_them() {
    // Who eats again has a round that is not needed.
    for (count, meals) in [(3, 1), (5, 1), (8, 1), (12, 1), (3, 2), (5, 2)] {
        for start in 0..20 {
            let config =
                Config { cases: 2000, failure_persistence: None, max_shrink_iters: 100_000, ..Config::default() };
            let dice = TestRng::from_seed(RngAlgorithm::ChaCha, &[start; 32]);
            let failed = TestRunner::new_with_rng(config, dice).run(&schedule(), |schedule| {
                let run = simulate(&schedule, || dining_often(count, meals));
                if run.is_deadlock_free() { Ok(()) } else { Err(TestCaseError::fail(run.to_string())) }
            });
            let Err(TestError::Fail(reason, schedule)) = failed else { panic!("{failed:?}") };
            let run = simulate(&schedule, || dining_often(count, meals));
            assert!(!run.is_deadlock_free());
            assert_eq!(run.trace().len(), count, "{reason}");
        }
    }
}

#[test]
fn what_is_printed_has_the_lines_of_both_ends_and_a_token_that_shows_it_again() {
    let text = find(2000, &schedule(), || dining(3), |run| run.is_deadlock_free()).expect("they deadlock");
    assert!(text.contains("deadlock after 3 events"), "{text}");
    assert!(text.contains("philosopher[0] → fork[0] on `left 0`"), "{text}");
    assert!(text.matches("shrinking.rs").count() >= 6, "{text}");
    let token = text.split("replay(\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    let again = replay(token, || dining(3));
    assert!(!again.is_deadlock_free() && again.parts_from_schedule().is_none(), "{again}");
    // The program has changed: what is not possible any more is said.
    let other = replay(token, || dining(2));
    assert!(other.parts_from_schedule().is_some_and(|parted| parted.contains("was not possible")), "{other}");
}

#[process]
fn takes_three(input: Reader<u32>) -> csproc::Result<Vec<u32>> {
    Ok(vec![input.read()?, input.read()?, input.read()?])
}

#[process]
fn writes(out: Writer<u32>, value: u32) -> csproc::Result<()> {
    Ok(out.write(value)?)
}

#[test]
fn a_crash_that_is_not_needed_is_left_out() {
    let network = || {
        let c = Channel::new();
        network!(for value in 0..3 => writes(c.writer(), value), takes_three(c.reader()))
    };
    type Came = (Vec<csproc::Result<()>>, csproc::Result<Vec<u32>>);
    let unordered = |run: &Run<Came>| run.result().is_none_or(|(_, got)| got.as_ref().map_or(true, |got| got[0] < 2));
    let text = find(500, &schedule().crashes(2), network, unordered).expect("they come in any order");
    assert!(text.contains("completed after 3 events") && !text.contains("killed"), "{text}");
}

#[test]
fn a_small_run_prints_as_a_chart_and_every_run_as_data() {
    let text = find(2000, &schedule(), || dining(3), |run| run.is_deadlock_free()).expect("they deadlock");
    assert_eq!(text.matches('►').count(), 3, "{text}");
    let token = text.split("replay(\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    let run = replay(token, || dining(3));
    assert!(run.to_json().contains(r#""outcome":"deadlock""#), "{}", run.to_json());
    assert_eq!(run.to_json().matches(r#""kind":"communicated""#).count(), 3);
    assert_eq!(run.to_mermaid().matches("->>").count(), 3);
    // Who waits for whom.
    assert!(run.to_dot().contains("philosopher[0]"), "{}", run.to_dot());
}

/// Two lines of a failure: where the nearest run that passes differs.
fn nearest(text: &str) -> (usize, &str, &str) {
    let (_, rest) = text.split_once("can pass if, at event ").expect("the nearest run");
    let (number, rest) = rest.split_once(", `").unwrap();
    let (comes, rest) = rest.split_once("` comes\ninstead of `").unwrap();
    let (instead, _) = rest.split_once("` (the nearest run that the search has seen pass)\n").unwrap();
    (number.parse().unwrap(), comes, instead)
}

#[test]
fn a_failure_says_at_which_event_the_nearest_run_that_passes_goes_another_way() {
    for count in [3, 5] {
        let text = find(2000, &schedule(), || dining(count), |run| run.is_deadlock_free()).expect("they deadlock");
        let (number, comes, instead) = nearest(&text);
        // The last fork is what matters: all but one have been taken.
        assert_eq!(number, count, "{text}");
        assert!(text.contains(&format!("{number}. {}", instead.replace("on ", "on `"))), "{text}");
        // Decided so, it passes.
        assert!(comes.contains(" → fork[") && comes.contains("on right") && comes != instead, "{text}");
    }
}

#[test]
fn the_nearest_run_that_passes_does_pass() {
    let seen = std::cell::RefCell::new(Vec::new());
    let text = find(
        2000,
        &schedule(),
        || dining(3),
        |run| {
            seen.borrow_mut().push((run.is_deadlock_free(), run.trace().to_vec()));
            run.is_deadlock_free()
        },
    );
    let text = text.expect("they deadlock");
    let (number, comes, instead) = nearest(&text);
    let seen = seen.into_inner();
    let (_, smallest) = seen.last().unwrap();
    let is = |event: &csproc::testing::Event, words: &str| event.to_string().replace('`', "").starts_with(words);
    assert!(is(&smallest[number - 1], instead), "{text}");
    // Some run that has passed begins as the smallest does and then goes that way; none has more in common with it.
    let common = |trace: &[csproc::testing::Event]| trace.iter().zip(smallest).take_while(|(a, b)| a == b).count();
    let passed = || seen.iter().filter(|(passes, _)| *passes);
    assert!(passed().any(|(_, trace)| common(trace) == number - 1 && is(&trace[number - 1], comes)), "{text}");
    let shrunk = seen.iter().position(|(passes, _)| !passes).unwrap();
    let later = seen[shrunk..].iter().filter(|(passes, _)| *passes);
    assert_eq!(later.map(|(_, trace)| common(trace)).max(), Some(number - 1), "{text}");
}

#[process]
fn takes_both(first: Lock, second: Lock, told: Writer<u32>) -> csproc::Result<()> {
    let _first = first.acquire()?;
    told.write(1)?;
    let _second = second.acquire()?;
    Ok(())
}

#[test]
fn processes_with_the_same_name_are_told_apart_wherever_a_run_is_printed() {
    let network = || {
        let (a, b, c) = (Lock::new().named("a"), Lock::new().named("b"), named("told"));
        network!(
            takes_both(a.clone(), b.clone(), c.writer()),
            takes_both(b, a, c.writer()),
            super::cast::sink(c.reader())
        )
    };
    let text = find(2000, &schedule(), network, |run| run.is_deadlock_free()).expect("they take them crosswise");
    for number in [1, 2] {
        assert!(text.contains(&format!("takes_both#{number} → sink on `told`")), "{text}");
    }
    let (_, comes, instead) = nearest(&text);
    assert!(comes.contains('#') && comes != instead, "{text}");
    // A column for each of them.
    let chart = text.lines().find(|line| line.contains("sink") && !line.contains("→") && !line.contains('`'));
    assert!(chart.is_some_and(|line| line.contains("takes_both#1") && line.contains("takes_both#2")), "{text}");
    let run = replay("csp1:00", network);
    assert!(run.trace().iter().any(|event| event.process() == "takes_both"), "the name is the name");
    assert!(run.to_json().contains(r#""process":"takes_both#1""#));
}

#[process]
fn doubles(input: Reader<u32>, out: Writer<u32>) -> csproc::Result<()> {
    for value in input {
        out.write(value * 2)?;
    }
    Ok(())
}

#[process]
fn sends(out: Writer<u32>, values: Vec<u32>) -> csproc::Result<()> {
    values.into_iter().try_for_each(|value| out.write(value))?;
    Ok(())
}

/// Two workers, so that results overtake each other; whether the results come in order.
fn in_order(schedule: &csproc::testing::Schedule, values: &[u32]) -> bool {
    let run = simulate(schedule, || {
        let (c, d) = (named("values"), named("doubled"));
        network!(
            sends(c.writer(), values.to_vec()),
            doubles(c.reader(), d.writer()),
            doubles(c.reader(), d.writer()),
            super::cast::sink(d.reader())
        )
    });
    let expected: Vec<u32> = values.iter().map(|value| value * 2).collect();
    run.messages::<u32>("doubled") == expected
}

/// How many values are left, from several starts.
fn left<S: proptest::strategy::Strategy>(strategy: &S, property: impl Fn(&S::Value) -> (usize, bool)) -> Vec<usize> {
    let left = |start| {
        let config = Config { failure_persistence: None, max_shrink_iters: 100_000, ..Config::default() };
        let dice = TestRng::from_seed(RngAlgorithm::ChaCha, &[start; 32]);
        let smallest = std::cell::Cell::new(usize::MAX);
        let result = TestRunner::new_with_rng(config, dice).run(strategy, |value| {
            let (count, holds) = property(&value);
            if holds {
                return Ok(());
            }
            smallest.set(count);
            Err(TestCaseError::fail("another order"))
        });
        assert!(result.is_err());
        smallest.get()
    };
    (0..10).map(left).collect()
}

#[test]
fn inputs_are_shrunk_with_the_schedule_whichever_comes_first() {
    let values = || proptest::collection::vec(0..1000u32, 0..10);
    let inputs_last = left(&(schedule(), values()), |(schedule, values)| (values.len(), in_order(schedule, values)));
    let inputs_first = left(&(values(), schedule()), |(values, schedule)| (values.len(), in_order(schedule, values)));
    let is_small = |counts: &[usize], most: usize, sum: usize| {
        counts.iter().all(|count| *count <= most) && counts.iter().sum::<usize>() <= sum
    };
    // Two are enough, and what comes first is not gone through again.
    assert!(is_small(&inputs_last, 3, 22), "{inputs_last:?}");
    assert!(is_small(&inputs_first, 8, 50), "{inputs_first:?}");
}
