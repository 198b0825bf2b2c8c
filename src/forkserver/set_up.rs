//! Runs the functions marked `#[csproc::setup]` in each new process, in one order, before the process's own function.
//!
//! Knows nothing of what they set up. Each registers itself from an ELF constructor that runs before the one that forks
//! the process server, so server and processes have the list from the beginning, and a linker that throws away what
//! nothing refers to keeps it: constructors are never thrown away.

use super::panics::{record_caught_panic, record_panics_of, stand_in_front};
use crate::cause::{Cause, record_cause};
use crate::engine::Member;
use parking_lot::Mutex;
use std::fmt::Display;
use std::panic::catch_unwind;

/// All of them, as they came.
static ALL: Mutex<Vec<&'static SetUp>> = Mutex::new(Vec::new());

/// A function marked `#[csproc::setup]`; what the attribute expands to makes one.
#[derive(Debug)]
pub struct SetUp {
    order: i32,
    module: &'static str,
    line: u32,
    column: u32,
    name: &'static str,
    file: &'static str,
    run: fn() -> Result<(), String>,
}

impl SetUp {
    /// Describes one.
    pub const fn new(
        order: i32,
        module: &'static str,
        (file, line, column): (&'static str, u32, u32),
        name: &'static str,
        run: fn() -> Result<(), String>,
    ) -> SetUp {
        SetUp { order, module, line, column, name, file, run }
    }

    /// Has every process run it. Only before `main`.
    pub fn register(&'static self) {
        ALL.lock().push(self);
    }

    /// What comes first runs first.
    fn place(&self) -> (i32, &str, u32, u32, &str) {
        (self.order, self.module, self.line, self.column, self.name)
    }
}

/// What a function marked `#[csproc::setup]` may return.
#[diagnostic::on_unimplemented(
    message = "a set-up cannot return `{Self}`",
    label = "expected nothing, or `Result<(), E>` with an `E` that can be displayed",
    note = "nobody takes what a set-up returns: keep it in a `static`, where the process finds it"
)]
pub trait SetUpResult {
    #[doc(hidden)]
    fn told(self) -> Result<(), String>;
}

impl SetUpResult for () {
    fn told(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display> SetUpResult for Result<(), E> {
    fn told(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}

/// Runs them all on the calling thread, which is to run the member; `false` when one panicked or failed. The rest is
/// then not run, and the member's slot says why.
pub(super) fn run(index: u32, member: &Member) -> bool {
    let mut all = ALL.lock().clone();
    all.sort_unstable_by(|one, other| one.place().cmp(&other.place()));
    for set_up in &all {
        match record_panics_of(index, || catch_unwind(set_up.run)) {
            Ok(Ok(())) => (),
            Ok(Err(reason)) => {
                let location = format!("{}:{}:{}", set_up.file, set_up.line, set_up.column);
                let reason = format!("`{}`: {reason}", set_up.name);
                record_cause(index, member, &Cause::SetUpFailed { location, reason });
                return false;
            }
            Err(payload) => {
                record_caught_panic(index, member, &*payload);
                return false;
            }
        }
    }
    if !all.is_empty() {
        stand_in_front();
    }
    true
}
