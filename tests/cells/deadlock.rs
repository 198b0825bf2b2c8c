//! Processes that wait for each other's values are told so, with the lines; and the values can be used afterwards.
//!
//! Knows nothing of how that is found.

use csproc::DeadlockReport;
use csproc::prelude::*;

fn deadlock<R>(network: Network<R>) -> DeadlockReport {
    let Err(error) = network.run() else { panic!("no deadlock was found") };
    error.deadlock().cloned().unwrap_or_else(|| panic!("{error}"))
}

/// Who waits, at which object, and at which line that is marked like this.
fn waits(report: &DeadlockReport, name: &str, mark: &str) -> String {
    let process = report.processes().iter().find(|process| process.name == name).unwrap_or_else(|| panic!("{report}"));
    let line = include_str!("deadlock.rs").lines().position(|line| line.ends_with(&format!("// blocks: {mark}")));
    let place = format!("tests/cells/deadlock.rs:{}:", line.unwrap() + 1);
    assert!(process.location.starts_with(&place), "{} is not {place}", process.location);
    process.waits_for[0].channel.clone()
}

#[process]
fn move_one(from: Value<i32>, to: Value<i32>, meet: Barrier) -> csproc::Result<()> {
    from.with_lock(|from| {
        meet.sync()?;
        *from -= 1;
        to.with_lock(|to| *to += 1) // blocks: second
    })??;
    Ok(())
}

#[process]
fn nest(array: Array<i32>) -> csproc::Result<()> {
    array.slice(..1).with_lock(|_| {
        array.set(1, 5) // blocks: inside
    })??;
    Ok(())
}

alone! {
    fn two_values_in_opposite_orders() {
        let (a, b, meet) = (Value::new(1).named("a"), Value::new(1).named("b"), Barrier::new(2));
        let report = deadlock(network!(
            move_one(a.clone(), b.clone(), meet.clone()).named("ab"),
            move_one(b.clone(), a.clone(), meet.clone()).named("ba"),
        ));
        assert_eq!((waits(&report, "ab", "second"), waits(&report, "ba", "second")), ("b".into(), "a".into()));
        // Both had begun, and neither has come to its end by order: what each closure has returned, an error, took
        // effect with its own value.
        assert_eq!((a.get(), b.get()), (0, 0));
        a.set(3).unwrap();
        assert_eq!(a.get(), 3);
    }

    fn an_array_inside_its_own_lock() {
        let array = Array::from([1, 2]).named("twice");
        let report = deadlock(network!(nest(array.clone())));
        assert_eq!(waits(&report, "nest", "inside"), "twice");
        assert_eq!(array.to_vec(), [1, 2]);
    }

    fn a_copy_for_which_the_lock_cannot_be_had_is_read_without_it() {
        let array = Array::from([1, 2]).named("own");
        let held = array.lock().acquire().unwrap();
        array.with_held(&held, |all| all[0] = 9).unwrap();
        assert_eq!(array.to_vec(), [9, 2]);
        assert!(array.set(0, 1).unwrap_err().is_poisoned());
        drop(held);
        array.set(0, 3).unwrap();
    }
}
