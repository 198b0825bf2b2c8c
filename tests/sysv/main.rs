//! Queues of the kernel keep its laws, tell what went wrong, meet alternations as guards, and are gone afterwards.
//!
//! Knows nothing of channels; they are tested beside this, in `tests/channel`.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod errors;
mod guard;
mod laws;
mod processes;
mod python;

use csproc::sysv::{Key, MessageQueue, Owned};

#[test]
fn play_scenario() {
    harness::scenario::play(&[errors::SCENARIOS, processes::SCENARIOS]);
}

/// A queue of the test's own, which is gone when the test has ended, however it ends.
fn queue() -> Owned {
    MessageQueue::create(Key::PRIVATE).unwrap().remove_on_drop()
}

/// Whether the system has a queue of this number, as `ipcs -q` would list it.
fn is_listed(id: i32) -> bool {
    let list = std::fs::read_to_string("/proc/sysvipc/msg").unwrap();
    list.lines().skip(1).any(|line| line.split_ascii_whitespace().nth(1) == Some(&id.to_string()))
}
