//! A sleep that lasts: somebody is told of it who sleeps, too, as long as nobody else does.
//!
//! Knows nothing of what the sleepers wait for. A program whose threads never wait for long, or which is looked after
//! anyway, pays nothing for it: only whoever is about to go to sleep asks, and is answered from one word.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

/// What counts as lasting.
const PATIENCE: Duration = Duration::from_millis(20);

/// Set while nobody looks whether somebody sleeps.
static UNSEEN: AtomicBool = AtomicBool::new(false);
static TELL: OnceLock<fn()> = OnceLock::new();

/// From now on `tell` is called by a thread whose sleep lasts, while nobody looks anyway.
pub(crate) fn tell_by(tell: fn()) {
    let _ = TELL.set(tell);
    UNSEEN.store(true, Ordering::Release);
}

/// Whether somebody looks from now on without being told. Whoever stops looking says so first, and then looks once
/// more:
/// ```text
///     sleeper                          whoever looks
///     its word says that it sleeps     nobody is to be relied on
///     ──────── fence ────────          ──────── fence ────────
///     does anybody look?               does anybody sleep?
/// ```
/// One of the two sees the other.
pub(crate) fn is_seen(seen: bool) {
    UNSEEN.store(!seen, Ordering::Relaxed);
    fence(Ordering::SeqCst);
}

/// How long a sleep may last before somebody is to be told; `None` if nobody is. Asked once the sleep shows in the
/// caller's word.
pub(crate) fn patience() -> Option<Duration> {
    fence(Ordering::SeqCst);
    UNSEEN.load(Ordering::Relaxed).then_some(PATIENCE)
}

/// The calling thread sleeps for long, if nothing has changed in the meantime.
pub(crate) fn tell() {
    if patience().is_some()
        && let Some(tell) = TELL.get()
    {
        tell();
    }
}
