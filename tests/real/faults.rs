//! Faults that were decided happen to real processes: they are killed, panic, and lose their messages.

use super::harness::watchdog::watched;
use super::{named, same, sink, some, source};
use csproc::prelude::*;
use csproc::testing::{EventKind, Outcome, explore, real, replay_real, schedule, simulate};
use csproc::{Cause, Failure};

fn two() -> Network<(csproc::Result<()>, Vec<u32>)> {
    let c = named("c");
    network!(source(c.writer(), 3), sink(c.reader()))
}

/// By SIGKILL, between the same two messages.
#[test]
fn a_process_is_killed_where_it_was_decided() {
    watched("a_process_is_killed_where_it_was_decided", || {
        let mut lengths = std::collections::BTreeSet::new();
        for schedule in some(&schedule().crashes(1).processes(&["source"]), 40) {
            let run = same(&schedule, two);
            if run.count(EventKind::Crashed) == 0 {
                continue;
            }
            let Outcome::Failed(failures) = run.outcome() else { panic!("{run}") };
            assert_eq!(failures[0].process(), "source", "{run}");
            let cause = matches!(&failures[0], Failure::Crashed { cause: Cause::Killed { signal: 9 }, .. });
            assert!(cause, "{run}");
            lengths.insert(run.messages::<u32>("c").len());
        }
        assert!(lengths.len() > 1, "{lengths:?}");
    });
}

/// What a search has found is so for real.
#[test]
fn a_counterexample_with_a_crash_is_one_of_real_processes() {
    #[process]
    fn hopes(input: Reader<u32>) -> u32 {
        input.read().map_or(0, |_| 1)
    }
    watched("a_counterexample_with_a_crash_is_one_of_real_processes", || {
        let network = || {
            let c = named("c");
            network!(source(c.writer(), 1), hopes(c.reader()))
        };
        let tells = |run: &csproc::testing::Run<(csproc::Result<()>, u32)>| run.count(EventKind::Communicated) == 1;
        let found = explore().max_crashes(1).check_with(network, tells).unwrap_err();
        let run = replay_real(found.token(), network);
        assert_eq!(run.count(EventKind::Crashed), 1, "{run}");
        assert!(!tells(&run), "{run}");
    });
}

#[test]
fn a_process_panics_where_it_was_decided() {
    watched("a_process_panics_where_it_was_decided", || {
        let mut panicked = 0;
        for schedule in some(&schedule().panics(1), 20) {
            let run = same(&schedule, two);
            panicked += run.count(EventKind::Panicked);
            if run.count(EventKind::Panicked) > 0 {
                let Outcome::Failed(failures) = run.outcome() else { panic!("{run}") };
                assert!(failures[0].to_string().contains("the schedule has it panic"), "{run}");
            }
        }
        assert!(panicked > 0);
    });
}

#[test]
fn a_message_is_lost_where_it_was_decided() {
    watched("a_message_is_lost_where_it_was_decided", || {
        let (mut lost, mut refused) = (0, 0);
        for schedule in some(&schedule().lossy("c", 1), 40) {
            let (simulated, run) = (simulate(&schedule, two), real(&schedule, two));
            match run.outcome() {
                Outcome::Parted(what) => {
                    assert!(what.contains("cannot be done by real processes"), "{run}");
                    assert!(simulated.count(EventKind::Doubled) + simulated.count(EventKind::KeptBack) > 0, "{run}");
                    refused += 1;
                }
                _ => {
                    lost += run.count(EventKind::Lost);
                    assert_eq!(run.messages::<u32>("c"), simulated.messages::<u32>("c"), "{run}");
                    assert_eq!(run.result().map(|(_, got)| got), simulated.result().map(|(_, got)| got));
                }
            }
        }
        assert!(lost > 0 && refused > 0, "{lost} {refused}");
    });
}

#[test]
fn nobody_kills_a_thread() {
    watched("nobody_kills_a_thread", || {
        let network = || {
            let c = named("c");
            network!(source(c.writer(), 3).on(Placement::Thread), sink(c.reader()).on(Placement::Thread))
        };
        let crashing = some(&schedule().crashes(1), 40);
        let crashing = crashing.iter().find(|schedule| simulate(schedule, network).count(EventKind::Crashed) > 0);
        let run = real(crashing.expect("one of forty"), network);
        let Outcome::Parted(what) = run.outcome() else { panic!("{run}") };
        assert!(what.contains("runs on a thread, which cannot be killed"), "{what}");
    });
}
