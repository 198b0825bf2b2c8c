//! Queues, semaphores and segments of the kernel keep its laws, tell what went wrong, meet alternations as guards, and
//! are gone afterwards.
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
mod segments;
mod semaphores;

use csproc::sysv::{Key, MessageQueue, Owned, Semaphore, SharedMemory};
use harness::place::Place;
use std::sync::mpsc;
use std::thread;

#[test]
fn play_scenario() {
    harness::scenario::play(&[errors::SCENARIOS, processes::SCENARIOS, segments::SCENARIOS, semaphores::SCENARIOS]);
}

/// A queue of the test's own, which is gone when the test has ended, however it ends.
fn queue() -> Owned {
    MessageQueue::create(Key::PRIVATE).unwrap().remove_on_drop()
}

fn semaphore(permits: usize) -> Owned<Semaphore> {
    Semaphore::create(Key::PRIVATE, permits).unwrap().remove_on_drop()
}

fn segment(bytes: usize) -> Owned<SharedMemory> {
    SharedMemory::create(Key::PRIVATE, bytes).unwrap().remove_on_drop()
}

/// Runs `body` in a thread, and comes back once it sleeps there.
fn asleep<R: Send + 'static>(body: impl FnOnce() -> R + Send + 'static) -> thread::JoinHandle<R> {
    let (say, said) = mpsc::channel();
    let thread = thread::spawn(move || {
        say.send(Place::here()).unwrap();
        body()
    });
    said.recv().unwrap().until_asleep();
    thread
}

/// Whether the system has a queue of this number, as `ipcs -q` would list it.
fn is_listed(id: i32) -> bool {
    is_in("msg", id)
}

/// Whether the system lists this number among its queues (`msg`), semaphores (`sem`) or segments (`shm`).
fn is_in(kind: &str, id: i32) -> bool {
    let list = std::fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap();
    list.lines().skip(1).any(|line| line.split_ascii_whitespace().nth(1) == Some(&id.to_string()))
}
