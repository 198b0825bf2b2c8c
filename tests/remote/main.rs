//! Managers between programs: what another program shares is used as one's own is, whoever comes without a key or
//! speaks another language gets nothing and harms nobody, and whichever side dies, the other is told or goes on.
//!
//! Knows nothing of how objects are served in one program; that is tested in `tests/manager`.

#[macro_use]
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with other programs of tests; each uses a part of it")]
mod harness;
mod guards;
mod hostile;
mod laws;
mod programs;
mod queues;
mod typed;
mod users;

use csproc::shared::{Manager, Remote};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

const KEY: &[u8] = b"open sesame";

#[test]
fn play_scenario() {
    harness::scenario::play(&[programs::SCENARIOS, queues::SCENARIOS, typed::SCENARIOS, users::SCENARIOS]);
}

/// A path that no other test has, in a directory that is not there yet.
fn path() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("csproc-remote-{}-{number}/socket", std::process::id()))
}

/// A manager that is served, and what leads to it.
fn served() -> (Manager, PathBuf, impl Fn() -> Remote) {
    let (manager, path) = (Manager::new().unwrap(), path());
    manager.serve(&path, KEY).unwrap();
    let to = path.clone();
    (manager, path, move || Manager::connect(&to, KEY).unwrap())
}
