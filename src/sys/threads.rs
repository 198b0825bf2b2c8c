//! What the threads of a process are doing, as far as the system tells.
//!
//! Knows nothing of contexts. It only answers whether every thread that is not known otherwise waits for another thread of its own
//! process: such threads do nothing unless somebody else in the process does.

use parking_lot::Mutex;
use std::fs;

#[cfg(target_arch = "x86_64")]
const FUTEX: u32 = 202;
#[cfg(not(target_arch = "x86_64"))]
const FUTEX: u32 = 98;

/// Threads of this process that belong to the library.
static OWN: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// The number of the calling thread.
pub(crate) fn current() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}

/// The calling thread belongs to the library: what it does makes no difference to a program that waits.
pub(crate) fn does_not_count() {
    OWN.lock().push(current());
}

/// Whether all threads of a process but those in `known` wait for another thread. `false` also when the system does not tell.
///
/// A wait without a deadline counts; so does one of the main thread with a deadline: test harnesses wait like this for their tests.
pub(crate) fn others_only_wait(pid: u32, known: &[u32]) -> bool {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let mut threads = tasks.flatten().filter_map(|task| task.file_name().to_string_lossy().parse::<u32>().ok());
    let own = if pid == std::process::id() { OWN.lock().clone() } else { Vec::new() };
    threads.all(|thread| known.contains(&thread) || own.contains(&thread) || only_waits(pid, thread))
}

fn only_waits(pid: u32, thread: u32) -> bool {
    // A thread that has ended meanwhile does nothing either.
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/task/{thread}/syscall")) else {
        return fs::metadata(format!("/proc/{pid}/task/{thread}")).is_err();
    };
    let fields: Vec<&str> = text.split_whitespace().collect();
    match fields.as_slice() {
        // Number, address, operation, value, deadline.
        [number, _, _, _, deadline, ..] => number.parse() == Ok(FUTEX) && (*deadline == "0x0" || thread == pid),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_thread_that_sleeps_or_computes_does_not_only_wait() {
        let (hold, held) = mpsc::channel::<()>();
        let (say, said) = mpsc::channel();
        let waiting = std::thread::spawn(move || {
            say.send(current()).unwrap();
            held.recv()
        });
        let (pid, waiter) = (std::process::id(), said.recv().unwrap());
        while !only_waits(pid, waiter) {
            std::thread::yield_now();
        }
        assert!(!only_waits(pid, current()), "this thread is running");
        hold.send(()).unwrap();
        waiting.join().unwrap().unwrap();
    }
}
