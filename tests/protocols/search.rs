//! Looks for a run that does not have a property, and gives the smallest one.
//!
//! Knows nothing of the protocols.

use csproc::testing::{Run, Runnable, Schedules, simulate};
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

/// The smallest run that was found without the property; `None` if all have it.
pub(crate) fn smallest_without<N: Runnable>(
    cases: u32,
    schedules: &Schedules,
    network: impl Fn() -> N,
    property: impl Fn(&Run<N::Output>) -> bool,
) -> Option<Run<N::Output>> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 100_000, ..Config::default() };
    let result = TestRunner::new(config).run(schedules, |schedule| {
        let run = simulate(&schedule, &network);
        if property(&run) { Ok(()) } else { Err(TestCaseError::fail(run.to_string())) }
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(_, schedule)) => Some(simulate(&schedule, &network)),
        Err(abort) => panic!("{abort}"),
    }
}
