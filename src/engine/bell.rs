//! The thread that attends to the bell of this process of the operating system, and wakes the futures whose offers have
//! come to something.
//!
//! Knows nothing of what they offer. It begins with the first future that waits, and never ends; a program does not
//! wait for it. The thread looks through all that wait at each ring: with a thousand futures a ring costs some
//! microseconds more than with one.
//!
//! A future that is polled notes its waker under the lock and looks at its word afterwards, so either it sees the
//! commit itself, or the look that the ring causes sees the future.

use super::live::{Bell, Task, Watch, Withdrawn};
use super::{ArenaError, along, host, tables};
use crate::sys::clock::{Deadline, Instant};
use crate::sys::lasting;
use std::any::Any;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Tasks that are kept for the next future: a context costs two calls of the system.
const SPARES: usize = 64;

/// What the thread looks through. Each world of this process has its own, and a thread for it.
#[derive(Default)]
struct Desk {
    /// Futures that wait, by the numbers of their contexts.
    sleepers: BTreeMap<u32, Sleeper>,
    /// Writers whose futures are gone, and whose readers have not finished.
    held: Vec<Held>,
    spare: Vec<Task>,
    /// The number of the thread.
    thread: Option<u32>,
    /// How long the thread sleeps at most.
    until: Option<Deadline>,
}

/// A writer without a future, and what has to stay until its reader has finished.
struct Held {
    task: Task,
    luggage: Option<Box<dyn Any + Send>>,
}

struct Sleeper {
    watch: Watch,
    waker: Waker,
}

fn desk() -> MutexGuard<'static, Desk> {
    // Nobody panics with it, and whatever happened, the tables are whole.
    let desk = tables().beside(Mutex::<Desk>::default);
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A task that acts for this member; from now on somebody attends to the bell.
pub(super) fn take(member: u32) -> Result<Task, ArenaError> {
    let mut desk = desk();
    if let Some(mut task) = desk.spare.pop() {
        task.act_for(Some(member));
        return Ok(task);
    }
    let thread = match desk.thread {
        Some(thread) => thread,
        None => *desk.thread.insert(begin()?),
    };
    Task::new(tables(), member, thread)
}

/// A task that waits no more.
pub(super) fn keep(mut task: Task) {
    task.act_for(None);
    let mut desk = desk();
    if desk.spare.len() < SPARES {
        desk.spare.push(task);
    } else {
        drop(desk);
        drop(task);
    }
}

/// A writer that is held, and has no future any more.
pub(super) fn leave(task: Task, luggage: Option<Box<dyn Any + Send>>) {
    desk().held.push(Held { task, luggage });
    // It may have been released before.
    if let Some(bell) = bell() {
        bell.ring();
    }
}

/// This waker is to be woken when the task is due.
pub(super) fn note(number: u32, watch: Watch, waker: &Waker) {
    let mut desk = desk();
    let deadline = watch.deadline();
    match desk.sleepers.get_mut(&number) {
        Some(sleeper) => {
            sleeper.watch = watch;
            sleeper.waker.clone_from(waker);
        }
        None => drop(desk.sleepers.insert(number, Sleeper { watch, waker: waker.clone() })),
    }
    let sooner = deadline.is_some_and(|new| desk.until.is_none_or(|until| new.instant() < until.instant()));
    // Somebody may have to be told of a wait that lasts.
    let unseen = desk.until.is_none() && lasting::patience().is_some();
    drop(desk);
    if (sooner || unseen)
        && let Some(bell) = bell()
    {
        bell.ring();
    }
}

/// Nobody is to be woken for this task.
pub(super) fn forget(number: u32) {
    // The waker is dropped without the lock: dropping it may drop a future.
    let sleeper = desk().sleepers.remove(&number);
    drop(sleeper);
}

fn bell() -> Option<Bell> {
    Bell::of(tables(), host().ok()?)
}

/// Starts the thread, and gives its number.
fn begin() -> Result<u32, ArenaError> {
    let (number, numbers) = sync_channel(1);
    let thread = std::thread::Builder::new().name(String::from("csproc-bell"));
    let begun = thread.spawn(along(move || {
        let _ = number.send(crate::sys::threads::current());
        attend();
    }));
    begun.map_err(|error| ArenaError::NoThread { code: error.raw_os_error().unwrap_or(0) })?;
    // Not without a number: that is the first that the thread does.
    numbers.recv().map_err(|_| ArenaError::NoThread { code: 0 })
}

fn attend() {
    let Some(bell) = bell() else { return };
    let mut unseen = None;
    loop {
        bell.attend(|| Err::<Infallible, _>(look(&mut unseen)));
    }
}

/// Wakes all futures that are due. Gives the time of the next look, should the bell not ring before.
fn look(unseen: &mut Option<Deadline>) -> Option<Deadline> {
    release_held();
    let mut desk = desk();
    let due: Vec<u32> =
        desk.sleepers.iter().filter(|(_, sleeper)| sleeper.watch.is_due()).map(|(number, _)| *number).collect();
    let due: Vec<Sleeper> = due.iter().filter_map(|number| desk.sleepers.remove(number)).collect();
    let deadlines = desk.sleepers.values().filter_map(|sleeper| sleeper.watch.deadline());
    let mut until = deadlines.min_by_key(Deadline::instant);
    if desk.sleepers.is_empty() {
        *unseen = None;
    } else if let Some(patience) = lasting::patience() {
        let told = *unseen.get_or_insert_with(|| Deadline::at(Instant::now() + patience));
        if told.is_past() {
            *unseen = None;
            lasting::tell();
        } else if until.is_none_or(|until| told.instant() < until.instant()) {
            until = Some(told);
        }
    }
    desk.until = until;
    drop(desk);
    for sleeper in due {
        // It is somebody else's, and may do what it likes but end this thread.
        let _ = catch_unwind(AssertUnwindSafe(|| sleeper.waker.wake()));
    }
    until
}

/// Writers whose futures are gone, and whose readers have finished by now.
fn release_held() {
    let held = std::mem::take(&mut desk().held);
    for mut held in held {
        match held.task.withdraw() {
            Withdrawn::Held(_) => desk().held.push(held),
            Withdrawn::Nothing | Withdrawn::Written(_) => {
                drop(held.luggage);
                keep(held.task);
            }
        }
    }
}
