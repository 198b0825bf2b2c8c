//! How runs of real processes end: in a deadlock that was found for real, in an endless run that is cut off, with
//! somebody left behind; and the time that passes is virtual.

use super::harness::watchdog::watched_alone;
use super::{named, same, sink, some};
use csproc::prelude::*;
use csproc::testing::{Outcome, Runnable, explore, replay_real, schedule};
use std::time::{Duration, Instant};

#[process]
fn philosopher(first: Writer<()>, second: Writer<()>) -> csproc::Result<()> {
    // Takes them, and puts them down.
    for fork in [&first, &second, &first, &second] {
        fork.write(())?;
    }
    Ok(())
}

#[process]
fn fork(left: Reader<()>, right: Reader<()>) -> csproc::Result<()> {
    for _ in 0..2 {
        AltSelect!(_ = left.read() => left.read(), _ = right.read() => right.read())??;
    }
    Ok(())
}

/// Each needs two forks, and a fork is taken by one.
fn dining(count: usize, placement: Placement) -> impl Runnable {
    let left: Vec<Channel<()>> = (0..count).map(|i| named(&format!("left {i}"))).collect();
    let right: Vec<Channel<()>> = (0..count).map(|i| named(&format!("right {i}"))).collect();
    network!(
        for i in 0..count => philosopher(left[i].writer(), right[(i + 1) % count].writer()).on(placement),
        for i in 0..count => fork(left[i].reader(), right[i].reader()).on(placement)
    )
}

over_both! { alone:
    /// It is found by whoever looks for deadlocks of real processes, who names those that wait.
    fn a_deadlock_that_was_decided_is_found_for_real(placement) {
        let found = explore().check(|| dining(3, placement)).unwrap_err();
        let run = replay_real(found.token(), || dining(3, placement));
        let Outcome::Deadlock(report) = run.outcome() else { panic!("{run}") };
        assert!(report.processes().iter().any(|process| process.name.starts_with("philosopher")), "{run}");
        assert_eq!(run.standing(), Some(report));
        assert_eq!(run.token(), found.token());
    }

    fn an_endless_run_is_cut_off(placement) {
        #[process]
        fn for_ever(out: Writer<u8>) -> csproc::Result<()> {
            loop {
                out.write(1)?;
            }
        }
        #[process]
        fn reads_for_ever(input: Reader<u8>) {
            input.into_iter().for_each(drop);
        }
        // A long one of real processes takes its time: a few thousand communications.
        let run = replay_real("csp1:00", || {
            let c = named("c");
            network!(for_ever(c.writer()).on(placement), reads_for_ever(c.reader()).on(placement))
        });
        assert_eq!(run.outcome(), &Outcome::Livelock, "{run}");
    }

    fn who_is_left_behind_is_left_behind_for_real(placement) {
        #[process]
        fn waits(input: Reader<u8>, _own: Writer<u8>) -> csproc::Result<u8> {
            Ok(input.read()?)
        }
        #[process]
        fn forgets(placement: Placement) -> csproc::Result<()> {
            let c = named("c");
            Spawn!(waits(c.reader(), c.writer()).on(placement))?;
            Ok(())
        }
        let run = replay_real("csp1:00", || network!(forgets(placement).on(placement)));
        assert!(matches!(run.outcome(), Outcome::Leaked | Outcome::Deadlock(_)), "{run}");
    }

    fn nobody_waits_for_the_time(placement) {
        #[process]
        fn sleeps_and_writes(out: Writer<u32>) -> csproc::Result<Duration> {
            let start = csproc::time::now();
            csproc::time::sleep(Duration::from_secs(3600));
            out.write(1)?;
            Ok(csproc::time::now() - start)
        }
        #[process]
        fn is_impatient(input: Reader<u32>) -> Vec<bool> {
            (0..4).map(|_| input.read_timeout(Duration::from_secs(1000)).is_ok()).collect()
        }
        let network = || {
            let c = named("c");
            network!(sleeps_and_writes(c.writer()).on(placement), is_impatient(c.reader()).on(placement))
        };
        let start = Instant::now();
        for schedule in some(&schedule(), 3) {
            let run = same(&schedule, network);
            let Some((Ok(slept), read)) = run.result() else { panic!("{run}") };
            assert_eq!(*slept, Duration::from_secs(3600), "{run}");
            assert_eq!(*read, [false, false, false, true], "{run}");
        }
        assert!(start.elapsed() < Duration::from_secs(1000));
    }
}

#[test]
fn nothing_is_left_of_a_run() {
    watched_alone("nothing_is_left_of_a_run", || {
        for schedule in some(&schedule().crashes(1), 10) {
            let _ = same(&schedule, || {
                let c = named("c");
                network!(super::source(c.writer(), 3), sink(c.reader()))
            });
        }
    });
}
