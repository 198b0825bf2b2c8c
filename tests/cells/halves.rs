//! Nobody ever sees half of a change, whoever writes meanwhile: other processes, other threads, and those that are
//! stopped in the middle.
//!
//! Knows nothing of how that is so.

use crate::harness::pause::{go_on, stop};
use csproc::prelude::*;
use std::time::{Duration, Instant};

/// All words are the same: half of a change has two.
type Wide = [u64; 9];

fn is_whole(wide: &[u64]) -> bool {
    wide.iter().all(|word| *word == wide[0])
}

#[process]
fn write(value: Value<Wide>, array: Array<Wide>, until: Reader<()>) -> csproc::Result<()> {
    let mut number = 0_u64;
    while until.try_read().unwrap_err().is_would_block() {
        number += 1;
        let i = number as usize % array.len();
        value.set([number; 9])?;
        array.set(i, [number; 9])?;
        array.slice(i..).fill([number; 9])?;
        array.with_lock(|all| all.fill([number; 9]))?;
    }
    Ok(())
}

#[process]
fn read(value: Value<Wide>, array: Array<Wide>, times: usize) -> csproc::Result<()> {
    for i in 0..times {
        assert!(is_whole(&value.get()));
        assert!(is_whole(&array.get(i % array.len())));
        if i % 16 == 0 {
            assert!(array.to_vec().iter().all(|wide| is_whole(wide)));
            assert!(!format!("{:?}", array.slice(1..3)).is_empty());
        }
    }
    Ok(())
}

over_both! {
    fn whoever_reads_beside_writers_sees_whole_changes(placement) {
        let (value, array) = (Value::new([0; 9]), Array::zeroed(5));
        let (stop, stopped) = csproc::channel::<()>();
        let writer = || write(value.clone(), array.clone(), stopped.clone()).on(placement);
        let writers = Spawn!(for _ in 0..2 => writer()).unwrap();
        drop(stopped);
        Parallel!(for _ in 0..2 => read(value.clone(), array.clone(), 4000).on(placement)).values().unwrap();
        drop(stop);
        writers.join().values().unwrap();
    }
}

/// Sets the elements one by one, from the first to the last, and then anew: whoever sees one of them set sees all those
/// before it.
#[process]
fn count_up(array: Array<u32>, until: Reader<()>) -> csproc::Result<()> {
    for number in 1.. {
        if !until.try_read().unwrap_err().is_would_block() {
            break;
        }
        let held = array.lock().acquire()?;
        for i in 0..array.len() {
            array.slice(i..=i).with_held(&held, |one| one[0] = number)?;
        }
    }
    Ok(())
}

once! {
    fn a_copy_without_the_lock_is_of_one_moment() {
        let array = Array::<u32>::zeroed(7);
        let (stop, stopped) = csproc::channel::<()>();
        let child = Spawn!(count_up(array.clone(), stopped)).unwrap();
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(300) {
            let text = format!("{array:?}");
            let seen: Vec<u32> = text.trim_matches(['[', ']']).split(", ").map(|x| x.parse().unwrap()).collect();
            // Set from the first to the last, and then anew.
            assert!(seen.windows(2).all(|pair| pair[0] >= pair[1]) && seen[0] - seen[6] <= 1, "{text}");
        }
        drop(stop);
        child.join().unwrap().unwrap();
    }
}

#[process]
fn hold(value: Value<Wide>, array: Array<Wide>, ready: Writer<()>, until: Reader<()>) -> csproc::Result<()> {
    value.with_lock(|value| {
        value.fill(1);
        array.with_lock(|all| {
            all.fill([1; 9]);
            ready.write(())?;
            Ok::<_, csproc::Error>(_ = until.read())
        })
    })???;
    Ok(())
}

once! {
    fn nobody_who_reads_waits_for_a_holder_that_is_stopped() {
        let (value, array) = (Value::new([0; 9]), Array::zeroed(3));
        let (ready, release) = (Channel::new(), Channel::<()>::new());
        let (r, w) = (ready.reader(), release.writer());
        let child = Spawn!(hold(value.clone(), array.clone(), ready.writer(), release.reader())).unwrap();
        drop((ready, release));
        r.read().unwrap();
        let pid = child.pid().unwrap();
        stop(pid);
        assert_eq!((value.get(), array.get(2), array.try_get(3)), ([0; 9], [0; 9], None));
        assert_eq!(format!("{array:?}"), format!("{:?}", [[0_u64; 9]; 3]));
        go_on(pid);
        drop(w);
        child.join().unwrap().unwrap();
        assert_eq!((value.get(), array.get(2)), ([1; 9], [1; 9]));
    }
}
