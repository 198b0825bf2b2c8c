//! What every scene of `step` needs: survivors, the tracing of a victim, and the search over the places at which to
//! kill it.
//!
//! Knows nothing of any operation.

use crate::estate::Estate;
use crate::harness::place::Place;
use crate::tracer::{Cut, Walk, forbidden, walk};
use csproc::prelude::*;
use csproc::{Cause, Child};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::Instant;

/// Places that are spread over all instructions of a scene in the plain run.
const SAMPLE: usize = 4;

/// Runs a scene with the victim killed nowhere, and then killed at many places.
pub(crate) fn explore(name: &str, policies: &[OnCrash], scene: &dyn Fn(OnCrash, Cut) -> Walk) {
    if forbidden_here(name) {
        return;
    }
    let _loafers = loafers();
    let before = Estate::EMPTY;
    before.restored(name);
    // First without a cut: what the first run of anything does once is not what is to be stepped through.
    scene(policies[0], Cut::Unwatched);
    let whole = scene(policies[0], Cut::Never);
    assert!(whole.finished && !whole.changes.is_empty(), "{name}: {whole:?}");
    before.restored(name);
    let places = places(&whole);
    let (mut finished, start) = (0, Instant::now());
    for policy in policies {
        for place in &places {
            let what = format!("{name}, {policy:?}, killed after instruction {place} of {}", whole.path.len());
            let ran = catch_unwind(AssertUnwindSafe(|| scene(*policy, whole.cut_after(*place))));
            let ran = ran.unwrap_or_else(|_| panic!("{what}"));
            finished += usize::from(ran.finished);
            before.restored(&what);
        }
    }
    crate::report(&format!(
        "kill::step: {name}: {} instructions, {} change the shared memory, {} sleeps; {} kills, {finished} of them at \
         the end; {:?}",
        whole.path.len(),
        whole.changes.len(),
        whole.slept,
        places.len() * policies.len(),
        start.elapsed(),
    ));
}

/// Whether the system lets nobody be traced: then it is said what is skipped.
pub(crate) fn forbidden_here(name: &str) -> bool {
    let reason = forbidden();
    if let Some(reason) = &reason {
        crate::report(&format!("kill: {name} is skipped: {reason}"));
    }
    reason.is_some()
}

/// As [`explore`], for an operation with too many instructions for the plain run: the victim is killed after one part
/// more of the time that the operation takes.
pub(crate) fn explore_in_time(name: &str, scene: &dyn Fn(OnCrash, Cut) -> Walk) {
    const PARTS: u32 = 60;
    if forbidden_here(name) {
        return;
    }
    Estate::EMPTY.restored(name);
    let start = Instant::now();
    scene(OnCrash::Poison, Cut::Unwatched);
    let whole = start.elapsed();
    let mut finished = 0;
    for part in 0..PARTS {
        let ran = scene(OnCrash::Poison, Cut::Later(whole * part / PARTS));
        finished += usize::from(ran.finished);
        Estate::EMPTY.restored(&format!("{name}, killed after {part} parts of {PARTS} of {whole:?}"));
    }
    crate::report(&format!("kill::step: {name}: {PARTS} kills within {whole:?}, {finished} of them at the end"));
}

/// Where to kill: after what changes the shared memory, and at places spread over all; or everywhere.
fn places(whole: &Walk) -> Vec<usize> {
    let mut places = whole.changes.clone();
    let distance = match whole.path.len() {
        length if !crate::is_long() => length / SAMPLE,
        // To start a process takes hundreds of thousands, most of them far from anything shared.
        length if length > 100_000 => 50,
        _ => 1,
    };
    places.extend((0..=whole.path.len()).step_by(distance.max(1)));
    places.sort_unstable();
    places.dedup();
    places
}

/// Threads that count as active, so that a victim that waits yields a few times instead of spinning for thousands of
/// rounds.
fn loafers() -> Vec<Loafer> {
    (0..4).map(|_| Loafer::start()).collect()
}

struct Loafer {
    stop: Option<std::sync::mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Loafer {
    fn start() -> Loafer {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (say, ready) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            drop(Channel::<u8>::new());
            say.send(()).unwrap();
            stopped.recv().unwrap_err();
        });
        ready.recv().unwrap();
        Loafer { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Loafer {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A survivor on a thread of the program.
pub(crate) struct Peer<R> {
    place: Place,
    thread: JoinHandle<R>,
}

impl<R: Send + 'static> Peer<R> {
    pub(crate) fn start(work: impl FnOnce() -> R + Send + 'static) -> Peer<R> {
        let (say, said) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            say.send(Place::here()).unwrap();
            work()
        });
        Peer { place: said.recv().unwrap(), thread }
    }

    /// A survivor that waits in its operation.
    pub(crate) fn waiting(work: impl FnOnce() -> R + Send + 'static) -> Peer<R> {
        let peer = Peer::start(work);
        peer.place.until_asleep();
        peer
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    pub(crate) fn is_asleep(&self) -> bool {
        let stat = format!("/proc/{}/task/{}/stat", self.place.pid, self.place.thread);
        crate::harness::system::seen(&stat).is_some_and(|seen| seen.state == 'S')
    }

    pub(crate) fn end(self) -> R {
        self.thread.join().unwrap()
    }
}

/// Traces the victim, and joins it.
pub(crate) fn follow(victim: Child<()>, cut: Cut, asleep: &mut dyn FnMut()) -> Walk {
    follow_and_stop(victim, cut, asleep, &mut || ())
}

pub(crate) fn follow_and_stop(
    victim: Child<()>,
    cut: Cut,
    asleep: &mut dyn FnMut(),
    stopped: &mut dyn FnMut(),
) -> Walk {
    let walk = walk(victim.pid().unwrap(), cut, asleep, stopped);
    let joined = victim.join();
    match cut {
        Cut::Never | Cut::Unwatched => joined.unwrap(),
        Cut::Before { .. } | Cut::Later(_) => drop(joined.unwrap_err()),
    }
    walk
}

/// The error of a survivor: the channel was lost with the victim.
pub(crate) fn is_lost(error: &ChannelError) -> bool {
    *error == ChannelError::Lost { process: String::from("victim"), cause: Cause::Killed { signal: 9 } }
}

pub(crate) fn assert_lost(error: &ChannelError) {
    assert!(is_lost(error), "{error:?}");
}

/// Everything that can be read by `read`, and why it ended.
pub(crate) fn read_all_with(read: impl Fn() -> Result<u64, ChannelError>) -> (Vec<u64>, ChannelError) {
    let mut values = Vec::new();
    loop {
        match read() {
            Ok(value) => values.push(value),
            Err(error) => return (values, error),
        }
    }
}

/// Everything that can be read, and why it ended.
pub(crate) fn read_all(r: &Reader<u64>) -> (Vec<u64>, ChannelError) {
    read_all_with(|| r.read())
}

pub(crate) const BOTH: [OnCrash; 2] = [OnCrash::Poison, OnCrash::Retire];

/// What the first operation of a process makes exists already: its context, and a block in its hand.
pub(crate) fn warm_up() {
    let c = Channel::<u64>::new();
    let (w, r) = (c.writer(), c.reader());
    assert!(w.try_write(0).unwrap_err().fate.is_would_block());
    assert!(r.try_read().unwrap_err().is_would_block());
}

/// The writers' side of a scene: every value that was written, or why not.
pub(crate) fn write_all(w: &Writer<u64>, values: &[u64]) -> Vec<Result<(), ChannelError>> {
    values.iter().map(|value| w.write(*value).map_err(|error| error.fate)).collect()
}

/// Everybody who lives has heard of the loss, if there was one to hear of.
pub(crate) fn assert_all_well(results: &[Result<(), ChannelError>]) {
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

pub(crate) fn spawn(victim: Process<()>, policy: OnCrash) -> Child<()> {
    Spawn!(victim.named("victim").on_crash(policy)).unwrap()
}
