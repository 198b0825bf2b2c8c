//! A network that does something else than was decided is told of, with what, and nothing is left of it.

use super::harness::watchdog::watched_alone;
use super::{named, sink, source};
use csproc::prelude::*;
use csproc::testing::{Outcome, replay_real};
use std::cell::Cell;

/// What the second network says that is not the first.
fn differs<N: csproc::testing::Runnable>(network: impl Fn(bool) -> N) -> String {
    let first = Cell::new(true);
    let run = replay_real("csp1:00", || network(first.replace(false)));
    match run.outcome() {
        Outcome::Parted(what) => what.clone(),
        _ => panic!("{run}"),
    }
}

#[test]
fn what_is_another_network_is_told() {
    watched_alone("what_is_another_network_is_told", || {
        // Another message.
        #[process]
        fn says(out: Writer<u32>, value: u32) -> csproc::Result<()> {
            Ok(out.write(value)?)
        }
        let told = differs(|is_first| {
            let c = named("c");
            network!(says(c.writer(), u32::from(is_first)), sink(c.reader()))
        });
        assert!(told.contains("`sink` has read another message"), "{told}");

        // More messages, and fewer.
        for (first, second, says) in [(1, 2, "`source`"), (2, 1, "`source`")] {
            let told = differs(|is_first| {
                let c = named("c");
                network!(source(c.writer(), if is_first { first } else { second }), sink(c.reader()))
            });
            assert!(told.contains(says), "{told}");
        }

        // One more process.
        let told = differs(|is_first| {
            let c = named("c");
            let count = if is_first { 1 } else { 2 };
            network!(for _ in 0..count => source(c.writer(), 0), sink(c.reader()))
        });
        assert!(told.contains("differ"), "{told}");

        // One process less.
        let told = differs(|is_first| {
            let c = named("c");
            let count = if is_first { 2 } else { 1 };
            network!(for _ in 0..count => source(c.writer(), 0), sink(c.reader()))
        });
        assert!(told.contains("`sink` was not started"), "{told}");

        // One that dies.
        #[process]
        fn may_die(out: Writer<u32>, lives: bool) -> csproc::Result<()> {
            if !lives {
                std::process::abort();
            }
            Ok(out.write(1)?)
        }
        let told = differs(|is_first| {
            let c = named("c");
            network!(may_die(c.writer(), is_first), sink(c.reader()))
        });
        assert!(told.contains("`may_die` has died"), "{told}");
    });
}

#[test]
fn a_closure_that_panics_leaves_nothing_behind() {
    watched_alone("a_closure_that_panics_leaves_nothing_behind", || {
        let first = Cell::new(true);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            replay_real("csp1:00", || {
                let c = named("c");
                assert!(first.replace(false), "the second network is not built");
                network!(source(c.writer(), 1), sink(c.reader()))
            })
        }));
        let said = panicked.map(|run| run.to_string()).unwrap_err();
        assert!(said.downcast_ref::<&str>().is_some_and(|said| said.contains("is not built")));
    });
}

#[test]
fn no_run_begins_inside_another_one() {
    watched_alone("no_run_begins_inside_another_one", || {
        #[process]
        fn nothing() {}
        #[process(thread)]
        fn runs_another() -> bool {
            std::panic::catch_unwind(|| replay_real("csp1:00", nothing).completed()).is_ok()
        }
        let run = csproc::testing::replay("csp1:00", runs_another);
        assert_eq!(run.result(), Some(&false), "{run}");
        assert_eq!(runs_another().run().ok(), Some(true));
    });
}
