//! Ctrl-C and other signals as a guard.
//!
//! Knows nothing of what they are to bring about.

use crate::bridge::{Bridge, Lookout, Sealed, Source, is_readable, lookout, read_when_readable};
use crate::cause::signal_name;
use crate::channel::{ChannelError, MessageError};
use crate::sys::hearing::Listener;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

/// A signal that a program can listen to; see [`signal`](signal()).
///
/// # Examples
/// ```
/// use csproc::toolkit::Signal;
///
/// assert_eq!(Signal::Interrupt.to_string(), "SIGINT");
/// assert_eq!(Signal::Terminate.number(), 15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Signal {
    /// `SIGHUP`: the terminal is gone. Services take it for "read your settings again".
    HangUp,
    /// `SIGINT`: Ctrl-C.
    Interrupt,
    /// `SIGQUIT`: Ctrl-\. A program that does not listen to it prints what its processes wait for.
    Quit,
    /// `SIGUSR1`, which means what the program says.
    User1,
    /// `SIGUSR2`, which means what the program says.
    User2,
    /// `SIGTERM`: the program is asked to end; [`Child::terminate`](crate::Child::terminate) asks a process so.
    Terminate,
    /// `SIGWINCH`: the window of the terminal has another size.
    Window,
}

const ALL: [Signal; 7] =
    [Signal::HangUp, Signal::Interrupt, Signal::Quit, Signal::User1, Signal::User2, Signal::Terminate, Signal::Window];

impl Signal {
    /// The system's number of it.
    ///
    /// # Examples
    /// See [`Signal`].
    pub fn number(self) -> i32 {
        match self {
            Signal::HangUp => libc::SIGHUP,
            Signal::Interrupt => libc::SIGINT,
            Signal::Quit => libc::SIGQUIT,
            Signal::User1 => libc::SIGUSR1,
            Signal::User2 => libc::SIGUSR2,
            Signal::Terminate => libc::SIGTERM,
            Signal::Window => libc::SIGWINCH,
        }
    }
}

/// The system's name of it.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(signal_name(self.number()).unwrap_or("a signal"))
    }
}

/// The signals that come to this process, as the other side of a [`Bridge`]; made by [`signal`](signal()).
///
/// # Examples
/// See [`signal`](signal()).
#[derive(Debug)]
pub struct Signals {
    listener: Listener,
}

/// A bridge to the signals that come to this process: a guard that says which one came.
///
/// While there is such a bridge, these signals do nothing else: a program does not die of Ctrl-C. A handler that the
/// program had is called as well. When the last bridge to a signal is dropped, what happened before happens again; what
/// has come and was not read is forgotten. A signal that comes twice before it is read has come once. Every bridge to a
/// signal is told of it.
///
/// The terminal sends `SIGINT` and `SIGQUIT` to every process of the program. A process that does not listen ignores
/// those: what Ctrl-C is to bring about is for the program to say, by a channel that it retires, for instance. A
/// process that listens is told, too, and hears of it before the program has decided anything. Of
/// [`Child::terminate`](crate::Child::terminate) the process alone is told that it is meant for.
///
/// Nobody who waits for a signal is in a deadlock: one may always come.
///
/// # Errors
/// The system has no descriptor to give, or 64 bridges to signals are there already.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use csproc::toolkit::{Signal, signal};
///
/// #[process]
/// fn worker(ready: Writer<()>) -> csproc::Result<String> {
///     let asked_to_end = signal([Signal::Terminate])?;
///     ready.write(())?;
///     let which = asked_to_end.read()?;
///     Ok(format!("saved all before the end: {which}"))
/// }
///
/// fn main() -> csproc::Result<()> {
///     let c = Channel::new();
///     let ready = c.reader();
///     let child = Spawn!(worker(c.writer()))?;
///     ready.read()?;
///     child.terminate()?;
///     assert_eq!(child.join()??, "saved all before the end: SIGTERM");
///     Ok(())
/// }
/// ```
/// In an alternation of the program, `s = signals.read() => …` stands beside its channels.
pub fn signal(signals: impl IntoIterator<Item = Signal>) -> io::Result<Bridge<Signals>> {
    let listener = Listener::to(signals.into_iter().map(Signal::number)).map_err(|error| match error {
        Errno::NOSPC => io::Error::other("64 bridges to signals are there already: drop one"),
        error => error.into(),
    })?;
    Ok(Bridge::to(Signals { listener }))
}

impl Sealed for Signals {}

impl Source for Signals {
    type Value = Signal;
    type Inner = ();

    fn is_ready(&self) -> bool {
        is_readable(&self.listener)
    }

    fn take(&self) -> Result<Option<Signal>, ChannelError> {
        let came = self.listener.next();
        Ok(came.and_then(|number| ALL.into_iter().find(|signal| signal.number() == number)))
    }

    fn read(&self, until: Option<Instant>) -> Result<Signal, ChannelError> {
        read_when_readable(self, &self.listener, until)
    }

    fn lookout(&self) -> Result<Lookout, ChannelError> {
        let copy = self.listener.as_fd().try_clone_to_owned();
        lookout(copy.map_err(|error| {
            let reason = format!("a bridge to signals cannot copy its descriptor: {error}");
            ChannelError::Invalid(MessageError::System { reason })
        })?)
    }

    /// Nothing: the signals are not listened to any more.
    fn into_inner(self) {}
}
