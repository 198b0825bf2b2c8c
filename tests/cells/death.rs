//! Whoever is killed in the middle of a change has not begun it, or has done it; and the next one has the lock.
//!
//! Knows nothing of where exactly somebody dies; each instruction is tried in `tests/kill`.

use crate::harness::killing::kill_a_thousand;
use csproc::prelude::*;
use csproc::shared::LockError;

/// The sum of all is zero, in every state that a change leaves.
type Balances = [i64; 8];

#[process]
fn transfer(value: Value<Balances>, array: Array<i64>, until: Option<Reader<()>>) -> csproc::Result<u64> {
    let mut times = 0;
    while until.as_ref().is_none_or(|until| until.try_read().unwrap_err().is_would_block()) {
        times += 1;
        let (from, to) = (times as usize % 8, times as usize * 3 % 8);
        let change = |all: &mut [i64]| {
            assert_eq!(all.iter().sum::<i64>(), 0, "half of a change: {all:?}");
            all[from] -= 5;
            std::hint::spin_loop();
            all[to] += 5;
        };
        value.with_lock(|all| change(all))?;
        array.with_lock(change)?;
        array.slice(1..7).with_lock(|part| {
            part[0] += 2;
            part[5] -= 2;
        })?;
    }
    Ok(times)
}

#[process]
fn hold(value: Value<u32>, ready: Writer<()>) -> csproc::Result<()> {
    value.with_lock(|value| {
        *value = 7;
        ready.write(())?;
        loop {
            std::thread::park();
        }
    })?
}

#[process]
fn hold_by_hand(value: Value<u32>, ready: Writer<()>) -> csproc::Result<()> {
    let held = value.lock().acquire()?;
    value.with_held(&held, |value| *value = 7)?;
    ready.write(())?;
    loop {
        std::thread::park();
    }
}

#[process]
fn panic_with(value: Value<u32>) -> csproc::Result<()> {
    Ok(value.with_lock(|value| {
        *value = 7;
        panic!("in the middle");
    })?)
}

once! {
    /// Each of many is killed at a random moment of its changes.
    fn whoever_is_killed_a_thousand_times_leaves_no_half_of_a_change() {
        let (value, array) = (Value::new([0; 8]), Array::zeroed(8));
        let (stop, stopped) = csproc::channel::<()>();
        let living =
            Spawn!(for _ in 0..2 => transfer(value.clone(), array.clone(), Some(stopped.clone()))).unwrap();
        drop(stopped);
        let victim = || transfer(value.clone(), array.clone(), None).on_crash(OnCrash::Retire);
        kill_a_thousand(victim, || {
            assert_eq!(value.get().iter().sum::<i64>(), 0);
            assert_eq!(array.iter().sum::<i64>(), 0);
        });
        drop(stop);
        let times = living.join().values().unwrap();
        assert!(times.iter().all(|times| *times > 0), "{times:?}");
        assert_eq!((value.get().iter().sum::<i64>(), array.iter().sum::<i64>()), (0, 0));
    }

    fn whoever_is_killed_inside_has_not_begun() {
        let (value, ready) = (Value::new(1), Channel::new());
        let child = Spawn!(hold(value.clone(), ready.writer())).unwrap();
        ready.reader().read().unwrap();
        child.kill().unwrap();
        // It waits for the lock, and is told nothing: the value is whole.
        assert_eq!(value.replace(2), Ok(1));
        child.join().unwrap_err();
    }

    fn whoever_acquires_the_lock_by_itself_is_told() {
        let (value, ready) = (Value::new(1), Channel::new());
        let child = Spawn!(hold_by_hand(value.clone(), ready.writer())).unwrap();
        ready.reader().read().unwrap();
        child.kill().unwrap();
        child.join().unwrap_err();
        // Changes go on, and the mark stays.
        assert_eq!(value.replace(8), Ok(7));
        let LockError::Abandoned(left) = value.lock().acquire().unwrap_err() else { panic!("it was not taken") };
        assert_eq!((left.process(), left.cause()), ("hold_by_hand", &Cause::Killed { signal: 9 }));
        let held = left.recover();
        value.with_held(&held, |value| *value = 9).unwrap();
        drop(held);
        assert!(value.lock().acquire().is_ok());
        assert_eq!(value.get(), 9);
    }

    fn a_process_that_panics_inside_has_not_begun() {
        let value = Value::new(1);
        for placement in [Placement::Process, Placement::Thread] {
            Parallel!(panic_with(value.clone()).on(placement)).unwrap_err();
            assert_eq!(value.get(), 1);
            assert!(value.lock().acquire().is_ok(), "nothing is half done");
        }
    }

    fn a_value_outlives_everybody_but_its_last_holder() {
        let value = Value::new([1_u64; 4]);
        let c = Channel::buffered(Buffer::Fifo(1));
        let (w, r) = (c.writer(), c.reader());
        w.write(value).unwrap();
        assert_eq!(r.read().unwrap().get(), [1; 4]);
    }
}
