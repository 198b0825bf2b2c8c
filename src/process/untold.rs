//! Reports of deadlocks that nobody was given yet: they are printed when the program ends, or when it goes on as if
//! nothing had happened.
//!
//! Knows nothing of how deadlocks are found. A report is given to somebody who joins a process of the deadlock, and to
//! whoever looks at the error of a channel that was poisoned for it.

use crate::channel::DeadlockReport;
use crate::engine::{Actor, MemberName};
use parking_lot::Mutex;
use std::fmt;
use std::time::{Duration, Instant};

/// How long the program itself may have been in a deadlock before the report is printed although the program goes on.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);
/// Of so many reports that nobody was given, the oldest is printed.
const MOST: usize = 64;

struct Untold {
    slot: MemberName,
    report: DeadlockReport,
    found: Instant,
    /// Whether the program itself was in it: nobody will join that.
    of_program: bool,
}

static UNTOLD: Mutex<Vec<Untold>> = Mutex::new(Vec::new());

/// Says something on standard error, which may be closed.
pub(super) fn say(text: fmt::Arguments<'_>) {
    crate::sys::standard::say(&format!("csproc: {text}\n"));
}

/// Keeps a report, and the reference to its slot, until somebody was given it.
pub(super) fn keep(slot: MemberName, report: DeadlockReport, of_program: bool) {
    UNTOLD.lock().push(Untold { slot, report, found: Instant::now(), of_program });
}

/// Forgets the reports that were given, and prints those that will not be. `true` while some may still have to be
/// printed soon.
pub(super) fn review() -> bool {
    let mut untold = UNTOLD.lock();
    let crowd = untold.len().saturating_sub(MOST);
    for (number, Untold { report, found, of_program, .. }) in untold.iter().enumerate() {
        if number < crowd || *of_program && found.elapsed() >= PATIENCE {
            print(report);
        }
    }
    forget_given(&mut untold);
    untold.iter().any(|untold| untold.of_program)
}

/// The program ends: prints what nobody was given.
pub(super) fn print_all() {
    let mut untold = UNTOLD.lock();
    untold.iter().for_each(|untold| print(&untold.report));
    forget_given(&mut untold);
}

fn print(report: &DeadlockReport) {
    if !report.was_given() {
        say(format_args!("{report}"));
    }
}

fn forget_given(untold: &mut Vec<Untold>) {
    untold.retain(|untold| {
        let given = untold.report.was_given();
        if given {
            // Not the thread's own context: the thread that looks for deadlocks must not have one.
            Actor::aside().disown(untold.slot);
        }
        !given
    });
}
