//! Why a communication did not take place.
//!
//! Knows nothing of engines: what the engine reports by number is put into words here, for people and for programs.

use super::deadlock::DeadlockReport;
use crate::cause::{Cause, describe, describe_unwinding};
use crate::engine::ArenaError;
use crate::engine::Fate;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a channel operation did not communicate.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let c = Channel::<u8>::new();
/// let (w, r) = (c.writer(), c.reader());
/// assert!(r.try_read().unwrap_err().is_would_block());
/// w.poison();
/// assert_eq!(r.read(), Err(ChannelError::Poisoned));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ChannelError {
    /// Somebody poisoned the channel: the network is to end at once.
    Poisoned,
    /// The channel is part of a deadlock and was poisoned for it: poison like any other
    /// ([`is_poisoned`](ChannelError::is_poisoned) holds), with the report of who waited for whom.
    Deadlock(Box<DeadlockReport>),
    /// The last end of one side is gone: nobody is left to communicate with. (Other libraries call such a channel
    /// closed or disconnected.) A side that has retired stays so, whoever requests a new end:
    /// `channel.writer().write(value)` drops its end at once, and so retires the channel, unless another writer is
    /// kept.
    Retired,
    /// A process died that had an end of the channel, or with the value in hand. The channel is dead, unless the
    /// process is [started again](crate::OnCrash::Restart) or closes its ends as if it had returned: then only what it
    /// had in hand is lost.
    Lost {
        /// The name of the process.
        process: String,
        /// What it died of.
        cause: Cause,
    },
    /// The reader took the value in an extended rendezvous that it did not finish: it panicked or left early; or it got
    /// an item of a [`Queue`](crate::shared::Queue) and ended before it said that it was done with it. What became of
    /// the value is not known.
    Abandoned {
        /// The name of the reading process.
        process: String,
    },
    /// The time is up.
    TimedOut,
    /// Nobody was ready on the other side, and the operation does not wait.
    WouldBlock,
    /// No guard of the alternation is present, because all preconditions are false: it could never fire.
    NoGuards,
    /// The operation could not be carried out: the value cannot be a message, or what the operation needs is not there.
    /// The channel is unharmed.
    Invalid(MessageError),
    /// A [`Queue`](crate::shared::Queue) is in another program, and that has ended, or the connection to it broke
    /// before the answer had come. What was asked for may or may not have been done, unless the reason says it.
    Io {
        /// Which connection, and what happened to it.
        reason: String,
    },
}

impl ChannelError {
    /// Whether the channel was poisoned, by anybody or for a deadlock.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::ChannelError::Poisoned.is_poisoned());
    /// ```
    pub fn is_poisoned(&self) -> bool {
        matches!(self, ChannelError::Poisoned | ChannelError::Deadlock(_))
    }

    /// The deadlock that the channel was part of, if it was poisoned for one.
    ///
    /// # Examples
    /// ```
    /// use csproc::prelude::*;
    ///
    /// // Nobody else could ever read what is written here.
    /// let c = Channel::<u8>::new();
    /// let (w, r) = (c.writer(), c.reader());
    /// let error = w.write(1).unwrap_err();
    /// assert!(error.is_poisoned());
    /// assert_eq!(error.deadlock().unwrap().processes()[0].waits_for[0].action, "write");
    /// drop(r);
    /// ```
    pub fn deadlock(&self) -> Option<&DeadlockReport> {
        match self {
            ChannelError::Deadlock(report) => {
                report.is_given();
                Some(report)
            }
            _ => None,
        }
    }

    /// Whether the other side is gone.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::ChannelError::Retired.is_retired());
    /// ```
    pub fn is_retired(&self) -> bool {
        *self == ChannelError::Retired
    }

    /// Whether a process died, and the communication with it: the channel has ended, or, if the process is started
    /// again, only the extended rendezvous that it had begun.
    ///
    /// # Examples
    /// ```
    /// assert!(!csproc::ChannelError::Retired.is_lost());
    /// ```
    pub fn is_lost(&self) -> bool {
        matches!(self, ChannelError::Lost { .. })
    }

    /// Whether the time was up.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::ChannelError::TimedOut.is_timed_out());
    /// ```
    pub fn is_timed_out(&self) -> bool {
        *self == ChannelError::TimedOut
    }

    /// Whether nobody was ready, in an operation that does not wait.
    ///
    /// # Examples
    /// ```
    /// assert!(csproc::ChannelError::WouldBlock.is_would_block());
    /// ```
    pub fn is_would_block(&self) -> bool {
        *self == ChannelError::WouldBlock
    }

    /// Whether the value was at fault, or something that the operation needs, but not the channel.
    ///
    /// # Examples
    /// ```
    /// assert!(!csproc::ChannelError::TimedOut.is_invalid());
    /// ```
    pub fn is_invalid(&self) -> bool {
        matches!(self, ChannelError::Invalid(_))
    }

    /// Whether a process that returns this error poisons the channels it was given.
    pub(crate) fn spreads_poison(&self) -> bool {
        self.is_poisoned() || self.is_lost()
    }
}

impl From<Fate> for ChannelError {
    fn from(fate: Fate) -> ChannelError {
        match fate {
            Fate::Poisoned => ChannelError::Poisoned,
            Fate::Retired => ChannelError::Retired,
            Fate::Lost { member } => match DeadlockReport::of_slot(member) {
                Some(report) => ChannelError::Deadlock(Box::new(report)),
                None => {
                    let (process, cause) = describe(member);
                    ChannelError::Lost { process, cause }
                }
            },
            Fate::Abandoned { member, crashed } => {
                let (process, cause) = describe_unwinding(member);
                if crashed { ChannelError::Lost { process, cause } } else { ChannelError::Abandoned { process } }
            }
        }
    }
}

impl From<MessageError> for ChannelError {
    fn from(error: MessageError) -> ChannelError {
        ChannelError::Invalid(error)
    }
}

impl From<ArenaError> for ChannelError {
    fn from(error: ArenaError) -> ChannelError {
        ChannelError::Invalid(error.into())
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChannelError::Poisoned => f.write_str("the channel is poisoned"),
            ChannelError::Deadlock(_) => f.write_str("the channel is poisoned: part of a deadlock"),
            ChannelError::Retired => f.write_str("the channel is retired: the last end of one side is gone"),
            ChannelError::Lost { process, cause } => {
                write!(f, "the channel was lost with process `{process}`, which {cause}")
            }
            ChannelError::Abandoned { process } => {
                write!(f, "process `{process}` took a value, and left before it was done with it")
            }
            ChannelError::TimedOut => f.write_str("nobody communicated in time"),
            ChannelError::WouldBlock => f.write_str("nobody is ready on the other side of the channel"),
            ChannelError::NoGuards => f.write_str(
                "no guard of the alternation is present (all preconditions are false), so it could never fire",
            ),
            ChannelError::Invalid(error) => error.fmt(f),
            ChannelError::Io { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for ChannelError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ChannelError::Deadlock(report) => Some(report.as_ref()),
            _ => None,
        }
    }
}

/// Why a value cannot be a message, or what a channel operation lacks.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::MessageError;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// #[serde(untagged)]
/// enum Loose { Number(u8), Text(String) }
///
/// let c = Channel::<Loose>::new();
/// let (w, r) = (c.writer(), c.reader());
/// let writer = std::thread::spawn(move || w.write(Loose::Number(1)).is_ok());
/// // An untagged enum can be taken apart, but not be put together again.
/// let error = r.read().err().unwrap();
/// assert!(matches!(error, ChannelError::Invalid(MessageError::Decode { .. })), "{error}");
/// assert!(error.to_string().contains("untagged"));
/// assert!(writer.join().unwrap());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MessageError {
    /// Serialization failed.
    Encode {
        /// The type of the value.
        type_name: String,
        /// What the serializer said.
        reason: String,
    },
    /// Deserialization failed.
    Decode {
        /// The type that was expected.
        type_name: String,
        /// What the deserializer said.
        reason: String,
    },
    /// Ipc-channel ends or shared memory in the value cannot be carried, or the channel cannot be one that carries
    /// them.
    Carrier {
        /// What stands in the way, and the remedy.
        reason: String,
    },
    /// There is no room for the message, for the channel, or for the thread.
    Memory {
        /// What is used up, and the remedy.
        reason: String,
    },
    /// The name of a channel is too long.
    Name {
        /// The name.
        name: String,
        /// How many bytes fit.
        limit: usize,
    },
    /// An alternation has more guards than can be offered at once.
    Guards {
        /// The number of guards.
        count: usize,
        /// How many can be offered.
        limit: usize,
    },
    /// A semaphore will never have so many permits.
    Permits {
        /// How many were asked for.
        asked: usize,
        /// How many it has.
        has: usize,
    },
    /// A guard was given that is not of the lock that is needed.
    WrongLock {
        /// The name of the lock that it is of.
        held: String,
        /// The name of the lock that is needed.
        needed: String,
    },
    /// A place in an array that is behind its end.
    Index {
        /// The place.
        index: usize,
        /// How many elements there are.
        length: usize,
    },
    /// Elements for an array, or for a part of it, are not as many as it has.
    Length {
        /// How many there are.
        given: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A function that other processes do not find: it is not one of the program itself.
    Function {
        /// Where it lies, and the remedy.
        reason: String,
    },
    /// The calling process is a copy that `fork` made without this library: the channels belong to the original.
    Forked,
    /// A simulation does not have what the operation needs: see `csproc::testing`.
    Simulation {
        /// What cannot be simulated, and the remedy.
        reason: String,
    },
    /// The operating system refused what the operation needs: a descriptor, a thread.
    System {
        /// What was refused and why, and the remedy.
        reason: String,
    },
}

impl MessageError {
    /// The same of the value that was meant, which travelled inside another one.
    pub(crate) fn about<T>(mut self) -> MessageError {
        if let MessageError::Encode { type_name, .. } | MessageError::Decode { type_name, .. } = &mut self {
            *type_name = String::from(std::any::type_name::<T>());
        }
        self
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MessageError::Encode { type_name, reason } => {
                write!(f, "a value of type `{type_name}` cannot be serialized: {reason}")
            }
            MessageError::Decode { type_name, reason } => {
                write!(f, "a message is not a value of type `{type_name}`: {reason}")
            }
            MessageError::Name { name, limit } => write!(
                f,
                "the channel name `{name}` has {} bytes, at most {limit} bytes fit: choose a shorter one",
                name.len()
            ),
            MessageError::Guards { count, limit } => write!(
                f,
                "an alternation of {count} guards is larger than one of at most {limit}: divide the channels among \
                 several processes"
            ),
            MessageError::Permits { asked, has } => write!(
                f,
                "{asked} permits of a semaphore that has {has} can never be had: ask for fewer, or make it with \
                 `Semaphore::counting`"
            ),
            MessageError::WrongLock { held, needed } => write!(
                f,
                "the guard is of lock `{held}`, and lock `{needed}` is needed: give the guard that `lock().acquire()` \
                 of the same object has given"
            ),
            MessageError::Index { index, length } => {
                write!(f, "there is no element {index}: the array has {length}, and the first one is 0")
            }
            MessageError::Length { given, needed } => {
                write!(f, "{given} elements were given for {needed}: an array has the length that it was made with")
            }
            MessageError::Forked => f.write_str(
                "this process was made by a bare fork of a program that uses csproc: \
                 its channels belong to the original; start processes with `Spawn!` or execute a new program",
            ),
            MessageError::Carrier { reason }
            | MessageError::Memory { reason }
            | MessageError::Function { reason }
            | MessageError::Simulation { reason }
            | MessageError::System { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for MessageError {}

impl From<ArenaError> for MessageError {
    fn from(error: ArenaError) -> MessageError {
        match error {
            ArenaError::Foreign => MessageError::Forked,
            ArenaError::Guards { count, limit } => MessageError::Guards { count, limit },
            #[cfg(feature = "async")]
            ArenaError::NoThread { .. } => MessageError::System { reason: error.to_string() },
            #[cfg(feature = "testing")]
            ArenaError::Simulated { .. } => MessageError::Simulation { reason: error.to_string() },
            ArenaError::Full { .. } | ArenaError::TooLarge { .. } | ArenaError::Exhausted { .. } => {
                MessageError::Memory { reason: error.to_string() }
            }
        }
    }
}

/// A write that did not take place: the value, and why. Its text says why, too.
///
/// It dereferences to its fate, so `error.is_retired()` needs no field's name. Nobody has seen the value, unless the
/// reader took it in an [extended rendezvous](crate::Extended) that it did not finish.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// let c = Channel::<String>::new();
/// let (w, r) = (c.writer(), c.reader());
/// drop(r);
/// let error = w.write("nobody reads this".to_string()).unwrap_err();
/// assert!(error.is_retired());
/// assert_eq!(error.fate, ChannelError::Retired);
/// assert_eq!(error.value, "nobody reads this");
/// assert_eq!(error.to_string(), "not written: the channel is retired: the last end of one side is gone");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct WriteError<T> {
    /// The value that was to be written.
    pub value: T,
    /// Why it was not.
    pub fate: ChannelError,
}

impl<T> WriteError<T> {
    /// The value that was to be written.
    ///
    /// # Examples
    /// ```
    /// let error = csproc::WriteError { value: 7, fate: csproc::ChannelError::TimedOut };
    /// assert_eq!(error.into_value(), 7);
    /// ```
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> std::ops::Deref for WriteError<T> {
    type Target = ChannelError;

    fn deref(&self) -> &ChannelError {
        &self.fate
    }
}

impl<T> From<WriteError<T>> for ChannelError {
    fn from(error: WriteError<T>) -> ChannelError {
        error.fate
    }
}

// The value is left out, so that `T` need not implement `Debug`.
impl<T> fmt::Debug for WriteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteError").field("fate", &self.fate).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for WriteError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not written: {}", self.fate)
    }
}

/// The fate is the source, too, so that whoever looks for a [`ChannelError`] finds it. [`csproc::Error`](crate::Error)
/// does not repeat it.
impl<T> std::error::Error for WriteError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.fate)
    }
}
