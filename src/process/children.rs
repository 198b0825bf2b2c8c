//! Children that were spawned and not joined yet: each process waits for its own when it ends, and tells which of them
//! failed.
//!
//! Knows nothing of how a process runs. A child whose handle was dropped costs nothing once it is gone: when a process
//! has spawned as many as it kept before, it looks which are gone, and keeps of them only what has to be told. So
//! spawning and forgetting may go on for ever, at the same cost.

use super::awaited::Awaited;
use super::driver::Driver;
use super::failure::{Failure, Outcome};
use super::running::Running;
use super::untold::say;
use crate::engine::{Member, member};
use crate::sys::clock::Deadline;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The children of every process that runs in this process of the operating system, by the starter's serial number.
static FAMILIES: Mutex<BTreeMap<u64, Family>> = Mutex::new(BTreeMap::new());

/// Whether any process here has ever had one: most programs wait for what they start, and need not look.
static ANY: AtomicBool = AtomicBool::new(false);

/// Fewer are kept without looking whether they are gone.
const FEW: usize = 64;

/// So many failures are told one by one.
const TOLD: usize = 8;

/// The children of one process.
#[derive(Default)]
struct Family {
    /// By their own serial numbers: in the order of their start.
    children: BTreeMap<u64, Adopted>,
    /// Threads that drive what was spawned as a sequence, or is to be started again.
    drivers: Vec<Driver>,
    failures: Failures,
    /// With so many it looks which are gone.
    sweep_at: usize,
}

/// A child, and where it was spawned: whoever waits for it at its own end waits there.
#[derive(Clone)]
struct Adopted {
    child: Arc<Running>,
    spawned_at: &'static Location<'static>,
}

impl Adopted {
    fn is_gone(&self) -> bool {
        self.child.wait(false, self.spawned_at)
    }

    /// Waits for its end.
    fn take(&self) -> Option<Outcome> {
        self.child.take(self.spawned_at)
    }
}

/// What is to be told of children that nobody joined.
#[derive(Default)]
struct Failures {
    texts: Vec<String>,
    more: usize,
}

impl Failures {
    /// A deadlock is told by those who found it.
    fn note(&mut self, outcome: &Outcome) {
        let text = match outcome {
            Outcome::Failed(Failure::Unknown { .. }) => return,
            Outcome::Failed(failure) => format!("{failure}; it was spawned and never joined"),
            Outcome::Deadlocked(..) | Outcome::Returned { .. } | Outcome::NotBegun { .. } => return,
        };
        self.add(text);
    }

    fn add(&mut self, text: String) {
        if self.texts.len() < TOLD {
            self.texts.push(text);
        } else {
            self.more += 1;
        }
    }

    fn and(mut self, other: Failures) -> Failures {
        self.more += other.more;
        other.texts.into_iter().for_each(|text| self.add(text));
        self
    }

    fn tell(self) {
        for text in self.texts {
            say(format_args!("{text}"));
        }
        if self.more > 0 {
            say(format_args!("{} more processes that were spawned and never joined failed", self.more));
        }
    }
}

impl Family {
    fn len(&self) -> usize {
        self.children.len() + self.drivers.len()
    }

    /// Those that may be gone and that nobody can join any more, if it is time to look.
    fn due(&mut self) -> Vec<Adopted> {
        if self.len() < self.sweep_at.max(FEW) {
            return Vec::new();
        }
        // The same again, and it looks again; with nobody gone, too, so that a look costs each start as much as one
        // child.
        self.sweep_at = 2 * self.len();
        self.children.values().filter(|adopted| Arc::strong_count(&adopted.child) == 1).cloned().collect()
    }
}

/// Keeps a spawned child until it is joined.
pub(super) fn adopt(child: Arc<Running>, spawned_at: &'static Location<'static>) {
    ANY.store(true, Ordering::Release);
    let parent = child.parent();
    let to_look_at = {
        let mut families = FAMILIES.lock();
        let family = families.entry(parent).or_default();
        family.children.insert(child.serial(), Adopted { child, spawned_at });
        family.due()
    };
    sweep(parent, to_look_at);
}

/// The child was joined.
pub(super) fn forget(child: &Running) {
    if let Some(family) = FAMILIES.lock().get_mut(&child.parent()) {
        family.children.remove(&child.serial());
    }
}

/// Keeps the driver of what nobody joins until the calling process ends.
pub(super) fn leave_driver(driver: Driver) {
    ANY.store(true, Ordering::Release);
    let parent = serial_of(member().ok());
    let to_look_at = {
        let mut families = FAMILIES.lock();
        let family = families.entry(parent).or_default();
        family.drivers.push(driver);
        family.due()
    };
    sweep(parent, to_look_at);
}

/// Gives up those that are gone. No lock is held while their ends are looked at.
fn sweep(parent: u64, to_look_at: Vec<Adopted>) {
    if to_look_at.is_empty() {
        return;
    }
    let gone: Vec<Adopted> = to_look_at.into_iter().filter(Adopted::is_gone).collect();
    let mut outcomes: Vec<Outcome> = gone.iter().filter_map(Adopted::take).collect();
    let finished: Vec<Driver> = match FAMILIES.lock().get_mut(&parent) {
        Some(family) => {
            gone.iter().for_each(|gone| drop(family.children.remove(&gone.child.serial())));
            family.drivers.extract_if(.., |driver| driver.is_over()).collect()
        }
        None => Vec::new(),
    };
    outcomes.extend(finished.into_iter().flat_map(Driver::join));
    if let Some(family) = FAMILIES.lock().get_mut(&parent) {
        outcomes.iter().for_each(|outcome| family.failures.note(outcome));
        family.sweep_at = 2 * family.len();
    }
}

/// The children that a process waits for at its end, as they are now.
pub(super) fn awaited_by(index: u32) -> Vec<Awaited> {
    let families = FAMILIES.lock();
    let Some(family) = families.get(&serial_of(Some(index))) else { return Vec::new() };
    let child = |Adopted { child, spawned_at }: &Adopted| Awaited::Process { running: child.clone(), spawned_at };
    let driven = family.drivers.iter().map(|driver| Awaited::Driven(driver.awaited()));
    family.children.values().map(child).chain(driven).collect()
}

/// Waits for all children of a process that is at its end, and tells which of them failed.
pub(super) fn join_children_of(index: u32) {
    if !ANY.load(Ordering::Acquire) {
        return;
    }
    let parent = serial_of(Some(index));
    let mut failures = Failures::default();
    loop {
        let next = FAMILIES
            .lock()
            .get_mut(&parent)
            .map(|family| (std::mem::take(&mut family.drivers), family.children.pop_first()));
        let Some((drivers, child)) = next else { return failures.tell() };
        if drivers.is_empty() && child.is_none() {
            break;
        }
        let outcomes = drivers.into_iter().flat_map(Driver::join);
        outcomes.chain(child.and_then(|(_, child)| child.take())).for_each(|outcome| failures.note(&outcome));
    }
    let kept = FAMILIES.lock().remove(&parent).unwrap_or_default();
    kept.failures.and(failures).tell();
}

/// Tells which children of a process that does not wait for them have failed so far.
pub(super) fn tell_failed_children_of(index: u32) {
    /// Whoever crashed has closed its ends a moment before it counts as gone.
    const MOMENT: Duration = Duration::from_millis(200);
    let deadline = Deadline::at(Instant::now() + MOMENT);
    let (finished, children, mut failures) = match FAMILIES.lock().get_mut(&serial_of(Some(index))) {
        Some(family) => (
            family.drivers.extract_if(.., |driver| driver.is_over()).collect(),
            family.children.values().cloned().collect::<Vec<_>>(),
            std::mem::take(&mut family.failures),
        ),
        None => (Vec::new(), Vec::new(), Failures::default()),
    };
    finished.into_iter().flat_map(Driver::join).for_each(|outcome| failures.note(&outcome));
    for adopted in children {
        if adopted.child.is_gone_if_crashed(&deadline) || adopted.is_gone() {
            adopted.take().iter().for_each(|outcome| failures.note(outcome));
        }
    }
    failures.tell();
}

/// A process has crashed on a thread: the process of the operating system that it was part of waits for its children in
/// its place.
pub(super) fn leave_to_host(index: u32) {
    let host = Member::at(index).map_or(index, Member::host);
    let (parent, heir) = (serial_of(Some(index)), serial_of(Some(host)));
    if parent == heir {
        return;
    }
    let mut families = FAMILIES.lock();
    if let Some(Family { children, drivers, failures, .. }) = families.remove(&parent) {
        let family = families.entry(heir).or_default();
        family.children.extend(children);
        family.drivers.extend(drivers);
        family.failures = std::mem::take(&mut family.failures).and(failures);
    }
}

/// Nobody will join the children of this process, which is gone with its world.
#[cfg(feature = "testing")]
pub(super) fn forget_children_of(parent: u64) {
    if !ANY.load(Ordering::Acquire) {
        return;
    }
    let family = FAMILIES.lock().remove(&parent);
    drop(family);
}

/// A number that no other process has; one for all that have none.
fn serial_of(index: Option<u32>) -> u64 {
    index.and_then(Member::at).map_or(u64::MAX, Member::serial)
}
