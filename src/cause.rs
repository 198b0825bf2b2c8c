//! Why a process did not end normally, and what it was called: kept where every peer can read it.
//!
//! Knows nothing of networks or of how processes start. How the process ended fits into a number in its slot; the
//! message and the place of a panic, and what the process was called, are records of the slot.

use crate::engine::{ArenaError, Member, Phase, Record};
use crate::sys::last_words::Dying;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a process crashed.
///
/// # Examples
/// ```
/// let cause = csproc::Cause::Killed { signal: 9 };
/// assert_eq!(cause.to_string(), "was killed by signal 9 (SIGKILL)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Cause {
    /// Its function panicked.
    Panicked {
        /// What the panic said.
        message: String,
        /// Where it happened, as `file:line:column`.
        location: String,
    },
    /// A signal ended it.
    Killed {
        /// The number of the signal.
        signal: i32,
    },
    /// It called `std::process::exit` (or C's `exit`) instead of returning.
    Exited {
        /// The exit code.
        code: i32,
    },
    /// Its arguments did not arrive: the `Deserialize` of one refused it.
    ArgumentsRefused {
        /// Which type, and why.
        reason: String,
    },
    /// Its function needed more room than its stack has.
    StackOverflow {
        /// How many bytes its stack has.
        stack: usize,
    },
    /// A function marked [`#[csproc::setup]`](crate::setup) returned an error, so its own function was not run.
    SetUpFailed {
        /// Where the function that failed is, as `file:line:column`.
        location: String,
        /// The name of that function, and the error.
        reason: String,
    },
    /// Its function returned, and had never given back a lock or a permit that it had taken.
    Forgot,
    /// Its function returned, but the `Serialize` of the result refused it, or there was no memory for it.
    ResultRefused {
        /// Which type, and why.
        reason: String,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Panicked { message, location } => write!(f, "panicked at {location}: {message}"),
            Cause::Killed { signal } => match signal_name(*signal) {
                Some(name) => write!(f, "was killed by signal {signal} ({name})"),
                None => write!(f, "was killed by signal {signal}"),
            },
            Cause::Exited { code } => write!(f, "exited with code {code} before its function returned"),
            Cause::ArgumentsRefused { reason } => write!(f, "could not take its arguments: {reason}"),
            Cause::StackOverflow { stack } => {
                write!(f, "overflowed its stack of {stack} bytes; give it a larger one by `.stack(bytes)`")
            }
            Cause::SetUpFailed { location, reason } => write!(f, "failed in its set-up at {location}: {reason}"),
            Cause::Forgot => f.write_str("returned without giving it back"),
            Cause::ResultRefused { reason } => write!(f, "could not hand over its result: {reason}"),
        }
    }
}

/// What the system calls a signal.
pub(crate) fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGALRM => "SIGALRM",
        libc::SIGBUS => "SIGBUS",
        libc::SIGCONT => "SIGCONT",
        libc::SIGFPE => "SIGFPE",
        libc::SIGHUP => "SIGHUP",
        libc::SIGILL => "SIGILL",
        libc::SIGINT => "SIGINT",
        libc::SIGKILL => "SIGKILL",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTERM => "SIGTERM",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGUSR2 => "SIGUSR2",
        libc::SIGWINCH => "SIGWINCH",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        _ => return None,
    })
}

const BY_START: u32 = 1 << 24;
const BY_EXIT: u32 = 2 << 24;
const BY_SIGNAL: u32 = 3 << 24;
/// The record says why: the process panicked and nobody caught it, or it could not begin or hand over.
const BY_RECORD: u32 = 4 << 24;
const BY_OVERFLOW: u32 = 5 << 24;

/// What a process notes in its member's slot while it dies. May be called in a signal handler.
pub(crate) fn note_dying(member: &Member, of: Dying) {
    member.note_ending(match of {
        Dying::OfOverflow => BY_OVERFLOW,
        Dying::OfPanic => BY_RECORD,
    });
}

/// The record in the member's slot is what it dies of.
pub(crate) fn note_panic(member: &Member) {
    note_dying(member, Dying::OfPanic);
}

/// Beside [`BY_START`]: it could not take on the credentials of its starter.
const CREDENTIALS: u32 = 1 << 16;

/// Why a process could not start.
#[derive(Debug)]
pub(crate) enum NotStarted {
    /// It may not take on the credentials that its starter had.
    Credentials(std::io::Error),
    /// Anything else.
    System(std::io::Error),
}

/// Notes in a member's slot why it could not start.
pub(crate) fn note_failed_start(member: &Member, reason: &NotStarted) {
    let (step, error) = match reason {
        NotStarted::Credentials(error) => (CREDENTIALS, error),
        NotStarted::System(error) => (0, error),
    };
    let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
    member.note_failed_start(BY_START | step | errno.unsigned_abs() & 0xffff);
}

/// The note of a process that was killed by this signal.
#[cfg(feature = "testing")]
pub(crate) fn killed_by(signal: i32) -> u32 {
    BY_SIGNAL | signal.unsigned_abs() & 0xffff
}

/// Notes how the operating-system process of a member ended.
pub(crate) fn note_status(member: &Member, ended: crate::sys::fork::Ended) {
    let code = match ended {
        crate::sys::fork::Ended::Exited(code) => BY_EXIT | code.cast_unsigned() & 0xff_ffff,
        crate::sys::fork::Ended::Killed(signal) => BY_SIGNAL | signal.unsigned_abs() & 0xffff,
    };
    // A failed start also exits, and was noted before.
    member.note_ending(code);
}

/// Notes why the member crashed by itself; later the exit status of the process says less.
pub(crate) fn record_cause(index: u32, member: &Member, cause: &Cause) {
    write_cause(index, member, cause);
    note_panic(member);
}

fn write_cause(index: u32, member: &Member, cause: &Cause) {
    // Without memory it cannot be told.
    let _ = keep_record(index, member, Record::Obituary, cause);
}

/// Notes a panic of the member, which may yet be caught.
pub(crate) fn record_panic(index: u32, member: &Member, message: &str, location: &str) {
    let cause = Cause::Panicked { message: String::from(message), location: String::from(location) };
    write_cause(index, member, &cause);
}

/// What is known of a member's crash.
///
/// A panic that the process caught and survived must not pass for the reason of a later death; so the record of a panic
/// counts only if the process says that it dies of it.
pub(crate) fn cause_of(member: &Member) -> Cause {
    let code = member.ending_note();
    let (kind, value) = (code & (0xff << 24), (code & 0xff_ffff).cast_signed());
    match kind {
        BY_RECORD => read_record(member, Record::Obituary).unwrap_or_else(|| Cause::Panicked {
            message: String::from("there was no memory for what the panic said"),
            location: String::from("an unknown place"),
        }),
        BY_OVERFLOW => Cause::StackOverflow { stack: face_of(member).map_or(0, |face| face.stack) },
        BY_EXIT => Cause::Exited { code: value },
        BY_SIGNAL => Cause::Killed { signal: value },
        // The server died before it could say; it takes all processes with it by this signal.
        _ => Cause::Killed { signal: libc::SIGKILL },
    }
}

/// The member unwinds. A panic that is resumed is not seen by the hook, so that is written down here; else the member
/// would pass for one that was killed.
pub(crate) fn note_unwinding(index: u32) {
    let unseen = |member: &&Member| !member.is_program() && read_record::<Cause>(member, Record::Obituary).is_none();
    if let Some(member) = Member::at(index).filter(unseen) {
        write_cause(index, member, &unknown_panic());
    }
}

fn unknown_panic() -> Cause {
    Cause::Panicked {
        message: String::from("what the panic said was not kept"),
        location: String::from("an unknown place"),
    }
}

/// Whether anything is known of a crash of the member.
pub(crate) fn has_crashed(member: &Member) -> bool {
    member.ending_note() != 0
}

/// Why it could not start, if that is what happened.
pub(crate) fn start_error(member: &Member) -> Option<NotStarted> {
    let code = member.ending_note();
    let error = std::io::Error::from_raw_os_error((code & 0xffff).cast_signed());
    let reason = if code & CREDENTIALS == 0 { NotStarted::System } else { NotStarted::Credentials };
    (code & (0xff << 24) == BY_START).then(|| reason(error))
}

/// Who died, and of what, for a peer that lost a channel with it.
pub(crate) fn describe(index: u32) -> (String, Cause) {
    match Member::at(index) {
        Some(member) => (name_of(member), cause_of(member)),
        None => (String::from("unknown"), Cause::Killed { signal: libc::SIGKILL }),
    }
}

/// The same of a member that left a message unfinished because it panicked. The panic may still unwind, and then the
/// member has not said yet that it dies of it; but this is why the message was left.
pub(crate) fn describe_unwinding(index: u32) -> (String, Cause) {
    // Asked first: what it dies of may be said meanwhile, and then that is the reason.
    let unwinding = Member::at(index).filter(|member| !has_crashed(member));
    // Of the panics of the program itself there are no records.
    let panic = unwinding
        .and_then(|member| read_record(member, Record::Obituary).or_else(|| member.is_program().then(unknown_panic)));
    let (name, cause) = describe(index);
    (name, panic.unwrap_or(cause))
}

/// Who has left a lock or a permit behind, and why: it has crashed, or unwinds, or has forgotten it.
pub(crate) fn describe_abandoner(index: u32) -> (String, Cause) {
    let ended = |member: &Member| matches!(member.phase(), Phase::Returned | Phase::Gone);
    match Member::at(index).filter(|member| !has_crashed(member)) {
        Some(member) if ended(member) => (name_of(member), Cause::Forgot),
        Some(member) => (name_of(member), read_record(member, Record::Obituary).unwrap_or_else(unknown_panic)),
        None => describe(index),
    }
}

/// What peers see of a process: with it begins the record of what it needs to start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Face {
    pub(crate) name: String,
    /// How many bytes its stack has.
    pub(crate) stack: usize,
}

fn face_of(member: &Member) -> Option<Face> {
    read_record(member, Record::Launch)
}

/// The name a process was given.
pub(crate) fn name_of(member: &Member) -> String {
    face_of(member).map_or_else(|| String::from("main"), |face| face.name)
}

/// The name in the first bytes of the record that a process was started with, which may be cut off.
pub(crate) fn begins_with_name(launch: &[u8]) -> String {
    let Ok((length, rest)) = postcard::take_from_bytes::<usize>(launch) else { return String::new() };
    match rest.get(..length) {
        Some(name) => String::from_utf8_lossy(name).into_owned(),
        None => format!("{}…", String::from_utf8_lossy(rest).trim_end_matches('\u{fffd}')),
    }
}

/// Has a member keep a value.
pub(crate) fn keep_record<T: Serialize>(
    index: u32,
    member: &Member,
    record: Record,
    value: &T,
) -> Result<(), ArenaError> {
    member.keep_record(index, record, &postcard::to_stdvec(value).unwrap_or_default())
}

/// Reads a value that a member keeps; `None` if there is none or it cannot be believed.
pub(crate) fn read_record<T: DeserializeOwned>(member: &Member, record: Record) -> Option<T> {
    member.record(record, |bytes| postcard::from_bytes(bytes).ok())?
}
