//! Measures what processes share against its peers, in one run: a lock and permits, alone and with others.
//!
//! Knows nothing of the library's inside. Every figure is the median of the rounds; what counts is the ratio. Python's
//! figures are measured with Python: `python3 -m timeit -s 'from multiprocessing import Lock; l = Lock()' 'l.acquire();
//! l.release()'`.
#![expect(unsafe_code, reason = "the peer of other processes is a mutex of POSIX in shared memory")]

mod table;

use csproc::prelude::*;
use std::time::Instant;
use table::{nanoseconds, suite, table};

/// Takes and gives back, so often.
fn measure(times: u64, mut work: impl FnMut()) -> f64 {
    (0..times / 10).for_each(|_| work());
    let start = Instant::now();
    (0..times).for_each(|_| work());
    nanoseconds(start, times)
}

#[process]
fn take(lock: Lock, times: u64) -> csproc::Result<f64> {
    let start = Instant::now();
    for _ in 0..times {
        drop(lock.acquire()?);
    }
    Ok(nanoseconds(start, times))
}

fn contended(placement: Placement, parties: u64, times: u64) -> f64 {
    let lock = Lock::new();
    let all = Parallel!(for _ in 0..parties => take(lock.clone(), times).on(placement)).values();
    all.expect("nobody dies").iter().sum::<f64>() / (parties * parties) as f64
}

/// A mutex of POSIX that processes share.
struct Posix(*mut libc::pthread_mutex_t);

impl Posix {
    fn new() -> Posix {
        let size = size_of::<libc::pthread_mutex_t>();
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh mapping of that size.
        let place = unsafe { libc::mmap(std::ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        let mut attributes = std::mem::MaybeUninit::uninit();
        // SAFETY: made here, for this call and the next ones.
        unsafe { libc::pthread_mutexattr_init(attributes.as_mut_ptr()) };
        // SAFETY: initialized above.
        unsafe { libc::pthread_mutexattr_setpshared(attributes.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED) };
        // SAFETY: initialized above.
        unsafe { libc::pthread_mutexattr_setrobust(attributes.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST) };
        // SAFETY: the mapping is large enough, and the attributes are initialized.
        unsafe { libc::pthread_mutex_init(place.cast(), attributes.as_ptr()) };
        Posix(place.cast())
    }

    fn with(&self) {
        // SAFETY: initialized in `new`, and never unmapped.
        unsafe { libc::pthread_mutex_lock(self.0) };
        // SAFETY: locked above.
        unsafe { libc::pthread_mutex_unlock(self.0) };
    }
}

fn main() {
    suite("sharing", measure_all);
}

fn measure_all(scale: u64) {
    let times = 1_000_000 / scale;
    let (lock, rw, seats, posix) = (Lock::new(), RwLock::new(), Semaphore::new(4), Posix::new());
    let std = std::sync::Mutex::new(());
    table(
        "taking and giving back, nobody else there",
        "ns each time",
        &[
            ("`Lock`", Box::new(|| measure(times, || drop(lock.acquire().unwrap())))),
            ("`RwLock`, to read", Box::new(|| measure(times, || drop(rw.read().unwrap())))),
            ("`Semaphore`", Box::new(|| measure(times, || drop(seats.acquire().unwrap())))),
            ("a robust mutex of POSIX between processes", Box::new(|| measure(times, || posix.with()))),
            ("`std::sync::Mutex`, one process", Box::new(|| measure(times, || drop(std.lock().unwrap())))),
        ],
    );
    let times = 40_000 / scale;
    table(
        "taking and giving back a `Lock`, one after the other",
        "ns each time",
        &[
            ("two processes", Box::new(|| contended(Placement::Process, 2, times))),
            ("two threads", Box::new(|| contended(Placement::Thread, 2, times))),
            ("four processes", Box::new(|| contended(Placement::Process, 4, times / 2))),
        ],
    );
}
