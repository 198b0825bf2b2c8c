//! The law: the same decisions give the same trace on all engines.

use super::harness::watchdog::watched;
use super::networks::{network, plans};
use super::{named, relay, same, sink, some, source};
use csproc::prelude::*;
use csproc::testing::{Outcome, Schedules, real, replay, replay_real, schedule, schedule_of, simulate};
use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::TestRunner;

fn pipeline(placement: Placement) -> Network<(csproc::Result<()>, csproc::Result<()>, Vec<u32>)> {
    let (a, b) = (named("a"), named("b"));
    network!(
        source(a.writer(), 3).on(placement),
        relay(a.reader(), b.writer()).on(placement),
        sink(b.reader()).on(placement)
    )
}

over_both! { alone:
    fn a_pipeline_does_what_was_decided(placement) {
        for schedule in some(&schedule(), 5) {
            let network = || pipeline(placement);
            let (simulated, run) = (simulate(&schedule, network), same(&schedule, network));
            assert!(run.completed(), "{run}");
            assert_eq!(run.messages::<u32>("b"), [0, 1, 2]);
            assert_eq!(format!("{:?}", run.trace()), format!("{:?}", simulated.trace()));
            assert_eq!(run.token(), simulated.token());
            assert!(matches!(run.result(), Some((Ok(()), Ok(()), got)) if *got == [0, 1, 2]), "{run}");
        }
    }

    /// Each of two writers may be first, and so may each guard.
    fn whoever_was_decided_to_be_first_is_first(placement) {
        #[process]
        fn writes(out: Writer<u8>, value: u8) -> csproc::Result<()> {
            Ok(out.write(value)?)
        }
        #[process]
        fn chooses(one: Reader<u8>, two: Reader<u8>, _stay: [Writer<u8>; 2]) -> csproc::Result<Vec<u8>> {
            let mut got = Vec::new();
            for _ in 0..4 {
                got.push(AltSelect!(v = one.read() => v, v = two.read() => v)?);
            }
            Ok(got)
        }
        let network = || {
            let (one, two) = (named("one"), named("two"));
            network!(
                chooses(one.reader(), two.reader(), [one.writer(), two.writer()]).on(placement),
                for (channel, value) in [(&one, 1), (&one, 2), (&two, 3), (&two, 4)] =>
                    writes(channel.writer(), value).on(placement)
            )
        };
        let mut seen = std::collections::BTreeSet::new();
        for schedule in some(&schedule(), 30) {
            let (simulated, run) = (simulate(&schedule, network), same(&schedule, network));
            let (Some((Ok(got), _)), Some((Ok(wanted), _))) = (run.result(), simulated.result()) else {
                panic!("{run}");
            };
            assert_eq!(got, wanted);
            seen.insert(got.clone());
        }
        assert!(seen.len() > 8, "{seen:?}");
    }

    fn random_networks_do_what_was_decided(placement) {
        let faults = schedule().panics(1).poisons(1).delays(1);
        let faults = if placement == Placement::Process { faults.crashes(2) } else { faults };
        random(placement, &faults, 20);
    }
}

/// What cannot be done by real processes is left out.
fn random(placement: Placement, of: &Schedules, count: usize) {
    let count = if std::env::var_os("CSPROC_LONG").is_some() { 100 * count } else { count };
    let mut runner = TestRunner::default();
    let mut done = 0;
    for number in 0..count {
        let plan = plans().new_tree(&mut runner).expect("a plan").current();
        for _ in 0..3 {
            let schedule = of.new_tree(&mut runner).expect("a schedule").current();
            let run = real(&schedule, || network(&plan, placement));
            match run.outcome() {
                Outcome::Parted(what) if what.contains("cannot be done") => (),
                Outcome::Parted(_) => {
                    let simulated = simulate(&schedule, || network(&plan, placement));
                    panic!("{number}: {plan:#?}\n{run}\nsimulated: {simulated}");
                }
                _ => done += 1,
            }
        }
    }
    assert!(done > 2 * count, "of {count} networks only {done} runs could be done");
}

#[test]
fn a_token_says_the_same_to_both_engines() {
    watched("a_token_says_the_same_to_both_engines", || {
        let first = simulate(&some(&schedule(), 1)[0], || pipeline(Placement::Process));
        let token = first.token();
        for run in [
            replay(token, || pipeline(Placement::Process)),
            replay_real(token, || pipeline(Placement::Process)),
            real(&schedule_of(token), || pipeline(Placement::Process)),
        ] {
            assert_eq!(run.token(), token, "{run}");
            assert_eq!(run.parts_from_schedule(), None);
        }
    });
}

#[test]
#[should_panic(expected = "is no token")]
fn a_text_that_is_no_token_is_refused() {
    let _ = replay_real("csp1:zz", || pipeline(Placement::Process));
}
