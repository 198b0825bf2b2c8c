//! What may be said of a process beside its function: where it runs, and what becomes of its channels when it crashes.
//!
//! Knows nothing of how that is done.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

/// Where a process runs.
///
/// Whatever a program says, `CSPROC_PLACEMENT=thread` in its environment puts every process on a thread, so that a
/// debugger sees all of them in one process and stops wherever it is told to; `CSPROC_PLACEMENT=process` puts every
/// process into one of its own.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn id() -> u32 {
///     std::process::id()
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (there, here) = Parallel!(id(), id().on(Placement::Thread))?;
///     assert_ne!(there, std::process::id());
///     assert_eq!(here, std::process::id());
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Placement {
    /// A process of the operating system.
    #[default]
    Process,
    /// A thread of the process that starts it.
    Thread,
}

impl Placement {
    /// Where everything runs by the wish of who started the program; read once.
    pub(super) fn of_everything() -> &'static Result<Option<Placement>, String> {
        static WISH: OnceLock<Result<Option<Placement>, String>> = OnceLock::new();
        WISH.get_or_init(|| match std::env::var_os("CSPROC_PLACEMENT") {
            Some(wish) => match wish.to_string_lossy().parse() {
                Ok(placement) => Ok(Some(placement)),
                Err(error) => Err(format!("CSPROC_PLACEMENT: {error}")),
            },
            None => Ok(None),
        })
    }
}

impl std::str::FromStr for Placement {
    type Err = String;

    /// Reads `process` or `thread`.
    fn from_str(text: &str) -> Result<Placement, String> {
        match text {
            "process" => Ok(Placement::Process),
            "thread" => Ok(Placement::Thread),
            other => Err(format!("`{other}` is no placement: write `process` or `thread`")),
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Placement::Process => "process",
            Placement::Thread => "thread",
        })
    }
}

/// What happens to the ends of a process that crashes.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn fragile(_out: Writer<u8>) {
///     std::process::abort()
/// }
///
/// fn main() {
///     let c = Channel::new();
///     let r = c.reader();
///     Parallel!(fragile(c.writer()).on_crash(OnCrash::Retire)).unwrap_err();
///     assert!(r.read().unwrap_err().is_retired());
/// }
/// ```
/// A process that is started again until it succeeds:
/// ```
/// use csproc::prelude::*;
/// use std::time::Duration;
///
/// #[process]
/// fn fragile(input: Reader<u32>, output: Writer<u32>) -> csproc::Result<()> {
///     for value in input {
///         if value == 2 {
///             std::process::abort();
///         }
///         output.write(value)?;
///     }
///     Ok(())
/// }
///
/// #[process]
/// fn source(out: Writer<u32>) -> csproc::Result<()> {
///     (1..=4).try_for_each(|value| out.write(value)).map_err(csproc::Error::from)
/// }
///
/// #[process]
/// fn sink(input: Reader<u32>) -> Vec<u32> {
///     input.into_iter().collect()
/// }
///
/// fn main() -> csproc::Result<()> {
///     let (c, d) = (Channel::new(), Channel::new());
///     let again = OnCrash::Restart { max: 3, within: Duration::from_secs(10) };
///     let (_, _, seen) =
///         Parallel!(source(c.writer()), fragile(c.reader(), d.writer()).on_crash(again), sink(d.reader()))?;
///     assert_eq!(seen, [1, 3, 4]);
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OnCrash {
    /// Their channels end at once for everybody, as poison ends them. The others do not see
    /// [`Poisoned`](crate::ChannelError::Poisoned), but [`Lost`](crate::ChannelError::Lost), with the process and the
    /// cause.
    #[default]
    Poison,
    /// They retire, as if the process had returned.
    Retire,
    /// Nothing: the process is started again, with its original arguments and ends, unless it has crashed more than
    /// `max` times within so short a time; then they are poisoned. Each restart is noted on standard error.
    ///
    /// What the crashed process had in hand is lost: messages that it had read and not passed on, and everything it had
    /// counted or collected, for the next one begins from its arguments. The result is that of the start that did not
    /// crash. So nothing is lost if the process keeps nothing between two messages, reads each by
    /// [`extended`](crate::Reader::extended), whose writer is released only when the message is done with, and if the
    /// writer writes it again when that fails with [`Abandoned`](crate::ChannelError::Abandoned) or
    /// [`Lost`](crate::ChannelError::Lost). A message may then be worked on twice.
    Restart {
        /// How many restarts within that time are acceptable.
        max: u32,
        /// The time.
        within: Duration,
    },
}
