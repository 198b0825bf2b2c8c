//! Any process may be killed, stopped or interrupted at any instruction, and every other one goes on or is told who
//! died and why.
//!
//! Knows nothing of how the protocol repairs what the dead have left; `engine::live::tests` holds single places of it.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, unused_macros, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
#[cfg(target_arch = "x86_64")]
mod calls;
#[cfg(target_arch = "x86_64")]
mod cells;
mod estate;
#[cfg(target_arch = "x86_64")]
mod explore;
#[cfg(target_arch = "x86_64")]
mod gates;
#[cfg(target_arch = "x86_64")]
mod instructions;
mod interrupt;
#[cfg(target_arch = "x86_64")]
mod loans;
mod managers;
mod pools;
mod pressure;
#[cfg(target_arch = "x86_64")]
mod queues;
#[cfg(target_arch = "x86_64")]
mod regions;
#[cfg(target_arch = "x86_64")]
mod scene;
#[cfg(target_arch = "x86_64")]
mod step;
mod storm;
#[cfg(target_arch = "x86_64")]
mod tasks;
#[cfg(target_arch = "x86_64")]
mod tracer;

#[test]
fn play_scenario() {
    harness::scenario::play(&[pressure::SCENARIOS]);
}

/// Whether the complete versions were asked for.
fn is_long() -> bool {
    std::env::var_os("CSPROC_LONG").is_some()
}

/// Prints past the test harness, which would swallow it.
fn report(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}
