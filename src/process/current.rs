//! Who is running: the identity of the process that the calling thread belongs to.
//!
//! Knows nothing of how it was started.

use super::policy::Placement;
use crate::cause::name_of;
use crate::engine::{Actor, Member, ProcessId, actor, member};

/// The process that is running; see [`current`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    id: ProcessId,
    name: String,
    placement: Placement,
}

impl Current {
    /// Its identity.
    ///
    /// # Examples
    /// See [`current`].
    pub fn id(&self) -> ProcessId {
        self.id
    }

    /// Its name; the program itself is called `main`.
    ///
    /// # Examples
    /// See [`current`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a process of the operating system or a thread of one.
    ///
    /// # Examples
    /// See [`current`].
    pub fn placement(&self) -> Placement {
        self.placement
    }
}

/// The process that the calling thread runs, or belongs to.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
///
/// #[process]
/// fn who() -> String {
///     csproc::current().name().to_string()
/// }
///
/// fn main() -> csproc::Result<()> {
///     assert_eq!(csproc::current().name(), "main");
///     assert_eq!(Parallel!(who())?, "who");
///     assert_eq!(Parallel!(who().named("worker 3"))?, "worker 3");
///     Ok(())
/// }
/// ```
pub fn current() -> Current {
    let index = member().ok();
    let Some((index, member)) = index.and_then(|index| Some((index, Member::at(index)?))) else {
        return Current { id: ProcessId(u64::MAX), name: String::from("main"), placement: Placement::Process };
    };
    let placement = match member.host() {
        host if host == index => Placement::Process,
        _ => Placement::Thread,
    };
    Current { id: ProcessId(member.serial()), name: name_of(member), placement }
}

/// Promises that the calling thread takes no part in what processes do: it holds no end of a channel, and no thread
/// that does waits for it.
///
/// A deadlock is told only where nobody could still act, and a thread that sleeps, computes or waits for the world
/// outside might. One that only shows progress, writes a log or guards a test would so hide every deadlock that the
/// ends of its process have a part in. Say it first thing on such a thread; it holds until the thread ends.
///
/// # Examples
/// ```
/// use csproc::prelude::*;
/// use std::time::Duration;
///
/// #[process]
/// fn read_both(first: Reader<u8>, second: Reader<u8>) -> csproc::Result<u8> {
///     Ok(first.read()? + second.read()?)
/// }
///
/// fn main() {
///     std::thread::spawn(|| {
///         csproc::stand_aside();
///         loop {
///             std::thread::sleep(Duration::from_secs(1));
///         }
///     });
///     // Nobody ever writes.
///     let (c, d) = (Channel::new(), Channel::new());
///     let (_w, _v) = (c.writer(), d.writer());
///     assert!(Parallel!(read_both(c.reader(), d.reader())).unwrap_err().deadlock().is_some());
/// }
/// ```
pub fn stand_aside() {
    // A thread without a context would have to be looked at like any other: then fewer deadlocks are told.
    actor(Actor::stand_aside);
}
