//! Signals with handlers, with and without `SA_RESTART`, disturb no blocking call: none returns early or with an error,
//! and no time is cut short.
//!
//! Knows nothing of which system calls wait.

use csproc::prelude::*;
use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a blocking call is disturbed.
const WHILE: Duration = Duration::from_millis(60);

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: i32) {
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "a handler can be installed in no other way")]
fn handle(flags: SaFlags) {
    let action = SigAction::new(SigHandler::Handler(count), flags, SigSet::empty());
    // SAFETY: the handler only adds to an atomic.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
}

/// Runs a blocking call while signals arrive, and says how long it took. `then` ends it. One that ends by itself may
/// end before the pest has had a processor: then it is made again.
fn disturbed<R>(mut call: impl FnMut() -> R, then: impl FnOnce() + Send + 'static) -> (R, Duration) {
    let over = Arc::new(AtomicBool::new(false));
    let (thread, end) = (pthread_self(), over.clone());
    let start = Instant::now();
    let pest = std::thread::spawn(move || {
        let mut then = Some(then);
        while !end.load(Ordering::Acquire) {
            pthread_kill(thread, Signal::SIGUSR1).unwrap();
            std::thread::sleep(Duration::from_micros(300));
            if start.elapsed() > WHILE
                && let Some(then) = then.take()
            {
                // On a thread of its own: it may itself wait for the call to end.
                std::thread::spawn(then);
            }
        }
    });
    let mut began = start;
    let disturbed = loop {
        let before = HANDLED.load(Ordering::Relaxed);
        let result = call();
        if HANDLED.load(Ordering::Relaxed) > before {
            break (result, began.elapsed());
        }
        began = Instant::now();
    };
    over.store(true, Ordering::Release);
    pest.join().unwrap();
    disturbed
}

#[process]
fn end_at_a_word(input: Reader<u64>) -> u64 {
    input.read().unwrap()
}

#[process]
fn disturb_everything(restart: bool) {
    handle(if restart { SaFlags::SA_RESTART } else { SaFlags::empty() });
    let c = Channel::<u64>::new();
    let (w, r) = (c.writer(), c.reader());

    let out = w.clone();
    let (read, took) = disturbed(|| r.read(), move || out.write(1).unwrap());
    assert!(read == Ok(1) && took >= WHILE, "read: {read:?} after {took:?}");

    let input = r.clone();
    let (written, took) = disturbed(|| w.write(2), move || assert_eq!(input.read(), Ok(2)));
    assert!(written.is_ok() && took >= WHILE, "write: {written:?} after {took:?}");

    let input = r.clone();
    let (written, took) = disturbed(
        || w.write(3),
        move || {
            let kept = input.read_extended(|value| {
                std::thread::sleep(WHILE);
                value
            });
            assert_eq!(kept, Ok(3));
        },
    );
    assert!(written.is_ok() && took >= WHILE * 2, "write to an extended reader: {written:?} after {took:?}");

    let (read, took) = disturbed(|| r.read_timeout(WHILE), || ());
    assert!(read.as_ref().is_err_and(ChannelError::is_timed_out) && took >= WHILE, "timeout: {read:?} after {took:?}");

    let (written, took) = disturbed(|| w.write_timeout(4, WHILE), || ());
    assert!(written.is_err_and(|error| error.fate.is_timed_out()) && took >= WHILE, "write timeout after {took:?}");

    let other = Channel::<u64>::new();
    let (_w, second) = (other.writer(), other.reader());
    let (fired, took) =
        disturbed(|| AltSelect! { v = r.read() => v, v = second.read() => v, after(WHILE) => 7 }, || ());
    assert!(fired == Ok(7) && took >= WHILE, "alternation: {fired:?} after {took:?}");

    let out = w.clone();
    let (fired, took) = disturbed(
        || AltSelect! { v = r.read() => v, v = second.read() => v, after(Duration::from_secs(3600)) => 7 },
        move || out.write(5).unwrap(),
    );
    assert!(fired == Ok(5) && took >= WHILE, "alternation: {fired:?} after {took:?}");

    let barrier = Barrier::new(2);
    let party = barrier.clone();
    let (synced, took) = disturbed(|| barrier.sync(), move || party.sync().unwrap());
    assert!(synced.is_ok() && took >= WHILE, "sync: {synced:?} after {took:?}");

    let mut child = Some(Spawn!(end_at_a_word(c.reader())).unwrap());
    let (joined, took) = disturbed(|| child.take().unwrap().join(), move || w.write(6).unwrap());
    assert!(joined.as_ref().is_ok_and(|word| *word == 6) && took >= WHILE, "join: {joined:?} after {took:?}");

    // Starting processes is a conversation with the server, which must not be disturbed either.
    let spawned = disturbed(
        || {
            let start = Instant::now();
            while start.elapsed() < WHILE {
                let (w, r) = (other.writer(), other.reader());
                let child = Spawn!(end_at_a_word(r)).unwrap();
                w.write(8).unwrap();
                assert_eq!(child.join().unwrap(), 8);
            }
        },
        || (),
    );
    assert!(spawned.1 >= WHILE);
}

alone! {
    fn no_signal_that_restarts_calls_disturbs_one() {
        Parallel!(disturb_everything(true)).unwrap();
        crate::estate::Estate::EMPTY.restored("signals with SA_RESTART");
    }

    fn no_signal_that_interrupts_calls_disturbs_one() {
        Parallel!(disturb_everything(false)).unwrap();
        crate::estate::Estate::EMPTY.restored("signals without SA_RESTART");
    }
}
