//! Drives a machine: transitions that proptest draws and shrinks, for real and under drawn schedules.
//!
//! Knows nothing of the machines.

use csproc::prelude::*;
use csproc::testing::{Schedule, schedule, simulate};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the server of a machine runs, and whether it has the mistake that its test is to find.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) on_a_thread: bool,
    pub(crate) is_wrong: bool,
}

impl Server {
    pub(crate) fn placement(self) -> Placement {
        if self.on_a_thread { Placement::Thread } else { Placement::Process }
    }
}

type State<T> = <<T as StateMachineTest>::Reference as ReferenceStateMachine>::State;
type Transition<T> = <<T as StateMachineTest>::Reference as ReferenceStateMachine>::Transition;

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, max_shrink_iters: 100_000, ..Config::default() }
}

/// Draws what it draws each time.
pub(crate) fn at_random(cases: u32) -> TestRunner {
    TestRunner::new(config(cases))
}

/// Looks for a mistake from so many starts, the same ones each time, and gives the shortest that was found.
///
/// proptest leaves out one transition after the other, each once, and none with another one: so it depends on where it
/// began whether two that need each other are left.
pub(crate) fn shortest<T: StateMachineTest>(
    with: impl Fn(State<T>) -> State<T> + Copy,
    play: impl Fn(State<T>, Vec<Transition<T>>) -> Process<()> + Copy,
) -> (Vec<Transition<T>>, String) {
    const STARTS: u8 = 8;
    let found = (0..STARTS).map(|start| {
        let dice = TestRng::from_seed(RngAlgorithm::ChaCha, &[start; 32]);
        let found = simulated::<T>(TestRunner::new_with_rng(config(500), dice), with, play);
        found.unwrap_or_else(|| panic!("nothing was found from start {start}"))
    });
    found.min_by_key(|(transitions, _)| transitions.len()).expect("there are starts")
}

/// Plays drawn transitions for real.
pub(crate) fn for_real<T: StateMachineTest>(cases: u32, with: impl Fn(State<T>) -> State<T>) {
    let drawn = T::Reference::sequential_strategy(1..12);
    let played = TestRunner::new(config(cases)).run(&drawn, |(state, transitions, seen)| {
        T::test_sequential(config(1), with(state), transitions, seen);
        Ok(())
    });
    if let Err(error) = played {
        panic!("{error}");
    }
}

/// Plays drawn transitions under drawn schedules: gives those to which a failure was shrunk, and the run in words.
pub(crate) fn simulated<T: StateMachineTest>(
    mut runner: TestRunner,
    with: impl Fn(State<T>) -> State<T>,
    play: impl Fn(State<T>, Vec<Transition<T>>) -> Process<()>,
) -> Option<(Vec<Transition<T>>, String)> {
    let drawn = (T::Reference::sequential_strategy(1..12), schedule());
    let played = runner.run(&drawn, |((state, transitions, seen), s): (_, Schedule)| {
        // All of them are played, as far as it matters for shrinking.
        seen.inspect(|seen: &Arc<AtomicUsize>| seen.store(transitions.len(), Ordering::Relaxed));
        let run = simulate(&s, || play(with(state.clone()), transitions.clone()));
        if run.completed() { Ok(()) } else { Err(TestCaseError::fail(run.to_string())) }
    });
    match played {
        Ok(()) => None,
        Err(TestError::Fail(run, ((_, transitions, _), _))) => Some((transitions, run.to_string())),
        Err(abort) => panic!("{abort}"),
    }
}

/// Makes of a machine its tests: for real, under schedules, and with the mistake of its server.
macro_rules! machine {
    ($test:ident: found by $most:literal transitions) => {
        #[process]
        fn plays(
            state: <<$test as StateMachineTest>::Reference as ReferenceStateMachine>::State,
            transitions: Vec<<<$test as StateMachineTest>::Reference as ReferenceStateMachine>::Transition>,
        ) {
            let config = proptest::test_runner::Config::default();
            <$test as StateMachineTest>::test_sequential(config, state, transitions, None);
        }

        over_both! {
            fn answers_as_its_model(placement) {
                crate::drive::for_real::<$test>(20, |state| {
                    state.served_by(crate::drive::Server {
                        on_a_thread: placement == csproc::Placement::Thread,
                        is_wrong: false,
                    })
                });
            }
        }

        #[test]
        fn answers_as_its_model_in_every_schedule() {
            let failed = crate::drive::simulated::<$test>(crate::drive::at_random(100), |state| state, plays);
            assert!(failed.is_none(), "{failed:#?}");
        }

        #[test]
        fn its_mistake_is_found_and_shrunk() {
            let wrong = crate::drive::Server { is_wrong: true, ..Default::default() };
            let (transitions, run) = crate::drive::shortest::<$test>(|state| state.served_by(wrong), plays);
            assert_eq!(transitions.len(), $most, "{transitions:?}\n{run}");
        }
    };
}
