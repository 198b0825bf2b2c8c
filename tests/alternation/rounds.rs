//! A test that is one round of work, or as many as fit into a minute when `CSPROC_LONG` is set.
//!
//! Knows nothing of the work. The watchdog is set anew for each round.

use std::time::{Duration, Instant};

/// Plays rounds; each is told its number.
pub(crate) fn play(mut round: impl FnMut(u64)) {
    let long = std::env::var_os("CSPROC_LONG").is_some();
    let start = Instant::now();
    for number in 0.. {
        round(number);
        if !long || start.elapsed() > Duration::from_secs(60) {
            break;
        }
    }
}

/// Makes of `fn name(placement, round) { … }` a module with two tests: rounds over processes, and over threads.
macro_rules! rounds_over_both {
    ($($(#[$attribute:meta])* fn $name:ident($placement:ident, $round:ident) $body:block)*) => {$(
        $(#[$attribute])*
        mod $name {
            use super::*;
            use crate::harness::watchdog::watched;

            fn body($placement: csproc::Placement, $round: u64) $body

            #[test]
            fn over_processes() {
                let name = concat!(module_path!(), "::over_processes");
                crate::rounds::play(|round| watched(name, || body(csproc::Placement::Process, round)));
            }

            #[test]
            fn over_threads() {
                let name = concat!(module_path!(), "::over_threads");
                crate::rounds::play(|round| watched(name, || body(csproc::Placement::Thread, round)));
            }
        }
    )*};
}
