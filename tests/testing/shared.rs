//! Shared objects in a simulated network: locks, semaphores, queues, values, arrays and managed objects.
//!
//! Knows nothing of how a live one does it.

use super::cast::{always, find, sees_all};
use csproc::prelude::*;
use csproc::testing::{replay, schedule};

#[process]
fn locks_both(first: Lock, second: Lock) -> csproc::Result<()> {
    let _first = first.acquire()?;
    let _second = second.acquire()?;
    Ok(())
}

#[test]
fn locks_in_opposite_orders_deadlock_and_in_one_order_do_not() {
    let with = |crossed: bool| {
        move || {
            let (a, b) = (Lock::new(), Lock::new());
            let other = if crossed { locks_both(b.clone(), a.clone()) } else { locks_both(a.clone(), b.clone()) };
            network!(locks_both(a, b), other)
        }
    };
    let failed = find(300, &schedule(), with(true), |run| run.is_deadlock_free()).expect("they cross");
    assert!(failed.contains("waits to"), "{failed}");
    always(100, &schedule(), with(false), |run| run.completed());
}

#[process]
fn puts(queue: Queue<u32>, from: u32) -> csproc::Result<()> {
    for value in from..from + 3 {
        queue.put(value)?;
    }
    Ok(())
}

#[process]
fn gets(queue: Queue<u32>, count: u32) -> csproc::Result<Vec<u32>> {
    let mut got = Vec::new();
    for _ in 0..count {
        got.push(queue.get()?);
    }
    got.sort_unstable();
    Ok(got)
}

#[test]
fn queues_pass_on_everything_once() {
    let network = || {
        let queue = Queue::bounded(2);
        network!(puts(queue.clone(), 0), puts(queue.clone(), 10), gets(queue, 6))
    };
    always(100, &schedule(), network, |run| {
        run.completed()
            && run.result().is_some_and(|(.., got)| got.as_ref().is_ok_and(|got| *got == [0, 1, 2, 10, 11, 12]))
    });
}

#[process]
fn enters(limit: Semaphore, out: Writer<i32>) -> csproc::Result<()> {
    let _inside = limit.acquire()?;
    out.write(1)?;
    Ok(out.write(-1)?)
}

#[process]
fn most_inside(input: Reader<i32>) -> i32 {
    let mut inside = 0;
    input
        .into_iter()
        .map(|change| {
            inside += change;
            inside
        })
        .max()
        .unwrap_or(0)
}

#[test]
fn a_semaphore_lets_in_as_many_as_it_has_permits() {
    let network = || {
        let (limit, c) = (Semaphore::new(2), Channel::new());
        network!(for _ in 0..4 => enters(limit.clone(), c.writer()), most_inside(c.reader()))
    };
    always(200, &schedule(), network, |run| run.completed() && run.result().is_some_and(|(_, most)| *most <= 2));
    assert!(find(300, &schedule(), network, |run| run.result().is_none_or(|(_, most)| *most < 2)).is_some());
}

#[process]
fn counts() -> csproc::Result<Vec<i32>> {
    let manager = Manager::new()?;
    let list = manager.list(Vec::<i32>::new())?;
    list.push(1)?;
    list.push(2)?;
    Ok(list.to_vec()?)
}

#[process]
fn reads_when_both_are_done(number: Value<u32>, done: Reader<()>) -> u32 {
    assert!(done.read().is_err_and(|error| error.is_retired()));
    number.get()
}

#[process]
fn increments(how: Increment, _done: Writer<()>) -> csproc::Result<()> {
    match how {
        Increment::WithLock(number) => number.with_lock(|number| *number += 1)?,
        Increment::Without(number) => {
            let seen = number.get();
            number.set(seen + 1)?;
        }
    }
    Ok(())
}

#[derive(serde::Serialize, serde::Deserialize)]
enum Increment {
    WithLock(Value<u32>),
    Without(Value<u32>),
}

#[test]
fn increments_with_the_lock_add_up_and_without_it_one_may_be_lost() {
    let network = |how: fn(Value<u32>) -> Increment| {
        move || {
            let (number, done) = (Value::new(0), Channel::new());
            network!(
                for _ in 0..2 => increments(how(number.clone()), done.writer()),
                reads_when_both_are_done(number, done.reader())
            )
        }
    };
    let sums = |how| sees_all(300, &schedule(), network(how), |run| run.result().map(|(_, sum)| *sum));
    assert_eq!(sums(Increment::WithLock).into_iter().collect::<Vec<_>>(), [Some(2)]);
    assert_eq!(sums(Increment::Without).into_iter().collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[process]
fn negates(vector: Array<i32>) -> csproc::Result<Vec<i32>> {
    vector.with_lock(|numbers| numbers.iter_mut().for_each(|number| *number = -*number))?;
    Ok(vector.to_vec())
}

#[test]
fn arrays_are_shared() {
    let run = replay("csp1:00", || negates((0..4).collect::<Array<i32>>()));
    assert!(matches!(run.result(), Some(Ok(numbers)) if *numbers == [0, -1, -2, -3]), "{run}");
}

#[test]
fn a_manager_answers() {
    let run = replay("csp1:00", counts);
    assert!(matches!(run.result(), Some(Ok(list)) if *list == [1, 2]), "{run}");
}

#[process]
fn keeps_much() -> String {
    csproc::shared::Region::<u8>::try_zeroed(1 << 20).map(drop).unwrap_err().to_string()
}

#[test]
fn regions_are_refused_by_name() {
    let run = replay("csp1:00", keeps_much);
    assert!(run.result().is_some_and(|refusal| refusal.contains("a `Region` cannot be simulated")), "{run}");
}

/// Tells the other one, and does something that everybody sees at once.
#[process]
fn tells_and_sets(tell: Writer<()>, event: Event, permits: Semaphore) -> csproc::Result<()> {
    tell.write(())?;
    event.set();
    permits.post(1)?;
    Ok(())
}

#[process]
fn is_told_and_looks(told: Reader<()>, event: Event, permits: Semaphore) -> csproc::Result<(bool, usize)> {
    told.read()?;
    Ok((event.is_set(), permits.available()))
}

#[test]
fn who_looks_may_look_before_or_after_others_change_something() {
    let network = || {
        let (c, event, permits) = (Channel::new(), Event::new(), Semaphore::counting(0));
        network!(
            tells_and_sets(c.writer(), event.clone(), permits.clone()),
            is_told_and_looks(c.reader(), event, permits)
        )
    };
    let seen = sees_all(300, &schedule(), network, |run| match run.result() {
        Some((_, Ok(seen))) => *seen,
        _ => panic!("{run}"),
    });
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [(false, 0), (false, 1), (true, 0), (true, 1)]);
}
