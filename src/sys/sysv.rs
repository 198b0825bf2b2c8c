//! The kernel's System V message queues, and the number of a path among their keys.
//!
//! Knows nothing of who sends what to whom, and waits for nothing but in a call that is told to.
#![expect(unsafe_code, reason = "calls what rustix does not have; listed in the architecture page")]

use libc::{c_int, c_long, c_void, msqid_ds};
use rustix::io::{Errno, Result};
use std::ffi::CStr;
use std::mem::MaybeUninit;

/// What `msgget`, `semget` and `shmget` are told besides the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// It must be there.
    Open,
    /// It is made if it is not there.
    Create,
    /// It must not be there.
    CreateNew,
}

impl Opening {
    /// As one number with the mode.
    pub(super) fn with(self, mode: u16) -> c_int {
        let how = match self {
            Opening::Open => 0,
            Opening::Create => libc::IPC_CREAT,
            Opening::CreateNew => libc::IPC_CREAT | libc::IPC_EXCL,
        };
        how | c_int::from(mode)
    }
}

/// A message as the kernel has it in memory: its kind, a word, and its bytes behind it.
pub(crate) struct Letter {
    words: Vec<c_long>,
    /// Of the bytes.
    length: usize,
}

const WORD: usize = size_of::<c_long>();

impl Letter {
    pub(crate) fn new(bytes: &[u8], kind: c_long) -> Letter {
        let word_of = |chunk: &[u8]| {
            let mut word = [0; WORD];
            word[..chunk.len()].copy_from_slice(chunk);
            c_long::from_ne_bytes(word)
        };
        let words = std::iter::once(kind).chain(bytes.chunks(WORD).map(word_of)).collect();
        Letter { words, length: bytes.len() }
    }

    /// With room for so many bytes.
    fn empty(room: usize) -> Letter {
        Letter { words: vec![0; 1 + room.div_ceil(WORD)], length: room }
    }

    pub(crate) fn kind(&self) -> c_long {
        self.words[0]
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.length.next_multiple_of(WORD));
        for word in &self.words[1..] {
            if bytes.len() >= self.length {
                break;
            }
            bytes.extend_from_slice(&word.to_ne_bytes());
        }
        bytes.truncate(self.length);
        bytes
    }
}

/// The number of the queue with this key.
pub(crate) fn open(key: i32, opening: Opening, mode: u16) -> Result<i32> {
    // SAFETY: the call takes two numbers.
    told(unsafe { libc::msgget(key, opening.with(mode)) })
}

/// Puts a message into a queue.
pub(crate) fn send(queue: i32, letter: &Letter, waits: bool) -> Result<()> {
    let place: *const c_long = letter.words.as_ptr();
    // SAFETY: at `place` are a kind and `length` bytes, for `Letter` has room for them.
    let sent = unsafe { libc::msgsnd(queue, place.cast::<c_void>(), letter.length, patience(waits)) };
    told(sent).map(drop)
}

/// Takes a message that has at most `room` bytes; one that has more stays where it is, and is an error.
pub(crate) fn receive(queue: i32, room: usize, kind: c_long, except: bool, waits: bool) -> Result<Letter> {
    let mut letter = Letter::empty(room);
    let how = patience(waits) | if except { libc::MSG_EXCEPT } else { 0 };
    let place: *mut c_long = letter.words.as_mut_ptr();
    // SAFETY: at `place` is room for a kind and `room` bytes, and nobody else looks at it.
    let length = unsafe { libc::msgrcv(queue, place.cast::<c_void>(), room, kind, how) };
    letter.length = usize::try_from(length).map_err(|_| last_error())?;
    Ok(letter)
}

/// What the kernel tells of a queue.
pub(crate) fn state(queue: i32) -> Result<msqid_ds> {
    let mut state = MaybeUninit::uninit();
    // SAFETY: there is room for the answer.
    told(unsafe { libc::msgctl(queue, libc::IPC_STAT, state.as_mut_ptr()) })?;
    // SAFETY: the kernel has written it, for the call succeeded.
    Ok(unsafe { state.assume_init() })
}

/// Changes the owner, the mode and the capacity of a queue to these.
pub(crate) fn change(queue: i32, state: &mut msqid_ds) -> Result<()> {
    // SAFETY: `state` is one, and the kernel only reads it.
    told(unsafe { libc::msgctl(queue, libc::IPC_SET, state) }).map(drop)
}

/// Removes a queue with all that is in it.
pub(crate) fn remove(queue: i32) -> Result<()> {
    // SAFETY: this command takes no third argument.
    told(unsafe { libc::msgctl(queue, libc::IPC_RMID, std::ptr::null_mut()) }).map(drop)
}

/// The key that the C library makes of a path, or -1, which is also what it says when there is no such path.
pub(crate) fn key_of(path: &CStr, project: u8) -> i32 {
    // SAFETY: `path` ends with a zero byte.
    unsafe { libc::ftok(path.as_ptr(), c_int::from(project)) }
}

fn patience(waits: bool) -> c_int {
    if waits { 0 } else { libc::IPC_NOWAIT }
}

pub(super) fn told(result: c_int) -> Result<i32> {
    if result == -1 { Err(last_error()) } else { Ok(result) }
}

pub(super) fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}
