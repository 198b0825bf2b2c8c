//! The kernel's System V semaphores, each the first of its set.
//!
//! Knows nothing of what a semaphore counts.
#![expect(unsafe_code, reason = "calls what rustix does not have; listed in the architecture page")]

use super::sysv::{Opening, told};
use libc::{c_int, c_short, semid_ds, size_t, timespec};
use rustix::io::Result;
use std::mem::MaybeUninit;
use std::time::Duration;

unsafe extern "C" {
    /// The C library's; the crate `libc` does not declare it.
    fn semtimedop(semaphore: c_int, steps: *mut libc::sembuf, count: size_t, timeout: *const timespec) -> c_int;
}

/// What `semctl` takes as its fourth argument.
#[repr(C)]
union Argument {
    value: c_int,
    state: *mut semid_ds,
}

/// How long an operation waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    Not,
    AtMost(Duration),
    Endless,
}

/// One step of an operation, whose steps take effect together or not at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// What is added; below 0 it waits until so much is there, and with 0 until nothing is.
    pub(crate) amount: i16,
    /// When the process ends, the kernel does the opposite.
    pub(crate) is_undone: bool,
}

/// The number of the set with this key; a new one has one semaphore, and no value.
pub(crate) fn open(key: i32, opening: Opening, mode: u16) -> Result<i32> {
    let semaphores = c_int::from(opening != Opening::Open);
    // SAFETY: the call takes three numbers.
    told(unsafe { libc::semget(key, semaphores, opening.with(mode)) })
}

/// Takes these steps; `AGAIN` when that would take longer than it may.
pub(crate) fn operate<const N: usize>(semaphore: i32, steps: [Step; N], wait: Wait) -> Result<()> {
    let at_once = if matches!(wait, Wait::Not) { libc::IPC_NOWAIT } else { 0 };
    let mut steps = steps.map(|step| libc::sembuf {
        sem_num: 0,
        sem_op: step.amount,
        sem_flg: (at_once | if step.is_undone { libc::SEM_UNDO } else { 0 }) as c_short,
    });
    let timeout = match wait {
        Wait::AtMost(time) => Some(timespec {
            tv_sec: time.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_nsec: time.subsec_nanos() as _,
        }),
        Wait::Not | Wait::Endless => None,
    };
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: at `steps` are `N` of them, and at `timeout` is one or nothing; the kernel reads both during the call.
    told(unsafe { semtimedop(semaphore, steps.as_mut_ptr(), N, timeout) }).map(drop)
}

/// What one number of a semaphore is: `GETVAL`, `GETPID`, `GETNCNT` or `GETZCNT`.
pub(crate) fn number(semaphore: i32, which: c_int) -> Result<i32> {
    // SAFETY: these commands take no fourth argument.
    told(unsafe { libc::semctl(semaphore, 0, which) })
}

/// Sets the value, and forgets what was to be undone.
pub(crate) fn set(semaphore: i32, value: u16) -> Result<()> {
    let argument = Argument { value: c_int::from(value) };
    // SAFETY: this command takes a number.
    told(unsafe { libc::semctl(semaphore, 0, libc::SETVAL, argument) }).map(drop)
}

/// What the kernel tells of a set.
pub(crate) fn state(semaphore: i32) -> Result<semid_ds> {
    let mut state = MaybeUninit::uninit();
    let argument = Argument { state: state.as_mut_ptr() };
    // SAFETY: there is room for the answer.
    told(unsafe { libc::semctl(semaphore, 0, libc::IPC_STAT, argument) })?;
    // SAFETY: the kernel has written it, for the call succeeded.
    Ok(unsafe { state.assume_init() })
}

/// Changes the owner and the mode of a set to these.
pub(crate) fn change(semaphore: i32, state: &mut semid_ds) -> Result<()> {
    // SAFETY: `state` is one, and the kernel only reads it.
    told(unsafe { libc::semctl(semaphore, 0, libc::IPC_SET, Argument { state }) }).map(drop)
}

/// Removes a set.
pub(crate) fn remove(semaphore: i32) -> Result<()> {
    // SAFETY: this command takes no fourth argument.
    told(unsafe { libc::semctl(semaphore, 0, libc::IPC_RMID) }).map(drop)
}
