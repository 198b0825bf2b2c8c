//! Signals that this process listens to: one handler notes them, and rings the bell of everybody who wants to know.
//!
//! Knows nothing of what the signals mean. A handler that the program had is called as well; when nobody listens any
//! more, what happened before happens again.
//!
//! ```text
//!  handler                                listener that leaves
//!  one more at work                       wants nothing any more
//!  whom does it concern? note, ring       waits until nobody is at work
//!  one less at work                       closes the bell
//! ```
//! All four are sequentially consistent: a handler that still sees the listener is one that the listener waits for.
#![expect(unsafe_code, reason = "a signal handler; listed in the architecture page")]

use super::signal::{action_of, is_ours};
use parking_lot::Mutex;
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use std::ffi::c_void;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering::SeqCst};

/// How many can listen at once.
const LISTENERS: usize = 64;
/// One more than the greatest number of a signal that can be listened to: sets of signals are words.
const SIGNALS: usize = 32;

/// What the handler knows of a listener.
struct Slot {
    wants: AtomicU32,
    came: AtomicU32,
    /// An open descriptor while anything is wanted.
    bell: AtomicI32,
}

static SLOTS: [Slot; LISTENERS] =
    [const { Slot { wants: AtomicU32::new(0), came: AtomicU32::new(0), bell: AtomicI32::new(-1) } }; LISTENERS];

/// How many handlers are at work.
static AT_WORK: AtomicU32 = AtomicU32::new(0);

/// The program's own handler of each signal, or 0; and the signals whose handler takes three arguments.
static BEFORE: [AtomicUsize; SIGNALS] = [const { AtomicUsize::new(0) }; SIGNALS];
static TAKE_THREE: AtomicU32 = AtomicU32::new(0);

/// Who listens to what; locked by whoever comes or goes, and not by the handler.
static DESK: Mutex<Desk> = Mutex::new(Desk { taken: 0, listeners: [0; SIGNALS], before: [None; SIGNALS] });

struct Desk {
    /// The slots that are somebody's.
    taken: u64,
    listeners: [usize; SIGNALS],
    /// What is to happen with a signal when nobody listens any more.
    before: [Option<libc::sigaction>; SIGNALS],
}

/// Somebody who listens to some signals.
#[derive(Debug)]
pub(crate) struct Listener {
    slot: usize,
    signals: u32,
    bell: OwnedFd,
    process: u32,
}

impl Listener {
    /// From now on these signals, of numbers below 32, are heard.
    ///
    /// # Errors
    /// As many listen as can (`ENOSPC`), or no descriptor is to be had.
    pub(crate) fn to(signals: impl IntoIterator<Item = i32>) -> Result<Listener, Errno> {
        let signals = signals.into_iter().fold(0, |signals, signal| signals | bit(signal));
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let mut desk = DESK.lock();
        let number = desk.taken.trailing_ones() as usize;
        let slot = SLOTS.get(number).ok_or(Errno::NOSPC)?;
        desk.taken |= 1 << number;
        slot.came.store(0, SeqCst);
        slot.bell.store(bell.as_raw_fd(), SeqCst);
        slot.wants.store(signals, SeqCst);
        each(signals).for_each(|signal| desk.begin(signal));
        Ok(Listener { slot: number, signals, bell, process: std::process::id() })
    }

    /// A signal that has come; of several, that with the lowest number. One that comes again before it is asked for has
    /// come once.
    pub(crate) fn next(&self) -> Option<i32> {
        let came = &SLOTS[self.slot].came;
        // First: whatever is noted after this rings again.
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        let first = each(came.load(SeqCst)).next()?;
        let rest = came.fetch_and(!bit(first), SeqCst) & !bit(first);
        if rest != 0 {
            ring(self.bell.as_raw_fd());
        }
        Some(first)
    }
}

/// Readable when a signal may have come.
impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut desk = DESK.lock();
        SLOTS[self.slot].wants.store(0, SeqCst);
        each(self.signals).for_each(|signal| desk.end(signal));
        // In the copy that a bare fork makes, whoever was at work is not there.
        while self.process == std::process::id() && AT_WORK.load(SeqCst) != 0 {
            std::thread::yield_now();
        }
        desk.taken &= !(1 << self.slot);
    }
}

impl Desk {
    fn begin(&mut self, signal: i32) {
        let place = signal as usize;
        self.listeners[place] += 1;
        let Some(now) = action_of(signal) else { return };
        // A handler that was put in place over ours, while somebody listened, calls ours.
        let is_covered = self.before[place].is_some() && is_function(now.sa_sigaction);
        if now.sa_sigaction == ours() || is_covered {
            return;
        }
        let is_programs = is_function(now.sa_sigaction) && !is_ours(now.sa_sigaction);
        BEFORE[place].store(if is_programs { now.sa_sigaction } else { 0 }, SeqCst);
        if now.sa_flags & libc::SA_SIGINFO == 0 {
            TAKE_THREE.fetch_and(!bit(signal), SeqCst);
        } else {
            TAKE_THREE.fetch_or(bit(signal), SeqCst);
        }
        self.before[place] = Some(now);
        let flags = libc::SA_RESTART | libc::SA_SIGINFO | libc::SA_ONSTACK;
        set(signal, &libc::sigaction { sa_sigaction: ours(), sa_flags: flags, ..now });
    }

    fn end(&mut self, signal: i32) {
        let place = signal as usize;
        self.listeners[place] -= 1;
        let is_last = self.listeners[place] == 0;
        if is_last
            && action_of(signal).is_some_and(|now| now.sa_sigaction == ours())
            && let Some(before) = self.before[place].take()
        {
            set(signal, &before);
        }
    }
}

fn set(signal: i32, action: &libc::sigaction) {
    // SAFETY: a valid signal number, and what was there before or a handler that may be called at any time.
    unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) };
}

fn ours() -> usize {
    heard as *const () as usize
}

fn is_function(action: usize) -> bool {
    action != libc::SIG_DFL && action != libc::SIG_IGN
}

/// May interrupt anything: takes no lock and allocates nothing.
extern "C" fn heard(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    AT_WORK.fetch_add(1, SeqCst);
    for slot in SLOTS.iter().filter(|slot| slot.wants.load(SeqCst) & bit(signal) != 0) {
        slot.came.fetch_or(bit(signal), SeqCst);
        ring(slot.bell.load(SeqCst));
    }
    AT_WORK.fetch_sub(1, SeqCst);
    let before = BEFORE[signal as usize].load(SeqCst);
    if before == 0 {
        return;
    }
    if TAKE_THREE.load(SeqCst) & bit(signal) != 0 {
        // SAFETY: the program has put this function in place as a handler of three arguments.
        let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut c_void) = unsafe { std::mem::transmute(before) };
        handler(signal, info, context);
    } else {
        // SAFETY: the program has put this function in place as a handler of one argument.
        let handler: extern "C" fn(i32) = unsafe { std::mem::transmute(before) };
        handler(signal);
    }
}

/// What rings already goes on ringing, and whoever is interrupted finds `errno` as it was.
fn ring(bell: RawFd) {
    // SAFETY: asks for the place of the calling thread's number, which is there as long as the thread.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let errno = unsafe { *place };
    let one = 1_u64.to_ne_bytes();
    // SAFETY: eight bytes of this function's own, and a descriptor that is not closed before this handler has ended.
    unsafe { libc::write(bell, one.as_ptr().cast(), one.len()) };
    // SAFETY: as above.
    unsafe { *place = errno };
}

fn bit(signal: i32) -> u32 {
    1 << signal
}

/// The signals in a set, from the lowest.
fn each(signals: u32) -> impl Iterator<Item = i32> {
    (1..SIGNALS as i32).filter(move |signal| signals & bit(*signal) != 0)
}
